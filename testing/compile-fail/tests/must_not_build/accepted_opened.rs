//! The order inside what was accepted comes out by a permit alone.

use agenttrader_core::order::Order;
use agenttrader_safety::gate::Accepted;

fn open(accepted: Accepted) -> Order {
    accepted.release().order
}

fn peek(accepted: Accepted) -> Order {
    accepted.order
}

fn main() {}
