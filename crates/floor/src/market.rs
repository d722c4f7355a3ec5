//! The floor's market: a venue simulator of its own, a recording played by it, or a venue elsewhere.

use crate::inlet::Inlet;
use crate::live::WHOLE_FEED;
use agenttrader_agent::{clock, entropy};
use agenttrader_alpaca::credentials::{Credentials, EndpointError, Endpoints, OptionFeed, StockFeed};
use agenttrader_audit::redact::Redactor;
use agenttrader_core::calendar::Session;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::Instruments;
use agenttrader_core::secret::Secret;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_marketdata::feed::{self, FeedConfig, World};
use agenttrader_sequence::input::{Fact, FeedFact, Input};
use agenttrader_sequence::read::{ReadError, Recording};
use agenttrader_venue::{Playback, Scenario, Simulation, Source, Venue, VenueConfig, VenueError, serve};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Underlyings followed at a venue elsewhere, unless others are named: what the simulator lists.
const DEFAULT_SYMBOLS: [&str; 6] = ["SPY", "QQQ", "IWM", "AAPL", "MSFT", "NVDA"];

/// Option quotes of Alpaca's paid plan, which `opra` needs.
const OPTION_QUOTES_MAX: usize = 1_000;

/// Option quotes of its free plan, whose feed is `indicative`.
const INDICATIVE_QUOTES_MAX: usize = 200;

/// The secret of every key at a simulator.
const LOCAL_SECRET: &str = "local-only";

/// Where the market comes from.
#[derive(Clone, Debug)]
pub enum MarketChoice {
    /// A simulator of the floor's own.
    Simulated {
        /// Its seed; none: the data directory's, or the default.
        seed: Option<u64>,
        /// Its session's date; none: today's or the next trading day's.
        date: Option<jiff::civil::Date>,
        /// Venue seconds a wall second.
        speed: f64,
        /// Begin anew.
        fresh: bool,
    },
    /// A recording, played by a simulator of the floor's own.
    Recording {
        /// The file.
        file: PathBuf,
        /// Venue seconds a wall second.
        speed: f64,
    },
    /// A venue elsewhere, as `APCA_API_BASE_URL` and `APCA_API_DATA_URL` say.
    Elsewhere,
}

/// Why there is no market.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// The simulator.
    #[error("the venue simulator cannot start")]
    Venue(#[from] VenueError),
    /// The recording.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// The exchange did not trade on the recording's date.
    #[error("the recording's date {date} is no trading day")]
    NoSession {
        /// The date.
        date: jiff::civil::Date,
    },
    /// A URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A feed's name.
    #[error("{variable}: there is no feed `{name}`")]
    NoSuchFeed {
        /// Which variable.
        variable: &'static str,
        /// Its value.
        name: String,
    },
}

/// The market of a run.
#[derive(Debug)]
pub struct Market {
    venue: Option<Venue>,
    symbols: Vec<Symbol>,
    cadence: Option<Span>,
    speed: f64,
    seed: Option<u64>,
    playback: Option<PathBuf>,
    elsewhere: Option<String>,
}

/// The recording's instruments, in order of number.
fn instruments(file: &Path) -> Result<Instruments, ReadError> {
    let mut recording = Recording::open(file)?;
    let mut instruments = Instruments::default();
    while let Some(numbered) = recording.next_input()? {
        if let Input::Instrument { instrument, .. } = numbered.input {
            instruments.define(instrument);
        }
    }
    Ok(instruments)
}

/// A recording's market events alone.
struct Events {
    recording: Recording,
}

impl Iterator for Events {
    type Item = (UnixNanos, MarketEvent);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // The file was read through once already: an error here means that it changed meanwhile, and playing ends.
            let numbered = self.recording.next_input().ok()??;
            match numbered.input {
                Input::Market(event) => return Some((numbered.at, event)),
                Input::Instrument { .. } | Input::Fact(_) => {}
            }
        }
    }
}

