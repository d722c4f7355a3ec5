//! Follows one log: asks for its checkpoint, checks that it goes on from the last one, keeps it, cosigns it, and raises what is wrong.

use super::finding::{Cause, Code};
use super::log_source::{LogSource, NodesError};
use super::seen::{HeldSince, LogAudit, LogState};
use super::shared::Shared;
use super::standing::{Change, Look, Said, Standing};
use super::store::{Alarm, Store, StoreError};
use crate::hub::Hub;
use crate::poll::Seen;
use agenttrader_agent::clock;
use agenttrader_agent::keys;
use agenttrader_agent::start::GOVERNANCE_CLI;
use agenttrader_audit::checkpoint::{CheckpointError, SignedCheckpoint};
use agenttrader_audit::note::{NoteSigner, VerifierKey};
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_audit::witness::{Consistent, Followed, Refused};
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait before a look that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The code by which a status says that its agent's log, or the recording beside it, cannot be written.
const UNAVAILABLE: &str = "AUDIT_UNAVAILABLE";

/// Takes records for mission control's own log.
pub(super) type Tell = Arc<dyn Fn(Entry) + Send + Sync>;

/// Follows one log.
pub(super) struct Follower {
    pub(super) agent_name: String,
    pub(super) origin: String,
    pub(super) data_dir: PathBuf,
    pub(super) source: LogSource,
    pub(super) signer: Arc<NoteSigner>,
    pub(super) store: Store,
    pub(super) shared: Arc<Shared>,
    pub(super) hub: Arc<Hub>,
    pub(super) tell: Tell,
    pub(super) standing: Standing,
    pub(super) followed: Option<Followed>,
    /// Alarms that stand on disk: where one is gone, a person has taken it back.
    pub(super) kept: BTreeSet<Code>,
    pub(super) verified_utc: Option<UnixNanos>,
    pub(super) held_since: Option<HeldSince>,
    /// Whether nothing is recorded any more: mission control's own log is closed.
    pub(super) is_last: bool,
}

/// A look at a log, with the checkpoint that shows what is wrong.
struct Looked {
    look: Look,
    found: Option<(Code, SignedCheckpoint)>,
}

impl From<Look> for Looked {
    fn from(look: Look) -> Self {
        Self { look, found: None }
    }
}

/// What the disk says before a look.
struct Glance {
    /// The log's key as `agents.json` has it.
    key: Result<VerifierKey, String>,
    /// Alarms that a person has taken back.
    gone: Vec<Code>,
    /// The checkpoint that was kept, where it must be read.
    kept: Option<Result<Option<SignedCheckpoint>, StoreError>>,
    /// Since when checkpoints are held, read with it.
    since: Option<HeldSince>,
}

impl Follower {
    /// Raises again what stayed raised when mission control ended. Told with the first [`Self::report`].
    pub(super) fn resume(&mut self) {
        for code in Code::ALL.into_iter().filter(|code| code.stays()) {
            if let Some(alarm) = self.store.alarm(&self.agent_name, code) {
                let cause = match (&alarm.raised_utc, &alarm.found) {
                    (None, _) => Cause::UnreadAlarm,
                    (Some(_), None) => Cause::Unshown,
                    (Some(_), Some(_)) => Cause::Usual,
                };
                self.standing.raise(code, cause, &alarm.words, alarm.raised_utc);
                self.kept.insert(code);
            }
        }
        self.show();
    }

    /// Looks at the log once. Gives how long to wait until the next look.
    pub(super) async fn round(&mut self) -> Duration {
        let interval = self.hub.cadence().interval;
        let Some(glance) = self.glance().await else { return interval };
        for code in &glance.gone {
            self.kept.remove(code);
            self.standing.decided(*code);
        }
        let Looked { look, found } = self.look(glance).await;
        let wall = clock::wall();
        self.standing.look(&look, wall);
        if matches!(look, Look::Verified { .. }) {
            self.verified_utc = Some(wall);
        }
        for (code, words) in self.shared.claims(&self.agent_name) {
            self.standing.raise(code, Cause::Unshown, &words, Some(wall));
        }
        self.standing.status(self.said(), clock::monotonic(), wall);
        self.keep_alarms(found).await;
        self.report();
        if matches!(look, Look::Silent { .. }) { interval.min(AGAIN_AFTER) } else { interval }
    }

