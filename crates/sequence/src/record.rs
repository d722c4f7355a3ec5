//! Writing a recording.
//!
//! An input is encoded into a buffer the moment it gets its number, so the number, the digest and the bytes never disagree. The buffer
//! goes to the file when it is full, at each [`Recorder::flush`], and at the end. A write that fails leaves the file cut to whole
//! records and the buffer as it was: the next write begins where the last good one ended, and nothing is lost, doubled or reordered.

use crate::format::{self, Defined, MAGIC, PREAMBLE};
use crate::head::{FORMAT_VERSION, Head, HeadError};
use crate::input::Input;
use agenttrader_core::digest::{Digest, Running};
use agenttrader_core::time::UnixNanos;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The buffer is written out when it holds this much: a system call for about a thousand quotes.
const BUFFER: usize = 64 * 1024;

/// Writes one recording.
#[derive(Debug)]
pub struct Recorder {
    file: Box<dyn Target>,
    path: PathBuf,
    /// Bytes of whole records that are in the file.
    written: u64,
    /// A write failed and the file could not be cut: there may be more in it than `written`.
    ragged: bool,
    /// Whole records that are not yet in the file.
    buffer: Vec<u8>,
    digest: Running,
    inputs: u64,
    defined: Defined,
}

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is something at the path already. A recording is never overwritten.
    #[error("there is already a file at {}; a recording is never overwritten", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot create the recording {}", path.display())]
    Create {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The head cannot be written.
    #[error("the recording {} cannot begin", path.display())]
    Head {
        /// The path.
        path: PathBuf,
        /// Why.
        source: HeadError,
    },
    /// The system refused a write. Everything up to here is kept and written with the next try.
    #[error("cannot write to the recording {} at byte {offset}; {waiting} bytes wait for the next try", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// Where the write began: the end of the last whole record in the file.
        offset: u64,
        /// Bytes that are recorded but not in the file.
        waiting: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The input has no form in a recording. It got no number.
    #[error("input {number} cannot be recorded: {problem}")]
    Input {
        /// The number it would have had.
        number: u64,
        /// What is wrong with it.
        problem: String,
    },
}

/// What a recorder asks of its file, and of what takes a file's place where faults are tried.
pub trait Target: Write + Send + Sync + std::fmt::Debug {
    /// Cuts the file to that many bytes and goes on from there.
    ///
    /// # Errors
    /// When the system refuses: there may then be more in it.
    fn cut(&mut self, len: u64) -> io::Result<()>;
    /// Makes what was written durable.
    ///
    /// # Errors
    /// When the system refuses.
    fn sync(&mut self) -> io::Result<()>;
}

