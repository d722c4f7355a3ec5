//! The stream's addresses.

use crate::hub::Kind;
use crate::plan::Plan;

/// One of the stream's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// `/v2/iex`.
    Iex,
    /// `/v2/sip`.
    Sip,
    /// `/v1beta1/indicative`.
    Indicative,
    /// `/v1beta1/opra`.
    Opra,
}

impl Endpoint {
    /// What it carries.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Iex | Self::Sip => Kind::Stocks,
            Self::Indicative | Self::Opra => Kind::Options,
        }
    }

    /// Whether the plan includes this feed.
    pub fn is_in(self, plan: Plan) -> bool {
        plan != Plan::Basic || matches!(self, Self::Iex | Self::Indicative)
    }
}
