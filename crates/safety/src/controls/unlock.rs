//! The unlock grant: UNLOCK_MISSING, UNLOCK_INVALID, UNLOCK_EXPIRED, UNLOCK_SCOPE, BUILD_MISMATCH.

use crate::answer::Answer;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer::{DoesNotHold, Holds, Unknown};
    use crate::tests::fixture::{World, symbol};
    use agenttrader_authority::grant::grant as verify;
    use agenttrader_authority::presented::Presented;
    use agenttrader_authority::trust_root::TrustRoot;
    use agenttrader_core::reason::Reason;

    fn at(seconds: i64) -> UnixNanos {
        UnixNanos::from_seconds(seconds)
    }

    fn grant() -> Grant {
        Grant {
            modes: vec![ExecutionMode::Paper],
            symbols: vec![symbol("SPY")],
            git_commit: "a".repeat(40),
            not_before: at(100),
            not_after: at(200),
            exit_until: Some(at(300)),
        }
    }

    const NONE: [Shown<'_, Grant>; 3] = [Shown::Missing, Shown::Unknown, Shown::Unusable];

    #[test]
    fn a_missing_grant_has_one_code() {
        World::shares().with(|seen| seen.posture.grant = Presented::Missing).passes();
        let missing_alone = World::shares().facts();
        assert_eq!(missing_alone.unlock_missing, Holds);
        let reasons = crate::gate::reasons(&missing_alone);
        assert_eq!(reasons, [Reason::UnlockMissing, Reason::ApprovalMissing]);
    }

    #[test]
    fn a_place_that_cannot_be_read_refuses_as_missing() {
        let world = World::shares().with(|seen| seen.posture.grant = Presented::Unknown);
        assert_eq!(world.answer(Reason::UnlockMissing), Unknown);
        world.passes();
    }

    #[test]
    fn a_grant_that_does_not_verify_is_invalid_and_says_nothing_else() {
        let root = TrustRoot::draft();
        let world = World::shares().with(|seen| seen.posture.grant = verify(b"{}", &root));
        assert_eq!(world.answer(Reason::UnlockMissing), DoesNotHold);
        assert_eq!(world.answer(Reason::UnlockInvalid), Holds);
        let rest = [Reason::UnlockInvalid, Reason::UnlockExpired, Reason::UnlockScope, Reason::BuildMismatch];
        assert_eq!(world.other_reasons(), rest);
    }

    #[test]
    fn what_only_a_good_grant_says_is_unknown_without_one() {
        let build = Build { git_sha: "a".repeat(40), build_id: String::new() };
        for none in NONE {
            assert_eq!(expired(none, at(150), true), Unknown);
            assert_eq!(scope(none, ExecutionMode::Paper, symbol("SPY")), Unknown);
            assert_eq!(build_mismatch(none, &build), Unknown);
        }
        assert_eq!(NONE.map(invalid), [Unknown, Unknown, Holds]);
        assert_eq!(NONE.map(missing), [Holds, Unknown, DoesNotHold]);
        let good = grant();
        assert_eq!((missing(Shown::Good(&good)), invalid(Shown::Good(&good))), (DoesNotHold, DoesNotHold));
    }

    #[test]
    fn it_holds_from_its_first_instant_to_before_its_last_and_then_lets_out() {
        let good = grant();
        for (now, opening, reducing) in [
            (99, Holds, Holds),
            (100, DoesNotHold, DoesNotHold),
            (199, DoesNotHold, DoesNotHold),
            (200, Holds, DoesNotHold),
            (299, Holds, DoesNotHold),
            (300, Holds, Holds),
        ] {
            assert_eq!(expired(Shown::Good(&good), at(now), false), opening, "{now}");
            assert_eq!(expired(Shown::Good(&good), at(now), true), reducing, "{now}");
        }
        let no_exit = Grant { exit_until: None, ..grant() };
        assert_eq!(expired(Shown::Good(&no_exit), at(200), true), Holds);
    }

    #[test]
    fn it_ends_when_what_it_lets_pass_ends() {
        let good = grant();
        assert_eq!(ends(Shown::Good(&good), at(150)), at(200));
        assert_eq!(ends(Shown::Good(&good), at(250)), at(300));
        for none in NONE {
            assert_eq!(ends(none, at(150)), at(150));
        }
    }

    #[test]
    fn its_scope_is_the_mode_and_the_underlying() {
        let good = grant();
        let scope = |mode, underlying| scope(Shown::Good(&good), mode, symbol(underlying));
        assert_eq!(scope(ExecutionMode::Paper, "SPY"), DoesNotHold);
        assert_eq!(scope(ExecutionMode::Live, "SPY"), Holds);
        assert_eq!(scope(ExecutionMode::Shadow, "SPY"), Holds);
        assert_eq!(scope(ExecutionMode::Paper, "QQQ"), Holds);
    }

    #[test]
    fn it_is_for_one_exact_build() {
        let good = grant();
        for (sha, expected) in [
            ("a".repeat(40), DoesNotHold),
            ("b".repeat(40), Holds),
            ("unknown".to_owned(), Holds),
            (format!("{}-dirty", "a".repeat(40)), Holds),
            (String::new(), Holds),
        ] {
            let build = Build { git_sha: sha, build_id: String::new() };
            assert_eq!(build_mismatch(Shown::Good(&good), &build), expected);
        }
        let unknown = Build { git_sha: "unknown".to_owned(), build_id: String::new() };
        let same = Grant { git_commit: "unknown".to_owned(), ..grant() };
        assert_eq!(build_mismatch(Shown::Good(&same), &unknown), Holds);
        assert_eq!(build_mismatch(Shown::Missing, &unknown), Holds);
    }
}