impl Target for File {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.seek(SeekFrom::Start(len)).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Recorder {
    /// Begins a recording: makes the file and writes the head.
    ///
    /// # Errors
    /// [`RecordError::Exists`] if there is anything at `path`, [`RecordError::Create`] if it cannot be made, [`RecordError::Head`] if the
    /// head has no form, [`RecordError::Write`] if it cannot be written; then no file is left behind.
    pub fn create(path: &Path, head: &Head) -> Result<Self, RecordError> {
        // Before there is a file: a head without a form leaves none behind.
        let preamble = preamble(head).map_err(|source| RecordError::Head { path: path.to_owned(), source })?;
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::AlreadyExists => RecordError::Exists { path },
                _ => RecordError::Create { path, source },
            }
        })?;
        let mut recorder = Self::over(Box::new(file), path, preamble);
        if let Err(error) = recorder.flush() {
            // Nothing is in it; that it stays if it cannot be removed either is what the error says anyway.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(recorder)
    }

    /// Begins a recording on what is there already, named `path` in errors: writes the head.
    ///
    /// # Errors
    /// [`RecordError::Head`] if the head has no form, [`RecordError::Write`] if it cannot be written.
    pub fn begin_on(target: Box<dyn Target>, path: &Path, head: &Head) -> Result<Self, RecordError> {
        let preamble = preamble(head).map_err(|source| RecordError::Head { path: path.to_owned(), source })?;
        let mut recorder = Self::over(target, path, preamble);
        recorder.flush()?;
        Ok(recorder)
    }

    fn over(file: Box<dyn Target>, path: &Path, preamble: Vec<u8>) -> Self {
        let mut digest = Running::default();
        digest.update(&preamble);
        let mut buffer = preamble;
        buffer.reserve(BUFFER.saturating_add(format::MAX_FIXED));
        Self {
            file,
            path: path.to_owned(),
            written: 0,
            ragged: false,
            buffer,
            digest,
            inputs: 0,
            defined: Defined::default(),
        }
    }

    /// Records one input, which took place at venue time `at`, and gives its number: 0 for the first, then one more for each. Allocates
    /// nothing for a market event.
    ///
    /// # Errors
    /// [`RecordError::Write`] when the buffer is full and cannot be written, [`RecordError::Input`] when the input has no form (a JSON
    /// number beyond 2^53, more than 16 MiB) or its instrument number is not the next free one or not yet defined. In both cases the
    /// input has no number and the recording is as it was: the same input may be tried again.
    pub fn record(&mut self, at: UnixNanos, input: &Input) -> Result<u64, RecordError> {
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        let refused = |problem: String| RecordError::Input { number: self.inputs, problem };
        let mut defined = self.defined;
        defined.admit(input).map_err(refused)?;
        let from = self.buffer.len();
        format::encode(at, input, &mut self.buffer).map_err(|error| refused(error.to_string()))?;
        self.digest.update(self.buffer.get(from..).unwrap_or_default());
        self.defined = defined;
        let number = self.inputs;
        self.inputs = number.saturating_add(1);
        Ok(number)
    }

    /// SHA-256 of the recording's bytes from the head's first to the last input's last, whether they are in the file yet or not:
    /// `head -c N FILE | sha256sum` with [`Recorder::bytes`] as N.
    pub fn digest_so_far(&self) -> Digest {
        self.digest.so_far()
    }

    /// Bytes from the head's first to the last input's last, whether they are in the file yet or not.
    pub fn bytes(&self) -> u64 {
        self.written.saturating_add(self.buffer.len() as u64)
    }

    /// How many inputs are recorded: the number the next one gets.
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands everything recorded so far to the system. The owner calls this once a second, so that a crash of the process costs at most
    /// a second of inputs.
    ///
    /// # Errors
    /// [`RecordError::Write`]; what could not be written is kept and written with the next try.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.ragged {
            self.file.cut(self.written).map_err(|source| self.unwritten(source))?;
            self.ragged = false;
        }
        let done = self.file.write_all(&self.buffer).and_then(|()| self.file.flush());
        if let Err(source) = done {
            // Part of the buffer may be in the file. If it cannot be cut now, a reader finds the torn record, and the next try cuts first.
            self.ragged = self.file.cut(self.written).is_err();
            return Err(self.unwritten(source));
        }
        self.written = self.bytes();
        self.buffer.clear();
        Ok(())
    }

    /// Ends the recording: writes what waits and makes all of it durable.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn finish(mut self) -> Result<Finished, RecordError> {
        self.flush()?;
        if let Err(source) = self.file.sync() {
            return Err(self.unwritten(source));
        }
        Ok(Finished { digest: self.digest_so_far(), bytes: self.bytes(), inputs: self.inputs })
    }

    fn unwritten(&self, source: io::Error) -> RecordError {
        let waiting = self.buffer.len() as u64;
        RecordError::Write { path: self.path.clone(), offset: self.written, waiting, source }
    }
}

impl Drop for Recorder {
    /// A run that ends in an error keeps what it recorded; nobody is left to hear of a failure here.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// A finished recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// SHA-256 of the whole file.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// Its inputs.
    pub inputs: u64,
}

