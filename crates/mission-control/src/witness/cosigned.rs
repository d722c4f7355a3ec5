//! The last checkpoints of a log that were cosigned, while outside witnesses still answer. Pure.

use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::note::SignatureLine;
use std::collections::BTreeMap;

/// Checkpoints kept of a log: a slow witness may answer to one that others have followed since.
const KEPT: usize = 32;

/// The last cosigned checkpoints of one log, by size.
#[derive(Clone, Debug, Default)]
pub struct Cosigned {
    recent: BTreeMap<u64, SignedCheckpoint>,
}

impl Cosigned {
    /// Goes on from the one that was kept.
    pub fn resumed(kept: Option<SignedCheckpoint>) -> Self {
        Self { recent: kept.into_iter().map(|kept| (kept.checkpoint.size, kept)).collect() }
    }

    /// Whether a checkpoint of that size is held.
    pub fn holds(&self, size: u64) -> bool {
        self.recent.contains_key(&size)
    }

    /// Takes in a verified checkpoint with our line over it. Lines that others gave for it already are kept.
    pub fn accept(&mut self, verified: SignedCheckpoint, line: SignatureLine) {
        if !self.add(&verified, line.clone()) {
            self.recent.insert(verified.checkpoint.size, verified.with(line));
        }
        while self.recent.len() > KEPT {
            self.recent.pop_first();
        }
    }

    /// Adds a witness's line to the checkpoint it was given for. Tells whether that is still held.
    pub fn add(&mut self, to: &SignedCheckpoint, line: SignatureLine) -> bool {
        let Some(held) = self.recent.get_mut(&to.checkpoint.size) else { return false };
        if held.checkpoint != to.checkpoint {
            return false;
        }
        *held = held.clone().with(line);
        true
    }

    /// The one that most witnesses signed; of several the latest.
    pub fn best(&self) -> Option<&SignedCheckpoint> {
        self.recent.values().max_by_key(|held| (held.note().signatures().len(), held.checkpoint.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_audit::checkpoint::Checkpoint;
    use agenttrader_audit::merkle::leaf_hash;

    fn checkpoint(size: u64) -> SignedCheckpoint {
        let log = SignatureLine { name: "log".to_owned(), key_id: 1, signature: vec![1] };
        let root = leaf_hash(&size.to_be_bytes());
        let text = format!("{}\n{log}\n", Checkpoint { origin: "log".to_owned(), size, root });
        SignedCheckpoint::parse(text.as_bytes()).unwrap()
    }

    fn line(name: &str) -> SignatureLine {
        SignatureLine { name: name.to_owned(), key_id: 7, signature: vec![1] }
    }

    fn best(cosigned: &Cosigned) -> (u64, usize) {
        let best = cosigned.best().unwrap();
        (best.checkpoint.size, best.note().signatures().len())
    }

    #[test]
    fn an_answer_that_comes_late_still_counts_for_the_checkpoint_it_was_given_for() {
        let mut cosigned = Cosigned::default();
        assert!(cosigned.best().is_none());
        for size in 1..=5 {
            cosigned.accept(checkpoint(size), line("ours"));
        }
        assert_eq!(best(&cosigned), (5, 2));
        assert!(cosigned.add(&checkpoint(3), line("outside")));
        assert_eq!(best(&cosigned), (3, 3), "more witnesses count for more than two records");
        assert!(cosigned.add(&checkpoint(5), line("outside")));
        assert_eq!(best(&cosigned), (5, 3));
        assert!(cosigned.add(&checkpoint(5), line("outside")), "the same witness again");
        cosigned.accept(checkpoint(5), line("ours"));
        assert_eq!(best(&cosigned), (5, 3), "seen again after a restart");
    }

    #[test]
    fn what_is_long_past_is_let_go() {
        let mut cosigned = Cosigned::resumed(Some(checkpoint(1).with(line("ours")).with(line("outside"))));
        (2..100).for_each(|size| cosigned.accept(checkpoint(size), line("ours")));
        assert!(!cosigned.holds(1) && cosigned.holds(99) && !cosigned.add(&checkpoint(1), line("outside")));
        assert_eq!(best(&cosigned), (99, 2));
    }
}
