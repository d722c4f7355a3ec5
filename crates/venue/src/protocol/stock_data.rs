//! Market-data REST of stocks.

use crate::book::{Book, Entry};
use crate::directory::Directory;
use crate::history::PastBar;
use crate::protocol::bars::{Timeframe, Window, previous_day, series};
use crate::protocol::reply::{ApiError, Params, Reply, shown};
use crate::protocol::shared::{Shared, State as Venue};
use agenttrader_alpaca::wire::bar::{Bar, BarsPage, LatestBar, LatestBars};
use agenttrader_alpaca::wire::quote::{LatestQuote, LatestQuotes, Quote};
use agenttrader_alpaca::wire::snapshot::{Snapshot, Snapshots, SymbolSnapshot};
use agenttrader_alpaca::wire::trade::{LatestTrade, LatestTrades, Trade, TradesPage};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;

type Served = State<Arc<Shared>>;

/// All routes of the stock data service.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v2/stocks/quotes/latest", get(latest_quotes))
        .route("/v2/stocks/trades/latest", get(latest_trades))
        .route("/v2/stocks/bars/latest", get(latest_bars))
        .route("/v2/stocks/snapshots", get(snapshots))
        .route("/v2/stocks/bars", get(bars))
        .route("/v2/stocks/trades", get(trades))
        .route("/v2/stocks/meta/exchanges", get(exchanges))
        .route("/v2/stocks/meta/conditions/{kind}", get(conditions))
        .route("/v2/stocks/{symbol}/quotes/latest", get(latest_quote))
        .route("/v2/stocks/{symbol}/trades/latest", get(latest_trade))
        .route("/v2/stocks/{symbol}/bars/latest", get(latest_bar))
        .route("/v2/stocks/{symbol}/snapshot", get(snapshot))
}

/// Bars as the wire writes them.
pub fn on_wire(past: &PastBar) -> Bar {
    Bar::of(&past.bar, Some(past.volume_weighted))
}

/// The entry of each name that is listed.
pub(crate) fn found<T>(
    names: &[String],
    venue: &Venue,
    of: impl Fn(InstrumentId, &Entry, &Directory) -> Option<T>,
) -> BTreeMap<String, T> {
    let each = names.iter().filter_map(|name| {
        let id = venue.directory.find(name)?;
        Some((name.clone(), of(id, venue.book.entry(id)?, &venue.directory)?))
    });
    each.collect()
}

fn quote(id: InstrumentId, entry: &Entry, directory: &Directory) -> Option<Quote> {
    entry.quote.map(|quote| Quote::of(&quote, directory.listing(id)))
}

fn trade(id: InstrumentId, entry: &Entry, directory: &Directory) -> Option<Trade> {
    entry.trade.map(|trade| Trade::of(&trade, directory.listing(id)))
}

fn bar(_: InstrumentId, entry: &Entry, _: &Directory) -> Option<Bar> {
    entry.minutes.last().map(on_wire)
}

async fn latest_quotes(State(shared): Served, params: Params) -> Reply<LatestQuotes> {
    let names = params.tickers()?;
    Ok(Json(LatestQuotes { quotes: found(&names, &shared.state(), quote) }))
}

async fn latest_trades(State(shared): Served, params: Params) -> Reply<LatestTrades> {
    let names = params.tickers()?;
    Ok(Json(LatestTrades { trades: found(&names, &shared.state(), trade) }))
}

async fn latest_bars(State(shared): Served, params: Params) -> Reply<LatestBars> {
    let names = params.tickers()?;
    Ok(Json(LatestBars { bars: found(&names, &shared.state(), bar) }))
}

/// The one listed stock of that name, and what `of` says of it.
fn one<T>(
    shared: &Shared,
    symbol: &str,
    of: impl Fn(InstrumentId, &Entry, &Directory) -> Option<T>,
) -> Result<T, ApiError> {
    if Symbol::parse(symbol).is_err() {
        return Err(ApiError::bad(format!("invalid symbol: {}", shown(symbol))));
    }
    let venue = shared.state();
    let id = venue.directory.find(symbol);
    let said = id.and_then(|id| of(id, venue.book.entry(id)?, &venue.directory));
    said.ok_or_else(|| ApiError::not_found(format!("nothing found for {symbol}")))
}

async fn latest_quote(State(shared): Served, Path(symbol): Path<String>) -> Reply<LatestQuote> {
    one(&shared, &symbol, quote).map(|quote| Json(LatestQuote { symbol, quote }))
}

async fn latest_trade(State(shared): Served, Path(symbol): Path<String>) -> Reply<LatestTrade> {
    one(&shared, &symbol, trade).map(|trade| Json(LatestTrade { symbol, trade }))
}

