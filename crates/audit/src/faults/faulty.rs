//! A disk that does what it is told instead of what it is asked.

use crate::disk::{Disk, Listed, Seen, SystemDisk};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What the disk does instead of what it is asked for. One is used up at each call that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A write of the journal stops after that many bytes: the disk is full.
    Full { after: usize },
    /// A write of the journal ends whole, and the sync fails.
    Sync,
    /// The journal cannot be opened again.
    Restore,
    /// A payload cannot be staged.
    Stage,
    /// A payload cannot be placed.
    Place,
}

/// A state of the disk that lasts until it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Full,
    ReadOnly,
    BadBlocks,
    /// Nothing but the journal and its payloads can be written.
    NoTree,
}

/// How one call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is not carried out, and fails. A write may be carried out by half.
    NotDone,
    /// It is carried out, and seems to fail.
    Done,
}

/// Which call fails, counted from nought.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneCall {
    pub(super) number: u64,
    pub(super) way: Way,
    /// It is the last one: all later ones fail too, and none is carried out, as if the process had been killed.
    pub(super) last: bool,
}

#[derive(Debug, Default)]
struct Plan {
    /// Each call since it was last armed: whether it only looks.
    calls: Vec<bool>,
    one: Option<OneCall>,
    state: Option<State>,
    faults: VecDeque<Fault>,
    paths: BTreeMap<u64, PathBuf>,
}

/// The system's disk, told to fail. It never waits for the disk below: nothing here loses power.
#[derive(Debug, Default)]
pub(super) struct Faulty {
    plan: Mutex<Plan>,
    /// Every write waits for it: held by a test, it makes the disk hang.
    pub(super) hang: Mutex<()>,
    /// The same for the writes of the tree alone.
    pub(super) hang_tree: Mutex<()>,
}

/// What is asked for, as far as faults tell calls apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Create,
    Write,
    Sync,
    Open,
    Rename,
    Change,
    Look,
}

enum Verdict {
    Go,
    Fail(io::Error),
    GoAndFail(io::Error),
    Half(usize, io::Error),
}

fn is_within(path: &Path, folder: &str) -> bool {
    path.ends_with(folder) || path.parent().is_some_and(|parent| parent.ends_with(folder))
}

/// Neither the journal's nor a payload's.
fn is_of_tree(path: &Path) -> bool {
    !["journal", "pending", "audit-blobs"].into_iter().any(|folder| is_within(path, folder))
}

impl Faulty {
    /// The calls since it was last armed: whether each changes nothing, so that one which fails is the same whether it was done or not.
    pub(super) fn calls(&self) -> Vec<bool> {
        self.plan.lock().unwrap().calls.clone()
    }

    /// The call that is to fail.
    pub(super) fn armed(&self) -> Option<OneCall> {
        self.plan.lock().unwrap().one
    }

    /// Counts from here, and fails that call.
    pub(super) fn arm(&self, one: Option<OneCall>) {
        let mut plan = self.plan.lock().unwrap();
        (plan.calls, plan.one) = (Vec::new(), one);
    }

    pub(super) fn add(&self, faults: impl IntoIterator<Item = Fault>) {
        self.plan.lock().unwrap().faults.extend(faults);
    }

    pub(super) fn clear(&self) {
        self.plan.lock().unwrap().faults.clear();
    }

    pub(super) fn put(&self, state: Option<State>) {
        self.plan.lock().unwrap().state = state;
    }

