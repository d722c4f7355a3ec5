//! One stream connection a key and endpoint.

use crate::protocol::endpoint::Endpoint;
use crate::protocol::keys::Key;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Which keys are connected where.
#[derive(Debug, Default)]
pub struct Slots {
    taken: Mutex<BTreeSet<(Key, Endpoint)>>,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    place: (Key, Endpoint),
}

impl Slots {
    /// The key's one place at this endpoint, unless it is taken.
    pub fn take(self: &Arc<Self>, key: Key, endpoint: Endpoint) -> Option<Slot> {
        let place = (key, endpoint);
        let free = self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone());
        free.then(|| Slot { slots: Arc::clone(self), place })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}
