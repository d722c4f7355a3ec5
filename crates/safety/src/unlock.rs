//! The unlock grant's codes.

use agenttrader_authority::grant::Grant;
use agenttrader_authority::presented::Shown;
use agenttrader_core::time::UnixNanos;

/// First instant at which the grant no longer lets pass what it lets pass at `now`; without one, `now` itself.
pub(crate) fn ends(grant: Shown<'_, Grant>, now: UnixNanos) -> UnixNanos {
    match grant {
        Shown::Good(grant) if now < grant.not_after => grant.not_after,
        Shown::Good(grant) => grant.exit_until.unwrap_or(grant.not_after),
        Shown::Missing | Shown::Unknown | Shown::Unusable => now,
    }
}
