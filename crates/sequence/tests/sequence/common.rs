//! Inputs of every kind, and recordings of them.

use agenttrader_core::event::{
    Bar, MarketEvent, OpenInterest, Quote, Trade, TradeCancel, TradeCorrection, TradingStatus,
};
use agenttrader_core::identity::AgentMode;
use agenttrader_core::instrument::{Instrument, InstrumentId, OptionContract};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::head::{Head, Source, SourceKind};
use agenttrader_sequence::input::{
    Configuration, ConfigurationFile, Fact, FeedFact, HealthFact, Input, Numbered, StrategySeat,
};
use agenttrader_sequence::read::{ReadError, Recording, Torn};
use agenttrader_sequence::record::Recorder;
use jiff::civil::Date;
use proptest::prelude::*;
use std::path::Path;

/// A head with something in most fields.
pub fn head() -> Head {
    let source = Source { kind: SourceKind::Venue, name: "simulator at http://127.0.0.1:8085".to_owned() };
    let created = UnixNanos::parse("2026-03-02T15:00:00.000000001Z").unwrap();
    let mut head = Head::flat(uuid::Uuid::from_u128(7), created, jiff::civil::date(2026, 3, 2), source);
    head.seed = Some(u64::MAX);
    head.cadence = Some(Span::from_seconds(1));
    head.symbols = vec![Symbol::parse("SPY").unwrap(), Symbol::parse("BRK.B").unwrap()];
    head.instruments = vec![instrument(0), instrument(3)];
    head.build_digest = Some(agenttrader_core::digest::Digest::of(b"build"));
    head.public_keys.insert("gamma".to_owned(), "q83v".to_owned());
    head.log_last_time = Some(UnixNanos::EPOCH);
    head.positions = serde_json::json!({"SPY": {"quantity": -3, "lots": [{"price": "450.25"}]}});
    head
}

/// The nth of a row of different instruments.
pub fn instrument(nth: u32) -> Instrument {
    let symbol = Symbol::parse("SPY").unwrap();
    match nth {
        0 => Instrument::Equity { symbol },
        1 => Instrument::Index { symbol: Symbol::parse("SPX").unwrap() },
        _ => {
            let strike = Price::from_nanos(i64::from(nth) * 500_000_000);
            let right = if nth.is_multiple_of(2) {
                agenttrader_core::instrument::Right::Call
            } else {
                agenttrader_core::instrument::Right::Put
            };
            let contract = OccSymbol::new("SPY", jiff::civil::date(2026, 3, 2), right, strike).unwrap();
            Instrument::Option(OptionContract { underlying: symbol, contract, european: nth.is_multiple_of(3) })
        }
    }
}

/// Writes inputs into a new file at `path` and gives its bytes, and where each input ends.
pub fn write(path: &Path, inputs: &[(UnixNanos, Input)]) -> (Vec<u8>, Vec<usize>) {
    let mut recorder = Recorder::create(path, &head()).unwrap();
    let mut ends = Vec::new();
    for (number, (at, input)) in (0..).zip(inputs) {
        assert_eq!(recorder.record(*at, input).unwrap(), number);
        ends.push(recorder.bytes() as usize);
    }
    recorder.finish().unwrap();
    (std::fs::read(path).unwrap(), ends)
}

/// Reads bytes to their end: what was given out, and how it ended.
pub fn read(bytes: &[u8]) -> (Vec<Numbered>, Result<Option<Torn>, ReadError>) {
    let mut given = Vec::new();
    let mut recording = match Recording::from_reader(std::io::Cursor::new(bytes.to_vec()), Path::new("given bytes")) {
        Ok(recording) => recording,
        Err(error) => return (given, Err(error)),
    };
    loop {
        match recording.next_input() {
            Ok(Some(numbered)) => given.push(numbered),
            Ok(None) => return (given, Ok(recording.torn())),
            Err(error) => {
                assert!(recording.next_input().unwrap().is_none(), "there is nothing more after an error");
                return (given, Err(error));
            }
        }
    }
}

/// Inputs with numbers and times, as a reader gives them.
pub fn numbered(inputs: &[(UnixNanos, Input)]) -> Vec<Numbered> {
    (0..).zip(inputs).map(|(number, (at, input))| Numbered { number, at: *at, input: input.clone() }).collect()
}

