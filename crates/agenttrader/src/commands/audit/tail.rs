//! `agenttrader audit tail`: the newest records of all logs, one line each, in the order of their times.

use super::{cut, layout, not_there, place, unread_record};
use crate::cli::audit::TailArgs;
use crate::output::{Done, Exit, Failure, is_read, talk};
use crate::settings::Settings;
use agenttrader_agent::shutdown::Signals;
use agenttrader_audit::record::{Outcome, Record};
use agenttrader_core::canonical_json;
use agenttrader_floor::plain::plain;
use agenttrader_floor::summary::{Layout, Style};
use agenttrader_governance::place::{Place, PlacedLog};
use agenttrader_governance::records::Reader;
use std::collections::VecDeque;
use std::time::Duration;

/// Between two looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Between two questions to an agent: each makes it sign what it has.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Columns of an agent's name, as long as the floor's.
const NAME_COLUMNS: usize = 22;

/// One log that is followed.
struct Followed {
    log: PlacedLog,
    reader: Option<Reader>,
    /// Records wanted of what is there at the first look.
    count: usize,
}

impl Followed {
    /// The newest `count` records of a log, to begin with.
    const fn of(log: PlacedLog, count: usize) -> Self {
        Self { log, reader: None, count }
    }

    /// Every record not seen yet, the newest of them where the log is looked at for the first time.
    fn more(&mut self, into: &mut Vec<Record>) -> Result<(), Failure> {
        let count = self.count;
        let mut most = usize::MAX;
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => {
                most = count;
                let reader = Reader::before_newest(&self.log, u64::try_from(count).unwrap_or(u64::MAX));
                none.insert(reader.map_err(|error| unread_record(&error, &self.log))?)
            }
        };
        let mut newest = VecDeque::new();
        let read = reader.read_on(|record| {
            newest.push_back(record);
            if newest.len() > most {
                newest.pop_front();
            }
        });
        into.extend(newest);
        read.map_err(|error| unread_record(&error, &self.log))
    }
}

/// Prints the newest records, and what comes where that is wanted.
pub async fn run(settings: &Settings, arguments: &TailArgs) -> Done {
    let mut signals = Signals::install().map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    let place = place(arguments.place.as_deref(), settings)?;
    let logs = match &arguments.agent {
        Some(agent) => vec![place.log(Some(agent)).map_err(|error| not_there(&error))?],
        None => place.logs().map_err(|error| not_there(&error))?,
    };
    let layout = layout(settings);
    let count = usize::try_from(arguments.lines).unwrap_or(usize::MAX);
    let mut followed: Vec<Followed> = logs.into_iter().map(|log| Followed::of(log, count)).collect();
    let every = if matches!(place, Place::Remote(_)) { ASK_EVERY } else { LOOK_EVERY };
    let mut is_first = true;
    loop {
        let mut records = Vec::new();
        let mut failure = None;
        for one in &mut followed {
            // What the others hold is printed all the same.
            failure = failure.or(one.more(&mut records).err());
        }
        records.sort_by(|a, b| (a.timestamp, &a.agent_name, a.seq).cmp(&(b.timestamp, &b.agent_name, b.seq)));
        let older = if is_first { records.len().saturating_sub(count) } else { 0 };
        if is_first && records.is_empty() && !arguments.follow && failure.is_none() {
            talk("no records");
        }
        for record in records.iter().skip(older) {
            if !is_read(&line(record, arguments.json, &layout)) {
                return Ok(Exit::Good);
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if !arguments.follow {
            return Ok(Exit::Good);
        }
        is_first = false;
        tokio::select! {
            _ = signals.next() => return Ok(Exit::Good),
            () = tokio::time::sleep(every) => {}
        }
        if matches!(place, Place::DataDir(_)) && arguments.agent.is_none() {
            // An agent that started meanwhile: its log is followed from its first record on.
            let logs = place.logs().map_err(|error| not_there(&error))?;
            let is_new = |log: &PlacedLog| !followed.iter().any(|known| known.log.agent_name == log.agent_name);
            let new: Vec<Followed> = logs.into_iter().filter(is_new).map(|log| Followed::of(log, usize::MAX)).collect();
            followed.extend(new);
        }
    }
}

/// One record in one line.
fn line(record: &Record, as_json: bool, layout: &Layout) -> String {
    if as_json {
        return canonical_json::of(record).unwrap_or_default();
    }
    let time = record.timestamp.to_string();
    let (date, time) = time.trim_end_matches('Z').split_once('T').unwrap_or_default();
    let (second, fraction) = time.split_once('.').unwrap_or((time, ""));
    let fraction = fraction.get(..3).unwrap_or(fraction);
    let error = record.error.as_deref().map(|error| format!(" · {error}")).unwrap_or_default();
    // What went as it should needs no word; what did not is not told twice.
    let outcome = match record.outcome {
        Outcome::Started | Outcome::Success => "",
        Outcome::Failure => "failure: ",
        Outcome::Refused => "refused: ",
    };
    let summary = &record.intent_summary;
    let outcome = if summary.starts_with(outcome) { "" } else { outcome };
    let (agent, kind, seq) = (&record.agent_name, record.intent_type, record.seq);
    let text = plain(&format!(
        "{date} {second}.{fraction:0<3}  {agent:<NAME_COLUMNS$} {seq:>5}  {kind:<22} {outcome}{summary}{error}"
    ));
    let text = cut(&text, layout);
    match (layout.style, record.outcome) {
        (Style::Ansi, Outcome::Failure) => layout.style.bold(&text),
        _ => text,
    }
}
