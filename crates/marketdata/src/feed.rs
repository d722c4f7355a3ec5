//! The feed: asks the venue what there is, fills in what was missed, and passes on what its streams say.
//!
//! Everything it learns leaves as [`FeedInput`]s through one bounded queue; it keeps no state that a step reads. A day of
//! the venue is one round: contracts are listed anew when the venue's date changes, when its clock steps back, and when it
//! lists something else after a loss than before.

mod listing;
mod messages;
mod refill;

use crate::feed::listing::Listing;
use crate::feed::messages::{Messages, StreamName, Up};
use agenttrader_alpaca::back_off::BackOff;
use agenttrader_alpaca::credentials::{Credentials, Endpoints, OptionFeed, StockFeed};
use agenttrader_alpaca::data_rest::DataRest;
use agenttrader_alpaca::rest::{Patience, RestError};
use agenttrader_alpaca::stream::{self, Ended, StreamConfig, Timing};
use agenttrader_alpaca::tls::Tls;
use agenttrader_alpaca::trading_rest::TradingRest;
use agenttrader_alpaca::wire::Codec;
use agenttrader_core::calendar::new_york_date;
use agenttrader_core::instrument::Instruments;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::input::Input;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// Between two questions for the venue's clock.
const CLOCK_EVERY: Duration = Duration::from_secs(1);

/// How often a fast clock is asked at once for a reading that is sharp enough.
const CLOCK_TRIES: u32 = 5;

/// A reading of a fast clock is sharp enough where the venue's time moves on by less than this while it is asked for.
const CLOCK_BLUR: Span = Span::from_seconds(1);

/// Further back than this the venue's clock was set: it only moves forward by itself.
const CLOCK_STEP: Span = Span::from_seconds(1);

/// Between two offers to a full queue.
const OFFER_AGAIN: Duration = Duration::from_millis(2);

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

/// What the feed hands to the sequence's thread.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedInput {
    /// An input, to be numbered and recorded.
    Input(Input),
    /// What the venue's clock said.
    Clock {
        /// Wall time of the reading: halfway between question and answer; of a clock that does not run at the wall's pace
        /// that of the question, so that events never seem to come from the future.
        wall: UnixNanos,
        /// The venue's time.
        venue: UnixNanos,
        /// Venue seconds a wall second.
        speed: f64,
    },
}

/// What the feed needs of the world around it.
pub trait World: Clone + Send + Sync + 'static {
    /// Wall time.
    fn wall(&self) -> UnixNanos;
    /// A random number, for the waits between tries.
    fn draw(&self) -> u64;
}

/// Why the feed came to an end by itself.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The venue refuses us for good.
    #[error("the venue refuses: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// TLS or a client cannot be set up.
    #[error("cannot set up the clients: {why}")]
    Setup {
        /// Why.
        why: String,
    },
}

/// Sends to the sequence's thread and waits where its queue is full: what is asked for over REST is never dropped.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    queue: SyncSender<FeedInput>,
    stop: watch::Receiver<bool>,
}

/// The sequence's thread is gone, or a stop was asked for.
struct Gone;

impl Outlet {
    async fn put(&self, input: FeedInput) -> Result<(), Gone> {
        let mut input = input;
        loop {
            match self.queue.try_send(input) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(Gone),
                Err(TrySendError::Full(back)) => input = back,
            }
            if *self.stop.borrow() {
                return Err(Gone);
            }
            tokio::time::sleep(OFFER_AGAIN).await;
        }
    }

    async fn put_all(&self, inputs: impl IntoIterator<Item = Input>) -> Result<(), Gone> {
        for input in inputs {
            self.put(FeedInput::Input(input)).await?;
        }
        Ok(())
    }
}

struct Clients {
    trading: TradingRest,
    data: DataRest,
    tls: Tls,
}

