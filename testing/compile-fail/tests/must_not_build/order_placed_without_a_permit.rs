//! A broker takes a permit by value: neither an order nor a borrowed permit will do.

use agenttrader_core::order::Order;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::gate::Accepted;
use agenttrader_safety::permit::ExecutionPermit;

trait Broker {
    fn place(&mut self, permit: ExecutionPermit<'_>, now: UnixNanos);
}

fn an_order(broker: &mut dyn Broker, order: Order, now: UnixNanos) {
    broker.place(order, now);
}

fn an_accepted_one(broker: &mut dyn Broker, accepted: Accepted, now: UnixNanos) {
    broker.place(accepted, now);
}

fn a_borrowed_permit(broker: &mut dyn Broker, permit: &ExecutionPermit<'_>, now: UnixNanos) {
    broker.place(permit, now);
}

fn main() {}