    async fn glance(&mut self) -> Option<Glance> {
        let (data_dir, store) = (self.data_dir.clone(), self.store.clone());
        let (agent_name, origin) = (self.agent_name.clone(), self.origin.clone());
        let (kept, is_new) = (self.kept.clone(), self.followed.is_none());
        let looked = tokio::task::spawn_blocking(move || {
            let gone: Vec<Code> =
                kept.into_iter().filter(|code| matches!(store.has_alarm(&agent_name, *code), Ok(false))).collect();
            let kept = (is_new || !gone.is_empty()).then(|| store.verified(&agent_name));
            let since = is_new.then(|| store.since(&agent_name)).flatten();
            Glance { key: key(&data_dir, &agent_name, &origin), gone, kept, since }
        });
        looked.await.ok()
    }

    /// The log as it was followed so far, or begun with; why it cannot be followed.
    fn prepare(&mut self, glance: Glance) -> Result<Followed, Look> {
        let Glance { key, gone, kept, since } = glance;
        // A person who has decided may have put the kept checkpoint away as well: then the log is followed anew.
        if !gone.is_empty() && matches!(kept, Some(Ok(None))) {
            self.followed = None;
        }
        match (&self.followed, key) {
            (Some(followed), Ok(key)) if *followed.key() != key => Err(key_changed(&key, followed.key())),
            // What was verified before is of more weight than a list that cannot be read now.
            (Some(followed), _) => Ok(followed.clone()),
            (None, Err(why)) => {
                Err(Look::Silent { words: format!("it cannot be verified: {why}"), cause: Cause::NoKey })
            }
            (None, Ok(key)) => {
                let followed = begin(key, kept)?;
                // What others signed of an earlier history, or said against it, is not of the one that is followed from now on.
                let begins_anew = followed.last().is_none();
                if begins_anew {
                    self.shared.forget(&self.agent_name);
                }
                self.held_since = since.filter(|_| !begins_anew);
                self.followed = Some(followed.clone());
                Ok(followed)
            }
        }
    }

