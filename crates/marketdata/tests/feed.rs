//! The feed against a venue in the same process: a day that ends, losses that are filled in, venues that come back changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_alpaca::credentials::{Credentials, Endpoints, OptionFeed, StockFeed};
use agenttrader_core::calendar::Session;
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest, Quote};
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments, OptionContract};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::secret::Secret;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::feed::{self, FeedConfig, FeedError, FeedInput, World};
use agenttrader_sequence::input::{Fact, FeedFact, Input};
use agenttrader_venue::clock::wall_now;
use agenttrader_venue::{Plan, Playback, Simulation, Source, Venue, VenueConfig, serve};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Longer than anything a test waits for, on a machine that does other things too.
const BOUND: Duration = Duration::from_secs(120);

#[derive(Clone)]
struct Machine;

impl World for Machine {
    fn wall(&self) -> UnixNanos {
        wall_now()
    }

    fn draw(&self) -> u64 {
        7
    }
}

/// A feed that runs, and all that it said.
struct Following {
    inputs: Receiver<FeedInput>,
    said: Vec<FeedInput>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), FeedError>>,
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn settings(address: SocketAddr, symbols: &[&str]) -> FeedConfig {
    let url = format!("http://{address}");
    FeedConfig {
        endpoints: Endpoints::new(&url, &url).unwrap(),
        credentials: Credentials { key_id: "desk".to_owned(), secret: Secret::new("local-only".to_owned()) },
        stock_feed: StockFeed::from_name("sip").unwrap(),
        option_feed: OptionFeed::from_name("opra").unwrap(),
        symbols: symbols.iter().map(|text| symbol(text)).collect(),
        option_quote_limit: Some(1_000),
        cadence: None,
    }
}

impl Following {
    fn start(config: FeedConfig) -> Self {
        let (queue, inputs) = sync_channel(1 << 20);
        let (stop, stops) = watch::channel(false);
        let task = tokio::spawn(feed::run(config, Machine, queue, stops));
        Self { inputs, said: Vec::new(), stop, task }
    }

    /// Waits until one of the inputs is what is asked for; gives its place.
    async fn until(&mut self, what: &str, mut wanted: impl FnMut(&FeedInput) -> bool) -> usize {
        let began = Instant::now();
        let mut looked = 0;
        loop {
            self.said.extend(self.inputs.try_iter());
            if let Some(found) = self.said.iter().skip(looked).position(&mut wanted) {
                return looked + found;
            }
            looked = self.said.len();
            let facts: Vec<_> = self.said.iter().filter_map(fact).collect();
            assert!(began.elapsed() < BOUND, "waited for {what}; facts so far: {facts:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for something that comes after that place.
    async fn after(&mut self, place: usize, what: &str, mut wanted: impl FnMut(&FeedInput) -> bool) -> usize {
        let mut seen = 0;
        self.until(what, |input| {
            seen += 1;
            seen > place + 1 && wanted(input)
        })
        .await
    }

    async fn end(self) -> Result<(), FeedError> {
        let _ = self.stop.send(true);
        tokio::time::timeout(BOUND, self.task).await.unwrap().unwrap()
    }

    /// Names by number, as the inputs defined them; each is defined once, in order.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for input in &self.said {
            if let FeedInput::Input(Input::Instrument { id, instrument }) = input {
                assert_eq!(id.index(), names.len(), "numbered in order, without a hole");
                names.push(instrument.to_string());
            }
        }
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "defined once");
        names
    }

    /// Every market event is about an instrument that was defined before it.
    fn check_order(&self) {
        let mut defined = 0;
        for input in &self.said {
            match input {
                FeedInput::Input(Input::Instrument { .. }) => defined += 1,
                FeedInput::Input(Input::Market(event)) => assert!(event.instrument().index() < defined, "{event:?}"),
                _ => {}
            }
        }
    }
}

fn fact(input: &FeedInput) -> Option<&FeedFact> {
    match input {
        FeedInput::Input(Input::Fact(Fact::Feed(fact))) => Some(fact),
        _ => None,
    }
}

fn event(input: &FeedInput) -> Option<&MarketEvent> {
    match input {
        FeedInput::Input(Input::Market(event)) => Some(event),
        _ => None,
    }
}

fn bar(input: &FeedInput) -> Option<&Bar> {
    match event(input) {
        Some(MarketEvent::Bar(bar)) => Some(bar),
        _ => None,
    }
}

fn is_connected(input: &FeedInput, name: &str) -> bool {
    matches!(fact(input), Some(FeedFact::Connected { stream, .. }) if stream == name)
}

