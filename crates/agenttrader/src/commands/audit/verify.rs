//! `agenttrader audit verify`: everything recomputed, and what that cannot show.

use super::{folded, layout, not_there, place_as_it_is, receipt};
use crate::cli::audit::VerifyArgs;
use crate::output::{Done, Exit, Failure, Progress, aside, data, json, talk};
use crate::settings::Settings;
use agenttrader_audit::note::{KeyKind, VerifierKey};
use agenttrader_audit::verify::{
    Against, Counts, Findings, Held, KnownKeys, LogReport, Verdict, verify_data_dir, verify_log,
};
use agenttrader_floor::plain::plain;
use agenttrader_governance::bounded_file;
use agenttrader_governance::kept::{KeptError, kept};
use agenttrader_governance::pack;
use agenttrader_governance::place::{Place, PlacedLog};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Columns of an agent's name, as long as the floor's.
const NAME_COLUMNS: usize = 22;

/// Columns of a label and the blanks after it.
const LABEL: usize = 11;

/// What a verification of a place comes to.
#[derive(Default)]
struct Judged {
    logs: Vec<LogReport>,
    /// What is wrong beside the logs: where and what.
    beside: Vec<(String, String)>,
    /// Findings beside the logs that are not told.
    untold: u64,
    /// The answer on what stands beside the logs.
    beside_verdict: Option<Verdict>,
    not_shown: Vec<String>,
    pack: Option<pack::verify::Report>,
}

/// Verifies a place, or a receipt.
pub fn run(settings: &Settings, arguments: &VerifyArgs) -> Done {
    let witnesses = witness_keys(&arguments.witness_key)?;
    if let (Some(proof), Some(entry), Some(key)) = (&arguments.proof, &arguments.entry, &arguments.key) {
        return receipt::verify(proof, entry, key, &witnesses, arguments.json);
    }
    let place = place_as_it_is(arguments.place.as_deref(), settings)?;
    let given = arguments.keys.as_deref().map(keys_of).transpose()?;
    let named: Vec<String> = given.iter().flat_map(KnownKeys::agents).collect();
    let held = held(&arguments.since)?;
    let begun = Instant::now();
    let mut judged = judge(&place, given, &witnesses, &held)?;
    missing(&place, &held, &mut judged)?;
    judged.not_shown.extend(logs_of_given_keys(&place, &named, &judged.logs));
    let verdict = judged.verdict();
    if arguments.json {
        show_json(&judged, verdict);
    } else {
        show(&judged, verdict, settings);
        let (seconds, entries) = (begun.elapsed().as_secs_f64(), judged.counts().entries);
        aside(&format!("{seconds:.1} s, {:.0} entries/s", entries as f64 / seconds.max(1e-9)));
    }
    let is_away = matches!(place, Place::Remote(_)) && judged.logs.iter().all(|log| log.size.is_none());
    Ok(match verdict {
        Verdict::Good => Exit::Good,
        Verdict::NoKey => Exit::CouldNot,
        Verdict::Unread if is_away => Exit::Unavailable,
        Verdict::Unread | Verdict::Different => Exit::Bad,
    })
}

/// Bytes of the largest file of keys that is read: some thousands of agents.
const KEYS_BYTES_MOST: u64 = 1 << 20;

/// The keys that an auditor trusts.
fn keys_of(path: &Path) -> Result<KnownKeys, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::new(Exit::CouldNot, format!("{}: {why}", path.display()));
    let bytes = bounded_file::read(path, KEYS_BYTES_MOST).map_err(|error| failed(&error))?;
    KnownKeys::parse(&bytes).map_err(|error| failed(&error))
}

fn witness_keys(vkeys: &[String]) -> Result<Vec<VerifierKey>, Failure> {
    let key = |vkey: &String| {
        let key = VerifierKey::parse(vkey).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
        if key.kind() == KeyKind::Cosigner {
            return Ok(key);
        }
        let hint = "a witness's key is of type 4; a log's belongs into the file of --keys";
        Err(Failure::new(Exit::CouldNot, format!("{key} is the key of a log, not of a witness")).hint(hint))
    };
    vkeys.iter().map(key).collect()
}

fn held(files: &[std::path::PathBuf]) -> Result<Vec<Held>, Failure> {
    let mut all = Vec::new();
    for file in files {
        all.extend(kept(file).map_err(|error| {
            let exit = if matches!(error, KeptError::Checkpoint { .. }) { Exit::Bad } else { Exit::CouldNot };
            Failure::of(exit, &error)
        })?);
    }
    if all.is_empty() && !files.is_empty() {
        return Err(Failure::new(Exit::CouldNot, "no checkpoint in what --since names".to_owned()));
    }
    Ok(all)
}

