//! The large payloads that records name: each is read once, whoever names it.

use super::finding::{Finding, Spot};
use crate::read::PAYLOAD_BYTES_MOST;
use crate::record::StoredPayload;
use crate::source::LogFiles;
use agenttrader_core::digest::Digest;
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// The large payloads of one log.
pub(super) struct Payloads<'log> {
    /// Where they lie, where they do.
    blobs: Option<&'log dyn LogFiles>,
    seen: Mutex<BTreeMap<Digest, u64>>,
}

/// Bytes that were read of a payload, if it was not read before.
pub(super) type Read = Option<u64>;

impl<'log> Payloads<'log> {
    pub(super) fn new(blobs: Option<&'log dyn LogFiles>) -> Self {
        Self { blobs, seen: Mutex::default() }
    }

    /// The digests that were asked for.
    pub(super) fn named(&self) -> BTreeSet<Digest> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Checks the bytes of a payload that an entry names.
    pub(super) fn check(&self, stored: StoredPayload) -> Result<Read, Finding> {
        self.check_in(stored, None)
    }

    /// Checks the bytes of a payload whose record no checkpoint covers: they may not be in their place yet.
    pub(super) fn check_durable(&self, stored: StoredPayload, pending: &dyn LogFiles) -> Result<Read, Finding> {
        self.check_in(stored, Some(pending))
    }

    fn check_in(&self, stored: StoredPayload, pending: Option<&dyn LogFiles>) -> Result<Read, Finding> {
        let name = stored.sha256.to_string();
        let differs = |why: String| Finding::differs(Spot::Blob(name.clone()), why);
        match self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(stored.sha256) {
            Slot::Occupied(seen) if *seen.get() == stored.size => return Ok(None),
            Slot::Occupied(seen) => {
                let why = format!("its payload {name} has {} bytes here and {} elsewhere", stored.size, seen.get());
                return Err(differs(why));
            }
            Slot::Vacant(slot) => slot.insert(stored.size),
        };
        let Some(blobs) = self.blobs else { return Ok(None) };
        let most = usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX);
        let of_source = |error| {
            let finding = Finding::of_source(Spot::Blob(name.clone()), &error);
            Finding { why: format!("its payload: {}", finding.why), ..finding }
        };
        let mut found = blobs.read(&name, most).map_err(of_source)?;
        if let (None, Some(pending)) = (&found, pending) {
            // It may have been put in its place between the two looks.
            found = pending.read(&name, most).map_err(of_source)?;
            found = found.map_or_else(|| blobs.read(&name, most).map_err(of_source), |found| Ok(Some(found)))?;
        }
        match found {
            None => Err(differs(format!("its payload {name} is missing"))),
            Some(bytes) if bytes.len() as u64 != stored.size || Digest::of(&bytes) != stored.sha256 => {
                Err(differs(format!("its payload {name} is another: {} bytes, {}", bytes.len(), Digest::of(&bytes))))
            }
            Some(bytes) => Ok(Some(bytes.len() as u64)),
        }
    }
}
