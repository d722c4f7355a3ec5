//! How a log stands over time: what each look at it, and each status of its agent, raises and takes back. Pure; times come in.

use super::finding::{Cause, Code, Finding};
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long durable records may stand without a checkpoint that covers them. A healthy log takes a second.
pub const STALL_AFTER: Duration = Duration::from_secs(4);

/// Looks in a row that must fail before a log counts as unreachable: one alone happens on any busy machine.
pub const MISSES_RAISED: u32 = 2;

/// What one look at a log gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It serves no checkpoint yet, and none was seen before.
    Empty,
    /// A checkpoint that was verified, of so many entries.
    Verified {
        /// Entries.
        size: u64,
    },
    /// A checkpoint that was signed and is refused, or what is served is damaged.
    Wrong {
        /// What is wrong.
        code: Code,
        /// In words.
        words: String,
        /// Entries of what is served, where the log's key signed it.
        size: Option<u64>,
        /// What it rests on.
        cause: Cause,
    },
    /// Nobody answered, or not with a log.
    Silent {
        /// Why.
        words: String,
        /// What it rests on.
        cause: Cause,
    },
}

/// What an agent's status says of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Durable records.
    pub tree_size: u64,
    /// Whether all that must be written can be. A status does not tell a log that cannot be written from a recording that cannot.
    pub writable: bool,
}

/// A change of what is raised over a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was raised before.
    pub from: Vec<Code>,
    /// What is raised now.
    pub to: Vec<Code>,
}

/// Durable records that a checkpoint must cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Uncovered {
    size: u64,
    since: Instant,
}

/// How one log stands.
#[derive(Clone, Debug)]
pub struct Standing {
    agent_name: String,
    misses: u32,
    uncovered: Option<Uncovered>,
    /// The largest size that was seen signed.
    signed: u64,
    /// Whether the last look showed what the log has signed.
    is_seen: bool,
    raised: BTreeMap<Code, Finding>,
    told: Vec<Code>,
}

