//! A person's yes: APPROVAL_MISSING, APPROVAL_INVALID.

use crate::answer::Answer;
use crate::asked::Asked;
use crate::quotes;
use agenttrader_authority::approval::Approval;
use agenttrader_authority::presented::Shown;
use agenttrader_core::digest::Digest;
use agenttrader_core::money::Money;
use agenttrader_core::price::Price;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::time::{Span, UnixNanos};
use std::collections::BTreeSet;

/// Longest an approval binds after it was signed: what the person looked at is another market then.
pub const APPROVAL_AGE_MAX: Span = Span::from_seconds(60);

/// Furthest the reference may move from what the person saw, in basis points: of shares, …
pub const DRIFT_MAX_BP_SHARES: u32 = 50;

/// … and of an option's premium, which moves further in a minute.
pub const DRIFT_MAX_BP_OPTIONS: u32 = 1_000;

/// Above this notional two people must have signed.
pub fn one_approver_max() -> Money {
    Money::from_dollars(10_000)
}

/// What an approval must bind, as it is now.
pub(crate) struct Binding<'a> {
    pub(crate) proposal_digest: Digest,
    pub(crate) proposer: &'a str,
    pub(crate) limits_digest: Option<Digest>,
    pub(crate) reference: Option<Price>,
    pub(crate) drift_max_bp: u32,
    pub(crate) notional: Option<Money>,
    /// The latest of the clocks that signed files expire by.
    pub(crate) now: UnixNanos,
}

impl<'a> Binding<'a> {
    pub(crate) fn of(proposal: &'a Proposal, asked: &Asked<'_>) -> Self {
        let Asked { order, seen, notional, .. } = *asked;
        Self {
            proposal_digest: order.proposal_digest,
            proposer: &proposal.agent_name,
            limits_digest: seen.limits.digest(),
            reference: quotes::reference_mid(order, seen),
            drift_max_bp: if order.has_options() { DRIFT_MAX_BP_OPTIONS } else { DRIFT_MAX_BP_SHARES },
            notional,
            now: seen.signed_files_now,
        }
    }
}

/// APPROVAL_MISSING. Where the grant delegates, none is needed.
pub(crate) fn missing(approval: Shown<'_, Approval>, delegated: bool) -> Answer {
    match approval {
        Shown::Missing | Shown::Unknown if delegated => Answer::DoesNotHold,
        Shown::Missing => Answer::Holds,
        Shown::Unknown => Answer::Unknown,
        Shown::Unusable { .. } | Shown::Good(_) => Answer::DoesNotHold,
    }
}

/// APPROVAL_INVALID: it does not verify, binds another proposal or other limits, is void by time or drift, or too few or the wrong people
/// signed it. Where the grant delegates none is needed, but one that was presented must be good.
pub(crate) fn invalid(approval: Shown<'_, Approval>, delegated: bool, binding: &Binding<'_>) -> Answer {
    match approval {
        Shown::Unusable { .. } => Answer::Holds,
        Shown::Missing | Shown::Unknown if delegated => Answer::DoesNotHold,
        Shown::Missing | Shown::Unknown => Answer::Unknown,
        Shown::Good(approval) => {
            let other_proposal = Answer::of(approval.proposal_digest != binding.proposal_digest);
            let other_limits = Answer::known(binding.limits_digest.map(|digest| approval.limits_digest != digest));
            other_proposal.or(other_limits).or(void(approval, binding)).or(wrong_people(approval, binding))
        }
    }
}

/// First instant at which the approval no longer binds by time; without one, the beginning of time.
pub(crate) fn ends(approval: Shown<'_, Approval>) -> UnixNanos {
    match approval {
        Shown::Good(approval) => approval.expires_at.min(first_too_old(approval)),
        Shown::Missing | Shown::Unknown | Shown::Unusable { .. } => UnixNanos::from_nanos(i64::MIN),
    }
}

fn first_too_old(approval: &Approval) -> UnixNanos {
    approval.signed_at.plus(APPROVAL_AGE_MAX).plus(Span::from_nanos(1))
}

fn void(approval: &Approval, binding: &Binding<'_>) -> Answer {
    // Signed in the future: its age cannot be known, and one clock or another is wrong.
    let from_the_future = if approval.signed_at > binding.now { Answer::Unknown } else { Answer::DoesNotHold };
    let late = Answer::of(binding.now >= approval.expires_at || binding.now >= first_too_old(approval));
    let drift_max = approval.reference_price.abs().basis_points(binding.drift_max_bp);
    let drift = binding.reference.and_then(|reference| reference.checked_sub(approval.reference_price));
    late.or(from_the_future).or(Answer::known(drift.map(|drift| drift.abs() > drift_max)))
}

