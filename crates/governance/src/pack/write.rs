//! Making a pack. A floor may run meanwhile: each log is taken as one of its checkpoints says, and what grew past it is cut.

use super::evidence::gather;
use super::frames::{FrameWriter, Sealed};
use super::lines::{configs_lines, index_line, time_of};
use super::member::{ABOUT, CONFIGS, EFFECTIVE, INDEX, KEYS, README, VKEYS, WITNESS_VKEYS};
use super::readme::Beside;
use super::tar::{BLOCK, END_BLOCKS, Header, padding};
use super::{About, FORMAT, PACK_SUFFIX, Pack, PackError, PackedLog, readme, verify};
use crate::committed::{Committed, CommittedError, tile_bytes};
use crate::keyring::{Keyring, log_key, origin};
use crate::own_log::GOVERNANCE_CLI;
use crate::place::{Place, PlacedLog};
use agenttrader_agent::keys::Agents;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::note::{NOTE_BYTES_MOST, Note, VerifierKey};
use agenttrader_audit::read::PAYLOAD_BYTES_MOST;
use agenttrader_audit::record::{Record, StoredPayload};
use agenttrader_audit::source::{Directory, LogFiles, SourceError};
use agenttrader_audit::tile::{self, Level, Tile, tiles_of};
use agenttrader_audit::witnessed::{self, COSIGNED, WITNESSES, cosigned_dir};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::identity::{Build, REPO_ID};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::input::{Configuration, Fact, Input};
use agenttrader_sequence::read::Recording;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Recordings that are looked into for a configuration, the last ones: one that was begun and holds no input yet has none.
const RECORDINGS_MOST: usize = 16;

/// Hex digits of the content's digest in a pack's name.
const NAME_DIGITS: usize = 12;

/// What to pack, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Packing<'a> {
    /// The floor's data directory.
    pub data_dir: &'a Path,
    /// The repository whose reports and unlocks go in, where there is one.
    pub repository: Option<&'a Path>,
    /// The file to write, which must not exist; `None`: a name of its own in `packs/` of the data directory.
    pub out: Option<&'a Path>,
    /// The build that packs.
    pub build: &'a Build,
}

/// A pack that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// Files in it.
    pub files: u64,
    /// What it holds.
    pub about: About,
    /// What was left out and why.
    pub remarks: Vec<String>,
}

/// One log on its way into a pack.
struct Log {
    placed: PlacedLog,
    agent_name: String,
    committed: Committed,
}

/// Writes a pack: whole and durable, or not at all. `progress` hears how many files of how many are in.
///
/// # Errors
/// [`PackError`], also when a log is not whole: such a pack would not verify.
pub fn write(packing: &Packing<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Written, PackError> {
    let Packing { data_dir, repository, out, build } = *packing;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| PackError::Io { path, source }
    };
    let folder = match out {
        Some(out) if !out.to_string_lossy().ends_with(PACK_SUFFIX) => {
            return Err(PackError::Suffix { path: out.to_owned() });
        }
        Some(out) if out.exists() => return Err(PackError::Exists { path: out.to_owned() }),
        Some(out) => out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned(),
        None => data_dir.join("packs"),
    };
    let mut remarks = Vec::new();
    // Before the logs: what was cosigned by now is older than what is read next.
    let witnesses = &witnessed::witnesses(data_dir).map_err(|error| bad(WITNESSES, &error))?;
    let cosigned = cosigned(data_dir, witnesses, &mut remarks)?;
    let (mut logs, without_checkpoint) = logs(data_dir)?;
    if logs.is_empty() {
        return Err(PackError::NoLogs { data_dir: data_dir.to_owned() });
    }
    let evidence = gather(data_dir, repository, &mut remarks)?;
    let newest = newest(&mut logs)?;
    let about = About {
        format: FORMAT.to_owned(),
        repo_id: REPO_ID.to_owned(),
        build: build.clone(),
        newest_record_utc: newest,
        logs: logs.iter().map(packed).collect(),
        without_checkpoint,
    };
    fs::create_dir_all(&folder).map_err(io(&folder))?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".pack-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(&folder)
        .map_err(io(&folder))?;
    let mut archive = Archive::new(temporary.as_file_mut(), newest);
    let total = logs.iter().map(|log| tiles_of(log.committed.size()).count() as u64).sum();
    let mut blobs = BTreeMap::new();
    for log in &logs {
        archive.log(log, &mut blobs, total, progress)?;
    }
    archive.blobs(&Directory::of_blobs(data_dir), &blobs)?;
    for (agent_name, note) in &cosigned {
        if logs.iter().any(|log| log.agent_name == *agent_name) {
            archive.file(&format!("cosigned/{agent_name}"), note.as_bytes())?;
        }
    }
    for (path, bytes) in &evidence {
        archive.file(path, bytes)?;
    }
    let agents = agenttrader_agent::keys::agents(data_dir).map_err(|error| bad("keys/agents.json", &error))?;
    let beside = Beside { cosigned: &cosigned, evidence: &evidence, has_blobs: !blobs.is_empty() };
    archive.rest(&about, configuration(data_dir), &agents, witnesses, &beside)?;
    let (files, content, sealed) = archive.finish()?;
    temporary.as_file().sync_all().map_err(io(temporary.path()))?;
    read_back(temporary.path(), &sealed)?;
    let path = out.map_or_else(|| folder.join(name(newest, content)), Path::to_owned);
    temporary.persist(&path).map_err(|error| io(&path)(error.error))?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(io(&folder))?;
    Ok(Written { path, sha256: sealed.sha256, bytes: sealed.bytes, files, about, remarks })
}

