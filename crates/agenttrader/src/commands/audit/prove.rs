//! `agenttrader audit prove`: receipts that are checked before they are given.

use super::{not_there, place, place_and_agent, uncommitted, unproved, unread};
use crate::cli::audit::ProveArgs;
use crate::output::{Done, Exit, Failure, data, json, raw, talk};
use crate::settings::Settings;
use agenttrader_audit::merkle::{Hash, leaf_hash};
use agenttrader_audit::note::VerifierKey;
use agenttrader_audit::proof::TlogProof;
use agenttrader_audit::prove::{self, Proved};
use agenttrader_governance::committed::Committed;
use agenttrader_governance::cosigned::cosigned;
use agenttrader_governance::place::PlacedLog;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

const USAGE: &str =
    "agenttrader audit prove [PLACE] AGENT INDEX, or agenttrader audit prove --consistency OLD NEW [PLACE] AGENT";

/// Proves that an entry stands in a log, or that a log only grew.
pub fn run(settings: &Settings, arguments: &ProveArgs) -> Done {
    match arguments.consistency.as_deref() {
        Some([old, new]) => consistency(settings, arguments, *old, *new),
        _ => inclusion(settings, arguments),
    }
}

fn log(settings: &Settings, words: &[String]) -> Result<PlacedLog, Failure> {
    let (word, agent) = place_and_agent(words)?;
    place(word, settings)?.log(agent).map_err(|error| not_there(&error))
}

/// The key of a log that lies beside it.
fn key_of(log: &PlacedLog) -> Result<Option<VerifierKey>, Failure> {
    let committed = Committed::now(&log.files).map_err(|error| uncommitted(&error, log))?;
    let nothing = || Failure::new(Exit::CouldNot, format!("{} has no checkpoint yet", log.files.place()));
    Ok(super::key_of(log, &committed.ok_or_else(nothing)?)?.map(|(key, _)| key))
}

fn unsigned() {
    talk("warning: the checkpoint's signature was not verified: there is no key of this log here");
}

fn inclusion(settings: &Settings, arguments: &ProveArgs) -> Done {
    let parsed = arguments.words.split_last().and_then(|(last, before)| Some((last.parse::<u64>().ok()?, before)));
    let (index, before) = parsed.ok_or_else(|| Failure::new(Exit::CouldNot, "which entry?").hint(USAGE))?;
    let log = log(settings, before)?;
    let key = key_of(&log)?;
    // A checkpoint that a witness signed says more; it may be some entries behind.
    let cosigned = match &key {
        Some(key) => cosigned(&log, agent_of(key), key).map_err(|error| unread(&error, true, &log))?,
        None => None,
    };
    let proved = match cosigned.filter(|cosigned| index < cosigned.checkpoint.size) {
        Some(cosigned) => prove::inclusion_under(&*log.files, index, cosigned, key.as_ref()),
        None => prove::inclusion(&*log.files, index, key.as_ref()),
    };
    let Proved { entry, proof: receipt } = proved.map_err(|error| unproved(&error, &log))?;
    let text = receipt.to_string();
    // Read back as whoever gets it will read it.
    if !TlogProof::parse(text.as_bytes()).is_ok_and(|read| read.holds(&entry)) {
        return Err(Failure::new(Exit::CouldNot, "the receipt does not hold when it is read back"));
    }
    if let Some(path) = &arguments.entry {
        write_new(path, &entry)?;
    }
    if let Some(path) = &arguments.out {
        write_new(path, text.as_bytes())?;
    }
    if key.is_none() {
        unsigned();
    }
    let checkpoint = &receipt.checkpoint.checkpoint;
    match (&arguments.out, arguments.json) {
        (out, true) => json(&json!({
            "origin": checkpoint.origin,
            "index": index,
            "leaf_hash": leaf_hash(&entry).to_string(),
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
            "hashes": hashes(&receipt.hashes),
            "signature_verified": key.is_some(),
            "receipt": text,
            "out": out,
        })),
        (None, false) => raw(text.as_bytes()),
        (Some(out), false) => {
            data(&format!(
                "receipt    {}: entry {index} of {} stands in its tree of {} entries",
                out.display(),
                checkpoint.origin,
                checkpoint.size
            ));
            let data_dir = settings.data_dir.display();
            let is_usual = settings.data_dir == Path::new(".agenttrader");
            let elsewhere = if is_usual { String::new() } else { format!(" --data-dir {data_dir}") };
            if let Some(entry) = &arguments.entry {
                data(&format!("entry      {}", entry.display()));
                data(&format!(
                    "check      agenttrader audit verify --proof {} --entry {} --key \"$(agenttrader audit vkey {}{elsewhere})\"",
                    out.display(),
                    entry.display(),
                    checkpoint.origin.rsplit('/').next().unwrap_or_default()
                ));
            }
        }
    }
    Ok(Exit::Good)
}

fn consistency(settings: &Settings, arguments: &ProveArgs, old: u64, new: u64) -> Done {
    if old > new {
        return Err(Failure::new(
            Exit::CouldNot,
            format!("a log of {old} entries is not the beginning of one of {new}"),
        )
        .hint(USAGE));
    }
    let log = log(settings, &arguments.words)?;
    let key = key_of(&log)?;
    let extension =
        prove::consistency(&*log.files, old, Some(new), key.as_ref()).map_err(|error| unproved(&error, &log))?;
    if key.is_none() {
        unsigned();
    }
    let proof = hashes(&extension.hashes);
    if arguments.json {
        json(&json!({
            "place": log.files.place(),
            "old_size": old,
            "old_root": extension.old_root.to_string(),
            "new_size": new,
            "new_root": extension.new_root.to_string(),
            "hashes": proof,
            "signature_verified": key.is_some(),
        }));
        return Ok(Exit::Good);
    }
    let mut text = format!("old {old} {}\nnew {new} {}\n", extension.old_root, extension.new_root);
    for hash in &proof {
        text.push_str(hash);
        text.push('\n');
    }
    match &arguments.out {
        Some(out) => {
            write_new(out, text.as_bytes())?;
            data(&format!(
                "proof      {}: the first {new} entries at {} begin with the first {old}",
                out.display(),
                log.files.place()
            ));
        }
        None => raw(text.as_bytes()),
    }
    Ok(Exit::Good)
}

/// The agent of a log's key: the last part of its name.
fn agent_of(key: &VerifierKey) -> &str {
    key.name().rsplit('/').next().unwrap_or_default()
}

fn hashes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(ToString::to_string).collect()
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| Failure::new(Exit::CouldNot, format!("cannot write {}: {error}", path.display())))
}
