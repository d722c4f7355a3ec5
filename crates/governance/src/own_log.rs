//! The log of `governance-cli`: where commands that write reports put down that they did.

use crate::keyring::origin;
use agenttrader_agent::clock;
use agenttrader_agent::keys::{KeyError, Keys};
pub use agenttrader_agent::start::GOVERNANCE_CLI;
use agenttrader_audit::log::{Log, LogError, OpenError};
use agenttrader_audit::receipt::Receipt;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use serde_json::json;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longest wait for a record to be durable and covered by a checkpoint.
const RECORDED_WITHIN: Duration = Duration::from_secs(10);

/// The log, open and held.
#[derive(Debug)]
pub struct OwnLog {
    log: Log,
    start: Entry,
}

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub enum OwnLogError {
    /// The agent has no keys.
    #[error("{GOVERNANCE_CLI} has no keys")]
    Keys(#[from] KeyError),
    /// The log cannot be opened, or another command holds it.
    #[error("the log of {GOVERNANCE_CLI} cannot be opened")]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error("the log of {GOVERNANCE_CLI} cannot be written")]
    Write(#[from] LogError),
    /// It took too long.
    #[error("the record was not durable within {} s", RECORDED_WITHIN.as_secs())]
    TooLong,
}

impl OwnLogError {
    /// Whether trying again later may help.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Open(OpenError::Held { .. }) | Self::Write(_) | Self::TooLong)
    }
}

impl OwnLog {
    /// Opens the log; keys are made at the first time, as for any agent.
    ///
    /// # Errors
    /// [`OwnLogError`].
    pub fn open(data_dir: &Path, build: &Build) -> Result<Self, OwnLogError> {
        let identity = AgentIdentity {
            agent_name: GOVERNANCE_CLI.to_owned(),
            agent_role: AgentRole::Ops,
            agent_mode: AgentMode::Off,
        };
        let keys = Keys::open(data_dir, GOVERNANCE_CLI)?;
        let signer = keys.log.note_signer(&origin(GOVERNANCE_CLI));
        let log = Log::open(data_dir, identity.clone(), REPO_ID, build.clone(), signer)?;
        let payload = json!({
            "agent_identity": identity,
            "build": build,
            "public_keys": keys.public(),
            "torn": log.opened().torn,
        });
        let start = Entry::new(clock::wall(), IntentType::AgentStart, Outcome::Started, "agent starts", payload);
        Ok(Self { log, start })
    }

    /// Records one thing, waits until it is durable and a checkpoint covers it, and closes the log.
    ///
    /// # Errors
    /// [`OwnLogError::Write`] and [`OwnLogError::TooLong`]; in the latter case it may still become durable.
    pub fn record(self, entry: Entry) -> Result<Receipt, OwnLogError> {
        let (done, answer) = mpsc::sync_channel(1);
        // A disk that hangs must not hold the command longer than is said.
        let waiting = move || {
            self.log.append(self.start).unwaited();
            let recorded = self.log.append(entry);
            let stop = json!({"reason": "the command is done", "recording": null});
            let stop = Entry::new(clock::wall(), IntentType::AgentStop, Outcome::Success, "agent stops", stop);
            self.log.append(stop).unwaited();
            let receipt = recorded.durable();
            let closed = self.log.close();
            let _ = done.send(receipt.and_then(|receipt| closed.map(|()| receipt)));
        };
        let thread = thread::Builder::new().name("own log".to_owned()).spawn(waiting);
        thread.map_err(|error| OwnLogError::Open(OpenError::Thread(error)))?;
        match answer.recv_timeout(RECORDED_WITHIN) {
            Ok(recorded) => Ok(recorded?),
            Err(_) => Err(OwnLogError::TooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::read;

    fn build() -> Build {
        Build { git_sha: "unknown".to_owned(), build_id: "test".to_owned() }
    }

    fn report(word: &str) -> Entry {
        Entry::new(clock::wall(), IntentType::ReportGenerated, Outcome::Success, word, json!({"report": word}))
    }

    #[test]
    fn each_report_is_one_run_of_the_agent_and_a_checkpoint_covers_it() {
        let dir = tempfile::tempdir().unwrap();
        for (word, index) in [("first", 1), ("second", 4)] {
            let receipt = OwnLog::open(dir.path(), &build()).unwrap().record(report(word)).unwrap();
            assert_eq!((receipt.index(), receipt.origin()), (index, &*origin(GOVERNANCE_CLI)));
        }
        let records: Vec<_> = read::records(dir.path(), GOVERNANCE_CLI).unwrap().map(Result::unwrap).collect();
        let kinds: Vec<_> = records.iter().map(|record| record.intent_type.as_str()).collect();
        assert_eq!(kinds, ["agent_start", "report_generated", "agent_stop"].repeat(2));
        let checkpoint = std::fs::read_to_string(dir.path().join("audit/governance-cli/checkpoint")).unwrap();
        assert!(checkpoint.contains("\n6\n"), "{checkpoint}");
    }

    #[test]
    fn a_log_that_another_command_holds_is_tried_again_later() {
        let dir = tempfile::tempdir().unwrap();
        let held = OwnLog::open(dir.path(), &build()).unwrap();
        assert!(OwnLog::open(dir.path(), &build()).unwrap_err().may_pass());
        drop(held);
        assert!(OwnLog::open(dir.path(), &build()).is_ok());
    }
}