/// `<utc>-<sha>.tar.zst`.
fn name(newest: UnixNanos, content: Digest) -> String {
    let stamp: String = newest.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let sha: String = content.to_string().chars().take(NAME_DIGITS).collect();
    format!("{stamp}-{sha}{PACK_SUFFIX}")
}

/// A pack that nobody can open is none.
fn read_back(path: &Path, sealed: &Sealed) -> Result<(), PackError> {
    let pack = Pack::open(path)?;
    let mut findings = pack.findings().to_vec();
    findings.extend(verify::index(&pack)?);
    let why = match findings.first() {
        None if pack.contents.sealed == *sealed => return Ok(()),
        None => "other bytes stand there".to_owned(),
        Some(finding) => format!("{}: {}", finding.path, finding.what),
    };
    Err(PackError::ReadBack { path: path.to_owned(), why })
}

fn bad(path: &str, error: &dyn std::error::Error) -> PackError {
    PackError::Log { path: path.to_owned(), why: chain(error) }
}

fn differs(path: impl Into<String>, why: impl Into<String>) -> PackError {
    PackError::Log { path: path.into(), why: why.into() }
}

fn packed(log: &Log) -> PackedLog {
    let checkpoint = &log.committed.checkpoint().checkpoint;
    PackedLog {
        agent_name: log.agent_name.clone(),
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
    }
}

/// The logs that have a checkpoint of at least one entry, and the agents whose log has none.
fn logs(data_dir: &Path) -> Result<(Vec<Log>, Vec<String>), PackError> {
    let placed = Place::DataDir(data_dir.to_owned()).logs().map_err(|error| bad("audit", &error))?;
    let (mut logs, mut without) = (Vec::new(), Vec::new());
    for placed in placed {
        let Some(agent_name) = placed.agent_name.clone() else { continue };
        let committed = Committed::now(&placed.files).map_err(|error| bad(&format!("audit/{agent_name}"), &error))?;
        match committed.filter(|committed| committed.size() > 0) {
            Some(committed) => logs.push(Log { placed, agent_name, committed }),
            // The log of whoever packs is begun by that.
            None if agent_name == GOVERNANCE_CLI => {}
            None => without.push(agent_name),
        }
    }
    Ok((logs, without))
}

/// The time of the newest record of all logs, in whole seconds.
fn newest(logs: &mut [Log]) -> Result<UnixNanos, PackError> {
    let mut newest = UnixNanos::EPOCH;
    for log in logs {
        let at = |error: CommittedError| bad(&format!("audit/{}", log.agent_name), &error);
        let last = log.committed.size().saturating_sub(1);
        let entry = log.committed.entry(last).map_err(at)?;
        newest = newest.max(
            time_of(&entry)
                .ok_or_else(|| differs(format!("audit/{}", log.agent_name), format!("entry {last} is no record")))?,
        );
    }
    Ok(newest.floor_to(Span::from_seconds(1)))
}

/// The large payload that an entry names. Taking every entry apart would take long; only a name stands there in this spelling.
pub(super) fn named_payload(entry: &[u8]) -> Option<StoredPayload> {
    std::str::from_utf8(entry).ok()?.contains("\"intent_payload\":{\"sha256\":\"").then_some(())?;
    serde_json::from_slice::<Record>(entry).ok()?.stored_payload()
}

