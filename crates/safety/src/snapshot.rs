//! How signed files stand in a decision's snapshot: one word where there is none, else what it says or why it is of no use.

use agenttrader_authority::approval::Approval;
use agenttrader_authority::grant::Grant;
use agenttrader_authority::presented::Presented;
use serde::Serializer;
use serde_json::{Value, json};

pub(crate) fn grant<S: Serializer>(presented: &Presented<Grant>, serializer: S) -> Result<S::Ok, S::Error> {
    written(presented, serializer, |grant| {
        json!({
            "sha256": grant.sha256,
            "unlock_id": grant.terms.unlock_id,
            "modes": grant.terms.modes,
            "symbols": grant.terms.symbols,
            "limits": grant.terms.limits,
            "git_commit": grant.git_commit,
            "not_before": grant.terms.not_before,
            "not_after": grant.terms.not_after,
            "exit_until": grant.terms.exit_until,
            "signed_by": grant.signed_by,
        })
    })
}

pub(crate) fn approval<S: Serializer>(presented: &Presented<Approval>, serializer: S) -> Result<S::Ok, S::Error> {
    written(presented, serializer, |approval| {
        json!({
            "sha256": approval.sha256,
            "proposal_digest": approval.proposal_digest,
            "limits_digest": approval.limits_digest,
            "reference_price": approval.reference_price,
            "signed_at": approval.signed_at,
            "expires_at": approval.expires_at,
            "approvers": approval.approvers,
        })
    })
}

fn written<T, S: Serializer>(
    presented: &Presented<T>,
    serializer: S,
    said: impl FnOnce(&T) -> Value,
) -> Result<S::Ok, S::Error> {
    let word = presented.word();
    match presented {
        Presented::Missing | Presented::Unknown => serializer.serialize_str(word),
        Presented::Unusable { why, .. } => serializer.collect_map([(word, Value::from(why.reason()))]),
        Presented::Good(verified) => serializer.collect_map([(word, said(verified.get()))]),
    }
}
