//! A floor: starts every agent, and ends them in order.

use crate::begin::{
    head, identities, make_folder, open_desk, recording_path, served, start_record, told_to, trusts_no_agent,
};
use crate::configuration::{DEFAULT_AGENTS, RunSettings, agent_timeout, effective};
use crate::engine::{Judging, Run};
pub use crate::error::FloorError;
use crate::inlet::inlet;
use crate::live::{self, Beginning, LiveError, Readable, Seated};
use crate::market::{Market, MarketChoice, follow};
use crate::ports::{self, Service, bind};
pub use crate::printer::Watch;
use crate::printer::{Printed, Printer};
use crate::records::{self, Outgoing, RecordingEnd};
use crate::secrets::redactor;
use crate::signed_watch;
use crate::status::snapshot;
use crate::switch_watch;
use crate::terminal;
use crate::writer::{self, Desk, Desks};
use agenttrader_agent::clock;
use agenttrader_agent::entropy;
use agenttrader_agent::guard::Hosts;
use agenttrader_agent::health::{self, StatusBoard};
use agenttrader_agent::served_log::ServedLog;
use agenttrader_agent::start::{self, Identity};
use agenttrader_agent::tasks::Tasks;
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::identity::{AgentIdentity, AgentMode, Build, REPO_ID};
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_mission_control::access::BindPolicy;
use agenttrader_mission_control::api;
use agenttrader_mission_control::hub::Hub;
use agenttrader_mission_control::inventory::Inventory;
use agenttrader_mission_control::journals::Journals;
use agenttrader_mission_control::poll::{self, Cadence};
use agenttrader_mission_control::witness::outside::Pinned;
use agenttrader_mission_control::witness::{Witness, WitnessSettings};
use agenttrader_safety::kill_switch::KillSwitch;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::input::Fact;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A delay of this much wall time between venue and sequence happens on any busy machine.
const DELAY_USUAL: Duration = Duration::from_millis(200);

/// Longest wait for tasks at the end.
const END_WITHIN: Duration = Duration::from_millis(1_200);

/// Longest wait for the witness to see how each log ended.
const LAST_LOOK_WITHIN: Duration = Duration::from_millis(1_500);

/// How a floor is run.
#[derive(Clone, Debug)]
pub struct FloorSettings {
    /// Everything the floor writes goes there.
    pub data_dir: PathBuf,
    /// Address to listen on.
    pub bind: IpAddr,
    /// First port; 0: free ones.
    pub port_base: u16,
    /// Where the market comes from.
    pub market: MarketChoice,
    /// What shapes the steps.
    pub run: RunSettings,
    /// Underlyings to follow, if named.
    pub symbols: Option<Vec<Symbol>>,
    /// The build.
    pub build: Build,
    /// The people whom it trusts.
    pub trust_root: TrustRoot,
    /// Seconds between two polls of mission control; none: the floor's usual second.
    pub poll_interval_seconds: Option<u32>,
    /// Outside witnesses that are sent every log's checkpoints.
    pub witnesses: Vec<Pinned>,
}

/// A running floor.
pub struct Floor {
    ports: BTreeMap<Service, SocketAddr>,
    hub: Arc<Hub>,
    tasks: Tasks,
    feed_stop: tokio::sync::watch::Sender<bool>,
    market: Market,
    sequence: Option<JoinHandle<Result<Option<RecordingEnd>, LiveError>>>,
    sequence_failed: tokio::sync::watch::Receiver<bool>,
    writer: Option<JoinHandle<()>>,
    printed: Option<Printed>,
    desks: Arc<Desks>,
    recording: PathBuf,
    feed_end: Arc<Mutex<Option<String>>>,
    data_dir: PathBuf,
    speed_warning: Option<String>,
    witnesses: Vec<Pinned>,
}

/// How a floor ended.
#[derive(Debug)]
pub struct Ended {
    /// Its recording, if one was begun.
    pub recording: Option<(PathBuf, Digest)>,
    /// What did not end well, in words.
    pub problems: Vec<String>,
}

fn service_of(agent_name: &str) -> Service {
    match agent_name {
        start::MARKETDATA => Service::Marketdata,
        start::GAMMA => Service::Gamma,
        start::WHALE => Service::Whale,
        start::SHADOW_GATE => Service::Gate,
        _ => Service::MissionControl,
    }
}

