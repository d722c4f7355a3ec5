//! Readings for mission control: what the book and the shadow account show now. Shown, not recorded.

use crate::engine::Engine;
use crate::live::Readable;
use agenttrader_core::calendar::Session;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::money::Money;
use agenttrader_core::order::Tradable;
use agenttrader_core::price::Price;
use agenttrader_execution::readings::{AccountReading, StrategyReading};
use agenttrader_marketdata::book::{Book, Underlying};
use agenttrader_marketdata::chain::SpotSource;
use agenttrader_marketdata::latest::Latest as BookLatest;
use agenttrader_mission_control::reading::{
    AccountPnl, ChainSummary, ExpirationExposure, FlowEvent, FlowSummary, Freshness, FreshnessState, GammaExposure,
    Latest, Ledger, LimitUse, Market, MarketHours, Position, Posture, Reading, StrategyPnl, StrikeExposure,
};
use agenttrader_options::flow::{Kind, Sentiment};
use agenttrader_options::gamma_exposure::Profile;
use agenttrader_safety::freshness;
use agenttrader_safety::limits::Limits;

/// Flow events shown of one underlying, newest first.
const FLOW_SHOWN: usize = 50;

/// Every reading of this moment. `speed` is venue seconds a wall second; `status` what the gate's agent says of itself.
pub fn all(
    readable: &Readable<'_>,
    status: &agenttrader_agent::snapshot::Snapshot,
    fills: &impl Fn(&str) -> u64,
) -> Vec<Reading> {
    let engine = readable.engine;
    let book = engine.book();
    let mut readings = vec![Reading::Posture(posture(engine, status))];
    if let Some(desk) = engine.desk() {
        readings.push(Reading::Ledger(ledger(&desk.readings(), book, desk.limits(), fills, desk.working())));
    }
    for underlying in book.underlyings() {
        readings.push(Reading::Market(market(book, underlying)));
        // Exposure is measured anew every five seconds; between them it is the same.
        if let Some(profile) = underlying.exposure() {
            readings.push(Reading::Exposure(exposure(book, underlying, profile)));
        }
    }
    readings
}

fn money(dollars: f64) -> Money {
    Money::from_f64((dollars * 100.0).round() / 100.0).unwrap_or_default()
}

fn millis(span: agenttrader_core::time::Span) -> u64 {
    u64::try_from(span.millis()).unwrap_or(0)
}

fn fresh(of: String, freshness: freshness::Freshness, delayed: bool, limit: agenttrader_core::time::Span) -> Freshness {
    let (state, age_ms) = match freshness {
        freshness::Freshness::Missing => (FreshnessState::Missing, None),
        freshness::Freshness::Unknown { .. } => (FreshnessState::Stale, None),
        freshness::Freshness::Age { age, .. } if !freshness.is_fresh() => (FreshnessState::Stale, Some(millis(age))),
        freshness::Freshness::Age { age, .. } if delayed => (FreshnessState::Delayed, Some(millis(age))),
        freshness::Freshness::Age { age, .. } => (FreshnessState::Fresh, Some(millis(age))),
    };
    Freshness { of, state, age_ms, max_age_ms: millis(limit) }
}

fn posture(engine: &Engine, status: &agenttrader_agent::snapshot::Snapshot) -> Posture {
    let book = engine.book();
    let limit = book.age_limit();
    let feed = fresh("feed".to_owned(), book.feed_freshness(), book.is_delayed(), limit);
    let each = book.underlyings().iter().map(|underlying| {
        fresh(underlying.symbol().to_string(), book.freshness(underlying.symbol()), book.is_delayed(), limit)
    });
    let today = book.session().filter(|session| book.now() < session.close);
    let next = today.copied().or_else(|| book.date().map(Session::next_after));
    Posture {
        as_of: book.now(),
        kill_switch: status.safety.kill_switch.clone(),
        market: MarketHours {
            is_open: book.is_open(),
            opens_utc: next.filter(|_| !book.is_open()).map(|session| session.open),
            closes_utc: next.map(|session| session.close),
            speed: status.speed,
        },
        freshness: std::iter::once(feed).chain(each).collect(),
        safe_to_run_strategies: status.safety.safe_to_run_strategies,
        safe_to_execute_orders: status.safety.safe_to_execute_orders,
        gating_reasons: status.safety.gating_reasons.clone(),
        recording_id: Some(engine.run().recording_id),
    }
}

