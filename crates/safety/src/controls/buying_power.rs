//! BUYING_POWER: option premium and fees within cash less what works; all shares within twice the equity.

use crate::asked::Asked;
use crate::exposure::Exposure;
use crate::measure::{at_most, excuse};
use crate::seen::Account;
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::money::Money;
use agenttrader_core::proposal::AssetType;
use agenttrader_core::reason::Reason;

/// Times the equity that all shares together may be worth.
pub const SHARES_OF_EQUITY_MAX: i64 = 2;

/// BUYING_POWER. Premium counts by size: what is sold to open is bound as much as what is bought.
pub(crate) fn buying_power(asked: Option<&Asked<'_>>, asset_type: AssetType, account: &Account) -> LimitMeasure {
    let measure = match asset_type {
        AssetType::Option | AssetType::Mleg => {
            let cost = asked.and_then(|asked| asked.notional).map(|premium| premium.plus(account.fees_of_order));
            let reserved: Money = account.working.iter().map(|working| working.reserves).sum();
            at_most(Reason::BuyingPower, "USD of premium and fees", Some(account.cash.minus(reserved)), cost)
        }
        AssetType::Equity => {
            let shares =
                asked.and_then(|asked| Exposure { seen: asked.seen, order: Some(asked.order) }.shares_at_spot());
            let cost = shares.map(|shares| shares.plus(account.fees_of_order));
            let bound = account.equity.map(|equity| equity.times(SHARES_OF_EQUITY_MAX));
            at_most(Reason::BuyingPower, "USD of shares and fees", bound, cost)
        }
    };
    excuse(measure, asked.is_some_and(|asked| asked.reducing))
}

#[cfg(test)]
mod tests {
    use crate::answer::Answer;
    use crate::tests::fixture::{World, contract, money, spy};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::money::Money;
    use agenttrader_core::order::{OrderType, Side};
    use agenttrader_core::reason::Reason;

    fn cash(world: World, cash: &str) -> World {
        let cash = money(cash);
        world.with(|seen| seen.account.cash = cash)
    }

    #[test]
    fn premium_and_fees_come_out_of_cash() {
        let fee = |world: World| world.with(|seen| seen.account.fees_of_order = money("0.65"));
        cash(fee(World::call()), "200.65").passes();
        cash(fee(World::call()), "200.649999999").refused_for(Reason::BuyingPower);
        cash(World::straddle(), "400").passes();
        cash(World::straddle(), "399.999999999").refused_for(Reason::BuyingPower);
        cash(World::straddle().selling(), "399.99").refused_for(Reason::BuyingPower);
    }

    #[test]
    fn what_working_orders_reserve_is_spent() {
        let mut world = World::call().working(&[(contract(Right::Put), Side::Buy)], 1, OrderType::Market);
        world.seen.account.working[0].reserves = money("300");
        cash(world.clone(), "500").passes();
        cash(world, "499.999999999").refused_for(Reason::BuyingPower);
    }

    #[test]
    fn shares_may_be_worth_twice_the_equity() {
        let equity = |world: World, equity: &str| {
            let equity = Some(money(equity));
            world.with(|seen| seen.account.equity = equity)
        };
        assert_eq!(equity(World::shares(), "25000").answer(Reason::BuyingPower), Answer::DoesNotHold);
        assert_eq!(equity(World::shares(), "24999.999999999").answer(Reason::BuyingPower), Answer::Holds);
        let short = World::shares().selling().holding(spy(), -100);
        assert_eq!(equity(short.clone(), "50000").answer(Reason::BuyingPower), Answer::DoesNotHold);
        assert_eq!(equity(short, "49999.99").answer(Reason::BuyingPower), Answer::Holds);
        assert_eq!(cash(World::shares(), "-100000").answer(Reason::BuyingPower), Answer::DoesNotHold);
    }

    #[test]
    fn what_cannot_be_priced_cannot_be_paid() {
        let mut market = World::call().at_market();
        market.instrument(contract(Right::Call)).quote = None;
        assert_eq!(market.answer(Reason::BuyingPower), Answer::Unknown);
        let unmarked = World::shares().with(|seen| seen.account.equity = None);
        assert_eq!(unmarked.answer(Reason::BuyingPower), Answer::Unknown);
        let lost = World::shares().with(|seen| seen.market.spots[0].price = None);
        assert_eq!(lost.answer(Reason::BuyingPower), Answer::Unknown);
    }

    #[test]
    fn a_close_needs_no_cash() {
        cash(World::call().selling().holding(contract(Right::Call), 1), "0").passes();
        let measure = cash(World::straddle(), "1").measure(Reason::BuyingPower);
        assert_eq!((measure.bound.as_deref(), measure.measured.as_deref()), (Some("1"), Some("400")));
        assert_ne!(Money::ZERO, money("1"));
    }
}
