//! A permit stays on the thread that holds the interlock.

use agenttrader_core::time::UnixNanos;
use agenttrader_safety::permit::ExecutionPermit;

fn elsewhere(permit: ExecutionPermit<'static>, now: UnixNanos) {
    std::thread::spawn(move || permit.redeem(now).map(drop));
}

fn main() {}
