//! Which session a simulated venue is in, and where it goes on after it was off.
//!
//! `venue.json` in the data directory says: at `wall`, the venue's clock showed `venue` and ran at `speed`, in the market of
//! `seed` and `date` that began `minute` minutes after its open. From that, and the wall time now, everything follows.

use crate::clock::venue_span;
use crate::scenario::Scenario;
use crate::simulation::{HEAD_START_MINUTES, Market, MarketError};
use agenttrader_core::calendar::{Session, new_york_date};
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How long the venue waits after the close, in venue time, before it opens the next session.
pub const PAUSE_AFTER_CLOSE: Span = Span::from_minutes(1);

/// The seed of whoever names none.
pub const DEFAULT_SEED: u64 = 1;

/// Name of the file in the data directory.
const FILE: &str = "venue.json";

/// What a simulated venue is asked for.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    /// Everything random follows from it; [`DEFAULT_SEED`] without.
    pub seed: Option<u64>,
    /// First session; without, today's in New York, or the next trading day's.
    pub date: Option<Date>,
    /// What happens.
    pub scenario: Scenario,
    /// Where `venue.json` is kept; without, nothing is kept.
    pub data_dir: Option<PathBuf>,
    /// Begins anew whatever `venue.json` says.
    pub fresh: bool,
}

/// Why a simulated venue cannot open.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No market on that day.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// The file cannot be read or written.
    #[error("`{path}` cannot be {what}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no record of a venue.
    #[error("`{path}` is not what a venue writes; remove it or begin anew with --fresh")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
    /// The file says another market than the one asked for.
    #[error("`{path}` is in the middle of seed {seed} on {date}, not of what is asked for; begin anew with --fresh")]
    Differs {
        /// Which file.
        path: PathBuf,
        /// Its seed.
        seed: u64,
        /// Its session, where its clock would be now.
        date: Date,
    },
}

/// What `venue.json` holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    seed: u64,
    date: Date,
    /// The session it began with, some sessions before `date` perhaps.
    #[serde(default)]
    began: Option<Date>,
    minute: u32,
    venue: UnixNanos,
    wall: UnixNanos,
    speed: f64,
    #[serde(default)]
    quiet: bool,
}

/// A venue's market and the time its clock shows.
#[derive(Debug)]
pub struct Opened {
    /// At its start; what happened until `venue` is still to be played.
    pub market: Market,
    /// The time now.
    pub venue: UnixNanos,
}

/// Opens the market that `simulation` asks for, or goes on where `venue.json` says, and keeps the new place.
///
/// # Errors
/// [`SessionError`].
pub fn open(simulation: &Simulation, wall: UnixNanos, speed: f64) -> Result<Opened, SessionError> {
    let kept = match &simulation.data_dir {
        Some(dir) if !simulation.fresh => load(dir)?,
        _ => None,
    };
    let place = match (kept, &simulation.data_dir) {
        (Some(place), Some(dir)) => {
            let place = went_on(place, wall);
            let is_other_seed = simulation.seed.is_some_and(|seed| seed != place.seed);
            // The command that began it may be given again after it has moved on.
            let is_other_date = simulation.date.is_some_and(|date| date != place.date && Some(date) != place.began);
            if is_other_seed || is_other_date {
                return Err(SessionError::Differs { path: dir.join(FILE), seed: place.seed, date: place.date });
            }
            place
        }
        _ => first(simulation, wall)?,
    };
    let scenario = if place.quiet { Scenario::Quiet } else { Scenario::Default };
    let market = Market::starting(place.seed, place.date, scenario, place.minute)?;
    if let Some(dir) = &simulation.data_dir {
        keep(dir, &Place { wall, speed, ..place })?;
    }
    Ok(Opened { venue: place.venue, market })
}

/// Keeps the place of a market that just opened, its clock at `venue`.
///
/// # Errors
/// [`SessionError::File`].
pub fn moved_on(
    dir: &Path,
    market: &Market,
    (venue, wall): (UnixNanos, UnixNanos),
    speed: f64,
) -> Result<(), SessionError> {
    let since_open = market.start().since(market.session().open).seconds().div_euclid(60);
    let minute = u32::try_from(since_open).unwrap_or(0);
    let quiet = market.scenario() == Scenario::Quiet;
    let date = market.session().date;
    let began = load(dir).ok().flatten().and_then(|place| place.began);
    keep(dir, &Place { seed: market.seed(), date, began, minute, venue, wall, speed, quiet })
}

/// The place of a venue that opens for the first time.
fn first(simulation: &Simulation, wall: UnixNanos) -> Result<Place, SessionError> {
    let seed = simulation.seed.unwrap_or(DEFAULT_SEED);
    let today = new_york_date(wall);
    let date = simulation.date.unwrap_or_else(|| Session::on(today).unwrap_or_else(|| Session::next_after(today)).date);
    let market = Market::new(seed, date, simulation.scenario)?;
    let quiet = simulation.scenario == Scenario::Quiet;
    let (began, minute) = (Some(date), HEAD_START_MINUTES);
    Ok(Place { seed, date, began, minute, venue: market.start(), wall, speed: 1.0, quiet })
}

