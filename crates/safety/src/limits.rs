//! The limits in force: bounds of every measured control, by asset class. Read from `configs/risk.toml`.

use agenttrader_authority::grant_limits::{GrantLimits, GrantOrderLimits};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::money::Money;
use agenttrader_core::price::Price;
use agenttrader_core::time::Span;
use serde::{Deserialize, Serialize};

/// Every bound. There is no default: a missing field refuses the whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bounds on one order of shares; null: shares cannot trade.
    pub shares: Option<AssetLimits>,
    /// Bounds on one order of options; null: options cannot trade.
    pub options: Option<AssetLimits>,
    /// Largest |net shares-equivalent| of one underlying, working orders on their worse side.
    pub position_shares: u32,
    /// Largest part of equity that one underlying may be, in basis points.
    pub concentration_bp: u32,
    /// Largest gross exposure, in basis points of equity.
    pub gross_exposure_bp: u32,
    /// Most orders working at once.
    pub open_orders: u32,
    /// Most orders in a second.
    pub orders_per_second: u32,
    /// Most orders in a minute.
    pub orders_per_minute: u32,
    /// Most orders a day, hedges left out.
    pub daily_orders: u32,
    /// Most notional a day, hedges left out.
    pub daily_notional_usd: Money,
    /// Most hedges a day.
    pub daily_hedges: u32,
    /// Most notional of hedges a day.
    pub daily_hedge_notional_usd: Money,
    /// Two like orders within it are one too many.
    pub duplicate_window_seconds: u32,
    /// Most executions of one strategy within the repeat window.
    pub repeat_executions: u32,
    /// The repeat window.
    pub repeat_window_seconds: u32,
    /// Largest loss of a day, in basis points of the day's starting equity.
    pub daily_loss_bp: u32,
    /// Largest fall from the highest equity seen, in basis points of it.
    pub drawdown_bp: u32,
    /// Above this level of the VIX, where a feed of it is configured, order limits count half.
    pub vix_guard: Price,
    /// Oldest an option's own quote may be to serve as a reference. From `OPTION_QUOTE_MAX_AGE_SECONDS`.
    pub option_quote_max_age_seconds: u32,
}

/// Bounds on one order of one asset class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetLimits {
    /// Most shares or contracts.
    pub order_quantity: u32,
    /// Most notional: of shares, or of opening premium.
    pub order_notional_usd: Money,
    /// Half-width of the price collar, in basis points of the reference.
    pub collar_bp: u32,
    /// Smallest half-width of the price collar, dollars.
    pub collar_usd: Price,
    /// Widest spread of the reference quote, in basis points of its mid, …
    pub spread_bp: u32,
    /// … and in dollars: only a spread over both refuses.
    pub spread_usd: Price,
}

impl Limits {
    /// These limits, each no higher than the grant names it. A grant never raises one, nor lets an asset class trade that has none.
    #[must_use]
    pub fn lowered_by(&self, grant: &GrantLimits) -> Self {
        let lower = |bound: u32, named: Option<u32>| named.map_or(bound, |named| bound.min(named));
        let less = |bound: Money, named: Option<Money>| named.map_or(bound, |named| bound.min(named));
        let of_class = |class: &Option<AssetLimits>, named: &Option<GrantOrderLimits>| match (class, named) {
            (Some(class), Some(named)) => Some(AssetLimits {
                order_quantity: lower(class.order_quantity, named.order_quantity),
                order_notional_usd: less(class.order_notional_usd, named.order_notional_usd),
                ..class.clone()
            }),
            (class, _) => class.clone(),
        };
        Self {
            shares: of_class(&self.shares, &grant.shares),
            options: of_class(&self.options, &grant.options),
            position_shares: lower(self.position_shares, grant.position_shares),
            concentration_bp: lower(self.concentration_bp, grant.concentration_bp),
            gross_exposure_bp: lower(self.gross_exposure_bp, grant.gross_exposure_bp),
            open_orders: lower(self.open_orders, grant.open_orders),
            orders_per_second: lower(self.orders_per_second, grant.orders_per_second),
            orders_per_minute: lower(self.orders_per_minute, grant.orders_per_minute),
            daily_orders: lower(self.daily_orders, grant.daily_orders),
            daily_notional_usd: less(self.daily_notional_usd, grant.daily_notional_usd),
            daily_hedges: lower(self.daily_hedges, grant.daily_hedges),
            daily_hedge_notional_usd: less(self.daily_hedge_notional_usd, grant.daily_hedge_notional_usd),
            daily_loss_bp: lower(self.daily_loss_bp, grant.daily_loss_bp),
            drawdown_bp: lower(self.drawdown_bp, grant.drawdown_bp),
            duplicate_window_seconds: self.duplicate_window_seconds,
            repeat_executions: self.repeat_executions,
            repeat_window_seconds: self.repeat_window_seconds,
            vix_guard: self.vix_guard,
            option_quote_max_age_seconds: self.option_quote_max_age_seconds,
        }
    }

    /// Digest of the limits' canonical JSON: what an approval binds. `None` if they had no canonical form.
    pub fn digest(&self) -> Option<Digest> {
        canonical_json::of(self).ok().map(|text| Digest::of(text.as_bytes()))
    }

    /// The duplicate window.
    pub fn duplicate_window(&self) -> Span {
        Span::from_seconds(i64::from(self.duplicate_window_seconds))
    }

    /// The repeat window.
    pub fn repeat_window(&self) -> Span {
        Span::from_seconds(i64::from(self.repeat_window_seconds))
    }

    /// Oldest an option's quote may be to serve as a reference.
    pub fn option_quote_max_age(&self) -> Span {
        Span::from_seconds(i64::from(self.option_quote_max_age_seconds))
    }
}
