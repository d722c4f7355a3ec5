//! What one record says in the story of a proposal, and where the proposal stands after all of them.

use crate::body::{self, ProposalState};
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_core::reason::Reason;
use agenttrader_core::time::UnixNanos;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The account of orders that were never sent.
pub(crate) const SHADOW: &str = "SHADOW";

/// Characters of the longest order status.
const STATUS_LONGEST: usize = 32;

/// What a record says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Proposal {
        proposal_id: Uuid,
        created: UnixNanos,
        valid_until: UnixNanos,
    },
    Decision {
        decision_id: Uuid,
        proposal_id: Uuid,
        decided: UnixNanos,
        answer: Answer,
    },
    Order {
        proposal_id: Uuid,
    },
    Fill {
        proposal_id: Uuid,
        is_shadow: bool,
    },
    /// Of another kind, or with a payload that does not fit: shown among the events.
    Other,
}

/// A decision in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    /// No reason but the missing approval.
    ApprovalMissing,
    /// Only reasons that people lift.
    PostureAlone,
    Refused,
}

/// What is known of a proposal. Records may come in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// Numbers of the records held.
    pub(crate) records: BTreeSet<u64>,
    /// The proposal's record.
    pub(crate) proposal: Option<u64>,
    valid_until: Option<UnixNanos>,
    /// The first decision.
    pub(crate) decision: Option<Decided>,
    /// The order's last update.
    pub(crate) order: Option<u64>,
    /// Fills, oldest first.
    pub(crate) fills: BTreeSet<u64>,
    executed: bool,
}

/// A decision in a story.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided {
    pub(crate) decision_id: Uuid,
    pub(crate) number: u64,
    answer: Answer,
}

#[derive(Deserialize)]
struct OrderUpdate {
    proposal_id: Uuid,
    status: String,
}

#[derive(Deserialize)]
struct Fill {
    proposal_id: Uuid,
    account: String,
}

/// Reads what a record says. Nothing in a payload is fatal.
pub(crate) fn part(record: &Record) -> Part {
    let of = |name: &str| record.intent_payload.get(name).cloned().unwrap_or(Value::Null);
    match record.intent_type {
        IntentType::OrderProposal => proposal(of("proposal")),
        IntentType::ExecutionDecision => decision(of("decision")),
        IntentType::OrderUpdate => match serde_json::from_value::<OrderUpdate>(of("order")) {
            Ok(update) if update.status.len() <= STATUS_LONGEST => {
                Some(Part::Order { proposal_id: update.proposal_id })
            }
            Ok(_) | Err(_) => None,
        },
        IntentType::Fill => serde_json::from_value::<Fill>(of("fill"))
            .ok()
            .map(|fill| Part::Fill { proposal_id: fill.proposal_id, is_shadow: fill.account == SHADOW }),
        _ => None,
    }
    .unwrap_or(Part::Other)
}

fn proposal(value: Value) -> Option<Part> {
    let body: body::Proposal = serde_json::from_value(value).ok()?;
    Some(Part::Proposal {
        proposal_id: body.proposal_id,
        created: UnixNanos::parse(&body.created_at_utc).ok()?,
        valid_until: UnixNanos::parse(&body.constraints.valid_until_utc).ok()?,
    })
}

fn decision(value: Value) -> Option<Part> {
    let body: body::Decision = serde_json::from_value(value).ok()?;
    Some(Part::Decision {
        decision_id: body.decision_id,
        proposal_id: body.proposal_id,
        decided: UnixNanos::parse(&body.decided_at_utc).ok()?,
        answer: Answer::of(body.decision, &body.reason_codes),
    })
}

impl Answer {
    fn of(verdict: body::Verdict, reason_codes: &[String]) -> Self {
        let is_posture = |code: &String| Reason::parse(code).is_some_and(Reason::is_posture);
        match (verdict, reason_codes) {
            (body::Verdict::Accept, []) => Self::Accepted,
            // An answer that contradicts itself counts as a refusal.
            (body::Verdict::Accept, [_, ..]) | (body::Verdict::Refuse, []) => Self::Refused,
            (body::Verdict::Refuse, [only]) if only == Reason::ApprovalMissing.as_str() => Self::ApprovalMissing,
            (body::Verdict::Refuse, codes) if codes.iter().all(is_posture) => Self::PostureAlone,
            (body::Verdict::Refuse, _) => Self::Refused,
        }
    }
}

