//! One agent in a process of its own: the same sequence, recording and log as in a floor, and nobody judges.

use crate::begin::{head, make_folder, open_desk, recording_path, served, start_record, told_to};
use crate::configuration::{RunSettings, agent_timeout, effective};
use crate::engine::{Engine, Judging, Run};
use crate::error::FloorError;
use crate::inlet::inlet;
use crate::live::{self, Beginning, LiveError, Seated};
use crate::market::{Market, MarketChoice, follow};
use crate::ports::{Service, bind};
use crate::printer::{Printed, Printer};
use crate::records::{self, Outgoing, RecordingEnd};
use crate::run::{Ended, Watch};
use crate::secrets::redactor;
use crate::status::{Common, snapshot};
use crate::switch_watch;
use crate::terminal;
use crate::writer::{self, Desks};
use agenttrader_agent::clock;
use agenttrader_agent::entropy;
use agenttrader_agent::guard::Hosts;
use agenttrader_agent::health::{self, StatusBoard};
use agenttrader_agent::marketdata_health::{http_client, poll_health};
use agenttrader_agent::snapshot::Snapshot;
use agenttrader_agent::start::{self, Identity};
use agenttrader_agent::tasks::Tasks;
use agenttrader_audit::log::Log;
use agenttrader_audit::record::Record;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::error_chain::chain;
use agenttrader_core::identity::AgentRole;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_mission_control::access::BindPolicy;
use agenttrader_mission_control::api;
use agenttrader_mission_control::hub::Hub;
use agenttrader_mission_control::inventory::Inventory;
use agenttrader_mission_control::journals;
use agenttrader_mission_control::poll::{self, Cadence};
use agenttrader_mission_control::witness::outside::Pinned;
use agenttrader_mission_control::witness::{Witness, WitnessSettings};
use agenttrader_safety::kill_switch::{KillSwitch, Reading};
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::input::{Fact, HealthFact};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::{self, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest wait for tasks at the end.
const END_WITHIN: Duration = Duration::from_millis(1_200);

/// Between two questions for the health of marketdata.
const HEALTH_EVERY: Duration = Duration::from_secs(1);

/// Base of the ports where a venue on this machine is looked for when our own are free ones.
const PORT_BASE: u16 = 8080;

/// How an agent is run alone.
#[derive(Clone, Debug)]
pub struct AloneSettings {
    /// Who it is.
    pub identity: Identity,
    /// Everything it writes goes there.
    pub data_dir: PathBuf,
    /// Address to listen on.
    pub bind: IpAddr,
    /// First port of a floor; 0: a free one.
    pub port_base: u16,
    /// What shapes the steps.
    pub run: RunSettings,
    /// Underlyings to follow, if named.
    pub symbols: Option<Vec<Symbol>>,
    /// Names under which it answers, beside those of loopback.
    pub hosts: Hosts,
}

/// An agent that runs alone.
pub struct Alone {
    address: Option<SocketAddr>,
    tasks: Tasks,
    feed_stop: tokio::sync::watch::Sender<bool>,
    sequence: Option<JoinHandle<Result<Option<RecordingEnd>, LiveError>>>,
    writer: Option<JoinHandle<()>>,
    log: Arc<Log>,
    recording: PathBuf,
    printed: Printed,
}

/// The port of an agent: its own in a floor, by name, else by role.
fn service_of(identity: &Identity) -> Service {
    match (identity.agent.agent_name.as_str(), identity.agent.agent_role) {
        (start::WHALE, _) => Service::Whale,
        (_, AgentRole::StrategyEval) => Service::Gamma,
        (_, AgentRole::Execution) => Service::Gate,
        (_, AgentRole::Ops) => Service::MissionControl,
        (_, AgentRole::Marketdata | AgentRole::Ingest) => Service::Marketdata,
    }
}

impl Alone {
    /// Starts an agent that follows the market: marketdata without strategies, or strategies that nobody judges.
    ///
    /// # Errors
    /// [`FloorError`]; nothing runs then.
    pub async fn start(settings: AloneSettings, watch: Watch) -> Result<Self, FloorError> {
        let AloneSettings { identity, data_dir, bind: bind_to, port_base, mut run, symbols, hosts } = settings;
        let name = identity.agent.agent_name.clone();
        // Where no venue is named, a simulator on this machine is looked for at its usual port.
        let base = if port_base == 0 { PORT_BASE } else { port_base };
        let venue = SocketAddr::new(bind_to, base.saturating_add(Service::Venue.offset()));
        run.environment.entry("APCA_API_BASE_URL".to_owned()).or_insert_with(|| format!("http://{venue}"));
        let market = Market::open(MarketChoice::Elsewhere, &data_dir, &run.environment, None, symbols).await?;
        let mut configuration = effective(&run, market.symbols())?;
        for seat in &mut configuration.strategies {
            seat.agent_name.clone_from(&name);
        }
        // Nobody judges here: the empty name says so to a replay.
        configuration.gate_agent_name = String::new();
        let wall = clock::wall();
        let recording_id = entropy::random_id()?;
        let probe = Run {
            recording_id,
            build: identity.build.clone(),
            trust_root: TrustRoot::draft(),
            log_last_time: UnixNanos::EPOCH,
        };
        drop(Engine::new(&configuration, probe, Judging::Nobody)?);
        let listener = bind(service_of(&identity), bind_to, port_base).await?;
        let address = listener.local_addr().ok();
        make_folder(data_dir.join("recordings"))?;

        let tasks = Tasks::new();
        let redactor = redactor(&run.environment);
        let (inlet, inputs) = inlet(Arc::clone(&redactor));
        let (watcher, durable) = mpsc::channel::<Arc<Record>>();
        let desk = open_desk(&data_dir, &identity, &inlet.facts, Some(watcher), &redactor)?;
        let (printer, printed) = Printer::start(watch, terminal::not_shown)?;
        std::thread::Builder::new()
            .name("durable".to_owned())
            .spawn(move || durable.into_iter().for_each(|record| printer.hand_in(record)))
            .map_err(FloorError::Thread)?;
        let board = Arc::new(StatusBoard::new(name.clone()).with_log(served(&data_dir, &desk.log, &name)));
        let first = start_record(&desk, &identity, wall);
        let log = Arc::clone(&desk.log);
        let log_last_time = desk.log.opened().last_time.unwrap_or(UnixNanos::EPOCH);
        let mut desks = Desks::new();
        desks.insert(name.clone(), desk);
        let mut head =
            head(recording_id, wall, (&identity.build, &TrustRoot::draft()), &configuration, &desks, &market);
        head.log_last_time = Some(log_last_time).filter(|time| *time != UnixNanos::EPOCH);
        let recording = recording_path(&data_dir, wall, recording_id);
        let (outgoing, records) = mpsc::sync_channel::<Vec<Outgoing>>(live::WRITER_WAITING);
        let _ = outgoing.send(vec![first]);
        let writer = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn({
                let claims = switch_watch::claim(&data_dir);
                let redactor = Arc::clone(&redactor);
                move || writer::run(&desks, &records, &claims, &redactor)
            })
            .map_err(FloorError::Thread)?;
        let told = Fact::Log { agent_name: name.clone(), health: LogHealth::Writable };
        let _ = inlet.facts.try_send(told);
        // Nobody judges here, so nobody is believed either.
        let trust_root = TrustRoot::draft();
        let run_of = Run { recording_id, build: identity.build.clone(), trust_root, log_last_time };
        let is_strategy = identity.agent.agent_role == AgentRole::StrategyEval;
        let beginning = Beginning {
            configuration,
            head,
            recording: recording.clone(),
            run: run_of,
            judging: Judging::Nobody,
            agents: vec![Seated { identity, log: Arc::clone(&log), board: Arc::clone(&board) }],
            marketdata: name.clone(),
            readings: Box::new(|_| {}),
        };
        let stop = tasks.stop();
        let sequence = std::thread::Builder::new()
            .name("sequence".to_owned())
            .spawn(move || live::run(beginning, &inputs, outgoing, &stop))
            .map_err(FloorError::Thread)?;
        let switch = KillSwitch::new(switch_watch::sources(&data_dir, &run.environment));
        let switch_facts = inlet.facts.clone();
        tasks
            .spawn_thread("kill switch", move |stop| switch_watch::run(&switch, &switch_facts, &stop))
            .map_err(FloorError::Thread)?;
        if is_strategy {
            tasks.spawn("marketdata health", watch_health(run.environment.clone(), inlet.facts.clone(), tasks.stop()));
        }
        let (feed_stop, feed_stops) = tokio::sync::watch::channel(false);
        let feed_end = Arc::new(Mutex::new(None));
        let feed = market.feed(&name, &run.environment)?;
        tasks.spawn("feed", follow(feed, inlet, redactor, feed_stops, feed_end));
        let stop = tasks.stop();
        let router = health::router(board, hosts);
        tasks.spawn("health", async move {
            let _ = health::serve(listener, router, stop).await;
        });
        Ok(Self { address, tasks, feed_stop, sequence: Some(sequence), writer: Some(writer), log, recording, printed })
    }

    /// Where its health endpoints are.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Until a part of it fails by itself; tells which.
    pub async fn failure(&self) -> String {
        self.tasks.failure().await
    }

    /// Ends it in order.
    pub async fn stop(mut self) -> Ended {
        let _ = self.feed_stop.send(true);
        self.tasks.ask_to_stop();
        let (sequence, writer, log) = (self.sequence.take(), self.writer.take(), Arc::clone(&self.log));
        let mut problems = Vec::new();
        let joined = tokio::task::spawn_blocking(move || {
            let end = sequence.and_then(|thread| thread.join().ok());
            let _ = writer.map(JoinHandle::join);
            let recorded = end.as_ref().and_then(|end| end.as_ref().ok().copied().flatten());
            log.append(records::agent_stop("asked to stop", recorded.as_ref(), clock::wall())).unwaited();
            (end, log.close())
        });
        let mut recording = None;
        match joined.await {
            Ok((end, closed)) => {
                problems.extend(closed.err().map(|error| error.to_string()));
                match end {
                    Some(Ok(end)) => recording = end.map(|end| (self.recording.clone(), end.sha256)),
                    Some(Err(error)) => problems.push(chain(&error)),
                    None => problems.push("the sequence ended in a panic".to_owned()),
                }
            }
            Err(_) => problems.push("the end was cut off".to_owned()),
        }
        problems.extend(
            self.tasks.shutdown(END_WITHIN).await.into_iter().map(|left| format!("{} did not end in time", left.name)),
        );
        self.printed.waited().await;
        Ended { recording, problems }
    }
}

/// Asks marketdata for its health each second; each change of the answer is an input.
async fn watch_health(
    environment: BTreeMap<String, String>,
    facts: SyncSender<Fact>,
    mut stop: agenttrader_agent::tasks::Stop,
) {
    let number = |name: &str, default: u64| environment.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let url =
        environment.get("MARKETDATA_HEALTH_URL").cloned().unwrap_or_else(|| "http://127.0.0.1:8081/healthz".to_owned());
    let limit =
        Span::from_seconds(i64::try_from(number("MARKETDATA_MAX_AGE_SECONDS", 30).clamp(1, 3600)).unwrap_or(30));
    let timeout = Duration::from_secs(number("MARKETDATA_HEALTH_TIMEOUT_SECONDS", 2).clamp(1, 60));
    let Ok(client) = http_client() else { return };
    let mut last: Option<(bool, Option<String>)> = None;
    loop {
        let answer = poll_health(&client, &url, timeout, limit, start::MARKETDATA).await;
        let fact = match &answer {
            Ok(fresh) => HealthFact { fresh: true, age_ms: Some((fresh.age_seconds * 1000.0) as i64), reason: None },
            Err(reason) => HealthFact { fresh: false, age_ms: None, reason: Some(reason.to_string()) },
        };
        let said = (fact.fresh, fact.reason.clone());
        if last.as_ref() != Some(&said) {
            let _ = facts.try_send(Fact::Health(fact));
            last = Some(said);
        }
        if tokio::time::timeout(HEALTH_EVERY, stop.wait()).await.is_ok() {
            return;
        }
    }
}

/// What mission control says of itself where no sequence runs.
fn beat_of(identity: &Identity, log: &Log, switch: (&Reading, UnixNanos), wall: UnixNanos) -> Snapshot {
    let max_age = Span::from_seconds(30);
    snapshot(
        identity,
        log,
        &Common {
            engine: None,
            switch: Some(switch),
            wall,
            speed: 1.0,
            recording_problem: None,
            feed_ended: false,
            max_age,
        },
    )
}

/// How mission control is run alone.
#[derive(Clone, Debug)]
pub struct MissionControlSettings {
    /// Who it is.
    pub identity: Identity,
    /// Whose logs it reads, and where its own goes.
    pub data_dir: PathBuf,
    /// Where it listens.
    pub port_base: u16,
    /// Who may read.
    pub access: BindPolicy,
    /// Which agents there are.
    pub inventory: Inventory,
    /// Seconds between two polls.
    pub poll_interval_seconds: Option<u32>,
    /// Outside witnesses that are sent every log's checkpoints.
    pub witnesses: Vec<Pinned>,
    /// Names under which it answers, beside those of loopback.
    pub hosts: Hosts,
    /// The environment, for the switch.
    pub environment: BTreeMap<String, String>,
}

/// Mission control alone.
pub struct AloneMissionControl {
    address: Option<SocketAddr>,
    tasks: Tasks,
    log: Arc<Log>,
}

impl AloneMissionControl {
    /// Starts it: it polls the inventory and follows the journals of its data directory.
    ///
    /// # Errors
    /// [`FloorError`]; nothing runs then.
    pub async fn start(settings: MissionControlSettings) -> Result<Self, FloorError> {
        let MissionControlSettings {
            identity,
            data_dir,
            port_base,
            access,
            inventory,
            poll_interval_seconds,
            witnesses,
            hosts,
            environment,
        } = settings;
        let bind_to = access.bind;
        let access = access.access()?;
        let listener = bind(Service::MissionControl, bind_to, port_base).await?;
        let address = listener.local_addr().ok();
        let tasks = Tasks::new();
        // No sequence runs here: what would be its inputs is not asked for.
        let (facts, _) = sync_channel(1);
        let redactor = redactor(&environment);
        let desk = open_desk(&data_dir, &identity, &facts, None, &redactor)?;
        desk.log.append(start_record(&desk, &identity, clock::wall()).entry).unwaited();
        let log = Arc::clone(&desk.log);
        let hub = Hub::new(
            inventory,
            Cadence::CLUSTER.with(poll_interval_seconds, agent_timeout(&environment)?),
            tasks.stop(),
        );
        let reader = Arc::clone(&hub);
        let folder = data_dir.clone();
        tasks
            .spawn_thread("journals", move |stop| journals::follow(&reader, &folder, &stop))
            .map_err(FloorError::Thread)?;
        let poller = Arc::clone(&hub);
        let stop = tasks.stop();
        tasks.spawn("poller", async move {
            let _ = poll::poll(poller, stop).await;
        });
        let board = StatusBoard::new(identity.agent.agent_name.clone());
        let own = served(&data_dir, &log, &identity.agent.agent_name);
        let board = Arc::new(board.with_log(own.clone()));
        let witness_settings = WitnessSettings {
            data_dir: data_dir.clone(),
            own: BTreeMap::from([(identity.agent.agent_name.clone(), own)]),
            outside: witnesses,
            tell: told_to(&log, &redactor),
        };
        let witness = Witness::open(&hub, witness_settings)?;
        tasks.spawn("witness", witness.run(tasks.stop()));
        let switch = KillSwitch::new(switch_watch::sources(&data_dir, &environment));
        let beat = (Arc::clone(&board), Arc::clone(&log), tasks.stop());
        tasks.spawn("heartbeat", async move {
            let (board, log, mut stop) = beat;
            let read = || {
                let Reading { halted, source } = switch.read();
                Reading { halted, source: redactor.redact_cut_text(&source).into_owned() }
            };
            let mut since = (read(), clock::wall());
            loop {
                let wall = clock::wall();
                let reading = read();
                if reading != since.0 {
                    since = (reading, wall);
                }
                board.publish(beat_of(&identity, &log, (&since.0, since.1), wall));
                if tokio::time::timeout(Duration::from_secs(1), stop.wait()).await.is_ok() {
                    return;
                }
            }
        });
        let stop = tasks.stop();
        let router = api::router(hub, board, access, hosts);
        tasks.spawn("mission control", async move {
            let _ = api::serve(listener, router, stop).await;
        });
        Ok(Self { address, tasks, log })
    }

    /// Where it listens.
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Until a part of it fails by itself; tells which.
    pub async fn failure(&self) -> String {
        self.tasks.failure().await
    }

    /// Ends it in order.
    pub async fn stop(self) -> Ended {
        let left = self.tasks.shutdown(END_WITHIN).await;
        let mut problems: Vec<String> =
            left.into_iter().map(|left| format!("{} did not end in time", left.name)).collect();
        self.log.append(records::agent_stop("asked to stop", None, clock::wall())).unwaited();
        problems.extend(self.log.close().err().map(|error| error.to_string()));
        Ended { recording: None, problems }
    }
}
