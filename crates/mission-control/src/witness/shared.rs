//! What those who follow logs and those who send checkpoints to outside witnesses have in common.

use super::cosigned::Cosigned;
use super::finding::Code;
use super::log_source::LogSource;
use super::seen::{Cosignature, OutsideLog, cosignatures};
use super::store::Store;
use crate::hub::Hub;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::note::SignatureLine;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Claims of outside witnesses that wait for a log's follower: one of a kind is enough.
const CLAIMS_MOST: usize = 4;

/// The logs as far as they were verified, and what is told of them.
#[derive(Debug)]
pub(super) struct Shared {
    hub: Arc<Hub>,
    store: Store,
    logs: Mutex<BTreeMap<String, OneLog>>,
}

/// One log.
#[derive(Debug)]
struct OneLog {
    source: LogSource,
    /// The last checkpoint that was verified and stored, with the log's line alone.
    latest: Option<SignedCheckpoint>,
    cosigned: Cosigned,
    /// What outside witnesses say against the log.
    claims: Vec<(Code, String)>,
}

impl Shared {
    pub(super) fn new(hub: Arc<Hub>, store: Store) -> Self {
        Self { hub, store, logs: Mutex::default() }
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<String, OneLog>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A log that is followed from now on, with the cosigned checkpoint that was kept of it.
    pub(super) fn add(&self, agent_name: &str, source: LogSource, cosigned: Option<SignedCheckpoint>) {
        let log = OneLog { source, latest: None, cosigned: Cosigned::resumed(cosigned), claims: Vec::new() };
        self.logs().insert(agent_name.to_owned(), log);
    }

    /// The last verified checkpoint of each log, with where the log is asked for.
    pub(super) fn latest(&self) -> Vec<(String, LogSource, SignedCheckpoint)> {
        let logs = self.logs();
        let of = |(name, log): (&String, &OneLog)| Some((name.clone(), log.source.clone(), log.latest.clone()?));
        logs.iter().filter_map(of).collect()
    }

    /// Whether the checkpoint of that size is the latest, and was cosigned.
    pub(super) fn holds(&self, agent_name: &str, size: u64) -> bool {
        let is_latest = |log: &OneLog| log.latest.as_ref().is_some_and(|latest| latest.checkpoint.size == size);
        self.logs().get(agent_name).is_some_and(|log| is_latest(log) && log.cosigned.holds(size))
    }

    /// Takes in a verified checkpoint with our line over it. Blocks: it is kept on disk.
    pub(super) fn accept(
        &self,
        agent_name: &str,
        verified: &SignedCheckpoint,
        line: SignatureLine,
    ) -> Result<(), String> {
        let mut logs = self.logs();
        let Some(log) = logs.get_mut(agent_name) else { return Ok(()) };
        log.latest = Some(verified.clone());
        log.cosigned.accept(verified.clone(), line);
        self.keep(agent_name, log)
    }

    /// Forgets a log's checkpoints: a person has decided to follow it anew.
    pub(super) fn forget(&self, agent_name: &str) {
        if let Some(log) = self.logs().get_mut(agent_name) {
            log.latest = None;
            log.cosigned = Cosigned::default();
            log.claims.clear();
        }
    }

    /// Adds an outside witness's line to the checkpoint it signed. Blocks: it is kept on disk.
    pub(super) fn add_line(&self, agent_name: &str, to: &SignedCheckpoint, line: SignatureLine) -> Result<(), String> {
        let mut logs = self.logs();
        let Some(log) = logs.get_mut(agent_name) else { return Ok(()) };
        if log.cosigned.add(to, line) { self.keep(agent_name, log) } else { Ok(()) }
    }

    fn keep(&self, agent_name: &str, log: &OneLog) -> Result<(), String> {
        let Some(best) = log.cosigned.best() else { return Ok(()) };
        self.store.put_cosigned(agent_name, best).map_err(|error| chain(&error))
    }

    /// Who signed the cosigned checkpoint that is kept.
    pub(super) fn cosigned_by(&self, agent_name: &str) -> Vec<Cosignature> {
        self.logs().get(agent_name).and_then(|log| log.cosigned.best()).map(cosignatures).unwrap_or_default()
    }

    /// Says something against a log, for its follower to raise.
    pub(super) fn claim(&self, agent_name: &str, code: Code, words: String) {
        if let Some(log) = self.logs().get_mut(agent_name)
            && log.claims.len() < CLAIMS_MOST
        {
            log.claims.push((code, words));
        }
    }

    /// What was said against a log since it was last asked.
    pub(super) fn claims(&self, agent_name: &str) -> Vec<(Code, String)> {
        self.logs().get_mut(agent_name).map(|log| std::mem::take(&mut log.claims)).unwrap_or_default()
    }

    /// When an outside witness last signed a checkpoint of a log.
    pub(super) fn cosigned_utc(&self, witness: &str, agent_name: &str) -> Option<UnixNanos> {
        self.hub.audit(|seen| {
            let of_witness = seen.outside.iter().find(|outside| outside.key.name == witness)?;
            of_witness.logs.get(agent_name)?.cosigned_utc
        })
    }

    /// Shows how an outside witness stands to a log.
    pub(super) fn put_outside(&self, witness: &str, agent_name: &str, log: OutsideLog) {
        self.hub.put_audit(|seen| {
            if let Some(outside) = seen.outside.iter_mut().find(|outside| outside.key.name == witness) {
                outside.logs.insert(agent_name.to_owned(), log);
            }
        });
    }
}
