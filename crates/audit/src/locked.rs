//! Taking a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The guard, also after a panic of another holder: what is held in this crate is never half changed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