fn judge(place: &Place, known: Option<KnownKeys>, witnesses: &[VerifierKey], held: &[Held]) -> Result<Judged, Failure> {
    let shown = Mutex::new(Progress::new());
    let progress = |at: agenttrader_audit::verify::Progress<'_>| {
        let agent = at.origin.rsplit('/').next().unwrap_or_default();
        shown.lock().unwrap_or_else(PoisonError::into_inner).at(&format!("verifying {agent}"), at.entries, at.of);
    };
    let with_witnesses = |known: KnownKeys| witnesses.iter().cloned().fold(known, KnownKeys::with);
    let judged = match place {
        Place::DataDir(data_dir) => {
            let keys = with_witnesses(known.unwrap_or(KnownKeys::none()));
            let report = verify_data_dir(data_dir, Some(&keys), held, &progress);
            Ok(Judged::beside(report.findings, report.logs, report.not_shown))
        }
        Place::Remote(_) | Place::Folder(_) => {
            let log = place.log(None).map_err(|error| not_there(&error))?;
            let own = match (known, &log.data_dir) {
                (Some(known), _) => Ok(known),
                (None, Some(data_dir)) => KnownKeys::of_data_dir(data_dir),
                (None, None) => Ok(KnownKeys::none()),
            };
            let keys = with_witnesses(own.map_err(|error| Failure::of(Exit::CouldNot, &error))?);
            Ok(Judged { logs: vec![one(&log, &keys, held, &progress)], ..Judged::default() })
        }
        Place::Pack(opened) => {
            let given = pack::verify::Given { keys: known.as_ref(), witnesses, held, progress: &progress };
            let mut report =
                pack::verify::verify(opened, &given).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
            let logs = std::mem::take(&mut report.logs);
            Ok(Judged {
                logs,
                beside: report.findings.iter().map(|finding| (finding.path.clone(), finding.what.clone())).collect(),
                beside_verdict: Some(if report.findings.is_empty() { Verdict::Good } else { Verdict::Different }),
                not_shown: report.not_shown().map(str::to_owned).to_vec(),
                pack: Some(report),
                untold: 0,
            })
        }
    };
    shown.lock().unwrap_or_else(PoisonError::into_inner).end();
    judged
}

