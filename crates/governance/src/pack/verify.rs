//! Judging a pack: its form, its index, and what stands beside the logs. The logs themselves are judged one by one by
//! [`agenttrader_audit::verify`].

use super::member::{ABOUT, CONFIGS, EFFECTIVE, INDEX, KEYS, Member, VKEYS, WITNESS_VKEYS};
use super::write::{configs_lines, index_line, named_payload, time_of};
use super::{About, FORMAT, Finding, Pack, PackError, PackedLog};
use crate::committed::Committed;
use crate::keyring::{Keyring, log_key, origin};
use agenttrader_agent::keys::{Agents, PublicKeys};
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::merkle;
use agenttrader_audit::note::{KeyKind, VerifierKey};
use agenttrader_audit::tile::{TILE_WIDTH, TileHashes};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::input::Configuration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What was found in a pack beside its logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// SHA-256 of the pack's file.
    pub sha256: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// Files in it.
    pub files: u64,
    /// Logs in it.
    pub logs: u64,
    /// Large payloads in it.
    pub blobs: u64,
    /// Good cosignatures of pinned witnesses.
    pub cosignatures: u64,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// What nothing in a pack can show.
pub const NOT_SHOWN: [&str; 4] = [
    "what was never logged, and what was logged after the packed checkpoints",
    "a log rolled back before any checkpoint that somebody outside keeps: compare cosigned/ and your own older checkpoints",
    "that the public keys in the pack are the agents': compare keys.json with keys that reached you another way",
    "README.md, pack.json and configuration/ are signed by nobody; index.sha256 shows accidents, not forgery",
];

