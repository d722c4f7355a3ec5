//! What can be wrong with a log that is followed, in codes, words, and what to do.

use agenttrader_audit::witness::Refused;
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
    /// Since when, wall time.
    #[schema(value_type = String, format = DateTime)]
    pub since_utc: UnixNanos,
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
    pub fn remedy(self, agent_name: &str) -> String {
        let state = "DATA_DIR/audit-state/mission-control";
        match self {
            Self::Fork | Self::Rollback => format!(
                "keep {state}/alarms/{agent_name}/{self}: it holds both checkpoints; compare them with copies kept elsewhere. Once a person \
                 has decided, remove that file to take this back; to follow the log anew as it is now, remove {state}/witness/{agent_name} first"
            ),
            Self::KeyChanged => format!(
                "if the key was replaced on purpose, remove {state}/witness/{agent_name} and start mission control again; else treat the log as forged"
            ),
            Self::Corrupt => {
                format!("run `agenttrader audit verify` over the log of {agent_name}: it names the first bad file")
            }
            Self::Stalled => format!(
                "look at the disk of {agent_name} and at its /ops/status; its gate refuses while it cannot write"
            ),
            Self::Unreachable => format!("look whether {agent_name} runs and answers /audit/checkpoint"),
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
    pub fn new(code: Code, words: &str, agent_name: &str, since_utc: UnixNanos) -> Self {
        Self { code, words: one_line(words), remedy: code.remedy(agent_name), since_utc }
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
}