fn wrong_people(approval: &Approval, binding: &Binding<'_>) -> Answer {
    let people: BTreeSet<&str> = approval.approvers.iter().map(String::as_str).collect();
    let own = people.contains(binding.proposer);
    let too_few = match people.len() {
        0 => Answer::Holds,
        1 => Answer::known(binding.notional.map(|notional| notional > one_approver_max())),
        _ => Answer::DoesNotHold,
    };
    Answer::of(own).or(too_few)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer::{DoesNotHold, Holds, Unknown};
    use crate::tests::fixture::{World, money, now, price, root};
    use agenttrader_authority::presented::Presented;
    use agenttrader_authority::verify::approval as verify;
    use agenttrader_core::reason::Reason;
    use agenttrader_people::signed_file;

    fn approval() -> Approval {
        Approval {
            sha256: Digest::of(b"file"),
            proposal_digest: Digest::of(b"proposal"),
            limits_digest: Digest::of(b"limits"),
            reference_price: price("500"),
            signed_at: now(),
            expires_at: now().plus(Span::from_minutes(15)),
            approvers: vec!["ann".to_owned()],
        }
    }

    fn binding() -> Binding<'static> {
        Binding {
            proposal_digest: Digest::of(b"proposal"),
            proposer: "gamma-strategy",
            limits_digest: Some(Digest::of(b"limits")),
            reference: Some(price("500")),
            drift_max_bp: DRIFT_MAX_BP_SHARES,
            notional: Some(money("10000")),
            now: now(),
        }
    }

    fn check(expected: Answer, change: impl FnOnce(&mut Approval, &mut Binding<'static>)) {
        let (mut approval, mut binding) = (approval(), binding());
        change(&mut approval, &mut binding);
        assert_eq!(invalid(Shown::Good(&approval), false, &binding), expected);
    }

    #[test]
    fn an_approval_of_this_proposal_under_these_limits_binds() {
        check(DoesNotHold, |_, _| {});
        check(Holds, |approval, _| approval.proposal_digest = Digest::of(b"another"));
        check(Holds, |approval, _| approval.limits_digest = Digest::of(b"others"));
        check(Unknown, |_, binding| binding.limits_digest = None);
    }

    #[test]
    fn it_is_void_by_age_and_at_its_end() {
        check(DoesNotHold, |_, binding| binding.now = now().plus(APPROVAL_AGE_MAX));
        check(Holds, |_, binding| binding.now = now().plus(APPROVAL_AGE_MAX).plus(Span::from_nanos(1)));
        check(Holds, |approval, _| approval.expires_at = now());
        check(DoesNotHold, |approval, _| approval.expires_at = now().plus(Span::from_nanos(1)));
        check(Unknown, |approval, _| approval.signed_at = now().plus(Span::from_nanos(1)));
        assert_eq!(ends(Shown::Good(&approval())), now().plus(APPROVAL_AGE_MAX).plus(Span::from_nanos(1)));
        let short = Approval { expires_at: now(), ..approval() };
        assert_eq!(ends(Shown::Good(&short)), now());
        assert!(ends(Shown::Missing) < UnixNanos::EPOCH);
    }

    #[test]
    fn it_is_void_by_drift_either_way() {
        for (reference, expected) in
            [("502.5", DoesNotHold), ("502.500000001", Holds), ("497.5", DoesNotHold), ("497.49", Holds)]
        {
            check(expected, |_, binding| binding.reference = Some(price(reference)));
        }
        check(Unknown, |_, binding| binding.reference = None);
        for (reference, expected) in [("2.2", DoesNotHold), ("2.21", Holds), ("1.8", DoesNotHold), ("1.79", Holds)] {
            check(expected, |approval, binding| {
                approval.reference_price = price("2");
                binding.drift_max_bp = DRIFT_MAX_BP_OPTIONS;
                binding.reference = Some(price(reference));
            });
        }
    }

    #[test]
    fn two_people_sign_above_ten_thousand_dollars() {
        let above = Some(money("10000.000000001"));
        check(Holds, |_, binding| binding.notional = above);
        check(Unknown, |_, binding| binding.notional = None);
        let two = |approval: &mut Approval| approval.approvers.push("bob".to_owned());
        check(DoesNotHold, |approval, binding| {
            two(approval);
            binding.notional = above;
        });
        check(DoesNotHold, |approval, binding| {
            two(approval);
            binding.notional = None;
        });
        check(Holds, |approval, binding| {
            approval.approvers.push("ann".to_owned());
            binding.notional = above;
        });
        check(Holds, |approval, _| approval.approvers.clear());
    }

    #[test]
    fn the_proposer_approves_nothing() {
        check(Holds, |approval, _| approval.approvers.push("gamma-strategy".to_owned()));
    }

    #[test]
    fn the_missing_the_unreadable_and_the_forged_do_not_approve() {
        for (shown, is_missing, is_invalid) in [
            (Shown::Missing, Holds, Unknown),
            (Shown::Unknown, Unknown, Unknown),
            (Shown::Unusable { claims: None }, DoesNotHold, Holds),
        ] {
            assert_eq!((missing(shown, false), invalid(shown, false, &binding())), (is_missing, is_invalid));
        }
        let file = signed_file(b"{}", "proposal-approval@agenttrader", &["ann"]);
        let forged = World::shares().with(|seen| seen.approval = verify(&file, &root(), now()));
        forged.refused_for(Reason::ApprovalInvalid);
        let unreadable = World::shares().with(|seen| seen.approval = Presented::Unknown);
        assert_eq!(unreadable.answer(Reason::ApprovalMissing), Unknown);
        unreadable.passes();
    }

    #[test]
    fn an_option_may_drift_further_than_a_share() {
        for (world, drift, reference) in [(World::shares(), 50, "500"), (World::straddle(), 1_000, "4")] {
            let order = world.proposal.order().unwrap();
            let binding = Binding::of(&world.proposal, &Asked::new(&order, &world.seen)).clone_figures();
            assert_eq!(binding, (drift, Some(price(reference)), world.seen.signed_files_now));
        }
    }

    impl Binding<'_> {
        fn clone_figures(&self) -> (u32, Option<Price>, UnixNanos) {
            (self.drift_max_bp, self.reference, self.now)
        }
    }
}