fn market(book: &Book, underlying: &Underlying) -> Market {
    let symbol = underlying.symbol();
    let latest = underlying.instrument().and_then(|id| book.latest(id));
    let quote = latest.and_then(BookLatest::quote).map(|quoted| quoted.quote);
    let spot = book.spot(symbol);
    Market {
        symbol,
        as_of: book.now(),
        source: "marketdata".to_owned(),
        latest: Latest {
            bid: quote.and_then(|quote| quote.bid()),
            bid_size: quote.filter(|quote| quote.bid().is_some()).map(|quote| u64::from(quote.bid_size)),
            ask: quote.and_then(|quote| quote.ask()),
            ask_size: quote.filter(|quote| quote.ask().is_some()).map(|quote| u64::from(quote.ask_size)),
            last: latest.and_then(BookLatest::trade).map(|(trade, _)| trade.price),
            spot: spot.map(|(price, _)| price),
            spot_is_implied: spot.is_some_and(|(_, source)| source == SpotSource::Implied),
            day_volume: latest.map_or(0, BookLatest::day_volume),
            freshness: fresh(symbol.to_string(), book.freshness(symbol), book.is_delayed(), book.age_limit()),
        },
        chain: chain(book, underlying),
        flow: flow(book, underlying),
    }
}

fn contracts(underlying: &Underlying) -> impl Iterator<Item = InstrumentId> {
    let pairs = underlying.chain().expiries().flat_map(|(_, _, expiry)| expiry.strikes().map(|(_, pair)| *pair));
    pairs.flat_map(|pair| [pair.call, pair.put]).flatten()
}

fn chain(book: &Book, underlying: &Underlying) -> Option<ChainSummary> {
    let (_, _, soonest) = underlying.chain().expiries().find(|(_, instant, _)| *instant > book.now())?;
    let all: Vec<&BookLatest> = contracts(underlying).filter_map(|id| book.latest(id)).collect();
    let newest = all.iter().filter_map(|latest| latest.quote()?.age(book.now())).min();
    let at_the_money =
        book.spot(underlying.symbol()).and_then(|(spot, _)| soonest.nearest(spot).next()).and_then(|(_, pair)| {
            let of = |id: Option<InstrumentId>| book.analytics(id?)?.volatility.ok();
            match (of(pair.call), of(pair.put)) {
                (Some(call), Some(put)) => Some(0.5 * (call + put)),
                (one, other) => one.or(other),
            }
        });
    let usable = all.iter().filter(|latest| latest.sides().mid().is_ok()).count();
    Some(ChainSummary {
        contracts: all.len() as u64,
        usable: usable as u64,
        expirations: underlying.chain().expiries().map(|(date, _, _)| date.to_string()).collect(),
        open_interest: all.iter().filter_map(|latest| latest.open_interest()).sum(),
        day_volume: all.iter().map(|latest| latest.day_volume()).sum(),
        at_the_money_volatility: at_the_money,
        carry: if book.carry_is_parity() { "parity" } else { "configured" }.to_owned(),
        age_ms: newest.map(millis),
    })
}

fn flow(book: &Book, underlying: &Underlying) -> Option<FlowSummary> {
    if underlying.chain().is_empty() {
        return None;
    }
    let window = underlying.flow();
    let count = |kind: Kind| window.events().filter(|event| event.event.kind == kind).count() as u64;
    let premium = |sentiment: Sentiment| {
        money(window.events().filter(|event| event.event.sentiment == sentiment).map(|event| event.event.premium).sum())
    };
    let recent = window.events().rev().take(FLOW_SHOWN).map(|seen| FlowEvent {
        at: agenttrader_core::time::UnixNanos::from_nanos(seen.event.at),
        contract_symbol: book.instruments().get(seen.contract).map(ToString::to_string).unwrap_or_default(),
        kind: seen.event.kind.as_str().to_owned(),
        sentiment: seen.event.sentiment.as_str().to_owned(),
        size: seen.event.size,
        premium_usd: money(seen.event.premium),
        conviction: seen.event.conviction,
    });
    Some(FlowSummary {
        sweeps: count(Kind::Sweep),
        blocks: count(Kind::Block),
        prints: count(Kind::Print) + count(Kind::Aggregated),
        bullish_premium_usd: premium(Sentiment::Bullish),
        bearish_premium_usd: premium(Sentiment::Bearish),
        neutral_premium_usd: premium(Sentiment::Neutral),
        recent: recent.collect(),
    })
}

