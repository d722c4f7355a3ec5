//! `agenttrader audit show`: one record whole, with its payload and the proof of its place.

use super::{key_of, not_there, place, uncommitted, unproved, unread_record};
use crate::cli::audit::ShowArgs;
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_audit::merkle::{Hash, leaf_hash};
use agenttrader_audit::proof::TlogProof;
use agenttrader_audit::prove::{self, Proved};
use agenttrader_audit::read::{self, PAYLOAD_BYTES_MOST, Position};
use agenttrader_audit::record::Record;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::is_agent_name;
use agenttrader_floor::plain::plain;
use agenttrader_governance::committed::Committed;
use agenttrader_governance::place::PlacedLog;
use agenttrader_governance::records::{RecordError, record_of};
use serde_json::{Value, json};
use uuid::Uuid;

/// Which record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which<'words> {
    At { agent: Option<&'words str>, index: u64 },
    Intent(Uuid),
}

/// One record, found.
struct Found {
    log: PlacedLog,
    origin: String,
    record: Record,
    leaf: Hash,
    covered: Option<Covered>,
}

/// The checkpoint that covers it.
struct Covered {
    proof: TlogProof,
    /// The key that verifies its signature, and where that is from; none where no key of the log is known.
    signed_by: Option<(String, String)>,
}

/// Shows it.
pub fn run(settings: &Settings, arguments: &ShowArgs) -> Done {
    let (word, which) = which(&arguments.words)?;
    let place = place(word, settings)?;
    let found = match which {
        Which::At { agent, index } => at(place.log(agent).map_err(|error| not_there(&error))?, index)?,
        Which::Intent(id) => place
            .logs()
            .map_err(|error| not_there(&error))?
            .into_iter()
            .find_map(|log| by_intent(log, id).transpose())
            .unwrap_or_else(|| Err(Failure::new(Exit::CouldNot, format!("no record of intent {id} here"))))?,
    };
    let payload = payload(&found)?;
    if arguments.json {
        show_json(&found, &payload)
    } else {
        show(&found, &payload)
    }
    Ok(if matches!(payload, Payload::Differs(_)) { Exit::Bad } else { Exit::Good })
}

/// Place and record out of words.
fn which(words: &[String]) -> Result<(Option<&str>, Which<'_>), Failure> {
    let wrong = |word: &str| {
        Failure::new(Exit::CouldNot, format!("`{word}` is neither a place in a log, counted from 0, nor an intent id"))
            .hint("agenttrader audit show [PLACE] (AGENT INDEX | INTENT_ID)")
    };
    let Some((last, before)) = words.split_last() else { return Err(wrong("")) };
    if let Ok(index) = last.parse::<u64>() {
        let (place, agent) = super::place_and_agent(before)?;
        return Ok((place, Which::At { agent, index }));
    }
    match (last.parse::<Uuid>(), before) {
        (Ok(id), []) => Ok((None, Which::Intent(id))),
        (Ok(id), [place]) => Ok((Some(place), Which::Intent(id))),
        (Ok(_), _) => {
            Err(Failure::new(Exit::CouldNot, "an intent id is looked for in all logs: name no agent with it"))
        }
        (Err(_), _) if is_agent_name(last) && before.is_empty() => {
            Err(Failure::new(Exit::CouldNot, format!("which record of {last}?"))
                .hint(format!("agenttrader audit show {last} 0")))
        }
        (Err(_), _) => Err(wrong(last)),
    }
}

/// The record at a place of a log.
fn at(log: PlacedLog, index: u64) -> Result<Found, Failure> {
    let committed = Committed::now(&log.files).map_err(|error| uncommitted(&error, &log))?;
    if let Some(committed) = committed.filter(|committed| index < committed.size()) {
        let key = key_of(&log, &committed)?;
        let proved = prove::inclusion(&*log.files, index, key.as_ref().map(|(key, _)| key));
        let Proved { entry, proof } = proved.map_err(|error| unproved(&error, &log))?;
        let record = record_of(index, &entry).map_err(|error| unread_record(&error, &log))?;
        let signed_by = key.map(|(key, from)| (key.to_string(), from));
        return Ok(Found {
            origin: proof.checkpoint.checkpoint.origin.clone(),
            leaf: leaf_hash(&entry),
            covered: Some(Covered { proof, signed_by }),
            record,
            log,
        });
    }
    let record = match (&log.data_dir, &log.agent_name) {
        (Some(data_dir), Some(agent)) if read::exists(data_dir, agent) => {
            read::records_from(data_dir, agent, Position::at(index))
                .and_then(|mut records| records.next().transpose())
                .map_err(|error| unread_record(&RecordError::Read(error), &log))?
        }
        _ => None,
    };
    match record {
        Some(record) => Ok(uncovered(log, record)),
        None => Err(Failure::new(Exit::CouldNot, format!("there is no record {index} in {}", log.files.place()))),
    }
}

