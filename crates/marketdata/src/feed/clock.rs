//! The venue's clock: reading it, and the end of the day that it tells.

use super::outlet::{FeedInput, Outlet};
use super::source::{Clients, is_final};
use agenttrader_alpaca::rest::RestError;
use agenttrader_core::calendar::new_york_date;
use agenttrader_core::time::{Span, UnixNanos};
use std::time::Duration;
use tokio::sync::watch;

/// Between two questions for the venue's clock.
const CLOCK_EVERY: Duration = Duration::from_secs(1);

/// How often a fast clock is asked at once for a reading that is sharp enough.
const CLOCK_TRIES: u32 = 5;

/// A reading of a fast clock is sharp enough where the venue's time moves on by less than this while it is asked for.
const CLOCK_BLUR: Span = Span::from_seconds(1);

/// Further back than this the venue's clock was set: it only moves forward by itself.
const CLOCK_STEP: Span = Span::from_seconds(1);

/// What the feed needs of the world around it.
pub trait World: Clone + Send + Sync + 'static {
    /// Wall time.
    fn wall(&self) -> UnixNanos;
    /// A random number, for the waits between tries.
    fn draw(&self) -> u64;
}

/// Why a round is over.
pub(super) enum DayEnd {
    NextDay,
    Stopped,
    Refused(String),
}

impl DayEnd {
    /// Of two ends of one round the one that says more.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused(reason), _) | (_, Self::Refused(reason)) => Self::Refused(reason),
            (Self::Stopped, _) | (_, Self::Stopped) => Self::Stopped,
            (Self::NextDay, Self::NextDay) => Self::NextDay,
        }
    }
}

/// Asks for the venue's clock, of a fast one as often as it takes to know it well, and tells the sharpest reading. `None`:
/// nobody is there to tell.
pub(super) async fn read_clock(
    world: &impl World,
    clients: &Clients,
    outlet: &Outlet,
) -> Result<Option<UnixNanos>, RestError> {
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
pub(super) async fn watch_clock(
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
