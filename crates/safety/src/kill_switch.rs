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
        let files: Vec<String> =
            self.sources.files.iter().map(|path| format!("file {}: contains 0", path.display())).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    struct Place {
        dir: TempDir,
        variable: Option<OsString>,
    }

    impl Place {
        /// A switch file that releases, no variable, no latch.
        fn released() -> Self {
            let place = Self { dir: tempfile::tempdir().unwrap(), variable: None };
            fs::write(place.file(), "0").unwrap();
            place
        }

        fn file(&self) -> PathBuf {
            self.dir.path().join("EXECUTION_HALTED")
        }

        fn latch(&self) -> PathBuf {
            self.dir.path().join("kill-switch/LATCH")
        }

        fn switch(&self) -> KillSwitch {
            KillSwitch::new(Sources { files: vec![self.file()], variable: self.variable.clone(), latch: self.latch() })
        }

        fn halts(&self, why: &str) {
            let reading = self.switch().read();
            assert!(reading.halted && reading.source.ends_with(why), "{reading:?}, not {why}");
        }

        fn releases(&self) {
            let reading = self.switch().read();
            assert_eq!(
                reading,
                Reading { halted: false, source: format!("file {}: contains 0", self.file().display()) }
            );
        }
    }

    #[test]
    fn nought_alone_releases_with_or_without_a_line_end() {
        let place = Place::released();
        for content in ["0", "0\n"] {
            fs::write(place.file(), content).unwrap();
            place.releases();
        }
    }

    #[test]
    fn any_other_content_halts() {
        let place = Place::released();
        for (content, why) in [
            ("", "is empty"),
            ("1", r#"contains "1""#),
            ("1\n", r#"contains "1\n""#),
            ("0\n1\n", r#"contains "0\n1" or more"#),
            ("0\r\n", r#"contains "0\r\n" or more"#),
            ("0 ", r#"contains "0 ""#),
            (" 0", r#"contains " 0""#),
            ("00", r#"contains "00""#),
            ("0\n\n", r#"contains "0\n\n" or more"#),
            ("\n", r#"contains "\n""#),
            ("false", r#"contains "fal" or more"#),
            ("0\0", r#"contains "0\0""#),
            ("\u{feff}0", "or more"),
        ] {
            fs::write(place.file(), content).unwrap();
            place.halts(why);
        }
        fs::write(place.file(), [0xff, 0x30]).unwrap();
        assert!(place.switch().read().halted);
        fs::write(place.file(), vec![b'0'; 1 << 20]).unwrap();
        place.halts(r#"contains "000" or more"#);
    }

    #[test]
    fn what_is_missing_or_no_file_halts() {
        let place = Place::released();
        fs::remove_file(place.file()).unwrap();
        place.halts("is missing");
        fs::create_dir(place.file()).unwrap();
        place.halts("is a directory");
        fs::remove_dir(place.file()).unwrap();
        fs::write(place.file(), "0").unwrap();
        place.releases();
    }

    #[test]
    fn a_switch_without_files_halts() {
        let place = Place::released();
        let switch = KillSwitch::new(Sources { files: Vec::new(), variable: None, latch: place.latch() });
        let none = Reading { halted: true, source: "file: none is configured".to_owned() };
        assert_eq!(switch.read(), none);
    }

    #[test]
    fn every_file_must_release() {
        let place = Place::released();
        let second = place.dir.path().join("second");
        let sources = Sources { files: vec![place.file(), second.clone()], variable: None, latch: place.latch() };
        let switch = KillSwitch::new(sources);
        assert_eq!(switch.read().source, format!("file {}: is missing", second.display()));
        fs::write(&second, "0\n").unwrap();
        assert!(!switch.read().halted);
        fs::write(place.file(), "1").unwrap();
        assert!(switch.read().halted);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_itself_cannot_be_read() {
        let place = Place::released();
        fs::remove_file(place.file()).unwrap();
        std::os::unix::fs::symlink(place.file(), place.file()).unwrap();
        let reading = place.switch().read();
        assert!(reading.halted && reading.source.contains("cannot be read"), "{reading:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_and_a_pipe_halt_at_once() {
        let place = Place::released();
        let switch = |file: &str| {
            KillSwitch::new(Sources { files: vec![file.into()], variable: None, latch: place.latch() }).read()
        };
        for device in ["/dev/zero", "/dev/null", "/dev/tty"] {
            assert!(switch(device).halted, "{device}");
        }
        let pipe = place.dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo makes a pipe");
        let reading = switch(pipe.to_str().unwrap());
        assert!(reading.halted && reading.source.ends_with("is not a regular file"), "{reading:?}");
        // Also when the pipe takes the file's place after the first look: opening does not wait for a writer.
        assert!(open(&pipe).is_ok_and(|file| regular(&file.metadata().unwrap()).is_err()));
    }

    /// A mounted ConfigMap: the key is a link to `..data/key`, and `..data` a link that is replaced by rename.
    #[cfg(unix)]
    #[test]
    fn a_swapped_link_is_seen_at_the_next_reading() {
        use std::os::unix::fs::symlink;
        let place = Place::released();
        fs::remove_file(place.file()).unwrap();
        let root = place.dir.path();
        let version = |name: &str, content: &str| {
            fs::create_dir(root.join(name)).unwrap();
            fs::write(root.join(name).join("EXECUTION_HALTED"), content).unwrap();
            symlink(name, root.join("..data_tmp")).unwrap();
            fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        };
        version("..1", "0");
        symlink("..data/EXECUTION_HALTED", place.file()).unwrap();
        let switch = place.switch();
        assert!(!switch.read().halted);
        version("..2", "1");
        assert!(switch.read().halted);
        version("..3", "0\n");
        assert!(!switch.read().halted);
        fs::remove_file(root.join("..data")).unwrap();
        assert!(switch.read().source.ends_with("is missing"));
    }

    #[test]
    fn the_variable_may_be_unset_or_nought() {
        let mut place = Place::released();
        place.variable = Some("0".into());
        place.releases();
        for value in ["", "1", "00", " 0", "0 ", "0\n", "false", "no", "o"] {
            place.variable = Some(value.into());
            place.halts(&format!("variable EXECUTION_HALTED: is {value:?}"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_halts() {
        use std::os::unix::ffi::OsStringExt as _;
        let mut place = Place::released();
        place.variable = Some(OsString::from_vec(vec![0xff, b'0']));
        assert!(place.switch().read().halted);
    }

    #[test]
    fn a_latch_halts_while_it_exists_whatever_it_is() {
        let place = Place::released();
        fs::create_dir(place.dir.path().join("kill-switch")).unwrap();
        place.releases();
        fs::write(place.latch(), "").unwrap();
        place.halts("exists");
        fs::remove_file(place.latch()).unwrap();
        fs::create_dir(place.latch()).unwrap();
        place.halts("exists");
        fs::remove_dir(place.latch()).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere", place.latch()).unwrap();
            place.halts("exists");
            fs::remove_file(place.latch()).unwrap();
        }
        place.releases();
        // A place that cannot be looked into halts as well.
        fs::remove_dir(place.dir.path().join("kill-switch")).unwrap();
        fs::write(place.dir.path().join("kill-switch"), "").unwrap();
        assert!(place.switch().read().halted);
    }

    #[test]
    fn every_source_that_halts_is_named() {
        let mut place = Place::released();
        place.variable = Some("1".into());
        fs::write(place.file(), "1").unwrap();
        fs::create_dir(place.dir.path().join("kill-switch")).unwrap();
        fs::write(place.latch(), "").unwrap();
        let (file, latch) = (place.file(), place.latch());
        let source = format!(
            r#"file {}: contains "1"; variable EXECUTION_HALTED: is "1"; latch {}: exists"#,
            file.display(),
            latch.display()
        );
        assert_eq!(place.switch().read(), Reading { halted: true, source });
    }
}
