//! Whether the log can be written, and who is told.

use crate::locked::locked;
use std::fmt;
use std::sync::Mutex;

/// Whether the log can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The last write succeeded, or there was none yet.
    Writable,
    /// The last write failed, and is tried again at each append and ten times a second; or it has not come back from the disk yet.
    Unavailable {
        /// The system's words, or for how long it has had none.
        why: String,
    },
}

/// Told of each change of [`Health`], on the log's own threads; must not block, and must not ask the log.
pub type HealthObserver = Box<dyn Fn(Health) + Send>;

/// Which of the log's threads speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The journal's: no record becomes durable.
    Journal,
    /// The tree's: no checkpoint covers what is durable.
    Tree,
}

/// The health of both threads' work, told as one.
pub(crate) struct HealthBoard {
    inner: Mutex<Inner>,
}

struct Inner {
    journal: Health,
    tree: Health,
    observer: Option<HealthObserver>,
}

impl Inner {
    fn whole(&self) -> &Health {
        if self.journal == Health::Writable { &self.tree } else { &self.journal }
    }
}

impl HealthBoard {
    pub(crate) fn new(observer: Option<HealthObserver>) -> Self {
        let inner = Inner { journal: Health::Writable, tree: Health::Writable, observer };
        Self { inner: Mutex::new(inner) }
    }

    /// The log's health.
    pub(crate) fn now(&self) -> Health {
        locked(&self.inner).whole().clone()
    }

    /// Whether that part of the work cannot be done.
    #[cfg(test)]
    pub(crate) fn is_unavailable(&self, part: Part) -> bool {
        let inner = locked(&self.inner);
        let health = if part == Part::Journal { &inner.journal } else { &inner.tree };
        *health != Health::Writable
    }

    /// Sets the health of one part; tells the observer when that makes the log's change.
    pub(crate) fn set(&self, part: Part, now: Health) {
        let mut inner = locked(&self.inner);
        let before = std::mem::discriminant(inner.whole());
        match part {
            Part::Journal => inner.journal = now,
            Part::Tree => inner.tree = now,
        }
        if before != std::mem::discriminant(inner.whole())
            && let Some(tell) = &inner.observer
        {
            tell(inner.whole().clone());
        }
    }
}

impl fmt::Debug for HealthBoard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "HealthBoard({:?})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_log_is_writable_when_both_parts_are_and_each_change_is_told_once() {
        let (tell, told) = mpsc::channel();
        let board = HealthBoard::new(Some(Box::new(move |health| tell.send(health == Health::Writable).unwrap())));
        let bad = |why: &str| Health::Unavailable { why: why.to_owned() };
        board.set(Part::Tree, bad("tree"));
        board.set(Part::Journal, bad("journal"));
        assert_eq!(board.now(), bad("journal"));
        board.set(Part::Journal, Health::Writable);
        assert_eq!(board.now(), bad("tree"));
        assert!(!board.is_unavailable(Part::Journal) && board.is_unavailable(Part::Tree));
        board.set(Part::Tree, Health::Writable);
        board.set(Part::Tree, Health::Writable);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [false, true]);
    }
}