fn one(
    log: &PlacedLog,
    keys: &KnownKeys,
    held: &[Held],
    progress: &(dyn Fn(agenttrader_audit::verify::Progress<'_>) + Sync),
) -> LogReport {
    let blobs = log.blobs.as_deref().map(|blobs| blobs as &dyn agenttrader_audit::source::LogFiles);
    verify_log(&*log.files, &Against { agent_name: log.agent_name.as_deref(), keys, blobs, held, progress })
}

/// Logs whose keys were given and that a pack does not hold: what they say is not shown. (A data directory says so itself.)
fn logs_of_given_keys(place: &Place, named: &[String], logs: &[LogReport]) -> Vec<String> {
    if !matches!(place, Place::Pack(_)) {
        return Vec::new();
    }
    let is_here = |agent: &&String| {
        logs.iter()
            .any(|log| log.origin.as_deref().and_then(|origin| origin.rsplit('/').next()) == Some(agent.as_str()))
    };
    let absent = named.iter().filter(|agent| !is_here(agent));
    absent.map(|agent| format!("the log of {agent}: its key was given, and no log of it is here")).collect()
}

/// Kept checkpoints of logs that are not here: gone where all of a floor's logs should be, of no use where only one is looked at.
fn missing(place: &Place, held: &[Held], judged: &mut Judged) -> Result<(), Failure> {
    let here: BTreeSet<&str> = judged.logs.iter().filter_map(|log| log.origin.as_deref()).collect();
    let absent: BTreeSet<&str> = held
        .iter()
        .map(|held| held.checkpoint.checkpoint.origin.as_str())
        .filter(|origin| !here.contains(origin))
        .collect();
    let has_one = held.iter().any(|held| here.contains(held.checkpoint.checkpoint.origin.as_str()));
    if absent.is_empty() {
        return Ok(());
    }
    if matches!(place, Place::DataDir(_) | Place::Pack(_)) {
        let gone = absent
            .into_iter()
            .map(|origin| (origin.to_owned(), "a checkpoint of this log was kept, and the log is not here".to_owned()));
        let gone: Vec<_> = gone.collect();
        judged.beside.extend(gone);
        judged.beside_verdict = Some(Verdict::Different);
        return Ok(());
    }
    // What could not be read at all is a finding already.
    if here.is_empty() {
        return Ok(());
    }
    if !has_one {
        return Err(Failure::new(
            Exit::CouldNot,
            format!("none of the kept checkpoints is of {}", here.into_iter().collect::<Vec<_>>().join(", ")),
        ));
    }
    let passed =
        counted(absent.len() as u64, "kept checkpoint of another log is", "kept checkpoints of other logs are");
    talk(&format!("{passed} passed over"));
    Ok(())
}

impl Judged {
    fn beside(findings: Findings, logs: Vec<LogReport>, not_shown: Vec<String>) -> Self {
        let verdict = match (findings.differences(), findings.total()) {
            (0, 0) => Verdict::Good,
            (0, _) => Verdict::Unread,
            _ => Verdict::Different,
        };
        let beside: Vec<_> =
            findings.first().iter().map(|finding| (finding.at.to_string(), finding.why.clone())).collect();
        let untold = findings.total().saturating_sub(beside.len() as u64);
        Self { logs, beside, untold, beside_verdict: Some(verdict), not_shown, pack: None }
    }

    fn verdict(&self) -> Verdict {
        let logs = self.logs.iter().map(LogReport::verdict);
        // A place without any log verifies nothing.
        let none = if self.logs.is_empty() { Verdict::Different } else { Verdict::Good };
        logs.chain(self.beside_verdict).fold(none, Ord::max)
    }

    fn counts(&self) -> Counts {
        self.logs.iter().fold(Counts::default(), |sum, log| {
            let one = &log.counts;
            Counts {
                entries: sum.entries + one.entries,
                bundles: sum.bundles + one.bundles,
                tiles: sum.tiles + one.tiles,
                bytes: sum.bytes + one.bytes,
                files: sum.files + one.files,
                in_flight: sum.in_flight + one.in_flight,
                outgrown: sum.outgrown + one.outgrown,
                starts: sum.starts + one.starts,
                payloads: sum.payloads + one.payloads,
                payloads_read: sum.payloads_read + one.payloads_read,
                signatures: sum.signatures + one.signatures,
                held: sum.held + one.held,
                cosignatures: sum.cosignatures + one.cosignatures,
            }
        })
    }

    /// What cannot be shown, once, with the logs it holds of where it does not hold of all.
    fn not_shown(&self) -> Vec<String> {
        let mut by_text: Vec<(&str, Vec<&str>)> = Vec::new();
        for log in &self.logs {
            for text in &log.not_shown {
                match by_text.iter_mut().find(|(known, _)| known == text) {
                    Some((_, names)) => names.push(name(log)),
                    None => by_text.push((text, vec![name(log)])),
                }
            }
        }
        let of_logs = by_text.into_iter().map(|(text, names)| {
            if names.len() == self.logs.len() { text.to_owned() } else { format!("of {}: {text}", names.join(", ")) }
        });
        let mut all: Vec<String> = of_logs.collect();
        for text in &self.not_shown {
            if !all.contains(text) {
                all.push(text.clone());
            }
        }
        all
    }
}

/// The log's agent, or its place where not even a checkpoint could be read.
fn name(log: &LogReport) -> &str {
    log.origin.as_deref().and_then(|origin| origin.rsplit('/').next()).unwrap_or(&log.place)
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "GOOD",
        Verdict::NoKey => "NO KEY",
        Verdict::Unread => "UNREAD",
        Verdict::Different => "DIFFERENT",
    }
}

fn show_json(judged: &Judged, verdict: Verdict) {
    let logs: Vec<_> = judged.logs.iter().map(|log| json!({"verdict": log.verdict(), "report": log})).collect();
    let beside: Vec<_> = judged.beside.iter().map(|(at, why)| json!({"at": at, "why": why})).collect();
    json(&json!({
        "verdict": verdict,
        "logs": logs,
        "checked": judged.counts(),
        "findings_beside_logs": beside,
        "findings_beside_logs_not_told": judged.untold,
        "pack": judged.pack,
        "cannot_show": judged.not_shown(),
    }));
}

fn show(judged: &Judged, verdict: Verdict, settings: &Settings) {
    let layout = layout(settings);
    let style = layout.style;
    let say = |line: &str, indent: usize| data(&folded(line, &layout, indent));
    if let Some(pack) = &judged.pack {
        data(&format!("pack       SHA-256 {}, {} bytes, {} files", pack.sha256, pack.bytes, pack.files));
    }
    for log in &judged.logs {
        let none = if log.begun { "no checkpoint yet" } else { "no checkpoint" };
        let size = log.size.map_or_else(|| none.to_owned(), |size| counted(size, "entry", "entries"));
        let root = log.root.as_deref().map(|root| format!("  root {root}")).unwrap_or_default();
        let line =
            format!("{:<NAME_COLUMNS$} {:<9} {size:>15}{root}{}", plain(name(log)), word(log.verdict()), remarks(log));
        data(&if log.verdict() == Verdict::Good { line } else { style.bold(&line) });
        for finding in log.findings.first() {
            say(&format!("  {}", plain(&finding.to_string())), 4);
        }
        more(log.findings.total().saturating_sub(log.findings.first().len() as u64));
    }
    if !judged.beside.is_empty() {
        data(&style.bold("beside the logs"));
        judged.beside.iter().for_each(|(at, why)| say(&format!("  {}: {}", plain(at), plain(why)), 4));
        more(judged.untold);
    }
    data("");
    say(&format!("checked    {}", checked(judged)), LABEL);
    keys(&judged.logs);
    say(&style.bold(&format!("verdict    {}", sentence(judged, verdict))), LABEL);
    for (place, what) in judged.not_shown().iter().enumerate() {
        say(&format!("{:<LABEL$}{}", if place == 0 { "not shown" } else { "" }, plain(what)), LABEL);
    }
}

/// What else is to be known of a log.
fn remarks(log: &LogReport) -> String {
    let mut remarks = Vec::new();
    if log.live && log.size.is_some() {
        remarks.push("live".to_owned());
    }
    if let Some(records) = log.uncovered.filter(|records| *records > 0) {
        remarks.push(format!("{} in the journal alone", counted(records, "record", "records")));
    }
    if let Some(ended) = &log.ended {
        remarks.push(format!("its agent was ended {ended}, the next start goes on from there"));
    }
    if let Some(bytes) = log.torn {
        remarks.push(format!(
            "{} at the journal's end are no record, the agent cuts them off",
            counted(bytes, "byte", "bytes")
        ));
    }
    if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join("; ")) }
}

