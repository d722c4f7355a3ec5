//! One verdict, one order.

use agenttrader_safety::gate::Accepted;

fn twice(accepted: &Accepted) -> Accepted {
    accepted.clone()
}

fn from_nothing() -> Accepted {
    Default::default()
}

fn from_bytes(bytes: &[u8]) -> Accepted {
    serde_json::from_slice(bytes).unwrap()
}

fn main() {}
