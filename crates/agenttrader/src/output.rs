//! Everything this binary prints: data on standard output, talk on standard error, and the exit codes.

use agenttrader_audit::redact::Redactor;
use agenttrader_floor::plain::plain;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Longest wait for a reader of [`tell`].
const TELL_WITHIN: Duration = Duration::from_millis(300);

/// Lines of [`tell`] that are not written yet.
static UNTOLD: AtomicUsize = AtomicUsize::new(0);

/// Takes secrets out of talk.
static REDACTOR: OnceLock<Arc<Redactor>> = OnceLock::new();

/// Why a command ends as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done and good.
    Good,
    /// Judged and bad.
    Bad,
    /// Could not judge, or bad usage.
    CouldNot,
    /// A needed service is unavailable.
    Unavailable,
    /// Try again.
    TryAgain,
    /// Configuration refused.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::CouldNot => 2,
            Exit::Unavailable => 69,
            Exit::TryAgain => 75,
            Exit::Refused => 78,
        })
    }
}

/// A command that failed: what, why, and what to do.
#[derive(Debug)]
pub struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// What happened and why, causes after colons.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure from an error and its causes.
    pub fn of(exit: Exit, error: &dyn std::error::Error) -> Self {
        Self { exit, message: agenttrader_core::error_chain::chain(error), hint: None }
    }

    /// A failure in words.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a command comes to.
pub type Done = Result<Exit, Failure>;

/// Data, to standard output. A reader that went away is no failure of ours.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Data that goes on and on: whether somebody still reads it.
pub fn is_read(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}

/// How many of something, in words: `1 lock`, `2 locks`.
pub fn counted(many: usize, noun: &str) -> String {
    if many == 1 { format!("1 {noun}") } else { format!("{many} {noun}s") }
}

/// Data without a line's end.
pub fn raw(text: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text);
    let _ = out.flush();
}

/// A value as indented JSON, to standard output.
pub fn json<T: serde::Serialize>(value: &T) {
    data(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// From now on talk goes through the redactor: it quotes files, URLs and what others said. The first one stays.
pub fn redact(redactor: Arc<Redactor>) {
    let _ = REDACTOR.set(redactor);
}

/// Talk, to standard error.
pub fn talk(text: &str) {
    let clean = REDACTOR.get().map_or(text.into(), |redactor| redactor.redact_text(text));
    let _ = writeln!(std::io::stderr().lock(), "{clean}");
}

/// Talk that only a person at a terminal wants.
pub fn aside(text: &str) {
    if std::io::stderr().is_terminal() {
        talk(text);
    }
}

/// Talk of what must go on, and end, though nobody reads it: waits for a moment, and while a line is stuck later ones are left out.
pub fn tell(text: &str) {
    if UNTOLD.load(Ordering::SeqCst) > 0 {
        return;
    }
    UNTOLD.fetch_add(1, Ordering::SeqCst);
    let (told, done) = channel::<()>();
    let line = plain(text);
    let write = move || {
        talk(&line);
        UNTOLD.fetch_sub(1, Ordering::SeqCst);
        drop(told);
    };
    match std::thread::Builder::new().name("talk".to_owned()).spawn(write) {
        // The end of the thread ends the wait as well.
        Ok(_) => {
            let _: Result<(), RecvTimeoutError> = done.recv_timeout(TELL_WITHIN);
        }
        Err(_) => {
            UNTOLD.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Says a failure in its parts, unless nobody reads what is said.
pub fn failed(failure: &Failure) {
    if UNTOLD.load(Ordering::SeqCst) > 0 {
        return;
    }
    talk(&format!("error: {}", failure.message.trim_end()));
    if let Some(hint) = &failure.hint {
        talk(&format!("hint: {hint}"));
    }
}

/// Progress of long work, on a terminal alone.
#[derive(Debug)]
pub struct Progress {
    shows: bool,
    last: u64,
}

impl Progress {
    /// Progress to standard error, if that is a terminal.
    pub fn new() -> Self {
        Self { shows: std::io::stderr().is_terminal(), last: u64::MAX }
    }

    /// Shows how far `what` is; draws only when the percentage changes.
    pub fn at(&mut self, what: &str, done: u64, total: u64) {
        let percent = done.saturating_mul(100).checked_div(total.max(1)).unwrap_or(0).min(100);
        if self.shows && percent != self.last {
            self.last = percent;
            let _ = write!(std::io::stderr().lock(), "\r{what} {percent:>3} %\u{1b}[K");
        }
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.shows && self.last != u64::MAX {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