    async fn look(&mut self, glance: Glance) -> Looked {
        let is_held = !matches!(glance.kept, None | Some(Ok(None)));
        let followed = match self.prepare(glance) {
            Ok(followed) => followed,
            // Commands write their first record when somebody first asks for a report.
            Err(Look::Silent { cause: Cause::NoKey, .. })
                if self.agent_name == GOVERNANCE_CLI
                    && !is_held
                    && matches!(self.source.checkpoint().await, Ok(None)) =>
            {
                return Look::Empty.into();
            }
            Err(look) => return look.into(),
        };
        let bytes = match self.source.checkpoint().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) if followed.last().is_none() => return Look::Empty.into(),
            Ok(None) => {
                let words = format!(
                    "there is no checkpoint of it any more, and one of {} entries was verified: its log was removed",
                    followed.size()
                );
                return Look::Silent { words, cause: Cause::Removed }.into();
            }
            Err(words) => return Look::Silent { words, cause: Cause::Usual }.into(),
        };
        let candidate = match SignedCheckpoint::parse(&bytes) {
            Ok(candidate) => candidate,
            Err(error) => return corrupt(format!("what it serves is no checkpoint: {}", chain(&error)), None),
        };
        match followed.meet(&candidate) {
            Err(refused) => refused_look(&refused, followed.key(), candidate),
            Ok(_) if let Err(error) = candidate.knows_all(followed.key(), &[]) => corrupt(
                format!("its checkpoint bears more than its own signature: {error}"),
                Some(candidate.checkpoint.size),
            ),
            Ok(true) if self.shared.holds(&self.agent_name, candidate.checkpoint.size) => {
                Look::Verified { size: candidate.checkpoint.size }.into()
            }
            Ok(is_same) => self.extend(followed, candidate, is_same).await,
        }
    }

    /// Checks that a checkpoint goes on from the last one, by the tiles that the log serves; keeps and cosigns it.
    async fn extend(&mut self, followed: Followed, candidate: SignedCheckpoint, is_same: bool) -> Looked {
        let size = candidate.checkpoint.size;
        let mut proof = Vec::new();
        if !is_same && size > 0 {
            let held = followed.size();
            let read = async {
                let nodes = self.source.nodes(held, size).await?;
                let root = nodes.root(size)?;
                let proof = if held == 0 { Vec::new() } else { nodes.proof(held)? };
                Ok::<_, NodesError>((root, proof))
            };
            let root;
            (root, proof) = match read.await {
                Ok(read) => read,
                Err(NodesError::Silent(words)) => return Look::Silent { words, cause: Cause::Usual }.into(),
                Err(NodesError::Damaged(words)) => return corrupt(words, Some(size)),
            };
            if root != candidate.checkpoint.root {
                let signed = candidate.checkpoint.root;
                return corrupt(
                    format!("its tiles give {size} entries the root {root}, and it signed {signed}"),
                    Some(size),
                );
            }
        }
        match followed.judge(candidate.clone(), &proof) {
            Ok(consistent) => self.accept(followed, consistent).await.into(),
            Err(refused) => refused_look(&refused, followed.key(), candidate),
        }
    }

    /// Stores first, then cosigns.
    async fn accept(&mut self, mut followed: Followed, consistent: Consistent) -> Look {
        let (store, shared, signer) = (self.store.clone(), Arc::clone(&self.shared), Arc::clone(&self.signer));
        let (agent_name, utc) = (self.agent_name.clone(), clock::wall());
        let seconds = u64::try_from(utc.seconds()).unwrap_or(0);
        let since = self.held_since.is_none().then(|| {
            let size = followed.last().map_or(consistent.checkpoint().checkpoint.size, |last| last.checkpoint.size);
            HeldSince { utc, size }
        });
        let is_last = self.is_last;
        let stored = tokio::task::spawn_blocking(move || {
            let stored = consistent
                .store(|checkpoint| {
                    // First: what is held must never look older than it is. What cannot be recorded now is at the next start.
                    match &since {
                        Some(_) if is_last => store.remove_since(&agent_name)?,
                        Some(since) => store.put_since(&agent_name, since)?,
                        None => {}
                    }
                    store.put_verified(&agent_name, checkpoint)
                })
                .map_err(|error| format!("mission control cannot keep what it verified: {}", chain(&error)))?;
            let line = stored.cosign(&signer, seconds);
            // That the cosigned one cannot be kept changes nothing of what was verified; it is tried again with the next.
            let kept = shared.accept(&agent_name, stored.checkpoint(), line);
            Ok::<_, String>((stored, kept))
        });
        match stored.await {
            Ok(Ok((stored, kept))) => {
                followed.advance(&stored);
                let size = followed.size();
                self.followed = Some(followed);
                if let Some(since) = since.filter(|_| !is_last) {
                    self.tell_beginning(since);
                }
                match kept {
                    Ok(()) => Look::Verified { size },
                    Err(why) => own_disk(format!("mission control cannot keep what it cosigned: {why}")),
                }
            }
            Ok(Err(words)) => own_disk(words),
            Err(_) => own_disk("mission control could not keep what it verified".to_owned()),
        }
    }

    /// Records that the log is followed from here on. Whoever removed what was held of it before is seen by this.
    fn tell_beginning(&mut self, since: HeldSince) {
        let (log, size) = (&self.agent_name, since.size);
        let summary = format!("log of {log}: followed from {size} entries on; no earlier checkpoint is held");
        let payload = json!({"log": log, "held_since": since});
        (self.tell)(Entry::new(since.utc, IntentType::StateTransition, Outcome::Success, summary, payload));
        self.held_since = Some(since);
    }

    /// What the agent's last status says of its log; nothing where it gave none lately.
    fn said(&self) -> Option<Said> {
        let cadence = self.hub.cadence();
        let polled = self.hub.polled(&self.agent_name)?;
        if clock::monotonic().saturating_duration_since(polled.at) > cadence.stale_after() {
            return None;
        }
        let Seen::Answered(status) = polled.seen else { return None };
        let mut codes = status.status.reason_codes.iter().chain(&status.safety.gating_reasons);
        let writable = !codes.any(|code| code == UNAVAILABLE);
        Some(Said { tree_size: status.audit.tree_size, writable })
    }

    /// Puts on disk what stays raised until a person decides. What cannot be written is tried again at the next look.
    ///
    /// `found` is what the log served, and of which finding that is the evidence.
    async fn keep_alarms(&mut self, found: Option<(Code, SignedCheckpoint)>) {
        let new = self.standing.findings().into_iter().filter(|one| one.code.stays() && !self.kept.contains(&one.code));
        let held = self.followed.as_ref().and_then(Followed::last).map(ToString::to_string);
        let alarms: Vec<Alarm> = new
            .map(|one| Alarm {
                code: one.code,
                agent_name: self.agent_name.clone(),
                raised_utc: one.since_utc,
                words: one.words,
                held: held.clone(),
                found: found.as_ref().filter(|(code, _)| *code == one.code).map(|(_, found)| found.to_string()),
            })
            .collect();
        if alarms.is_empty() {
            return;
        }
        let store = self.store.clone();
        let keep = move || {
            alarms.iter().filter(|alarm| store.put_alarm(alarm).is_ok()).map(|alarm| alarm.code).collect::<Vec<_>>()
        };
        self.kept.extend(tokio::task::spawn_blocking(keep).await.unwrap_or_default());
    }

    /// Shows how the log stands, and records a change of what is raised.
    pub(super) fn report(&mut self) {
        if let Some(change) = self.standing.change() {
            (self.tell)(self.entry(&change));
        }
        self.show();
    }

    fn show(&self) {
        let findings = self.standing.findings();
        // Before the first command that writes to it there is no such log.
        if self.agent_name == GOVERNANCE_CLI && self.followed.is_none() && findings.is_empty() {
            return self.hub.put_audit(|seen| drop(seen.logs.remove(&self.agent_name)));
        }
        let last = self.followed.as_ref().and_then(Followed::last).map(|last| &last.checkpoint);
        let state = match (findings.is_empty(), last, self.verified_utc) {
            (false, ..) => LogState::Alarm,
            (true, Some(_), Some(_)) => LogState::Verified,
            (true, Some(_), None) => LogState::Unknown,
            (true, None, _) if self.followed.is_some() => LogState::Empty,
            (true, None, _) => LogState::Unknown,
        };
        let log = LogAudit {
            vkey: self.followed.as_ref().map(|followed| followed.key().to_string()),
            state,
            size: last.map(|last| last.size),
            root: last.map(|last| last.root.to_string()),
            verified_utc: self.verified_utc,
            held_since: self.held_since,
            cosigned_by: self.shared.cosigned_by(&self.agent_name),
            findings,
            ..LogAudit::unknown(&self.agent_name, &self.origin)
        };
        self.hub.put_audit(|seen| drop(seen.logs.insert(self.agent_name.clone(), log)));
    }

    /// The record of a change.
    fn entry(&self, change: &Change) -> Entry {
        let findings = self.standing.findings();
        let codes = |codes: &[Code]| match codes {
            [] => "no finding".to_owned(),
            some => some.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", "),
        };
        let summary = format!("log of {}: {} → {}", self.agent_name, codes(&change.from), codes(&change.to));
        let payload = json!({"log": self.agent_name, "from": change.from, "to": change.to, "findings": findings});
        let outcome = if change.to.is_empty() { Outcome::Success } else { Outcome::Failure };
        let entry = Entry::new(clock::wall(), IntentType::StateTransition, outcome, summary, payload);
        match findings.first() {
            None => entry,
            Some(first) => entry.with_error(first.words.clone()),
        }
    }
}

