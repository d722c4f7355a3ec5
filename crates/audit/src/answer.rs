//! One answer, given once by one thread to another. A channel does as much, and costs a record more than its checksum and chain do.

use crate::locked::locked;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The side that answers. Dropped without an answer, it says that there will be none.
#[derive(Debug)]
pub(crate) struct Answer<T>(Option<Arc<Slot<T>>>);

/// The side that may wait for it.
#[derive(Debug)]
pub(crate) struct Awaited<T>(Arc<Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
enum State<T> {
    /// Not given, and nobody waits: who gives it need wake nobody, which would be a system call.
    Open,
    Waiting,
    Given(T),
    Never,
}

/// Both sides of an answer.
pub(crate) fn answer<T>() -> (Answer<T>, Awaited<T>) {
    let slot = Arc::new(Slot { state: Mutex::new(State::Open), changed: Condvar::new() });
    (Answer(Some(Arc::clone(&slot))), Awaited(slot))
}

impl<T> Slot<T> {
    fn set(&self, state: State<T>) {
        let before = std::mem::replace(&mut *locked(&self.state), state);
        if matches!(before, State::Waiting) {
            self.changed.notify_one();
        }
    }
}

impl<T> Answer<T> {
    /// Gives it. Never waits.
    pub(crate) fn give(mut self, answer: T) {
        if let Some(slot) = self.0.take() {
            slot.set(State::Given(answer));
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.set(State::Never);
        }
    }
}

impl<T> Awaited<T> {
    /// Waits for it; `None` where there will be none.
    pub(crate) fn wait(self) -> Option<T> {
        let mut state = locked(&self.0.state);
        loop {
            match std::mem::replace(&mut *state, State::Waiting) {
                State::Given(answer) => return Some(answer),
                State::Never => return None,
                State::Open | State::Waiting => {
                    state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_who_waits_before_it_and_who_asks_after_it() {
        for waits_first in [true, false] {
            let (given, awaited) = answer();
            let waiting = std::thread::spawn(move || awaited.wait());
            while waits_first && !matches!(*locked(&given.0.as_ref().unwrap().state), State::Waiting) {
                std::thread::yield_now();
            }
            given.give(7);
            assert_eq!(waiting.join().unwrap(), Some(7));
        }
    }

    #[test]
    fn who_waits_for_an_answer_that_never_comes_hears_of_it() {
        let (given, awaited) = answer::<u8>();
        let waiting = std::thread::spawn(move || awaited.wait());
        drop(given);
        assert_eq!(waiting.join().unwrap(), None);
        // And nobody needs to be there.
        let (given, awaited) = answer();
        drop(awaited);
        given.give(1);
    }
}
