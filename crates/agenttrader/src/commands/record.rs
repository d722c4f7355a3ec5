//! `agenttrader record import|info`.

use crate::cli::{ImportArgs, ImportFormat, RecordCommand, Resolution};
use crate::output::{Done, Exit, Failure, Progress, data, json, talk};
use agenttrader_core::symbol::Symbol;
use agenttrader_floor::plain::plain;
use agenttrader_sequence::import::lean::{ImportReport, ImportRequest, Step, import_lean};
use agenttrader_sequence::info::Info;
use std::time::Instant;

/// Runs the command.
pub fn run(command: RecordCommand) -> Done {
    match command {
        RecordCommand::Import(arguments) => import(&arguments),
        RecordCommand::Info { file, json: as_json } => {
            let info = Info::of(&file).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
            if as_json {
                json(&info);
            } else {
                show_info(&info);
            }
            Ok(Exit::Good)
        }
    }
}

fn import(arguments: &ImportArgs) -> Done {
    let symbol = Symbol::parse(&arguments.symbol).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    let request = ImportRequest {
        src: arguments.src.clone(),
        symbol,
        date: arguments.date,
        out: arguments.out.clone(),
        resolution: arguments.resolution.map(|resolution| match resolution {
            Resolution::Tick => agenttrader_sequence::import::lean::Resolution::Tick,
            Resolution::Second => agenttrader_sequence::import::lean::Resolution::Second,
            Resolution::Minute => agenttrader_sequence::import::lean::Resolution::Minute,
        }),
        extended: arguments.extended,
    };
    let begun = Instant::now();
    let mut progress = Progress::new();
    let mut shown = |now: agenttrader_sequence::import::lean::Progress| {
        let what = match now.step {
            Step::Digests => "reading files",
            Step::Contracts => "reading contracts",
            Step::Writing => "writing",
        };
        progress.at(what, now.done, now.total);
    };
    let imported = match arguments.format {
        ImportFormat::Lean => import_lean(&request, &mut shown),
    };
    progress.end();
    let report = imported.map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    if arguments.json {
        json(&report);
    } else {
        show_report(&report);
        talk(&format!("{} in {:.1} s", arguments.out.display(), begun.elapsed().as_secs_f64()));
        talk(&format!("next: agenttrader replay {0}, or agenttrader floor --recording {0}", arguments.out.display()));
    }
    Ok(Exit::Good)
}

fn show_info(info: &Info) {
    let time = |at: Option<agenttrader_core::time::UnixNanos>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    data(&format!("recording    {} (format {})", info.recording_id, info.format_version));
    data(&format!("source       {}", plain(&info.source.name)));
    data(&format!("session      {}", info.session_date));
    let symbols: Vec<String> = info.symbols.iter().map(ToString::to_string).collect();
    data(&format!("symbols      {}", symbols.join(", ")));
    data(&format!("from         {} to {}", time(info.first_utc), time(info.last_utc)));
    data(&format!(
        "cadence      {}",
        info.cadence.map_or_else(|| "none declared".to_owned(), |cadence| cadence.to_string())
    ));
    data(&format!("inputs       {}", info.inputs));
    for (kind, count) in &info.inputs_by_kind {
        data(&format!("  {kind:<16} {count:>10}"));
    }
    for (kind, count) in &info.instruments_by_kind {
        data(&format!("instruments  {kind:<16} {count:>10}"));
    }
    data(&format!("gaps         {}", info.gap_count));
    for gap in info.gaps.iter().take(10) {
        data(&format!("  {} to {}", gap.from_utc, gap.to_utc));
    }
    if let Some(torn) = info.torn {
        data(&format!("torn         {} bytes at {} are no whole input", torn.bytes, torn.offset));
    }
    data(&format!("digest       {} over {} bytes", info.digest, info.bytes));
}

fn show_report(report: &ImportReport) {
    for file in &report.files {
        match &file.not_read {
            Some(why) => data(&format!("not read     {}: {}", plain(&file.path), plain(why))),
            None => {
                data(&format!("read         {}: {} rows, {} events", plain(&file.path), file.rows_read, file.written))
            }
        }
    }
    data(&format!("rows         {} read", report.rows_read));
    for (kind, count) in &report.written {
        data(&format!("  wrote {kind:<20} {count:>10}"));
    }
    for (what, rows) in [("dropped", &report.dropped), ("adjusted", &report.adjusted)] {
        for (reason, dropped) in rows {
            data(&format!("  {what} {:>8}  {reason}, for example {}", dropped.count, plain(&dropped.example)));
        }
    }
    data(&format!(
        "recording    {} ({} instruments, {} inputs, {} bytes)",
        report.recording_id, report.instruments, report.inputs, report.bytes
    ));
    data(&format!("digest       {}", report.digest));
}
