//! Who signed the checkpoint, and whether the log is whose it says.

use super::Against;
use super::entry::Agent;
use super::finding::{Finding, Findings, Spot};
use super::keys::{KeysFrom, PublicKeys};
use super::report::LogReport;
use super::snapshot::Snapshot;
use crate::checkpoint::Checkpoint;
use crate::note::VerifierKey;
use agenttrader_core::identity::is_agent_name;

/// Repository and agent of an origin: `agenttrader/<repo_id>/<agent_name>`.
pub(super) fn parse_origin(origin: &str) -> Option<(&str, &str)> {
    let (repo_id, name) = origin.strip_prefix("agenttrader/")?.rsplit_once('/')?;
    (!repo_id.is_empty() && is_agent_name(name)).then_some((repo_id, name))
}

/// Whose log it says to be, which must be the one whose folder it lies in.
pub(super) fn agent_of(checkpoint: &Checkpoint, wanted: Option<&str>, findings: &mut Findings) -> Option<Agent> {
    let parsed = parse_origin(&checkpoint.origin);
    match (parsed, wanted) {
        (None, _) => {
            let why = format!("its origin `{}` is not agenttrader/<repo_id>/<agent_name>", checkpoint.origin);
            findings.push(Finding::differs(Spot::Checkpoint, why));
        }
        (Some((_, name)), Some(wanted)) if name != wanted => {
            let why = format!("it is of `{}`, and lies where {wanted}'s should", checkpoint.origin);
            findings.push(Finding::differs(Spot::Checkpoint, why));
        }
        _ => {}
    }
    parsed.map(|(repo_id, name)| Agent::new(repo_id, name))
}

/// Checks the signature: the log's line and no other. Gives the key, where there is one that can be used.
pub(super) fn check(
    snapshot: &Snapshot,
    leaf_zero: Option<&PublicKeys>,
    against: &Against<'_>,
    report: &mut LogReport,
) -> Option<VerifierKey> {
    let signed = &snapshot.signed;
    let origin = &signed.checkpoint.origin;
    let mut differs = |at: Spot, why: String| report.findings.push(Finding::differs(at, why));
    if signed.to_string().as_bytes() != snapshot.bytes {
        differs(Spot::Checkpoint, "it is not written as checkpoints are".to_owned());
    }
    let name = origin.rsplit_once('/').map_or(origin.as_str(), |(_, name)| name);
    let (mut known, public) = against.keys.of_log(origin, name);
    let from = match (known.is_empty(), against.keys.from()) {
        (false, from) => from,
        // Whoever gave keys wants no others; a data directory without the agent's keys has none to hold against the log's own word.
        (true, KeysFrom::Given) => KeysFrom::Given,
        (true, _) => {
            known.extend(leaf_zero.and_then(|keys| keys.log_key(origin)));
            KeysFrom::SelfAsserted
        }
    };
    if let (Some(public), Some(first)) = (public, leaf_zero)
        && public != first
    {
        differs(Spot::Entry(0), format!("it names other public keys than those known of {name} ({from})"));
    }
    // Of several keys of one name the one that has a line.
    let lines = signed.note().signatures();
    let key = known.iter().find(|key| lines.iter().any(|line| key.made(line))).or(known.first()).cloned()?;
    if let Some(first) = leaf_zero.and_then(|keys| keys.log_key(origin))
        && first != key
        && public.is_none()
    {
        differs(Spot::Entry(0), format!("it names another log key than the one known ({from})"));
    }
    match signed.verify(&key) {
        Err(error) => differs(Spot::Checkpoint, error.to_string()),
        Ok(_) => report.counts.signatures = report.counts.signatures.saturating_add(1),
    }
    if let Err(error) = signed.knows_all(&key, &[]) {
        report.findings.push(Finding::differs(Spot::Checkpoint, error.to_string()));
    }
    report.key = Some((key.to_string(), from));
    Some(key)
}
