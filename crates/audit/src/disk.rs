//! Every system call of the log, and of those who read logs. Tests put a disk in that fails. Those who only read what others made follow no
//! link there.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What a file is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Bytes.
    pub(crate) len: u64,
    /// Names it has.
    pub(crate) links: u64,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) is_dir: bool,
}

/// What those who only read find under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A symbolic link, a pipe, a device.
    Other,
}

/// One name in a folder, for those who only read.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// `None` where it is not UTF-8.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// What those who only read found of a file.
#[derive(Debug)]
pub(crate) enum Found {
    Bytes(Vec<u8>),
    None,
    NotAFile,
    TooLong,
}

/// What the log asks of a disk: one method a kind of system call. A call that failed may have been carried out all the same.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    /// Makes a folder in one that stands.
    fn make_dir(&self, path: &Path) -> io::Result<()>;
    /// Opens a file for writing and makes it if need be; what it held is gone.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Opens a file to append to and to read; makes it if need be and if asked to.
    fn open_append(&self, path: &Path, create: bool) -> io::Result<File>;
    /// Opens a file to read.
    fn open_read(&self, path: &Path) -> io::Result<File>;
    /// Reads at an offset, at most as much as fits; 0 at the end.
    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes some of the bytes; tells how many.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<usize>;
    /// Returns once what was written would survive a loss of power, with the file's length.
    fn sync_data(&self, file: &File) -> io::Result<()>;
    /// As `sync_data`, with all that is known of the file.
    fn sync_all(&self, file: &File) -> io::Result<()>;
    /// Cuts a file.
    fn cut(&self, file: &File, len: u64) -> io::Result<()>;
    /// Looks at an open file.
    fn look(&self, file: &File) -> io::Result<Seen>;
    /// A file's length by its name; `None` where there is none.
    fn len_of(&self, path: &Path) -> io::Result<Option<u64>>;
    /// Gives a file another name, in the place of what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a file's name away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, in order.
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>>;
    /// Returns once the names in a folder would survive a loss of power.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Takes the exclusive lock of an open file, without waiting.
    fn lock(&self, file: &File) -> Result<(), TryLockError>;
}

/// The system's own disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    fn open_append(&self, path: &Path, create: bool) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).create(create).open(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut file, bytes)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_all(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn cut(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn look(&self, file: &File) -> io::Result<Seen> {
        let found = file.metadata()?;
        Ok(Seen { len: found.len(), links: found.nlink() })
    }

    fn len_of(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours; what it is shown as is none either.
            let name = entry.file_name().to_string_lossy().into_owned();
            listed.push(Listed { name, is_dir: entry.file_type()?.is_dir() });
        }
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(listed)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn lock(&self, file: &File) -> Result<(), TryLockError> {
        file.try_lock()
    }
}

/// Whether somebody holds the exclusive lock of the file at that path. Looking takes a shared lock for a moment: who opens a log tries for
/// longer than that.
pub(crate) fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A file's bytes. Neither links nor anything but plain files are opened: a pipe would never end.
pub(crate) fn read_plain(path: &Path, most: usize) -> io::Result<Found> {
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Found::None),
        Err(error) => return Err(error),
    };
    if !named.is_file() {
        return Ok(Found::NotAFile);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::None),
        Err(error) => return Err(error),
    };
    let opened = file.metadata()?;
    // Between looking and opening, the name may have been given to another file, as a checkpoint's is, or to a link.
    if !opened.is_file() || (fs::symlink_metadata(path).is_ok_and(|now| now.is_symlink())) {
        return Ok(Found::NotAFile);
    }
    let bound = u64::try_from(most).unwrap_or(u64::MAX);
    if opened.size() > bound {
        return Ok(Found::TooLong);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.size()).unwrap_or(0));
    file.take(bound.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > most { Found::TooLong } else { Found::Bytes(bytes) })
}

/// The names in a folder; `None` where there is none. A link is followed here: whoever names a folder may name it so, and the links in it
/// are told apart.
pub(crate) fn list_plain(path: &Path) -> io::Result<Option<Vec<Name>>> {
    match fs::metadata(path) {
        Ok(named) if named.is_dir() => {}
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_file() => Kind::File,
            Ok(kind) if kind.is_dir() => Kind::Folder,
            Ok(_) => Kind::Other,
            // Removed since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        names.push(Name { name: entry.file_name().into_string().ok(), kind });
    }
    names.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(names))
}

