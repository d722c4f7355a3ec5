//! Zip archives that may be hostile: every size is bounded before and while it is read, and no member's name is ever used as a path.

use super::ImportError;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;
use zip::read::ZipFile;

/// The most that is read of one archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of the archive: a day of a busy symbol's ticks is under a hundred megabytes.
    pub(super) archive: u64,
    /// Members: the largest chains list some twenty thousand contracts.
    pub(super) members: usize,
    /// Bytes of one member, unpacked.
    pub(super) member: u64,
    /// Bytes of all members, unpacked.
    pub(super) unpacked: u64,
    /// How many times smaller than unpacked a member over a megabyte may be. Such files shrink to a tenth or so; a bomb to a thousandth.
    pub(super) ratio: u64,
    /// Rows of one chain that are held in memory, at some fifty bytes each.
    pub(super) rows: usize,
    /// Bytes of one row.
    pub(super) row: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        archive: 1 << 30,
        members: 100_000,
        member: 2 << 30,
        unpacked: 4 << 30,
        ratio: 400,
        rows: 20_000_000,
        row: 4096,
    };
}

/// Below this a member may be as repetitive as it likes.
const RATIO_FROM: u64 = 1 << 20;

/// One archive whose directory was read and found within limits.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    members: Vec<String>,
    limits: Limits,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl Archive {
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Self, ImportError> {
        let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
        let too_large = |problem| ImportError::TooLarge { path: path.to_owned(), problem };
        let file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        if bytes > limits.archive {
            return Err(too_large(format!("{bytes} bytes; at most {} are read", limits.archive)));
        }
        let broken = |error: zip::result::ZipError| ImportError::NotAnArchive {
            path: path.to_owned(),
            problem: error.to_string(),
        };
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        if zip.len() > limits.members {
            return Err(too_large(format!("{} members; at most {} are read", zip.len(), limits.members)));
        }
        let mut members = Vec::with_capacity(zip.len());
        let mut unpacked: u64 = 0;
        for index in 0..zip.len() {
            let member = zip.by_index_raw(index).map_err(broken)?;
            let name = member.name().map_err(broken)?.into_owned();
            let refuse = |problem: String| refuse(path, &name, problem);
            if name.contains(['/', '\\', '\0', ':']) || name.starts_with('.') || member.is_dir() || member.is_symlink()
            {
                return Err(refuse("a plain file name is expected".to_owned()));
            }
            if member.encrypted() {
                return Err(refuse("it is encrypted".to_owned()));
            }
            let (size, packed) = (member.size(), member.compressed_size());
            unpacked = unpacked.saturating_add(size);
            if size > limits.member {
                return Err(refuse(format!("{size} bytes unpacked; at most {} are read", limits.member)));
            }
            if size > RATIO_FROM && size > packed.saturating_mul(limits.ratio) {
                let ratio = limits.ratio;
                return Err(refuse(format!("{packed} bytes would unpack to {size}; at most {ratio} times are read")));
            }
            members.push(name);
        }
        if unpacked > limits.unpacked {
            return Err(too_large(format!("{unpacked} bytes unpacked; at most {} are read", limits.unpacked)));
        }
        Ok(Self { path: path.to_owned(), zip, members, limits, left: limits.unpacked })
    }

    /// The members' names, in the archive's order.
    pub(super) fn members(&self) -> &[String] {
        &self.members
    }

    /// Rows of one chain that may be held in memory.
    pub(super) const fn rows(&self) -> usize {
        self.limits.rows
    }

    /// The rows of one member.
    pub(super) fn lines(&mut self, index: usize) -> Result<Lines<'_>, ImportError> {
        let name = self.members.get(index).map_or("", String::as_str);
        match self.zip.by_index(index) {
            Ok(member) => Ok(Lines {
                path: &self.path,
                name,
                member,
                row: self.limits.row,
                member_left: self.limits.member,
                left: &mut self.left,
                buffer: vec![0; CHUNK.max(self.limits.row.saturating_mul(2))],
                start: 0,
                end: 0,
                exhausted: false,
            }),
            Err(error) => Err(refuse(&self.path, name, error.to_string())),
        }
    }

    /// The error that names a member of this archive.
    pub(super) fn refuse_member(&self, member: &str, problem: String) -> ImportError {
        refuse(&self.path, member, problem)
    }

    pub(super) fn too_large(&self, problem: String) -> ImportError {
        ImportError::TooLarge { path: self.path.clone(), problem }
    }
}

fn refuse(path: &Path, member: &str, problem: String) -> ImportError {
    ImportError::Member { path: path.to_owned(), member: member.chars().take(128).collect(), problem }
}

const CHUNK: usize = 64 * 1024;

/// The rows of one member, one after the other. The declared sizes are not trusted: what is unpacked is counted.
pub(super) struct Lines<'a> {
    path: &'a Path,
    name: &'a str,
    member: ZipFile<'a, BufReader<File>>,
    row: usize,
    member_left: u64,
    left: &'a mut u64,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    exhausted: bool,
}

impl Lines<'_> {
    /// The next row without its line end; empty rows are passed over. `None` at the end, once the member's checksum has agreed.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, ImportError> {
        loop {
            let waiting = self.buffer.get(self.start..self.end).unwrap_or_default();
            let found = waiting.iter().position(|byte| *byte == b'\n');
            let (from, to, next) = match found {
                Some(length) => {
                    let to = self.start.saturating_add(length);
                    (self.start, to, to.saturating_add(1))
                }
                None if self.exhausted && waiting.is_empty() => return Ok(None),
                None if self.exhausted => (self.start, self.end, self.end),
                None => {
                    if waiting.len() > self.row {
                        return Err(self.refuse(format!("a row of more than {} bytes", self.row)));
                    }
                    self.fill()?;
                    continue;
                }
            };
            if to.saturating_sub(from) > self.row {
                return Err(self.refuse(format!("a row of more than {} bytes", self.row)));
            }
            self.start = next;
            let blank = self.buffer.get(from..to).unwrap_or_default().trim_ascii().is_empty();
            if !blank {
                return Ok(Some(self.buffer.get(from..to).unwrap_or_default().trim_ascii_end()));
            }
        }
    }

    fn fill(&mut self) -> Result<(), ImportError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.member.read(room) {
            Ok(0) => self.exhausted = true,
            Ok(got) => {
                self.end = self.end.saturating_add(got);
                let after = |left: u64| left.checked_sub(got as u64);
                let (Some(member_left), Some(left)) = (after(self.member_left), after(*self.left)) else {
                    return Err(self.refuse("it unpacks to more than is read".to_owned()));
                };
                (self.member_left, *self.left) = (member_left, left);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(self.refuse(format!("it cannot be unpacked: {error}"))),
        }
        Ok(())
    }

    fn refuse(&self, problem: String) -> ImportError {
        refuse(self.path, self.name, problem)
    }
}
