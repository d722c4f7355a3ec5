//! The kill switch: read at its source each time, never remembered.
//!
//! The one module of this crate that opens files. It never writes one.

use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The variable's name, as operators know it.
pub const VARIABLE: &str = "EXECUTION_HALTED";

/// Bytes of a switch file that are read: one more than the longest content that does not halt.
const BYTES_READ: u64 = 3;

/// One reading of the switch. Halted unless every source says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Whether execution is halted.
    pub halted: bool,
    /// Which sources halt and why, each after a `; `, or what releases: `file kill-switch/EXECUTION_HALTED: contains "1"`.
    pub source: String,
}

/// Where the switch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// Switch files. Without any the switch halts.
    pub files: Vec<PathBuf>,
    /// What `EXECUTION_HALTED` held when the process began; null when it was unset. Nothing outside can change it afterwards.
    pub variable: Option<OsString>,
    /// Halts while it exists, whatever it is.
    pub latch: PathBuf,
}

/// The kill switch. Concrete on purpose: no other thing can stand where a reading of it is asked for.
#[derive(Debug)]
pub struct KillSwitch {
    sources: Sources,
}

impl KillSwitch {
    /// A switch with these sources.
    pub const fn new(sources: Sources) -> Self {
        Self { sources }
    }

    /// Where it stands, for those who watch the files and tell people what to do.
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Reads every source afresh. Not halted only when there is a switch file, every one holds exactly `0` or `0\n`, the variable is unset or
    /// exactly `0`, and there is no latch. Never fails: what cannot be read halts.
    pub fn read(&self) -> Reading {
        let mut halting: Vec<String> = Vec::new();
        if self.sources.files.is_empty() {
            halting.push("file: none is configured".to_owned());
        }
        for path in &self.sources.files {
            if let Err(why) = released(path) {
                halting.push(format!("file {}: {why}", path.display()));
            }
        }
        if let Some(value) = self.sources.variable.as_deref().filter(|value| *value != OsStr::new("0")) {
            halting.push(format!("variable {VARIABLE}: is {:?}", shown(value.as_encoded_bytes())));
        }
        if let Some(why) = latched(&self.sources.latch) {
            halting.push(format!("latch {}: {why}", self.sources.latch.display()));
        }
        if !halting.is_empty() {
            return Reading { halted: true, source: halting.join("; ") };
        }
        let files: Vec<String> = self.sources.files.iter().map(|path| format!("file {}: contains 0", path.display())).collect();
        Reading { halted: false, source: files.join("; ") }
    }
}

/// Whether a switch file releases; if not, why it halts.
fn released(path: &Path) -> Result<(), String> {
    // Following links is meant: a mounted ConfigMap is a link that is swapped. Asked before the file is opened, since opening a device may
    // already do something, and after it, since the path may have changed in between.
    let before = fs::metadata(path).map_err(|error| words(&error))?;
    regular(&before)?;
    let file = open(path).map_err(|error| words(&error))?;
    regular(&file.metadata().map_err(|error| words(&error))?)?;
    let mut content = Vec::new();
    file.take(BYTES_READ).read_to_end(&mut content).map_err(|error| words(&error))?;
    match content.as_slice() {
        b"0" | b"0\n" => Ok(()),
        b"" => Err("is empty".to_owned()),
        bytes if bytes.len() as u64 == BYTES_READ => Err(format!("contains {:?} or more", shown(bytes))),
        bytes => Err(format!("contains {:?}", shown(bytes))),
    }
}

fn regular(metadata: &fs::Metadata) -> Result<(), String> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(if metadata.is_dir() { "is a directory" } else { "is not a regular file" }.to_owned())
}

/// Opens without waiting: a pipe put in the file's place between two looks must not hang the sender.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(O_NONBLOCK);
    }
    options.open(path)
}

/// `O_NONBLOCK` of `<fcntl.h>`, which std does not name.
#[cfg(all(unix, any(target_os = "linux", target_os = "android")))]
const O_NONBLOCK: i32 = 0o4000;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const O_NONBLOCK: i32 = 0x4;

/// Why a latch halts; null when there is none.
fn latched(path: &Path) -> Option<String> {
    // The link itself counts, wherever it points.
    match fs::symlink_metadata(path) {
        Ok(_) => Some("exists".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(words(&error)),
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is missing".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// At most 16 bytes of a value, as text.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..16).unwrap_or(bytes)).into_owned()
}
