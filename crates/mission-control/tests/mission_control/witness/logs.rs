//! Logs of one agent, made by the log itself, some of them with another history or another key.

use agenttrader_audit::log::{Log, origin};
use agenttrader_audit::note::{NoteSigner, VerifierKey};
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use ed25519_dalek::SigningKey;
use serde_json::json;
use std::path::{Path, PathBuf};

pub const AGENT: &str = "gamma-strategy";

/// Makes logs of an agent with one key.
#[derive(Clone)]
pub struct LogMaker {
    key: SigningKey,
    name: &'static str,
    agent: &'static str,
}

/// A log that is open.
pub struct Made {
    log: Log,
    name: &'static str,
}

impl LogMaker {
    pub fn with_key(seed: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[seed; 32]), name: "first", agent: AGENT }
    }

    /// The same key over other records.
    pub fn named(&self, name: &'static str) -> Self {
        Self { name, ..self.clone() }
    }

    /// Logs of another agent.
    pub fn of(self, agent: &'static str) -> Self {
        Self { agent, ..self }
    }

    /// Whose logs it makes.
    pub const fn agent(&self) -> &'static str {
        self.agent
    }

    pub fn signer(&self) -> NoteSigner {
        NoteSigner::log(&origin(REPO_ID, self.agent), self.key.clone())
    }

    pub fn vkey(&self) -> VerifierKey {
        self.signer().verifier()
    }

    /// Opens the agent's log in a data directory, or makes it.
    pub fn open(&self, data_dir: &Path) -> Made {
        let identity = AgentIdentity {
            agent_name: self.agent.to_owned(),
            agent_role: AgentRole::StrategyEval,
            agent_mode: AgentMode::Observe,
        };
        let build = Build { git_sha: "0".repeat(40), build_id: "1".to_owned() };
        Made { log: Log::open(data_dir, identity, REPO_ID, build, self.signer()).unwrap(), name: self.name }
    }

    /// Where a log's checkpoint and tiles stand.
    pub fn root_of(data_dir: &Path) -> PathBuf {
        data_dir.join("audit").join(AGENT)
    }
}

impl Made {
    /// Appends so many records and waits until a checkpoint covers them.
    pub fn append(&self, count: u64) {
        let entry = |number: u64| {
            let payload = json!({"history": self.name, "number": number});
            Entry::new(UnixNanos::from_seconds(1_800_000_000), IntentType::Signal, Outcome::Success, "signal", payload)
        };
        let tickets: Vec<_> = (0..count).map(|number| self.log.append(entry(number))).collect();
        for ticket in tickets {
            ticket.durable().unwrap();
        }
        self.log.checkpoint_now().unwrap();
    }

    /// The root of its last checkpoint.
    pub fn root(&self) -> String {
        self.log.checkpoint().unwrap().checkpoint.root.to_string()
    }

    pub fn close(self) {
        self.log.close().unwrap();
    }
}

/// Puts a copy of a data directory's logs in the place of another's.
pub fn copy(from: &Path, to: &Path) {
    for part in ["audit", "audit-state"] {
        // Beside it first: whoever reads meanwhile finds the one or the other, or nothing for a moment.
        let beside = to.join(format!("{part}.new"));
        copy_dir(&from.join(part), &beside);
        if to.join(part).exists() {
            std::fs::rename(to.join(part), to.join(format!("{part}.old"))).unwrap();
        }
        std::fs::rename(&beside, to.join(part)).unwrap();
        let _ = std::fs::remove_dir_all(to.join(format!("{part}.old")));
    }
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
