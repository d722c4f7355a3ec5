//! Where the market comes from, and the clients that ask there.

use agenttrader_alpaca::credentials::{Credentials, Endpoints, OptionFeed, StockFeed};
use agenttrader_alpaca::data_rest::DataRest;
use agenttrader_alpaca::rest::RestError;
use agenttrader_alpaca::tls::Tls;
use agenttrader_alpaca::trading_rest::TradingRest;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::Span;

/// Where the market comes from.
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// The venue's services.
    pub endpoints: Endpoints,
    /// Whose keys.
    pub credentials: Credentials,
    /// Which stock feed.
    pub stock_feed: StockFeed,
    /// Which option feed.
    pub option_feed: OptionFeed,
    /// Underlyings to follow.
    pub symbols: Vec<Symbol>,
    /// Most option quotes the plan allows; none: no limit.
    pub option_quote_limit: Option<usize>,
    /// Time between two values of one instrument, where the venue plays a recording.
    pub cadence: Option<Span>,
}

/// One client a service of the venue, and what their streams are encrypted with.
pub(super) struct Clients {
    pub(super) trading: TradingRest,
    pub(super) data: DataRest,
    pub(super) tls: Tls,
}

/// Wrong keys stay wrong: asking again would only lock the account.
pub(super) fn is_final(error: &RestError) -> bool {
    matches!(error.status(), Some(401 | 403))
}
