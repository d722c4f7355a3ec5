//! A person's yes: APPROVAL_MISSING, APPROVAL_INVALID.

use crate::asked::Asked;
use crate::facts::Answer;
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

/// APPROVAL_MISSING.
pub(crate) fn missing(approval: Shown<'_, Approval>) -> Answer {
    match approval {
        Shown::Missing => Answer::Holds,
        Shown::Unknown => Answer::Unknown,
        Shown::Unusable | Shown::Good(_) => Answer::DoesNotHold,
    }
}

/// APPROVAL_INVALID: it does not verify, binds another proposal or other limits, is void by time or drift, or too few or the wrong people
/// signed it.
pub(crate) fn invalid(approval: Shown<'_, Approval>, binding: &Binding<'_>) -> Answer {
    match approval {
        Shown::Unusable => Answer::Holds,
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
        Shown::Missing | Shown::Unknown | Shown::Unusable => UnixNanos::from_nanos(i64::MIN),
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
