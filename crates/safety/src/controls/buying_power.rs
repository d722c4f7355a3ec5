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
            let shares = asked.and_then(|asked| Exposure { seen: asked.seen, order: Some(asked.order) }.shares_at_spot());
            let cost = shares.map(|shares| shares.plus(account.fees_of_order));
            let bound = account.equity.map(|equity| equity.times(SHARES_OF_EQUITY_MAX));
            at_most(Reason::BuyingPower, "USD of shares and fees", bound, cost)
        }
    };
    excuse(measure, asked.is_some_and(|asked| asked.reducing))
}
