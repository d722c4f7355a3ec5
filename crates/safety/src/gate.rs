//! The gate: from facts to reasons, from reasons to a verdict. It alone makes an [`Accepted`].

use crate::answer::Answer;
use crate::controls::{approval, delegation, unlock};
use crate::facts::{Facts, facts};
use crate::seen::Seen;
use agenttrader_authority::presented::Shown;
use agenttrader_core::decision::{Decision, Delegated, Outcome};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::REPO_ID;
use agenttrader_core::order::Order;
use agenttrader_core::proposal::{Proposal, derived_id};
use agenttrader_core::reason::Reason;
use agenttrader_core::time::{Span, UnixNanos};
use serde_json::{Value, json};
use uuid::Uuid;

/// From the input that was judged to the redeemed permit; the world the gate saw is no older than this when the order leaves.
pub const SEND_DEADLINE: Span = Span::from_millis(250);

/// The gate's answer to one proposal: for the records, and for the sender.
#[derive(Debug)]
#[must_use = "a decision that is not recorded was not made"]
pub struct Judged {
    /// What is recorded.
    pub decision: Decision,
    /// What may be done.
    pub verdict: Verdict,
}

/// Whether the order may go on its way.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one a proposal, handed on by value: a box would only hide the order")]
pub enum Verdict {
    /// Every code is known not to hold.
    Accept(Accepted),
    /// At least one holds or cannot be known; the decision lists them.
    Refuse,
}

/// An order against which nothing stands. Owns the order; only [`judge`] makes one, and only `permit` opens it.
#[derive(Debug)]
#[must_use = "an accepted order goes to `permit` or is dropped by name"]
pub struct Accepted {
    order: Order,
    decision_id: Uuid,
    correlation_id: Uuid,
    log_origin: String,
    accepted_at: UnixNanos,
    until: UnixNanos,
}

/// What an [`Accepted`] was, inside this crate.
#[derive(Debug)]
pub(crate) struct Released {
    pub(crate) order: Order,
    pub(crate) log_origin: String,
    pub(crate) accepted_at: UnixNanos,
    pub(crate) until: UnixNanos,
}

impl Accepted {
    /// The payload of the `order_intent` record; a receipt of exactly this opens the way to a permit.
    pub fn intent(&self) -> Value {
        json!({
            "client_order_id": self.order.client_order_id,
            "correlation_id": self.correlation_id,
            "decision_id": self.decision_id,
            "order": self.order,
            "proposal_digest": self.order.proposal_digest,
            "proposal_id": self.order.proposal_id,
            "send_before_utc": self.until,
        })
    }

    /// Ties the intent's record to its story.
    pub const fn correlation_id(&self) -> Uuid {
        self.correlation_id
    }

    /// The proposal whose order this is.
    pub const fn proposal_id(&self) -> Uuid {
        self.order.proposal_id
    }

    /// First instant, in venue time, at which the order can no longer be sent.
    pub const fn until(&self) -> UnixNanos {
        self.until
    }

    pub(crate) fn release(self) -> Released {
        let Self { order, log_origin, accepted_at, until, .. } = self;
        Released { order, log_origin, accepted_at, until }
    }
}

/// Every reason that holds or cannot be known, in the order of [`Reason::ALL`], without those that another one's cause silences.
pub fn reasons(facts: &Facts) -> Vec<Reason> {
    Reason::ALL
        .into_iter()
        .filter(|reason| facts.answer(*reason).refuses())
        .filter(|reason| !silencers(*reason).iter().any(|silencer| facts.answer(*silencer).refuses()))
        .collect()
}

