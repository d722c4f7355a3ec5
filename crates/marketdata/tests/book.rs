//! What strategies, the gate and people rely on of the book, through its only door.

use agenttrader_core::calendar::{Session, new_york};
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest, Quote, Trade};
use agenttrader_core::instrument::{Instrument, InstrumentId, OptionContract, Right};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::book::{Book, BookSettings};
use agenttrader_marketdata::candle::Interval;
use agenttrader_marketdata::chain::SpotSource;
use agenttrader_marketdata::rates::Rates;
use agenttrader_options::black_scholes;
use agenttrader_options::carry::Carry;
use agenttrader_options::flow::Kind;
use agenttrader_options::regime::Regime;
use agenttrader_options::time_to_expiry::TimeToExpiry;
use agenttrader_safety::freshness::Freshness;
use agenttrader_sequence::input::{Fact, FeedFact, Input, Numbered};
use jiff::civil::{Date, date};

const DAY: Date = date(2026, 11, 24);
const SPOT: f64 = 600.0;

/// Feeds a book as the sequence would: one input at a time, each with its number and time.
struct Feed {
    book: Book,
    number: u64,
    now: UnixNanos,
}

fn rates() -> Rates {
    Rates::parse("carry = \"rates\"\ndefault_rate = 0.04\ndefault_yield = 0.0\n").unwrap()
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn dollars(value: f64) -> Price {
    Price::from_f64((value * 100.0).round() / 100.0).unwrap()
}

impl Feed {
    fn new(force_stale: bool) -> Self {
        let settings = BookSettings { max_age: Span::from_seconds(30), force_stale, rates: rates() };
        Self { book: Book::new(settings), number: 0, now: new_york(DAY, 10, 0) }
    }

    fn put(&mut self, input: Input) {
        self.book.step(&Numbered { number: self.number, at: self.now, input });
        self.number += 1;
    }

    fn define(&mut self, instrument: Instrument) -> InstrumentId {
        let id = InstrumentId(u32::try_from(self.book.instruments().len()).unwrap());
        self.put(Input::Instrument { id, instrument });
        id
    }

    fn quote(&mut self, instrument: InstrumentId, bid: f64, ask: f64) {
        let blank = b' ';
        let (bid, ask) = (dollars(bid), dollars(ask));
        let quote = Quote {
            instrument,
            exchange_time: self.now,
            bid,
            ask,
            bid_size: 10,
            ask_size: 10,
            bid_exchange: blank,
            ask_exchange: blank,
            condition: blank,
        };
        self.put(Input::Market(MarketEvent::Quote(quote)));
    }

    fn trade(&mut self, instrument: InstrumentId, price: f64, size: u32, exchange: u8, condition: u8) {
        let conditions = [condition, b' ', b' ', b' '];
        let trade = Trade {
            instrument,
            exchange_time: self.now,
            price: dollars(price),
            size,
            exchange,
            conditions,
            trade_id: self.number,
        };
        self.put(Input::Market(MarketEvent::Trade(trade)));
    }

    fn second(&mut self) {
        self.now = self.now.plus(Span::from_seconds(1));
        let wall = self.now;
        self.put(Input::Fact(Fact::Timer { wall }));
    }

    /// A same-day chain around the spot, priced at 20 % volatility, with more calls open than puts.
    fn chain(&mut self, root: &str, european: bool) -> Vec<InstrumentId> {
        let underlying = symbol(if root == "SPXW" { "SPX" } else { root });
        let close = Session::on(DAY).unwrap().close;
        let mut ids = Vec::new();
        for strike in (590..=610).step_by(2) {
            for right in [Right::Call, Right::Put] {
                let price = Price::from_nanos(i64::from(strike) * 1_000_000_000);
                let contract = OccSymbol::new(root, DAY, right, price).unwrap();
                let id = self.define(Instrument::Option(OptionContract { underlying, contract, european }));
                let carry =
                    Carry::from_rates(SPOT, 0.04, 0.0, TimeToExpiry::between(self.now.nanos(), close.nanos())).unwrap();
                let fair = black_scholes::price(right, f64::from(strike), 0.2, &carry);
                let contracts = if right == Right::Call { 3_000 } else { 1_000 };
                self.put(Input::Market(MarketEvent::OpenInterest(OpenInterest {
                    instrument: id,
                    contracts,
                    date: DAY,
                })));
                let bid = ((fair - 0.01) * 100.0).floor() / 100.0;
                self.quote(id, bid.max(0.0), bid.max(0.0) + 0.03);
                ids.push(id);
            }
        }
        ids
    }
}

#[test]
fn a_chain_gives_volatility_greeks_and_a_regime() {
    let mut feed = Feed::new(false);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    feed.quote(spy, SPOT - 0.01, SPOT + 0.01);
    let ids = feed.chain("SPY", false);
    for _ in 0..5 {
        feed.second();
    }
    let at_the_money = feed.book.analytics(ids[10]).unwrap();
    let volatility = at_the_money.volatility.unwrap();
    assert!((volatility - 0.2).abs() < 0.02, "{volatility}");
    assert!((at_the_money.greeks.unwrap().delta - 0.5).abs() < 0.05);
    let underlying = feed.book.underlying(symbol("SPY")).unwrap();
    assert_eq!(underlying.regime(), Regime::LongGamma);
    assert_eq!(underlying.exposure().unwrap().coverage.total, 11 * 4_000);
    assert_eq!(feed.book.spot(symbol("SPY")), Some((dollars(SPOT), SpotSource::Quoted)));
}

#[test]
fn an_index_without_a_feed_takes_its_price_from_parity() {
    let mut feed = Feed::new(false);
    feed.chain("SPXW", true);
    feed.second();
    let (price, source) = feed.book.spot(symbol("SPX")).unwrap();
    assert_eq!(source, SpotSource::Implied);
    assert!((price.as_f64() - SPOT).abs() < 0.1, "{price}");
    assert!(feed.book.freshness(symbol("SPX")).is_fresh());
}

#[test]
fn a_dead_underlying_does_not_hide_behind_a_live_one() {
    let mut feed = Feed::new(false);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    let qqq = feed.define(Instrument::Equity { symbol: symbol("QQQ") });
    assert_eq!(feed.book.feed_freshness(), Freshness::Missing);
    feed.quote(spy, 1.0, 1.01);
    feed.quote(qqq, 1.0, 1.01);
    for _ in 0..31 {
        feed.second();
        feed.quote(spy, 1.0, 1.01);
    }
    assert!(feed.book.feed_freshness().is_fresh() && feed.book.freshness(symbol("SPY")).is_fresh());
    assert!(!feed.book.freshness(symbol("QQQ")).is_fresh());
    assert_eq!(feed.book.freshness(symbol("IWM")), Freshness::Missing);
}

#[test]
fn a_drill_makes_fresh_data_stale() {
    let mut feed = Feed::new(true);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    feed.quote(spy, 1.0, 1.01);
    assert!(!feed.book.feed_freshness().is_fresh());
}

#[test]
fn a_recordings_cadence_widens_the_limit() {
    let mut feed = Feed::new(false);
    feed.put(Input::Fact(Fact::Feed(FeedFact::Cadence { every: Span::from_minutes(1) })));
    assert_eq!(feed.book.age_limit(), Span::from_minutes(2));
    feed.put(Input::Fact(Fact::Feed(FeedFact::Cadence { every: Span::from_seconds(1) })));
    assert_eq!(feed.book.age_limit(), Span::from_seconds(30));
}

#[test]
fn a_sweep_over_two_exchanges_is_one_event_of_its_underlying() {
    let mut feed = Feed::new(false);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    feed.quote(spy, SPOT - 0.01, SPOT + 0.01);
    let ids = feed.chain("SPY", false);
    let call = ids[10];
    let ask = feed.book.latest(call).unwrap().quote().unwrap().quote.ask.as_f64();
    feed.now = feed.now.plus(Span::from_millis(10));
    feed.trade(call, ask, 30, b'C', b'I');
    feed.now = feed.now.plus(Span::from_millis(10));
    feed.trade(call, ask, 30, b'N', b'I');
    feed.trade(call, ask, 500, b'N', b'f');
    feed.second();
    let underlying = feed.book.underlying(symbol("SPY")).unwrap();
    let events: Vec<_> = underlying.flow().events().map(|event| (event.event.kind, event.event.size)).collect();
    assert_eq!(events, [(Kind::Sweep, 60)], "the multi-leg print is left out");
    assert_eq!(feed.book.latest(call).unwrap().day_volume(), 560);
}

#[test]
fn what_cannot_be_used_is_counted_and_changes_nothing() {
    let mut feed = Feed::new(false);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    feed.quote(InstrumentId(7), 1.0, 1.01);
    feed.quote(spy, 1.0, 1.01);
    feed.now = feed.now.minus(Span::from_seconds(1));
    feed.quote(spy, 2.0, 2.01);
    feed.now = feed.now.plus(Span::from_seconds(1));
    let early = Trade {
        instrument: spy,
        exchange_time: feed.now.plus(Span::from_seconds(2)),
        price: dollars(9.0),
        size: 1,
        exchange: b'Q',
        conditions: *b"@   ",
        trade_id: 1,
    };
    feed.put(Input::Market(MarketEvent::Trade(early)));
    let left_out = feed.book.left_out();
    assert_eq!((left_out.undefined, left_out.out_of_order, left_out.from_the_future), (1, 1, 1));
    assert_eq!(feed.book.spot(symbol("SPY")), Some((dollars(1.0).midpoint(dollars(1.01)), SpotSource::Quoted)));
}

#[test]
fn backfilled_bars_feed_candles_and_never_freshness() {
    let mut feed = Feed::new(false);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    let start = new_york(DAY, 9, 30);
    let price = dollars(SPOT);
    let bar = Bar {
        instrument: spy,
        start,
        interval: Span::from_minutes(1),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 100,
        trade_count: 3,
        backfill: true,
    };
    feed.put(Input::Market(MarketEvent::Bar(bar)));
    assert_eq!(feed.book.feed_freshness(), Freshness::Missing);
    assert_eq!(feed.book.underlying(symbol("SPY")).unwrap().candles().of(Interval::Minute).len(), 1);
    assert_eq!(feed.book.latest(spy).unwrap().day_volume(), 100);
}

#[test]
fn a_new_day_forgets_quotes_flow_and_volume() {
    let mut feed = Feed::new(false);
    let spy = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    feed.quote(spy, SPOT, SPOT + 0.01);
    feed.trade(spy, SPOT, 100, b'Q', b'@');
    feed.now = new_york(date(2026, 11, 25), 9, 30);
    feed.second();
    let latest = feed.book.latest(spy).unwrap();
    assert_eq!((latest.quote().is_none(), latest.day_volume()), (true, 0));
    assert!(feed.book.is_open());
    assert_eq!(feed.book.spot(symbol("SPY")).unwrap().0, dollars(SPOT), "the last print stands until there is a quote");
}

#[test]
fn a_contract_without_a_volatility_has_the_delta_that_the_rest_says() {
    let mut feed = Feed::new(false);
    let share = feed.define(Instrument::Equity { symbol: symbol("SPY") });
    feed.quote(share, SPOT - 0.01, SPOT + 0.01);
    let ids = feed.chain("SPY", false);
    // Strikes 590 to 610 by two, call and put of each in turn; 608 is the tenth.
    let (call, put) = (ids[18], ids[19]);
    let delta = |feed: &Feed, id| feed.book.delta(id);
    let quoted = delta(&feed, put).unwrap();
    assert!(quoted < -0.5 && quoted > -1.0, "{quoted}");
    // Under its intrinsic value the put has no volatility; the call's delta says what the put's is.
    feed.quote(put, 7.80, 7.90);
    let call_delta = delta(&feed, call).unwrap();
    assert!((delta(&feed, put).unwrap() - (call_delta - 1.0)).abs() < 1e-12);
    // A call that nobody bids for has none either, and is worth nothing: the put moves as the share does.
    feed.quote(call, 0.0, 0.01);
    assert_eq!((delta(&feed, call), delta(&feed, put)), (Some(0.0), Some(-1.0)));
    // A call that says nothing of itself does not stand in the put's way.
    feed.quote(call, 0.0, 5.0);
    assert_eq!((delta(&feed, call), delta(&feed, put)), (None, Some(-1.0)));
}
