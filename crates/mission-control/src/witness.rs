//! The witness: follows every agent's log and the one that commands write to, checks that each checkpoint goes on from the last, cosigns it
//! (C2SP tlog-witness), raises what is wrong, and sends checkpoints to outside witnesses.
//!
//! On one machine it finds accidents and single logs that were damaged or rolled back. Whoever holds the whole machine can roll back the
//! witness too: against that only what lies elsewhere helps, which is what outside witnesses are for.

mod cosigned;
pub mod finding;
mod follower;
pub mod log_source;
pub mod outside;
pub mod seen;
mod shared;
pub mod standing;
pub mod store;

use crate::hub::Hub;
use agenttrader_agent::clock;
use agenttrader_agent::keys::{self, KeyError};
use agenttrader_agent::marketdata_health::http_client;
use agenttrader_agent::served_log::ServedLog;
use agenttrader_agent::start::GOVERNANCE_CLI;
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::log::origin;
use agenttrader_audit::note::{NoteSigner, VerifierKey};
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::identity::REPO_ID;
use agenttrader_core::time::UnixNanos;
use follower::{Follower, Tell};
use futures_util::future::{join, join_all};
use log_source::LogSource;
use outside::Pinned;
use seen::WitnessKey;
use serde_json::json;
use shared::Shared;
use standing::Standing;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Store, StoreError};

/// The name of mission control's key as a witness.
pub fn witness_name() -> String {
    format!("agenttrader/{REPO_ID}/witness")
}

/// How logs are followed.
pub struct WitnessSettings {
    /// Where keys and the witness's files lie.
    pub data_dir: PathBuf,
    /// Logs of this very process that are not asked for over the network, by agent: mission control's own.
    pub own: BTreeMap<String, ServedLog>,
    /// Outside witnesses.
    pub outside: Vec<Pinned>,
    /// Takes the record of each change, for mission control's own log.
    pub tell: Box<dyn Fn(Entry) + Send + Sync>,
}

/// Why no log can be followed.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The witness's key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The witness's files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No HTTP client can be made.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// Two outside witnesses of one name.
    #[error("the witness {name} is named twice")]
    Twice {
        /// The name.
        name: String,
    },
}

/// The witness, ready to follow logs.
pub struct Witness {
    followers: Vec<Follower>,
    outside: Vec<Pinned>,
    shared: Arc<Shared>,
    client: reqwest::Client,
    tell: Tell,
    new_key: Option<NewKey>,
}

