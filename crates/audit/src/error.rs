//! Why a log cannot be opened, and why a record is not durable.

use std::io;
use std::path::PathBuf;

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The agent's name cannot name a folder.
    #[error("`{name}` cannot name a log: 1 to 64 letters, digits, `-` and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// Another process holds the log.
    #[error("the audit log is held by another process ({path}); end that process first, or use another data directory")]
    Held {
        /// The lock file.
        path: PathBuf,
    },
    /// A frame of the journal is bad, and what follows it, or covers it, was written later: damage, not a crash.
    #[error(
        "AUDIT_CORRUPT: {path}, record {index}: {why}; a crash leaves no such thing: keep the files and ask who changed them"
    )]
    Corrupt {
        /// The journal's segment.
        path: PathBuf,
        /// The record that should stand there.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The log's files contradict each other, or hold what this log never wrote.
    #[error("AUDIT_CORRUPT: {path}: {why}; a crash leaves no such thing: keep the files and ask who changed them")]
    Disagrees {
        /// The file.
        path: PathBuf,
        /// What it contradicts.
        why: String,
    },
    /// The data directory holds a log of a version whose logs had no tree.
    #[error("{path} is the audit log of an earlier version: move the data directory away, or use another one")]
    Old {
        /// That version's journal.
        path: PathBuf,
    },
    /// The key is not named after this log, or is a witness's.
    #[error("the key `{name}` cannot sign the checkpoints of {origin}: a log's key is named after it and no witness's")]
    Key {
        /// The key's name.
        name: String,
        /// The log's origin.
        origin: String,
    },
    /// A file or folder cannot be made, read or written.
    #[error("cannot open the audit log at {path}")]
    Io {
        /// What could not be opened.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The log's threads cannot be started.
    #[error("cannot start the audit log's threads")]
    Thread(#[source] io::Error),
}

/// Why a record is not durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The disk refused. The record is kept and tried again, so it may still come to stand in the log.
    #[error("the audit log cannot be written: {why}")]
    Unavailable {
        /// The system's words.
        why: String,
    },
    /// Too many records wait for the disk; this one is lost, and counted.
    #[error("the audit log's queue is full: the record is lost")]
    Full,
    /// The payload has no canonical form. The record stands without it and says so.
    #[error("the payload has no canonical form: {why}")]
    Payload {
        /// What it holds.
        why: String,
    },
    /// The log has no record yet, and so no checkpoint.
    #[error("the audit log has no record yet")]
    Empty,
    /// The log is closed.
    #[error("the audit log is closed")]
    Closed,
}
