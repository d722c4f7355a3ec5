//! Reading a recording back, input by input, in bounded memory.
//!
//! A run that ends by a crash leaves a file whose last record may be torn: its beginning, or a stretch of zeros the file system put
//! there. Such a tail is cut and reported. Anything else that does not fit is an error that names its place: a recording that was
//! changed in the middle is never read past the change.

use crate::format::{self, CHECKSUM, Defined, Framed, MAGIC, MAX_RECORD, PREAMBLE};
use crate::head::{FORMAT_VERSION, Head, HeadError, MAX_HEAD_BYTES};
use crate::input::Numbered;
use agenttrader_core::digest::{Digest, Running};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Read at a time.
const CHUNK: usize = 256 * 1024;
/// A tail longer than this is no torn record: the longest record, and what one write of the recorder may hold besides.
const LONGEST_TAIL: usize = MAX_RECORD + 1024 * 1024;
/// Bytes hashed at most in the search for a good record behind a bad one. A file that needs more was not torn by a crash.
const SEARCH: usize = 256 * 1024 * 1024;

/// A recording being read. Iterates over [`Numbered`] inputs; after an error there is nothing more.
pub struct Recording {
    file: Box<dyn Read + Send>,
    path: PathBuf,
    head: Head,
    buffer: Vec<u8>,
    /// Where in the buffer the next record begins, and where the bytes read end.
    start: usize,
    end: usize,
    /// Up to where in the buffer the digest has come; at most `start`.
    hashed: usize,
    /// Where in the file the buffer begins.
    base: u64,
    /// Everything is read.
    exhausted: bool,
    /// Nothing more will be given out.
    ended: bool,
    digest: Running,
    inputs: u64,
    defined: Defined,
    torn: Option<Torn>,
}

/// A tail that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Torn {
    /// Where it begins: the end of the last whole input.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// Why a recording cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("cannot open the recording {}", path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused to read on.
    #[error("cannot read the recording {} at byte {offset}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The first bytes are not those of a recording.
    #[error("{} is not a recording: it does not begin as one", path.display())]
    Magic {
        /// The path.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error("the recording {} has format version {found}; this program reads version {FORMAT_VERSION}", path.display())]
    Version {
        /// The path.
        path: PathBuf,
        /// The version it says.
        found: u32,
    },
    /// The file ends inside its head.
    #[error("the recording {} ends at byte {bytes}, inside its head", path.display())]
    HeadTruncated {
        /// The path.
        path: PathBuf,
        /// Bytes there are.
        bytes: u64,
    },
    /// The head's checksum differs.
    #[error("the head of the recording {} was altered: checksum at byte {offset} is {found:08x}, its bytes give {computed:08x}", path.display())]
    HeadChecksum {
        /// The path.
        path: PathBuf,
        /// Where the checksum stands.
        offset: u64,
        /// As it stands.
        found: u32,
        /// As it should be.
        computed: u32,
    },
    /// The head cannot be used.
    #[error("the head of the recording {}, from byte {PREAMBLE}", path.display())]
    Head {
        /// The path.
        path: PathBuf,
        /// Why.
        source: HeadError,
    },
    /// A record that cannot be what was written, and more than a torn tail.
    #[error("the recording {} is damaged at byte {offset}, input {number}: {problem}", path.display())]
    Damaged {
        /// The path.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// The number its input would have.
        number: u64,
        /// What is wrong.
        problem: String,
    },
    /// A record whose length is beyond any that is written.
    #[error(
        "the recording {} has a record of {length} bytes at byte {offset}, input {number}; at most {limit} are ever written",
        path.display(),
        limit = format::MAX_PAYLOAD
    )]
    Length {
        /// The path.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// The number its input would have.
        number: u64,
        /// The length it says.
        length: u32,
    },
    /// A record whose checksum agrees but whose content is no input, or does not fit what came before.
    #[error("the recording {} has at byte {offset}, input {number}, a record that is no input: {problem}", path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// The number its input would have.
        number: u64,
        /// What is wrong.
        problem: String,
    },
}

