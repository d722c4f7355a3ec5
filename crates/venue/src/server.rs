//! Serves a market: one task moves it on and hands out what happens, the others answer.

use crate::book::Book;
use crate::clock::{VenueClock, wall_now};
use crate::directory::Directory;
use crate::hub::Hub;
use crate::plan::Plan;
use crate::playback::Playback;
use crate::protocol;
use crate::protocol::shared::{Shared, State};
use crate::session::{self, Opened, PAUSE_AFTER_CLOSE, SessionError, Simulation};
use crate::simulation::Market;
use agenttrader_core::calendar::Session;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::Instruments;
use agenttrader_core::time::{Span, UnixNanos};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often the market is moved on, in wall time.
const BEAT: Duration = Duration::from_millis(20);

/// Market time played at once while catching up: bounds the events held.
const STRIDE: Span = Span::from_seconds(60);

/// How long an orderly end may take.
const ENDING: Duration = Duration::from_secs(1);

/// Where the market comes from.
#[derive(Debug)]
pub enum Source {
    /// From a seed.
    Simulated(Simulation),
    /// From a recording.
    Playback(Playback),
}

/// How a venue is run.
#[derive(Debug)]
pub struct VenueConfig {
    /// Where the market comes from.
    pub source: Source,
    /// How many times as fast as wall time; positive and finite.
    pub speed: f64,
    /// What clients may subscribe to.
    pub plan: Plan,
    /// Trading requests a minute and key.
    pub rest_limit: u32,
    /// How long a stream client may take to sign in; each try gives it anew.
    pub auth_within: Duration,
    /// Batches, one a beat of 20 ms, that may wait for a stream client before it is cut off: it would trade on the past.
    pub batches_waiting: usize,
}

impl VenueConfig {
    /// About five seconds of the market.
    pub const BATCHES_WAITING: usize = 256;

    /// Alpaca's own time to sign in.
    pub const AUTH_WITHIN: Duration = Duration::from_secs(10);

    /// The usual trading requests a minute.
    pub const REST_LIMIT: u32 = 1_000;

    /// At the pace of the wall clock, with the paid plan's limits.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            speed: 1.0,
            plan: Plan::Paid,
            rest_limit: Self::REST_LIMIT,
            auth_within: Self::AUTH_WITHIN,
            batches_waiting: Self::BATCHES_WAITING,
        }
    }
}

/// Why a venue cannot start.
#[derive(Debug, thiserror::Error)]
pub enum VenueError {
    /// The speed is no speed.
    #[error("speed {0} is not a positive number up to 100,000")]
    Speed(f64),
    /// The session cannot be opened.
    #[error("the session cannot be opened")]
    Session(#[from] SessionError),
    /// The socket fails.
    #[error("the listening socket fails")]
    Socket(#[from] io::Error),
    /// What was missed could not be played.
    #[error("catching up with the clock was cut off")]
    CatchUp,
}

/// A venue that serves. Dropping it ends it at once; [`Venue::stop`] in order.
#[derive(Debug)]
pub struct Venue {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    over: watch::Receiver<bool>,
    tasks: Vec<JoinHandle<()>>,
    seed: Option<u64>,
}

/// The market and what happens when it ends.
enum Feed {
    Simulated { market: Box<Market>, data_dir: Option<PathBuf> },
    Playback(Playback),
}

impl Feed {
    fn advance(&mut self, to: UnixNanos, out: &mut Vec<(UnixNanos, MarketEvent)>) {
        match self {
            Self::Simulated { market, .. } => market.advance(to, out),
            Self::Playback(playback) => playback.advance(to, out),
        }
    }
}

/// Serves the market that `config` asks for on this socket.
///
/// # Errors
/// [`VenueError`], before anything is served.
pub async fn serve(listener: TcpListener, config: VenueConfig) -> Result<Venue, VenueError> {
    let VenueConfig { source, speed, plan, rest_limit, auth_within, batches_waiting } = config;
    if !(speed > 0.0 && speed <= 100_000.0) {
        return Err(VenueError::Speed(speed));
    }
    let address = listener.local_addr()?;
    // Building a market and playing what was missed is work for seconds, not for a task that shares its thread.
    let opened = tokio::task::spawn_blocking(move || open(source, speed)).await.map_err(|_| VenueError::CatchUp)?;
    let (feed, state) = opened?;
    let seed = match &feed {
        Feed::Simulated { market, .. } => Some(market.seed()),
        Feed::Playback(_) => None,
    };
    let (stop, stopping) = watch::channel(false);
    let (told_over, over) = watch::channel(false);
    let shared =
        Arc::new(Shared::new(state, plan, rest_limit, auth_within, Hub::new(batches_waiting), stopping.clone()));
    let router = protocol::router(Arc::clone(&shared));
    let mut until = stopping.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = until.wait_for(|stop| *stop).await;
    });
    let tasks = vec![
        tokio::spawn(async move {
            // It ends with the shutdown; there is nobody to tell of an error that cannot happen.
            let _ = serving.await;
        }),
        tokio::spawn(drive(Arc::clone(&shared), feed, told_over)),
    ];
    Ok(Venue { address, shared, stop, over, tasks, seed })
}

