//! Trading REST without orders: clock, calendar, assets, contracts, the account that holds nothing.

use crate::directory::{profile, uuid_of};
use crate::protocol::bars::previous_day;
use crate::protocol::keys::Key;
use crate::protocol::reply::{ApiError, Params, Reply, shown};
use crate::protocol::shared::{Shared, State as Venue};
use agenttrader_alpaca::wire::account::Account;
use agenttrader_alpaca::wire::asset::Asset;
use agenttrader_alpaca::wire::calendar::CalendarDay;
use agenttrader_alpaca::wire::clock::{Clock, EasternTime, SPEED_HEADER};
use agenttrader_alpaca::wire::contract::{Contract, ContractsPage};
use agenttrader_core::calendar::{Session, is_open, new_york_date, sessions};
use agenttrader_core::instrument::{CONTRACT_MULTIPLIER, Instrument, InstrumentId, OptionContract, Right};
use agenttrader_core::money::Money;
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::HeaderName;
use axum::routing::get;
use jiff::civil::{Date, Weekday, date};
use std::sync::Arc;

type Served = State<Arc<Shared>>;

/// What every account begins with, in dollars.
const START_CASH: i64 = 100_000;

/// When every account was opened.
const OPENED: &str = "2026-01-02T14:30:00Z";

/// The calendar's years, as Alpaca serves them.
const FIRST: Date = date(1970, 1, 1);
const LAST: Date = date(2029, 12, 31);

/// Contracts of one page without a limit, and at most.
const CONTRACTS_USUAL: usize = 100;
const CONTRACTS_MOST: usize = 10_000;

/// All routes of the trading service that are built.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v2/clock", get(clock))
        .route("/v2/calendar", get(calendar))
        .route("/v2/assets", get(assets))
        .route("/v2/assets/{asset}", get(asset))
        .route("/v2/account", get(account))
        .route("/v2/options/contracts", get(contracts))
        .route("/v2/options/contracts/{contract}", get(contract))
        .route("/v2/positions", get(|| async { Json(Vec::<()>::new()) }))
        .route("/v2/positions/{asset}", get(|| async { ApiError::not_found("position does not exist") }))
}

/// The clock at `now`: the sessions are the exchange's, whichever one is being played.
fn clock_at(now: UnixNanos) -> Clock {
    let today = Session::at(now);
    let next = Session::next_after(new_york_date(now));
    let next_open = today.filter(|today| now < today.open).unwrap_or(next).open;
    let next_close = today.filter(|today| now < today.close).unwrap_or(next).close;
    Clock {
        timestamp: EasternTime(now),
        is_open: is_open(now),
        next_open: EasternTime(next_open),
        next_close: EasternTime(next_close),
    }
}

async fn clock(State(shared): Served) -> ([(HeaderName, String); 1], Json<Clock>) {
    let clock = shared.state().clock;
    let header = (HeaderName::from_static(SPEED_HEADER), clock.speed().to_string());
    ([header], Json(clock_at(clock.now())))
}

async fn calendar(params: Params) -> Reply<Vec<CalendarDay>> {
    let from = params.date("start").map_err(ApiError::of_trading)?.unwrap_or(FIRST).max(FIRST);
    let to = params.date("end").map_err(ApiError::of_trading)?.unwrap_or(LAST).min(LAST);
    Ok(Json(sessions(from, to).map(|session| CalendarDay::of(&session)).collect()))
}

async fn account(Extension(key): Extension<Key>) -> Json<Account> {
    let id = uuid_of(&format!("account of {}", key.as_str()));
    let digits: String =
        id.bytes().filter(u8::is_ascii_hexdigit).take(10).map(|digit| char::from(digit.to_ascii_uppercase())).collect();
    Json(Account::with_cash(id, format!("PA{digits}"), OPENED.to_owned(), Money::from_dollars(START_CASH)))
}

fn asset_of(symbol: &str) -> Asset {
    let known = profile(symbol);
    Asset {
        id: uuid_of(symbol),
        class: "us_equity".to_owned(),
        exchange: known.map_or("NYSE", |known| known.exchange).to_owned(),
        symbol: symbol.to_owned(),
        name: known.map_or(symbol, |known| known.name).to_owned(),
        status: "active".to_owned(),
        tradable: true,
        marginable: true,
        shortable: true,
        easy_to_borrow: true,
        fractionable: true,
        maintenance_margin_requirement: Some(30.0),
        margin_requirement_long: Some("30".to_owned()),
        margin_requirement_short: Some("30".to_owned()),
        attributes: vec!["has_options".to_owned()],
    }
}

async fn assets(State(shared): Served, params: Params) -> Reply<Vec<Asset>> {
    let is_any = |name: &str, wanted: &str| params.text(name).is_none_or(|text| text == wanted);
    if !is_any("status", "active") || !is_any("asset_class", "us_equity") {
        return Ok(Json(Vec::new()));
    }
    let venue = shared.state();
    let all = venue.directory.stocks().map(|(_, symbol)| asset_of(symbol));
    Ok(Json(all.filter(|asset| is_any("exchange", &asset.exchange)).collect()))
}

async fn asset(State(shared): Served, Path(wanted): Path<String>) -> Reply<Asset> {
    let venue = shared.state();
    let found = venue.directory.stocks().find(|(_, symbol)| *symbol == wanted || uuid_of(symbol) == wanted);
    let found = found.map(|(_, symbol)| Json(asset_of(symbol)));
    found.ok_or_else(|| ApiError::not_found(format!("asset not found for {}", shown(&wanted))))
}