/// Makes a folder and those above it down from `base`, which stands. Their names are durable then, whoever made them: a call that seemed to
/// fail may have made one.
pub(crate) fn make_dirs(disk: &dyn Disk, base: &Path, path: &Path) -> io::Result<()> {
    let below: Vec<&Path> = path.ancestors().take_while(|above| *above != base).collect();
    for folder in below.into_iter().rev() {
        match disk.make_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => folder.parent().map_or(Ok(()), |above| disk.sync_dir(above))?,
        }
    }
    Ok(())
}

/// Makes the folder that all others lie in, if it is not there. Its name is durable then, whoever made it: a start that was killed may
/// have, and not come to the sync.
pub(crate) fn make_base(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let Some(above) = path.parent() else { return Ok(()) };
    let stood = disk.len_of(path)?.is_some();
    if !stood {
        make_base(disk, above)?;
        match disk.make_dir(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    match disk.sync_dir(if above.as_os_str().is_empty() { Path::new(".") } else { above }) {
        // Whoever may not even open it made nothing in it.
        Err(error) if stood && error.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Writes all the bytes.
pub(crate) fn write_all(disk: &dyn Disk, file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match disk.write(file, bytes) {
            Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero)),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads from an offset until the buffer is full or the file ends; tells how much.
pub(crate) fn read_full_at(disk: &dyn Disk, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match disk.read_at(file, rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A file's bytes; `None` where there is none. One longer than `most` is an error.
pub(crate) fn read_whole(disk: &dyn Disk, path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let len = disk.look(&file)?.len;
    let too_long = || io::Error::other(format!("longer than {most} bytes"));
    let len = usize::try_from(len).ok().filter(|len| *len <= most).ok_or_else(too_long)?;
    // One byte more, to see that the file ends there.
    let mut bytes = vec![0; len.saturating_add(1)];
    let read = read_full_at(disk, &file, &mut bytes, 0)?;
    bytes.truncate(read);
    if read > most { Err(too_long()) } else { Ok(Some(bytes)) }
}

/// Writes a file of that name, durably but for its name.
pub(crate) fn write_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = disk.create(path)?;
    write_all(disk, &file, bytes)?;
    disk.sync_all(&file)
}

/// Puts a file in the place of another, whole or not at all, durably. `beside` is its name until then.
pub(crate) fn replace(disk: &dyn Disk, beside: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_file(disk, beside, bytes)?;
    disk.rename(beside, path)?;
    path.parent().map_or(Ok(()), |folder| disk.sync_dir(folder))
}

/// Removes a file; that there is none is as good.
pub(crate) fn remove_if_there(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names in a folder; none where there is no folder.
pub(crate) fn list_if_there(disk: &dyn Disk, path: &Path) -> io::Result<Vec<Listed>> {
    match disk.list(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}

/// Where one agent's log lies.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// `DATA_DIR`.
    pub(crate) data_dir: PathBuf,
    /// `DATA_DIR/audit/AGENT`: checkpoint and tiles, and nothing else.
    pub(crate) root: PathBuf,
    /// `DATA_DIR/audit-state/AGENT`.
    pub(crate) state: PathBuf,
    /// The journal's segments.
    pub(crate) journal: PathBuf,
    /// Large payloads whose records are not durable yet.
    pub(crate) pending: PathBuf,
    /// `DATA_DIR/audit-blobs`: large payloads of durable records, of all agents.
    pub(crate) blobs: PathBuf,
}

impl Places {
    pub(crate) fn of(data_dir: &Path, agent_name: &str) -> Self {
        let state = data_dir.join("audit-state").join(agent_name);
        Self {
            data_dir: data_dir.to_owned(),
            root: data_dir.join("audit").join(agent_name),
            journal: state.join("journal"),
            pending: state.join("pending"),
            blobs: data_dir.join("audit-blobs"),
            state,
        }
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    pub(crate) fn head(&self) -> PathBuf {
        self.state.join("head")
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.root.join("checkpoint")
    }

    /// The next checkpoint, until it is in its place. At first it stands there before the head it is of: a head without a checkpoint and
    /// without this one is not what a kill leaves.
    pub(crate) fn next_checkpoint(&self) -> PathBuf {
        self.state.join("checkpoint.new")
    }

    /// The journal of a version whose logs had no tree.
    pub(crate) fn old_journal(&self) -> PathBuf {
        self.state.join("journal.ndjson")
    }
}
