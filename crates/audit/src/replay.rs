//! Reading the journal through at start: what it holds, where it goes on, and whether a crash or a hand left its end.

use crate::disk::{self, Disk, Places};
use crate::error::OpenError;
use crate::frame::{self, CHAIN_START};
use crate::head::Head;
use crate::journal::{self, Frames, Next, Torn, segment_name};
use crate::merkle::Hash;
use crate::record::Record;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of the longest damaged end that is looked through for good frames. A segment and the largest batch are an eighth of it.
const TAIL_BYTES_MOST: u64 = 512 << 20;

/// Whose journal it is: every record must say so.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) repo_id: String,
    pub(crate) agent_name: String,
}

/// A place in the journal: an offset in the segment of that first index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// A journal read through.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// First indices of its segments, in order; none in a new log.
    pub(crate) segments: Vec<u64>,
    /// Bytes of the last one that are good.
    pub(crate) good_len: u64,
    /// Records of the whole log.
    pub(crate) size: u64,
    /// The chain after them.
    pub(crate) chain: Hash,
    /// The latest time any of them carries.
    pub(crate) last_time: Option<UnixNanos>,
    /// What follows them and is no record.
    pub(crate) torn: Option<Torn>,
    /// Where what the head does not cover begins.
    pub(crate) uncovered: Cursor,
    /// The large payloads that records name which the head does not cover.
    pub(crate) payloads: BTreeSet<Digest>,
}

/// The reading, as far as it has come.
struct Reading<'log> {
    owner: &'log Owner,
    head: Option<&'log Head>,
    covered: u64,
    next: u64,
    /// Not known before the first frame of a journal whose beginning is covered and gone.
    chain: Option<Hash>,
    replayed: Replayed,
}

/// Reads a journal through. It must reach the head, and be one chain.
pub(crate) fn replay(
    disk: &dyn Disk,
    places: &Places,
    owner: &Owner,
    head: Option<&Head>,
) -> Result<Replayed, OpenError> {
    let folder = &places.journal;
    let segments = journal::segments(disk, folder).map_err(|source| OpenError::Io { path: folder.clone(), source })?;
    let covered = head.map_or(0, |head| head.size);
    let first = segments.first().copied().unwrap_or(0);
    if first > covered || (segments.is_empty() && covered > 0) {
        let begins = if segments.is_empty() { "holds nothing".to_owned() } else { format!("begins at record {first}") };
        let why = format!("the journal {begins}, and the head covers {covered} records");
        return Err(OpenError::Disagrees { path: folder.clone(), why });
    }
    let mut reading = Reading {
        owner,
        head,
        covered,
        next: first,
        chain: (first == 0).then_some(CHAIN_START),
        replayed: Replayed {
            segments: segments.clone(),
            good_len: 0,
            size: 0,
            chain: CHAIN_START,
            last_time: head.and_then(|head| head.last_time),
            torn: None,
            uncovered: Cursor { segment: first, offset: 0 },
            payloads: BTreeSet::new(),
        },
    };
    let last = segments.last().copied();
    for segment in segments {
        reading.segment(disk, &folder.join(segment_name(segment)), segment, last == Some(segment))?;
    }
    reading.finish(folder)
}

