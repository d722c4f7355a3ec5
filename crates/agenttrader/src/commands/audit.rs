//! `agenttrader audit …`: what logs hold, proofs of it, and whether they hold together.

mod checkpoint;
mod export;
mod index;
mod pack;
mod prove;
mod receipt;
mod show;
mod tail;
mod trace;
mod verify;
mod vkey;

use crate::cli::audit::AuditCommand;
use crate::output::{Done, Exit, Failure};
use crate::settings::Settings;
use agenttrader_audit::note::VerifierKey;
use agenttrader_audit::prove::ProveError;
use agenttrader_core::error_chain::chain;
use agenttrader_core::identity::{Build, is_agent_name};
use agenttrader_floor::summary::{Layout, wrapped};
use agenttrader_floor::terminal;
use agenttrader_governance::committed::{Committed, CommittedError};
use agenttrader_governance::keyring::{Keyring, KeyringError, origin};
use agenttrader_governance::place::{Place, PlaceError, PlacedLog};
use agenttrader_governance::records::RecordError;
use std::error::Error;

/// Runs the command.
pub async fn run(settings: &Settings, command: AuditCommand, build: &Build) -> Done {
    match command {
        AuditCommand::Tail(arguments) => tail::run(settings, &arguments).await,
        AuditCommand::Show(arguments) => show::run(settings, &arguments),
        AuditCommand::Prove(arguments) => prove::run(settings, &arguments),
        AuditCommand::Verify(arguments) => verify::run(settings, &arguments),
        AuditCommand::Export(arguments) => export::run(settings, &arguments),
        AuditCommand::Vkey(arguments) => vkey::run(settings, &arguments),
        AuditCommand::Checkpoint(arguments) => checkpoint::run(settings, &arguments),
        AuditCommand::Pack(arguments) => pack::run(settings, &arguments, build),
        AuditCommand::Index(arguments) => index::run(settings, &arguments),
        AuditCommand::Trace(arguments) => trace::run(settings, &arguments),
    }
}

/// The place that is named, or the data directory; a pack only if it is whole.
fn place(word: Option<&str>, settings: &Settings) -> Result<Place, Failure> {
    place_as_it_is(word, settings)?.whole().map_err(|error| not_there(&error))
}

/// The place that is named, or the data directory.
fn place_as_it_is(word: Option<&str>, settings: &Settings) -> Result<Place, Failure> {
    let data_dir = settings.data_dir.to_string_lossy();
    Place::of(word.unwrap_or(&data_dir)).map_err(|error| {
        let failure = not_there(&error);
        if word.is_none() && matches!(error, PlaceError::Missing { .. } | PlaceError::NoLogs { .. }) {
            return failure.hint("nothing ran here yet; name a place, or a data directory with --data-dir DIR");
        }
        failure
    })
}

fn not_there(error: &PlaceError) -> Failure {
    let failure = Failure::of(Exit::CouldNot, error);
    match error {
        PlaceError::Damaged { .. } => {
            Failure { exit: Exit::Bad, ..failure }.hint("`agenttrader audit verify` says all that is wrong")
        }
        PlaceError::Several { .. } => failure.hint("name the agent"),
        PlaceError::NoLogs { .. } => {
            failure.hint("a data directory holds audit/, the folder of a log holds checkpoint and tile/")
        }
        _ => failure,
    }
}

/// Reading failed: what was read and differs is bad, what could not be read leaves us without judgement, and what does not answer is a service
/// that is not there.
fn unread(error: &dyn Error, is_difference: bool, log: &PlacedLog) -> Failure {
    let is_remote = log.data_dir.is_none() && log.files.list().is_ok_and(|listed| listed.is_none());
    match (is_difference, is_remote) {
        (true, _) => Failure::of(Exit::Bad, error).hint("`agenttrader audit verify` says all that differs"),
        (false, true) => Failure::of(Exit::Unavailable, error).hint("does the agent run, and is this its port?"),
        (false, false) => Failure::of(Exit::CouldNot, error),
    }
    .of_log(log)
}

impl Failure {
    /// The same with the log it is about.
    fn of_log(mut self, log: &PlacedLog) -> Self {
        self.message = format!("{}: {}", log.files.place(), self.message);
        self
    }
}

fn unread_record(error: &RecordError, log: &PlacedLog) -> Failure {
    let failure = unread(error, error.is_difference(), log);
    match error {
        // It names its file.
        RecordError::Read(_) => Failure { message: chain(error), ..failure },
        _ => failure,
    }
}

fn uncommitted(error: &CommittedError, log: &PlacedLog) -> Failure {
    unread(error, error.is_difference(), log)
}

fn no_keys(error: &KeyringError) -> Failure {
    Failure::of(Exit::CouldNot, error)
}

fn unproved(error: &ProveError, log: &PlacedLog) -> Failure {
    let is_difference = match error {
        ProveError::Log { finding, .. } => !finding.unread,
        ProveError::Beyond { .. } => return Failure::of(Exit::CouldNot, error),
        ProveError::Checkpoint { .. } | ProveError::Differs { .. } => true,
    };
    // It names its place.
    Failure { message: chain(error), ..unread(error, is_difference, log) }
}

/// The public keys that lie beside a log.
fn keys_beside(log: &PlacedLog) -> Result<Keyring, Failure> {
    match (&log.data_dir, &log.pack) {
        (Some(data_dir), _) => Keyring::of_data_dir(data_dir).map_err(|error| no_keys(&error)),
        (None, Some(pack)) => {
            pack.keys().map_err(|finding| Failure::new(Exit::Bad, format!("{}: {}", finding.path, finding.what)))
        }
        (None, None) => Ok(Keyring::default()),
    }
}

/// The key of a log that lies beside it: of the agent whose place it is, or of whom its checkpoint names.
fn key_of(log: &PlacedLog, committed: &Committed) -> Result<Option<(VerifierKey, String)>, Failure> {
    let keys = keys_beside(log)?;
    let named = log.agent_name.as_deref().map(origin);
    let key = keys.get(named.as_deref().unwrap_or(&committed.checkpoint().checkpoint.origin));
    Ok(key.map(|key| (key.clone(), keys.from().to_owned())))
}

/// Place and agent out of words: an agent is a word that can name one; a place beside has a `/`, `.` or `:` in it, or stands before.
fn place_and_agent(words: &[String]) -> Result<(Option<&str>, Option<&str>), Failure> {
    match words {
        [] => Ok((None, None)),
        [agent] if is_agent_name(agent) => Ok((None, Some(agent))),
        [place] => Ok((Some(place), None)),
        [place, agent] if is_agent_name(agent) => Ok((Some(place), Some(agent))),
        [_, word, ..] => Err(Failure::new(Exit::CouldNot, format!("`{word}` cannot name an agent"))),
    }
}

/// How lines are laid out here.
fn layout(settings: &Settings) -> Layout {
    terminal::layout(terminal::style(settings.environment.contains_key("NO_COLOR")))
}

/// Columns below which nothing is cut: a terminal that is narrower breaks lines where it likes.
const WIDTH_LEAST: usize = 100;

/// A line cut to the terminal's width, where there is one.
fn cut(line: &str, layout: &Layout) -> String {
    match layout.width.map(|width| width.max(WIDTH_LEAST)).filter(|width| line.chars().count() > *width) {
        None => line.to_owned(),
        Some(width) => line.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A line in pieces as wide as the terminal, where there is one; all but the first indented.
fn folded(line: &str, layout: &Layout, indent: usize) -> String {
    layout.width.map_or_else(|| line.to_owned(), |width| wrapped(line, width, indent).join("\n"))
}
