//! Delegation: the entry of a grant that makes an approval of this one proposal needless.

use crate::asked::Asked;
use agenttrader_authority::delegation::Delegation;
use agenttrader_authority::presented::Shown;
use agenttrader_core::decision::Delegated;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::time::UnixNanos;

/// The first entry of a grant that verified inside which the proposal lies, with all that is to be used under it today; none if anything it
/// asks for is not known. Whether the grant itself is in force, of this build and in scope is told by its own codes.
pub(crate) fn entry(proposal: &Proposal, asked: &Asked<'_>) -> Option<Delegated> {
    let Shown::Good(grant) = asked.seen.posture.grant.shown() else { return None };
    let seen = asked.seen.posture.delegation.as_ref()?;
    let notional = asked.notional?;
    grant.terms.delegation.iter().zip(&seen.used).enumerate().find_map(|(entry, (delegation, used))| {
        let orders = used.orders.checked_add(1)?;
        let inside = is_its_kind(delegation, proposal, asked)
            && seen.strategy_sha256 == Some(delegation.strategy_sha256)
            && asked.units() <= u64::from(delegation.order_quantity)
            && notional <= delegation.order_notional_usd
            && orders <= delegation.daily_orders
            && used.notional_usd.plus(notional) <= delegation.daily_notional_usd;
        inside.then_some(Delegated {
            grant_sha256: grant.sha256,
            entry,
            orders_before: used.orders,
            notional_before_usd: used.notional_usd,
            notional_usd: notional,
        })
    })
}

/// First instant at which the entry no longer delegates.
pub(crate) fn ends(delegated: &Delegated, asked_at: UnixNanos, grant: &[Delegation]) -> UnixNanos {
    grant.get(delegated.entry).map_or(asked_at, |delegation| delegation.window.ends(asked_at))
}

fn is_its_kind(delegation: &Delegation, proposal: &Proposal, asked: &Asked<'_>) -> bool {
    delegation.strategy == proposal.strategy_name
        && delegation.symbols.contains(&asked.order.underlying)
        && delegation.intents.contains(&asked.order.intent)
        && delegation.window.contains(asked.seen.at)
}