/// Runs the feed until `stop` turns true, or the venue refuses for good.
///
/// # Errors
/// [`FeedError`] when it cannot go on by itself. A venue that is away is waited for.
pub async fn run(
    config: FeedConfig,
    world: impl World,
    queue: SyncSender<FeedInput>,
    stop: watch::Receiver<bool>,
) -> Result<(), FeedError> {
    let tls = Tls::new().map_err(|error| FeedError::Setup { why: error.to_string() })?;
    let setup = |error: RestError| FeedError::Setup { why: error.to_string() };
    let trading = TradingRest::new(&config.endpoints, &config.credentials, &tls, Patience::DEFAULT).map_err(setup)?;
    let data = DataRest::new(&config.endpoints, &config.credentials, &tls, Patience::DEFAULT).map_err(setup)?;
    let clients = Clients { trading, data, tls };
    let outlet = Outlet { queue, stop: stop.clone() };
    let mut known = Known::default();
    let mut back_off = BackOff::STREAM;
    while !*stop.borrow() {
        match day(&config, &world, &clients, &outlet, &mut known).await {
            Ok(DayEnd::NextDay) => back_off.reset(),
            Ok(DayEnd::Stopped) => return Ok(()),
            Ok(DayEnd::Refused(reason)) => return Err(FeedError::Refused { reason }),
            Err(error) if is_final(&error) => return Err(FeedError::Refused { reason: error.to_string() }),
            Err(error) => {
                let told = messages::rest_failed(&error);
                if outlet.put(FeedInput::Input(told)).await.is_err() {
                    return Ok(());
                }
                let mut stop = stop.clone();
                let wait = back_off.wait(world.draw());
                let _ = tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await;
            }
        }
    }
    Ok(())
}

/// Wrong keys stay wrong: asking again would only lock the account.
fn is_final(error: &RestError) -> bool {
    matches!(error.status(), Some(401 | 403))
}

/// What outlives a round.
#[derive(Clone, Debug, Default)]
struct Known {
    instruments: Instruments,
    /// The date whose volumes so far were told: told twice they would count twice.
    volumes_of: Option<jiff::civil::Date>,
}

enum DayEnd {
    NextDay,
    Stopped,
    Refused(String),
}

impl DayEnd {
    /// Of two ends of one round the one that says more.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused(reason), _) | (_, Self::Refused(reason)) => Self::Refused(reason),
            (Self::Stopped, _) | (_, Self::Stopped) => Self::Stopped,
            (Self::NextDay, Self::NextDay) => Self::NextDay,
        }
    }
}

/// Follows the market for one date of the venue.
async fn day(
    config: &FeedConfig,
    world: &impl World,
    clients: &Clients,
    outlet: &Outlet,
    known: &mut Known,
) -> Result<DayEnd, RestError> {
    let now = read_clock(world, clients, outlet).await?;
    let Some(now) = now else { return Ok(DayEnd::Stopped) };
    let listing = Listing::ask(config, clients, now).await?;
    let date = listing.date();
    // What was not handed on is not known: a question that fails below leaves everything as it was.
    let mut instruments = known.instruments.clone();
    let mut opening = listing.define(&mut instruments);
    if let Some(every) = config.cadence {
        opening.push(messages::cadence(every));
    }
    let with_volumes = known.volumes_of != Some(date);
    opening.extend(listing.backfill(config, clients, &instruments, now, with_volumes).await?);
    if outlet.put_all(opening).await.is_err() {
        return Ok(DayEnd::Stopped);
    }
    *known = Known { instruments: instruments.clone(), volumes_of: Some(date) };

    let (end_day, day_ends) = watch::channel(false);
    let (ups, came_up) = unbounded_channel();
    let instruments = Arc::new(instruments);
    let stream = |name| {
        let (instruments, ups, ends) = (Arc::clone(&instruments), ups.clone(), day_ends.clone());
        follow(config, world, clients, outlet, &listing, (instruments, ups), name, ends)
    };
    let ends_day = async |end| {
        let _ = end_day.send(true);
        end
    };
    let clock = async { ends_day(watch_clock((date, now), world, clients, outlet, day_ends.clone()).await).await };
    let filling = refill::run(config, world, clients, outlet, (&listing, &instruments), now, came_up, day_ends.clone());
    let filling = async { ends_day(filling.await).await };
    let (stocks, options, clock, filling) =
        tokio::join!(stream(StreamName::Stocks), stream(StreamName::Options), clock, filling);
    let refused = [stocks, options].into_iter().flatten().next().map(DayEnd::Refused);
    let end = clock.or(filling);
    Ok(match refused {
        Some(refused) => refused.or(end),
        None => end,
    })
}

