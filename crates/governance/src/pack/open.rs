//! Opening a pack: everything in it is read once, within bounds, laid open in a file without a name, and compared with the one form that
//! packs have.

use super::frames::{FrameError, FrameReader, Sealed, check_seal};
use super::member::Member;
use super::tar::{BLOCK, Block, END_BLOCKS, Header, padding};
use super::{Finding, Pack, PackError};
use agenttrader_core::digest::{Digest, Running};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

/// Bytes of the contents of the largest pack that is read: months of a floor.
const CONTENT_BYTES_MOST: u64 = 64 << 30;

/// Files of the largest pack that is read.
const FILES_MOST: usize = 2_000_000;

/// A file of a pack, as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    /// Where its bytes lie among the contents.
    pub(super) at: u64,
    /// How many there are.
    pub(super) size: u64,
    /// Their SHA-256.
    pub(super) sha256: Digest,
}

/// A pack laid open.
#[derive(Debug)]
pub(super) struct Contents {
    /// What operators call it.
    pub(super) place: String,
    /// The contents of its files, one after the other.
    pub(super) laid_open: File,
    /// The files.
    pub(super) files: BTreeMap<String, Stored>,
    /// Their order in the pack.
    pub(super) order: Vec<String>,
    /// The time they all bear, in seconds since 1970.
    pub(super) mtime: u64,
    /// The pack's own file.
    pub(super) sealed: Sealed,
}

/// Opens a pack. What is wrong with its form becomes findings; reading ends at the first thing that cannot be read over.
pub(super) fn open(path: &Path) -> Result<Pack, PackError> {
    let failed = |source| PackError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("not a file")));
    }
    let (sealed, frames, is_whole) = check_seal(&mut file).map_err(failed)?;
    let place = path.display().to_string();
    let mut findings = Vec::new();
    if !is_whole {
        let what = "the seal at the end of the file is not over the bytes before it: the file was altered or cut";
        findings.push(Finding::new(&place, what));
    }
    let content = Content { frames: FrameReader::new(file, frames).map_err(failed)?, frame: Vec::new(), at: 0 };
    let unnamed = |source| PackError::Io { path: std::env::temp_dir(), source };
    let mut reading = Reading {
        content,
        laid_open: tempfile::tempfile().map_err(unnamed)?,
        written: 0,
        files: BTreeMap::new(),
        order: Vec::new(),
        mtime: None,
        last: None,
    };
    match reading.all() {
        Ok(()) => {}
        Err(Stop::Read(source)) => return Err(failed(source)),
        Err(Stop::Write(source)) => return Err(unnamed(source)),
        Err(Stop::Found(what)) => {
            let after = reading.order.last().map_or("the beginning", String::as_str);
            findings.push(Finding::new(&place, format!("after {after}: {what}; nothing beyond was read")));
        }
    }
    let Reading { laid_open, files, order, mtime, .. } = reading;
    let contents = Contents { place, laid_open, files, order, mtime: mtime.unwrap_or(0), sealed };
    Ok(Pack { contents: Arc::new(contents), findings })
}

/// Why reading ends before its end.
enum Stop {
    Read(io::Error),
    Write(io::Error),
    Found(String),
}

fn found<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Found(what.into()))
}

/// The decompressed bytes, in pieces.
struct Content {
    frames: FrameReader,
    frame: Vec<u8>,
    at: usize,
}

impl Content {
    /// Up to `most` bytes that follow; none at the end.
    fn some(&mut self, most: usize) -> Result<&[u8], Stop> {
        while self.at >= self.frame.len() {
            match self.frames.next() {
                Ok(Some(frame)) => (self.frame, self.at) = (frame, 0),
                Ok(None) => return Ok(&[]),
                Err(FrameError::Io(source)) => return Err(Stop::Read(source)),
                Err(FrameError::Form(what)) => return found(what),
            }
        }
        let end = self.at.saturating_add(most).min(self.frame.len());
        let from = std::mem::replace(&mut self.at, end);
        Ok(self.frame.get(from..end).unwrap_or_default())
    }

    /// The next block; `None` at the end.
    fn block(&mut self) -> Result<Option<Block>, Stop> {
        let mut block = [0_u8; BLOCK];
        let mut filled = 0_usize;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let some = self.some(rest.len())?;
            let Some(room) = rest.get_mut(..some.len()).filter(|room| !room.is_empty()) else { break };
            room.copy_from_slice(some);
            filled = filled.saturating_add(some.len());
        }
        match filled {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => found("the archive ends within a block"),
        }
    }
}

struct Reading {
    content: Content,
    laid_open: File,
    written: u64,
    files: BTreeMap<String, Stored>,
    order: Vec<String>,
    mtime: Option<u64>,
    /// Rank and path of the file read last.
    last: Option<(usize, String)>,
}

impl Reading {
    fn all(&mut self) -> Result<(), Stop> {
        loop {
            let Some(block) = self.content.block()? else { return found("the archive has no end") };
            if block == [0; BLOCK] {
                return self.end();
            }
            let header = Header::parse(&block).or_else(found)?;
            self.file(header)?;
        }
    }

    /// After the first block of the end.
    fn end(&mut self) -> Result<(), Stop> {
        for _ in 1..END_BLOCKS {
            if self.content.block()? != Some([0; BLOCK]) {
                return found("the archive's end is not two blocks of zeros");
            }
        }
        if self.content.some(1)?.is_empty() { Ok(()) } else { found("something follows the archive's end") }
    }

    fn file(&mut self, Header { path, size, mtime }: Header) -> Result<(), Stop> {
        let Some(member) = Member::parse(&path) else { return found(format!("{path} is no file of a pack")) };
        if size > member.bytes_most() as u64 {
            return found(format!("{path} has {size} bytes, more than {}", member.bytes_most()));
        }
        if self.files.len() >= FILES_MOST || self.written.saturating_add(size) > CONTENT_BYTES_MOST {
            return found(format!("more than {FILES_MOST} files or {CONTENT_BYTES_MOST} bytes"));
        }
        if *self.mtime.get_or_insert(mtime) != mtime {
            return found(format!("{path} bears another time than the files before it"));
        }
        let place = (member.rank(), path.clone());
        if self.last.as_ref().is_some_and(|last| *last >= place) {
            let twice = self.files.contains_key(&path);
            return found(format!(
                "{path} {}",
                if twice { "stands there twice" } else { "does not stand in its place" }
            ));
        }
        self.last = Some(place);
        let sha256 = self.body(&path, size)?;
        self.files.insert(path.clone(), Stored { at: self.written, size, sha256 });
        self.order.push(path);
        self.written = self.written.saturating_add(size);
        Ok(())
    }

    /// Lays a file's content open, and passes over what fills its last block.
    fn body(&mut self, path: &str, size: u64) -> Result<Digest, Stop> {
        let mut running = Running::default();
        let mut left = size;
        while left > 0 {
            let some = self.content.some(usize::try_from(left).unwrap_or(usize::MAX))?;
            if some.is_empty() {
                return found(format!("the archive ends within {path}"));
            }
            running.update(some);
            self.laid_open.write_all(some).map_err(Stop::Write)?;
            left = left.saturating_sub(some.len() as u64);
        }
        let mut left = padding(size);
        while left > 0 {
            let some = self.content.some(left)?;
            if some.is_empty() || some.iter().any(|byte| *byte != 0) {
                return found(format!("what fills the last block of {path} is not zeros"));
            }
            left = left.saturating_sub(some.len());
        }
        Ok(running.so_far())
    }
}
