//! A floor's data directory: every log in it, their large payloads, journals, and the checkpoints that witnesses cosigned.

use super::ahead;
use super::entry;
use super::finding::{Finding, Findings, Spot};
use super::held::Held;
use super::journal::{self, Journal};
use super::keys::{KeysFrom, KnownKeys};
use super::payloads::Payloads;
use super::report::{LogReport, Verdict};
use super::snapshot::Snapshot;
use super::{Against, Progress, verify_into};
use crate::disk::{self, Kind, Places};

use crate::note::NOTE_BYTES_MOST;
use crate::source::{Directory, LogFiles as _};
use crate::tile::{self, Level, TILE_WIDTH, Tile};
use crate::witnessed::{self, COSIGNED, WITNESSES};
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::identity::is_agent_name;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// How often a live log's first checkpoint is looked for, and how long is waited in between: for a slow disk's sake ten seconds in all.
const FIRST_TRIES: u32 = 500;
const FIRST_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// What the verification of a data directory found.
#[derive(Clone, Debug, Serialize)]
pub struct DataDirReport {
    /// The data directory.
    pub place: String,
    /// Each log's own report, by agent name.
    pub logs: Vec<LogReport>,
    /// What is wrong beside the logs.
    pub findings: Findings,
    /// Files in `audit-blobs/`.
    pub blobs: u64,
    /// What this cannot show, beside what each log's report says.
    pub not_shown: Vec<String>,
}

impl DataDirReport {
    /// The worst of all logs' answers, and of what is wrong beside them.
    pub fn verdict(&self) -> Verdict {
        let beside = match (self.findings.differences(), self.findings.total()) {
            (0, 0) => Verdict::Good,
            (0, _) => Verdict::Unread,
            _ => Verdict::Different,
        };
        self.logs.iter().map(LogReport::verdict).fold(beside, Ord::max)
    }
}

impl fmt::Display for DataDirReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.logs.iter().try_for_each(|log| write!(out, "{log}"))?;
        if self.findings.total() > 0 {
            writeln!(out, "{}: DIFFERENT", self.place)?;
            self.findings.fmt(out)?;
        }
        writeln!(out, "{}: {} logs, {} files in audit-blobs", self.place, self.logs.len(), self.blobs)?;
        self.not_shown.iter().try_for_each(|what| writeln!(out, "  not shown: {what}"))
    }
}

