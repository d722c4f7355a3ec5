//! `agenttrader replay`: a recording through the same code, and compared.

use crate::cli::ReplayArgs;
use crate::output::{Done, Exit, Failure, Progress, data, json, talk};
use agenttrader_core::identity::{AgentMode, Build};
use agenttrader_floor::bodies::Body;
use agenttrader_floor::configuration::{DEFAULT_STRATEGIES, RunSettings, effective};
use agenttrader_floor::replay::{Difference, Recorded, Replay, ReplayError, Replayed};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

fn could_not(error: &ReplayError) -> Failure {
    let failure = |exit| Failure::of(exit, error);
    match error {
        ReplayError::Configuration(_) => failure(Exit::Refused),
        ReplayError::Recording(_)
        | ReplayError::Engine(_)
        | ReplayError::TrustRoot(_)
        | ReplayError::TrustRootDigest
        | ReplayError::NoConfiguration => {
            failure(Exit::CouldNot).hint("`agenttrader record info FILE` shows what a recording holds")
        }
        ReplayError::Body(_) | ReplayError::Journal { .. } | ReplayError::Io { .. } | ReplayError::NoBody { .. } => {
            failure(Exit::CouldNot)
        }
    }
}

/// Runs the command.
pub fn run(arguments: &ReplayArgs, build: Build) -> Done {
    let begun = Instant::now();
    let strategies = arguments.strategies.clone().unwrap_or_else(|| DEFAULT_STRATEGIES.map(str::to_owned).to_vec());
    // A replay reads no environment: only an import lacks a configuration, and gets the defaults.
    let settings = RunSettings {
        configs: arguments.configs.clone(),
        strategies,
        strategy_mode: AgentMode::Observe,
        environment: BTreeMap::new(),
    };
    let defaults = |head: &agenttrader_sequence::head::Head| effective(&settings, &head.symbols);
    let replay = Replay::open(&arguments.file, build, defaults).map_err(|error| could_not(&error))?;
    let mut recorded = match &arguments.verify {
        Some(path) if path.is_dir() => {
            Some(Recorded::of_data_dir(path, replay.head().recording_id).map_err(|error| could_not(&error))?)
        }
        Some(path) => Some(Recorded::of_files(path).map_err(|error| could_not(&error))?),
        None => None,
    };
    let mut out = arguments.out.as_deref().map(Writer::create).transpose().map_err(|error| could_not(&error))?;
    let total = std::fs::metadata(&arguments.file).map_or(0, |metadata| metadata.len());
    let mut progress = Progress::new();
    let mut places = [0_u64; 3];
    let mut first: Option<Difference> = None;
    let each = |body: &Body| {
        if let Some(place) = places.get_mut(body.kind as usize) {
            *place = place.saturating_add(1);
            if let (Some(recorded), None) = (recorded.as_mut(), first.as_ref()) {
                first = recorded.compare(body, *place);
            }
        }
        out.as_mut().map_or(Ok(()), |out| out.write(body))
    };
    let replayed =
        replay.run(each, |bytes| progress.at("replaying", bytes, total)).map_err(|error| could_not(&error))?;
    progress.end();
    if let Some(out) = out {
        out.finish().map_err(|error| could_not(&error))?;
    }
    let verified = recorded.map(|recorded| Verdict {
        difference: first.or_else(|| recorded.left_over(places)).or_else(|| recorded.other_recording(&replayed)),
        is_whole: recorded.is_whole(),
        not_logged: recorded.not_logged(),
    });
    report(arguments, &replayed, verified.as_ref(), begun.elapsed().as_secs_f64());
    Ok(if verified.is_some_and(|verdict| verdict.difference.is_some()) { Exit::Bad } else { Exit::Good })
}

/// What a comparison came to.
struct Verdict {
    difference: Option<Difference>,
    is_whole: bool,
    not_logged: u64,
}

/// The files of `--out`: one of all bodies, in order.
struct Writer {
    file: BufWriter<File>,
    path: std::path::PathBuf,
}

impl Writer {
    fn create(folder: &Path) -> Result<Self, ReplayError> {
        let path = folder.join("bodies.txt");
        let failed = |source| ReplayError::Io { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = BufWriter::new(File::create(&path).map_err(failed)?);
        Ok(Self { file, path })
    }

    fn write(&mut self, body: &Body) -> Result<(), ReplayError> {
        writeln!(self.file, "{} {}", body.kind, body.json)
            .map_err(|source| ReplayError::Io { path: self.path.clone(), source })
    }

    fn finish(mut self) -> Result<(), ReplayError> {
        self.file.flush().map_err(|source| ReplayError::Io { path: self.path.clone(), source })
    }
}

fn report(arguments: &ReplayArgs, replayed: &Replayed, verified: Option<&Verdict>, seconds: f64) {
    if arguments.json {
        let verdict = verified.map(|verdict| {
            serde_json::json!({
                "identical": verdict.difference.is_none(),
                "difference": verdict.difference,
                "ended_in_order": verdict.is_whole,
                "not_logged": verdict.not_logged,
            })
        });
        json(&serde_json::json!({"replay": replayed, "verify": verdict}));
        return;
    }
    for note in &replayed.notes {
        data(&format!("note       {note}"));
    }
    if let Some(torn) = replayed.torn {
        data(&format!("torn       {} bytes at {} are no whole input and were left out", torn.bytes, torn.offset));
    }
    data(&format!(
        "recording  {} ({} inputs, SHA-256 {})",
        replayed.recording_id, replayed.inputs, replayed.recording_sha256
    ));
    if let (Some(first), Some(last)) = (replayed.first_utc, replayed.last_utc) {
        data(&format!("from       {first} to {last}"));
    }
    data(&format!(
        "bodies     {} proposals, {} decisions, {} fills",
        replayed.proposals, replayed.decisions, replayed.fills
    ));
    if let Some(profit) = &replayed.shadow_profit_usd {
        data(&format!("SHADOW     {profit} USD (hypothetical: no order was sent)"));
    }
    data(&format!("digest     {}", replayed.bodies_sha256));
    match verified {
        None => {}
        Some(Verdict { difference: None, is_whole: true, .. }) => {
            data("verify     IDENTICAL: every recorded proposal, decision and fill was made again, byte for byte");
        }
        Some(Verdict { difference: None, not_logged, .. }) => {
            data(
                "verify     IDENTICAL as far as logged: every recorded proposal, decision and fill was made again, byte for byte",
            );
            data(&format!(
                "           the logs name no end of this run (it was cut off, or still runs): {not_logged} later bodies and the \
                 recording's end cannot be compared"
            ));
        }
        Some(Verdict { difference: Some(difference), .. }) => {
            data(&format!("verify     DIFFERENT: {difference}"));
            let shown = |side: &Option<serde_json::Value>| {
                side.as_ref().map_or_else(|| "nothing more".to_owned(), ToString::to_string)
            };
            data(&format!("replayed   {}", shown(&difference.replayed)));
            data(&format!("recorded   {}", shown(&difference.recorded)));
        }
    }
    talk(&format!("{:.1} s, {:.0} inputs/s", seconds, replayed.inputs as f64 / seconds.max(1e-9)));
}
