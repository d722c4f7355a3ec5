//! `agenttrader audit export`: a copy of a log, for tools that are not ours.

use super::{not_there, place, uncommitted};
use crate::cli::audit::{ExportArgs, ExportFormat};
use crate::output::{Done, Exit, Failure, Progress, data, json};
use crate::settings::Settings;
use agenttrader_audit::merkle::{Frontier, leaf_hash};
use agenttrader_audit::tile::tiles_of;
use agenttrader_governance::committed::Committed;
use agenttrader_governance::place::{PlaceError, PlacedLog};
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// Copies what a checkpoint covers, and compares its entries with the checkpoint's root.
pub fn run(settings: &Settings, arguments: &ExportArgs) -> Done {
    let place = place(arguments.place.as_deref(), settings)?;
    let log = place.log(arguments.agent.as_deref()).map_err(|error| match error {
        PlaceError::Several { .. } => not_there(&error).hint("name one with --agent NAME"),
        _ => not_there(&error),
    })?;
    let committed = Committed::now(&log.files).map_err(|error| uncommitted(&error, &log))?;
    let nothing = || Failure::new(Exit::CouldNot, format!("{} has no checkpoint yet", log.files.place()));
    let mut committed = committed.ok_or_else(nothing)?;
    let mut progress = Progress::new();
    let copied = match arguments.format {
        ExportFormat::Ndjson => ndjson(&mut committed, &log, &arguments.out, &mut progress),
        ExportFormat::Tiles => tiles(&mut committed, &log, &arguments.out, &mut progress),
    };
    progress.end();
    let copied = copied?;
    let checkpoint = &committed.checkpoint().checkpoint;
    let out = arguments.out.display();
    if copied.root() != checkpoint.root {
        return Err(Failure::new(
            Exit::Bad,
            format!("{out} is written, but its entries do not make the checkpoint's root: the log was altered"),
        )
        .hint("`agenttrader audit verify` names the first entry, tile or file that differs"));
    }
    if arguments.json {
        json(&serde_json::json!({
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
            "out": arguments.out,
        }));
    } else {
        data(&format!("{out}: {} entries of {}, root {}", checkpoint.size, checkpoint.origin, checkpoint.root));
    }
    Ok(Exit::Good)
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::CouldNot, format!("cannot write {}: {error}", path.display()))
}

/// Every entry, in order, with how far it is.
fn entries(
    committed: &mut Committed,
    log: &PlacedLog,
    progress: &mut Progress,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Frontier, Failure> {
    let mut frontier = Frontier::default();
    let size = committed.size();
    for index in 0..size {
        let entry = committed.entry(index).map_err(|error| uncommitted(&error, log))?;
        frontier.push(leaf_hash(&entry));
        take(&entry)?;
        progress.at("exporting", index, size);
    }
    Ok(frontier)
}

fn ndjson(
    committed: &mut Committed,
    log: &PlacedLog,
    out: &Path,
    progress: &mut Progress,
) -> Result<Frontier, Failure> {
    let failed = |error: io::Error| unwritten(out, &error);
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(out).map_err(failed)?);
    let copied = entries(committed, log, progress, |entry| {
        file.write_all(entry).and_then(|()| file.write_all(b"\n")).map_err(failed)
    })?;
    file.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(copied)
}

fn tiles(committed: &mut Committed, log: &PlacedLog, out: &Path, progress: &mut Progress) -> Result<Frontier, Failure> {
    fs::create_dir_all(out.parent().unwrap_or(Path::new("."))).map_err(|error| unwritten(out, &error))?;
    fs::create_dir(out).map_err(|error| unwritten(out, &error))?;
    let write = |path: &str, bytes: &[u8]| {
        let path = out.join(path);
        fs::create_dir_all(path.parent().unwrap_or(out))
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|error| unwritten(&path, &error))
    };
    for tile in tiles_of(committed.size()) {
        let bytes = committed.tile(tile).map_err(|error| uncommitted(&error, log))?;
        write(&tile.to_string(), &bytes)?;
    }
    // Last, so that a copy that was cut off is none.
    write("checkpoint", committed.checkpoint().to_string().as_bytes())?;
    entries(committed, log, progress, |_| Ok(()))
}
