//! What may be traded: SYMBOL_NOT_ALLOWED, SYMBOL_RESTRICTED, SYMBOL_HALTED, EXPIRY_CUTOFF.

use crate::answer::Answer;
use crate::asked::Asked;
use crate::seen::InstrumentSeen;
use agenttrader_core::calendar::new_york_date;
use agenttrader_core::order::OrderLeg;
use agenttrader_core::time::UnixNanos;

/// SYMBOL_NOT_ALLOWED.
pub(crate) fn not_allowed(asked: &Asked<'_>) -> Answer {
    let allowlist = asked.seen.market.allowlist.as_ref();
    Answer::known(allowlist.map(|allowed| !allowed.contains(&asked.order.underlying)))
}

/// SYMBOL_RESTRICTED: a leg is not listed as what it says it is, adjusted, or restricted otherwise.
pub(crate) fn restricted(asked: &Asked<'_>) -> Answer {
    asked.legs().map(|(leg, seen)| leg_restricted(leg, seen)).fold(Answer::DoesNotHold, Answer::or)
}

fn leg_restricted(leg: &OrderLeg, seen: Option<&InstrumentSeen>) -> Answer {
    let adjusted = leg.tradable.contract().is_some_and(|contract| contract.is_adjusted_root());
    let Some(seen) = seen else { return Answer::Unknown.or(Answer::of(adjusted)) };
    Answer::of(adjusted || !seen.listed).or(Answer::known(seen.restricted))
}

/// SYMBOL_HALTED: a halt of the underlying halts its options.
pub(crate) fn halted(asked: &Asked<'_>) -> Answer {
    Answer::known(asked.seen.market.underlying_halted)
}

/// EXPIRY_CUTOFF: from the venue's cut-off on a contract's last day, and ever after.
pub(crate) fn expiry_cutoff(asked: &Asked<'_>) -> Answer {
    let at = asked.seen.at;
    asked.legs().map(|(leg, seen)| leg_cut_off(leg, seen, at)).fold(Answer::DoesNotHold, Answer::or)
}

fn leg_cut_off(leg: &OrderLeg, seen: Option<&InstrumentSeen>, at: UnixNanos) -> Answer {
    let Some(contract) = leg.tradable.contract() else { return Answer::DoesNotHold };
    let today = new_york_date(at);
    if contract.expiration() < today {
        return Answer::Holds;
    }
    match seen.map(|seen| seen.cut_off) {
        Some(Some(cut_off)) => Answer::of(at >= cut_off),
        Some(None) if contract.expiration() > today => Answer::DoesNotHold,
        // It expires today and nobody says from when it is closed, or nothing was seen of it.
        Some(None) | None => Answer::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::{World, contract, now, spy, symbol};
    use agenttrader_core::instrument::Right;
    use agenttrader_core::occ_symbol::OccSymbol;
    use agenttrader_core::order::Tradable;
    use agenttrader_core::reason::Reason;
    use agenttrader_core::time::Span;

    #[test]
    fn only_listed_underlyings_trade() {
        World::shares()
            .with(|seen| seen.market.allowlist = Some(vec![symbol("QQQ")]))
            .refused_for(Reason::SymbolNotAllowed);
        World::shares().with(|seen| seen.market.allowlist = Some(Vec::new())).refused_for(Reason::SymbolNotAllowed);
        World::shares().with(|seen| seen.market.allowlist = None).unknown(Reason::SymbolNotAllowed);
    }

    #[test]
    fn every_leg_must_be_known_to_be_free() {
        let restricted = |answer: Option<bool>, listed: bool| {
            let mut world = World::straddle();
            let put = world.instrument(contract(Right::Put));
            (put.restricted, put.listed) = (answer, listed);
            world
        };
        restricted(Some(true), true).refused_for(Reason::SymbolRestricted);
        restricted(Some(false), false).refused_for(Reason::SymbolRestricted);
        restricted(None, true).unknown(Reason::SymbolRestricted);
        let unseen = World::shares().with(|seen| seen.market.instruments.retain(|seen| seen.tradable != spy()));
        assert_eq!(unseen.answer(Reason::SymbolRestricted), Answer::Unknown);
        assert_eq!(unseen.other_reasons(), [Reason::SymbolRestricted, Reason::PriceCollar]);
    }

    #[test]
    fn an_adjusted_contract_is_restricted_whatever_is_said_of_it() {
        let mut world = World::call();
        let terms = world.proposal.option.as_mut().unwrap();
        terms.contract_symbol = OccSymbol::new("SPY1", terms.expiration, terms.right, terms.strike).unwrap();
        let contract_symbol = terms.contract_symbol;
        world.instrument(contract(Right::Call)).tradable =
            Tradable::Option { underlying: symbol("SPY"), contract_symbol };
        world.refused_for(Reason::SymbolRestricted);
        assert_eq!(world.answer(Reason::SymbolRestricted), Answer::Holds);
    }

    #[test]
    fn a_contract_of_another_underlying_is_not_the_one_that_was_seen() {
        let mut world = World::call();
        world.proposal.symbol = symbol("QQQ");
        assert_eq!(world.answer(Reason::SymbolRestricted), Answer::Unknown);
    }

    #[test]
    fn a_halt_of_the_underlying_halts_its_options() {
        for world in [World::shares(), World::call(), World::straddle()] {
            world.clone().with(|seen| seen.market.underlying_halted = Some(true)).refused_for(Reason::SymbolHalted);
            world.with(|seen| seen.market.underlying_halted = None).unknown(Reason::SymbolHalted);
        }
    }

    #[test]
    fn an_expiring_contract_is_closed_from_its_cut_off() {
        let cut_off = |cut_off| {
            let mut world = World::straddle();
            world.instrument(contract(Right::Put)).cut_off = cut_off;
            world
        };
        cut_off(Some(now().plus(Span::from_nanos(1)))).passes();
        cut_off(Some(now())).refused_for(Reason::ExpiryCutoff);
        cut_off(None).unknown(Reason::ExpiryCutoff);
        World::shares().passes();
    }

    #[test]
    fn an_expired_contract_stays_closed_and_a_later_one_has_no_cut_off() {
        let tomorrow = |world: &mut World, days: i64| {
            world.seen.at = now().plus(Span::from_seconds(days * 86_400));
            world.proposal.created_at_utc = world.seen.at;
            world.proposal.constraints.valid_until_utc = world.seen.at.plus(Span::from_seconds(60));
            world.instrument(contract(Right::Call)).cut_off = None;
        };
        let mut world = World::call();
        tomorrow(&mut world, 1);
        world.refused_for(Reason::ExpiryCutoff);
        assert_eq!(world.answer(Reason::ExpiryCutoff), Answer::Holds);
        let mut world = World::call();
        tomorrow(&mut world, -3);
        world.passes();
    }
}
