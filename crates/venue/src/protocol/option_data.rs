//! Market-data REST of options.

use crate::book::Entry;
use crate::protocol::bars::previous_day;
use crate::protocol::reply::{ApiError, Params, Reply, shown};
use crate::protocol::shared::{Shared, State as Venue};
use crate::protocol::stock_data::{bars_page, found, on_wire, trades_page};
use crate::surface::{RATE, time_to};
use agenttrader_alpaca::wire::bar::BarsPage;
use agenttrader_alpaca::wire::quote::{LatestQuotes, Quote};
use agenttrader_alpaca::wire::snapshot::{Greeks, OptionSnapshot, OptionSnapshotsPage};
use agenttrader_alpaca::wire::trade::{LatestTrades, Trade, TradesPage};
use agenttrader_core::calendar::Session;
use agenttrader_core::instrument::{InstrumentId, OptionContract, Right};
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_options::{Carry, greeks, implied_volatility};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;

type Served = State<Arc<Shared>>;

/// Contracts that one request may name.
const SYMBOLS_MAX: usize = 100;

/// Contracts of one page of a chain without a limit, and at most.
const CHAIN_USUAL: usize = 100;
const CHAIN_MOST: usize = 1_000;

/// All routes of the option data service.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1beta1/options/quotes/latest", get(latest_quotes))
        .route("/v1beta1/options/trades/latest", get(latest_trades))
        .route("/v1beta1/options/snapshots", get(snapshots))
        .route("/v1beta1/options/snapshots/{underlying}", get(chain))
        .route("/v1beta1/options/bars", get(bars))
        .route("/v1beta1/options/trades", get(trades))
        .route("/v1beta1/options/meta/exchanges", get(exchanges))
        .route("/v1beta1/options/meta/conditions/{kind}", get(conditions))
}

async fn latest_quotes(State(shared): Served, params: Params) -> Reply<LatestQuotes> {
    let names = params.contracts(SYMBOLS_MAX)?;
    let quotes = found(&names, &shared.state(), |id, entry, directory| {
        entry.quote.map(|quote| Quote::of(&quote, directory.listing(id)))
    });
    Ok(Json(LatestQuotes { quotes }))
}

async fn latest_trades(State(shared): Served, params: Params) -> Reply<LatestTrades> {
    let names = params.contracts(SYMBOLS_MAX)?;
    let trades = found(&names, &shared.state(), |id, entry, directory| {
        entry.trade.map(|trade| Trade::of(&trade, directory.listing(id)))
    });
    Ok(Json(LatestTrades { trades }))
}

async fn bars(State(shared): Served, params: Params) -> Reply<BarsPage> {
    let names = params.contracts(CHAIN_MOST)?;
    bars_page(&shared, &params, &names)
}

async fn trades(State(shared): Served, params: Params) -> Reply<TradesPage> {
    let names = params.contracts(SYMBOLS_MAX)?;
    trades_page(&shared, &params, &names)
}

async fn snapshots(State(shared): Served, params: Params) -> Reply<OptionSnapshotsPage> {
    let names = params.contracts(SYMBOLS_MAX)?;
    page(&shared, &params, names)
}

/// The filters of a chain request.
struct Filter {
    right: Option<Right>,
    strikes: [Option<agenttrader_core::price::Price>; 2],
    expiration: Option<jiff::civil::Date>,
    expirations: [Option<jiff::civil::Date>; 2],
    root: Option<String>,
    updated_since: Option<UnixNanos>,
}

impl Filter {
    fn asked(params: &Params) -> Result<Self, ApiError> {
        let right = match params.word("type", ["", "call", "put"])? {
            "call" => Some(Right::Call),
            "put" => Some(Right::Put),
            _ => None,
        };
        Ok(Self {
            right,
            strikes: [params.price("strike_price_gte")?, params.price("strike_price_lte")?],
            expiration: params.date("expiration_date")?,
            expirations: [params.date("expiration_date_gte")?, params.date("expiration_date_lte")?],
            root: params.text("root_symbol").map(str::to_owned),
            updated_since: params.time("updated_since")?,
        })
    }

    fn passes(&self, option: &OptionContract, entry: &Entry) -> bool {
        let [strike_from, strike_to] = self.strikes;
        let [from, to] = self.expirations;
        let updated = entry.quote.map(|quote| quote.exchange_time).max(entry.trade.map(|trade| trade.exchange_time));
        self.right.is_none_or(|right| right == option.right())
            && strike_from.is_none_or(|from| option.strike() >= from)
            && strike_to.is_none_or(|to| option.strike() <= to)
            && self.expiration.is_none_or(|date| option.expiration() == date)
            && from.is_none_or(|from| option.expiration() >= from)
            && to.is_none_or(|to| option.expiration() <= to)
            && self.root.as_deref().is_none_or(|root| option.contract.root() == root)
            && self.updated_since.is_none_or(|since| updated.is_some_and(|updated| updated >= since))
    }
}

