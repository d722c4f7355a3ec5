//! What a reading of commands notes, and where it stands. What each sort of command does is noted in a file of its own.

use crate::found::{Found, Key};
use std::collections::{BTreeMap, BTreeSet};

/// Where a command stands and what comes into it.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Texts that are piped into it, where they are known.
    pub stdin: Vec<String>,
    /// What a `kubectl get` before the pipe asks for: kinds and names.
    pub source: Vec<String>,
    /// Commands around it that hold it as text.
    pub depth: usize,
}

/// Reads commands and notes what they do.
#[derive(Debug, Default)]
pub struct Runner {
    /// What was found.
    pub found: Found,
    /// What the script writes into files, by their names.
    pub(super) written: BTreeMap<String, BTreeSet<String>>,
    /// Written files that were read as scripts.
    pub(super) written_read: usize,
    /// What the script lets its aliases stand for.
    pub(super) aliases: BTreeMap<String, String>,
    /// Functions of the script that only show what they are given.
    pub(super) shows: BTreeSet<String>,
    /// `declare -n m=NAME`: what `m` sets is NAME.
    pub(super) references: BTreeMap<String, Key>,
}

/// Whether a path is that of the switch: its file, or the folder it is mounted at.
pub fn is_switch(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next() == Some("EXECUTION_HALTED") || path.ends_with("/kill-switch") || path == "kill-switch"
}