impl Floor {
    /// Starts a floor: parses all configuration, binds every port, then starts logs, market, sequence and servers. `watch` is
    /// told of each record once it is durable.
    ///
    /// # Errors
    /// [`FloorError`]; nothing runs then.
    pub async fn start(settings: FloorSettings, watch: Watch) -> Result<Self, FloorError> {
        let FloorSettings {
            data_dir,
            bind: address,
            port_base,
            market,
            run,
            symbols,
            build,
            trust_root,
            poll_interval_seconds,
            witnesses,
        } = settings;
        let access = BindPolicy { bind: address, token: None, trusted_proxies: Vec::new() }.access()?;
        let agent_timeout = agent_timeout(&run.environment)?;
        let inventory = Inventory::parse(&agents_file(run.configs.as_deref())?)?;
        // A configuration that gives no engine is refused before anything is bound or written.
        drop(crate::engine::Engine::new(&effective(&run, &[])?, probe(&build, &trust_root), Judging::Here)?);

        let mut listeners = BTreeMap::new();
        let mut ports = BTreeMap::new();
        for service in Service::ALL {
            if service == Service::Venue && !market.needs_a_port() {
                continue;
            }
            let listener = bind(service, address, port_base).await?;
            if let Ok(local) = listener.local_addr() {
                ports.insert(service, local);
            }
            listeners.insert(service, listener);
        }
        make_folder(data_dir.join("recordings"))?;
        switch_watch::create_own_file(&data_dir)
            .map_err(|source| FloorError::Io { path: switch_watch::own_file(&data_dir), source })?;
        let tasks = Tasks::new();
        let redactor = redactor(&run.environment);
        let (inlet, inputs) = inlet(Arc::clone(&redactor));
        let (watcher, durable) = mpsc::channel::<Arc<Record>>();
        let wall = clock::wall();
        let recording_id = entropy::random_id()?;
        let identities = identities(run.strategy_mode, &build, &run.environment);
        let mut desks = Desks::new();
        let mut seated = Vec::new();
        let mut boards = BTreeMap::new();
        let mut first_records = Vec::new();
        for identity in identities {
            let name = identity.agent.agent_name.clone();
            let desk = open_desk(&data_dir, &identity, &inlet.facts, Some(watcher.clone()), &redactor)?;
            let board = Arc::new(StatusBoard::new(name.clone()).with_log(served(&data_dir, &desk.log, &name)));
            first_records.push(start_record(&desk, &identity, wall));
            seated.push(Seated { identity, log: Arc::clone(&desk.log), board: Arc::clone(&board) });
            boards.insert(name.clone(), board);
            desks.insert(name, desk);
        }
        drop(watcher);
        trusts_no_agent(&trust_root, &inventory, &data_dir)?;
        // Each log is ours now, so no other floor has this data directory: only then is its market touched.
        let market =
            Market::open(market, &data_dir, &run.environment, listeners.remove(&Service::Venue), symbols).await?;
        let configuration = effective(&run, market.symbols())?;
        let speed_warning = too_fast(&market, Span::from_seconds(i64::from(configuration.marketdata_max_age_seconds)));
        let head = head(recording_id, wall, (&build, &trust_root), &configuration, &desks, &market);
        let log_last_time = head.log_last_time.unwrap_or(UnixNanos::EPOCH);
        let recording = recording_path(&data_dir, wall, recording_id);

        let addresses: BTreeMap<String, SocketAddr> =
            boards.keys().filter_map(|name| Some((name.clone(), *ports.get(&service_of(name))?))).collect();
        let cadence = Cadence::FLOOR.with(poll_interval_seconds, agent_timeout);
        let hub = Hub::new(inventory.at(&addresses), cadence, tasks.stop());
        let witness = witness(&hub, &data_dir, &desks, &boards, witnesses.clone(), &redactor)?;

        let fills = Arc::new(FillCounts::default());
        let printed = fold(durable, Journals::new(&data_dir), Arc::clone(&hub), Arc::clone(&fills), watch)?;
        // Before anybody else can write: a log's first entry says whose keys it is held against.
        for first in first_records {
            if let Some(desk) = desks.get(&first.agent_name) {
                desk.log.append(first.entry).unwaited();
            }
        }
        let desks = Arc::new(desks);
        let (outgoing, records) = mpsc::sync_channel::<Vec<Outgoing>>(live::WRITER_WAITING);
        let writer = {
            let desks = Arc::clone(&desks);
            let claims = switch_watch::claim(&data_dir);
            let redactor = Arc::clone(&redactor);
            spawn("writer", move || writer::run(&desks, &records, &claims, &redactor))?
        };
        let gate_agent = configuration.gate_agent_name.clone();
        for name in boards.keys() {
            let told = Fact::Log { agent_name: name.clone(), health: LogHealth::Writable };
            let _ = inlet.facts.try_send(told);
        }
        let beginning = Beginning {
            configuration,
            head,
            recording: recording.clone(),
            run: Run { recording_id, build, trust_root, log_last_time },
            judging: Judging::Here,
            agents: seated,
            marketdata: start::MARKETDATA.to_owned(),
            readings: readings(Arc::clone(&hub), Arc::clone(&desks), gate_agent, run.strategy_mode, fills),
        };
        let (sequence_fails, sequence_failed) = tokio::sync::watch::channel(false);
        let sequence = {
            let stop = tasks.stop();
            spawn("sequence", move || {
                let ended = live::run(beginning, &inputs, outgoing, &stop);
                let _ = sequence_fails.send(ended.is_err());
                ended
            })?
        };

        let switch = KillSwitch::new(switch_watch::sources(&data_dir, &run.environment));
        let switch_facts = inlet.facts.clone();
        tasks
            .spawn_thread("kill switch", move |stop| switch_watch::run(&switch, &switch_facts, &stop))
            .map_err(FloorError::Thread)?;
        let (signed, signed_facts) = (signed_watch::folder(&data_dir), inlet.facts.clone());
        tasks
            .spawn_thread("signed files", move |stop| signed_watch::run(&signed, &signed_facts, &stop))
            .map_err(FloorError::Thread)?;
        let (feed_stop, feed_stops) = tokio::sync::watch::channel(false);
        let feed_end = Arc::new(Mutex::new(None));
        let feed = market.feed("floor", &run.environment)?;
        tasks.spawn("feed", follow(feed, inlet, redactor, feed_stops, Arc::clone(&feed_end)));
        let hosts = Hosts::new([]);
        for (service, listener) in listeners {
            let stop = tasks.stop();
            let board = boards.iter().find(|(name, _)| service_of(name) == service).map(|(_, board)| Arc::clone(board));
            let Some(board) = board else { continue };
            if service == Service::MissionControl {
                let router = api::router(Arc::clone(&hub), board, access.clone(), hosts.clone());
                tasks.spawn("mission control", async move {
                    let _ = api::serve(listener, router, stop).await;
                });
            } else {
                let router = health::router(board, hosts.clone());
                tasks.spawn(service.to_string(), async move {
                    let _ = health::serve(listener, router, stop).await;
                });
            }
        }
        let poller = Arc::clone(&hub);
        let stop = tasks.stop();
        tasks.spawn("poller", async move {
            let _ = poll::poll(poller, stop).await;
        });
        if let Some(witness) = witness {
            tasks.spawn("witness", witness.run(tasks.stop()));
        }
        // Without the file, commands need `--port-base`.
        let _ = ports::publish(&data_dir, &addresses);
        Ok(Self {
            ports,
            hub,
            tasks,
            feed_stop,
            market,
            sequence: Some(sequence),
            sequence_failed,
            writer: Some(writer),
            printed: Some(printed),
            desks,
            recording,
            feed_end,
            data_dir,
            speed_warning,
            witnesses,
        })
    }