impl Recording {
    /// Opens a recording and reads its head.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be opened or has no head that this version reads.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
        Self::over(Box::new(file), path)
    }

    /// Reads a recording from anywhere; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn from_reader(reader: impl Read + Send + 'static, name: &Path) -> Result<Self, ReadError> {
        Self::over(Box::new(reader), name)
    }

    fn over(mut file: Box<dyn Read + Send>, path: &Path) -> Result<Self, ReadError> {
        let (head, bytes) = read_head(&mut *file, path)?;
        let mut digest = Running::default();
        digest.update(&bytes);
        Ok(Self {
            file,
            path: path.to_owned(),
            head,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            hashed: 0,
            base: bytes.len() as u64,
            exhausted: false,
            ended: false,
            digest,
            inputs: 0,
            defined: Defined::default(),
            torn: None,
        })
    }

    /// The recording's head.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The next input, or `None` at the end; then [`Recording::torn`] says whether a tail was cut.
    ///
    /// # Errors
    /// [`ReadError`], naming the place. After an error there is nothing more.
    pub fn next_input(&mut self) -> Result<Option<Numbered>, ReadError> {
        while !self.ended {
            let bad = match format::frame(self.waiting()) {
                Framed::Whole(frame) => {
                    let (at, len) = (frame.at(), frame.len);
                    let content = frame.input().and_then(|input| self.defined.admit(&input).map(|()| input));
                    return match content {
                        Ok(input) => {
                            let number = self.inputs;
                            self.inputs = number.saturating_add(1);
                            self.start = self.start.saturating_add(len);
                            Ok(Some(Numbered { number, at, input }))
                        }
                        Err(problem) => {
                            self.ended = true;
                            let (path, offset, number) = self.place();
                            Err(ReadError::Content { path, offset, number, problem })
                        }
                    };
                }
                Framed::Short { needs } if !self.exhausted => {
                    self.fill(needs)?;
                    continue;
                }
                Framed::Short { .. } if self.start == self.end => {
                    self.ended = true;
                    break;
                }
                bad => Bad::from(bad),
            };
            self.ended = true;
            self.judge_tail(bad)?;
        }
        Ok(None)
    }

    /// The tail that was cut, once the end is reached.
    pub const fn torn(&self) -> Option<Torn> {
        self.torn
    }

    /// SHA-256 of the file from its first byte to the end of the last input given out; of the head alone before the first.
    pub fn digest_so_far(&mut self) -> Digest {
        self.hash_given();
        self.digest.so_far()
    }

    /// Bytes from the file's first to the end of the last input given out: the `N` of `head -c N FILE | sha256sum`.
    pub const fn offset(&self) -> u64 {
        self.base.saturating_add(self.start as u64)
    }

    /// How many inputs were given out.
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn place(&self) -> (PathBuf, u64, u64) {
        (self.path.clone(), self.offset(), self.inputs)
    }

    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn hash_given(&mut self) {
        self.digest.update(self.buffer.get(self.hashed..self.start).unwrap_or_default());
        self.hashed = self.start;
    }

    /// Reads on until `needs` bytes wait or the file is exhausted.
    fn fill(&mut self, needs: usize) -> Result<(), ReadError> {
        self.hash_given();
        self.buffer.copy_within(self.start..self.end, 0);
        self.base = self.base.saturating_add(self.start as u64);
        self.end = self.end.saturating_sub(self.start);
        (self.start, self.hashed) = (0, 0);
        while self.end < needs && !self.exhausted {
            if self.end == self.buffer.len() {
                // Memory follows what is there, not what a length claims.
                self.buffer.resize(self.end.saturating_mul(2), 0);
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.file.read(room) {
                Ok(0) => self.exhausted = true,
                Ok(got) => self.end = self.end.saturating_add(got),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    self.ended = true;
                    let offset = self.base.saturating_add(self.end as u64);
                    return Err(ReadError::Io { path: self.path.clone(), offset, source });
                }
            }
        }
        Ok(())
    }

    /// What stands here is no record. Whether a crash left it, or something else happened to the file.
    fn judge_tail(&mut self, bad: Bad) -> Result<(), ReadError> {
        let (path, offset, number) = self.place();
        if let Bad::Length(length) = bad {
            return Err(ReadError::Length { path, offset, number, length });
        }
        self.fill(LONGEST_TAIL)?;
        let tail = self.waiting();
        let also = if !self.exhausted {
            Some("more follows than a torn record can have".to_owned())
        } else {
            match bad {
                Bad::Kind(_) if tail.iter().any(|byte| *byte != 0) => Some("no crash leaves that".to_owned()),
                _ => good_record_in(tail).map(|inside| match inside {
                    Some(inside) => format!("a good record follows at byte {}", offset.saturating_add(inside as u64)),
                    None => "what follows is too much to be searched for good records".to_owned(),
                }),
            }
        };
        match also {
            Some(also) => Err(ReadError::Damaged { path, offset, number, problem: format!("{bad}, and {also}") }),
            None => {
                self.torn = Some(Torn { offset, bytes: tail.len() as u64 });
                Ok(())
            }
        }
    }
}

