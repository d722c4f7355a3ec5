//! What the desk shows each timer second: marks, profit and loss. Readings are shown and not recorded.

use crate::marks::Mark;
use crate::output::ACCOUNT;
use crate::seat::Seat;
use agenttrader_core::money::Money;
use agenttrader_core::order::Tradable;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::seen::Tripped;
use serde::Serialize;

/// The shadow account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountReading {
    /// `SHADOW`: nothing of this is money.
    pub account: &'static str,
    /// Venue time.
    pub as_of_utc: UnixNanos,
    /// What the account started with.
    pub start_equity_usd: Money,
    /// Start, fills and fees.
    pub cash_usd: Money,
    /// Cash and holdings at mark: start + realised + unrealised − fees.
    pub equity_usd: Money,
    /// Equity when the day began.
    pub day_start_equity_usd: Money,
    /// Since then.
    pub day_profit_usd: Money,
    /// Highest equity confirmed.
    pub high_water_usd: Money,
    /// Of what was closed, fees left out.
    pub realised_usd: Money,
    /// Of what is held.
    pub unrealised_usd: Money,
    /// Fees paid.
    pub fees_usd: Money,
    /// Whether every mark is of now.
    pub marks_fresh: bool,
    /// Which loss limits have tripped.
    pub tripped: Tripped,
    /// Orders that work.
    pub working_orders: usize,
    /// Each strategy, in order of configuration.
    pub strategies: Vec<StrategyReading>,
}

/// One strategy's part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StrategyReading {
    /// Its name.
    pub strategy_name: String,
    /// Of what was closed, fees left out.
    pub realised_usd: Money,
    /// Of what is held.
    pub unrealised_usd: Money,
    /// Fees paid.
    pub fees_usd: Money,
    /// Realised and unrealised less fees, since the start.
    pub profit_usd: Money,
    /// The same, since the day began.
    pub day_profit_usd: Money,
    /// What it holds, in order of instrument.
    pub positions: Vec<PositionReading>,
}

/// One position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionReading {
    /// Of what.
    #[serde(flatten)]
    pub tradable: Tradable,
    /// Signed shares or contracts.
    pub quantity: i64,
    /// What was paid, fees left out; negative for a short.
    pub cost_usd: Money,
    /// Dollars a share, and whether it is of now.
    pub mark: Mark,
    /// What it would bring; negative for a short.
    pub value_usd: Money,
    /// Value less cost.
    pub unrealised_usd: Money,
}

impl StrategyReading {
    pub(crate) fn of(seat: &Seat) -> Self {
        let ledger = &seat.ledger;
        let positions = ledger.holdings().map(|(tradable, holding)| {
            let (cost, value) = (holding.cost(tradable), holding.value(tradable));
            PositionReading {
                tradable: *tradable,
                quantity: holding.quantity(),
                cost_usd: cost,
                mark: holding.mark(),
                value_usd: value,
                unrealised_usd: value.minus(cost),
            }
        });
        Self {
            strategy_name: seat.strategy_name.clone(),
            realised_usd: ledger.realised(),
            unrealised_usd: ledger.unrealised(),
            fees_usd: ledger.fees(),
            profit_usd: ledger.profit(),
            day_profit_usd: ledger.profit().minus(seat.profit_before_today),
            positions: positions.collect(),
        }
    }
}

/// What [`AccountReading`] takes beside the strategies.
pub(crate) struct Frame {
    pub(crate) as_of: UnixNanos,
    pub(crate) start_equity: Money,
    pub(crate) day_start: Money,
    pub(crate) high_water: Money,
    pub(crate) tripped: Tripped,
    pub(crate) working: usize,
}

impl AccountReading {
    pub(crate) fn of(frame: &Frame, seats: &[Seat]) -> Self {
        let sum = |part: fn(&Seat) -> Money| seats.iter().map(part).sum::<Money>();
        let cash = frame.start_equity.plus(sum(|seat| seat.ledger.cash()));
        let equity = cash.plus(sum(|seat| seat.ledger.value()));
        Self {
            account: ACCOUNT,
            as_of_utc: frame.as_of,
            start_equity_usd: frame.start_equity,
            cash_usd: cash,
            equity_usd: equity,
            day_start_equity_usd: frame.day_start,
            day_profit_usd: equity.minus(frame.day_start),
            high_water_usd: frame.high_water,
            realised_usd: sum(|seat| seat.ledger.realised()),
            unrealised_usd: sum(|seat| seat.ledger.unrealised()),
            fees_usd: sum(|seat| seat.ledger.fees()),
            marks_fresh: seats.iter().all(|seat| seat.ledger.is_fresh()),
            tripped: frame.tripped,
            working_orders: frame.working,
            strategies: seats.iter().map(StrategyReading::of).collect(),
        }
    }
}
