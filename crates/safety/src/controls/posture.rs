//! What people control, and the log: EXECUTION_DISABLED, AGENT_MODE_NOT_EXECUTE, KILL_SWITCH, STATE_NOT_READY, AUDIT_UNAVAILABLE.

use crate::agent_state::ExecutionState;
use crate::facts::Answer;
use crate::seen::{LogHealth, Posture};
use agenttrader_core::identity::AgentMode;

/// EXECUTION_DISABLED: both switches must be exactly on.
pub(crate) fn execution_disabled(posture: &Posture) -> Answer {
    Answer::of(!(posture.execution_agent_enabled && posture.broker_execution_enabled))
}

/// AGENT_MODE_NOT_EXECUTE.
pub(crate) fn agent_mode_not_execute(posture: &Posture) -> Answer {
    match posture.mode {
        AgentMode::Execute => Answer::DoesNotHold,
        AgentMode::Off | AgentMode::Observe => Answer::Holds,
    }
}

/// KILL_SWITCH: cannot be known before the first reading.
pub(crate) fn kill_switch(posture: &Posture) -> Answer {
    Answer::known(posture.switch.as_ref().map(|reading| reading.halted))
}

/// STATE_NOT_READY: holds without an execution agent; REDUCE_ONLY lets reducing orders pass.
pub(crate) fn state_not_ready(state: Option<ExecutionState>, reducing: bool) -> Answer {
    match state {
        Some(ExecutionState::Ready) => Answer::DoesNotHold,
        Some(ExecutionState::ReduceOnly) => Answer::of(!reducing),
        Some(ExecutionState::Init | ExecutionState::Degraded | ExecutionState::Halted | ExecutionState::Error) | None => {
            Answer::Holds
        }
    }
}

/// AUDIT_UNAVAILABLE.
pub(crate) fn audit_unavailable(log: LogHealth) -> Answer {
    match log {
        LogHealth::Writable => Answer::DoesNotHold,
        LogHealth::Unavailable => Answer::Holds,
        LogHealth::Unknown => Answer::Unknown,
    }
}
