//! The unlock grant: UNLOCK_MISSING, UNLOCK_INVALID, UNLOCK_EXPIRED, UNLOCK_SCOPE, BUILD_MISMATCH.

use crate::facts::Answer;
use agenttrader_authority::grant::{ExecutionMode, Grant};
use agenttrader_authority::presented::Shown;
use agenttrader_core::identity::Build;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;

/// UNLOCK_MISSING.
pub(crate) fn missing(grant: Shown<'_, Grant>) -> Answer {
    match grant {
        Shown::Missing => Answer::Holds,
        Shown::Unknown => Answer::Unknown,
        Shown::Unusable | Shown::Good(_) => Answer::DoesNotHold,
    }
}

/// UNLOCK_INVALID.
pub(crate) fn invalid(grant: Shown<'_, Grant>) -> Answer {
    match grant {
        Shown::Unusable => Answer::Holds,
        Shown::Missing | Shown::Unknown => Answer::Unknown,
        Shown::Good(_) => Answer::DoesNotHold,
    }
}

/// UNLOCK_EXPIRED, also before it begins. From its end to `exit_until` reducing orders still pass.
pub(crate) fn expired(grant: Shown<'_, Grant>, now: UnixNanos, reducing: bool) -> Answer {
    of_good(grant, |grant| {
        let in_force = grant.not_before <= now && now < grant.not_after;
        let leaving = reducing && grant.not_after <= now && grant.exit_until.is_some_and(|until| now < until);
        !in_force && !leaving
    })
}

/// UNLOCK_SCOPE: the way of executing and the underlying.
pub(crate) fn scope(grant: Shown<'_, Grant>, mode: ExecutionMode, underlying: Symbol) -> Answer {
    of_good(grant, |grant| !grant.modes.contains(&mode) || !grant.symbols.contains(&underlying))
}

/// BUILD_MISMATCH: a build that is not exact matches nothing.
pub(crate) fn build_mismatch(grant: Shown<'_, Grant>, build: &Build) -> Answer {
    if !build.is_exact() {
        return Answer::Holds;
    }
    of_good(grant, |grant| grant.git_commit != build.git_sha)
}

/// First instant at which the grant no longer lets pass what it lets pass at `now`; without one, `now` itself.
pub(crate) fn ends(grant: Shown<'_, Grant>, now: UnixNanos) -> UnixNanos {
    match grant {
        Shown::Good(grant) if now < grant.not_after => grant.not_after,
        Shown::Good(grant) => grant.exit_until.unwrap_or(grant.not_after),
        Shown::Missing | Shown::Unknown | Shown::Unusable => now,
    }
}

/// What can be said of a grant that verified, and cannot be known without one.
fn of_good(grant: Shown<'_, Grant>, holds: impl FnOnce(&Grant) -> bool) -> Answer {
    match grant {
        Shown::Good(grant) => Answer::of(holds(grant)),
        Shown::Missing | Shown::Unknown | Shown::Unusable => Answer::Unknown,
    }
}
