//! What is asked for over REST once a stream is up: the bars of the time in which nobody listened, and, after a loss,
//! whether the venue still lists what it did.
//!
//! A stream has no replay. Prints and quotes of a gap stay lost; the minutes' bars come as filled in, so that candles are
//! whole where no print has begun them. The volume of contracts in a gap stays unknown until the next day.

use super::clock::{DayEnd, World, read_clock};
use super::listing::Listing;
use super::messages::{self, StreamName, Up};
use super::outlet::{FeedInput, Outlet};
use super::source::{Clients, FeedConfig, is_final};
use agenttrader_alpaca::back_off::BackOff;
use agenttrader_alpaca::rest::RestError;
use agenttrader_core::instrument::Instruments;
use agenttrader_core::time::{Span, UnixNanos};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

/// What is to be found out since a stream came up.
struct Due {
    /// Bars since then.
    bars_from: Option<UnixNanos>,
    /// Whether the listing still holds.
    listing: bool,
}

/// Fills in after each [`Up`] until the day ends; ends it where the venue lists something else than it did.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that filling in needs, and they have no other life together"
)]
pub(super) async fn run(
    config: &FeedConfig,
    world: &impl World,
    clients: &Clients,
    outlet: &Outlet,
    (listing, instruments): (&Listing, &Instruments),
    backfilled_to: UnixNanos,
    mut ups: UnboundedReceiver<Up>,
    mut day_ends: watch::Receiver<bool>,
) -> DayEnd {
    let mut back_off = BackOff::STREAM;
    let mut known_to = backfilled_to;
    loop {
        let first = tokio::select! {
            up = ups.recv() => up,
            _ = day_ends.wait_for(|ends| *ends) => None,
        };
        let Some(first) = first else { return DayEnd::NextDay };
        let mut due = Due { bars_from: None, listing: false };
        let mut next = Some(first);
        while let Some(up) = next {
            if up.name == StreamName::Stocks {
                let from = up.last.map_or(known_to, |last| last.max(known_to));
                due.bars_from = Some(due.bars_from.map_or(from, |earlier| earlier.min(from)));
            }
            due.listing |= up.again;
            next = ups.try_recv().ok();
        }
        loop {
            match fill(config, world, clients, outlet, (listing, instruments), &due).await {
                Ok(Filled::Until(now)) => {
                    known_to = if due.bars_from.is_some() { now } else { known_to };
                    back_off.reset();
                    break;
                }
                Ok(Filled::ListingChanged) => return DayEnd::NextDay,
                Ok(Filled::Gone) => return DayEnd::Stopped,
                Err(error) if is_final(&error) => return DayEnd::Refused(error.to_string()),
                Err(error) => {
                    if outlet.put(FeedInput::Input(messages::rest_failed(&error))).await.is_err() {
                        return DayEnd::Stopped;
                    }
                }
            }
            let wait = back_off.wait(world.draw());
            if tokio::time::timeout(wait, day_ends.wait_for(|ends| *ends)).await.is_ok() {
                return DayEnd::NextDay;
            }
        }
    }
}

enum Filled {
    Until(UnixNanos),
    ListingChanged,
    Gone,
}

async fn fill(
    config: &FeedConfig,
    world: &impl World,
    clients: &Clients,
    outlet: &Outlet,
    (listing, instruments): (&Listing, &Instruments),
    due: &Due,
) -> Result<Filled, RestError> {
    let Some(now) = read_clock(world, clients, outlet).await? else { return Ok(Filled::Gone) };
    if due.listing && !listing.still_holds(config, clients).await? {
        return Ok(Filled::ListingChanged);
    }
    if let Some(from) = due.bars_from {
        let minute = from.floor_to(Span::from_minutes(1));
        let bars = listing.minutes(config, clients, instruments, (minute, now)).await?;
        if !bars.is_empty() && outlet.put_all(messages::filled_in(bars)).await.is_err() {
            return Ok(Filled::Gone);
        }
    }
    Ok(Filled::Until(now))
}
