//! Reading the agents' journals of a data directory into the view: once at the start of a floor, or on and on where mission control runs alone.

use crate::hub::Hub;
use crate::view::LOGS_MOST;
use agenttrader_agent::tasks::Stop;
use agenttrader_audit::read::{self, Position, ReadError, Records};
use agenttrader_audit::record::Record;
use agenttrader_core::identity::is_agent_name;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often journals are looked at for more. A record is durable at most 100 ms after it was made.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How far the journals of a data directory were read.
#[derive(Debug)]
pub struct Journals {
    data_dir: PathBuf,
    positions: BTreeMap<String, Position>,
}

/// One journal that is being read, with its next record.
struct Reading {
    agent_name: String,
    records: Records,
    next: Record,
}

impl Journals {
    /// The journals of that data directory, none read yet.
    pub fn new(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), positions: BTreeMap::new() }
    }

    /// Folds every record that stands in a journal and was not read before, over all agents in the order of their times. A journal that
    /// cannot be read on is told in its agent's row, and tried again at the next call. Gives how many records were folded.
    pub fn catch_up(&mut self, hub: &Hub) -> usize {
        let mut open: Vec<Reading> = Vec::new();
        for agent_name in self.agents() {
            let position = self.positions.get(&agent_name).copied().unwrap_or_default();
            match read::records_from(&self.data_dir, &agent_name, position) {
                Ok(records) => open.extend(self.advance(hub, agent_name, records)),
                Err(error) => tell(hub, &agent_name, Some(&error)),
            }
        }
        let mut folded = 0_usize;
        while let Some(earliest) = (0..open.len()).min_by_key(|index| open.get(*index).map(|one| one.next.timestamp)) {
            let Reading { agent_name, records, mut next } = open.swap_remove(earliest);
            // A payload that is stored apart is read, so that the view shows what it says.
            if let Ok(payload) = read::payload(&self.data_dir, &next) {
                next.intent_payload = payload;
            }
            hub.fold(&next);
            folded = folded.saturating_add(1);
            open.extend(self.advance(hub, agent_name, records));
        }
        folded
    }

    fn advance(&mut self, hub: &Hub, agent_name: String, mut records: Records) -> Option<Reading> {
        let next = records.next();
        self.positions.insert(agent_name.clone(), records.position());
        match next {
            Some(Ok(next)) => Some(Reading { agent_name, records, next }),
            Some(Err(error)) => {
                tell(hub, &agent_name, Some(&error));
                None
            }
            None => {
                tell(hub, &agent_name, None);
                None
            }
        }
    }

    /// The agents that have a journal. A folder that cannot name an agent is no agent's.
    fn agents(&self) -> Vec<String> {
        let listed = std::fs::read_dir(self.data_dir.join("audit-state"));
        let mut names: Vec<String> = listed
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_agent_name(name) && read::exists(&self.data_dir, name))
            .collect();
        names.sort();
        names.truncate(LOGS_MOST);
        names
    }
}

/// Folds what is appended to the journals of a data directory, until `stop`. For a thread of its own: it reads files.
pub fn follow(hub: &Hub, data_dir: &Path, stop: &Stop) {
    let mut journals = Journals::new(data_dir);
    while !stop.is_set() {
        journals.catch_up(hub);
        std::thread::sleep(LOOK_EVERY);
    }
}

fn tell(hub: &Hub, agent_name: &str, error: Option<&ReadError>) {
    let words = error.map(|error| {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}").chars().take(512).collect()
    });
    hub.put_journal_problem(agent_name, words);
}