/// Where a venue is that was left in `place`, some sessions later perhaps.
fn went_on(place: Place, wall: UnixNanos) -> Place {
    let passed = wall.since(place.wall).max(Span::ZERO);
    let mut place = Place { venue: place.venue.plus(venue_span(passed, place.speed)), wall, ..place };
    while let Some(session) = Session::on(place.date) {
        let ends = session.close.plus(PAUSE_AFTER_CLOSE);
        let next = Session::next_after(place.date);
        if place.venue < ends || next.date <= place.date {
            break;
        }
        place = Place { date: next.date, minute: 0, venue: next.open.plus(place.venue.since(ends)), ..place };
    }
    place
}

fn load(dir: &Path) -> Result<Option<Place>, SessionError> {
    let path = dir.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| SessionError::Damaged { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SessionError::File { path, what: "read", source }),
    }
}

/// Written beside and moved over, so that a crash leaves the old place or the new one.
fn keep(dir: &Path, place: &Place) -> Result<(), SessionError> {
    let path = dir.join(FILE);
    let beside = dir.join("venue.json.new");
    let write = || {
        fs::create_dir_all(dir)?;
        fs::write(&beside, serde_json::to_vec_pretty(place)?)?;
        fs::rename(&beside, &path)
    };
    write().map_err(|source| SessionError::File { path: path.clone(), what: "written", source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn asked(dir: &Path) -> Simulation {
        Simulation {
            seed: Some(4),
            date: Some(date(2026, 11, 25)),
            data_dir: Some(dir.to_owned()),
            ..Simulation::default()
        }
    }

    #[test]
    fn a_venue_started_again_goes_on_where_its_clock_would_be() {
        let dir = tempfile::tempdir().unwrap();
        let wall = UnixNanos::from_seconds(1_800_000_000);
        let first = open(&asked(dir.path()), wall, 10.0).unwrap();
        assert_eq!(first.venue, first.market.session().open.plus(Span::from_minutes(30)));
        // Two minutes at ten times the speed, then at one.
        let again = open(&asked(dir.path()), wall.plus(Span::from_minutes(2)), 1.0).unwrap();
        assert_eq!(again.venue, first.venue.plus(Span::from_minutes(20)));
        assert_eq!(again.market.start(), first.market.start());
        let third = open(&asked(dir.path()), wall.plus(Span::from_minutes(5)), 1.0).unwrap();
        assert_eq!(third.venue, first.venue.plus(Span::from_minutes(23)));
        // Thursday is Thanksgiving; Friday a half day. Six hours and a minute of Wednesday, then half an hour into Friday.
        let rest = Span::from_minutes(360 - 23 + 1 + 30);
        let friday = open(&asked(dir.path()), wall.plus(Span::from_minutes(5)).plus(rest), 1.0).unwrap();
        assert_eq!(friday.market.session().date, date(2026, 11, 27));
        assert_eq!(friday.market.start(), friday.market.session().open);
        assert_eq!(friday.venue, friday.market.session().open.plus(Span::from_minutes(30)));
        let anew = open(&Simulation { fresh: true, ..asked(dir.path()) }, wall, 1.0).unwrap();
        assert_eq!(anew.market.session().date, date(2026, 11, 25));
    }

    #[test]
    fn another_seed_or_date_and_a_damaged_file_are_refused_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let wall = UnixNanos::from_seconds(1_800_000_000);
        open(&asked(dir.path()), wall, 1.0).unwrap();
        let other = Simulation { seed: Some(5), ..asked(dir.path()) };
        assert!(matches!(open(&other, wall, 1.0), Err(SessionError::Differs { seed: 4, .. })));
        let other = Simulation { date: Some(date(2026, 12, 1)), ..asked(dir.path()) };
        let error = open(&other, wall, 1.0).unwrap_err();
        assert!(error.to_string().contains("2026-11-25") && error.to_string().contains("--fresh"), "{error}");
        fs::write(dir.path().join(FILE), "{").unwrap();
        let error = open(&asked(dir.path()), wall, 1.0).unwrap_err();
        assert!(error.to_string().contains("--fresh"), "{error}");
        assert!(matches!(
            open(&Simulation { date: Some(date(2026, 11, 26)), ..Simulation::default() }, wall, 1.0),
            Err(SessionError::Market(MarketError::NoSession { .. }))
        ));
    }

    #[test]
    fn without_a_date_it_is_today_in_new_york_or_the_next_trading_day() {
        let on = |text: &str| {
            open(&Simulation::default(), UnixNanos::parse(text).unwrap(), 1.0).unwrap().market.session().date
        };
        assert_eq!(on("2026-11-25T04:30:00Z"), date(2026, 11, 24));
        assert_eq!(on("2026-11-26T15:00:00Z"), date(2026, 11, 27));
        assert_eq!(on("2026-11-28T15:00:00Z"), date(2026, 11, 30));
    }
}
