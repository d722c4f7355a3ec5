//! Every system call of the log.

use crate::error::OpenError;
use crate::journal::{self, Owner, Replayed};
use agenttrader_core::digest::Digest;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What the writer needs of a disk. Tests put one in that fails.
pub(crate) trait Disk: Send {
    /// Writes bytes at the journal's end. On an error any part of them may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns once what was appended would survive a loss of power.
    fn sync(&mut self) -> io::Result<()>;
    /// Opens the journal afresh and cuts it to `len` bytes, durably.
    fn restore(&mut self, len: u64) -> io::Result<()>;
    /// Writes a payload under its digest, durably, if it is not there yet.
    fn put_blob(&mut self, digest: &Digest, bytes: &[u8]) -> io::Result<()>;
}

/// The files of one agent's log, held by its lock.
#[derive(Debug)]
pub(crate) struct Files {
    journal: File,
    journal_path: PathBuf,
    /// Bytes the journal must have.
    len: u64,
    /// Somebody else removed or changed the journal. Nothing is written any more: the next start judges what is left.
    damaged: Option<String>,
    blobs: PathBuf,
    /// Held for as long as the log is open.
    _lock: File,
}

/// The folder of one agent's log.
pub(crate) fn state_dir(data_dir: &Path, agent_name: &str) -> PathBuf {
    data_dir.join("audit-state").join(agent_name)
}

/// The folder of large payloads.
pub(crate) fn blobs_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("audit-blobs")
}

impl Files {
    /// Takes the lock, reads the journal through and cuts what is torn off its end.
    pub(crate) fn open(data_dir: &Path, owner: &Owner) -> Result<(Self, Replayed), OpenError> {
        let dir = state_dir(data_dir, &owner.agent_name);
        let blobs = blobs_dir(data_dir);
        for needed in [&dir, &blobs] {
            fs::create_dir_all(needed).map_err(|source| OpenError::Io { path: needed.clone(), source })?;
        }
        let lock = lock(&dir.join("lock"))?;
        let journal_path = dir.join("journal.ndjson");
        let failed = |source| OpenError::Io { path: journal_path.clone(), source };
        let journal = OpenOptions::new().read(true).append(true).create(true).open(&journal_path).map_err(failed)?;
        let replayed =
            journal::replay(BufReader::with_capacity(1 << 16, &journal), owner).map_err(|error| match error {
                journal::ReplayError::Io(source) => OpenError::Io { path: journal_path.clone(), source },
                journal::ReplayError::Corrupt { line, why } => {
                    OpenError::Corrupt { path: journal_path.clone(), line, why }
                }
            })?;
        if replayed.torn.is_some() {
            journal.set_len(replayed.good_len).map_err(failed)?;
        }
        journal.sync_all().map_err(failed)?;
        // The names of a new journal and its folders must survive too.
        for folder in [dir.as_path(), &data_dir.join("audit-state"), data_dir] {
            sync_dir(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        }
        Ok((
            Self {
                journal,
                journal_path: journal_path.clone(),
                len: replayed.good_len,
                damaged: None,
                blobs,
                _lock: lock,
            },
            replayed,
        ))
    }
}

impl Disk for Files {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len = self.len.saturating_add(bytes.len() as u64);
        self.journal.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.journal.sync_data()?;
        // What was written to a file that has no name any more, or that somebody cut, is durable nowhere.
        let found = self.journal.metadata()?;
        if found.nlink() == 0 {
            self.damaged = Some("the journal was removed".to_owned());
        } else if found.len() != self.len {
            self.damaged =
                Some(format!("the journal was changed by another hand: {} bytes instead of {}", found.len(), self.len));
        }
        self.damaged.clone().map_or(Ok(()), |why| Err(io::Error::other(why)))
    }

    fn restore(&mut self, len: u64) -> io::Result<()> {
        if let Some(why) = &self.damaged {
            return Err(io::Error::other(why.clone()));
        }
        // A handle that saw a failed sync may report success later for pages that are lost: take a new one.
        let journal = OpenOptions::new().read(true).append(true).open(&self.journal_path)?;
        let found = journal.metadata()?.len();
        if found < len {
            return Err(io::Error::other(format!(
                "the journal has {found} bytes, less than the {len} that were durable"
            )));
        }
        journal.set_len(len)?;
        journal.sync_all()?;
        self.journal = journal;
        self.len = len;
        Ok(())
    }

    fn put_blob(&mut self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.blobs.join(digest.to_string());
        if fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64) {
            return sync_dir(&self.blobs);
        }
        // Agents share the folder, and two may write the same payload: the process and thread make the name its own.
        let mine = format!(".{digest}.{}.{:?}", std::process::id(), std::thread::current().id());
        let beside = self.blobs.join(mine);
        let written = write_durably(&beside, bytes).and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            // The error that matters is the first; what is left over is not a blob's name.
            let _ = fs::remove_file(&beside);
        }
        written.and_then(|()| sync_dir(&self.blobs))
    }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Held { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
