//! Where the kill switch is asked for, nothing else will do.

use agenttrader_audit::Receipt;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::gate::Accepted;
use agenttrader_safety::interlock::Interlock;
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::permit::permit;

fn remembered(accepted: Accepted, receipt: Receipt, interlock: &Interlock, reading: Reading, now: UnixNanos) {
    drop(permit(accepted, receipt, interlock, &reading, now));
}

fn main() {}