fn more(count: u64) {
    if count > 0 {
        data(&format!("  and {count} more"));
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What was checked, with counts.
fn checked(judged: &Judged) -> String {
    let counts = judged.counts();
    let mut parts = vec![
        counted(counts.entries, "entry", "entries"),
        counted(counts.bundles, "bundle", "bundles"),
        counted(counts.tiles, "tile", "tiles"),
        counted(counts.signatures, "signature", "signatures"),
    ];
    for (count, one, many) in [
        (counts.starts, "start with the same keys", "starts with the same keys"),
        (counts.payloads_read, "large payload", "large payloads"),
        (counts.files, "file", "files"),
        (counts.held, "kept checkpoint extended", "kept checkpoints extended"),
        (counts.cosignatures, "cosignature", "cosignatures"),
        (counts.in_flight, "file in flight", "files in flight"),
        (counts.outgrown, "file of an earlier checkpoint", "files of an earlier checkpoint"),
    ] {
        if count > 0 {
            parts.push(counted(count, one, many));
        }
    }
    parts.join(", ")
}

/// Which keys were used, and whose word they are.
fn keys(logs: &[LogReport]) {
    let mut by_source: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for log in logs {
        let from = log.key.as_ref().map_or_else(|| "none".to_owned(), |(_, from)| from.to_string());
        by_source.entry(from).or_default().push(name(log));
    }
    for (from, names) in &by_source {
        match (by_source.len(), logs) {
            (_, [LogReport { key: Some((key, _)), .. }]) => data(&format!("key        {} ({from})", plain(key))),
            (1, _) => data(&format!("keys       {from}")),
            _ => data(&format!("keys       {from}: {}", plain(&names.join(", ")))),
        }
    }
}

/// The answer in one line.
fn sentence(judged: &Judged, verdict: Verdict) -> String {
    let logs = counted(judged.logs.len() as u64, "log", "logs");
    let of_log = |log: &LogReport| {
        let first = log.findings.first().iter().find(|finding| !finding.unread);
        first.map(|finding| format!("{}: {finding}", name(log)))
    };
    let first =
        judged.logs.iter().find_map(of_log).or_else(|| judged.beside.first().map(|(at, why)| format!("{at}: {why}")));
    match (verdict, first) {
        (Verdict::Good, _) => format!("GOOD: nothing differs in {logs}"),
        (Verdict::NoKey, _) => format!("NO USABLE KEY: nothing differs in {logs}, and no key verifies who signed"),
        (Verdict::Unread, _) => "NOT VERIFIED: not all could be read".to_owned(),
        (Verdict::Different, Some(first)) => format!("DIFFERENT, first {}", plain(&first)),
        (Verdict::Different, None) => "DIFFERENT: there is no log".to_owned(),
    }
}
