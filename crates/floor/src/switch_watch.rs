//! Watches the kill switch: reads it at its sources many times a second, and tells each change as an input.

use agenttrader_agent::tasks::Stop;
use agenttrader_safety::kill_switch::{KillSwitch, Reading, Sources, VARIABLE};
use agenttrader_sequence::input::Fact;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Between two readings: a change must be seen, published and logged within 100 ms.
const READ_EVERY: Duration = Duration::from_millis(20);

/// Name of the variable that names another switch file.
pub const FILE_VARIABLE: &str = "EXECUTION_HALTED_FILE";

/// The switch file of a data directory.
pub fn own_file(data_dir: &Path) -> PathBuf {
    data_dir.join("kill-switch").join("EXECUTION_HALTED")
}

/// Where a halt keeps who asked for it and why.
pub fn claim(data_dir: &Path) -> PathBuf {
    data_dir.join("kill-switch").join("halt.json")
}

/// The latch of a data directory.
pub fn latch(data_dir: &Path) -> PathBuf {
    data_dir.join("kill-switch").join("LATCH")
}

/// The sources of the switch: the file that the environment names, else the data directory's; the variable and the latch.
pub fn sources(data_dir: &Path, environment: &BTreeMap<String, String>) -> Sources {
    let named = environment.get(FILE_VARIABLE).map(PathBuf::from);
    Sources {
        files: named.map_or_else(|| vec![own_file(data_dir)], |file| vec![file]),
        variable: environment.get(VARIABLE).map(OsString::from),
        latch: latch(data_dir),
    }
}

/// Creates the data directory's switch file with `1` if there is none. Never overwrites it: whatever stands there is
/// somebody's word.
///
/// # Errors
/// When neither the folder nor the file can be made.
pub fn create_own_file(data_dir: &Path) -> std::io::Result<()> {
    let path = own_file(data_dir);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::File::create_new(&path) {
        Ok(mut file) => {
            file.write_all(b"1\n")?;
            file.sync_all()
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads until a stop is asked for, and tells the first reading and each that differs from the one before.
pub fn run(switch: &KillSwitch, facts: &SyncSender<Fact>, stop: &Stop) {
    let mut last: Option<Reading> = None;
    while !stop.is_set() {
        let reading = switch.read();
        if last.as_ref() != Some(&reading) {
            if facts.send(Fact::Switch(reading.clone())).is_err() {
                return;
            }
            last = Some(reading);
        }
        std::thread::sleep(READ_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_data_directory_halts_and_a_persons_word_is_kept() {
        let data_dir = tempfile::tempdir().unwrap();
        create_own_file(data_dir.path()).unwrap();
        let switch = KillSwitch::new(sources(data_dir.path(), &BTreeMap::new()));
        assert!(switch.read().halted);
        std::fs::write(own_file(data_dir.path()), "0\n").unwrap();
        create_own_file(data_dir.path()).unwrap();
        assert!(!switch.read().halted);
    }
}