/// A recording as a venue plays it, with its head.
///
/// # Errors
/// [`MarketError`].
pub fn playback(file: &Path) -> Result<(Playback, agenttrader_sequence::head::Head), MarketError> {
    let instruments = instruments(file)?;
    let recording = Recording::open(file)?;
    let head = recording.head().clone();
    let session = Session::on(head.session_date).ok_or(MarketError::NoSession { date: head.session_date })?;
    Ok((Playback::new(instruments, session, Box::new(Events { recording })), head))
}

impl MarketChoice {
    /// Whether the floor serves a venue itself.
    pub const fn needs_a_port(&self) -> bool {
        !matches!(self, Self::Elsewhere)
    }
}

impl Market {
    /// Opens the market. `listener` is for a venue of our own.
    ///
    /// # Errors
    /// [`MarketError`].
    pub async fn open(
        choice: MarketChoice,
        data_dir: &Path,
        environment: &BTreeMap<String, String>,
        listener: Option<TcpListener>,
        symbols: Option<Vec<Symbol>>,
    ) -> Result<Self, MarketError> {
        let (source, speed, cadence, playback_of, head_symbols) = match choice {
            MarketChoice::Elsewhere => {
                let default = || DEFAULT_SYMBOLS.into_iter().filter_map(|text| Symbol::parse(text).ok()).collect();
                // A URL that is refused leaves nothing behind, and no password in a name.
                endpoints(environment)?;
                let elsewhere = environment.get("APCA_API_BASE_URL").cloned();
                return Ok(Self {
                    venue: None,
                    symbols: symbols.unwrap_or_else(default),
                    cadence: None,
                    speed: 1.0,
                    seed: None,
                    playback: None,
                    elsewhere,
                });
            }
            MarketChoice::Simulated { seed, date, speed, fresh } => {
                let simulation = Simulation {
                    seed,
                    date,
                    scenario: Scenario::default(),
                    data_dir: Some(data_dir.to_owned()),
                    fresh,
                };
                (Source::Simulated(simulation), speed, None, None, None)
            }
            MarketChoice::Recording { file, speed } => {
                let (playback, head) = playback(&file)?;
                let cadence = head.cadence.unwrap_or(Span::from_seconds(1));
                (Source::Playback(playback), speed, Some(cadence), Some(file), Some(head.symbols))
            }
        };
        let plan =
            if playback_of.is_some() { agenttrader_venue::Plan::Unlimited } else { agenttrader_venue::Plan::Paid };
        let config = VenueConfig { speed, plan, ..VenueConfig::new(source) };
        let Some(listener) = listener else {
            return Err(VenueError::Socket(std::io::Error::other("no socket for the venue")).into());
        };
        let venue = serve(listener, config).await?;
        let seed = if playback_of.is_some() { None } else { venue.seed() };
        let listed = head_symbols.unwrap_or_else(|| {
            let listed = venue.instruments();
            let shares = listed.iter().filter(|(_, instrument)| instrument.option().is_none());
            shares.map(|(_, instrument)| instrument.underlying()).collect()
        });
        Ok(Self {
            venue: Some(venue),
            symbols: symbols.unwrap_or(listed),
            cadence,
            speed,
            seed,
            playback: playback_of,
            elsewhere: None,
        })
    }

    /// Underlyings that are followed.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Time between two values of one instrument, where a recording is played.
    pub const fn cadence(&self) -> Option<Span> {
        self.cadence
    }

    /// Venue seconds that a venue of our own lets pass in a wall second; 1 elsewhere.
    pub const fn speed(&self) -> f64 {
        self.speed
    }

    /// The simulator's seed.
    pub const fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Whether a recording is played.
    pub const fn is_playback(&self) -> bool {
        self.playback.is_some()
    }

    /// Waits until a recording has been told to its end; for ever where none is played.
    pub async fn over(&self) {
        match &self.venue {
            Some(venue) if self.is_playback() => venue.over().await,
            _ => std::future::pending().await,
        }
    }