impl Iterator for Recording {
    type Item = Result<Numbered, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_input().transpose()
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Recording")
            .field("path", &self.path)
            .field("inputs", &self.inputs)
            .field("offset", &self.offset())
            .finish_non_exhaustive()
    }
}

/// What is wrong with the bytes where a record should begin.
#[derive(Clone, Copy, Debug)]
enum Bad {
    Short,
    Kind(u8),
    Length(u32),
    Checksum { found: u32, computed: u32 },
}

impl From<Framed<'_>> for Bad {
    fn from(framed: Framed<'_>) -> Self {
        match framed {
            // A whole record is not bad; the one place that asks has dealt with it before.
            Framed::Whole(_) | Framed::Short { .. } => Self::Short,
            Framed::Kind(first) => Self::Kind(first),
            Framed::Length(length) => Self::Length(length),
            Framed::Checksum { found, computed, .. } => Self::Checksum { found, computed },
        }
    }
}

impl std::fmt::Display for Bad {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => out.write_str("the record is longer than the file"),
            Self::Kind(first) => write!(out, "no record begins with byte {first:#04x}"),
            Self::Length(length) => write!(out, "a record of {length} bytes"),
            Self::Checksum { found, computed } => {
                write!(out, "its checksum is {found:08x} where its bytes give {computed:08x}")
            }
        }
    }
}

/// Where behind the first byte of `tail` a good record begins: `None` if nowhere, `Some(None)` if that would take too long to find out.
fn good_record_in(tail: &[u8]) -> Option<Option<usize>> {
    let mut left = SEARCH;
    for at in 1..tail.len() {
        let from = tail.get(at..).unwrap_or_default();
        let spent = match format::frame(from) {
            Framed::Whole(_) => return Some(Some(at)),
            Framed::Checksum { len, .. } => len,
            Framed::Short { .. } | Framed::Kind(_) | Framed::Length(_) => 0,
        };
        match left.checked_sub(spent) {
            Some(rest) => left = rest,
            None => return Some(None),
        }
    }
    None
}

/// Reads everything before the first input; gives the head and those bytes.
fn read_head(file: &mut dyn Read, path: &Path) -> Result<(Head, Vec<u8>), ReadError> {
    let mut bytes = Vec::with_capacity(CHUNK);
    let mut take = |count: usize, bytes: &mut Vec<u8>| -> Result<bool, ReadError> {
        let offset = bytes.len() as u64;
        // `take` bounds what is read, so that memory follows what is there and not what a file claims.
        let got = (&mut *file).take(count as u64).read_to_end(bytes);
        got.map(|got| got == count).map_err(|source| ReadError::Io { path: path.to_owned(), offset, source })
    };
    let truncated = |bytes: &[u8]| ReadError::HeadTruncated { path: path.to_owned(), bytes: bytes.len() as u64 };

    let whole = take(PREAMBLE, &mut bytes)?;
    if !bytes.iter().zip(&MAGIC).all(|(found, wanted)| found == wanted) {
        return Err(ReadError::Magic { path: path.to_owned() });
    }
    let word = |bytes: &[u8], at: usize| {
        bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|word| u32::from_le_bytes(*word))
    };
    let (Some(version), Some(length), true) = (word(&bytes, 8), word(&bytes, 12), whole) else {
        return Err(truncated(&bytes));
    };
    if version != FORMAT_VERSION {
        return Err(ReadError::Version { path: path.to_owned(), found: version });
    }
    let unusable = |source| ReadError::Head { path: path.to_owned(), source };
    let Some(json_len) = usize::try_from(length).ok().filter(|length| *length <= MAX_HEAD_BYTES) else {
        return Err(unusable(HeadError::TooLong { bytes: u64::from(length) }));
    };
    let whole = take(json_len, &mut bytes)? && take(CHECKSUM, &mut bytes)?;
    let offset = PREAMBLE.saturating_add(json_len);
    let (Some(found), true) = (word(&bytes, offset), whole) else { return Err(truncated(&bytes)) };
    let computed = crc32fast::hash(bytes.get(..offset).unwrap_or_default());
    if found != computed {
        return Err(ReadError::HeadChecksum { path: path.to_owned(), offset: offset as u64, found, computed });
    }
    let head = Head::from_json(bytes.get(PREAMBLE..offset).unwrap_or_default()).map_err(unusable)?;
    if head.format_version != version {
        let problem = format!("it says format version {} where the file says {version}", head.format_version);
        return Err(unusable(HeadError::Shape { problem }));
    }
    Ok((head, bytes))
}