impl Reading<'_> {
    fn segment(&mut self, disk: &dyn Disk, path: &Path, first: u64, is_last: bool) -> Result<(), OpenError> {
        let failed = |source| OpenError::Io { path: path.to_owned(), source };
        if first != self.next {
            return Err(self.corrupt(path, format!("the segment before it ends at record {}", self.next)));
        }
        let mut frames = Frames::open(disk, path, 0).map_err(failed)?;
        loop {
            let offset = frames.offset();
            if self.next == self.covered {
                self.replayed.uncovered = Cursor { segment: first, offset };
                self.meets_head(path)?;
            }
            self.replayed.good_len = offset;
            let why = match frames.next(disk).map_err(failed)? {
                Next::Frame(frame) => {
                    self.take(path, &frame)?;
                    continue;
                }
                Next::End => return Ok(()),
                Next::Bad(why) => why,
            };
            if self.next < self.covered {
                return Err(self.corrupt(path, format!("{why}, and the head covers {} records", self.covered)));
            }
            if !is_last {
                return Err(self.corrupt(path, format!("{why}, and another segment follows")));
            }
            let rest = rest_of(disk, frames.file(), offset).map_err(failed)?;
            if frame::of_later_batch(&rest, self.next).is_some() {
                return Err(self.corrupt(path, format!("{why}, and good frames of a later batch follow it")));
            }
            let torn = Torn { bytes: rest.len() as u64, sha256: Digest::of(&rest), why: why.to_owned() };
            self.replayed.torn = Some(torn);
            return Ok(());
        }
    }

    /// Takes the next frame, which was written whole: if it does not fit where it stands, no crash put it there.
    fn take(&mut self, path: &Path, frame: &frame::Frame<'_>) -> Result<(), OpenError> {
        let chain = self.chain.unwrap_or(frame.before);
        if frame.before != chain {
            return Err(self.corrupt(path, "the frame does not follow the one before it".to_owned()));
        }
        if frame.batch > self.next {
            return Err(self.corrupt(path, format!("the frame is of a batch that begins at record {}", frame.batch)));
        }
        if self.next >= self.covered {
            let record = journal::parse(frame.record).map_err(|why| self.corrupt(path, why))?;
            if let Some(why) = self.misfit(&record) {
                return Err(self.corrupt(path, why));
            }
            self.replayed.last_time = self.replayed.last_time.max(Some(record.timestamp));
            self.replayed.payloads.extend(record.stored_payload().map(|stored| stored.sha256));
        }
        self.chain = Some(frame::chain_over(&chain, frame.record));
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// Why a record cannot stand at this place, if it cannot.
    fn misfit(&self, record: &Record) -> Option<String> {
        if record.seq != self.next {
            return Some(format!("seq {} stands there", record.seq));
        }
        if record.repo_id != self.owner.repo_id || record.agent_name != self.owner.agent_name {
            return Some(format!("a record of {}/{} stands there", record.repo_id, record.agent_name));
        }
        None
    }

    /// Where the head's records end, the journal's chain must be the head's.
    fn meets_head(&mut self, path: &Path) -> Result<(), OpenError> {
        let Some(head) = self.head else { return Ok(()) };
        match self.chain {
            Some(chain) if chain != head.chain => {
                Err(self.corrupt(path, "the records before it are not those that the head covers".to_owned()))
            }
            _ => {
                self.chain = Some(head.chain);
                Ok(())
            }
        }
    }

    fn finish(self, folder: &Path) -> Result<Replayed, OpenError> {
        if self.next < self.covered {
            let why = format!("the journal ends at record {}, and the head covers {}", self.next, self.covered);
            return Err(OpenError::Disagrees { path: folder.to_owned(), why });
        }
        // Known by now: the journal reaches the head, or begins at its own beginning.
        let chain = self.chain.unwrap_or(CHAIN_START);
        Ok(Replayed { size: self.next, chain, ..self.replayed })
    }

    fn corrupt(&self, path: &Path, why: String) -> OpenError {
        OpenError::Corrupt { path: PathBuf::from(path), index: self.next, why }
    }
}

/// The bytes of a file from an offset on.
pub(crate) fn rest_of(disk: &dyn Disk, file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let len = disk.look(file)?.len.saturating_sub(offset);
    let len = usize::try_from(len).ok().filter(|_| len <= TAIL_BYTES_MOST);
    let len = len.ok_or_else(|| io::Error::other("longer than any segment of a journal"))?;
    let mut rest = vec![0; len];
    let read = disk::read_full_at(disk, file, &mut rest, offset)?;
    rest.truncate(read);
    Ok(rest)
}