impl Standing {
    /// A log that was not looked at yet.
    pub fn new(agent_name: &str) -> Self {
        Self {
            agent_name: agent_name.to_owned(),
            misses: 0,
            uncovered: None,
            signed: 0,
            is_seen: false,
            raised: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// What is raised, the gravest first.
    pub fn findings(&self) -> Vec<Finding> {
        self.raised.values().cloned().collect()
    }

    /// Whether that is raised.
    pub fn is_raised(&self, code: Code) -> bool {
        self.raised.contains_key(&code)
    }

    /// Raises what stays until a person decides; what is raised already keeps its words and time.
    pub fn raise(&mut self, code: Code, cause: Cause, words: &str, since_utc: Option<UnixNanos>) {
        let finding = || Finding::new(code, cause, words, &self.agent_name, since_utc);
        self.raised.entry(code).or_insert_with(finding);
    }

    /// Takes back what a person has decided.
    pub fn decided(&mut self, code: Code) {
        self.raised.remove(&code);
    }

    /// Takes in one look at the log.
    pub fn look(&mut self, look: &Look, wall: UnixNanos) {
        self.misses = if matches!(look, Look::Silent { .. }) { self.misses.saturating_add(1) } else { 0 };
        let signed = match look {
            Look::Verified { size } | Look::Wrong { size: Some(size), .. } => Some(*size),
            Look::Empty => Some(0),
            Look::Wrong { .. } | Look::Silent { .. } => None,
        };
        self.is_seen = signed.is_some();
        self.signed = self.signed.max(signed.unwrap_or(0));
        match look {
            Look::Silent { words, cause } if self.misses >= MISSES_RAISED => {
                self.set(Code::Unreachable, Some((*cause, words)), wall);
            }
            Look::Silent { .. } => {}
            Look::Empty | Look::Verified { .. } => {
                for code in [Code::Unreachable, Code::Corrupt, Code::KeyChanged] {
                    self.set(code, None, wall);
                }
            }
            Look::Wrong { code, words, cause, .. } => {
                for other in [Code::Unreachable, Code::Corrupt, Code::KeyChanged] {
                    self.set(other, (other == *code).then_some((*cause, words)), wall);
                }
                if code.stays() {
                    self.raise(*code, *cause, words, Some(wall));
                }
            }
        }
    }

    /// Takes in what the agent's status says. Call it after [`Standing::look`]; an agent that gives none says nothing of its log.
    pub fn status(&mut self, said: Option<Said>, now: Instant, wall: UnixNanos) {
        let Some(said) = said else {
            self.uncovered = None;
            self.set(Code::Stalled, None, wall);
            return;
        };
        if !self.is_seen || self.uncovered.is_some_and(|waiting| waiting.size <= self.signed) {
            self.uncovered = None;
        }
        if self.is_seen && self.uncovered.is_none() && said.tree_size > self.signed {
            self.uncovered = Some(Uncovered { size: said.tree_size, since: now });
        }
        let late = self.uncovered.filter(|waiting| now.saturating_duration_since(waiting.since) >= STALL_AFTER);
        let uncovered = late.map(|waiting| {
            let (covered, seconds) = (self.signed, STALL_AFTER.as_secs());
            format!(
                "{} records are durable, and no checkpoint covers more than {covered} of them for {seconds} s",
                waiting.size
            )
        });
        let unwritable = "its log or the recording cannot be written";
        let found = match (uncovered, said.writable) {
            (None, true) => None,
            (Some(words), true) => Some((Cause::Usual, words)),
            (None, false) => Some((Cause::Unwritable, unwritable.to_owned())),
            (Some(words), false) => Some((Cause::Unwritable, format!("{unwritable}; {words}"))),
        };
        self.set(Code::Stalled, found.as_ref().map(|(cause, words)| (*cause, words.as_str())), wall);
    }

    /// What has changed since it was last asked.
    pub fn change(&mut self) -> Option<Change> {
        let to: Vec<Code> = self.raised.keys().copied().collect();
        (to != self.told).then(|| Change { from: std::mem::replace(&mut self.told, to.clone()), to })
    }

    /// Raises or takes back what follows the last look. While it stays raised its words follow, its time does not.
    fn set(&mut self, code: Code, found: Option<(Cause, &str)>, wall: UnixNanos) {
        match (found, self.raised.get_mut(&code)) {
            (None, _) => drop(self.raised.remove(&code)),
            (Some((cause, words)), Some(raised)) => {
                *raised = Finding::new(code, cause, words, &self.agent_name, raised.since_utc);
            }
            (Some((cause, words)), None) => {
                self.raised.insert(code, Finding::new(code, cause, words, &self.agent_name, Some(wall)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_agent::clock;

    const NOON: UnixNanos = UnixNanos::from_seconds(43_200);

    fn codes(standing: &Standing) -> Vec<Code> {
        standing.findings().iter().map(|finding| finding.code).collect()
    }

    fn silent() -> Look {
        Look::Silent { words: "connection refused".to_owned(), cause: Cause::Usual }
    }

    fn wrong(code: Code) -> Look {
        Look::Wrong { code, words: format!("{code}, for one"), size: Some(9), cause: Cause::Usual }
    }

    #[test]
    fn one_miss_is_none_and_the_first_answer_ends_it() {
        let mut standing = Standing::new("gamma-strategy");
        standing.look(&silent(), NOON);
        assert_eq!(codes(&standing), []);
        standing.look(&silent(), NOON);
        assert_eq!(codes(&standing), [Code::Unreachable]);
        assert_eq!(standing.change(), Some(Change { from: vec![], to: vec![Code::Unreachable] }));
        standing.look(&silent(), NOON);
        assert_eq!(standing.change(), None);
        standing.look(&Look::Verified { size: 3 }, NOON);
        assert_eq!(standing.change(), Some(Change { from: vec![Code::Unreachable], to: vec![] }));
        standing.look(&silent(), NOON);
        assert_eq!(codes(&standing), [], "misses are counted in a row");
    }

    #[test]
    fn a_fork_and_a_rollback_stay_until_a_person_decides_and_the_others_do_not() {
        for code in Code::ALL.into_iter().filter(|code| !matches!(code, Code::Stalled | Code::Unreachable)) {
            let mut standing = Standing::new("gamma-strategy");
            standing.look(&wrong(code), NOON);
            assert_eq!(codes(&standing), [code]);
            standing.look(&Look::Verified { size: 12 }, NOON);
            assert_eq!(!codes(&standing).is_empty(), code.stays(), "{code}");
            standing.decided(code);
            assert_eq!(codes(&standing), []);
        }
    }

    #[test]
    fn the_first_words_of_what_stays_are_kept() {
        let mut standing = Standing::new("gamma-strategy");
        standing.look(&wrong(Code::Fork), NOON);
        let later = UnixNanos::from_seconds(50_000);
        standing
            .look(&Look::Wrong { code: Code::Fork, words: "again".to_owned(), size: None, cause: Cause::Usual }, later);
        let found = standing.findings();
        assert_eq!((found[0].since_utc, found[0].words.as_str()), (Some(NOON), "AUDIT_FORK, for one"));
        assert!(found[0].remedy.contains("alarms/gamma-strategy/AUDIT_FORK"));
    }

    #[test]
    fn records_that_stay_uncovered_are_a_stall_and_a_log_that_is_merely_busy_is_none() {
        let start = clock::monotonic();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let said = |tree_size| Some(Said { tree_size, writable: true });
        // Each status is ahead of the checkpoint that was fetched beside it, as on a busy log.
        let mut busy = Standing::new("gamma-strategy");
        for second in 0..20_u64 {
            busy.look(&Look::Verified { size: second * 10 }, NOON);
            busy.status(said(second * 10 + 5), at(second * 1_000), NOON);
            assert_eq!(codes(&busy), [], "{second}");
        }
        let mut stuck = Standing::new("gamma-strategy");
        for second in 0..8_u64 {
            stuck.look(&Look::Verified { size: 7 }, NOON);
            stuck.status(said(8 + second), at(second * 1_000), NOON);
            assert_eq!(!codes(&stuck).is_empty(), second >= 4, "{second}");
        }
        assert!(stuck.findings()[0].words.contains("8 records are durable"), "{:?}", stuck.findings());
        stuck.look(&Look::Verified { size: 20 }, NOON);
        stuck.status(said(20), at(9_000), NOON);
        assert_eq!(codes(&stuck), []);
    }

    #[test]
    fn a_status_that_says_unavailable_is_a_stall_at_once_that_blames_no_log_and_silence_says_nothing_of_it() {
        let now = clock::monotonic();
        let mut standing = Standing::new("gamma-strategy");
        standing.status(Some(Said { tree_size: 0, writable: false }), now, NOON);
        assert_eq!(codes(&standing), [Code::Stalled]);
        let found = standing.findings();
        assert!(found[0].words.contains("or the recording") && found[0].remedy.contains("/readyz"), "{found:?}");
        standing.status(None, now, NOON);
        assert_eq!(codes(&standing), []);
    }

    #[test]
    fn a_forked_log_is_not_stalled_besides() {
        let start = clock::monotonic();
        let mut standing = Standing::new("gamma-strategy");
        for second in 0..10 {
            standing.look(
                &Look::Wrong { code: Code::Fork, words: String::new(), size: Some(30), cause: Cause::Usual },
                NOON,
            );
            standing.status(Some(Said { tree_size: 30, writable: true }), start + Duration::from_secs(second), NOON);
        }
        assert_eq!(codes(&standing), [Code::Fork]);
    }
}
