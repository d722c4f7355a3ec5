//! One answer, given once by one thread to all who wait for it.

use crate::locked::locked;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The side that answers. Dropped without an answer, it says that there will be none.
#[derive(Debug)]
pub(crate) struct Answer<T>(Arc<Slot<T>>);

/// A side that may wait for it.
#[derive(Clone, Debug)]
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

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self(Arc::new(Slot { state: Mutex::new(State::Open), changed: Condvar::new() }))
    }
}

impl<T> Slot<T> {
    /// The first state that is set stands.
    fn set(&self, answer: State<T>) {
        let mut state = locked(&self.state);
        let waits = match *state {
            State::Open => false,
            State::Waiting => true,
            State::Given(_) | State::Never => return,
        };
        *state = answer;
        drop(state);
        if waits {
            self.changed.notify_all();
        }
    }
}

impl<T> Answer<T> {
    /// One more who may wait.
    pub(crate) fn awaited(&self) -> Awaited<T> {
        Awaited(Arc::clone(&self.0))
    }

    /// Gives it. Never waits.
    pub(crate) fn give(self, answer: T) {
        self.0.set(State::Given(answer));
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.0.set(State::Never);
    }
}

impl<T: Clone> Awaited<T> {
    /// Waits for it, after a call of `hurry` if it is not there yet; `None` where there will be none.
    pub(crate) fn wait(&self, hurry: impl FnOnce()) -> Option<T> {
        let mut state = locked(&self.0.state);
        if matches!(*state, State::Open | State::Waiting) {
            drop(state);
            hurry();
            state = locked(&self.0.state);
        }
        loop {
            match &*state {
                State::Given(answer) => return Some(answer.clone()),
                State::Never => return None,
                State::Open | State::Waiting => {
                    *state = State::Waiting;
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
    fn an_answer_reaches_all_who_wait_before_it_and_who_ask_after_it() {
        for waits_first in [true, false] {
            let given = Answer::default();
            let waiting = [(); 3].map(|()| {
                let awaited = given.awaited();
                std::thread::spawn(move || awaited.wait(|| ()))
            });
            while waits_first && !matches!(*locked(&given.0.state), State::Waiting) {
                std::thread::yield_now();
            }
            let later = given.awaited();
            given.give(7);
            assert_eq!(waiting.map(|waiting| waiting.join().unwrap()), [Some(7); 3]);
            assert_eq!(later.wait(|| panic!("it is there")), Some(7));
        }
    }

    #[test]
    fn who_waits_for_an_answer_that_never_comes_hears_of_it() {
        let given = Answer::<u8>::default();
        let awaited = given.awaited();
        let waiting = std::thread::spawn(move || awaited.wait(|| ()));
        drop(given);
        assert_eq!(waiting.join().unwrap(), None);
        // And nobody needs to be there.
        Answer::default().give(1);
    }
}