/// Runs one stream until the day ends. Tells why, if the venue refused it for good.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that a stream needs, and they have no other life together"
)]
async fn follow(
    config: &FeedConfig,
    world: &impl World,
    clients: &Clients,
    outlet: &Outlet,
    listing: &Listing,
    (instruments, ups): (Arc<Instruments>, UnboundedSender<Up>),
    name: StreamName,
    day_ends: watch::Receiver<bool>,
) -> Option<String> {
    let subscriptions = listing.channels(name, config.cadence.is_some());
    if subscriptions.is_empty() {
        return None;
    }
    let (url, delayed) = match name {
        StreamName::Stocks => (config.endpoints.stock_stream(config.stock_feed), false),
        StreamName::Options => (config.endpoints.option_stream(config.option_feed), config.option_feed.is_delayed()),
    };
    let stream_config = StreamConfig {
        url,
        credentials: config.credentials.clone(),
        codec: Codec::MessagePack,
        quote_limit: (name == StreamName::Options).then_some(config.option_quote_limit).flatten(),
        timing: Timing::DEFAULT,
        back_off: BackOff::STREAM,
    };
    let mut messages = Messages::new(name, delayed, outlet.queue.clone(), ups);
    let draw = || world.draw();
    let sink = |event| messages.take(event);
    let ended = stream::run(&stream_config, &clients.tls, &subscriptions, instruments, sink, draw, day_ends).await;
    match ended {
        Ended::Refused => Some(messages.refusal()),
        Ended::Shutdown | Ended::ConsumerGone => None,
    }
}

/// Asks for the venue's clock, of a fast one as often as it takes to know it well, and tells the sharpest reading. `None`:
/// nobody is there to tell.
async fn read_clock(world: &impl World, clients: &Clients, outlet: &Outlet) -> Result<Option<UnixNanos>, RestError> {
    let mut sharpest: Option<(Span, FeedInput, UnixNanos)> = None;
    for _ in 0..CLOCK_TRIES {
        let asked = world.wall();
        let reading = clients.trading.clock().await?;
        let took = world.wall().since(asked).max(Span::ZERO);
        let (venue, speed) = (reading.clock.timestamp.0, reading.speed);
        let is_fast = speed != 1.0;
        let half = Span::from_nanos(if is_fast { 0 } else { took.nanos().div_euclid(2) });
        let told = FeedInput::Clock { wall: asked.plus(half), venue, speed };
        if sharpest.as_ref().is_none_or(|(least, ..)| took < *least) {
            sharpest = Some((took, told, venue));
        }
        if !is_fast || (took.nanos() as f64) * speed <= CLOCK_BLUR.nanos() as f64 {
            break;
        }
    }
    let Some((_, told, venue)) = sharpest else { return Ok(None) };
    Ok(outlet.put(told).await.is_ok().then_some(venue))
}

/// Asks for the venue's clock each second until its date changes, it steps back, or a stop is asked for. A venue that does
/// not answer is asked again; its streams tell of the loss.
async fn watch_clock(
    (date, began): (jiff::civil::Date, UnixNanos),
    world: &impl World,
    clients: &Clients,
    outlet: &Outlet,
    mut day_ends: watch::Receiver<bool>,
) -> DayEnd {
    let mut stop = outlet.stop.clone();
    let mut last = began;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return DayEnd::Stopped,
            _ = day_ends.wait_for(|ends| *ends) => return DayEnd::NextDay,
            () = tokio::time::sleep(CLOCK_EVERY) => {}
        }
        match read_clock(world, clients, outlet).await {
            Ok(Some(now)) if new_york_date(now) != date || last.since(now) > CLOCK_STEP => return DayEnd::NextDay,
            Ok(Some(now)) => last = now,
            Ok(None) => return DayEnd::Stopped,
            Err(error) if is_final(&error) => return DayEnd::Refused(error.to_string()),
            Err(_) => {}
        }
    }
}
