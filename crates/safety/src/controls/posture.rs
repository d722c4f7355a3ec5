//! What people control, and the log: EXECUTION_DISABLED, AGENT_MODE_NOT_EXECUTE, KILL_SWITCH, STATE_NOT_READY, AUDIT_UNAVAILABLE.

use crate::agent_state::ExecutionState;
use crate::answer::Answer;
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
        Some(ExecutionState::Init | ExecutionState::Degraded | ExecutionState::Halted | ExecutionState::Error)
        | None => Answer::Holds,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::World;
    use agenttrader_core::reason::Reason;

    #[test]
    fn execution_needs_both_switches() {
        for (agent, broker) in [(false, false), (false, true), (true, false)] {
            let world = World::shares().with(|seen| {
                seen.posture.execution_agent_enabled = agent;
                seen.posture.broker_execution_enabled = broker;
            });
            world.refused_for(Reason::ExecutionDisabled);
        }
        World::shares().passes();
    }

    #[test]
    fn only_execute_executes() {
        for mode in [AgentMode::Off, AgentMode::Observe] {
            World::shares().with(|seen| seen.posture.mode = mode).refused_for(Reason::AgentModeNotExecute);
        }
    }

    #[test]
    fn a_switch_that_halts_or_was_never_read_refuses() {
        let halts = |seen: &mut crate::seen::Seen| seen.posture.switch.as_mut().unwrap().halted = true;
        World::shares().with(halts).refused_for(Reason::KillSwitch);
        World::shares().with(|seen| seen.posture.switch = None).unknown(Reason::KillSwitch);
    }

    #[test]
    fn ready_passes_and_reduce_only_lets_reducing_orders_pass() {
        use ExecutionState::*;
        for state in [None, Some(Init), Some(Degraded), Some(Halted), Some(Error)] {
            assert_eq!(state_not_ready(state, true), Answer::Holds);
            World::shares().with(|seen| seen.posture.state = state).refused_for(Reason::StateNotReady);
        }
        let reduce_only = |seen: &mut crate::seen::Seen| seen.posture.state = Some(ReduceOnly);
        World::shares().with(reduce_only).refused_for(Reason::StateNotReady);
        World::shares().selling().holding(crate::tests::fixture::spy(), 100).with(reduce_only).passes();
        assert_eq!(state_not_ready(Some(Ready), false), Answer::DoesNotHold);
    }

    #[test]
    fn a_log_that_cannot_be_written_or_is_silent_refuses() {
        World::shares().with(|seen| seen.log = LogHealth::Unavailable).refused_for(Reason::AuditUnavailable);
        World::shares().with(|seen| seen.log = LogHealth::Unknown).unknown(Reason::AuditUnavailable);
    }
}
