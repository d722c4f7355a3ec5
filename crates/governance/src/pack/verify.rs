//! Verifying a pack: its form, its index, each of its logs, and what stands beside them.

use super::lines::{configs_lines, index_line, time_of};
use super::member::{ABOUT, CONFIGS, EFFECTIVE, INDEX, KEYS, Member, VKEYS, WITNESS_VKEYS};
use super::{About, FORMAT, Finding, Pack, PackError, PackedLog};
use crate::committed::Committed;
use crate::keyring::{Keyring, log_key, origin};
use agenttrader_agent::keys::{Agents, PublicKeys};
use agenttrader_audit::note::{KeyKind, VerifierKey};
use agenttrader_audit::verify::{self, Against, Held, KnownKeys, LogReport, Progress, Verdict, verify_log};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::input::Configuration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

/// What the verification of a pack found. Shown, it ends with the logs' own reports.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pack.
    pub place: String,
    /// SHA-256 of its file.
    pub sha256: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// Files in it.
    pub files: u64,
    /// Large payloads in it.
    pub blobs: u64,
    /// What is wrong beside the logs.
    pub findings: Vec<Finding>,
    /// Each log.
    pub logs: Vec<LogReport>,
}

/// What an auditor brings to a pack.
#[derive(Clone, Copy)]
pub struct Given<'given> {
    /// Keys that are believed, in the place of the pack's own.
    pub keys: Option<&'given KnownKeys>,
    /// Witnesses whose cosignatures count, in the place of the pack's own; none: those of the keys.
    pub witnesses: &'given [VerifierKey],
    /// Checkpoints that were kept elsewhere: each log must extend its own.
    pub held: &'given [Held],
    /// Told how far each log has come.
    pub progress: &'given (dyn Fn(Progress<'_>) + Sync),
}

impl Given<'_> {
    /// Nothing: the pack is judged by itself.
    pub const fn nothing() -> Self {
        Self { keys: None, witnesses: &[], held: &[], progress: &|_| {} }
    }
}

/// What nothing in a pack can show, beside what no log can.
const NOT_SHOWN: [&str; 2] = [
    "what was logged after the packed checkpoints",
    "who wrote README.md, pack.json, configuration/ and artefacts/, and whether who signed in unlock/ and signed/ may: the index shows accidents, not forgery",
];

/// Public keys that a pack brings.
pub(super) struct Keys {
    pub(super) keyring: Keyring,
    agents: BTreeMap<String, verify::PublicKeys>,
    witnesses: Vec<VerifierKey>,
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

/// Verifies a pack: its form, its index, each log, and what stands beside them.
///
/// # Errors
/// [`PackError::Io`] when the pack that was laid open cannot be read any more.
pub fn verify(pack: &Pack, given: &Given<'_>) -> Result<Report, PackError> {
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
        // Keys are packed with their log: without it somebody took the log out.
        let packed = pack.agents();
        for agent_name in own.agents.keys().filter(|name| !packed.contains(name)) {
            findings.push(Finding::new(KEYS, format!("names the keys of {agent_name}, whose log is not in the pack")));
        }
    }
    let listed = own.as_ref().map(|own| own.witnesses.clone()).unwrap_or_default();
    let keys = &match (given.keys, own) {
        (Some(keys), _) => given.witnesses.iter().cloned().fold(keys.clone(), KnownKeys::with),
        (None, Some(own)) => own.known(given.witnesses),
        (None, None) => given.witnesses.iter().cloned().fold(KnownKeys::none(), KnownKeys::with),
    };
    let mut held: Vec<Held> = cosigned(pack, &mut findings)?.into_iter().map(|held| held.of_listed(&listed)).collect();
    held.extend_from_slice(given.held);
    let blobs_there = pack.blobs();
    let (mut logs, mut reports) = (Logs::default(), Vec::new());
    for agent_name in pack.agents() {
        let against = Against {
            agent_name: Some(&agent_name),
            keys,
            blobs: Some(&*blobs_there),
            held: &held,
            progress: given.progress,
        };
        let report = verify_log(&*pack.log(&agent_name), &against);
        logs.add(pack, &agent_name, &report);
        reports.push(report);
    }
    about(pack, &logs, &mut findings)?;
    blobs(pack, &logs, &mut findings);
    configuration(pack, &mut findings)?;
    let blobs = pack.contents.order.iter().filter(|path| path.starts_with("blobs/")).count() as u64;
    let (sha256, bytes) = pack.sha256();
    let files = pack.contents.order.len() as u64;
    Ok(Report { place: pack.place().to_owned(), sha256, bytes, files, blobs, findings, logs: reports })
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
    let public = |(name, PublicKeys { log, sign })| (name, verify::PublicKeys { log, sign });
    Ok(Keys { keyring, agents: agents.into_iter().map(public).collect(), witnesses, vkeys, witness_vkeys })
}

impl Pack {
    /// The public keys, as far as they can be read: nobody but whoever made the pack says that they are the agents'.
    ///
    /// # Errors
    /// What is wrong with the file of keys.
    pub fn keys(&self) -> Result<Keyring, Finding> {
        keys(self).map(|keys| keys.keyring)
    }