/// Public keys that a pack brings.
pub(super) struct Keys {
    pub(super) keyring: Keyring,
    pub(super) witnesses: Vec<VerifierKey>,
    vkeys: String,
    witness_vkeys: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    agents: BTreeMap<String, PackedKeys>,
    witnesses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackedKeys {
    log: String,
    sign: String,
    vkey: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EffectiveFile {
    #[serde(rename = "recording_id")]
    _recording_id: uuid::Uuid,
    configuration: Configuration,
}

/// Judges a pack beside its logs. `keys` are those the auditor trusts, in the place of the pack's own.
///
/// # Errors
/// [`PackError::Io`] when the pack that was laid open cannot be read any more.
pub fn verify(pack: &Pack, keys: Option<&Keyring>, witnesses: &[VerifierKey]) -> Result<Verdict, PackError> {
    let mut findings = pack.findings.clone();
    findings.extend(index(pack)?);
    let own = match self::keys(pack) {
        Ok(own) => Some(own),
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    if let Some(own) = &own {
        for (path, text) in [(VKEYS, &own.vkeys), (WITNESS_VKEYS, &own.witness_vkeys)] {
            if text_of(pack, path)?.as_ref() != Some(text) {
                findings.push(Finding::new(path, format!("does not say what {KEYS} says")));
            }
        }
    }
    let none = Keyring::default();
    let keyring = keys.or(own.as_ref().map(|own| &own.keyring)).unwrap_or(&none);
    let pinned = if witnesses.is_empty() { own.as_ref().map_or(&[] as &[_], |own| &own.witnesses) } else { witnesses };
    let mut logs = Logs::default();
    for agent_name in pack.agents() {
        logs.read(pack, &agent_name, &mut findings);
    }
    about(pack, &logs, &mut findings)?;
    blobs(pack, &logs, &mut findings);
    configuration(pack, &mut findings)?;
    let cosignatures = cosigned(pack, keyring, pinned, &mut findings)?;
    let count = |folder: &str| pack.contents.order.iter().filter(|path| path.starts_with(folder)).count() as u64;
    let (sha256, bytes) = pack.sha256();
    let files = pack.contents.order.len() as u64;
    let logs = pack.agents().len() as u64;
    Ok(Verdict { sha256, bytes, files, logs, blobs: count("blobs/"), cosignatures, findings })
}

fn text_of(pack: &Pack, path: &str) -> Result<Option<String>, PackError> {
    let bytes = pack.read(path).map_err(|source| PackError::Io { path: PathBuf::from(path), source })?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn missing(path: &str) -> Finding {
    Finding::new(path, "is missing")
}

/// Compares the index with the files, both ways.
pub(super) fn index(pack: &Pack) -> Result<Vec<Finding>, PackError> {
    let Some(index) = text_of(pack, INDEX)? else { return Ok(vec![missing(INDEX)]) };
    let files = pack.contents.order.iter().filter(|path| *path != INDEX);
    let digest = |path: &String| pack.contents.files.get(path).map(|stored| stored.sha256);
    let wanted: String = files.clone().filter_map(|path| Some(index_line(path, digest(path)?))).collect();
    if wanted == index {
        return Ok(Vec::new());
    }
    let listed: BTreeMap<&str, &str> =
        index.lines().filter_map(|line| line.split_once("  ").map(|(digest, path)| (path, digest))).collect();
    let mut findings = Vec::new();
    for path in files {
        match (listed.get(path.as_str()), digest(path)) {
            (None, _) => findings.push(Finding::new(path, format!("does not stand in {INDEX}"))),
            (Some(listed), Some(found)) if **listed != found.to_string() => {
                findings.push(Finding::new(path, format!("has SHA-256 {found}, and {INDEX} says {listed}")));
            }
            (Some(_), _) => {}
        }
    }
    let absent = listed.keys().filter(|path| !pack.contents.files.contains_key(**path) || **path == INDEX);
    findings.extend(absent.map(|path| Finding::new(*path, format!("stands in {INDEX} and not in the pack"))));
    if findings.is_empty() {
        findings.push(Finding::new(INDEX, "is not in the form or order of a pack's"));
    }
    Ok(findings)
}

/// The pack's own public keys.
pub(super) fn keys(pack: &Pack) -> Result<Keys, Finding> {
    let wrong = |why: String| Finding::new(KEYS, why);
    let bytes = pack.read(KEYS).map_err(|error| wrong(chain(&error)))?.ok_or_else(|| missing(KEYS))?;
    let value = canonical_json::parse_within(&bytes, bytes.len()).map_err(|error| wrong(chain(&error)))?;
    let file: KeysFile = serde_json::from_value(value).map_err(|error| wrong(chain(&error)))?;
    let mut agents = Agents::new();
    let mut vkeys = String::new();
    for (agent_name, PackedKeys { log, sign, vkey }) in file.agents {
        let public = PublicKeys { log, sign };
        if log_key(&agent_name, &public).is_none_or(|key| key.to_string() != vkey) {
            return Err(wrong(format!("the verifier key of {agent_name} is not that of its log's key")));
        }
        vkeys.push_str(&format!("{vkey}\n"));
        agents.insert(agent_name, public);
    }
    let read = |vkey: &String| VerifierKey::parse(vkey).map_err(|error| wrong(chain(&error)));
    let witnesses: Vec<VerifierKey> = file.witnesses.iter().map(read).collect::<Result<_, _>>()?;
    if let Some(other) = witnesses.iter().find(|key| key.kind() != KeyKind::Cosigner) {
        return Err(wrong(format!("{other} is no witness's key")));
    }
    let witness_vkeys = file.witnesses.iter().map(|vkey| format!("{vkey}\n")).collect();
    let keyring = Keyring::of_agents(&agents, format!("{} {KEYS}", pack.place())).map_err(wrong)?;
    Ok(Keys { keyring, witnesses, vkeys, witness_vkeys })
}

/// What the logs of a pack say, as far as they can be read.
#[derive(Default)]
struct Logs {
    packed: Vec<PackedLog>,
    newest: Option<UnixNanos>,
    named: BTreeMap<Digest, u64>,
    /// Not every entry could be read: what is not named may be named where nobody could look.
    partly: bool,
}

impl Logs {
    fn read(&mut self, pack: &Pack, agent_name: &str, findings: &mut Vec<Finding>) {
        let path = format!("logs/{agent_name}");
        let read = (|| {
            let mut log = Committed::now(&pack.log(agent_name))
                .map_err(|error| chain(&error))?
                .ok_or_else(|| "has no checkpoint".to_owned())?;
            let checkpoint = log.checkpoint().checkpoint.clone();
            self.packed.push(PackedLog {
                agent_name: agent_name.to_owned(),
                origin: checkpoint.origin.clone(),
                size: checkpoint.size,
                root: checkpoint.root.to_string(),
            });
            if checkpoint.origin != origin(agent_name) {
                return Err(format!("is the log of {}", checkpoint.origin));
            }
            // A size is no more than a claim: entries are read as long as there are any.
            for index in 0..checkpoint.size {
                let entry = log.entry(index).map_err(|error| chain(&error))?;
                self.named.extend(named_payload(&entry).map(|payload| (payload.sha256, payload.size)));
                if index.saturating_add(1) == checkpoint.size {
                    self.newest = self.newest.max(time_of(&entry));
                }
            }
            Ok(())
        })();
        if let Err(what) = read {
            self.partly = true;
            findings.push(Finding::new(path, what));
        }
    }
}

fn about(pack: &Pack, logs: &Logs, findings: &mut Vec<Finding>) -> Result<(), PackError> {
    let Some(text) = text_of(pack, ABOUT)? else {
        findings.push(missing(ABOUT));
        return Ok(());
    };
    let about: About = match serde_json::from_str(&text) {
        Ok(about) => about,
        Err(error) => {
            findings.push(Finding::new(ABOUT, error.to_string()));
            return Ok(());
        }
    };
    if about.format != FORMAT {
        findings.push(Finding::new(ABOUT, format!("is of the form {}, and this program knows {FORMAT}", about.format)));
    }
    if about.logs != logs.packed {
        findings.push(Finding::new(ABOUT, "does not name the logs that are in the pack"));
    }
    let newest = logs.newest.map(|newest| newest.floor_to(Span::from_seconds(1)));
    if newest.is_some_and(|newest| about.newest_record_utc != newest) && !logs.partly {
        findings.push(Finding::new(ABOUT, "does not name the time of the newest record"));
    }
    if u64::try_from(about.newest_record_utc.seconds()).unwrap_or(0) != pack.contents.mtime {
        findings.push(Finding::new(pack.place(), "its files bear another time than that of the newest record"));
    }
    Ok(())
}

/// Payloads and the records that name them, both ways.
fn blobs(pack: &Pack, logs: &Logs, findings: &mut Vec<Finding>) {
    let mut there = BTreeSet::new();
    for (path, stored) in &pack.contents.files {
        let Some(Member::Blob(name)) = Member::parse(path) else { continue };
        there.insert(name);
        if stored.sha256 != name {
            findings.push(Finding::new(path, "does not hold what its name says"));
        } else if logs.named.get(&name).is_some_and(|size| *size != stored.size) {
            findings.push(Finding::new(path, "has another size than the record says that names it"));
        } else if !logs.named.contains_key(&name) && !logs.partly {
            findings.push(Finding::new(path, "is named by no record"));
        }
    }
    let absent = logs.named.keys().filter(|name| !there.contains(name));
    findings.extend(absent.map(|name| missing(&format!("blobs/{name}"))));
}

fn configuration(pack: &Pack, findings: &mut Vec<Finding>) -> Result<(), PackError> {
    let (effective, configs) = match (text_of(pack, EFFECTIVE)?, text_of(pack, CONFIGS)?) {
        (None, None) => return Ok(()),
        (Some(effective), Some(configs)) => (effective, configs),
        (None, Some(_)) => {
            findings.push(missing(EFFECTIVE));
            return Ok(());
        }
        (Some(_), None) => {
            findings.push(missing(CONFIGS));
            return Ok(());
        }
    };
    match serde_json::from_str::<EffectiveFile>(&effective) {
        Err(error) => findings.push(Finding::new(EFFECTIVE, error.to_string())),
        Ok(file) if configs_lines(&file.configuration) != configs => {
            findings.push(Finding::new(CONFIGS, format!("are not the digests of the files in {EFFECTIVE}")));
        }
        Ok(_) => {}
    }
    Ok(())
}

/// Cosigned checkpoints: by whom, and that the packed log extends them. Gives how many cosignatures are good.
fn cosigned(
    pack: &Pack,
    keyring: &Keyring,
    witnesses: &[VerifierKey],
    findings: &mut Vec<Finding>,
) -> Result<u64, PackError> {
    let mut good = 0_u64;
    for path in &pack.contents.order {
        let Some(Member::Cosigned(agent_name)) = Member::parse(path) else { continue };
        let bytes = pack.read(path).map_err(|source| PackError::Io { path: PathBuf::from(path), source })?;
        match cosigned_one(pack, agent_name, &bytes.unwrap_or_default(), keyring, witnesses) {
            Ok(count) => good = good.saturating_add(count),
            Err(what) => findings.push(Finding::new(path, what)),
        }
    }
    Ok(good)
}

fn cosigned_one(
    pack: &Pack,
    agent_name: &str,
    bytes: &[u8],
    keyring: &Keyring,
    witnesses: &[VerifierKey],
) -> Result<u64, String> {
    let signed = SignedCheckpoint::parse(bytes).map_err(|error| chain(&error))?;
    if signed.to_string().as_bytes() != bytes {
        return Err("is not written as a checkpoint is".to_owned());
    }
    let older = &signed.checkpoint;
    if older.origin != origin(agent_name) {
        return Err(format!("is a checkpoint of {}", older.origin));
    }
    let mut good = 0_u64;
    if let Some(log) = keyring.get(&older.origin) {
        signed.verify(log).map_err(|error| chain(&error))?;
        signed.knows_all(log, witnesses).map_err(|error| chain(&error))?;
        for witness in
            witnesses.iter().filter(|witness| signed.note().signatures().iter().any(|line| witness.made(line)))
        {
            signed.note().signed_by(witness).map_err(|error| chain(&error))?;
            good = good.saturating_add(1);
        }
        if good == 0 {
            return Err("is cosigned by no witness".to_owned());
        }
    }
    let files = pack.log(agent_name);
    let log = Committed::now(&files).map_err(|error| chain(&error))?.ok_or("its log is not in the pack")?;
    if older.size > log.size() {
        return Err(format!("covers {} entries, and the log has {}: it was rolled back", older.size, log.size()));
    }
    let most = usize::from(TILE_WIDTH).saturating_mul(merkle::HASH_BYTES);
    let nodes = TileHashes::new(log.size(), |tile| files.read(&tile.to_string(), most));
    let root = merkle::root(older.size, &nodes).map_err(|error| chain(&error))?;
    if root == older.root { Ok(good) } else { Err("the log is not an extension of it: it was forked".to_owned()) }
}
