//! Large payloads: staged beside the journal before their records are written, placed among the blobs once the records are durable. So no
//! record is durable without its payload, and no payload lies there that no record names.

use crate::disk::{self, Disk, Places};
use crate::error::OpenError;
use crate::read::PAYLOAD_BYTES_MOST;
use agenttrader_core::digest::Digest;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The payloads of one agent's log.
#[derive(Debug)]
pub(crate) struct Blobs {
    disk: Arc<dyn Disk>,
    pending: PathBuf,
    blobs: PathBuf,
}

impl Blobs {
    pub(crate) fn new(disk: Arc<dyn Disk>, places: &Places) -> Self {
        Self { disk, pending: places.pending.clone(), blobs: places.blobs.clone() }
    }

    /// Writes payloads, durably, where nobody looks for them yet; not those that lie among the blobs.
    pub(crate) fn stage<'bytes>(&self, payloads: impl Iterator<Item = (Digest, &'bytes [u8])>) -> io::Result<()> {
        let mut staged = false;
        for (digest, bytes) in payloads {
            let name = digest.to_string();
            if self.disk.len_of(&self.blobs.join(&name))? != Some(bytes.len() as u64) {
                disk::write_file(&*self.disk, &self.pending.join(&name), bytes)?;
                staged = true;
            }
        }
        if staged { self.disk.sync_dir(&self.pending) } else { Ok(()) }
    }

    /// Puts staged payloads among the blobs, durably. Can be done again after it failed halfway.
    pub(crate) fn place(&self, payloads: impl Iterator<Item = (Digest, u64)>) -> io::Result<()> {
        let mut any = false;
        for (digest, len) in payloads {
            let name = digest.to_string();
            any = true;
            match self.disk.rename(&self.pending.join(&name), &self.blobs.join(&name)) {
                // Placed before: by a record that names the same payload, or by another agent.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if self.disk.len_of(&self.blobs.join(&name))? != Some(len) {
                        return Err(io::Error::other(format!("the payload {name} is gone")));
                    }
                }
                renamed => renamed?,
            }
        }
        if any { self.disk.sync_dir(&self.blobs) } else { Ok(()) }
    }

    /// At start: places what a crash left staged and a durable record names, and removes the rest.
    pub(crate) fn settle(&self, named: &BTreeSet<Digest>) -> Result<(), OpenError> {
        let disk = &*self.disk;
        let at = |path: PathBuf| move |source| OpenError::Io { path, source };
        // Where the process was killed after it had placed a payload, the place is not durable yet; nothing pending tells of it.
        let mut placed = !named.is_empty();
        for entry in disk::list_if_there(disk, &self.pending).map_err(at(self.pending.clone()))? {
            let path = self.pending.join(&entry.name);
            let place = self.blobs.join(&entry.name);
            let digest = Digest::parse(&entry.name).filter(|digest| named.contains(digest));
            let whole = match digest {
                Some(digest) => {
                    let most = usize::try_from(PAYLOAD_BYTES_MOST).unwrap_or(usize::MAX);
                    let bytes = disk::read_whole(disk, &path, most).map_err(at(path.clone()))?;
                    bytes.is_some_and(|bytes| Digest::of(&bytes) == digest)
                }
                None => false,
            };
            if whole {
                disk.rename(&path, &place).map_err(at(place))?;
                placed = true;
            }
            // Staged and never named. Or a loss of power left a payload under both names: then renaming it does nothing.
            disk::remove_if_there(disk, &path).map_err(at(path))?;
        }
        if placed { disk.sync_dir(&self.blobs).map_err(at(self.blobs.clone())) } else { Ok(()) }
    }
}
