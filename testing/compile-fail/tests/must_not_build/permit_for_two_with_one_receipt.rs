//! A receipt and a verdict are spent by the permit.

use agenttrader_audit::Receipt;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::gate::Accepted;
use agenttrader_safety::interlock::Interlock;
use agenttrader_safety::kill_switch::KillSwitch;
use agenttrader_safety::permit::permit;

fn two(accepted: Accepted, receipt: Receipt, interlock: &Interlock, switch: &KillSwitch, now: UnixNanos) {
    drop(permit(accepted, receipt, interlock, switch, now));
    drop(permit(accepted, receipt, interlock, switch, now));
}

fn main() {}