async fn latest_bar(State(shared): Served, Path(symbol): Path<String>) -> Reply<LatestBar> {
    one(&shared, &symbol, bar).map(|bar| Json(LatestBar { symbol, bar }))
}

fn snapshot_of(id: InstrumentId, entry: &Entry, directory: &Directory, session_open: UnixNanos) -> Snapshot {
    Snapshot {
        latest_trade: trade(id, entry, directory),
        latest_quote: quote(id, entry, directory),
        minute_bar: bar(id, entry, directory),
        daily_bar: entry.today(id).as_ref().map(on_wire),
        prev_daily_bar: previous_day(entry, session_open).as_ref().map(on_wire),
    }
}

async fn snapshots(State(shared): Served, params: Params) -> Reply<Snapshots> {
    let names = params.tickers()?;
    let venue = shared.state();
    let open = venue.session.open;
    Ok(Json(found(&names, &venue, |id, entry, directory| Some(snapshot_of(id, entry, directory, open)))))
}

async fn snapshot(State(shared): Served, Path(symbol): Path<String>) -> Reply<SymbolSnapshot> {
    let open = shared.state().session.open;
    one(&shared, &symbol, |id, entry, directory| Some(snapshot_of(id, entry, directory, open)))
        .map(|snapshot| Json(SymbolSnapshot { symbol, snapshot }))
}

/// One page of bars of these names.
pub(crate) fn bars_page(shared: &Shared, params: &Params, names: &[String]) -> Reply<BarsPage> {
    let timeframe = params.text("timeframe").ok_or_else(|| ApiError::bad("timeframe is required"))?;
    let timeframe = Timeframe::parse(timeframe)?;
    let venue = shared.state();
    let window = Window::asked(params, venue.clock.now())?;
    let (bars, next_page_token) = window.page(names, |name| {
        let of = |book: &Book| {
            Some(series(book.entry(venue.directory.find(name)?)?, venue.directory.find(name)?, timeframe))
        };
        of(&venue.book).unwrap_or_default().iter().map(|past| (past.bar.start, on_wire(past))).collect()
    });
    Ok(Json(BarsPage { bars, next_page_token }))
}

/// One page of the last prints of these names.
pub(crate) fn trades_page(shared: &Shared, params: &Params, names: &[String]) -> Reply<TradesPage> {
    let venue = shared.state();
    let window = Window::asked(params, venue.clock.now())?;
    let (trades, next_page_token) = window.page(names, |name| {
        let Some(id) = venue.directory.find(name) else { return Vec::new() };
        let listing = venue.directory.listing(id);
        let prints = venue.book.entry(id).into_iter().flat_map(|entry| &entry.prints);
        let mut all: Vec<(UnixNanos, Trade)> =
            prints.map(|print| (print.exchange_time, Trade::of(print, listing))).collect();
        all.sort_by_key(|(at, _)| *at);
        all
    });
    Ok(Json(TradesPage { trades, next_page_token }))
}

async fn bars(State(shared): Served, params: Params) -> Reply<BarsPage> {
    let names = params.tickers()?;
    bars_page(&shared, &params, &names)
}

async fn trades(State(shared): Served, params: Params) -> Reply<TradesPage> {
    let names = params.tickers()?;
    trades_page(&shared, &params, &names)
}

async fn exchanges() -> Json<BTreeMap<&'static str, &'static str>> {
    Json(BTreeMap::from([
        ("A", "NYSE American (AMEX)"),
        ("B", "NASDAQ OMX BX"),
        ("C", "National Stock Exchange"),
        ("D", "FINRA ADF"),
        ("H", "MIAX"),
        ("J", "Cboe EDGA"),
        ("K", "Cboe EDGX"),
        ("M", "NYSE Chicago"),
        ("N", "New York Stock Exchange"),
        ("P", "NYSE Arca"),
        ("Q", "NASDAQ OMX"),
        ("U", "Members Exchange"),
        ("V", "IEX"),
        ("X", "NASDAQ OMX PSX"),
        ("Y", "Cboe BYX"),
        ("Z", "Cboe BZX"),
    ]))
}

async fn conditions(Path(kind): Path<String>, params: Params) -> Reply<BTreeMap<&'static str, &'static str>> {
    let tape = params.word("tape", ["A", "B", "C"])?;
    let map = match (kind.as_str(), tape) {
        ("quote", _) => BTreeMap::from([("R", "Regular, two-sided open quote")]),
        ("trade", tape) => BTreeMap::from([
            (if tape == "C" { "@" } else { " " }, "Regular Sale"),
            ("6", "Market Center Closing Trade"),
            ("F", "Intermarket Sweep"),
            ("I", "Odd Lot Trade"),
            ("M", "Market Center Official Close"),
            ("Z", "Sold (Out of Sequence)"),
        ]),
        _ => return Err(ApiError::not_found("conditions are those of trade or quote")),
    };
    Ok(Json(map))
}
