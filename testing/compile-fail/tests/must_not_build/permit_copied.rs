//! A permit is made once, out of nothing but a verdict, a receipt and a reading.

use agenttrader_safety::permit::ExecutionPermit;

fn twice<'lock>(permit: &ExecutionPermit<'lock>) -> ExecutionPermit<'lock> {
    permit.clone()
}

fn from_nothing() -> ExecutionPermit<'static> {
    Default::default()
}

fn from_bytes(bytes: &[u8]) -> ExecutionPermit<'static> {
    serde_json::from_slice(bytes).unwrap()
}

fn main() {}
