//! The asset class of an order.

use crate::limits::{AssetLimits, Limits};
use agenttrader_core::order::Order;
use agenttrader_core::proposal::AssetType;

/// The asset class of a proposal: what its order limits are counted in, and their bounds.
#[derive(Clone, Copy)]
pub(crate) struct Class<'a> {
    pub(crate) unit: &'static str,
    /// Null: the class cannot trade.
    pub(crate) limits: Option<&'a AssetLimits>,
}

impl<'a> Class<'a> {
    pub(crate) fn of(asset_type: AssetType, limits: &'a Limits) -> Self {
        match asset_type {
            AssetType::Equity => Self { unit: "shares", limits: limits.shares.as_ref() },
            AssetType::Option | AssetType::Mleg => Self { unit: "contracts", limits: limits.options.as_ref() },
        }
    }

    pub(crate) fn of_order(order: &Order, limits: &'a Limits) -> Self {
        let asset_type = if order.has_options() { AssetType::Option } else { AssetType::Equity };
        Self::of(asset_type, limits)
    }
}