fn is_complete(input: &FeedInput) -> bool {
    fact(input) == Some(&FeedFact::BackfillComplete)
}

fn simulation(on: Date, seed: u64) -> Simulation {
    Simulation { seed: Some(seed), date: Some(on), ..Simulation::default() }
}

async fn venue(at: Option<SocketAddr>, simulation: Simulation, speed: f64) -> Venue {
    let address = at.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
    let began = Instant::now();
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(error) => assert!(began.elapsed() < BOUND, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    serve(listener, VenueConfig { speed, ..VenueConfig::new(Source::Simulated(simulation)) }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_close_the_next_sessions_contracts_are_followed() {
    // A half day: three hours and a half from the open, the first half hour of which is over.
    let venue = venue(None, simulation(date(2026, 11, 27), 3), 1_000.0).await;
    let mut feed = Following::start(settings(venue.address(), &["SPY"]));
    feed.until("options", |input| is_connected(input, "options")).await;
    // Mostly that half day; a later one where the machine was slow. Every day's contracts end with it.
    let expiration = |input: &FeedInput| match input {
        FeedInput::Input(Input::Instrument { instrument, .. }) => instrument.option().map(|option| option.expiration()),
        _ => None,
    };
    let day = feed.said.iter().filter_map(expiration).min().unwrap();
    let Session { date: next, open: opens, .. } = Session::next_after(day);
    let later = feed
        .until(
            "a quote of the next session",
            |input| matches!(event(input), Some(MarketEvent::Quote(quote)) if quote.exchange_time > opens),
        )
        .await;
    let complete = feed.after(later, "the next session's backfill", is_complete).await;
    feed.after(complete, "options again", |input| is_connected(input, "options")).await;
    feed.names();
    // A contract that the new session brought is quoted. The first of them end with it: the next one, unless that was missed too.
    let new: BTreeMap<InstrumentId, Date> = {
        let first = feed.said.iter().position(is_complete).unwrap();
        let defined = |input: &FeedInput| match input {
            FeedInput::Input(Input::Instrument { id, instrument }) => Some((*id, instrument.option()?.expiration())),
            _ => None,
        };
        feed.said.iter().skip(first).filter_map(defined).collect()
    };
    assert!(new.values().min() >= Some(&next), "after {day}: {new:?}");
    feed.until(
        "a quote of a new contract",
        |input| matches!(event(input), Some(MarketEvent::Quote(quote)) if new.contains_key(&quote.instrument)),
    )
    .await;
    feed.check_order();
    feed.end().await.unwrap();
    venue.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_missed_while_the_venue_was_away_are_filled_in() {
    let kept = tempfile::tempdir().unwrap();
    let place = |dir: &Path| Simulation { data_dir: Some(dir.to_owned()), ..simulation(date(2026, 11, 24), 5) };
    let first = venue(None, place(kept.path()), 400.0).await;
    let address = first.address();
    let mut feed = Following::start(settings(address, &["SPY", "QQQ"]));
    let early = feed.until("a print", |input| matches!(event(input), Some(MarketEvent::Trade(_)))).await;
    first.stop().await;
    let lost = feed
        .after(
            early,
            "the loss",
            |input| matches!(fact(input), Some(FeedFact::Disconnected { stream, .. }) if stream == "stocks"),
        )
        .await;
    // Its clock goes on meanwhile: half a second until the feed tries again is more than three minutes.
    let again = venue(Some(address), place(kept.path()), 400.0).await;
    let up = feed.after(lost, "stocks again", |input| is_connected(input, "stocks")).await;
    let filled = feed.after(up, "the word that all is there", is_complete).await;
    let gap = feed
        .after(up, "the gap", |input| matches!(fact(input), Some(FeedFact::Gap { stream, .. }) if stream == "stocks"))
        .await;
    let Some(FeedFact::Gap { from, to, .. }) = feed.said.get(gap).and_then(fact).cloned() else { panic!("a gap") };
    assert!(to > from);
    // Each whole minute between the last event before and the refill is there once for each share.
    let minute = Span::from_minutes(1);
    let mut of_share: BTreeMap<InstrumentId, Vec<UnixNanos>> = BTreeMap::new();
    for bar in feed.said[lost..=filled].iter().filter_map(bar).filter(|bar| bar.backfill) {
        assert_eq!(bar.interval, minute);
        of_share.entry(bar.instrument).or_default().push(bar.start);
    }
    assert_eq!(of_share.len(), 2, "{of_share:?}");
    for starts in of_share.values() {
        // From an earlier one where the loss came before the first connection's own question was answered.
        assert!(starts.first() <= Some(&from.floor_to(minute)), "{starts:?} from {from}");
        assert!(starts.contains(&from.floor_to(minute)), "{starts:?} from {from}");
        assert!(starts.windows(2).all(|pair| pair[1] == pair[0].plus(minute)), "{starts:?}");
    }
    // The same market: nothing was listed anew.
    let names = feed.names();
    assert_eq!(feed.said.iter().filter(|input| is_complete(input)).count().min(2), 2);
    assert!(names.contains(&"SPY".to_owned()));
    feed.check_order();
    feed.end().await.unwrap();
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_comes_back_on_another_day_or_in_another_market_is_listed_anew() {
    let first = venue(None, simulation(date(2026, 11, 24), 5), 1.0).await;
    let address = first.address();
    let mut feed = Following::start(settings(address, &["SPY"]));
    let mut place = feed.until("options", |input| is_connected(input, "options")).await;
    first.stop().await;
    // An earlier day, then the same day with other strikes: the clock does not tell the second.
    let mut standing = None;
    for (on, seed) in [(date(2026, 11, 23), 5), (date(2026, 11, 23), 99)] {
        if let Some(standing) = standing.take() {
            Venue::stop(standing).await;
        }
        let other = venue(Some(address), simulation(on, seed), 1.0).await;
        let listed: Vec<String> = other.instruments().iter().map(|(_, instrument)| instrument.to_string()).collect();
        let ours = |name: &&String| name.starts_with("SPY") && name.len() > 6;
        let wanted = listed.iter().filter(ours).min().unwrap().clone();
        let is_new = {
            let names = feed.names();
            !names.contains(&wanted)
        };
        place = if is_new {
            feed.after(place, "a contract of the other market", |input| {
                matches!(input, FeedInput::Input(Input::Instrument { instrument, .. }) if instrument.to_string() == wanted)
            })
            .await
        } else {
            feed.after(place, "options of the other market", |input| is_connected(input, "options")).await
        };
        feed.after(
            place,
            "a quote of an option",
            |input| matches!(event(input), Some(MarketEvent::Quote(quote)) if quote.instrument.index() > 0),
        )
        .await;
        feed.names();
        standing = Some(other);
    }
    feed.check_order();
    feed.end().await.unwrap();
}

/// A day of minutes: a share if asked for, and a contract, each with a bar and a quote a minute.
fn recorded(with_share: bool) -> (Instruments, Session, Vec<(UnixNanos, MarketEvent)>) {
    let session = Session::on(date(2015, 12, 24)).unwrap();
    let mut instruments = Instruments::default();
    let share = with_share.then(|| instruments.define(Instrument::Equity { symbol: symbol("GOOG") }).unwrap());
    let contract = OccSymbol::parse("GOOG151224C00750000").unwrap();
    let option = OptionContract { underlying: symbol("GOOG"), contract, european: false };
    let option = instruments.define(Instrument::Option(option)).unwrap();
    let at = |minutes: i64| session.open.plus(Span::from_minutes(minutes));
    let dollars = |whole: i64| Price::from_nanos(whole * 1_000_000_000);
    let known = OpenInterest { instrument: option, contracts: 321, date: date(2015, 12, 24) };
    let mut events = vec![(at(0), MarketEvent::OpenInterest(known))];
    for minute in 1..=20 {
        for (instrument, price) in share.map(|share| (share, 750)).into_iter().chain([(option, 3)]) {
            let bar = Bar {
                instrument,
                start: at(minute - 1),
                interval: Span::from_minutes(1),
                open: dollars(price),
                high: dollars(price + 1),
                low: dollars(price),
                close: dollars(price),
                volume: 100 + minute.unsigned_abs(),
                trade_count: 0,
                backfill: false,
            };
            let quote = Quote {
                instrument,
                exchange_time: at(minute),
                bid: dollars(price),
                ask: dollars(price + 1),
                bid_size: 1,
                ask_size: 1,
                bid_exchange: b'Q',
                ask_exchange: b'Q',
                condition: b' ',
            };
            events.push((at(minute), MarketEvent::Bar(bar)));
            events.push((at(minute), MarketEvent::Quote(quote)));
        }
    }
    (instruments, session, events)
}

async fn play(with_share: bool, speed: f64) -> (Venue, Following) {
    let (instruments, session, events) = recorded(with_share);
    let playback = Playback::new(instruments, session, Box::new(events.into_iter()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = VenueConfig { speed, plan: Plan::Unlimited, ..VenueConfig::new(Source::Playback(playback)) };
    let venue = serve(listener, config).await.unwrap();
    let cadence = Some(Span::from_minutes(1));
    let following = FeedConfig { option_quote_limit: None, cadence, ..settings(venue.address(), &["GOOG"]) };
    (venue, Following::start(following))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bar_of_a_recording_arrives_once_and_open_interest_before_the_first() {
    // At that speed the feed has ten seconds to connect before half of it has gone by.
    let (venue, mut feed) = play(true, 60.0).await;
    venue.over().await;
    let last = |input: &FeedInput| {
        matches!(event(input), Some(MarketEvent::Quote(quote)) if quote.instrument == InstrumentId(1)
            && quote.exchange_time == Session::on(date(2015, 12, 24)).unwrap().open.plus(Span::from_minutes(20)))
    };
    feed.until("the last quote", last).await;
    let interest = feed.said.iter().position(
        |input| matches!(event(input), Some(MarketEvent::OpenInterest(interest)) if interest.contracts == 321),
    );
    let first = feed.said.iter().position(|input| bar(input).is_some()).unwrap();
    assert!(interest.unwrap() < first);
    for id in [InstrumentId(0), InstrumentId(1)] {
        let mut bars: Vec<(UnixNanos, u64)> = feed
            .said
            .iter()
            .filter_map(bar)
            .filter(|bar| bar.instrument == id)
            .map(|bar| (bar.start, bar.volume))
            .collect();
        bars.sort_unstable();
        let live = feed.said.iter().filter_map(bar).filter(|bar| bar.instrument == id && !bar.backfill).count();
        assert!(live >= 10, "by the stream, but for what went by while the feed connected: {live}");
        let volumes: Vec<u64> = bars.iter().map(|(_, volume)| *volume).collect();
        if id == InstrumentId(0) {
            bars.dedup();
            assert_eq!(bars.iter().map(|(_, volume)| *volume).collect::<Vec<_>>(), (101..=120).collect::<Vec<_>>());
        } else {
            assert!(volumes.windows(2).all(|pair| pair[0] < pair[1]), "{volumes:?}");
        }
    }
    feed.check_order();
    feed.end().await.unwrap();
    venue.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn options_without_a_share_are_followed_alone() {
    let (venue, mut feed) = play(false, 60.0).await;
    feed.until("a quote", |input| matches!(event(input), Some(MarketEvent::Quote(_)))).await;
    assert_eq!(feed.names(), ["GOOG151224C00750000"]);
    assert!(!feed.said.iter().any(|input| is_connected(input, "stocks")), "nothing to subscribe to");
    feed.end().await.unwrap();
    venue.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_end_the_feed_with_the_reason_and_a_venue_that_is_away_is_waited_for() {
    let standing = venue(None, simulation(date(2026, 11, 24), 5), 1.0).await;
    let address = standing.address();
    let mut wrong = settings(address, &["SPY"]);
    wrong.credentials.secret = Secret::new("other".to_owned());
    let refused = Following::start(wrong);
    let error = tokio::time::timeout(BOUND, refused.task).await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("refuses"), "{error}");
    standing.stop().await;
    let mut waiting = Following::start(settings(address, &["SPY"]));
    waiting
        .until(
            "that REST fails",
            |input| matches!(fact(input), Some(FeedFact::Disconnected { stream, .. }) if stream == "rest"),
        )
        .await;
    let back = venue(Some(address), simulation(date(2026, 11, 24), 5), 1.0).await;
    waiting.until("stocks", |input| is_connected(input, "stocks")).await;
    waiting.end().await.unwrap();
    back.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_the_plan_does_not_include_leaves_the_other_and_none_left_ends_the_feed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = Source::Simulated(simulation(date(2026, 11, 24), 5));
    let config = VenueConfig { plan: Plan::Basic, ..VenueConfig::new(source) };
    let venue = serve(listener, config).await.unwrap();
    let config = FeedConfig {
        stock_feed: StockFeed::from_name("iex").unwrap(),
        option_feed: OptionFeed::from_name("indicative").unwrap(),
        ..settings(venue.address(), &["SPY", "QQQ", "NVDA"])
    };
    let mut feed = Following::start(config);
    // More quotes than the free plan has.
    let is_refused = |input: &FeedInput| match fact(input) {
        Some(FeedFact::Disconnected { stream, reason }) => stream == "options" && reason.contains("405"),
        _ => false,
    };
    let refused = feed.until("that options are refused", is_refused).await;
    feed.after(refused, "a print", |input| matches!(event(input), Some(MarketEvent::Trade(_)))).await;
    feed.end().await.unwrap();
    // The free plan's recent bars are those of iex: with sip nothing is left.
    let paid = Following::start(settings(venue.address(), &["SPY"]));
    let error = tokio::time::timeout(BOUND, paid.task).await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("iex"), "{error}");
    venue.stop().await;
}