/// The key of a log, as the data directory's list of public keys has it.
fn key(data_dir: &std::path::Path, agent_name: &str, origin: &str) -> Result<VerifierKey, String> {
    let agents = keys::agents(data_dir).map_err(|error| chain(&error))?;
    let public = agents.get(agent_name).ok_or_else(|| format!("keys/agents.json has no key of {agent_name}"))?;
    public.log_verifier(origin).ok_or_else(|| format!("keys/agents.json has no usable key of {agent_name}"))
}

/// A log to follow from the checkpoint that was kept of it.
fn begin(key: VerifierKey, kept: Option<Result<Option<SignedCheckpoint>, StoreError>>) -> Result<Followed, Look> {
    let last = match kept {
        None | Some(Ok(None)) => return Ok(Followed::new(key)),
        Some(Ok(Some(last))) => last,
        Some(Err(error)) => return Err(kept_file(chain(&error))),
    };
    let other = other_key(&last, &key);
    Followed::resumed(key.clone(), last).map_err(|error| match other {
        Some(id) => {
            let words = format!(
                "keys/agents.json has the key {:08x}, and the checkpoint verified last was signed with {id:08x}",
                key.id()
            );
            Look::Wrong { code: Code::KeyChanged, words, size: None, cause: Cause::Usual }
        }
        None => kept_file(format!("the checkpoint that was kept does not verify: {}", chain(&error))),
    })
}

