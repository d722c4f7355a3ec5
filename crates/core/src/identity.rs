//! Who an agent is: repository, name, role, mode and build.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The repository every agent of this system belongs to.
pub const REPO_ID: &str = "agent-trader-v2";

/// Characters of the longest agent name.
pub const AGENT_NAME_LONGEST: usize = 64;

/// Whether a text can name an agent: 1 to [`AGENT_NAME_LONGEST`] ASCII letters, digits, `-` and `_`, the first a letter or digit. A name
/// is a part of file names and of its log's origin.
pub fn is_agent_name(text: &str) -> bool {
    text.len() <= AGENT_NAME_LONGEST
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What an agent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentRole {
    /// Brings the market in.
    Marketdata,
    /// Evaluates strategies and proposes.
    StrategyEval,
    /// May ask for permits.
    Execution,
    /// Watches and reports.
    Ops,
    /// Brings the market in, as a scheduled service.
    Ingest,
}

impl AgentRole {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Marketdata, Self::StrategyEval, Self::Execution, Self::Ops, Self::Ingest];

    /// The role's name, as `AGENT_ROLE` spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketdata => "marketdata",
            Self::StrategyEval => "strategy_eval",
            Self::Execution => "execution",
            Self::Ops => "ops",
            Self::Ingest => "ingest",
        }
    }

    /// Reads a role, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for AgentRole {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// What an agent may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AgentMode {
    /// Serves health and records; evaluates nothing.
    Off,
    /// Evaluates and proposes.
    Observe,
    /// May also ask for permits; the execution agent alone.
    Execute,
}

impl AgentMode {
    /// The mode's name, as `AGENT_MODE` spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Observe => "OBSERVE",
            Self::Execute => "EXECUTE",
        }
    }
}

impl fmt::Display for AgentMode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// Which build an agent is. Compiled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The commit, 40 hex digits; `…-dirty` when the tree differed from it, `unknown` when there was none.
    pub git_sha: String,
    /// The build's own id; `unknown` when none was given.
    pub build_id: String,
}

impl Build {
    /// Whether the commit is known and the tree was clean: only such a build can match a grant.
    pub fn is_exact(&self) -> bool {
        self.git_sha.len() == 40 && self.git_sha.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// The identity an agent stands for in bodies that are compared in a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentIdentity {
    /// Its name, unique in the inventory.
    pub agent_name: String,
    /// Its role.
    pub agent_role: AgentRole,
    /// Its mode.
    pub agent_mode: AgentMode,
}
