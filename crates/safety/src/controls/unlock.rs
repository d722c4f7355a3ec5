//! The unlock grant: UNLOCK_MISSING, UNLOCK_INVALID, UNLOCK_EXPIRED, UNLOCK_SCOPE, BUILD_MISMATCH.

use crate::answer::Answer;
use agenttrader_authority::grant::{ExecutionMode, Grant};
use agenttrader_authority::presented::{Presented, Shown};
use agenttrader_core::identity::Build;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;

/// UNLOCK_MISSING.
pub(crate) fn missing(grant: Shown<'_, Grant>) -> Answer {
    match grant {
        Shown::Missing => Answer::Holds,
        Shown::Unknown => Answer::Unknown,
        Shown::Unusable { .. } | Shown::Good(_) => Answer::DoesNotHold,
    }
}

/// UNLOCK_INVALID.
pub(crate) fn invalid(grant: Shown<'_, Grant>) -> Answer {
    match grant {
        Shown::Unusable { .. } => Answer::Holds,
        Shown::Missing | Shown::Unknown => Answer::Unknown,
        Shown::Good(_) => Answer::DoesNotHold,
    }
}

/// UNLOCK_EXPIRED, also before it begins. From its end to `exit_until` reducing orders still pass.
pub(crate) fn expired(grant: Shown<'_, Grant>, now: UnixNanos, reducing: bool) -> Answer {
    of_good(grant, |grant| {
        let leaving = reducing && is_leaving(grant, now);
        !is_in_force(grant, now) && !leaving
    })
}

/// UNLOCK_SCOPE: the way of executing and the underlying.
pub(crate) fn scope(grant: Shown<'_, Grant>, mode: ExecutionMode, underlying: Symbol) -> Answer {
    of_good(grant, |grant| !is_in_scope(grant, mode, underlying))
}

/// BUILD_MISMATCH: a build that is not exact matches nothing.
pub(crate) fn build_mismatch(grant: Shown<'_, Grant>, build: &Build) -> Answer {
    if !build.is_exact() {
        return Answer::Holds;
    }
    of_good(grant, |grant| grant.git_commit.as_str() != build.git_sha)
}

/// First instant at which the grant no longer lets pass what it lets pass at `now`; without one, `now` itself.
pub(crate) fn ends(grant: Shown<'_, Grant>, now: UnixNanos) -> UnixNanos {
    match grant {
        Shown::Good(grant) if now < grant.terms.not_after => grant.terms.not_after,
        Shown::Good(grant) => grant.terms.exit_until.unwrap_or(grant.terms.not_after),
        Shown::Missing | Shown::Unknown | Shown::Unusable { .. } => now,
    }
}

/// Of several grants the one that stands least in an order's way, the first of equals; none where there are none. Grants never add up:
/// one alone is looked at.
pub fn least_in_the_way(
    grants: Vec<Presented<Grant>>,
    now: UnixNanos,
    mode: ExecutionMode,
    underlying: Symbol,
    build: &Build,
) -> Presented<Grant> {
    let wrong = |grant: &Presented<Grant>| {
        let shown = grant.shown();
        let answers = [
            missing(shown),
            invalid(shown),
            build_mismatch(shown, build),
            scope(shown, mode, underlying),
            expired(shown, now, true),
            expired(shown, now, false),
        ];
        answers.map(Answer::refuses)
    };
    grants.into_iter().min_by_key(wrong).unwrap_or(Presented::Missing)
}

fn is_in_force(grant: &Grant, now: UnixNanos) -> bool {
    grant.terms.not_before <= now && now < grant.terms.not_after
}

fn is_leaving(grant: &Grant, now: UnixNanos) -> bool {
    grant.terms.not_after <= now && grant.terms.exit_until.is_some_and(|until| now < until)
}

fn is_in_scope(grant: &Grant, mode: ExecutionMode, underlying: Symbol) -> bool {
    grant.terms.modes.contains(&mode) && grant.terms.symbols.contains(&underlying)
}

