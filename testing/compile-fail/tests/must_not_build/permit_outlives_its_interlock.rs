//! A permit cannot outlive the lock that a halt takes.

use agenttrader_audit::Receipt;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::gate::Accepted;
use agenttrader_safety::interlock::Interlock;
use agenttrader_safety::kill_switch::KillSwitch;
use agenttrader_safety::permit::{ExecutionPermit, permit};

fn keep(accepted: Accepted, receipt: Receipt, switch: &KillSwitch, now: UnixNanos) -> Option<ExecutionPermit<'static>> {
    let interlock = Interlock::new();
    permit(accepted, receipt, &interlock, switch, now).ok()
}

fn main() {}
