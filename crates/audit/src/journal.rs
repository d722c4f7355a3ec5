//! The journal: frames in segments, each named after the index of its first record. Written by one thread; the tree's reads it back.

use crate::disk::{self, Disk};
use crate::frame::{self, Decoded, Frame};
use crate::record::{RECORD_BYTES_MOST, Record};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes after which the writer begins a new segment, at the next batch.
pub(crate) const SEGMENT_BYTES: u64 = 16 << 20;

/// Bytes that are read of a segment at a time.
const READ_BYTES: usize = 256 << 10;

const _: () = assert!(READ_BYTES > frame::HEADER_BYTES + RECORD_BYTES_MOST, "a frame is read at once");

/// Bytes at the journal's end that were no record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Torn {
    /// How many.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// What was wrong with the first of them.
    pub why: String,
}

/// The name of the segment whose first record has that index.
pub(crate) fn segment_name(first: u64) -> String {
    format!("{first:020}")
}

/// The first index of a segment of that name.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let first = name.parse().ok()?;
    (segment_name(first) == name).then_some(first)
}

/// The first indices of the segments in a journal's folder, in order; none where there is no folder. What has another name is no segment.
pub(crate) fn segments(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<u64>> {
    let listed = disk::list_if_there(disk, folder)?;
    Ok(listed.iter().filter_map(|entry| segment_first(&entry.name)).collect())
}

/// The frames of one segment, one after the other.
#[derive(Debug)]
pub(crate) struct Frames {
    file: File,
    /// Where in the file the next frame begins.
    offset: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next frame begins, and where what was read ends.
    from: usize,
    to: usize,
}

/// What stands next in a segment.
#[derive(Debug)]
pub(crate) enum Next<'bytes> {
    /// A frame that was written whole.
    Frame(Frame<'bytes>),
    /// Nothing.
    End,
    /// Something that is no frame, or the start of one.
    Bad(&'static str),
}

impl Frames {
    /// The frames from that offset on.
    pub(crate) fn open(disk: &dyn Disk, path: &Path, offset: u64) -> io::Result<Self> {
        let file = disk.open_read(path)?;
        Ok(Self { file, offset, buffer: vec![0; READ_BYTES], from: 0, to: 0 })
    }

    /// Where the next frame begins.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The file that is read.
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    /// Takes the next frame. After `End` or `Bad` more may have been written: it can be asked again.
    pub(crate) fn next(&mut self, disk: &dyn Disk) -> io::Result<Next<'_>> {
        if self.unread().len() < frame::length(self.unread()) {
            self.fill(disk)?;
        }
        let unread = self.buffer.get(self.from..self.to).unwrap_or_default();
        match frame::decode(unread) {
            Decoded::Whole(frame, length) => {
                self.from = self.from.saturating_add(length);
                self.offset = self.offset.saturating_add(length as u64);
                Ok(Next::Frame(frame))
            }
            Decoded::Short if unread.is_empty() => Ok(Next::End),
            Decoded::Short => Ok(Next::Bad("a frame was cut short")),
            Decoded::Bad(why) => Ok(Next::Bad(why)),
        }
    }

    /// Reads on, from the start of the next frame.
    fn fill(&mut self, disk: &dyn Disk) -> io::Result<()> {
        (self.from, self.to) = (0, 0);
        self.to = disk::read_full_at(disk, &self.file, &mut self.buffer, self.offset)?;
        Ok(())
    }
}

/// Reads a record in canonical form.
pub(crate) fn parse(bytes: &[u8]) -> Result<Record, String> {
    let value = canonical_json::parse_within(bytes, RECORD_BYTES_MOST).map_err(|error| error.to_string())?;
    match canonical_json::to_bytes(&value) {
        Ok(canonical) if canonical == bytes => {}
        Ok(_) => return Err("not in canonical form".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let fields = value.as_object().map_or(0, serde_json::Map::len);
    let record: Record = serde_json::from_value(value).map_err(|error| error.to_string())?;
    // A field that may be null must still be there.
    if fields != FIELDS { Err(format!("{fields} fields instead of {FIELDS}")) } else { Ok(record) }
}

/// Fields of a record.
const FIELDS: usize = 17;

/// The end of the journal, where batches are written.
#[derive(Debug)]
pub(crate) struct JournalEnd {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    file: File,
    /// The index of the segment's first record.
    first: u64,
    /// Bytes of the segment that are durable.
    durable: u64,
    /// The segment may hold more than that.
    unclean: bool,
    /// Somebody else removed or changed the segment. Nothing is written any more: the next start judges what is left.
    damaged: Option<String>,
    segment_bytes: u64,
}

impl JournalEnd {
    /// Goes on after `durable` bytes of the last segment, of which the file has no more.
    pub(crate) const fn new(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        file: File,
        (first, durable): (u64, u64),
        segment_bytes: u64,
    ) -> Self {
        Self { disk, folder, file, first, durable, unclean: false, damaged: None, segment_bytes }
    }

    /// The index of the first record of the segment that is written.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    /// Makes sure that there is nothing after what is durable, and room: the segment for a batch that begins with record `next`.
    pub(crate) fn prepare(&mut self, next: u64) -> io::Result<()> {
        if self.unclean {
            self.restore()?;
        }
        if self.durable >= self.segment_bytes && next > self.first {
            self.begin(next)?;
        }
        Ok(())
    }

    /// Appends a batch and makes it durable. After an error any part of it may stand in the file.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unclean = true;
        disk::write_all(&*self.disk, &self.file, bytes)?;
        self.disk.sync_data(&self.file)?;
        let end = self.durable.saturating_add(bytes.len() as u64);
        // What was written to a file that has no name any more, or that somebody cut, is durable nowhere.
        let found = self.disk.look(&self.file)?;
        if found.links == 0 {
            self.damaged = Some("the journal was removed".to_owned());
        } else if found.len != end {
            self.damaged =
                Some(format!("the journal was changed by another hand: {} bytes instead of {end}", found.len));
        }
        if let Some(why) = &self.damaged {
            return Err(io::Error::other(why.clone()));
        }
        self.durable = end;
        self.unclean = false;
        Ok(())
    }

    /// Cuts what is not durable off again: now if it can be, so that a crash leaves no torn end; else before the next write.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        if let Some(why) = &self.damaged {
            return Err(io::Error::other(why.clone()));
        }
        if !self.unclean {
            return Ok(());
        }
        // A handle that saw a failed sync may report success later for pages that are lost: take a new one.
        let file = self.disk.open_append(&self.folder.join(segment_name(self.first)), false)?;
        let found = self.disk.look(&file)?.len;
        if found < self.durable {
            let why = format!("the journal has {found} bytes, less than the {} that were durable", self.durable);
            return Err(io::Error::other(why));
        }
        self.disk.cut(&file, self.durable)?;
        self.disk.sync_all(&file)?;
        self.file = file;
        self.unclean = false;
        Ok(())
    }

    /// Begins a segment. All of the one before is durable.
    fn begin(&mut self, first: u64) -> io::Result<()> {
        let file = begin_segment(&*self.disk, &self.folder, first)?;
        (self.file, self.first, self.durable) = (file, first, 0);
        Ok(())
    }
}

/// Makes an empty segment, durably.
pub(crate) fn begin_segment(disk: &dyn Disk, folder: &Path, first: u64) -> io::Result<File> {
    let file = disk.open_append(&folder.join(segment_name(first)), true)?;
    disk.sync_all(&file)?;
    disk.sync_dir(folder)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_in_twenty_digits_and_sort_by_index() {
        for first in [0, 1, 256, u64::MAX] {
            assert_eq!(segment_first(&segment_name(first)), Some(first));
            assert_eq!(segment_name(first).len(), 20);
        }
        for name in ["", "0", "+0000000000000000001", "00000000000000000000.new", "99999999999999999999"] {
            assert_eq!(segment_first(name), None, "{name}");
        }
    }
}
