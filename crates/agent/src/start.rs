//! Who an agent is, from the environment it is started with. No identity, no start.

use agenttrader_audit::witnessed::WITNESS_AGENT;
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID, is_agent_name};
use std::collections::BTreeMap;
use std::fmt;

/// The floor's agents when one process runs them all, in the order of their ports: marketdata, gamma, whale, the shadow gate, mission control.
pub const MARKETDATA: &str = "marketdata-mcp-server";
/// The gamma strategy's agent.
pub const GAMMA: &str = "gamma-strategy";
/// The whale strategy's agent.
pub const WHALE: &str = "whale-strategy";
/// The gate that judges and never executes.
pub const SHADOW_GATE: &str = "shadow-gate";
/// Mission control.
pub const MISSION_CONTROL: &str = WITNESS_AGENT;
/// Whose log commands write to that make reports. No process of that name runs.
pub const GOVERNANCE_CLI: &str = "governance-cli";

/// Who starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The repository; always [`REPO_ID`].
    pub repo_id: String,
    /// Name, role and mode.
    pub agent: AgentIdentity,
    /// The build as compiled in: what the gate compares.
    pub build: Build,
    /// The build as shown: `GIT_SHA` and `BUILD_ID` may override it, for display only.
    pub build_shown: Build,
    /// What was wrong and made the mode OFF; to be recorded as an error.
    pub mode_problem: Option<String>,
}

/// Why an agent does not start: every reason, not the first. Exit code 78.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct StartRefused {
    /// One for each variable.
    pub problems: Vec<Problem>,
}

/// What is wrong with one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub variable: &'static str,
    /// Its value; absent when it is not set.
    pub found: Option<String>,
    /// What it must be.
    pub wanted: String,
}

impl fmt::Display for StartRefused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("no identity, no start: ")?;
        for (index, problem) in self.problems.iter().enumerate() {
            let comma = if index > 0 { "; " } else { "" };
            match &problem.found {
                None => write!(out, "{comma}{} is not set, must be {}", problem.variable, problem.wanted)?,
                Some(found) => {
                    write!(out, "{comma}{} is {:?}, must be {}", problem.variable, shown(found), problem.wanted)?
                }
            }
        }
        Ok(())
    }
}

/// Reads an agent's identity from an environment.
///
/// # Errors
/// [`StartRefused`] naming each of `REPO_ID`, `AGENT_NAME`, `AGENT_ROLE` that is missing or wrong, and `AGENT_MODE=EXECUTE` for any role but
/// execution.
pub fn identify(environment: &BTreeMap<String, String>, compiled: &Build) -> Result<Identity, StartRefused> {
    let value = |name: &str| environment.get(name).map(String::as_str);
    let mut problems = Vec::new();
    let mut refuse = |variable, wanted: String| {
        problems.push(Problem { variable, found: value(variable).map(str::to_owned), wanted });
    };
    if value("REPO_ID") != Some(REPO_ID) {
        refuse("REPO_ID", format!("`{REPO_ID}`"));
    }
    let name = value("AGENT_NAME").filter(|name| is_agent_name(name));
    if name.is_none() {
        refuse("AGENT_NAME", "1 to 64 letters, digits, `-` and `_`".to_owned());
    }
    let role = value("AGENT_ROLE").and_then(AgentRole::parse);
    if role.is_none() {
        refuse("AGENT_ROLE", format!("one of {}", AgentRole::ALL.map(AgentRole::as_str).join(", ")));
    }
    let (mode, mode_problem) = mode(value("AGENT_MODE"));
    if mode == AgentMode::Execute && role != Some(AgentRole::Execution) {
        refuse("AGENT_MODE", "OFF or OBSERVE: EXECUTE is for the role execution alone".to_owned());
    }
    let (Some(name), Some(role), true) = (name, role, problems.is_empty()) else {
        return Err(StartRefused { problems });
    };
    let shown = |variable: &str, compiled: &str| value(variable).unwrap_or(compiled).chars().take(128).collect();
    Ok(Identity {
        repo_id: REPO_ID.to_owned(),
        agent: AgentIdentity { agent_name: name.to_owned(), agent_role: role, agent_mode: mode },
        build: compiled.clone(),
        build_shown: Build {
            git_sha: shown("GIT_SHA", &compiled.git_sha),
            build_id: shown("BUILD_ID", &compiled.build_id),
        },
        mode_problem,
    })
}

/// The mode that a value of `AGENT_MODE` gives, exactly as it stands, and what was wrong with it.
pub fn mode(value: Option<&str>) -> (AgentMode, Option<String>) {
    match value {
        None | Some("OFF") => (AgentMode::Off, None),
        Some("OBSERVE") => (AgentMode::Observe, None),
        Some("EXECUTE") => (AgentMode::Execute, None),
        Some(other) => {
            let problem =
                format!("AGENT_MODE is {:?}, which is none of OFF, OBSERVE, EXECUTE: the mode is OFF", shown(other));
            (AgentMode::Off, Some(problem))
        }
    }
}

/// The agents that one process runs, each with its own identity, log and health port; all observe.
pub fn floor_identities() -> [AgentIdentity; 5] {
    [
        (MARKETDATA, AgentRole::Marketdata),
        (GAMMA, AgentRole::StrategyEval),
        (WHALE, AgentRole::StrategyEval),
        (SHADOW_GATE, AgentRole::Ops),
        (MISSION_CONTROL, AgentRole::Ops),
    ]
    .map(|(name, agent_role)| AgentIdentity {
        agent_name: name.to_owned(),
        agent_role,
        agent_mode: AgentMode::Observe,
    })
}

/// A value as far as it is shown.
fn shown(value: &str) -> String {
    value.chars().take(64).collect()
}