/// Verifies a data directory. Keys that are given are believed in the place of those in `keys/agents.json`; witnesses' keys alone come
/// beside them. `held` are checkpoints kept elsewhere, of any of its logs.
pub fn verify_data_dir(
    data_dir: &Path,
    given: Option<&KnownKeys>,
    held: &[Held],
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> DataDirReport {
    let mut report = DataDirReport {
        place: data_dir.display().to_string(),
        logs: Vec::new(),
        findings: Findings::default(),
        blobs: 0,
        not_shown: Vec::new(),
    };
    let keys = keys(data_dir, given, &mut report.findings);
    // Before the logs: whatever lies there now is named by a record that is durable already.
    let blobs = Directory::of_blobs(data_dir);
    let listed = match blobs.list() {
        Ok(listed) => listed.unwrap_or_default(),
        Err(error) => {
            report.findings.push(Finding::of_source(Spot::File("audit-blobs".to_owned()), &error));
            Vec::new()
        }
    };
    report.blobs = listed.len() as u64;
    // Before the logs too, which go on: each extends what was cosigned of it.
    let mut held = held.to_vec();
    let cosigned = cosigned(data_dir, &mut held, &mut report.findings);
    let agents = agents(data_dir, &mut report.findings);
    let mut named = BTreeSet::new();
    for agent_name in &agents {
        let against = Against { agent_name: Some(agent_name), keys: &keys, blobs: Some(&blobs), held: &held, progress };
        let log = verify_agent(data_dir, agent_name, &against);
        named.extend(log.payloads.iter().copied());
        report.logs.push(log);
    }
    let is_named =
        |named: &BTreeSet<Digest>, name: &str| Digest::parse(name).is_some_and(|digest| named.contains(&digest));
    if !listed.iter().all(|name| is_named(&named, name)) {
        // A live log may have moved records on from its journal to its tree between the two looks.
        for log in report.logs.iter().zip(&agents).filter(|(log, _)| log.live) {
            let (log, agent_name) = log;
            named.extend(named_since(&Directory::of_agent(data_dir, agent_name), log.size.unwrap_or(0)));
        }
    }
    for name in listed.into_iter().filter(|name| !is_named(&named, name)) {
        report.findings.push(Finding::differs(Spot::Blob(name), "no entry of any log names it"));
    }
    for agent_name in cosigned.difference(&agents) {
        let why = format!("a witness cosigned the log of {agent_name}, which is not here");
        report.findings.push(Finding::differs(Spot::File(format!("{COSIGNED}/{agent_name}")), why));
    }
    let absent: Vec<String> = keys.agents().into_iter().filter(|name| !agents.contains(name)).collect();
    if !absent.is_empty() {
        report
            .not_shown
            .push(format!("the logs of {}, whose keys are known and which are not here", absent.join(", ")));
    }
    report
}

fn keys(data_dir: &Path, given: Option<&KnownKeys>, findings: &mut Findings) -> KnownKeys {
    let mut own = || {
        KnownKeys::of_data_dir(data_dir).unwrap_or_else(|error| {
            findings.push(Finding::differs(Spot::File("keys/agents.json".to_owned()), chain(&error)));
            KnownKeys::none()
        })
    };
    match given {
        Some(given) if given.from() == KeysFrom::Given => given.clone(),
        Some(witnesses) => witnesses.witnesses().into_iter().fold(own(), KnownKeys::with),
        None => own(),
    }
}

/// The checkpoints that witnesses cosigned. Gives the agents they are of.
fn cosigned(data_dir: &Path, held: &mut Vec<Held>, findings: &mut Findings) -> BTreeSet<String> {
    let folder = Directory::new(witnessed::cosigned_dir(data_dir));
    let mut agents = BTreeSet::new();
    let listed = match folder.list() {
        Ok(listed) => listed.unwrap_or_default(),
        Err(error) => {
            findings.push(Finding::of_source(Spot::File(COSIGNED.to_owned()), &error));
            return agents;
        }
    };
    let witnesses = witnessed::witnesses(data_dir).unwrap_or_else(|error| {
        let unread = error.is_unread();
        findings.push(Finding { unread, ..Finding::differs(Spot::File(WITNESSES.to_owned()), chain(&error)) });
        Vec::new()
    });
    // Another name is one that is being written.
    for name in listed.into_iter().filter(|name| is_agent_name(name)) {
        let path = format!("{COSIGNED}/{name}");
        match folder.read(&name, NOTE_BYTES_MOST) {
            Ok(None) => {}
            Err(error) => findings.push(Finding::of_source(Spot::File(path), &error)),
            Ok(Some(bytes)) => match Held::cosigned(&path, &bytes).map(|held| held.of_listed(&witnesses)) {
                Ok(found) => {
                    let of_agent = found.checkpoint.checkpoint.origin.ends_with(&format!("/{name}"));
                    if !of_agent {
                        let why = format!("it is of `{}`", found.checkpoint.checkpoint.origin);
                        findings.push(Finding::differs(Spot::File(path), why));
                    }
                    held.push(found);
                    agents.insert(name);
                }
                Err(error) => findings.push(Finding::differs(Spot::File(path), error.to_string())),
            },
        }
    }
    agents
}

/// The agents that have a folder in `audit/`, where nothing else may stand, or had one: those with a head.
fn agents(data_dir: &Path, findings: &mut Findings) -> BTreeSet<String> {
    let mut agents = BTreeSet::new();
    for (folder, is_audit) in [("audit", true), ("audit-state", false)] {
        let names = match disk::list_plain(&data_dir.join(folder)) {
            Ok(Some(names)) => names,
            Ok(None) => {
                if is_audit {
                    findings.push(Finding::differs(Spot::File("audit".to_owned()), "there are no logs"));
                }
                continue;
            }
            Err(source) => {
                let error = crate::source::SourceError::Io { path: folder.to_owned(), source };
                findings.push(Finding::of_source(Spot::File(folder.to_owned()), &error));
                continue;
            }
        };
        for name in names {
            let text = name.name.unwrap_or_else(|| "(a name that is not UTF-8)".to_owned());
            if name.kind == Kind::Folder && is_agent_name(&text) {
                if is_audit || Places::of(data_dir, &text).journal.is_dir() {
                    agents.insert(text);
                }
            } else if is_audit {
                let why = "nothing but the folders of agents' logs belongs there";
                findings.push(Finding::differs(Spot::File(format!("audit/{text}")), why));
            }
        }
    }
    agents
}

fn verify_agent(data_dir: &Path, agent_name: &str, against: &Against<'_>) -> LogReport {
    let places = Places::of(data_dir, agent_name);
    let files = Directory::of_agent(data_dir, agent_name);
    let payloads = Payloads::new(against.blobs);
    let mut report = LogReport::of(files.place());
    let stage = if places.state.is_dir() { stage(&places, &files) } else { Stage::Signed };
    let found = if stage == Stage::Signed {
        verify_into(&mut report, &files, against, &payloads, &|size| journal::holds_more(&places, size))
    } else {
        report.live = files.is_live();
        begun(agent_name, against, &mut report);
        None
    };
    let (snapshot, agent) = found.map_or((None, None), |(snapshot, agent)| (Some(snapshot), agent));
    // Without a checkpoint where there should be one nothing can be held against it.
    if stage == Stage::Signed && snapshot.is_none() {
        return report;
    }
    // It may have been opened since.
    report.live |= files.is_live();
    let journal = Journal {
        places: &places,
        files: &files,
        snapshot: snapshot.as_ref(),
        agent_name,
        agent,
        payloads: &payloads,
        live: report.live,
    };
    let head = journal.check(&mut report);
    let head = head.filter(|_| stage == Stage::Headed);
    if stage != Stage::Signed || report.counts.in_flight > 0 {
        let before = report.findings.clone();
        ahead::check(&places, &files, snapshot.as_ref(), head.as_ref(), &mut report);
        // Started meanwhile, it goes on from both journal and tree.
        if !report.live && files.is_live() {
            report.live = true;
            report.findings = before;
            ahead::check(&places, &files, snapshot.as_ref(), None, &mut report);
        }
    }
    if report.live {
        report.ended = None;
    } else if stage == Stage::Headed {
        report.ended = Some("between its first head and the first checkpoint, which is not there yet".to_owned());
    }
    if let Some(records) = report.uncovered.filter(|records| *records > 0) {
        let what = "whoever can write the folder can change them";
        report.not_shown.push(format!("records that no checkpoint signs: {records}; {what}"));
    }
    report
}

/// The large payloads that entries from that index on name, as the log is now.
fn named_since(files: &Directory, from: u64) -> BTreeSet<Digest> {
    let mut named = BTreeSet::new();
    let Ok(now) = Snapshot::take(files) else { return named };
    for place in from >> 8.. {
        let Some(bundle) = Tile::of_tree(Level::Entries, place, now.size()) else { break };
        let Ok(bytes) = now.read(files, bundle) else { break };
        let first = place.saturating_mul(u64::from(TILE_WIDTH));
        for (index, entry) in (first..).zip(tile::entries(&bytes, bundle.width).unwrap_or_default()) {
            let stored = entry::check(entry, index, None).ok().and_then(|told| told.stored);
            named.extend(stored.map(|stored| stored.sha256));
        }
    }
    named
}

/// How far a log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No head, and no checkpoint.
    Begun,
    /// Its agent was killed between its first head and its first checkpoint.
    Headed,
    /// There is a checkpoint, or should be.
    Signed,
}