/// The codes whose cause makes this one say nothing more.
pub const fn silencers(reason: Reason) -> &'static [Reason] {
    match reason {
        Reason::UnlockInvalid | Reason::UnlockExpired | Reason::BuildMismatch => &[Reason::UnlockMissing],
        Reason::UnlockScope => &[Reason::UnlockMissing, Reason::ProposalMalformed],
        Reason::MarketdataStale => &[Reason::MarketdataMissing, Reason::ProposalMalformed],
        Reason::ApprovalInvalid => &[Reason::ApprovalMissing, Reason::ProposalMalformed],
        // These read the proposal: its symbol, its order, its id, its times.
        Reason::MarketdataMissing
        | Reason::ProposalExpired
        | Reason::ProposalDuplicate
        | Reason::ApprovalMissing
        | Reason::SymbolNotAllowed
        | Reason::SymbolRestricted
        | Reason::SymbolHalted
        | Reason::ExpiryCutoff
        | Reason::SymbolUnreconciled
        | Reason::OrderQty
        | Reason::OrderNotional
        | Reason::PriceCollar
        | Reason::OrderDuplicate
        | Reason::PositionLimit
        | Reason::Concentration
        | Reason::GrossExposure
        | Reason::RepeatExecution
        | Reason::DailyOrders
        | Reason::DailyNotional
        | Reason::SelfTrade
        | Reason::BuyingPower
        | Reason::VolatilityGuard => &[Reason::ProposalMalformed],
        // These look at the posture, the session, the sender and the account. Some excuse a reducing order; a malformed proposal asks for
        // no order, so nothing in it excuses.
        Reason::ExecutionDisabled
        | Reason::AgentModeNotExecute
        | Reason::KillSwitch
        | Reason::StateNotReady
        | Reason::UnlockMissing
        | Reason::MarketClosed
        | Reason::SignatureInvalid
        | Reason::AgentUnknown
        | Reason::ProposalMalformed
        | Reason::AccountRestricted
        | Reason::OpenOrders
        | Reason::OrderRate
        | Reason::DailyLoss
        | Reason::Drawdown
        | Reason::AuditUnavailable => &[],
    }
}

/// Judges one proposal before the world as `seen`. Pure: the same two give the same decision, byte for byte.
pub fn judge(proposal: &Proposal, seen: &Seen) -> Judged {
    let seen = &*seen.in_force();
    let mut facts = facts(proposal, seen);
    let snapshot = serde_json::to_value(seen);
    if snapshot.is_err() {
        // A decision that cannot be written down is none.
        facts.audit_unavailable = Answer::Unknown;
    }
    let reason_codes = reasons(&facts);
    let order = proposal.order().ok();
    let proposal_digest = order.as_ref().map_or_else(|| digest_of(proposal), |order| order.proposal_digest);
    let agent_name = &seen.decider.agent_name;
    let decision_id = derived_id(&[b"decision", proposal_digest.as_bytes(), agent_name.as_bytes()]);
    let accepted = order.clone().filter(|_| reason_codes.is_empty()).map(|order| Accepted {
        until: sendable_until(&order, seen, facts.delegation.as_ref()),
        order,
        decision_id,
        correlation_id: proposal.correlation_id,
        log_origin: format!("agenttrader/{REPO_ID}/{agent_name}"),
        accepted_at: seen.at,
    });
    let decision = Decision {
        decision_id,
        proposal_id: proposal.proposal_id,
        correlation_id: proposal.correlation_id,
        agent_identity: seen.decider.clone(),
        decision: if accepted.is_some() { Outcome::Accept } else { Outcome::Refuse },
        reason_codes,
        recommended_order: order,
        safety_snapshot: snapshot.unwrap_or(Value::Null),
        limits: facts.limits,
        decided_at_utc: seen.at,
        proposal_digest,
        delegation: facts.delegation,
    };
    Judged { decision, verdict: accepted.map_or(Verdict::Refuse, Verdict::Accept) }
}

/// The digest of a body; of its plain JSON where an indicator has no canonical form.
fn digest_of(proposal: &Proposal) -> Digest {
    proposal.digest().unwrap_or_else(|_| Digest::of(&serde_json::to_vec(proposal).unwrap_or_default()))
}

/// First instant, in venue time, at which something that let the order pass no longer does by time alone.
fn sendable_until(order: &Order, seen: &Seen, delegated: Option<&Delegated>) -> UnixNanos {
    let deadline = seen.at.plus(SEND_DEADLINE).min(order.valid_until_utc);
    let (grant, approval) = (seen.posture.grant.shown(), seen.approval.shown());
    // What people sign expires by the latest of several clocks: the same distance ahead of venue time then as now.
    let by_signed_clock = |end: UnixNanos| seen.at.plus(end.since(seen.signed_files_now));
    let granted = by_signed_clock(unlock::ends(grant, seen.signed_files_now));
    let approved = match (delegated, approval, grant) {
        (Some(delegated), Shown::Missing | Shown::Unknown, Shown::Good(grant)) => {
            delegation::ends(delegated, seen.at, &grant.terms.delegation)
        }
        _ => by_signed_clock(approval::ends(approval)),
    };
    deadline.min(granted).min(approved)
}

#[cfg(test)]
mod tests;
