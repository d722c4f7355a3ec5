//! A permit is spent by use.

use agenttrader_core::time::UnixNanos;
use agenttrader_safety::permit::ExecutionPermit;

fn twice(permit: ExecutionPermit<'_>, now: UnixNanos) {
    let _ = permit.redeem(now);
    let _ = permit.redeem(now);
}

fn main() {}