/// How far a log has come. The first checkpoint of one that is written follows its head at once.
fn stage(places: &Places, files: &Directory) -> Stage {
    for _ in 0..FIRST_TRIES {
        if places.checkpoint().exists() {
            return Stage::Signed;
        }
        if !places.head().exists() {
            return Stage::Begun;
        }
        if !files.is_live() {
            // Where there never was one, its place is taken before the head is written.
            return if places.next_checkpoint().exists() { Stage::Headed } else { Stage::Signed };
        }
        std::thread::sleep(FIRST_PAUSE);
    }
    Stage::Signed
}

/// A log without a checkpoint, whose journal may hold its first records.
fn begun(agent_name: &str, against: &Against<'_>, report: &mut LogReport) {
    report.begun = true;
    report.not_shown.push("what was never logged".to_owned());
    report.not_shown.push(
        "a whole machine rolled back to an earlier state: no checkpoint that somebody outside holds was given"
            .to_owned(),
    );
    report.not_shown.push("who wrote them: no checkpoint signs these records".to_owned());
    let is_its = |held: &&Held| held.checkpoint.checkpoint.origin.ends_with(&format!("/{agent_name}"));
    if let Some(held) = against.held.iter().find(is_its) {
        let why = format!("it is of {} entries, and the log has no checkpoint", held.checkpoint.checkpoint.size);
        report.findings.push(Finding::differs(Spot::Held(held.name.clone()), why));
    }
}