    /// An agent's public keys, as the pack says.
    pub fn public_keys(&self, agent_name: &str) -> Option<PublicKeys> {
        keys(self).ok()?.public(agent_name)
    }
}

impl Keys {
    pub(super) fn public(&self, agent_name: &str) -> Option<PublicKeys> {
        self.agents.get(agent_name).map(|keys| PublicKeys { log: keys.log.clone(), sign: keys.sign.clone() })
    }

    fn known(self, pinned: &[VerifierKey]) -> KnownKeys {
        KnownKeys::of_pack(self.agents, if pinned.is_empty() { self.witnesses } else { pinned.to_vec() })
    }
}

/// What the logs of a pack say, as far as they can be read.
#[derive(Default)]
struct Logs {
    packed: Vec<PackedLog>,
    newest: Option<UnixNanos>,
    named: BTreeSet<Digest>,
    /// Not every entry could be read: what is not named may be named where nobody could look.
    partly: bool,
}

impl Logs {
    fn add(&mut self, pack: &Pack, agent_name: &str, report: &LogReport) {
        self.named.extend(&report.payloads);
        self.partly |= !report.findings.first().is_empty();
        if let (Some(origin), Some(size), Some(root)) = (&report.origin, report.size, &report.root) {
            let (agent_name, origin, root) = (agent_name.to_owned(), origin.clone(), root.clone());
            self.packed.push(PackedLog { agent_name, origin, size, root });
        }
        // What cannot be read is told by the report.
        let Ok(Some(mut log)) = Committed::now(&pack.log(agent_name)) else { return };
        let last = log.size().checked_sub(1).and_then(|last| log.entry(last).ok());
        self.newest = self.newest.max(last.as_deref().and_then(time_of));
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

/// Payloads that no record names. That each which is named is there and good, the logs' reports say.
fn blobs(pack: &Pack, logs: &Logs, findings: &mut Vec<Finding>) {
    for (path, stored) in &pack.contents.files {
        let Some(Member::Blob(name)) = Member::parse(path) else { continue };
        if stored.sha256 != name {
            findings.push(Finding::new(path, "does not hold what its name says"));
        } else if !logs.named.contains(&name) && !logs.partly {
            findings.push(Finding::new(path, "is named by no record"));
        }
    }
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

/// The cosigned checkpoints, to hold the logs against; what is none of its agent's is found here.
fn cosigned(pack: &Pack, findings: &mut Vec<Finding>) -> Result<Vec<Held>, PackError> {
    let mut held = Vec::new();
    let agents = pack.agents();
    for path in &pack.contents.order {
        let Some(Member::Cosigned(agent_name)) = Member::parse(path) else { continue };
        let bytes = pack.read(path).map_err(|source| PackError::Io { path: PathBuf::from(path), source })?;
        let bytes = bytes.unwrap_or_default();
        match Held::cosigned(path, &bytes) {
            Err(error) => findings.push(Finding::new(path, chain(&error))),
            Ok(one) if one.checkpoint.to_string().as_bytes() != bytes => {
                findings.push(Finding::new(path, "is not written as a checkpoint is"));
            }
            Ok(one) if one.checkpoint.checkpoint.origin != origin(agent_name) => {
                let whose = &one.checkpoint.checkpoint.origin;
                findings.push(Finding::new(path, format!("is a checkpoint of {whose}")));
            }
            Ok(one) if one.checkpoint.note().signatures().len() < 2 => {
                findings.push(Finding::new(path, "is cosigned by no witness"));
            }
            Ok(_) if !agents.iter().any(|agent| agent == agent_name) => {
                findings.push(Finding::new(path, "its log is not in the pack"));
            }
            Ok(one) => held.push(one),
        }
    }
    Ok(held)
}

impl Report {
    /// The answer: differences first, then what could not be read, then whether there are keys.
    pub fn verdict(&self) -> Verdict {
        let own = if self.findings.is_empty() { Verdict::Good } else { Verdict::Different };
        self.logs.iter().map(LogReport::verdict).fold(own, Verdict::max)
    }

    /// What this cannot show, beside what each log's report says.
    pub const fn not_shown(&self) -> [&'static str; 2] {
        NOT_SHOWN
    }
}

/// Everything, what could not be shown last.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict() {
            Verdict::Good => "good",
            Verdict::NoKey => "no difference, but no key to check a signature with",
            Verdict::Unread => "NOT VERIFIED: not all could be read",
            Verdict::Different => "DIFFERENT",
        };
        writeln!(out, "{}: {verdict}", self.place)?;
        self.findings.iter().try_for_each(|finding| writeln!(out, "  {finding}"))?;
        let (files, blobs, logs) = (self.files, self.blobs, self.logs.len());
        writeln!(
            out,
            "  checked: {files} files against the index, {logs} logs, {blobs} large payloads, all {} bytes",
            self.bytes
        )?;
        writeln!(out, "  SHA-256: {}", self.sha256)?;
        NOT_SHOWN.iter().try_for_each(|what| writeln!(out, "  not shown: {what}"))?;
        self.logs.iter().try_for_each(|log| write!(out, "{log}"))
    }
}
