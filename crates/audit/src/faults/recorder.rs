//! A disk that writes down what it is asked for, so that it can be told afterwards what a loss of power would have left.

use super::power::{Call, Drive, Fact, Naming, Node};
use crate::disk::{Disk, Listed, Seen, SystemDisk};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// The system's disk under one folder, and what was asked of it. It never waits for the disk below: here it is power that is lost.
#[derive(Debug)]
pub(super) struct Recorder {
    base: PathBuf,
    inner: Mutex<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    start: Drive,
    calls: Vec<Call>,
    /// As it stands now, whether durable or not.
    names: BTreeMap<(Node, String), Node>,
    /// Numbers of open files and of those with a name, by inode.
    files: BTreeMap<u64, Node>,
    next: Node,
    /// Calls that are still carried out; after them the process counts as killed, and every one fails that would change something.
    left: Option<usize>,
}

impl Recorder {
    /// Of a folder, all of which is durable.
    pub(super) fn over(base: &Path) -> Self {
        let (start, files) = Drive::read(base);
        let (names, next) = (start.names.clone(), start.next());
        let inner = Recorded { start, calls: Vec::new(), names, files, next, left: None };
        Self { base: base.to_owned(), inner: Mutex::new(inner) }
    }

    /// The process is killed after so many more calls; `None`: it lives, again if need be.
    pub(super) fn kill_after(&self, changes: Option<usize>) {
        self.inner.lock().unwrap().left = changes;
    }

    /// Calls so far, and what others learnt.
    pub(super) fn len(&self) -> usize {
        self.inner.lock().unwrap().calls.len()
    }

    /// Calls so far.
    pub(super) fn changes(&self) -> usize {
        self.inner.lock().unwrap().calls.iter().filter(|call| !matches!(call, Call::Told(_))).count()
    }

    /// What others learnt just now.
    pub(super) fn told(&self, fact: Fact) {
        self.inner.lock().unwrap().calls.push(Call::Told(fact));
    }

    /// What stood there at first, and all changes since.
    pub(super) fn into_parts(self) -> (Drive, Vec<Call>) {
        let inner = self.inner.into_inner().unwrap();
        (inner.start, inner.calls)
    }

    /// Carries a change out and writes it down, as one.
    fn change<T>(
        &self,
        run: impl FnOnce() -> io::Result<T>,
        call: impl FnOnce(&mut Recorded, &T) -> Option<Call>,
    ) -> io::Result<T> {
        let mut inner = self.inner.lock().unwrap();
        if let Some(left) = &mut inner.left {
            *left = left.checked_sub(1).ok_or_else(|| io::Error::from_raw_os_error(5))?;
        }
        let done = run()?;
        if let Some(call) = call(&mut inner, &done) {
            inner.calls.push(call);
        }
        Ok(done)
    }

    /// A change of one file's bytes.
    fn of_file(
        &self,
        file: &File,
        run: impl FnOnce() -> io::Result<usize>,
        call: impl FnOnce(Node, usize) -> Call,
    ) -> io::Result<usize> {
        let inode = file.metadata()?.ino();
        self.change(run, |inner, done| inner.files.get(&inode).map(|node| call(*node, *done)))
    }

    fn opened(&self, path: &Path, empties: bool, run: impl FnOnce() -> io::Result<File>) -> io::Result<File> {
        self.change(run, |inner, file| {
            let inode = file.metadata().unwrap().ino();
            let (folder, name) = inner.place(&self.base, path);
            if let Some(node) = inner.names.get(&(folder, name.clone())).copied() {
                inner.files.insert(inode, node);
                return empties.then_some(Call::Cut { file: node, len: 0 });
            }
            let node = inner.new_node();
            inner.files.insert(inode, node);
            Some(inner.names(vec![Naming { folder, name, node: Some(node) }]))
        })
    }
}

impl Recorded {
    fn new_node(&mut self) -> Node {
        self.next += 1;
        self.next - 1
    }

    /// The folder's node and the name in it.
    fn place(&self, base: &Path, path: &Path) -> (Node, String) {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        (self.folder(base, path.parent().unwrap()), name(path))
    }

    fn folder(&self, base: &Path, path: &Path) -> Node {
        let below = path.strip_prefix(base).unwrap();
        below.iter().fold(Drive::ROOT, |folder, name| self.names[&(folder, name.to_str().unwrap().to_owned())])
    }

    fn names(&mut self, changed: Vec<Naming>) -> Call {
        for naming in &changed {
            match naming.node {
                Some(node) => self.names.insert(naming.key(), node),
                None => self.names.remove(&naming.key()),
            };
        }
        Call::Names(changed)
    }
}

impl Disk for Recorder {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.change(
            || SystemDisk.make_dir(path),
            |inner, ()| {
                let (folder, name) = inner.place(&self.base, path);
                let naming = Naming { folder, name, node: Some(inner.new_node()) };
                inner.names(vec![naming.clone()]);
                Some(Call::Folder(naming))
            },
        )
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.opened(path, true, || SystemDisk.create(path))
    }

    fn open_append(&self, path: &Path, create: bool) -> io::Result<File> {
        self.opened(path, false, || SystemDisk.open_append(path, create))
    }

    fn open_read(&self, path: &Path) -> io::Result<File> {
        SystemDisk.open_read(path)
    }

    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        SystemDisk.read_at(file, buffer, offset)
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize> {
        // Read before: of one file only one thread writes.
        let at = file.metadata()?.len();
        let run = || SystemDisk.write(file, bytes);
        self.of_file(file, run, |node, written| Call::Write { file: node, at, bytes: bytes[..written].to_vec() })
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        // Who does not wait for it goes on meanwhile, and is seen to.
        std::thread::sleep(Duration::from_micros(200));
        self.of_file(file, || Ok(0), |node, _| Call::SyncFile(node)).map(drop)
    }

    fn sync_all(&self, file: &File) -> io::Result<()> {
        self.sync_data(file)
    }

    fn cut(&self, file: &File, len: u64) -> io::Result<()> {
        let run = || SystemDisk.cut(file, len).map(|()| 0);
        self.of_file(file, run, |node, _| Call::Cut { file: node, len }).map(drop)
    }

    fn look(&self, file: &File) -> io::Result<Seen> {
        SystemDisk.look(file)
    }

    fn len_of(&self, path: &Path) -> io::Result<Option<u64>> {
        SystemDisk.len_of(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(
            || SystemDisk.rename(from, to),
            |inner, ()| {
                let ((folder, name), (to_folder, to_name)) =
                    (inner.place(&self.base, from), inner.place(&self.base, to));
                let node = inner.names.get(&(folder, name.clone())).copied();
                let there = Naming { folder: to_folder, name: to_name, node };
                Some(inner.names(vec![there, Naming { folder, name, node: None }]))
            },
        )
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(
            || SystemDisk.remove(path),
            |inner, ()| {
                let (folder, name) = inner.place(&self.base, path);
                Some(inner.names(vec![Naming { folder, name, node: None }]))
            },
        )
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.change(
            || SystemDisk.remove_dir(path),
            |inner, ()| {
                let (folder, name) = inner.place(&self.base, path);
                Some(inner.names(vec![Naming { folder, name, node: None }]))
            },
        )
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        SystemDisk.list(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // What lies above stood before.
        if !path.starts_with(&self.base) {
            return fs::metadata(path).map(drop);
        }
        self.change(|| fs::metadata(path).map(drop), |inner, ()| Some(Call::SyncFolder(inner.folder(&self.base, path))))
    }

    fn lock(&self, file: &File) -> Result<(), TryLockError> {
        SystemDisk.lock(file)
    }
}