async fn chain(State(shared): Served, Path(underlying): Path<String>, params: Params) -> Reply<OptionSnapshotsPage> {
    let symbol =
        Symbol::parse(&underlying).map_err(|_| ApiError::bad(format!("invalid symbol: {}", shown(&underlying))))?;
    let filter = Filter::asked(&params)?;
    let mut names: Vec<String> = {
        let venue = shared.state();
        let options =
            venue.directory.instruments().iter().filter_map(|(id, instrument)| Some((id, instrument.option()?)));
        let passing = options.filter(|(id, option)| {
            option.underlying == symbol && venue.book.entry(*id).is_some_and(|entry| filter.passes(option, entry))
        });
        passing.map(|(id, _)| venue.directory.name(id).to_owned()).collect()
    };
    names.sort();
    page(&shared, &params, names)
}

/// One page of snapshots of these names, which are sorted.
fn page(shared: &Shared, params: &Params, mut names: Vec<String>) -> Reply<OptionSnapshotsPage> {
    let limit = params.limit(CHAIN_USUAL, CHAIN_MOST)?;
    if let Some(after) = params.text("page_token") {
        names.retain(|name| name.as_str() > after);
    }
    let next_page_token = if names.len() > limit { names.get(limit.saturating_sub(1)).cloned() } else { None };
    names.truncate(limit);
    let snapshots = {
        let venue = shared.state();
        let now = venue.clock.now();
        found(&names, &venue, |id, entry, _| snapshot(&venue, id, entry, now))
    };
    Ok(Json(OptionSnapshotsPage { snapshots, next_page_token }))
}

fn snapshot(venue: &Venue, id: InstrumentId, entry: &Entry, now: UnixNanos) -> Option<OptionSnapshot> {
    let option = venue.directory.instruments().get(id)?.option()?;
    let listing = venue.directory.listing(id);
    let (implied_volatility, greeks) = analytics(venue, option, entry, now).unzip();
    Some(OptionSnapshot {
        latest_trade: entry.trade.map(|trade| Trade::of(&trade, listing)),
        latest_quote: entry.quote.map(|quote| Quote::of(&quote, listing)),
        minute_bar: entry.minutes.last().map(on_wire),
        daily_bar: entry.today(id).as_ref().map(on_wire),
        prev_daily_bar: previous_day(entry, venue.session.open).as_ref().map(on_wire),
        implied_volatility,
        greeks,
    })
}

/// Volatility of the quote's middle, and the greeks at it; `None` where they cannot be computed.
fn analytics(venue: &Venue, option: &OptionContract, entry: &Entry, now: UnixNanos) -> Option<(f64, Greeks)> {
    let underlying = venue.book.entry(venue.directory.instruments().by_symbol(option.underlying)?)?;
    let spot = underlying.quote.and_then(|quote| quote.mid()).or(underlying.trade.map(|trade| trade.price))?.as_f64();
    let expiry = Session::on(option.expiration())?;
    let carry = Carry::from_rates(spot, RATE, 0.0, time_to(&expiry, now)).ok()?;
    let (of, strike) = (option.right(), option.strike().as_f64());
    let middle = entry.quote.and_then(|quote| quote.mid()).map(|mid| mid.as_f64());
    let volatility = implied_volatility(of, strike, middle, &carry).ok()?;
    let greeks = greeks::greeks(of, strike, volatility, &carry)?;
    // The wire has vega and rho per percentage point.
    let on_wire = Greeks {
        delta: greeks.delta,
        gamma: greeks.gamma,
        theta: greeks.theta,
        vega: greeks.vega / 100.0,
        rho: greeks.rho / 100.0,
    };
    Some((volatility, on_wire))
}

async fn exchanges() -> Json<BTreeMap<&'static str, &'static str>> {
    Json(BTreeMap::from([
        ("A", "AMEX - NYSE American"),
        ("B", "BOX - Boston Options Exchange"),
        ("C", "CBOE - Cboe Options Exchange"),
        ("D", "EMERALD - Miami International Stock Exchange"),
        ("E", "EDGX - Cboe EDGX Options Exchange"),
        ("H", "GEMX - Nasdaq GEMX"),
        ("I", "ISE - Nasdaq International Securities Exchange"),
        ("J", "MRX - Nasdaq MRX"),
        ("M", "MIAX - Miami International Stock Exchange"),
        ("N", "NYSE - NYSE Arca"),
        ("P", "PEARL - Miami International Stock Exchange"),
        ("Q", "NASD - Nasdaq Options"),
        ("S", "SPHR - MIAX Sapphire"),
        ("T", "BX - Nasdaq BX Options"),
        ("U", "MEMX - Members Exchange"),
        ("W", "C2 - Cboe C2"),
        ("X", "PHLX - Nasdaq PHLX"),
        ("Z", "BATS - Cboe BZX Options Exchange"),
    ]))
}

async fn conditions(Path(kind): Path<String>) -> Reply<BTreeMap<&'static str, &'static str>> {
    match kind.as_str() {
        "quote" => Ok(Json(BTreeMap::from([(" ", "Regular")]))),
        "trade" => Ok(Json(BTreeMap::from([
            ("D", "LATE: reported late, in sequence"),
            ("I", "AUTO: executed electronically"),
            ("S", "ISOI: intermarket sweep order"),
            ("a", "SLAN: single-leg auction, not ISO"),
            ("f", "MLET: multi-leg, electronic"),
            ("g", "MLAT: multi-leg auction"),
            ("j", "MESL: multi-leg against single legs"),
        ]))),
        _ => Err(ApiError::not_found("conditions are those of trade or quote")),
    }
}