fn contract_of(venue: &Venue, id: InstrumentId, option: &OptionContract) -> Option<Contract> {
    let entry = venue.book.entry(id)?;
    let symbol = option.contract.to_string();
    let kind = if option.right() == Right::Call { "call" } else { "put" };
    let closed = previous_day(entry, venue.session.open);
    Some(Contract {
        id: uuid_of(&symbol),
        name: format!("{} {} {} {kind}", option.underlying, option.expiration(), option.strike()),
        status: "active".to_owned(),
        tradable: true,
        expiration_date: option.expiration(),
        root_symbol: Some(option.contract.root().to_owned()),
        underlying_symbol: option.underlying.to_string(),
        underlying_asset_id: Some(uuid_of(option.underlying.as_str())),
        kind: kind.to_owned(),
        style: if option.european { "european" } else { "american" }.to_owned(),
        strike_price: option.strike().to_string(),
        multiplier: Some(CONTRACT_MULTIPLIER.to_string()),
        size: Some(CONTRACT_MULTIPLIER.to_string()),
        open_interest: entry.open_interest.map(|(contracts, _)| contracts.to_string()),
        open_interest_date: entry.open_interest.map(|(_, date)| date),
        close_price: closed.map(|past| past.bar.close.to_string()),
        close_price_date: closed.map(|past| new_york_date(past.bar.start)),
        ppind: Some(false),
        symbol,
    })
}

/// The day before the coming weekend's end: what expires later is listed only when asked for.
fn coming_sunday(today: Date) -> Date {
    let days = i64::from(today.weekday().until(Weekday::Sunday));
    today.checked_add(jiff::Span::new().days(days)).unwrap_or(today)
}

async fn contracts(State(shared): Served, params: Params) -> Reply<ContractsPage> {
    list_contracts(&shared, &params).map_err(ApiError::of_trading)
}

fn list_contracts(shared: &Shared, params: &Params) -> Reply<ContractsPage> {
    let limit = params.limit(CONTRACTS_USUAL, CONTRACTS_MOST)?;
    let kind = params.word("type", ["", "call", "put"])?;
    let style = params.word("style", ["", "american", "european"])?;
    let status = params.word("status", ["active", "inactive"])?;
    let exact = params.date("expiration_date")?;
    let (from, to) = (params.date("expiration_date_gte")?, params.date("expiration_date_lte")?);
    let strikes = [params.price("strike_price_gte")?, params.price("strike_price_lte")?];
    let venue = shared.state();
    let to = match (exact, from, to) {
        (None, None, None) => Some(coming_sunday(new_york_date(venue.clock.now()))),
        (_, _, to) => to,
    };
    let named =
        |name: &str, value: &str| params.text(name).is_none_or(|text| text.split(',').any(|one| one.trim() == value));
    let passes = |option: &OptionContract| {
        let [strike_from, strike_to] = strikes;
        status == "active"
            && (kind.is_empty() || (kind == "call") == (option.right() == Right::Call))
            && (style.is_empty() || (style == "european") == option.european)
            && named("underlying_symbols", option.underlying.as_str())
            && named("root_symbol", option.contract.root())
            && exact.is_none_or(|date| option.expiration() == date)
            && from.is_none_or(|from| option.expiration() >= from)
            && to.is_none_or(|to| option.expiration() <= to)
            && strike_from.is_none_or(|from| option.strike() >= from)
            && strike_to.is_none_or(|to| option.strike() <= to)
    };
    let mut listed: Vec<(&str, InstrumentId, &OptionContract)> = venue
        .directory
        .instruments()
        .iter()
        .filter_map(|(id, instrument)| Some((venue.directory.name(id), id, instrument.option()?)))
        .filter(|(name, _, option)| passes(option) && params.text("page_token").is_none_or(|after| *name > after))
        .collect();
    listed.sort_by_key(|(name, ..)| *name);
    let last = listed.get(limit.saturating_sub(1)).map(|(name, ..)| (*name).to_owned());
    let next_page_token = last.filter(|_| listed.len() > limit);
    let page = listed.iter().take(limit).filter_map(|(_, id, option)| contract_of(&venue, *id, option));
    Ok(Json(ContractsPage { option_contracts: page.collect(), next_page_token }))
}

async fn contract(State(shared): Served, Path(wanted): Path<String>) -> Reply<Contract> {
    let venue = shared.state();
    let by_id = || {
        let mut all = venue.directory.instruments().iter();
        all.find(|(_, known)| known.option().is_some() && uuid_of(&known.to_string()) == wanted).map(|(id, _)| id)
    };
    let found = venue.directory.find(&wanted).or_else(by_id);
    let found = found.and_then(|id| match venue.directory.instruments().get(id)? {
        Instrument::Option(option) => contract_of(&venue, id, option),
        Instrument::Equity { .. } | Instrument::Index { .. } => None,
    });
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("option contract not found for {}", shown(&wanted))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_says_what_comes_next_at_every_hour_of_a_week_with_a_holiday() {
        let show = |day, hour, minute| {
            let clock = clock_at(agenttrader_core::calendar::new_york(date(2026, 11, day), hour, minute));
            let text = |time: EasternTime| serde_json::to_value(time).unwrap().as_str().unwrap()[8..16].to_owned();
            (clock.is_open, text(clock.next_open), text(clock.next_close))
        };
        let row = |open: bool, next_open: &str, next_close: &str| (open, next_open.to_owned(), next_close.to_owned());
        assert_eq!(show(25, 9, 29), row(false, "25T09:30", "25T16:00"));
        assert_eq!(show(25, 9, 30), row(true, "27T09:30", "25T16:00"));
        assert_eq!(show(25, 16, 0), row(false, "27T09:30", "27T13:00"));
        assert_eq!(show(26, 12, 0), row(false, "27T09:30", "27T13:00"));
        assert_eq!(show(27, 12, 59), row(true, "30T09:30", "27T13:00"));
    }
}
