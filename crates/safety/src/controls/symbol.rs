//! What may be traded: SYMBOL_NOT_ALLOWED, SYMBOL_RESTRICTED, SYMBOL_HALTED, EXPIRY_CUTOFF.

use crate::asked::Asked;
use crate::facts::Answer;
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