impl Venue {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Venue time now.
    pub fn now(&self) -> UnixNanos {
        self.shared.state().clock.now()
    }

    /// The session now.
    pub fn session(&self) -> Session {
        self.shared.state().session
    }

    /// The seed of a simulated market.
    pub const fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Everything listed now.
    pub fn instruments(&self) -> Instruments {
        self.shared.state().directory.instruments().clone()
    }

    /// Waits until every event of a recording was told. A simulated venue never is over.
    pub async fn over(&self) {
        // The driver lives as long as the venue: an error means that the venue is gone.
        let _ = self.over.clone().wait_for(|over| *over).await;
    }

    /// Ends in order: no new connections, the standing ones told.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..) {
            let abort = task.abort_handle();
            if tokio::time::timeout(ENDING, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Opens the market and plays what was missed.
fn open(source: Source, speed: f64) -> Result<(Feed, State), VenueError> {
    match source {
        Source::Simulated(simulation) => {
            let Opened { mut market, venue } = session::open(&simulation, wall_now(), speed)?;
            let (mut state, began) = (state_of(&market, venue, speed), wall_now());
            let mut events = Vec::new();
            let mut at = market.start();
            while at < venue {
                at = at.plus(STRIDE).min(venue);
                market.advance(at, &mut events);
                for (_, event) in events.drain(..) {
                    state.book.apply(&event);
                }
                state.book.roll(at, &mut Vec::new());
            }
            // The clock went on meanwhile.
            state.clock.set(venue.plus(crate::clock::venue_span(wall_now().since(began), speed)));
            Ok((Feed::Simulated { market: Box::new(market), data_dir: simulation.data_dir }, state))
        }
        Source::Playback(playback) => {
            let directory = Arc::new(Directory::new(playback.instruments().clone()));
            let session = *playback.session();
            let mut book = Book::new(directory.len(), session.open, None);
            for event in playback.known() {
                book.apply(event);
            }
            let clock = VenueClock::starting_at(playback.start(speed), speed);
            Ok((Feed::Playback(playback), State { clock, session, directory, book }))
        }
    }
}

/// The state at a simulated market's start, its clock at `venue`.
fn state_of(market: &Market, venue: UnixNanos, speed: f64) -> State {
    let session = *market.session();
    let directory = Arc::new(Directory::new(market.instruments().clone()));
    let mut book = Book::new(directory.len(), session.open, Some(market.history()));
    // Open interest is counted overnight: what stands in the morning is the day before's.
    let counted = Session::previous_before(session.date).date;
    for (instrument, contracts) in market.open_interest() {
        book.set_open_interest(instrument, contracts, counted);
    }
    State { clock: VenueClock::starting_at(venue, speed), session, directory, book }
}

/// Moves the market on with the clock until told to stop.
async fn drive(shared: Arc<Shared>, mut feed: Feed, over: watch::Sender<bool>) {
    let mut stop = shared.stop.clone();
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut timed, mut events, mut due) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        tokio::select! {
            () = protocol::stream::stopped(&mut stop) => return,
            _ = beat.tick() => {}
        }
        let now = shared.state().clock.now();
        feed.advance(now, &mut timed);
        events.extend(timed.drain(..).map(|(_, event)| event));
        let directory = {
            let mut state = shared.state();
            for event in &events {
                state.book.apply(event);
            }
            state.book.roll(now, &mut due);
            Arc::clone(&state.directory)
        };
        shared.hub.publish(&directory, &events, &due);
        events.clear();
        due.clear();
        match &mut feed {
            Feed::Simulated { market, data_dir } => {
                if now >= market.session().close.plus(PAUSE_AFTER_CLOSE)
                    && let Ok(next) = market.following()
                {
                    let venue = next.start();
                    let mut state = shared.state();
                    let speed = state.clock.speed();
                    *state = state_of(&next, venue, speed);
                    drop(state);
                    if let Some(dir) = data_dir {
                        // A place that cannot be kept costs a restart its memory, nothing now.
                        let _ = session::moved_on(dir, &next, (venue, wall_now()), speed);
                    }
                    **market = next;
                }
            }
            Feed::Playback(playback) => {
                if playback.is_over() {
                    over.send_replace(true);
                }
            }
        }
    }
}