/// The cosigned checkpoints that mission control keeps, by agent, with the lines of the log and of these witnesses alone.
fn cosigned(
    data_dir: &Path,
    witnesses: &[VerifierKey],
    remarks: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, PackError> {
    let files = Directory::new(cosigned_dir(data_dir));
    let keyring = Keyring::of_data_dir(data_dir).map_err(|error| bad("keys/agents.json", &error))?;
    let unreadable = |error: SourceError| bad(COSIGNED, &error);
    let mut cosigned = BTreeMap::new();
    for agent_name in files.list().map_err(unreadable)?.unwrap_or_default() {
        let Some(bytes) = files.read(&agent_name, NOTE_BYTES_MOST).map_err(unreadable)? else { continue };
        match of_pinned(&bytes, keyring.get(&origin(&agent_name)), witnesses) {
            Ok(note) => {
                cosigned.insert(agent_name, note);
            }
            Err(why) => remarks.push(format!("the cosigned checkpoint of {agent_name} was left out: {why}")),
        }
    }
    Ok(cosigned)
}

fn of_pinned(bytes: &[u8], log: Option<&VerifierKey>, witnesses: &[VerifierKey]) -> Result<String, String> {
    let log = log.ok_or("its log's key is not known")?;
    let signed = SignedCheckpoint::parse(bytes).map_err(|error| chain(&error))?;
    signed.verify(log).map_err(|error| chain(&error))?;
    let is_known = |line: &&agenttrader_audit::note::SignatureLine| {
        log.made(line) || witnesses.iter().any(|witness| witness.made(line))
    };
    let lines: Vec<_> = signed.note().signatures().iter().filter(is_known).cloned().collect();
    if lines.len() < 2 {
        return Err("no witness that is known here signed it".to_owned());
    }
    Ok(Note::new(signed.note().text().to_owned(), lines).to_string())
}

/// The configuration with which the last recorded run began, and the recording.
fn configuration(data_dir: &Path) -> Option<(uuid::Uuid, Configuration)> {
    let mut names: Vec<PathBuf> =
        fs::read_dir(data_dir.join("recordings")).ok()?.filter_map(|one| Some(one.ok()?.path())).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "rec"));
    names.sort();
    names.iter().rev().take(RECORDINGS_MOST).find_map(|path| {
        let mut recording = Recording::open(path).ok()?;
        match recording.next_input().ok()??.input {
            Input::Fact(Fact::Configuration(configuration)) => Some((recording.head().recording_id, configuration)),
            _ => None,
        }
    })
}

/// The archive on its way into its frames.
struct Archive<'file> {
    frames: FrameWriter<&'file mut File>,
    mtime: u64,
    index: String,
    files: u64,
}

impl<'file> Archive<'file> {
    fn new(file: &'file mut File, newest: UnixNanos) -> Self {
        let mtime = u64::try_from(newest.seconds()).unwrap_or(0);
        Self { frames: FrameWriter::new(file), mtime, index: String::new(), files: 0 }
    }

    fn put(&mut self, path: &str, content: &[u8]) -> Result<(), PackError> {
        let failed = |source| PackError::Io { path: PathBuf::from(path), source };
        let header = Header { path: path.to_owned(), size: content.len() as u64, mtime: self.mtime };
        let block = header.to_block().ok_or_else(|| differs(path, "has no place in an archive"))?;
        self.frames.write(&block).map_err(failed)?;
        self.frames.write(content).map_err(failed)?;
        let zeros = [0_u8; BLOCK];
        self.frames.write(zeros.get(..padding(header.size)).unwrap_or_default()).map_err(failed)?;
        self.files = self.files.saturating_add(1);
        Ok(())
    }

    /// Puts a file in, and into the index.
    fn file(&mut self, path: &str, content: &[u8]) -> Result<(), PackError> {
        self.index.push_str(&index_line(path, Digest::of(content)));
        self.put(path, content)
    }