    fn verdict(&self, asked: Asked, path: &Path) -> Verdict {
        let mut plan = self.plan.lock().unwrap();
        let call = plan.calls.len() as u64;
        plan.calls.push(asked == Asked::Look);
        let eio = || io::Error::from_raw_os_error(5);
        if let Some(one) = plan.one {
            match one.way {
                _ if call < one.number || (call > one.number && !one.last) => {}
                _ if call > one.number => return Verdict::Fail(eio()),
                // By turns, so that both kinds of it come up.
                Way::NotDone if asked == Asked::Write && call.is_multiple_of(2) => return Verdict::Half(7, eio()),
                Way::NotDone => return Verdict::Fail(eio()),
                Way::Done => return Verdict::GoAndFail(eio()),
            }
        }
        let within = |folder: &str| is_within(path, folder);
        let journal = within("journal");
        let writes = !matches!(asked, Asked::Look);
        match plan.state {
            Some(State::Full) if matches!(asked, Asked::Write | Asked::Create) => {
                return Verdict::Half(3, ErrorKind::StorageFull.into());
            }
            Some(State::ReadOnly) if writes => return Verdict::Fail(ErrorKind::ReadOnlyFilesystem.into()),
            Some(State::BadBlocks) if matches!(asked, Asked::Write | Asked::Sync) => return Verdict::Fail(eio()),
            Some(State::NoTree) if writes && is_of_tree(path) => {
                return Verdict::Fail(eio());
            }
            _ => {}
        }
        let verdict = match plan.faults.front() {
            Some(Fault::Full { after }) if journal && asked == Asked::Write => {
                Verdict::Half(*after, ErrorKind::StorageFull.into())
            }
            Some(Fault::Sync) if journal && asked == Asked::Sync => Verdict::GoAndFail(eio()),
            Some(Fault::Restore) if journal && asked == Asked::Open => {
                Verdict::Fail(ErrorKind::ReadOnlyFilesystem.into())
            }
            Some(Fault::Stage) if within("pending") && asked == Asked::Create => {
                Verdict::Fail(ErrorKind::StorageFull.into())
            }
            Some(Fault::Place) if within("audit-blobs") && asked == Asked::Rename => Verdict::Fail(eio()),
            _ => return Verdict::Go,
        };
        plan.faults.pop_front();
        verdict
    }

    fn call<T>(&self, asked: Asked, path: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.verdict(asked, path) {
            Verdict::Go => run(),
            Verdict::Fail(error) | Verdict::Half(_, error) => Err(error),
            Verdict::GoAndFail(error) => run().and(Err(error)),
        }
    }

    fn opened(&self, path: &Path, file: io::Result<File>) -> io::Result<File> {
        let file = file?;
        self.plan.lock().unwrap().paths.insert(file.metadata()?.ino(), path.to_owned());
        Ok(file)
    }

    fn path(&self, file: &File) -> PathBuf {
        let inode = file.metadata().unwrap().ino();
        self.plan.lock().unwrap().paths.get(&inode).cloned().unwrap_or_default()
    }
}

impl Disk for Faulty {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Asked::Change, path, || SystemDisk.make_dir(path))
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(Asked::Create, path, || self.opened(path, SystemDisk.create(path)))
    }

    fn open_append(&self, path: &Path, create: bool) -> io::Result<File> {
        self.call(Asked::Open, path, || self.opened(path, SystemDisk.open_append(path, create)))
    }

    fn open_read(&self, path: &Path) -> io::Result<File> {
        self.call(Asked::Look, path, || self.opened(path, SystemDisk.open_read(path)))
    }

    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.call(Asked::Look, &self.path(file), || SystemDisk.read_at(file, buffer, offset))
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        drop(self.hang.lock().unwrap());
        let path = self.path(file);
        if is_of_tree(&path) {
            drop(self.hang_tree.lock().unwrap());
        }
        match self.verdict(Asked::Write, &path) {
            Verdict::Go => SystemDisk.write(file, bytes),
            Verdict::Fail(error) => Err(error),
            Verdict::Half(after, error) => {
                let half = &bytes[..after.min(bytes.len())];
                assert_eq!(SystemDisk.write(file, half)?, half.len());
                Err(error)
            }
            Verdict::GoAndFail(error) => SystemDisk.write(file, bytes).and(Err(error)),
        }
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.call(Asked::Sync, &self.path(file), || Ok(()))
    }

    fn sync_all(&self, file: &File) -> io::Result<()> {
        self.call(Asked::Sync, &self.path(file), || Ok(()))
    }

    fn cut(&self, file: &File, len: u64) -> io::Result<()> {
        self.call(Asked::Change, &self.path(file), || SystemDisk.cut(file, len))
    }

    fn look(&self, file: &File) -> io::Result<Seen> {
        self.call(Asked::Look, &self.path(file), || SystemDisk.look(file))
    }

    fn len_of(&self, path: &Path) -> io::Result<Option<u64>> {
        self.call(Asked::Look, path, || SystemDisk.len_of(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Asked::Rename, to, || SystemDisk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Asked::Change, path, || SystemDisk.remove(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Asked::Change, path, || SystemDisk.remove_dir(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        self.call(Asked::Look, path, || SystemDisk.list(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Asked::Sync, path, || Ok(()))
    }

    fn lock(&self, file: &File) -> Result<(), TryLockError> {
        self.call(Asked::Look, &self.path(file), || {
            SystemDisk.lock(file).map_err(|error| match error {
                TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
                TryLockError::Error(error) => error,
            })
        })
        .map_err(|error| {
            if error.kind() == ErrorKind::WouldBlock { TryLockError::WouldBlock } else { TryLockError::Error(error) }
        })
    }
}
