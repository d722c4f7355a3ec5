//! `agenttrader audit checkpoint`: the latest checkpoints, to look at or to keep elsewhere.

use super::{key_of, not_there, place, place_and_agent, uncommitted, unread};
use crate::cli::audit::CheckpointArgs;
use crate::output::{Done, Exit, Failure, data, json, raw};
use crate::settings::Settings;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_core::time::UnixNanos;
use agenttrader_floor::plain::plain;
use agenttrader_governance::committed::Committed;
use agenttrader_governance::cosigned::cosigned;
use agenttrader_governance::place::PlacedLog;
use serde_json::json;

/// One log's latest checkpoint.
struct Latest {
    checkpoint: SignedCheckpoint,
    /// Where the key is from that verifies it; none where there is none of this log.
    keys_from: Option<String>,
    /// The latest one that a witness signed.
    cosigned: Option<SignedCheckpoint>,
}

impl Latest {
    /// The one to keep: cosigned where there is one.
    fn to_keep(&self) -> &SignedCheckpoint {
        self.cosigned.as_ref().unwrap_or(&self.checkpoint)
    }

    /// Whose cosignatures the one to keep bears, with their times.
    fn witnesses(&self) -> Vec<(String, UnixNanos)> {
        let lines = self.cosigned.iter().flat_map(|cosigned| cosigned.note().signatures());
        let time = |seconds| i64::try_from(seconds).ok().map(UnixNanos::from_seconds);
        lines.filter_map(|line| Some((line.name.clone(), time(line.seconds()?)?))).collect()
    }
}

/// Prints them.
pub fn run(settings: &Settings, arguments: &CheckpointArgs) -> Done {
    let (word, agent) = place_and_agent(&arguments.words)?;
    let place = place(word, settings)?;
    let logs = match agent {
        Some(agent) => vec![place.log(Some(agent)).map_err(|error| not_there(&error))?],
        None => place.logs().map_err(|error| not_there(&error))?,
    };
    let mut latest = Vec::new();
    for log in &logs {
        latest.extend(of_log(log)?);
    }
    if latest.is_empty() {
        return Err(Failure::new(Exit::CouldNot, "no log here has a checkpoint yet"));
    }
    if arguments.export {
        for (place, one) in latest.iter().enumerate() {
            // A blank line between two notes, none after the last: one alone is a note as it stands.
            let between = if place == 0 { "" } else { "\n" };
            raw(format!("{between}{}", one.to_keep()).as_bytes());
        }
    } else if arguments.json {
        json(&latest.iter().map(shown).collect::<Vec<_>>());
    } else {
        latest.iter().for_each(show);
    }
    Ok(Exit::Good)
}

fn of_log(log: &PlacedLog) -> Result<Option<Latest>, Failure> {
    let Some(committed) = Committed::now(&log.files).map_err(|error| uncommitted(&error, log))? else {
        return Ok(None);
    };
    let checkpoint = committed.checkpoint().clone();
    let key = key_of(log, &committed)?;
    if let Some((key, _)) = &key {
        checkpoint.verify(key).map_err(|error| unread(&error, true, log))?;
    }
    let cosigned = match &key {
        Some((key, _)) => cosigned(log, committed.agent_name(), key).map_err(|error| unread(&error, true, log))?,
        None => None,
    };
    Ok(Some(Latest { checkpoint, keys_from: key.map(|(_, from)| from), cosigned }))
}

fn shown(latest: &Latest) -> serde_json::Value {
    let checkpoint = &latest.checkpoint.checkpoint;
    let witnesses: Vec<_> =
        latest.witnesses().into_iter().map(|(name, at)| json!({"name": name, "at_utc": at})).collect();
    json!({
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.to_string(),
        "signature_verified": latest.keys_from.is_some(),
        "note": latest.checkpoint.to_string(),
        "cosigned": latest.cosigned.as_ref().map(|cosigned| json!({
            "size": cosigned.checkpoint.size,
            "root": cosigned.checkpoint.root.to_string(),
            "witnesses": witnesses,
            "note": cosigned.to_string(),
        })),
    })
}

fn show(latest: &Latest) {
    let checkpoint = &latest.checkpoint.checkpoint;
    data(&plain(&checkpoint.origin));
    data(&format!("  size      {} entries", checkpoint.size));
    data(&format!("  root      {}", checkpoint.root));
    match &latest.keys_from {
        Some(from) => data(&format!("  signed    by the log's key ({})", plain(from))),
        None => data("  signed    not verified: there is no key of this log here"),
    }
    match &latest.cosigned {
        None => data("  cosigned  by nobody"),
        Some(cosigned) => {
            for (name, at) in latest.witnesses() {
                data(&format!("  cosigned  {} entries, by {} at {at}", cosigned.checkpoint.size, plain(&name)));
            }
        }
    }
}
