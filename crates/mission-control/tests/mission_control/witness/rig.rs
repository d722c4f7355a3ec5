//! An agent's endpoint over a folder, and a mission control that follows it and can be started again.

use super::logs::{AGENT, LogMaker};
use crate::given::{get, read};
use agenttrader_agent::guard::Hosts;
use agenttrader_agent::health::{self, StatusBoard};
use agenttrader_agent::served_log::ServedLog;
use agenttrader_agent::snapshot::{Market, Snapshot};
use agenttrader_agent::start::Identity;
use agenttrader_agent::status::{Audit, KillSwitch, Safety};
use agenttrader_agent::tasks::Tasks;
use agenttrader_agent::unwritable::{Unwritable, Written};
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::log::origin;
use agenttrader_audit::note::VerifierKey;
use agenttrader_audit::record::Entry;
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_mission_control::access::BindPolicy;
use agenttrader_mission_control::api;
use agenttrader_mission_control::hub::Hub;
use agenttrader_mission_control::inventory::Inventory;
use agenttrader_mission_control::poll::{Cadence, poll};
use agenttrader_mission_control::witness::outside::Pinned;
use agenttrader_mission_control::witness::{Witness, WitnessSettings};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// An agent that answers is waited for as long as any busy machine takes.
const CADENCE: Cadence = Cadence { interval: Duration::from_millis(50), timeout: Duration::from_secs(20) };

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    data_dir: TempDir,
    agent_dir: TempDir,
    maker: LogMaker,
    board: Arc<StatusBoard>,
    address: SocketAddr,
    hanging: Arc<AtomicBool>,
    agent: Tasks,
    running: Option<(Tasks, Router)>,
    told: Arc<Mutex<Vec<Entry>>>,
    outside: Vec<Pinned>,
    cadence: Cadence,
}

fn snapshot(tree_size: u64, writable: bool) -> Snapshot {
    let build = Build { git_sha: "0".repeat(40), build_id: "1".to_owned() };
    let agent = AgentIdentity {
        agent_name: AGENT.to_owned(),
        agent_role: AgentRole::StrategyEval,
        agent_mode: AgentMode::Observe,
    };
    Snapshot {
        identity: Identity {
            repo_id: REPO_ID.to_owned(),
            agent,
            build: build.clone(),
            build_shown: build,
            mode_problem: None,
        },
        published: agenttrader_agent::clock::wall(),
        heartbeat_ttl_seconds: 3_600,
        speed: 1.0,
        market: Market {
            is_open: false,
            last_tick: None,
            last_bar: None,
            age: None,
            max_age_seconds: 30,
            forced_stale: false,
        },
        safety: Safety {
            kill_switch: KillSwitch { halted: true, source: Some("file".to_owned()), since_utc: None },
            safe_to_run_strategies: false,
            safe_to_execute_orders: false,
            gating_reasons: if writable { vec![] } else { vec!["AUDIT_UNAVAILABLE".to_owned()] },
        },
        audit: Audit { origin: origin(REPO_ID, AGENT), tree_size, root_hash: None, checkpoint_utc: None },
        unwritable: if writable {
            vec![]
        } else {
            vec![Unwritable::new(Written::Log, "No space left on device (os error 28)")]
        },
        execution_enabled: false,
        not_ready: Vec::new(),
    }
}

