//! What a run begins with: identities, logs and keys, first records, the recording's head.

use crate::error::FloorError;
use crate::market::Market;
use crate::records::{self, Outgoing, digest_of};
use crate::writer::{Desk, Desks};
use agenttrader_agent::keys::{self, Keys};
use agenttrader_agent::served_log::ServedLog;
use agenttrader_agent::start::{self, Identity};
use agenttrader_audit::log::{self, Health, Log, Options};
use agenttrader_audit::record::{Entry, Record};
use agenttrader_audit::redact::Redactor;
use agenttrader_authority::trust_root::{AgentKeys, TrustRoot};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, AgentMode, Build, REPO_ID};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_mission_control::inventory::Inventory;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::head::{Head, Source, SourceKind};
use agenttrader_sequence::input::{Configuration, Fact};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

/// The identities of a floor's agents.
pub(crate) fn identities(mode: AgentMode, build: &Build, environment: &BTreeMap<String, String>) -> Vec<Identity> {
    let shown =
        |name: &str, compiled: &str| environment.get(name).map_or(compiled, String::as_str).chars().take(128).collect();
    let build_shown = Build { git_sha: shown("GIT_SHA", &build.git_sha), build_id: shown("BUILD_ID", &build.build_id) };
    let mode_problem = environment.get("AGENT_MODE").and_then(|value| start::mode(Some(value)).1);
    let of = |agent: AgentIdentity| {
        let is_strategy = agent.agent_role == agenttrader_core::identity::AgentRole::StrategyEval;
        let agent_mode = if is_strategy { mode } else { agent.agent_mode };
        Identity {
            repo_id: REPO_ID.to_owned(),
            agent: AgentIdentity { agent_mode, ..agent },
            build: build.clone(),
            build_shown: build_shown.clone(),
            // The mode is the strategies' alone, and so is what was wrong with it.
            mode_problem: mode_problem.clone().filter(|_| is_strategy),
        }
    };
    start::floor_identities().into_iter().map(of).collect()
}

/// Opens an agent's log and keys. Its health becomes an input; its durable records go to `watcher`.
pub(crate) fn open_desk(
    data_dir: &Path,
    identity: &Identity,
    facts: &SyncSender<Fact>,
    watcher: Option<mpsc::Sender<Arc<Record>>>,
    redactor: &Arc<Redactor>,
) -> Result<Desk, FloorError> {
    let agent_name = identity.agent.agent_name.clone();
    let health_facts = facts.clone();
    let on_health_change = Box::new(move |health: Health| {
        let health = if health == Health::Writable { LogHealth::Writable } else { LogHealth::Unavailable };
        // The log's own thread must not wait. Without room the sequence is stuck and decides nothing; the status shows the log.
        let _ = health_facts.try_send(Fact::Log { agent_name: agent_name.clone(), health });
    });
    let redactor = Arc::clone(redactor);
    let options = Options { on_health_change: Some(on_health_change), watcher, redactor, ..Options::default() };
    let keys = Keys::open(data_dir, &identity.agent.agent_name)?;
    let signer = keys.log.note_signer(&log::origin(&identity.repo_id, &identity.agent.agent_name));
    let (agent, build) = (identity.agent.clone(), identity.build.clone());
    let log = Log::open_with(data_dir, agent, &identity.repo_id, build, signer, options)?;
    Ok(Desk { log: Arc::new(log), keys })
}

/// That the build takes no agent for a person: none that is watched, and none whose keys lie in the data directory. Asked once every
/// agent of the floor has its keys, before anything is judged.
pub(crate) fn trusts_no_agent(root: &TrustRoot, inventory: &Inventory, data_dir: &Path) -> Result<(), FloorError> {
    let watched =
        inventory.agents().iter().map(|agent| AgentKeys { agent: agent.agent_name.clone(), points: Vec::new() });
    let known = keys::agents(data_dir)?.into_iter().map(|(agent, public)| AgentKeys { agent, points: public.points() });
    Ok(root.trusts_none_of(&watched.chain(known).collect::<Vec<_>>())?)
}

/// An agent's log as its endpoints serve it: up to the last durable record when somebody asks.
pub(crate) fn served(data_dir: &Path, log: &Arc<Log>, agent_name: &str) -> ServedLog {
    let log = Arc::clone(log);
    ServedLog::of_agent(data_dir, agent_name).refreshed_by(move || {
        // Where none can be made the one that stands is served.
        let _ = log.checkpoint_now();
    })
}

/// Takes the witness's records for mission control's own log. They quote what others answered.
pub(crate) fn told_to(log: &Arc<Log>, redactor: &Arc<Redactor>) -> Box<dyn Fn(Entry) + Send + Sync> {
    let (log, redactor) = (Arc::clone(log), Arc::clone(redactor));
    Box::new(move |mut entry| {
        redactor.redact_value(&mut entry.intent_payload);
        log.append(entry).unwaited();
    })
}