fn uncovered(log: PlacedLog, record: Record) -> Found {
    let entry = canonical_json::of(&record).unwrap_or_default();
    Found {
        origin: format!("agenttrader/{}/{}", record.repo_id, record.agent_name),
        leaf: leaf_hash(entry.as_bytes()),
        covered: None,
        log,
        record,
    }
}

/// The record of that intent in a log, from the newest on.
fn by_intent(log: PlacedLog, id: Uuid) -> Result<Option<Found>, Failure> {
    let mut reader = agenttrader_governance::records::Reader::before_newest(&log, u64::MAX)
        .map_err(|error| unread_record(&error, &log))?;
    let mut index = None;
    let read = reader.read_on(|record| {
        if record.intent_id == id {
            index = Some(record.seq);
        }
    });
    match (index, read) {
        (Some(index), _) => at(log, index).map(Some),
        (None, Ok(())) => Ok(None),
        (None, Err(error)) => Err(unread_record(&error, &log)),
    }
}

/// A record's payload.
enum Payload {
    /// It stands in the record.
    Inside,
    /// It lies apart, and is what the record names.
    Apart { path: String, value: Value },
    /// It lies where this place cannot be asked.
    Elsewhere,
    /// It is missing, or another.
    Differs(String),
}

fn payload(found: &Found) -> Result<Payload, Failure> {
    let Some(stored) = found.record.stored_payload() else { return Ok(Payload::Inside) };
    let Some(blobs) = &found.log.blobs else { return Ok(Payload::Elsewhere) };
    let path = stored.sha256.to_string();
    let most = usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX);
    let bytes = match blobs.read(&path, most) {
        Ok(bytes) => bytes,
        Err(error) if error.is_of_content() => return Ok(Payload::Differs(error.to_string())),
        Err(error) => return Err(Failure::of(Exit::CouldNot, &error)),
    };
    let path = format!("{}/{path}", blobs.place());
    let Some(bytes) = bytes else { return Ok(Payload::Differs(format!("{path} is missing"))) };
    if bytes.len() as u64 != stored.size || Digest::of(&bytes) != stored.sha256 {
        return Ok(Payload::Differs(format!(
            "{path} is not what the record names: {} bytes, SHA-256 {}",
            bytes.len(),
            Digest::of(&bytes)
        )));
    }
    Ok(match canonical_json::parse(&bytes) {
        Ok(value) => Payload::Apart { path, value },
        Err(error) => Payload::Differs(format!("{path} is no JSON: {error}")),
    })
}

fn show_json(found: &Found, payload: &Payload) {
    let covered = found.covered.as_ref().map(|covered| {
        json!({
            "size": covered.proof.checkpoint.checkpoint.size,
            "root": covered.proof.checkpoint.checkpoint.root.to_string(),
            "inclusion_proof": covered.proof.hashes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "signature_verified_with": covered.signed_by.as_ref().map(|(key, _)| key),
        })
    });
    let (value, problem) = match payload {
        Payload::Inside => (Some(&found.record.intent_payload), None),
        Payload::Apart { value, .. } => (Some(value), None),
        Payload::Elsewhere => (None, Some("the payload's bytes are not served here")),
        Payload::Differs(why) => (None, Some(why.as_str())),
    };
    json(&json!({
        "origin": found.origin,
        "index": found.record.seq,
        "leaf_hash": found.leaf.to_string(),
        "checkpoint": covered,
        "record": found.record,
        "payload": value,
        "payload_problem": problem,
    }));
}

fn show(found: &Found, payload: &Payload) {
    data(&format!("log        {}", plain(&found.origin)));
    data(&format!("index      {}", found.record.seq));
    data(&format!("leaf hash  {}", found.leaf));
    match &found.covered {
        None => data("covered    not yet: no checkpoint reaches it, it stands in the journal alone"),
        Some(covered) => {
            let hashes = covered.proof.hashes.len();
            let checkpoint = &covered.proof.checkpoint.checkpoint;
            data(&format!(
                "covered    by the checkpoint of {} entries: {hashes} {} from the record to its root {}",
                checkpoint.size,
                if hashes == 1 { "hash leads" } else { "hashes lead" },
                checkpoint.root
            ));
            match &covered.signed_by {
                Some((key, from)) => data(&format!("signed     by {key} ({})", plain(from))),
                None => data("signed     not verified: there is no key of this log here"),
            }
        }
    }
    match payload {
        Payload::Inside => {}
        Payload::Apart { path, .. } => data(&format!("payload    {}, as the record names it", plain(path))),
        Payload::Elsewhere => data("payload    its bytes are not served here: look into the data directory"),
        Payload::Differs(why) => data(&format!("payload    DIFFERS: {}", plain(why))),
    }
    let mut record = found.record.clone();
    if let Payload::Apart { value, .. } = payload {
        record.intent_payload = value.clone();
    }
    // JSON escapes every control character; what is invisible besides is escaped here.
    let text = serde_json::to_string_pretty(&record).unwrap_or_default();
    data("");
    text.lines().for_each(|line| data(&plain(line)));
}
