//! The feed: asks the venue what there is, fills in what was missed, and passes on what its streams say.
//!
//! Everything it learns leaves as [`FeedInput`]s through one bounded queue; it keeps no state that a step reads. A day of
//! the venue is one round: contracts are listed anew when the venue's date changes, when its clock steps back, and when it
//! lists something else after a loss than before.

mod clock;
mod listing;
mod messages;
mod outlet;
mod refill;
mod source;

pub use crate::feed::clock::World;
use crate::feed::clock::{DayEnd, read_clock, watch_clock};
use crate::feed::listing::Listing;
use crate::feed::messages::{Messages, StreamName, Up};
pub use crate::feed::outlet::FeedInput;
use crate::feed::outlet::Outlet;
pub use crate::feed::source::FeedConfig;
use crate::feed::source::{Clients, is_final};
use agenttrader_alpaca::back_off::BackOff;
use agenttrader_alpaca::data_rest::DataRest;
use agenttrader_alpaca::rest::{Patience, RestError};
use agenttrader_alpaca::stream::{self, Ended, StreamConfig, Timing};
use agenttrader_alpaca::tls::Tls;
use agenttrader_alpaca::trading_rest::TradingRest;
use agenttrader_alpaca::wire::Codec;
use agenttrader_core::instrument::Instruments;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

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
            Err(error) if is_final(&error) => {
                let hint =
                    if error.status() == Some(403) { "; the free plan has the feeds iex and indicative" } else { "" };
                return Err(FeedError::Refused { reason: format!("{error}{hint}") });
            }
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

/// What outlives a round.
#[derive(Clone, Debug, Default)]
struct Known {
    instruments: Instruments,
    /// The date whose volumes so far were told: told twice they would count twice.
    volumes_of: Option<jiff::civil::Date>,
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
    let streams = async {
        let (stocks, options) = tokio::join!(stream(StreamName::Stocks), stream(StreamName::Options));
        // One that is refused leaves the other, and both are tried again the next day. Once none is left nothing comes.
        match [stocks, options].into_iter().flatten().next() {
            Some(reason) if !*day_ends.borrow() => ends_day(DayEnd::Refused(reason)).await,
            _ => DayEnd::NextDay,
        }
    };
    let (streams, clock, filling) = tokio::join!(streams, clock, filling);
    Ok(clock.or(filling).or(streams))
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