/// The first record of an agent's run: who it is, its public keys, and what a crash left behind.
pub(crate) fn start_record(desk: &Desk, identity: &Identity, wall: UnixNanos) -> Outgoing {
    let mut entry = records::agent_start(
        json!({
            "agent_identity": identity.agent,
            "build": identity.build,
            "public_keys": desk.keys.public(),
            "torn": desk.log.opened().torn,
        }),
        wall,
    );
    if let Some(problem) = &identity.mode_problem {
        entry = entry.with_error(problem.clone());
    }
    Outgoing { agent_name: identity.agent.agent_name.clone(), entry, to_sign: None, waits: false }
}

/// Where a run's recording goes: named by its wall time and id.
pub(crate) fn recording_path(data_dir: &Path, wall: UnixNanos, id: uuid::Uuid) -> PathBuf {
    let stamp: String = wall
        .floor_to(Span::from_seconds(1))
        .to_string()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .collect();
    data_dir.join("recordings").join(format!("{stamp}-{id}.rec"))
}

pub(crate) fn make_folder(path: PathBuf) -> Result<PathBuf, FloorError> {
    std::fs::create_dir_all(&path).map_err(|source| FloorError::Io { path: path.clone(), source })?;
    Ok(path)
}

/// The head of a run's recording; its session date follows from the first reading of the clock.
pub(crate) fn head(
    recording_id: uuid::Uuid,
    wall: UnixNanos,
    (build, trust_root): (&Build, &TrustRoot),
    configuration: &Configuration,
    desks: &Desks,
    market: &Market,
) -> Head {
    let source = Source {
        kind: if market.is_playback() { SourceKind::Playback } else { SourceKind::Venue },
        name: market.name(),
    };
    let mut head = Head::flat(recording_id, wall, jiff::civil::Date::constant(1970, 1, 1), source);
    head.seed = market.seed();
    head.cadence = market.cadence();
    head.symbols = configuration.symbols.clone();
    head.build_digest = digest_of(build);
    head.strategies_digest = digest_of(&(
        &configuration.strategies,
        configuration.files.iter().filter(|file| file.name.starts_with("strategies/")).collect::<Vec<_>>(),
    ));
    head.rates_digest = configuration.file("rates.toml").map(|text| Digest::of(text.as_bytes()));
    head.build = Some(build.clone());
    head.trust_root_digest = Some(trust_root.digest());
    head.trust_root = Some(trust_root.text().clone());
    head.public_keys = desks.iter().map(|(name, desk)| (name.clone(), desk.keys.public().sign)).collect();
    head.log_last_time = desks.get(&configuration.gate_agent_name).and_then(|desk| desk.log.opened().last_time);
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_authority::trust_root::{AgentTrusted, SignersText};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const WATCHED: &str = "agents:\n  - agent_name: execution-agent\n    service_dns: execution-agent:8084\n    kind: execution\n    \
                           expected_endpoints: [/livez]\n    criticality: critical\n";

    /// A line of signers with this Ed25519 key.
    fn line(principal: &str, namespace: &str, point: &[u8; 32]) -> TrustRoot {
        let wire = [b"\0\0\0\x0bssh-ed25519\0\0\0\x20".as_slice(), point].concat();
        let allowed_signers = format!("{principal} namespaces=\"{namespace}\" ssh-ed25519 {}\n", STANDARD.encode(wire));
        TrustRoot::read(SignersText { allowed_signers, revoked_keys: String::new() }).unwrap()
    }

    #[test]
    fn a_build_that_takes_an_agent_for_a_person_by_name_or_key_starts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let inventory = Inventory::parse(WATCHED).unwrap();
        let gamma = Keys::open(dir.path(), start::GAMMA).unwrap();
        let judged = |root: &TrustRoot| trusts_no_agent(root, &inventory, dir.path());
        let (grant, a_key) = ("execution-grant@agenttrader", [1; 32]);
        for name in [start::GAMMA, "execution-agent", "Execution-Agent"] {
            let refused = judged(&line(name, grant, &a_key));
            assert!(matches!(refused, Err(FloorError::Trust(AgentTrusted::Name { .. }))), "{name}: {refused:?}");
        }
        for key in [&gamma.log, &gamma.sign] {
            let refused = judged(&line("olga", grant, &key.public_key().to_bytes()));
            assert!(matches!(refused, Err(FloorError::Trust(AgentTrusted::Key { .. }))), "{refused:?}");
        }
        for good in [line("olga", grant, &a_key), line(start::GAMMA, "git", &gamma.sign.public_key().to_bytes())] {
            assert!(judged(&good).is_ok());
        }
        // Agents whose keys cannot be read cannot be told from people.
        std::fs::write(dir.path().join("keys/agents.json"), "{").unwrap();
        assert!(matches!(judged(&line("olga", grant, &a_key)), Err(FloorError::Key(_))));
    }
}
