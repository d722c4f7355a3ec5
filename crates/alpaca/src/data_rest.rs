//! The market-data service over REST: what was, and the latest.

use crate::credentials::{Credentials, Endpoints, OptionFeed, StockFeed};
use crate::rest::{Page, Patience, Query, Rest, RestError, list};
use crate::tls::Tls;
use crate::wire::bar::{Bar, BarsPage};
use crate::wire::quote::{LatestQuotes, Quote};
use crate::wire::snapshot::{OptionSnapshot, OptionSnapshotsPage, Snapshot, Snapshots};
use crate::wire::trade::{LatestTrades, Trade};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Most contracts of one request.
const CONTRACTS_MAX: usize = 100;
/// Entries of a page of bars: the most the service gives.
const BARS_PAGE: &str = "10000";
/// Entries of a page of a chain: the most the service gives.
const CHAIN_PAGE: &str = "1000";

/// The market-data service.
#[derive(Clone, Debug)]
pub struct DataRest(Rest);

/// The span of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeframe {
    /// 1 to 59 minutes.
    Minutes(u8),
    /// 1 to 23 hours.
    Hours(u8),
    /// One session.
    Day,
}

impl Timeframe {
    fn name(self) -> String {
        match self {
            Self::Minutes(count) => format!("{count}Min"),
            Self::Hours(count) => format!("{count}Hour"),
            Self::Day => "1Day".to_owned(),
        }
    }
}

/// Which contracts of a chain. Both bounds count in; none is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainFilter {
    /// First expiration.
    pub expiration_from: Option<Date>,
    /// Last expiration.
    pub expiration_to: Option<Date>,
    /// Lowest strike.
    pub strike_from: Option<Price>,
    /// Highest strike.
    pub strike_to: Option<Price>,
}

impl Page for BarsPage {
    fn take_token(&mut self) -> Option<String> {
        self.next_page_token.take()
    }
}

impl Page for OptionSnapshotsPage {
    fn take_token(&mut self) -> Option<String> {
        self.next_page_token.take()
    }
}

impl DataRest {
    /// A client of the data service at these endpoints.
    ///
    /// # Errors
    /// [`RestError::Setup`] if the credentials cannot stand in a header.
    pub fn new(
        endpoints: &Endpoints,
        credentials: &Credentials,
        tls: &Tls,
        patience: Patience,
    ) -> Result<Self, RestError> {
        Rest::new(endpoints.data(), credentials, tls, patience).map(Self)
    }

    /// The latest of everything about these stocks. A symbol that the service does not know is missing.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn stock_snapshots(&self, symbols: &[Symbol], feed: StockFeed) -> Result<Snapshots, RestError> {
        let (all, _): (BTreeMap<String, Option<Snapshot>>, _) =
            self.0.get("/v2/stocks/snapshots", &stocks(symbols, feed)).await?;
        Ok(all.into_iter().filter_map(|(symbol, snapshot)| Some((symbol, snapshot?))).collect())
    }

    /// The latest quotes of these stocks.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn stock_quotes(
        &self,
        symbols: &[Symbol],
        feed: StockFeed,
    ) -> Result<BTreeMap<String, Quote>, RestError> {
        let (latest, _): (LatestQuotes, _) = self.0.get("/v2/stocks/quotes/latest", &stocks(symbols, feed)).await?;
        Ok(latest.quotes)
    }

    /// The latest prints of these stocks.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn stock_trades(
        &self,
        symbols: &[Symbol],
        feed: StockFeed,
    ) -> Result<BTreeMap<String, Trade>, RestError> {
        let (latest, _): (LatestTrades, _) = self.0.get("/v2/stocks/trades/latest", &stocks(symbols, feed)).await?;
        Ok(latest.trades)
    }

    /// Bars of these stocks that begin from `start` to `end`, both counted in; prices as they traded.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn stock_bars(
        &self,
        symbols: &[Symbol],
        timeframe: Timeframe,
        start: UnixNanos,
        end: UnixNanos,
        feed: StockFeed,
    ) -> Result<BTreeMap<String, Vec<Bar>>, RestError> {
        let mut query = stocks(symbols, feed);
        query.extend(span(timeframe, start, end));
        query.push(("adjustment", "raw".to_owned()));
        self.bars("/v2/stocks/bars", query).await
    }

    /// Bars of these contracts that begin from `start` to `end`, both counted in.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn option_bars(
        &self,
        contracts: &[OccSymbol],
        timeframe: Timeframe,
        start: UnixNanos,
        end: UnixNanos,
    ) -> Result<BTreeMap<String, Vec<Bar>>, RestError> {
        let mut all = BTreeMap::new();
        for some in contracts.chunks(CONTRACTS_MAX) {
            let mut query = vec![("symbols", list(some))];
            query.extend(span(timeframe, start, end));
            all.append(&mut self.bars("/v1beta1/options/bars", query).await?);
        }
        Ok(all)
    }

    /// The latest quotes of these contracts.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn option_quotes(
        &self,
        contracts: &[OccSymbol],
        feed: OptionFeed,
    ) -> Result<BTreeMap<String, Quote>, RestError> {
        let mut all = BTreeMap::new();
        for some in contracts.chunks(CONTRACTS_MAX) {
            let query = vec![("symbols", list(some)), ("feed", feed.name().to_owned())];
            let (mut latest, _): (LatestQuotes, _) = self.0.get("/v1beta1/options/quotes/latest", &query).await?;
            all.append(&mut latest.quotes);
        }
        Ok(all)
    }

    /// The latest of everything about the contracts of an underlying.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn option_chain(
        &self,
        underlying: Symbol,
        filter: ChainFilter,
        feed: OptionFeed,
    ) -> Result<BTreeMap<String, OptionSnapshot>, RestError> {
        let mut query: Query = vec![("feed", feed.name().to_owned()), ("limit", CHAIN_PAGE.to_owned())];
        query.extend(filter.expiration_from.map(|date| ("expiration_date_gte", date.to_string())));
        query.extend(filter.expiration_to.map(|date| ("expiration_date_lte", date.to_string())));
        query.extend(filter.strike_from.map(|strike| ("strike_price_gte", strike.to_string())));
        query.extend(filter.strike_to.map(|strike| ("strike_price_lte", strike.to_string())));
        let mut all = BTreeMap::new();
        let path = format!("/v1beta1/options/snapshots/{underlying}");
        self.0.pages(&path, &query, |mut page: OptionSnapshotsPage| all.append(&mut page.snapshots)).await?;
        Ok(all)
    }

    async fn bars(&self, path: &str, query: Query) -> Result<BTreeMap<String, Vec<Bar>>, RestError> {
        let mut all: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
        let take = |page: BarsPage| {
            // A symbol's bars may go on over the end of a page.
            for (symbol, mut bars) in page.bars {
                all.entry(symbol).or_default().append(&mut bars);
            }
        };
        self.0.pages(path, &query, take).await?;
        Ok(all)
    }
}

fn stocks(symbols: &[Symbol], feed: StockFeed) -> Query {
    vec![("symbols", list(symbols)), ("feed", feed.name().to_owned())]
}

fn span(timeframe: Timeframe, start: UnixNanos, end: UnixNanos) -> Query {
    vec![
        ("timeframe", timeframe.name()),
        ("start", start.to_string()),
        ("end", end.to_string()),
        ("limit", BARS_PAGE.to_owned()),
    ]
}
