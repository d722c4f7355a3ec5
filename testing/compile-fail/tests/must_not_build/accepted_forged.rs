//! Only the gate accepts.

use agenttrader_core::order::Order;
use agenttrader_safety::gate::Accepted;

fn accept(order: Order) -> Accepted {
    Accepted { order }
}

fn main() {}