/// One input of every kind, in an order that may be recorded.
pub fn one_of_each() -> Vec<(UnixNanos, Input)> {
    let id = InstrumentId(0);
    let at = UnixNanos::from_seconds(1_772_463_600);
    let price = Price::parse("450.25").unwrap();
    let trade = Trade {
        instrument: id,
        exchange_time: at,
        price,
        size: 100,
        exchange: b'Q',
        conditions: *b"@F  ",
        trade_id: u64::MAX,
    };
    let cancel = TradeCancel { instrument: id, exchange_time: at, trade_id: 9, price, size: 100 };
    let market = [
        MarketEvent::Quote(quote(id, at)),
        MarketEvent::Trade(trade),
        MarketEvent::Bar(Bar {
            instrument: id,
            start: at,
            interval: Span::from_minutes(1),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 12_345,
            trade_count: 3,
            backfill: true,
        }),
        MarketEvent::OpenInterest(OpenInterest { instrument: id, contracts: 7, date: jiff::civil::date(2026, 3, 2) }),
        MarketEvent::Status(TradingStatus {
            instrument: id,
            exchange_time: at,
            halted: true,
            code: b'H',
            reason: *b"T1  ",
        }),
        MarketEvent::Cancel(cancel),
        MarketEvent::Correction(TradeCorrection { original: cancel, corrected: trade }),
    ];
    let mut inputs = vec![Input::Instrument { id, instrument: instrument(2) }];
    inputs.extend(facts().into_iter().map(Input::Fact));
    inputs.extend(market.into_iter().map(Input::Market));
    (0..).zip(inputs).map(|(step, input)| (at.plus(Span::from_millis(step)), input)).collect()
}

pub fn quote(instrument: InstrumentId, exchange_time: UnixNanos) -> Quote {
    Quote {
        instrument,
        exchange_time,
        bid: Price::parse("450.24").unwrap(),
        ask: Price::parse("450.26").unwrap(),
        bid_size: 300,
        ask_size: 200,
        bid_exchange: b'Q',
        ask_exchange: b'P',
        condition: b'R',
    }
}

/// Every fact.
pub fn facts() -> Vec<Fact> {
    let stream = || "stocks".to_owned();
    let configuration = Configuration {
        files: vec![ConfigurationFile {
            name: "risk.toml".to_owned(),
            text: "[orders]\nshares = 300 # \u{1F980}\n".to_owned(),
        }],
        strategies: vec![StrategySeat { strategy: "gamma".to_owned(), agent_name: "gamma-strategy".to_owned() }],
        gate_agent_name: "execution-agent".to_owned(),
        strategy_mode: AgentMode::Observe,
        execution_mode: AgentMode::Off,
        execution_agent_enabled: false,
        broker_execution_enabled: false,
        marketdata_max_age_seconds: 30,
        option_quote_max_age_seconds: 60,
        marketdata_force_stale: false,
        symbol_allowlist: None,
        symbols: vec![Symbol::parse("SPY").unwrap()],
    };
    let mut facts = vec![
        Fact::Configuration(configuration),
        Fact::Timer { wall: UnixNanos::from_nanos(-1) },
        Fact::Switch(Reading { halted: true, source: "file: contains `1`\n".to_owned() }),
        Fact::Log { agent_name: "gamma-strategy".to_owned(), health: LogHealth::Writable },
        Fact::Health(HealthFact { fresh: false, age_ms: None, reason: Some("refused".to_owned()) }),
    ];
    let feed = [
        FeedFact::Connected { stream: stream(), delayed: true },
        FeedFact::Disconnected { stream: stream(), reason: "time out".to_owned() },
        FeedFact::Gap { stream: stream(), from: UnixNanos::EPOCH, to: UnixNanos::MAX },
        FeedFact::Rejected { stream: stream(), reason: "no JSON".to_owned(), count: 1 << 53 },
        FeedFact::ClockStepped { by: Span::from_seconds(-2) },
        FeedFact::Cadence { every: Span::from_minutes(1) },
        FeedFact::BackfillComplete,
    ];
    // The largest count that JSON holds exactly.
    facts.extend(
        feed.into_iter()
            .map(|fact| match fact {
                FeedFact::Rejected { stream, reason, count } => FeedFact::Rejected { stream, reason, count: count - 1 },
                other => other,
            })
            .map(Fact::Feed),
    );
    facts
}

/// Any inputs that may be recorded: events bear numbers that were given before.
pub fn any_inputs(most: usize) -> impl Strategy<Value = Vec<(UnixNanos, Input)>> {
    prop::collection::vec((any::<i64>(), any_step()), 0..most).prop_map(|steps| {
        let mut defined = 0;
        let mut inputs = Vec::new();
        for (at, step) in steps {
            let input = match step {
                Step::Define => {
                    defined += 1;
                    Input::Instrument { id: InstrumentId(defined - 1), instrument: instrument(defined - 1) }
                }
                Step::Fact(fact) => Input::Fact(fact),
                Step::Market(_) if defined == 0 => continue,
                Step::Market(event) => Input::Market(within(event, defined)),
            };
            inputs.push((UnixNanos::from_nanos(at), input));
        }
        inputs
    })
}

