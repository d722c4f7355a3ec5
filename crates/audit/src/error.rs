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
    /// A line is no record, and good records follow it: damage, not a crash.
    #[error(
        "AUDIT_CORRUPT: {path} line {line}: {why}; good records follow it, so this is damage: keep the file and ask who changed it"
    )]
    Corrupt {
        /// The journal.
        path: PathBuf,
        /// The bad line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
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
    /// The writer's thread cannot be started.
    #[error("cannot start the audit log's writer")]
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
    /// The log is closed.
    #[error("the audit log is closed")]
    Closed,
}