    /// Where each service listens.
    pub const fn ports(&self) -> &BTreeMap<Service, SocketAddr> {
        &self.ports
    }

    /// What mission control holds.
    pub const fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The recording of this run.
    pub fn recording(&self) -> &Path {
        &self.recording
    }

    /// The market's name, for people.
    pub fn market_name(&self) -> String {
        self.market.name()
    }

    /// Tells tasks beside the floor to end with it.
    pub fn stop_signal(&self) -> agenttrader_agent::tasks::Stop {
        self.tasks.stop()
    }

    /// Until a part of the floor fails by itself; tells which.
    pub async fn failure(&self) -> String {
        let mut failed = self.sequence_failed.clone();
        let sequence = async {
            if failed.wait_for(|failed| *failed).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            name = self.tasks.failure() => name,
            () = sequence => "the sequence".to_owned(),
        }
    }

    /// Waits until the recording that is played has been told to its end; for ever where none is.
    pub async fn recording_over(&self) {
        self.market.over().await;
    }

    /// A speed at which a moment's delay makes market data stale, in words; none where the speed leaves room.
    pub fn speed_warning(&self) -> Option<String> {
        self.speed_warning.clone()
    }

    /// Why the feed ended by itself, if it did.
    pub fn feed_end(&self) -> Option<String> {
        self.feed_end.lock().ok().and_then(|end| end.clone())
    }