#[derive(Clone, Debug)]
enum Step {
    Define,
    Fact(Fact),
    Market(MarketEvent),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Define),
        any_fact().prop_map(Step::Fact),
        any_event().prop_map(Step::Market),
        any_event().prop_map(Step::Market),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        prop::sample::select(facts()),
        any::<i64>().prop_map(|wall| Fact::Timer { wall: UnixNanos::from_nanos(wall) }),
        (any::<bool>(), ".*").prop_map(|(halted, source)| Fact::Switch(Reading { halted, source })),
        (".*", ".*", 0..1_u64 << 53).prop_map(|(stream, reason, count)| Fact::Feed(FeedFact::Rejected {
            stream,
            reason,
            count
        })),
    ]
}

fn time() -> impl Strategy<Value = UnixNanos> {
    any::<i64>().prop_map(UnixNanos::from_nanos)
}

fn price() -> impl Strategy<Value = Price> {
    any::<i64>().prop_map(Price::from_nanos)
}

fn any_trade() -> impl Strategy<Value = Trade> {
    (any::<u32>(), time(), price(), any::<u32>(), any::<u8>(), any::<[u8; 4]>(), any::<u64>()).prop_map(
        |(id, exchange_time, price, size, exchange, conditions, trade_id)| Trade {
            instrument: InstrumentId(id),
            exchange_time,
            price,
            size,
            exchange,
            conditions,
            trade_id,
        },
    )
}

fn any_cancel() -> impl Strategy<Value = TradeCancel> {
    (any::<u32>(), time(), any::<u64>(), price(), any::<u32>()).prop_map(
        |(id, exchange_time, trade_id, price, size)| TradeCancel {
            instrument: InstrumentId(id),
            exchange_time,
            trade_id,
            price,
            size,
        },
    )
}

fn any_event() -> impl Strategy<Value = MarketEvent> {
    let quote = (any::<u32>(), time(), price(), price(), any::<u32>(), any::<u32>(), any::<[u8; 3]>()).prop_map(
        |(id, exchange_time, bid, ask, bid_size, ask_size, [bid_exchange, ask_exchange, condition])| {
            let instrument = InstrumentId(id);
            MarketEvent::Quote(Quote {
                instrument,
                exchange_time,
                bid,
                ask,
                bid_size,
                ask_size,
                bid_exchange,
                ask_exchange,
                condition,
            })
        },
    );
    let bar = (any::<u32>(), time(), any::<i64>(), any::<[i64; 4]>(), any::<u64>(), any::<u32>(), any::<bool>())
        .prop_map(|(id, start, interval, prices, volume, trade_count, backfill)| {
            let [open, high, low, close] = prices.map(Price::from_nanos);
            let (instrument, interval) = (InstrumentId(id), Span::from_nanos(interval));
            MarketEvent::Bar(Bar { instrument, start, interval, open, high, low, close, volume, trade_count, backfill })
        });
    let interest = (any::<u32>(), any::<u64>(), -9999_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(
        |(id, contracts, year, month, day)| {
            let date = Date::new(year, month, day).unwrap();
            MarketEvent::OpenInterest(OpenInterest { instrument: InstrumentId(id), contracts, date })
        },
    );
    let status = (any::<u32>(), time(), any::<bool>(), any::<u8>(), any::<[u8; 4]>()).prop_map(
        |(id, exchange_time, halted, code, reason)| {
            MarketEvent::Status(TradingStatus { instrument: InstrumentId(id), exchange_time, halted, code, reason })
        },
    );
    prop_oneof![
        quote,
        any_trade().prop_map(MarketEvent::Trade),
        bar,
        interest,
        status,
        any_cancel().prop_map(MarketEvent::Cancel),
        (any_cancel(), any_trade())
            .prop_map(|(original, corrected)| MarketEvent::Correction(TradeCorrection { original, corrected })),
    ]
}

/// The event with numbers that are defined.
fn within(mut event: MarketEvent, defined: u32) -> MarketEvent {
    let limit = |id: &mut InstrumentId| id.0 %= defined;
    match &mut event {
        MarketEvent::Quote(one) => limit(&mut one.instrument),
        MarketEvent::Trade(one) => limit(&mut one.instrument),
        MarketEvent::Bar(one) => limit(&mut one.instrument),
        MarketEvent::OpenInterest(one) => limit(&mut one.instrument),
        MarketEvent::Status(one) => limit(&mut one.instrument),
        MarketEvent::Cancel(one) => limit(&mut one.instrument),
        MarketEvent::Correction(one) => {
            limit(&mut one.original.instrument);
            limit(&mut one.corrected.instrument);
        }
    }
    event
}
