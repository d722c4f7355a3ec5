//! The interlock: the one lock that a send holds and that the transition to HALTED takes.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Orders sending and halting in time: while a send holds it, a halt waits; once a halt has it, no send begins. One for each account.
/// Nothing here releases a halt: that needs people's signatures, and the process that made this lock to have read them.
#[derive(Debug)]
pub struct Interlock {
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    halted: bool,
}

/// Why the interlock cannot be had for a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// The transition to HALTED was made.
    #[error("execution is halted")]
    Halted,
    /// A sender panicked while it held the interlock: how far its request got is not known.
    #[error("a send ended in a panic: treated as halted")]
    Poisoned,
}

impl Interlock {
    /// An interlock that nobody has halted yet. It permits nothing by itself: the switch is read for every permit.
    #[allow(clippy::new_without_default, reason = "nothing that decides safety has a default")]
    pub const fn new() -> Self {
        Self { state: Mutex::new(State { halted: false }) }
    }

    /// Makes the transition to HALTED. Returns once no send is in flight; none begins afterwards. May be called again.
    pub fn halt(&self) {
        // A poisoned lock halts already; it is marked all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner).halted = true;
    }

    /// Whether no send can begin. Waits for a send in flight.
    pub fn is_halted(&self) -> bool {
        self.hold().is_err()
    }

    /// Waits for a send or halt in flight and takes the lock for a send.
    pub(crate) fn hold(&self) -> Result<MutexGuard<'_, State>, Shut> {
        match self.state.lock() {
            Err(_) => Err(Shut::Poisoned),
            Ok(state) if state.halted => Err(Shut::Halted),
            Ok(state) => Ok(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_halt_stays() {
        let interlock = Interlock::new();
        assert!(!interlock.is_halted());
        interlock.halt();
        interlock.halt();
        assert_eq!(interlock.hold().unwrap_err(), Shut::Halted);
    }

    #[test]
    fn a_sender_that_panics_halts() {
        let interlock = Arc::new(Interlock::new());
        let held = Arc::clone(&interlock);
        let sender = std::thread::spawn(move || {
            let _held = held.hold().unwrap();
            panic!("a sender dies");
        });
        assert!(sender.join().is_err());
        assert_eq!(interlock.hold().unwrap_err(), Shut::Poisoned);
        interlock.halt();
        assert!(interlock.is_halted());
    }
}
