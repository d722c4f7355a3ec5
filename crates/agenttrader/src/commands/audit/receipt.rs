//! `agenttrader audit verify --proof`: a receipt by itself, offline.

use crate::output::{Done, Exit, Failure, data, json};
use agenttrader_audit::checkpoint::CheckpointError;
use agenttrader_audit::merkle::leaf_hash;
use agenttrader_audit::note::{NOTE_BYTES_MOST, NoteError, VerifierKey};
use agenttrader_audit::proof::TlogProof;
use agenttrader_audit::tile::ENTRY_BYTES_MOST;
use agenttrader_floor::plain::plain;
use agenttrader_governance::bounded_file;
use serde_json::json;
use std::path::Path;

/// What a receipt cannot show, whatever it shows.
const NOT_SHOWN: &str = "that the log kept growing from there, or that its other entries are unaltered: verify the log, or compare with a \
                         later checkpoint; what was never logged; a whole machine rolled back after this checkpoint; whose the key is: \
                         compare it with one that reached you another way";

/// What a receipt comes to.
enum Verdict {
    Good,
    Bad(String),
    /// No usable key verifies it.
    NoKey(String),
}

/// Checks a receipt, its entry and the log's signature; cosignatures of the witnesses whose keys are given.
pub fn verify(proof: &Path, entry: &Path, key: &str, witness_keys: &[VerifierKey], as_json: bool) -> Done {
    let key = VerifierKey::parse(key).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    let text = read(proof, NOTE_BYTES_MOST * 2)?;
    let entry = read(entry, ENTRY_BYTES_MOST + 1)?;
    let parsed = match TlogProof::parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => return Err(Failure::of(Exit::Bad, &error)),
    };
    // A line of an exported log ends with a line end that is not the entry's.
    let line = entry.strip_suffix(b"\n").unwrap_or(&entry);
    let stands = [entry.as_slice(), line].into_iter().find(|entry| parsed.holds(entry));
    let verdict = match (parsed.checkpoint.verify(&key), stands) {
        (Err(error @ CheckpointError::Note(NoteError::BadSignature { .. })), _) => Verdict::Bad(error.to_string()),
        (_, None) => Verdict::Bad("this entry does not stand there under the checkpoint's root".to_owned()),
        (Err(error), Some(_)) => Verdict::NoKey(error.to_string()),
        (Ok(_), Some(_)) => Verdict::Good,
    };
    let witnesses =
        witness_keys.iter().map(|key| (key, parsed.checkpoint.note().signed_by(key).map(|line| line.seconds())));
    let witnesses: Vec<_> = witnesses.collect();
    let bad_witness = witnesses.iter().find_map(|(_, signed)| signed.as_ref().err().map(ToString::to_string));
    let verdict = match (verdict, bad_witness) {
        (Verdict::Good, Some(why)) => Verdict::Bad(why),
        (verdict, _) => verdict,
    };
    let known =
        |line: &agenttrader_audit::note::SignatureLine| key.made(line) || witness_keys.iter().any(|key| key.made(line));
    let unchecked = parsed.checkpoint.note().signatures().iter().filter(|line| !known(line)).count();
    let checkpoint = &parsed.checkpoint.checkpoint;
    let (word, exit, why) = match &verdict {
        Verdict::Good => ("GOOD", Exit::Good, None),
        Verdict::Bad(why) => ("BAD", Exit::Bad, Some(why)),
        Verdict::NoKey(why) => ("NO USABLE KEY", Exit::CouldNot, Some(why)),
    };
    if as_json {
        json(&json!({
            "verdict": match exit { Exit::Good => "good", Exit::Bad => "bad", _ => "no_usable_key" },
            "why": why,
            "origin": checkpoint.origin,
            "index": parsed.index,
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
            "leaf_hash": leaf_hash(stands.unwrap_or(&entry)).to_string(),
            "stands_in_the_tree": stands.is_some(),
            "witnesses_verified": witnesses.iter().filter(|(_, signed)| signed.is_ok()).map(|(key, _)| key.name()).collect::<Vec<_>>(),
            "signatures_not_checked": unchecked,
            "cannot_show": NOT_SHOWN,
        }));
        return Ok(exit);
    }
    data(&format!("log        {}", plain(&checkpoint.origin)));
    data(&format!(
        "entry      {} of {}, leaf hash {}",
        parsed.index,
        checkpoint.size,
        leaf_hash(stands.unwrap_or(&entry))
    ));
    data(&format!("root       {}", checkpoint.root));
    if unchecked > 0 {
        data(&format!("signers    {unchecked} more, not checked: name a witness's key with --witness-key"));
    }
    match why {
        None => data(&format!("verdict    {word}: the entry stands in that tree, signed by {key}")),
        Some(why) => data(&format!("verdict    {word}: {}", plain(why))),
    }
    data(&format!("not shown  {NOT_SHOWN}"));
    Ok(exit)
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure::new(Exit::CouldNot, format!("cannot read {}: {why}", path.display()));
    bounded_file::read(path, most as u64).map_err(|error| failed(error.to_string()))
}