impl Witness {
    /// Opens key and files, and raises again what stayed raised. Blocks.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn open(hub: &Arc<Hub>, settings: WitnessSettings) -> Result<Self, WitnessError> {
        let WitnessSettings { data_dir, own, outside, tell } = settings;
        let mut names = BTreeSet::new();
        if let Some(twice) = outside.iter().find(|pinned| !names.insert(pinned.key().name())) {
            return Err(WitnessError::Twice { name: twice.key().name().to_owned() });
        }
        let signer = Arc::new(keys::witness(&data_dir, &witness_name())?);
        let store = Store::open(&data_dir)?;
        let client = http_client().map_err(WitnessError::Client)?;
        let pinned = pinned_keys(&signer, &outside);
        store.put_witnesses(&pinned)?;
        let kept_since = store.key_since(&signer.verifier());
        let since_utc = kept_since.unwrap_or_else(clock::wall);
        let new_key = kept_since.is_none().then(|| NewKey { store: store.clone(), key: signer.verifier(), since_utc });
        hub.put_audit(|seen| {
            seen.witness = Some(WitnessKey::of(&signer.verifier()));
            seen.witness_since_utc = Some(since_utc);
            seen.outside = outside.iter().map(Pinned::unseen).collect();
        });
        let shared = Arc::new(Shared::new(Arc::clone(hub), store.clone()));
        let tell: Tell = Arc::from(tell);
        let timeout = hub.cadence().timeout;
        let mut sources = BTreeMap::new();
        for agent in hub.inventory().agents().iter().filter(|agent| agent.replicas > 0) {
            let source = match own.get(&agent.agent_name) {
                Some(log) => LogSource::here(log.clone(), client.clone(), timeout),
                None => LogSource::endpoint(agent.audit_url(), client.clone(), timeout),
            };
            sources.insert(agent.agent_name.clone(), source);
        }
        // Nobody serves it: it is read where it lies.
        let of_commands = ServedLog::of_agent(&data_dir, GOVERNANCE_CLI);
        let of_commands = LogSource::here(of_commands, client.clone(), timeout);
        sources.entry(GOVERNANCE_CLI.to_owned()).or_insert(of_commands);
        let mut followers = Vec::new();
        for (agent_name, source) in sources {
            let cosigned = kept_cosigned(&store, &data_dir, &agent_name, &pinned);
            shared.add(&agent_name, source.clone(), cosigned);
            let mut follower = Follower {
                origin: origin(REPO_ID, &agent_name),
                data_dir: data_dir.clone(),
                source,
                signer: Arc::clone(&signer),
                store: store.clone(),
                shared: Arc::clone(&shared),
                hub: Arc::clone(hub),
                tell: Arc::clone(&tell),
                standing: Standing::new(&agent_name),
                followed: None,
                kept: BTreeSet::new(),
                verified_utc: None,
                held_since: None,
                is_last: false,
                agent_name,
            };
            follower.resume();
            followers.push(follower);
        }
        Ok(Self { followers, outside, shared, client, tell, new_key })
    }

    /// Looks at every log once more, after those who write them have ended: what was written last is then held against a later copy too.
    pub async fn last_look(self) {
        let look = |mut follower: Follower| async move {
            follower.is_last = true;
            follower.round().await
        };
        join_all(self.followers.into_iter().map(look)).await;
    }

    /// Follows every log side by side, at once and then at the interval at which agents are polled, until `stop`.
    pub async fn run(self, stop: Stop) {
        let Self { followers, outside, shared, client, tell, new_key } = self;
        if let Some(new_key) = new_key {
            tell(new_key.entry());
            // Where it cannot be kept it is told again at the next start.
            let _ =
                tokio::task::spawn_blocking(move || new_key.store.put_key_since(&new_key.key, new_key.since_utc)).await;
        }
        let followed = followers.into_iter().map(|follower| follow(follower, stop.clone()));
        let sent = outside
            .into_iter()
            .map(|pinned| outside::send_all(pinned, Arc::clone(&shared), client.clone(), stop.clone()));
        join(join_all(followed), join_all(sent)).await;
    }
}

async fn follow(mut follower: Follower, mut stop: Stop) {
    // What stayed raised is told before the first look, which may take its time.
    follower.report();
    loop {
        let wait = tokio::select! {
            () = stop.wait() => return,
            wait = follower.round() => wait,
        };
        if tokio::time::timeout(wait, stop.wait()).await.is_ok() {
            return;
        }
    }
}

/// A key that is used from now on.
struct NewKey {
    store: Store,
    key: VerifierKey,
    since_utc: UnixNanos,
}

impl NewKey {
    fn entry(&self) -> Entry {
        let summary = "the witness cosigns with a key that it is not known to have used before".to_owned();
        let payload = json!({"witness": WitnessKey::of(&self.key), "since_utc": self.since_utc});
        Entry::new(self.since_utc, IntentType::StateTransition, Outcome::Success, summary, payload)
    }
}

/// Ourselves, then the outside witnesses.
fn pinned_keys(signer: &NoteSigner, outside: &[Pinned]) -> Vec<VerifierKey> {
    std::iter::once(signer.verifier()).chain(outside.iter().map(|pinned| pinned.key().clone())).collect()
}

/// The cosigned checkpoint that was kept of a log, if every line of it is of the log or of a pinned witness and verifies.
fn kept_cosigned(
    store: &Store,
    data_dir: &Path,
    agent_name: &str,
    pinned: &[VerifierKey],
) -> Option<agenttrader_audit::checkpoint::SignedCheckpoint> {
    let kept = store.cosigned(agent_name)?;
    let log = keys::agents(data_dir).ok()?.get(agent_name)?.log_verifier(&origin(REPO_ID, agent_name))?;
    let signed = |key: &&VerifierKey| kept.note().signatures().iter().any(|line| key.made(line));
    let all_good = kept.verify(&log).is_ok()
        && kept.knows_all(&log, pinned).is_ok()
        && pinned.iter().filter(signed).all(|key| kept.note().signed_by(key).is_ok());
    all_good.then_some(kept)
}