/// Everything before the first input.
fn preamble(head: &Head) -> Result<Vec<u8>, HeadError> {
    if head.format_version != FORMAT_VERSION {
        let problem = format!("format version {} where {FORMAT_VERSION} is written", head.format_version);
        return Err(HeadError::Shape { problem });
    }
    let json = head.to_json()?;
    let length = u32::try_from(json.len()).map_err(|_| HeadError::TooLong { bytes: json.len() as u64 })?;
    let mut bytes = Vec::with_capacity(PREAMBLE.saturating_add(json.len()).saturating_add(format::CHECKSUM));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&head.format_version.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(json.as_bytes());
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{Source, SourceKind};
    use crate::input::Fact;
    use crate::read::Recording;
    use std::sync::{Arc, Mutex};

    /// A disk that takes so many bytes more and then fails, in its cuts too if told so.
    #[derive(Clone, Debug, Default)]
    struct Disk(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        bytes: Vec<u8>,
        room: usize,
        cuts_fail: bool,
    }

    impl Write for Disk {
        fn write(&mut self, from: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock().unwrap();
            let takes = from.len().min(state.room).min(1000);
            if takes == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.room -= takes;
            state.bytes.extend_from_slice(&from[..takes]);
            Ok(takes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Target for Disk {
        fn cut(&mut self, len: u64) -> io::Result<()> {
            let mut state = self.0.lock().unwrap();
            if state.cuts_fail {
                return Err(io::ErrorKind::Other.into());
            }
            state.bytes.truncate(len as usize);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn begin(disk: &Disk) -> Recorder {
        let source = Source { kind: SourceKind::Venue, name: "test".to_owned() };
        let head = Head::flat(uuid::Uuid::nil(), UnixNanos::EPOCH, jiff::civil::date(2026, 3, 2), source);
        disk.0.lock().unwrap().room = usize::MAX;
        Recorder::begin_on(Box::new(disk.clone()), Path::new("disk"), &head).unwrap()
    }

    fn timer(second: i64) -> Input {
        Input::Fact(Fact::Timer { wall: UnixNanos::from_seconds(second) })
    }

    fn readable(disk: &Disk) -> usize {
        let bytes = disk.0.lock().unwrap().bytes.clone();
        Recording::from_reader(io::Cursor::new(bytes), Path::new("disk")).unwrap().map(Result::unwrap).count()
    }

    #[test]
    fn a_full_disk_leaves_whole_records_and_loses_nothing_once_there_is_room() {
        for cuts_fail in [false, true] {
            let disk = Disk::default();
            let mut recorder = begin(&disk);
            recorder.record(UnixNanos::EPOCH, &timer(0)).unwrap();
            recorder.flush().unwrap();
            {
                let mut state = disk.0.lock().unwrap();
                (state.room, state.cuts_fail) = (2_500, cuts_fail);
            }
            // Until the buffer is full, inputs are taken; then none, and none of these gets a number.
            let mut taken: u64 = 1;
            let error = loop {
                match recorder.record(UnixNanos::EPOCH, &timer(taken as i64)) {
                    Ok(number) => assert_eq!(number, taken),
                    Err(error) => break error,
                }
                taken += 1;
            };
            assert!(matches!(error, RecordError::Write { .. }), "{error}");
            let before = (recorder.bytes(), recorder.digest_so_far());
            assert!(recorder.record(UnixNanos::EPOCH, &timer(0)).is_err());
            assert_eq!((recorder.bytes(), recorder.digest_so_far(), recorder.inputs()), (before.0, before.1, taken));
            if !cuts_fail {
                assert_eq!(readable(&disk), 1, "the part that was written is cut");
            }
            {
                let mut state = disk.0.lock().unwrap();
                (state.room, state.cuts_fail) = (usize::MAX, false);
            }
            assert_eq!(recorder.record(UnixNanos::EPOCH, &timer(taken as i64)).unwrap(), taken);
            let finished = recorder.finish().unwrap();
            assert_eq!(readable(&disk) as u64, taken + 1);
            assert_eq!(finished.digest, Digest::of(&disk.0.lock().unwrap().bytes));
        }
    }
}