    /// Ends everything in order: feed and switch, then the sequence, then the writer, then each log; the venue last.
    pub async fn stop(mut self) -> Ended {
        let mut problems = Vec::new();
        ports::withdraw(&self.data_dir);
        let _ = self.feed_stop.send(true);
        self.tasks.ask_to_stop();
        let sequence = self.sequence.take();
        let writer = self.writer.take();
        let desks = Arc::clone(&self.desks);
        let agents: Vec<String> = desks.keys().cloned().collect();
        // Held to the end, with its lock: the witness's files lie under it.
        let own_log = desks.get(start::MISSION_CONTROL).map(|desk| Arc::clone(&desk.log));
        let joined = tokio::task::spawn_blocking(move || {
            let end = sequence.and_then(|thread| thread.join().ok());
            let recorded = end.as_ref().and_then(|end| end.as_ref().ok().copied().flatten());
            let ended = writer.is_none_or(|thread| thread.join().is_ok());
            // Side by side: each waits for the disk, for its last records and their checkpoint.
            let close = |desk: &Desk| {
                desk.log.append(records::agent_stop("asked to stop", recorded.as_ref(), clock::wall())).unwaited();
                desk.log.close()
            };
            let unwritten: Vec<String> = std::thread::scope(|scope| {
                let closing: Vec<_> =
                    desks.iter().map(|(name, desk)| (name, scope.spawn(move || close(desk)))).collect();
                let ended = closing.into_iter().filter_map(|(name, thread)| Some((name, thread.join().ok()?.err()?)));
                ended.map(|(name, error)| format!("log of {name}: {error}")).collect()
            });
            drop(desks);
            (end, ended, unwritten)
        });
        let mut recording = None;
        match joined.await {
            Ok((end, ended, unwritten)) => {
                problems.extend(unwritten);
                if !ended {
                    problems.push("the writer ended in a panic".to_owned());
                }
                match end {
                    Some(Ok(Some(end))) => recording = Some((self.recording.clone(), end.sha256)),
                    Some(Ok(None)) => {}
                    Some(Err(error)) => problems.push(chain(&error)),
                    None => problems.push("the sequence ended in a panic".to_owned()),
                }
                self.desks = Arc::new(Desks::new());
            }
            Err(_) => problems.push("the end was cut off".to_owned()),
        }
        problems.extend(
            self.tasks.shutdown(END_WITHIN).await.into_iter().map(|left| format!("{} did not end in time", left.name)),
        );
        problems.extend(last_look(self.hub, self.data_dir, agents, self.witnesses).await.err());
        drop(own_log);
        self.market.stop().await;
        // Every log is closed: what is still on its way to the watcher are the last lines.
        if let Some(printed) = self.printed.take() {
            printed.waited().await;
        }
        Ended { recording, problems }
    }
}

/// The witness of every agent's log, our own among them.
fn witness(
    hub: &Arc<Hub>,
    data_dir: &Path,
    desks: &Desks,
    boards: &BTreeMap<String, Arc<StatusBoard>>,
    outside: Vec<Pinned>,
    redactor: &Arc<agenttrader_audit::redact::Redactor>,
) -> Result<Option<Witness>, FloorError> {
    let Some(desk) = desks.get(start::MISSION_CONTROL) else { return Ok(None) };
    let own = boards.get(start::MISSION_CONTROL).and_then(|board| board.log().cloned());
    let settings = WitnessSettings {
        data_dir: data_dir.to_owned(),
        own: own.into_iter().map(|log| (start::MISSION_CONTROL.to_owned(), log)).collect(),
        outside,
        tell: told_to(&desk.log, redactor),
    };
    Ok(Some(Witness::open(hub, settings)?))
}

/// The witness's last look, at logs that are closed. What it finds stands on disk, and is told at the next start.
async fn last_look(hub: Arc<Hub>, data_dir: PathBuf, agents: Vec<String>, outside: Vec<Pinned>) -> Result<(), String> {
    let opened = tokio::task::spawn_blocking(move || {
        let served = |name: String| (name.clone(), ServedLog::of_agent(&data_dir, &name));
        let own = agents.into_iter().map(served).collect();
        Witness::open(&hub, WitnessSettings { data_dir: data_dir.clone(), own, outside, tell: Box::new(|_| {}) })
    });
    match opened.await {
        Ok(Ok(witness)) => {
            let looked = tokio::time::timeout(LAST_LOOK_WITHIN, witness.last_look()).await;
            looked.map_err(|_| "the witness's last look was cut off".to_owned())
        }
        Ok(Err(error)) => Err(format!("the witness's last look: {}", chain(&error))),
        Err(_) => Err("the witness's last look was cut off".to_owned()),
    }
}

