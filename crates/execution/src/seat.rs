//! One strategy's seat at the desk: its ledger, its executions, and what it is told of its own doings.

use crate::counters::Executions;
use crate::ledger::Ledger;
use crate::shadow::ShadowOrder;
use agenttrader_core::money::Money;
use agenttrader_core::position::{Ended, Position, Standing, Working};

/// Most ended proposals kept for a strategy that does not ask: the oldest go first. A strategy that runs asks at every input.
const ENDED_MAX: usize = 1_024;

/// One strategy.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Its name.
    pub strategy_name: String,
    /// Its lots.
    pub ledger: Ledger,
    /// Its executions.
    pub executions: Executions,
    /// Its profit when the day began.
    pub profit_before_today: Money,
    standing: Standing,
    ended: Vec<Ended>,
    changed: bool,
}

impl Seat {
    /// An empty seat.
    pub fn new(strategy_name: String) -> Self {
        Self {
            strategy_name,
            ledger: Ledger::default(),
            executions: Executions::default(),
            profit_before_today: Money::ZERO,
            standing: Standing::default(),
            ended: Vec::new(),
            changed: false,
        }
    }

    /// Holdings or working orders have changed.
    pub const fn has_changed(&mut self) {
        self.changed = true;
    }

    /// A proposal of this strategy ended.
    pub fn on_ended(&mut self, ended: Ended) {
        if self.ended.len() >= ENDED_MAX {
            self.ended.remove(0);
        }
        self.ended.push(ended);
    }

    /// How it stands; asks for nothing and allocates nothing where nothing changed since it was asked last.
    pub fn standing(&mut self, working: &[ShadowOrder]) -> &Standing {
        self.standing.ended.clear();
        self.standing.ended.append(&mut self.ended);
        if std::mem::take(&mut self.changed) {
            let held = self.ledger.holdings().map(|(tradable, holding)| Position {
                tradable: *tradable,
                quantity: holding.quantity(),
                cost: holding.cost(tradable),
            });
            self.standing.positions.clear();
            self.standing.positions.extend(held);
            let own = working.iter().filter(|order| order.strategy_name == self.strategy_name);
            self.standing.working.clear();
            self.standing.working.extend(own.map(as_working));
        }
        &self.standing
    }
}

fn as_working(order: &ShadowOrder) -> Working {
    Working {
        proposal_id: order.order.proposal_id,
        intent: order.order.intent,
        underlying: order.order.underlying,
        legs: order.order.legs.clone(),
        remaining: order.order.quantity,
        order_type: order.order.order_type,
        valid_until: order.order.valid_until_utc,
    }
}
