//! The replayable part of a run: bodies of proposals, decisions and shadow fills, in order, and what names them.

use crate::engine::Output;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::{Digest, Running};
use agenttrader_execution::output::DeskOutput;
use serde_json::Value;
use std::fmt;

/// Kinds of bodies that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyKind {
    /// A proposal's body.
    Proposal,
    /// A decision's body.
    Decision,
    /// A shadow fill's body.
    Fill,
}

impl BodyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Proposal, Self::Decision, Self::Fill];

    /// Its name: the key under which a record's payload holds the body, and the file that `replay --out` writes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::Decision => "decision",
            Self::Fill => "fill",
        }
    }
}

impl fmt::Display for BodyKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// One body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What it is.
    pub kind: BodyKind,
    /// Its canonical JSON.
    pub json: String,
}

/// Why a body has no canonical JSON: it could not have been recorded either.
#[derive(Debug, thiserror::Error)]
#[error("a {kind} has no canonical JSON")]
pub struct Unwritable {
    /// What it is.
    pub kind: BodyKind,
    /// Why.
    #[source]
    pub source: canonical_json::CanonicalError,
}

/// The body of an output, if it has one that is compared.
///
/// # Errors
/// [`Unwritable`].
pub fn body_of(output: &Output) -> Result<Option<Body>, Unwritable> {
    let written = |kind, json: Result<String, canonical_json::CanonicalError>| match json {
        Ok(json) => Ok(Some(Body { kind, json })),
        Err(source) => Err(Unwritable { kind, source }),
    };
    match output {
        Output::Proposal { body, .. } => Ok(Some(Body { kind: BodyKind::Proposal, json: body.clone() })),
        Output::Decision(judged) => written(BodyKind::Decision, canonical_json::of(&judged.decision)),
        Output::Desk(DeskOutput::ShadowFill(fill)) => written(BodyKind::Fill, canonical_json::of(fill)),
        Output::Desk(_) | Output::Unwritable { .. } | Output::Note { .. } => Ok(None),
    }
}

/// A body read back from a record's payload.
pub fn body_in(kind: BodyKind, payload: &Value) -> Option<Body> {
    let body = payload.get(kind.as_str())?;
    Some(Body { kind, json: canonical_json::to_string(body).ok()? })
}

/// The digest of all bodies: each as kind, a blank, its JSON and a line feed.
#[derive(Debug, Default)]
pub struct BodyDigest {
    running: Running,
    counts: [u64; 3],
}

impl BodyDigest {
    /// Takes the next body in.
    pub fn take(&mut self, body: &Body) {
        self.running.update(body.kind.as_str().as_bytes());
        self.running.update(b" ");
        self.running.update(body.json.as_bytes());
        self.running.update(b"\n");
        if let Some(count) = self.counts.get_mut(body.kind as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// The digest so far.
    pub fn digest(&self) -> Digest {
        self.running.so_far()
    }

    /// How many of that kind were taken in.
    pub fn count(&self, kind: BodyKind) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }
}