impl Story {
    /// Takes in what record `number` says. The first proposal and the first decision stand.
    pub(crate) fn take(&mut self, number: u64, part: &Part) {
        self.records.insert(number);
        match part {
            Part::Proposal { valid_until, .. } => {
                self.proposal.get_or_insert(number);
                self.valid_until.get_or_insert(*valid_until);
            }
            Part::Decision { decision_id, answer, .. } => {
                self.decision.get_or_insert(Decided { decision_id: *decision_id, number, answer: *answer });
            }
            Part::Order { .. } => self.order = Some(number),
            Part::Fill { is_shadow, .. } => {
                self.fills.insert(number);
                self.executed |= !is_shadow;
            }
            Part::Other => {}
        }
    }

    /// Where the proposal stands at that venue time.
    pub(crate) fn state(&self, now: Option<UnixNanos>) -> ProposalState {
        let is_over = matches!((now, self.valid_until), (Some(now), Some(until)) if now >= until);
        match self.decision.map(|decided| decided.answer) {
            _ if self.executed => ProposalState::Executed,
            Some(Answer::Accepted) => ProposalState::Approved,
            Some(Answer::PostureAlone) => ProposalState::Shadowed,
            Some(Answer::Refused) => ProposalState::Refused,
            Some(Answer::ApprovalMissing) | None if is_over => ProposalState::Expired,
            Some(Answer::ApprovalMissing) => ProposalState::AwaitingApproval,
            None => ProposalState::Proposed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use body::Verdict::{Accept, Refuse};

    fn answer(verdict: body::Verdict, codes: &[&str]) -> Answer {
        Answer::of(verdict, &codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_refusal_is_shadowed_only_if_every_code_is_one_that_people_lift() {
        let posture: Vec<_> = Reason::ALL.into_iter().filter(|one| one.is_posture()).map(Reason::as_str).collect();
        assert_eq!(answer(Refuse, &posture), Answer::PostureAlone);
        for reason in Reason::ALL.into_iter().filter(|one| !one.is_posture()) {
            assert_eq!(answer(Refuse, &[&posture[..], &[reason.as_str()]].concat()), Answer::Refused, "{reason}");
        }
        assert_eq!(answer(Refuse, &["APPROVAL_MISSING"]), Answer::ApprovalMissing);
        assert_eq!(answer(Refuse, &["NO_SUCH_CODE"]), Answer::Refused);
        assert_eq!(answer(Accept, &[]), Answer::Accepted);
        assert_eq!((answer(Accept, &["KILL_SWITCH"]), answer(Refuse, &[])), (Answer::Refused, Answer::Refused));
    }

    #[test]
    fn the_state_follows_from_every_answer_before_and_after_the_time_ran_out() {
        use ProposalState as S;
        let at = UnixNanos::from_seconds;
        for (answer, before, after, filled) in [
            (None, S::Proposed, S::Expired, S::Executed),
            (Some(Answer::Accepted), S::Approved, S::Approved, S::Executed),
            (Some(Answer::ApprovalMissing), S::AwaitingApproval, S::Expired, S::Executed),
            (Some(Answer::PostureAlone), S::Shadowed, S::Shadowed, S::Executed),
            (Some(Answer::Refused), S::Refused, S::Refused, S::Executed),
        ] {
            let mut story = Story::default();
            story.take(0, &Part::Proposal { proposal_id: Uuid::nil(), created: at(1), valid_until: at(10) });
            if let Some(answer) = answer {
                story.take(
                    1,
                    &Part::Decision { decision_id: Uuid::nil(), proposal_id: Uuid::nil(), decided: at(1), answer },
                );
            }
            story.take(2, &Part::Fill { proposal_id: Uuid::nil(), is_shadow: true });
            assert_eq!(story.state(None), before, "{answer:?}");
            assert_eq!(story.state(Some(at(9))), before, "{answer:?}");
            assert_eq!(story.state(Some(at(10))), after, "{answer:?}");
            story.take(3, &Part::Fill { proposal_id: Uuid::nil(), is_shadow: false });
            assert_eq!(story.state(Some(at(10))), filled, "{answer:?}");
        }
    }
}
