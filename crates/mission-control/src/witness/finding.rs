//! What can be wrong with a log that is followed, in codes, words, and what to do.

use agenttrader_agent::start::{GOVERNANCE_CLI, SHADOW_GATE};
use agenttrader_audit::witness::Refused;
use agenttrader_audit::witnessed::WITNESS_STATE;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// Characters kept of words that others chose.
const WORDS_MOST: usize = 400;

/// What is wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditCode)]
pub enum Code {
    /// The log signed two histories. Stays until a person decides.
    #[serde(rename = "AUDIT_FORK")]
    Fork,
    /// The log is smaller than it was. Stays until a person decides.
    #[serde(rename = "AUDIT_ROLLBACK")]
    Rollback,
    /// Another key than the one that was verified before.
    #[serde(rename = "AUDIT_KEY_CHANGED")]
    KeyChanged,
    /// What the log serves is no checkpoint of it, or its tiles are not those of its checkpoint.
    #[serde(rename = "AUDIT_CORRUPT")]
    Corrupt,
    /// Durable records that no checkpoint covers, or a log that cannot be written.
    #[serde(rename = "AUDIT_STALLED")]
    Stalled,
    /// The log cannot be asked.
    #[serde(rename = "AUDIT_UNREACHABLE")]
    Unreachable,
}

/// What a finding rests on, where its code alone does not say what to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// What its code is mostly raised for.
    #[default]
    Usual,
    /// No checkpoint shows it: somebody says so, and signed nothing.
    Unshown,
    /// The file of an alarm that was raised earlier cannot be read.
    UnreadAlarm,
    /// The witness's own file of the log is damaged; the log was not looked at.
    KeptFile,
    /// The witness cannot write its own files.
    OwnDisk,
    /// The log's key is not known.
    NoKey,
    /// The agent answers, and its checkpoint is gone.
    Removed,
    /// The status says that something cannot be written.
    Unwritable,
}

/// What is wrong with one log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditFinding)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// In words; may hold text of whoever answered.
    pub words: String,
    /// What to do.
    pub remedy: String,
    /// Since when, wall time; null where nobody can tell any more.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub since_utc: Option<UnixNanos>,
}

impl Code {
    /// Every code, the gravest first.
    pub const ALL: [Self; 6] =
        [Self::Fork, Self::Rollback, Self::KeyChanged, Self::Corrupt, Self::Stalled, Self::Unreachable];

