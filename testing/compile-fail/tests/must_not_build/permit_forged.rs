//! Nobody else makes a permit.

use agenttrader_core::time::UnixNanos;
use agenttrader_safety::permit::ExecutionPermit;

fn make(now: UnixNanos) -> ExecutionPermit<'static> {
    ExecutionPermit { released: panic!(), granted_at: now, guard: panic!() }
}

fn main() {}