/// The id of another key of the log's name that signed a checkpoint which the log's own key did not sign.
fn other_key(checkpoint: &SignedCheckpoint, key: &VerifierKey) -> Option<u32> {
    let signatures = checkpoint.note().signatures();
    let others = || signatures.iter().filter(|line| line.name == key.name() && line.key_id != key.id());
    if signatures.iter().any(|line| key.made(line)) { None } else { others().next().map(|line| line.key_id) }
}

fn key_changed(found: &VerifierKey, held: &VerifierKey) -> Look {
    let words =
        format!("keys/agents.json has the key {:08x}, and the log was verified with {:08x}", found.id(), held.id());
    Look::Wrong { code: Code::KeyChanged, words, size: None, cause: Cause::Usual }
}

fn kept_file(words: String) -> Look {
    Look::Wrong { code: Code::Corrupt, words, size: None, cause: Cause::KeptFile }
}

const fn own_disk(words: String) -> Look {
    Look::Silent { words, cause: Cause::OwnDisk }
}

fn corrupt(words: String, size: Option<u64>) -> Looked {
    Look::Wrong { code: Code::Corrupt, words, size, cause: Cause::Usual }.into()
}

/// What a refused checkpoint tells of its log.
fn refused_look(refused: &Refused, key: &VerifierKey, found: SignedCheckpoint) -> Looked {
    if let (Refused::BadSignature(CheckpointError::Note(_)), Some(id)) = (refused, other_key(&found, key)) {
        let words = format!("its checkpoint is signed with the key {id:08x}, and the log's is {:08x}", key.id());
        return Look::Wrong { code: Code::KeyChanged, words, size: None, cause: Cause::Usual }.into();
    }
    let code = Code::of_refused(refused).unwrap_or(Code::Corrupt);
    let is_signed = !matches!(refused, Refused::UnknownOrigin { .. } | Refused::BadSignature(_));
    let look = Look::Wrong {
        code,
        words: chain(refused),
        size: is_signed.then_some(found.checkpoint.size),
        cause: Cause::Usual,
    };
    Looked { look, found: Some((code, found)) }
}