/// What can be said of a grant, and cannot be known without one. Of one that does not verify it is said by what it claims: it refuses
/// anyway, and a person sees whether anything else is wrong with it.
fn of_good(grant: Shown<'_, Grant>, holds: impl FnOnce(&Grant) -> bool) -> Answer {
    match grant {
        Shown::Good(grant) | Shown::Unusable { claims: Some(grant) } => Answer::of(holds(grant)),
        Shown::Missing | Shown::Unknown | Shown::Unusable { claims: None } => Answer::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer::{DoesNotHold, Holds, Unknown};
    use crate::tests::fixture::{World, grant_file, now, root, symbol, terms};
    use agenttrader_authority::signed_file::SignedFile;
    use agenttrader_authority::trust_root::TrustRoot;
    use agenttrader_authority::verify::grant as verify;
    use agenttrader_core::reason::Reason;
    use agenttrader_core::time::Span;

    fn after(minutes: i64) -> UnixNanos {
        now().plus(Span::from_minutes(minutes))
    }

    fn grant() -> Grant {
        match World::shares().granted(|_| {}).seen.posture.grant {
            Presented::Good(verified) => verified.get().clone(),
            other => panic!("{other:?}"),
        }
    }

    fn build() -> Build {
        Build { git_sha: "a".repeat(40), build_id: String::new() }
    }

    const NONE: [Shown<'_, Grant>; 3] = [Shown::Missing, Shown::Unknown, Shown::Unusable { claims: None }];

    #[test]
    fn a_missing_grant_has_one_code() {
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
    fn bytes_that_are_no_grant_are_invalid_and_say_nothing_else() {
        let file = SignedFile { text: "{}".to_owned(), ..grant_file(terms(), &["ann", "bob"]) };
        let world = World::shares().with(|seen| seen.posture.grant = verify(&file, &root(), now()));
        assert_eq!(world.answer(Reason::UnlockMissing), DoesNotHold);
        assert_eq!(world.answer(Reason::UnlockInvalid), Holds);
        let rest = [Reason::UnlockInvalid, Reason::UnlockExpired, Reason::UnlockScope, Reason::BuildMismatch];
        assert_eq!(world.other_reasons(), rest);
    }

    #[test]
    fn a_grant_that_too_few_signed_or_that_this_build_does_not_trust_is_invalid_alone() {
        let good = grant_file(terms(), &["ann", "bob"]);
        for (file, root) in [
            (grant_file(terms(), &["ann"]), root()),
            (SignedFile { revoked: true, ..good.clone() }, root()),
            (good, TrustRoot::draft()),
        ] {
            let world = World::shares().with(|seen| seen.posture.grant = verify(&file, &root, now()));
            world.refused_for(Reason::UnlockInvalid);
            assert!(world.seen.in_force().limits == world.seen.limits);
        }
    }

    #[test]
    fn what_only_a_grant_says_is_unknown_without_one() {
        for none in NONE {
            assert_eq!(expired(none, now(), true), Unknown);
            assert_eq!(scope(none, ExecutionMode::Paper, symbol("SPY")), Unknown);
            assert_eq!(build_mismatch(none, &build()), Unknown);
        }
        assert_eq!(NONE.map(invalid), [Unknown, Unknown, Holds]);
        assert_eq!(NONE.map(missing), [Holds, Unknown, DoesNotHold]);
        let good = grant();
        assert_eq!((missing(Shown::Good(&good)), invalid(Shown::Good(&good))), (DoesNotHold, DoesNotHold));
    }

    #[test]
    fn it_holds_from_its_first_instant_to_before_its_last_and_then_lets_out() {
        let good = grant();
        let just_before = |at: UnixNanos| UnixNanos::from_nanos(at.nanos() - 1);
        for (now, opening, reducing) in [
            (just_before(after(-60)), Holds, Holds),
            (after(-60), DoesNotHold, DoesNotHold),
            (just_before(after(60)), DoesNotHold, DoesNotHold),
            (after(60), Holds, DoesNotHold),
            (just_before(after(120)), Holds, DoesNotHold),
            (after(120), Holds, Holds),
        ] {
            assert_eq!(expired(Shown::Good(&good), now, false), opening, "{now}");
            assert_eq!(expired(Shown::Good(&good), now, true), reducing, "{now}");
        }
        let mut no_exit = grant();
        no_exit.terms.exit_until = None;
        assert_eq!(expired(Shown::Good(&no_exit), after(60), true), Holds);
    }

    #[test]
    fn it_ends_when_what_it_lets_pass_ends() {
        let good = grant();
        assert_eq!(ends(Shown::Good(&good), after(30)), after(60));
        assert_eq!(ends(Shown::Good(&good), after(90)), after(120));
        for none in NONE {
            assert_eq!(ends(none, now()), now());
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
        assert_eq!(build_mismatch(Shown::Missing, &unknown), Holds);
    }

    #[test]
    fn of_several_grants_the_one_that_fits_is_looked_at_and_they_never_add_up() {
        let of = |change: fn(&mut agenttrader_authority::grant::GrantPredicate)| {
            let mut terms = terms();
            change(&mut terms);
            verify(&grant_file(terms, &["ann", "bob"]), &root(), now())
        };
        let spy = || of(|_| {});
        let qqq = || of(|terms| terms.symbols = vec![symbol("QQQ")]);
        let over = || of(|terms| (terms.not_before, terms.not_after) = (after(-120), after(-30)));
        let shadow = || of(|terms| terms.modes = vec![ExecutionMode::Shadow]);
        let forged = || verify(&grant_file(terms(), &["bob"]), &root(), now());
        let best = |grants| least_in_the_way(grants, now(), ExecutionMode::Paper, symbol("SPY"), &build());
        assert_eq!(best(vec![]), Presented::Missing);
        for others in [[qqq(), over()], [forged(), shadow()], [over(), forged()]] {
            let [first, last] = others.clone();
            assert_eq!(best(vec![first, spy(), last]), spy());
            // Without it nothing that the others say together lets the order pass.
            let world = World::shares().with(|seen| seen.posture.grant = best(others.to_vec()));
            assert!(!world.other_reasons().is_empty());
        }
        assert_eq!(best(vec![forged(), over()]), over());
    }
}
