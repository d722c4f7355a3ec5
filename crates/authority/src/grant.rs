//! Unlock grants: what people allow an execution agent to do, where and until when.

use crate::delegation::Delegation;
use crate::grant_limits::GrantLimits;
use crate::quorum::Quorum;
use crate::statement::{GitCommit, Predicate, Statement, Subject, is_name, is_text};
use agenttrader_core::digest::Digest;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Longest that money may be traded under one grant: people look every day.
pub const LIVE_WINDOW_MAX: Span = Span::from_minutes(24 * 60);

/// Longest without money.
pub const PAPER_WINDOW_MAX: Span = Span::from_minutes(7 * 24 * 60);

/// Longest after a grant's end in which positions may still be reduced.
pub const EXIT_MAX: Span = Span::from_minutes(24 * 60);

/// Most symbols, and most delegations, of one grant.
pub const ENTRIES_MAX: usize = 128;

/// The subject that is the lock's commit.
pub const COMMIT: &str = "commit";

/// The subject that is the lock.
pub const LOCK: &str = "ops/production-lock.json";

/// The subject that is the image that may execute.
pub const IMAGE: &str = "execution-image";

/// How orders are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionMode {
    /// Hypothetically, in the shadow ledger.
    Shadow,
    /// At the simulator or a paper account.
    Paper,
    /// With money.
    Live,
}

/// What a grant says, beside the commit, lock and image that it is about. A plain value: people sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantPredicate {
    /// The unlock that it follows from.
    pub unlock_id: String,
    /// Execution modes allowed.
    pub modes: Vec<ExecutionMode>,
    /// Underlyings allowed.
    pub symbols: Vec<Symbol>,
    /// Limits lowered.
    #[serde(default, skip_serializing_if = "GrantLimits::is_empty")]
    pub limits: GrantLimits,
    /// What needs no approval of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegation: Vec<Delegation>,
    /// Whether the lock waives a rule of the kill switch: one reviewer more must sign.
    pub waives_kill_switch: bool,
    /// First instant of validity.
    pub not_before: UnixNanos,
    /// First instant after validity.
    pub not_after: UnixNanos,
    /// Until then reducing orders still pass; null: none do.
    pub exit_until: Option<UnixNanos>,
    /// Why.
    pub reason: String,
    /// What makes two grants of the same content two.
    pub nonce: String,
}

impl Predicate for GrantPredicate {
    const TYPE: &'static str = "urn:agenttrader:execution-grant:v1";
}

/// A grant that people signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Digest of its file.
    pub sha256: Digest,
    /// What it says.
    pub terms: GrantPredicate,
    /// The commit of the build that is meant.
    pub git_commit: GitCommit,
    /// Digest of the lock.
    pub lock_sha256: Digest,
    /// Digest of the image that may execute.
    pub image_sha256: Digest,
    /// Who signed, in order.
    pub signed_by: Vec<String>,
}

/// Why what a grant says cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Its subjects are not one commit, one lock and one image.
    #[error("the grant's subjects are not exactly `{COMMIT}`, `{LOCK}` and `{IMAGE}`")]
    Subjects,
    /// A text or name is empty, endless, or shows other than it is.
    #[error("the grant's `{0}` is no plain text")]
    Text(&'static str),
    /// A list is empty, endless, or names something twice.
    #[error("the grant's `{0}` is empty, has more than {ENTRIES_MAX} entries, or names something twice")]
    List(&'static str),
    /// It ends before it begins.
    #[error("the grant ends at {not_after}, not after it begins at {not_before}")]
    Never {
        /// Its beginning.
        not_before: UnixNanos,
        /// Its end.
        not_after: UnixNanos,
    },
    /// It lasts longer than any may.
    #[error("the grant lasts {lasts}, longer than {max}")]
    TooLong {
        /// How long it lasts.
        lasts: Span,
        /// How long it may.
        max: Span,
    },
    /// Its time for leaving does not follow its end, or lasts too long.
    #[error("the grant's exit_until {exit_until} is not within {EXIT_MAX} after its end at {not_after}")]
    Exit {
        /// Its end.
        not_after: UnixNanos,
        /// The end of the time for leaving.
        exit_until: UnixNanos,
    },
    /// A delegation delegates nothing, or what the grant itself does not have.
    #[error("the grant's delegation {entry} {problem}")]
    Delegation {
        /// Its place, from 0.
        entry: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl GrantPredicate {
    /// Who must sign.
    pub fn quorum(&self) -> Quorum {
        let more = self.modes.contains(&ExecutionMode::Live) || self.waives_kill_switch;
        Quorum { operators: 1, reviewers: if more { 2 } else { 1 } }
    }

    /// The statement that people sign.
    pub fn about(self, git_commit: GitCommit, lock_sha256: Digest, image_sha256: Digest) -> Statement<Self> {
        let subjects = vec![
            Subject::of_commit(COMMIT, git_commit),
            Subject::of_bytes(LOCK, lock_sha256),
            Subject::of_bytes(IMAGE, image_sha256),
        ];
        Statement::new(subjects, self)
    }

    /// Whether what it says can be granted, before anybody signs it.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn check(&self) -> Result<(), GrantError> {
        for (name, text) in [("unlock_id", &self.unlock_id), ("nonce", &self.nonce)] {
            if !is_name(text) {
                return Err(GrantError::Text(name));
            }
        }
        if !is_text(&self.reason) {
            return Err(GrantError::Text("reason"));
        }
        distinct("modes", &self.modes)?;
        distinct("symbols", &self.symbols)?;
        self.check_times()?;
        if self.delegation.len() > ENTRIES_MAX {
            return Err(GrantError::List("delegation"));
        }
        for (entry, delegation) in self.delegation.iter().enumerate() {
            delegation.check(&self.symbols).map_err(|problem| GrantError::Delegation { entry, problem })?;
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), GrantError> {
        let Self { not_before, not_after, .. } = *self;
        if not_after <= not_before {
            return Err(GrantError::Never { not_before, not_after });
        }
        let lasts = not_after.since(not_before);
        let max = if self.modes.contains(&ExecutionMode::Live) { LIVE_WINDOW_MAX } else { PAPER_WINDOW_MAX };
        if lasts > max {
            return Err(GrantError::TooLong { lasts, max });
        }
        match self.exit_until {
            Some(exit_until) if exit_until <= not_after || exit_until.since(not_after) > EXIT_MAX => {
                Err(GrantError::Exit { not_after, exit_until })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn distinct<T: Ord>(name: &'static str, list: &[T]) -> Result<(), GrantError> {
    let all: BTreeSet<&T> = list.iter().collect();
    let good = !list.is_empty() && list.len() <= ENTRIES_MAX && all.len() == list.len();
    if good { Ok(()) } else { Err(GrantError::List(name)) }
}