fn exposure(book: &Book, underlying: &Underlying, profile: &Profile) -> GammaExposure {
    let price = |dollars: f64| Price::from_f64((dollars * 1000.0).round() / 1000.0);
    let coverage = &profile.coverage;
    GammaExposure {
        symbol: underlying.symbol(),
        as_of: book.now(),
        spot: price(profile.spot).unwrap_or_default(),
        regime: profile.regime.as_str().to_owned(),
        coverage: (coverage.total > 0).then(|| coverage.usable as f64 / coverage.total as f64),
        net_usd_per_dollar: money(profile.net()),
        net_usd_per_percent: money(profile.net_per_percent()),
        same_day_net_usd_per_dollar: money(profile.same_day.net()),
        call_wall: profile.call_wall.and_then(price),
        put_wall: profile.put_wall.and_then(price),
        zero_gamma: profile.zero_gamma.and_then(price),
        by_strike: profile
            .by_strike
            .iter()
            .map(|strike| {
                let total = strike.total();
                StrikeExposure {
                    strike: price(strike.strike).unwrap_or_default(),
                    call_usd: money(total.call),
                    put_usd: money(total.put),
                    same_day_usd: money(strike.same_day.net()),
                }
            })
            .collect(),
        by_expiration: profile
            .by_expiry
            .iter()
            .map(|expiry| ExpirationExposure {
                expiration: agenttrader_core::calendar::new_york_date(agenttrader_core::time::UnixNanos::from_nanos(
                    expiry.expiry,
                ))
                .to_string(),
                is_same_day: expiry.same_day,
                call_usd: money(expiry.exposure.call),
                put_usd: money(expiry.exposure.put),
            })
            .collect(),
    }
}

fn ledger(
    account: &AccountReading,
    book: &Book,
    limits: &Limits,
    fills: &impl Fn(&str) -> u64,
    working: &[agenttrader_execution::shadow::ShadowOrder],
) -> Ledger {
    let marked = account.account.to_owned();
    let positions = account.strategies.iter().flat_map(|strategy| positions(strategy, &marked, book)).collect();
    let strategies = account.strategies.iter().map(|strategy| StrategyPnl {
        account: marked.clone(),
        strategy_name: strategy.strategy_name.clone(),
        realised_usd: strategy.realised_usd,
        unrealised_usd: strategy.unrealised_usd,
        fees_usd: strategy.fees_usd,
        net_usd: strategy.profit_usd,
        fills: fills(&strategy.strategy_name),
        working_orders: working.iter().filter(|order| order.strategy_name == strategy.strategy_name).count() as u64,
    });
    let loss = account.day_profit_usd.negated();
    let fall = account.high_water_usd.minus(account.equity_usd);
    let use_of = |name: &str, bound: Money, measured: Money| LimitUse {
        name: name.to_owned(),
        bound: bound.to_string(),
        measured: Some(measured.to_string()),
        unit: "USD".to_owned(),
    };
    Ledger {
        as_of: account.as_of_utc,
        account: marked.clone(),
        positions,
        strategies: strategies.collect(),
        total: AccountPnl {
            account: marked,
            start_equity_usd: account.day_start_equity_usd,
            equity_usd: account.equity_usd,
            high_water_usd: account.high_water_usd,
            cash_usd: account.cash_usd,
            realised_usd: account.realised_usd,
            unrealised_usd: account.unrealised_usd,
            fees_usd: account.fees_usd,
            day_usd: account.day_profit_usd,
            limits: vec![
                use_of("DAILY_LOSS", account.day_start_equity_usd.basis_points(limits.daily_loss_bp), loss),
                use_of("DRAWDOWN", account.high_water_usd.basis_points(limits.drawdown_bp), fall),
            ],
        },
    }
}

fn positions(strategy: &StrategyReading, account: &str, book: &Book) -> Vec<Position> {
    let position = |held: &agenttrader_execution::readings::PositionReading| Position {
        account: account.to_owned(),
        strategy_name: strategy.strategy_name.clone(),
        instrument: held.tradable.to_string(),
        underlying: held.tradable.underlying(),
        quantity: held.quantity,
        cost_usd: held.cost_usd,
        mark: Some(held.mark.price),
        mark_is_stale: !held.mark.fresh,
        value_usd: Some(held.value_usd),
        unrealised_usd: Some(held.unrealised_usd),
        delta_shares: delta(held, book),
    };
    strategy.positions.iter().map(position).collect()
}

fn delta(held: &agenttrader_execution::readings::PositionReading, book: &Book) -> Option<f64> {
    let quantity = held.quantity as f64;
    match held.tradable {
        Tradable::Equity { .. } => Some(quantity),
        Tradable::Option { contract_symbol, .. } => {
            let id = book.instruments().by_contract(&contract_symbol)?;
            let delta = book.analytics(id)?.greeks?.delta;
            Some(delta * quantity * f64::from(held.tradable.multiplier()))
        }
    }
}