    /// The code as it is spelt everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fork => "AUDIT_FORK",
            Self::Rollback => "AUDIT_ROLLBACK",
            Self::KeyChanged => "AUDIT_KEY_CHANGED",
            Self::Corrupt => "AUDIT_CORRUPT",
            Self::Stalled => "AUDIT_STALLED",
            Self::Unreachable => "AUDIT_UNREACHABLE",
        }
    }

    /// Whether it stays raised until a person takes it back: what it tells of cannot become undone by itself.
    pub const fn stays(self) -> bool {
        matches!(self, Self::Fork | Self::Rollback)
    }

    /// What to do about it. `agent_name` is whose log it is.
    pub fn remedy(self, cause: Cause, agent_name: &str) -> String {
        let state = format!("DATA_DIR/{WITNESS_STATE}");
        let alarm = format!("{state}/alarms/{agent_name}/{self}");
        let decided = format!(
            "Once a person has decided, remove that file to take this back; to follow the log anew as it is now, remove \
             {state}/witness/{agent_name} first"
        );
        match (cause, self) {
            (Cause::UnreadAlarm, _) => format!(
                "this was raised earlier, and what showed it may be lost: keep {alarm} as it is, look at its owner and its disk, and compare the \
                 log with copies kept elsewhere. {decided}"
            ),
            (Cause::Unshown, _) => format!(
                "keep {alarm}: it holds the last checkpoint that was verified here, signed by the log, and what is said against it, signed by \
                 nobody; ask who says so for the checkpoint that it holds. {decided}"
            ),
            (Cause::KeptFile, _) => format!(
                "not the log is at fault but the witness's own {state}/witness/{agent_name}: find out who changed it. If nobody tampered with it, \
                 remove it: the log is then followed anew, as it is now, without a new start"
            ),
            (Cause::OwnDisk, _) => format!("look at the disk of mission control, under {state}"),
            (Cause::NoKey, _) => format!(
                "look at DATA_DIR/keys/agents.json of mission control: it must list the key of {agent_name}, which puts it there when it starts"
            ),
            (Cause::Removed, _) if agent_name == GOVERNANCE_CLI => format!(
                "find out who removed DATA_DIR/audit/{agent_name} or its checkpoint, and put it back; it must go on from {state}/witness/{agent_name}"
            ),
            (Cause::Removed, _) => format!(
                "{agent_name} answers: find out who removed DATA_DIR/audit/{agent_name} or its checkpoint, and put it back; it must go on from \
                 {state}/witness/{agent_name}"
            ),
            (Cause::Unwritable, _) => {
                let gate = if agent_name == SHADOW_GATE { "; as the gate it refuses meanwhile" } else { "" };
                format!(
                    "look at /readyz of {agent_name}: where it says RECORDING_UNAVAILABLE, the disk of the recordings is full or away and its log may \
                     be well; else look at the disk of its log{gate}"
                )
            }
            (Cause::Usual, Self::Fork | Self::Rollback) => format!(
                "keep {alarm}: it holds both checkpoints, each signed by the log; compare them with copies kept elsewhere. {decided}"
            ),
            (Cause::Usual, Self::KeyChanged) => format!(
                "if the key was replaced on purpose, remove {state}/witness/{agent_name} and start mission control again; else treat the log as forged"
            ),
            (Cause::Usual, Self::Corrupt) => {
                format!("run `agenttrader audit verify` over the log of {agent_name}: it names the first bad file")
            }
            (Cause::Usual, Self::Stalled) => {
                format!("look at the disk of the log of {agent_name} and at its /ops/status")
            }
            (Cause::Usual, Self::Unreachable) if agent_name == GOVERNANCE_CLI => {
                format!("look at DATA_DIR/audit/{agent_name} and its disk: it is read there, no process serves it")
            }
            (Cause::Usual, Self::Unreachable) => {
                format!("look whether {agent_name} runs and answers /audit/checkpoint")
            }
        }
    }

    /// What a refused checkpoint tells of the log. Nothing where only the request was wrong.
    pub const fn of_refused(refused: &Refused) -> Option<Self> {
        match refused {
            Refused::Rollback { .. } => Some(Self::Rollback),
            Refused::OtherRoot { .. } | Refused::NotExtending { .. } => Some(Self::Fork),
            Refused::UnknownOrigin { .. } | Refused::BadSignature(_) => Some(Self::Corrupt),
            Refused::Stale { .. } | Refused::Backwards { .. } => None,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl Finding {
    /// A finding of an agent's log.
    pub fn new(code: Code, cause: Cause, words: &str, agent_name: &str, since_utc: Option<UnixNanos>) -> Self {
        Self { code, words: one_line(words), remedy: code.remedy(cause, agent_name), since_utc }
    }
}

/// Words from outside: one line, of bounded length, without characters that steer a terminal.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(WORDS_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelt_one_way() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.as_str().starts_with("AUDIT_"));
        }
        assert!(Code::ALL.is_sorted());
    }

    #[test]
    fn only_of_the_gate_is_it_said_that_it_refuses() {
        for name in ["gamma-strategy", "marketdata", SHADOW_GATE] {
            for cause in [Cause::Usual, Cause::Unwritable] {
                let says = Code::Stalled.remedy(cause, name).contains("refuses");
                assert_eq!(says, name == SHADOW_GATE && cause == Cause::Unwritable, "{name} {cause:?}");
            }
        }
    }

    #[test]
    fn two_signed_checkpoints_are_promised_only_where_they_are_held() {
        for code in [Code::Fork, Code::Rollback] {
            let promises = |cause| code.remedy(cause, "gamma-strategy").contains("both checkpoints");
            assert!(promises(Cause::Usual) && !promises(Cause::Unshown) && !promises(Cause::UnreadAlarm), "{code}");
        }
    }
}
