//! Commands that make something record it in the log of `governance-cli`, or do nothing.

use crate::output::{Exit, Failure};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::identity::Build;
use agenttrader_governance::own_log::{GOVERNANCE_CLI, OwnLog, OwnLogError};
use serde_json::Value;

/// Does something while the log is held, then records it. Where the log cannot be opened nothing is done.
pub(in crate::commands) fn recorded<T>(
    settings: &Settings,
    build: &Build,
    kind: IntentType,
    act: impl FnOnce() -> Result<T, Failure>,
    tell: impl FnOnce(&T) -> (String, Value),
) -> Result<T, Failure> {
    let log = OwnLog::open(&settings.data_dir, build).map_err(|error| unrecorded(&error))?;
    let done = act()?;
    let (summary, payload) = tell(&done);
    let entry = Entry::new(clock::wall(), kind, Outcome::Success, &*summary, payload);
    log.record(entry).map_err(|error| {
        let failure = unrecorded(&error);
        Failure { message: format!("it is done ({summary}), and no record of it: {}", failure.message), ..failure }
    })?;
    Ok(done)
}

fn unrecorded(error: &OwnLogError) -> Failure {
    if error.may_pass() {
        Failure::of(Exit::TryAgain, error).hint("another command may be at it: try again in a moment")
    } else {
        Failure::of(Exit::CouldNot, error)
            .hint(format!("what commands make is recorded in the log of {GOVERNANCE_CLI}"))
    }
}