/// Whether the venue runs so fast that a usual delay, in venue time, uses up what the age limit leaves over the cadence.
fn too_fast(market: &Market, max_age: Span) -> Option<String> {
    let cadence = market.cadence().unwrap_or(Span::ZERO);
    let room = Span::from_nanos(max_age.max(cadence.doubled()).nanos().saturating_sub(cadence.nanos()));
    let most = room.as_seconds_f64() / DELAY_USUAL.as_secs_f64();
    (market.speed() > most).then(|| {
        format!(
            "at speed {} a delay of {} ms is {} s of venue time, as much as market data may be late: expect it to be stale at times; \
             up to {most:.0} leaves room, or set MARKETDATA_MAX_AGE_SECONDS",
            market.speed(),
            DELAY_USUAL.as_millis(),
            (market.speed() * DELAY_USUAL.as_secs_f64()).round(),
        )
    })
}

fn probe(build: &Build, trust_root: &TrustRoot) -> Run {
    let (build, trust_root) = (build.clone(), trust_root.clone());
    Run { recording_id: uuid::Uuid::nil(), build, trust_root, log_last_time: UnixNanos::EPOCH }
}

fn agents_file(configs: Option<&Path>) -> Result<String, FloorError> {
    let Some(folder) = configs else { return Ok(DEFAULT_AGENTS.to_owned()) };
    let path = folder.join("agents").join("agents.yaml");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(DEFAULT_AGENTS.to_owned()),
        Err(source) => Err(FloorError::Io { path, source }),
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, FloorError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(FloorError::Thread)
}

/// Fills counted by strategy, for the readings.
#[derive(Debug, Default)]
struct FillCounts(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl FillCounts {
    fn count(&self, record: &Record) {
        let strategy = record.intent_payload.pointer("/fill/strategy_name").and_then(serde_json::Value::as_str);
        if let (IntentType::Fill, Some(strategy), Ok(mut counts)) = (record.intent_type, strategy, self.0.lock()) {
            counts.entry(strategy.to_owned()).or_default().fetch_add(1, Ordering::Relaxed);
        }
    }

    fn of(&self, strategy: &str) -> u64 {
        self.0
            .lock()
            .ok()
            .and_then(|counts| counts.get(strategy).map(|count| count.load(Ordering::Relaxed)))
            .unwrap_or(0)
    }
}

/// Folds what earlier runs left in the journals into the view, then each durable record, until every log is closed. A record
/// that is met in both is folded once. Whoever watches is told on another thread, and holds up nothing here.
fn fold(
    durable: mpsc::Receiver<Arc<Record>>,
    mut earlier: Journals,
    hub: Arc<Hub>,
    fills: Arc<FillCounts>,
    watch: Watch,
) -> Result<Printed, FloorError> {
    let (printer, printed) = Printer::start(watch, terminal::not_shown)?;
    let _ = spawn("view", move || {
        earlier.catch_up(&hub);
        drop(earlier);
        for record in durable {
            fills.count(&record);
            hub.fold(&record);
            printer.hand_in(record);
        }
    })?;
    Ok(printed)
}

/// Takes readings for mission control, as the gate's agent stands.
fn readings(
    hub: Arc<Hub>,
    desks: Arc<Desks>,
    gate_agent: String,
    mode: AgentMode,
    fills: Arc<FillCounts>,
) -> Box<dyn FnMut(&Readable<'_>) + Send> {
    Box::new(move |readable: &Readable<'_>| {
        let Some(desk) = desks.get(&gate_agent) else { return };
        let build = readable.engine.run().build.clone();
        // Of the floor as a whole: whether strategies may run follows from their mode.
        let identity = Identity {
            repo_id: REPO_ID.to_owned(),
            agent: AgentIdentity {
                agent_name: gate_agent.clone(),
                agent_role: agenttrader_core::identity::AgentRole::Ops,
                agent_mode: mode,
            },
            build: build.clone(),
            build_shown: build,
            mode_problem: None,
        };
        let status = snapshot(&identity, &desk.log, &readable.common);
        for reading in crate::readings::all(readable, &status, &|strategy| fills.of(strategy)) {
            hub.read(reading);
        }
    })
}
