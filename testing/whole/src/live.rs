//! A whole floor for a test: real sockets on loopback, free ports, a data directory that goes with it.

use agenttrader_agent::marketdata_health::{fetch, http_client};
use agenttrader_agent::start;
use agenttrader_audit::read;
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_core::identity::AgentMode;
use agenttrader_core::symbol::Symbol;
use agenttrader_floor::configuration::RunSettings;
use agenttrader_floor::market::MarketChoice;
use agenttrader_floor::ports::Service;
use agenttrader_floor::run::{Ended, Floor, FloorSettings};
use agenttrader_venue::{Scenario, Simulation, Source, Venue, VenueConfig, serve};
use jiff::civil::date;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Each agent that serves health, by name.
pub const AGENTS: [(&str, Service); 5] = [
    (start::MARKETDATA, Service::Marketdata),
    (start::GAMMA, Service::Gamma),
    (start::WHALE, Service::Whale),
    (start::SHADOW_GATE, Service::Gate),
    (start::MISSION_CONTROL, Service::MissionControl),
];

/// Longest wait for anything that a floor does within seconds. Generous: the machine may be busy with other tests.
pub const LONG: Duration = Duration::from_secs(120);

/// What a test wants of a floor.
pub struct Wanted {
    /// Where the market comes from.
    pub market: MarketChoice,
    /// Strategies, in order.
    pub strategies: &'static [&'static str],
    /// Mode of their agents.
    pub mode: AgentMode,
    /// The environment.
    pub environment: Vec<(&'static str, String)>,
    /// Underlyings to follow; none: all that the venue lists.
    pub symbols: &'static [&'static str],
}

impl Wanted {
    /// The usual floor over a simulated market of that seed, at that speed.
    pub fn simulated(seed: u64, speed: f64) -> Self {
        let market = MarketChoice::Simulated { seed: Some(seed), date: Some(date(2026, 11, 24)), speed, fresh: false };
        Self {
            market,
            strategies: &["gamma", "whale"],
            mode: AgentMode::Observe,
            environment: Vec::new(),
            symbols: &[],
        }
    }

    /// The usual floor at a venue elsewhere.
    pub fn elsewhere(address: SocketAddr) -> Self {
        let url = format!("http://{address}");
        Self {
            market: MarketChoice::Elsewhere,
            environment: vec![("APCA_API_BASE_URL", url.clone()), ("APCA_API_DATA_URL", url)],
            ..Self::simulated(1, 1.0)
        }
    }
}

/// A floor of a test.
pub struct Hall {
    /// Where it writes.
    pub data_dir: PathBuf,
    /// The floor.
    pub floor: Floor,
    records: Arc<Mutex<Vec<Record>>>,
    client: reqwest::Client,
    _folder: Option<TempDir>,
}

impl Hall {
    /// Starts a floor in a folder of its own.
    pub async fn open(wanted: Wanted) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_owned();
        let mut hall = Self::open_in(&data_dir, wanted).await;
        hall._folder = Some(folder);
        hall
    }

    /// Starts a floor in that data directory.
    pub async fn open_in(data_dir: &Path, wanted: Wanted) -> Self {
        let Wanted { market, strategies, mode, environment, symbols } = wanted;
        let symbols: Vec<Symbol> = symbols.iter().map(|text| Symbol::parse(text).expect("a symbol")).collect();
        let settings = FloorSettings {
            data_dir: data_dir.to_owned(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port_base: 0,
            market,
            run: RunSettings {
                configs: None,
                strategies: strategies.iter().map(|name| (*name).to_owned()).collect(),
                strategy_mode: mode,
                environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            },
            symbols: (!symbols.is_empty()).then_some(symbols),
            build: crate::build(),
            trust_root: agenttrader_authority::trust_root::TrustRoot::draft(),
            witnesses: Vec::new(),
            poll_interval_seconds: None,
        };
        let records = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&records);
        let watch = Box::new(move |record: &Record| seen.lock().expect("nobody panics").push(record.clone()));
        let floor = Floor::start(settings, watch).await.expect("the floor starts");
        Self { data_dir: data_dir.to_owned(), floor, records, client: http_client().expect("a client"), _folder: None }
    }

    /// Asks a service; the answer is JSON, or null where it is none.
    pub async fn get(&self, service: Service, path: &str) -> (u16, Value) {
        let (status, body) = self.text(service, path).await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Asks a service for text.
    pub async fn text(&self, service: Service, path: &str) -> (u16, String) {
        let address = self.floor.ports().get(&service).expect("a port");
        let url = format!("http://{address}{path}");
        match fetch(&self.client, &url, LONG, 32 << 20).await {
            Ok(answer) => (answer.status, String::from_utf8(answer.body).expect("text")),
            Err(error) => (0, error.to_string()),
        }
    }

    /// The status of each agent, by name.
    pub async fn statuses(&self) -> BTreeMap<&'static str, Value> {
        let mut statuses = BTreeMap::new();
        for (name, service) in AGENTS {
            statuses.insert(name, self.get(service, "/ops/status").await.1);
        }
        statuses
    }

    /// Durable records so far, of all agents.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().expect("nobody panics").clone()
    }

    /// How many records of that type are durable.
    pub fn count(&self, intent: IntentType) -> usize {
        self.records.lock().expect("nobody panics").iter().filter(|record| record.intent_type == intent).count()
    }

    /// The switch file.
    pub fn switch(&self) -> PathBuf {
        self.data_dir.join("kill-switch").join("EXECUTION_HALTED")
    }

    /// Ends the floor; tells how it ended and leaves its data directory.
    pub async fn close(self) -> (Ended, Closed) {
        let Self { data_dir, floor, _folder, .. } = self;
        (floor.stop().await, Closed { data_dir, _folder })
    }
}

/// The data directory that a floor left.
pub struct Closed {
    /// Where it is.
    pub data_dir: PathBuf,
    _folder: Option<TempDir>,
}

impl Closed {
    /// The journal of an agent, with payloads that are stored apart read.
    pub fn journal(&self, agent_name: &str) -> Vec<Record> {
        let records = read::records(&self.data_dir, agent_name).expect("a log");
        let whole = |record: Result<Record, read::ReadError>| {
            let mut record = record.expect("a whole journal");
            record.intent_payload = read::payload(&self.data_dir, &record).expect("a payload");
            record
        };
        records.map(whole).collect()
    }
}

/// Looks until there is something to see, for `bound` at most.
pub async fn until<T>(what: &str, bound: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < bound, "waited {bound:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A venue simulator of its own, in that data directory, on that port (0: a free one).
pub async fn venue(data_dir: &Path, port: u16, seed: u64, speed: f64) -> Venue {
    let listener = bind_soon(port).await;
    let simulation = Simulation {
        seed: Some(seed),
        date: Some(date(2026, 11, 24)),
        scenario: Scenario::default(),
        data_dir: Some(data_dir.to_owned()),
        fresh: false,
    };
    let config = VenueConfig { speed, ..VenueConfig::new(Source::Simulated(simulation)) };
    serve(listener, config).await.expect("a venue")
}

/// The port, once those that had it are gone.
async fn bind_soon(port: u16) -> TcpListener {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    until("the port is free", LONG, async || TcpListener::bind(address).await.ok()).await
}

/// Runs a test on a runtime of its own.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().expect("a runtime").block_on(test)
}
