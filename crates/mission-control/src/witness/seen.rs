//! What the API shows of the logs that are followed.

use super::finding::Finding;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::note::VerifierKey;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Everything the witness knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditSeen {
    /// Ourselves; none where no log is followed.
    pub witness: Option<WitnessKey>,
    /// Since when our key is used, wall time.
    pub witness_since_utc: Option<UnixNanos>,
    /// The outside witnesses, in the order in which they were given.
    pub outside: Vec<OutsideSeen>,
    /// The logs, by agent.
    pub logs: BTreeMap<String, LogAudit>,
}

/// A witness's verifier key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WitnessKey {
    /// Its name.
    pub name: String,
    /// `<name>+<key id>+<Base64 of type and key>`.
    pub vkey: String,
}

/// From where on checkpoints of a log are held. What happened to the log before, this witness cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldSince {
    /// When the first of them was verified, wall time.
    #[schema(value_type = String, format = DateTime)]
    pub utc: UnixNanos,
    /// Its entries.
    pub size: u64,
}

/// How a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogState {
    /// It was not looked at yet.
    Unknown,
    /// It serves no checkpoint yet.
    Empty,
    /// Its last checkpoint goes on from the one before.
    Verified,
    /// Something is wrong: see its findings.
    Alarm,
}

/// One signature of a witness over a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cosignature {
    /// The witness.
    pub name: String,
    /// Entries of the checkpoint it signed.
    pub size: u64,
    /// When it signed, by its own clock.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub time_utc: Option<UnixNanos>,
}

/// One log that is followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogAudit {
    /// Whose log it is.
    pub agent_name: String,
    /// The log's origin.
    pub origin: String,
    /// The key it is verified with; null while none is known.
    #[schema(required = true)]
    pub vkey: Option<String>,
    /// How it stands.
    pub state: LogState,
    /// Entries of the last checkpoint that was verified; null before the first.
    #[schema(required = true)]
    pub size: Option<u64>,
    /// Its root, in Base64.
    #[schema(required = true)]
    pub root: Option<String>,
    /// When a checkpoint of this log was last verified here, wall time; the same one again counts.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub verified_utc: Option<UnixNanos>,
    /// From where on its checkpoints are held, each shown to go on from the one before; null before the first, and where that was not kept.
    #[schema(required = true)]
    pub held_since: Option<HeldSince>,
    /// Who signed the cosigned checkpoint that is kept.
    pub cosigned_by: Vec<Cosignature>,
    /// What is wrong, the gravest first.
    pub findings: Vec<Finding>,
}

/// An outside witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutsideSeen {
    /// Its verifier key, with which its answers are checked.
    #[serde(flatten)]
    pub key: WitnessKey,
    /// Where it is sent checkpoints.
    pub url: String,
    /// What it has signed, by agent.
    pub logs: BTreeMap<String, OutsideLog>,
}

/// What an outside witness has signed of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutsideLog {
    /// Entries of the largest checkpoint it is known to hold.
    pub size: u64,
    /// When it last signed, wall time here.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub cosigned_utc: Option<UnixNanos>,
    /// Why it did not sign the last checkpoint it was sent.
    #[schema(required = true)]
    pub error: Option<String>,
    /// Tries in a row that failed; the next is made later each time.
    pub failures: u32,
}

/// A finding with whose log it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogFinding {
    /// Whose log.
    pub agent_name: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub finding: Finding,
}

impl AuditSeen {
    /// Every finding, the gravest first.
    pub fn findings(&self) -> Vec<LogFinding> {
        let of = |log: &LogAudit| {
            let agent_name = log.agent_name.clone();
            let with = move |finding: &Finding| LogFinding { agent_name: agent_name.clone(), finding: finding.clone() };
            log.findings.iter().map(with).collect::<Vec<_>>()
        };
        let mut found: Vec<LogFinding> = self.logs.values().flat_map(of).collect();
        found.sort_by_key(|one| one.finding.code);
        found
    }
}

impl WitnessKey {
    /// The key as it is shown.
    pub fn of(key: &VerifierKey) -> Self {
        Self { name: key.name().to_owned(), vkey: key.to_string() }
    }
}

impl LogAudit {
    /// A log that was not looked at yet.
    pub fn unknown(agent_name: &str, origin: &str) -> Self {
        Self {
            agent_name: agent_name.to_owned(),
            origin: origin.to_owned(),
            vkey: None,
            state: LogState::Unknown,
            size: None,
            root: None,
            verified_utc: None,
            held_since: None,
            cosigned_by: Vec::new(),
            findings: Vec::new(),
        }
    }
}

/// The witnesses' lines of a cosigned checkpoint.
pub fn cosignatures(checkpoint: &SignedCheckpoint) -> Vec<Cosignature> {
    let witnesses = checkpoint.note().signatures().iter().filter(|line| line.name != checkpoint.checkpoint.origin);
    let of = |line: &agenttrader_audit::note::SignatureLine| Cosignature {
        name: line.name.clone(),
        size: checkpoint.checkpoint.size,
        time_utc: line.seconds().and_then(|seconds| i64::try_from(seconds).ok()).map(UnixNanos::from_seconds),
    };
    witnesses.map(of).collect()
}