    /// Puts a log in, and notes the payloads its records name.
    fn log(
        &mut self,
        log: &Log,
        blobs: &mut BTreeMap<Digest, u64>,
        total: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), PackError> {
        let root = format!("logs/{}", log.agent_name);
        self.file(&format!("{root}/checkpoint"), log.committed.checkpoint().to_string().as_bytes())?;
        let mut tiles: Vec<(String, Tile)> =
            tiles_of(log.committed.size()).map(|tile| (tile.to_string(), tile)).collect();
        tiles.sort();
        for (path, tile) in tiles {
            let read = tile_bytes(&*log.placed.files, tile)
                .map_err(|error| bad(&format!("audit/{}", log.agent_name), &error))?;
            let bytes =
                read.ok_or_else(|| differs(format!("audit/{}", log.agent_name), format!("{path} is missing")))?;
            if tile.level == Level::Entries {
                let entries = tile::entries(&bytes, tile.width)
                    .ok_or_else(|| differs(format!("audit/{}/{path}", log.agent_name), "does not hold its entries"))?;
                blobs.extend(
                    entries.into_iter().filter_map(named_payload).map(|payload| (payload.sha256, payload.size)),
                );
            }
            self.file(&format!("{root}/{path}"), &bytes)?;
            progress(self.files, total);
        }
        Ok(())
    }

    fn blobs(&mut self, files: &Directory, blobs: &BTreeMap<Digest, u64>) -> Result<(), PackError> {
        for digest in blobs.keys() {
            let name = digest.to_string();
            let most = usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX);
            let read = files.read(&name, most).map_err(|error| bad("audit-blobs", &error))?;
            let bytes = read.ok_or_else(|| differs(format!("audit-blobs/{name}"), "is missing"))?;
            if Digest::of(&bytes) != *digest {
                return Err(differs(format!("audit-blobs/{name}"), "does not hold what its name says"));
            }
            self.file(&format!("blobs/{name}"), &bytes)?;
        }
        Ok(())
    }

    /// What stands beside the logs.
    fn rest(
        &mut self,
        about: &About,
        configuration: Option<(uuid::Uuid, Configuration)>,
        agents: &Agents,
        witnesses: &[VerifierKey],
        beside: &Beside<'_>,
    ) -> Result<(), PackError> {
        if let Some((recording_id, configuration)) = configuration {
            let effective = json!({"recording_id": recording_id, "configuration": configuration});
            let text = canonical_json::to_string(&effective).map_err(|error| bad("recordings", &error))?;
            self.file(EFFECTIVE, format!("{text}\n").as_bytes())?;
            self.file(CONFIGS, configs_lines(&configuration).as_bytes())?;
        }
        let logs = about.logs.iter().filter_map(|log| Some((&log.agent_name, agents.get(&log.agent_name)?)));
        let mut keys = BTreeMap::new();
        let mut vkeys = String::new();
        for (agent_name, public) in logs {
            let vkey = log_key(agent_name, public).ok_or_else(|| {
                differs("keys/agents.json", format!("the log's key of {agent_name} is no Ed25519 key"))
            })?;
            keys.insert(agent_name, json!({"log": public.log, "sign": public.sign, "vkey": vkey.to_string()}));
            vkeys.push_str(&format!("{vkey}\n"));
        }
        let witness_vkeys: Vec<String> = witnesses.iter().map(ToString::to_string).collect();
        let lines = witness_vkeys.iter().map(|vkey| format!("{vkey}\n")).collect::<String>();
        let pretty = |value: &serde_json::Value| format!("{value:#}\n");
        self.file(KEYS, pretty(&json!({"agents": keys, "witnesses": witness_vkeys})).as_bytes())?;
        self.file(VKEYS, vkeys.as_bytes())?;
        self.file(WITNESS_VKEYS, lines.as_bytes())?;
        let about_json = serde_json::to_value(about).map_err(|error| bad(ABOUT, &error))?;
        self.file(ABOUT, pretty(&about_json).as_bytes())?;
        let text = readme::text(&readme::Shown { about, vkeys: &vkeys, witnesses, beside });
        self.file(README, text.as_bytes())
    }

    /// Writes the index and the end. Gives how many files there are, the digest of the index, and the file as it was written.
    fn finish(mut self) -> Result<(u64, Digest, Sealed), PackError> {
        let index = std::mem::take(&mut self.index);
        self.put(INDEX, index.as_bytes())?;
        let failed = |source| PackError::Io { path: PathBuf::from(INDEX), source };
        self.frames.write(&[0_u8; BLOCK * END_BLOCKS]).map_err(failed)?;
        let (file, sealed) = self.frames.finish().map_err(failed)?;
        file.flush().map_err(failed)?;
        Ok((self.files, Digest::of(index.as_bytes()), sealed))
    }
}

/// The files of one log, for those who read it while it is packed.
impl std::fmt::Debug for Log {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files: &Arc<dyn LogFiles + Send + Sync> = &self.placed.files;
        write!(out, "Log({} at {})", self.agent_name, files.place())
    }
}