    /// Its name, for people.
    pub fn name(&self) -> String {
        match (&self.playback, &self.elsewhere, self.seed) {
            (Some(file), _, _) => format!("recording {}", file.display()),
            (None, Some(url), _) => format!("venue {url}"),
            (None, None, Some(seed)) => format!("simulated venue, seed {seed}"),
            (None, None, None) => "simulated venue".to_owned(),
        }
    }

    /// How the feed reaches it. `key` is the venue key of the agent that holds the feed, where none is configured.
    ///
    /// # Errors
    /// [`MarketError`] for a URL or feed name that cannot be used.
    pub fn feed(&self, key: &str, environment: &BTreeMap<String, String>) -> Result<FeedConfig, MarketError> {
        let variable = |name: &str| environment.get(name).cloned();
        let name = |variable: &'static str, default: &str| {
            environment.get(variable).cloned().unwrap_or_else(|| default.to_owned())
        };
        let stock = name("AGENTTRADER_STOCK_FEED", "sip");
        let option = name("AGENTTRADER_OPTION_FEED", "opra");
        let option_feed = OptionFeed::from_name(&option)
            .ok_or(MarketError::NoSuchFeed { variable: "AGENTTRADER_OPTION_FEED", name: option })?;
        let most = if option_feed == OptionFeed::Indicative { INDICATIVE_QUOTES_MAX } else { OPTION_QUOTES_MAX };
        let (endpoints, credentials, limit) = match &self.venue {
            Some(venue) => {
                let url = format!("http://{}", venue.address());
                let limit = if self.is_playback() { None } else { Some(most) };
                (Endpoints::new(&url, &url)?, local(key), limit)
            }
            None => {
                let key_id = variable("APCA_API_KEY_ID").unwrap_or_else(|| key.to_owned());
                let secret = Secret::new(variable("APCA_API_SECRET_KEY").unwrap_or_else(|| LOCAL_SECRET.to_owned()));
                (endpoints(environment)?, Credentials { key_id, secret }, Some(most))
            }
        };
        Ok(FeedConfig {
            endpoints,
            credentials,
            stock_feed: StockFeed::from_name(&stock)
                .ok_or(MarketError::NoSuchFeed { variable: "AGENTTRADER_STOCK_FEED", name: stock })?,
            option_feed,
            symbols: self.symbols.clone(),
            option_quote_limit: limit,
            cadence: self.cadence,
        })
    }

    /// Ends a venue of our own.
    pub async fn stop(self) {
        if let Some(venue) = self.venue {
            venue.stop().await;
        }
    }
}

/// The services that the environment names.
fn endpoints(environment: &BTreeMap<String, String>) -> Result<Endpoints, EndpointError> {
    let trading = environment.get("APCA_API_BASE_URL").map_or("", String::as_str);
    Endpoints::new(trading, environment.get("APCA_API_DATA_URL").map_or(trading, String::as_str))
}

fn local(key: &str) -> Credentials {
    Credentials { key_id: key.to_owned(), secret: Secret::new(LOCAL_SECRET.to_owned()) }
}

/// The machine's clock and randomness, for the feed.
#[derive(Clone, Copy, Debug)]
struct Machine;

impl World for Machine {
    fn wall(&self) -> UnixNanos {
        clock::wall()
    }

    fn draw(&self) -> u64 {
        entropy::bytes().map_or(u64::MAX, u64::from_le_bytes)
    }
}

/// Runs the feed. What ends it by itself is an input like any loss of a stream, and stands in `end`.
pub(crate) async fn follow(
    config: FeedConfig,
    inlet: Inlet,
    redactor: Arc<Redactor>,
    stop: watch::Receiver<bool>,
    end: Arc<Mutex<Option<String>>>,
) {
    let Inlet { market, facts } = inlet;
    let Err(error) = feed::run(config, Machine, market, stop).await else { return };
    let reason = redactor.redact_cut_text(&error.to_string()).into_owned();
    // There is room: facts are few and taken first.
    let _ =
        facts.try_send(Fact::Feed(FeedFact::Disconnected { stream: WHOLE_FEED.to_owned(), reason: reason.clone() }));
    if let Ok(mut end) = end.lock() {
        *end = Some(reason);
    }
}