impl Rig {
    /// An agent that answers, and no mission control yet.
    pub async fn new() -> Self {
        let (data_dir, agent_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let hanging = Arc::new(AtomicBool::new(false));
        let board = StatusBoard::new(AGENT).with_log(ServedLog::of_agent(agent_dir.path(), AGENT));
        let board = Arc::new(board);
        board.publish(snapshot(0, true));
        let agent = Tasks::new();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::clone(&hanging);
        let routes = health::router(Arc::clone(&board), Hosts::default());
        let router = routes.layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                let hangs = held.load(Ordering::SeqCst) && request.uri().path().starts_with("/audit/");
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    next.run(request).await
                }
            },
        ));
        let stop = agent.stop();
        agent.spawn("agent", async move { health::serve(listener, router, stop).await.unwrap() });
        let rig = Self {
            data_dir,
            agent_dir,
            maker: LogMaker::with_key(1),
            board,
            address,
            hanging,
            agent,
            running: None,
            told: Arc::default(),
            outside: Vec::new(),
            cadence: CADENCE,
        };
        rig.list_key(&rig.maker);
        rig
    }

    pub fn with_outside(mut self, pinned: impl IntoIterator<Item = Pinned>) -> Self {
        self.outside.extend(pinned);
        self
    }

    /// Waits no longer than that for an agent.
    pub fn impatient(mut self, timeout: Duration) -> Self {
        self.cadence.timeout = timeout;
        self
    }

    pub const fn maker(&self) -> &LogMaker {
        &self.maker
    }

    pub fn agent_dir(&self) -> &Path {
        self.agent_dir.path()
    }

    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    pub const fn patience(&self) -> Duration {
        PATIENCE
    }

    /// The witness's own files.
    pub fn state(&self) -> PathBuf {
        self.data_dir.path().join("audit-state").join("mission-control")
    }

    /// Lists a log's public key, in the place of what was listed.
    pub fn list_key(&self, maker: &LogMaker) {
        self.list_keys(&[maker]);
    }

    /// Lists the public keys of logs, in the place of what was listed.
    pub fn list_keys(&self, makers: &[&LogMaker]) {
        let keys = self.data_dir.path().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let public = |maker: &LogMaker| STANDARD.encode(maker.vkey().public_key().to_bytes());
        let of = |maker: &&LogMaker| (maker.agent(), json!({"log": public(maker), "sign": public(maker)}));
        let listed: BTreeMap<_, _> = makers.iter().map(of).collect();
        let beside = keys.join("agents.json.new");
        std::fs::write(&beside, json!(listed).to_string()).unwrap();
        std::fs::rename(beside, keys.join("agents.json")).unwrap();
    }

    /// Lets the log's endpoints hang.
    pub fn hang(&self, hangs: bool) {
        self.hanging.store(hangs, Ordering::SeqCst);
    }

    /// What the agent's status says of its log from now on.
    pub fn say(&self, tree_size: u64, writable: bool) {
        self.board.publish(snapshot(tree_size, writable));
    }

    fn hub(&self, tasks: &Tasks) -> Arc<Hub> {
        let inventory = format!(
            "agents:\n  - agent_name: {AGENT}\n    service_dns: {}\n    kind: strategy\n    expected_endpoints: [/ops/status]\n    criticality: important\n",
            self.address
        );
        Hub::new(Inventory::parse(&inventory).unwrap(), self.cadence, tasks.stop())
    }

    fn settings(&self, tell: impl Fn(Entry) + Send + Sync + 'static) -> WitnessSettings {
        WitnessSettings {
            data_dir: self.data_dir.path().to_owned(),
            own: BTreeMap::new(),
            outside: self.outside.clone(),
            tell: Box::new(tell),
        }
    }

    /// The look that is had at every log once nothing can be recorded any more.
    pub async fn last_look(&self) {
        let hub = self.hub(&Tasks::new());
        Witness::open(&hub, self.settings(drop)).unwrap().last_look().await;
    }

    /// Starts mission control.
    pub async fn start(&mut self) {
        let tasks = Tasks::new();
        let hub = self.hub(&tasks);
        let told = Arc::clone(&self.told);
        let before = self.records().len();
        let witness = Witness::open(&hub, self.settings(move |entry| told.lock().unwrap().push(entry))).unwrap();
        assert_eq!(self.records().len(), before, "nothing is told before it runs: its own start is the first record");
        tasks.spawn("witness", witness.run(tasks.stop()));
        let (poller, stop) = (Arc::clone(&hub), tasks.stop());
        tasks.spawn("poller", async move { poll(poller, stop).await.unwrap() });
        let policy = BindPolicy { bind: "127.0.0.1".parse().unwrap(), token: None, trusted_proxies: vec![] };
        let board = Arc::new(StatusBoard::new("mission-control"));
        let router = api::router(hub, board, policy.access().unwrap(), Hosts::default());
        self.running = Some((tasks, router));
    }

    pub async fn stop(&mut self) {
        if let Some((tasks, _)) = self.running.take() {
            assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, []);
        }
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    async fn get(&self, target: &str) -> Value {
        let router = self.running.as_ref().unwrap().1.clone();
        read(router.oneshot(get(target)).await.unwrap()).await.2
    }

    pub async fn audit(&self) -> Value {
        self.get("/api/v1/audit").await
    }

    pub async fn safety(&self) -> Value {
        self.get("/api/v1/safety").await
    }

    /// What is told of the log once it is as wanted.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until_of(AGENT, what, wanted).await
    }

    /// What is told of an agent's log once it is as wanted; null where there is none.
    pub async fn until_of(&self, agent_name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let audit = self.audit().await;
            let mut logs = audit["logs"].as_array().into_iter().flatten();
            let log = logs.find(|log| log["agent_name"] == agent_name).cloned().unwrap_or_default();
            if wanted(&log) {
                return log;
            }
            assert!(started.elapsed() < PATIENCE, "{what}: {log:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn until_code(&self, code: &str) -> Value {
        let has =
            |log: &Value| log["findings"].as_array().is_some_and(|found| found.iter().any(|one| one["code"] == code));
        self.until(code, has).await
    }

    /// The records of mission control so far.
    pub fn records(&self) -> Vec<Entry> {
        self.told.lock().unwrap().clone()
    }

    /// Those of a change of what is raised.
    pub fn told(&self) -> Vec<Entry> {
        self.records().into_iter().filter(|entry| entry.intent_payload.get("findings").is_some()).collect()
    }

    /// Those of a log that is followed from there on: so many entries.
    pub fn begun(&self) -> Vec<u64> {
        self.records().iter().filter_map(|entry| entry.intent_payload["held_since"]["size"].as_u64()).collect()
    }

    /// Those of a key that the witness uses from then on.
    pub fn keys_told(&self) -> Vec<String> {
        let vkey = |entry: &Entry| entry.intent_payload["witness"]["vkey"].as_str().map(str::to_owned);
        self.records().iter().filter_map(vkey).collect()
    }

    /// Checks the cosigned checkpoint that is kept: its size, and that exactly the log and these witnesses signed it.
    pub fn cosigned(&self, size: u64, witnesses: &[&str]) {
        let bytes = std::fs::read(self.state().join("cosigned").join(AGENT)).unwrap();
        let kept = SignedCheckpoint::parse(&bytes).unwrap();
        let keys: Vec<VerifierKey> = witnesses.iter().map(|vkey| VerifierKey::parse(vkey).unwrap()).collect();
        assert_eq!(kept.verify(&self.maker.vkey()).unwrap().size, size);
        kept.knows_all(&self.maker.vkey(), &keys).unwrap();
        for key in &keys {
            kept.note().signed_by(key).unwrap();
        }
        assert_eq!(kept.note().signatures().len(), 1 + keys.len());
    }

    /// Entries of the checkpoint that the witness holds.
    pub fn kept_size(&self) -> u64 {
        let bytes = std::fs::read(self.state().join("witness").join(AGENT)).unwrap();
        SignedCheckpoint::parse(&bytes).unwrap().checkpoint.size
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.agent.ask_to_stop();
    }
}
