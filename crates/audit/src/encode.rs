//! The bytes of a record: canonical JSON (RFC 8785), written straight from an entry, without a tree of values in between.
//!
//! All that does not depend on the record's number is done before it is known:
//!
//! 1. once a log: [`Encoder::new`];
//! 2. by whoever appends: `let prepared = encoder.prepare(entry)`. Cuts and redacts, writes the payload, digests it, takes one that is too
//!    large out. [`Prepared::refused`] tells that the payload has no canonical form: the record still goes to the log, without it;
//! 3. one after the other: `prepared.number(origin, seq)`, which derives `intent_id`, then [`Prepared::write`].
//!
//! What is written has no line end. [`Prepared::blob`] must be in place before the record is. [`Prepared::record`] is there if the encoder
//! was told to keep records, for whoever watches the log.

use crate::record::{
    ERROR_BYTES_MOST, Entry, RECORD_BYTES_MOST, Record, SUMMARY_BYTES_MOST, StoredPayload, TRACE_ID_BYTES_MOST, cut,
};
use crate::redact::Redactor;
use agenttrader_core::canonical_json::{self, CanonicalError, append_integer, append_text};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, Build};
use agenttrader_core::proposal::derived_id;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use uuid::Uuid;

/// Bytes of `intent_id`: hyphenated.
const ID_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// What stands where `intent_id` will.
const ID_BLANK: &str = "00000000-0000-0000-0000-000000000000";

/// Digits of the longest `seq`, the largest integer that JSON holds. Room is left for them, so that a record's shape does not depend on it.
const SEQ_DIGITS_MOST: usize = 16;

/// Writes the records of one log.
#[derive(Debug)]
pub(crate) struct Encoder {
    redactor: Arc<Redactor>,
    keeps_records: bool,
    repo_id: String,
    identity: AgentIdentity,
    build: Build,
    /// What every record has before `correlation_id`'s value, between `error` and `intent_id`'s, and between `outcome` and `seq`'s.
    before_correlation: String,
    before_id: String,
    before_seq: String,
}

/// A record that lacks its number, until it is given one.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Its canonical JSON, with a blank for `intent_id`, but for the value of `seq`.
    text: Vec<u8>,
    id_at: usize,
    seq_at: usize,
    seq: u64,
    /// The digest of the payload as it was given.
    pub(crate) payload_digest: Digest,
    /// The payload's canonical JSON where it stands as [`StoredPayload`].
    pub(crate) blob: Option<Vec<u8>>,
    /// The same record with its fields, if the encoder keeps them.
    pub(crate) record: Option<Box<Record>>,
    /// Why the payload is left out, if it is.
    pub(crate) refused: Option<CanonicalError>,
}

/// What of an entry stands in its record: cut and redacted.
struct Fields<'entry> {
    entry: &'entry Entry,
    trace_id: Option<&'entry str>,
    summary: Cow<'entry, str>,
    error: Option<Cow<'entry, str>>,
    duration_ms: Option<u64>,
}

impl Encoder {
    /// An encoder for the log of this agent; one that keeps records gives them back as they stand.
    pub(crate) fn new(
        repo_id: &str,
        identity: AgentIdentity,
        build: Build,
        redactor: Arc<Redactor>,
        keeps_records: bool,
    ) -> Self {
        let mut before_correlation = String::from("{");
        member("agent_mode", identity.agent_mode.as_str(), &mut before_correlation);
        member("agent_name", &identity.agent_name, &mut before_correlation);
        member("agent_role", identity.agent_role.as_str(), &mut before_correlation);
        member("build_id", &build.build_id, &mut before_correlation);
        before_correlation.push_str("\"correlation_id\":");
        let mut before_id = String::from(",");
        member("git_sha", &build.git_sha, &mut before_id);
        before_id.push_str("\"intent_id\":\"");
        let mut before_seq = String::from(",");
        member("repo_id", repo_id, &mut before_seq);
        before_seq.push_str("\"seq\":");
        let repo_id = repo_id.to_owned();
        Self { redactor, keeps_records, repo_id, identity, build, before_correlation, before_id, before_seq }
    }

    /// A record of an entry, but for its number.
    pub(crate) fn prepare(&self, mut entry: Entry) -> Prepared {
        let mut payload = String::with_capacity(512);
        let refused = canonical_json::append(&entry.intent_payload, 1, &mut payload).err();
        if let Some(why) = &refused {
            payload.clear();
            payload.push_str("null");
            entry.intent_payload = Value::Null;
            // Said in place of the entry's own error: what is missing must be seen.
            entry.error = Some(format!("the payload has no canonical form and is left out: {why}"));
        }
        let payload_digest = Digest::of(payload.as_bytes());
        let fields = self.fields(&entry);
        let fits = |text: &[u8]| text.len().saturating_add(SEQ_DIGITS_MOST) <= RECORD_BYTES_MOST;
        let whole = (payload.len() <= RECORD_BYTES_MOST).then(|| self.text(&fields, &payload));
        let (text, id_at, seq_at, stored) = match whole {
            Some((text, id_at, seq_at)) if fits(&text) => (text, id_at, seq_at, None),
            _ => {
                let stored = StoredPayload { sha256: payload_digest, size: payload.len() as u64 };
                let (text, id_at, seq_at) = self.text(&fields, &stored_text(stored));
                (text, id_at, seq_at, Some(stored))
            }
        };
        let kept = self.keeps_records.then(|| Kept::of(&fields));
        let record = kept.map(|kept| Box::new(self.record(entry, kept, stored)));
        let blob = stored.map(|_| payload.into_bytes());
        Prepared { text, id_at, seq_at, seq: 0, payload_digest, blob, record, refused }
    }

    fn fields<'entry>(&self, entry: &'entry Entry) -> Fields<'entry> {
        let redacted = |text: &'entry str, most| match self.redactor.redact_text(text) {
            Cow::Borrowed(text) => Cow::Borrowed(cut(text, most)),
            Cow::Owned(text) => Cow::Owned(cut(&text, most).to_owned()),
        };
        Fields {
            entry,
            trace_id: entry.trace_id.as_deref().map(|text| cut(text, TRACE_ID_BYTES_MOST)),
            summary: redacted(&entry.intent_summary, SUMMARY_BYTES_MOST),
            error: entry.error.as_deref().map(|text| redacted(text, ERROR_BYTES_MOST)),
            duration_ms: entry.duration_ms.map(|millis| millis.min(canonical_json::MAX_INTEGER)),
        }
    }

    /// All but `seq`'s value, where `intent_id`'s stands and where `seq`'s is missing. The names stand in the order of RFC 8785.
    fn text(&self, fields: &Fields<'_>, payload: &str) -> (Vec<u8>, usize, usize) {
        let entry = fields.entry;
        let texts = fields.summary.len().saturating_add(fields.error.as_ref().map_or(0, |text| text.len()));
        let room =
            payload.len().saturating_add(texts).saturating_add(self.before_correlation.len()).saturating_add(640);
        let mut out = String::with_capacity(room);
        out.push_str(&self.before_correlation);
        append_uuid(entry.correlation_id, &mut out);
        out.push_str(",\"duration_ms\":");
        match fields.duration_ms {
            Some(millis) => append_integer(millis, &mut out),
            None => out.push_str("null"),
        }
        out.push_str(",\"error\":");
        append_option(fields.error.as_deref(), &mut out);
        out.push_str(&self.before_id);
        let id_at = out.len();
        out.push_str(ID_BLANK);
        out.push_str("\",\"intent_payload\":");
        out.push_str(payload);
        out.push_str(",\"intent_summary\":");
        append_text(&fields.summary, &mut out);
        out.push_str(",\"intent_type\":");
        append_text(entry.intent_type.as_str(), &mut out);
        out.push_str(",\"outcome\":");
        append_text(entry.outcome.as_str(), &mut out);
        out.push_str(&self.before_seq);
        let seq_at = out.len();
        // An instant's text holds digits and signs alone: nothing to escape. Writing to a text cannot fail.
        let _ = write!(out, ",\"timestamp\":\"{}\",\"trace_id\":", entry.timestamp);
        append_option(fields.trace_id, &mut out);
        out.push('}');
        (out.into_bytes(), id_at, seq_at)
    }

    fn record(&self, entry: Entry, kept: Kept, stored: Option<StoredPayload>) -> Record {
        Record {
            timestamp: entry.timestamp,
            seq: 0,
            repo_id: self.repo_id.clone(),
            agent_name: self.identity.agent_name.clone(),
            agent_role: self.identity.agent_role,
            agent_mode: self.identity.agent_mode,
            git_sha: self.build.git_sha.clone(),
            build_id: self.build.build_id.clone(),
            intent_id: Uuid::nil(),
            correlation_id: entry.correlation_id,
            trace_id: kept.trace_id,
            intent_type: entry.intent_type,
            intent_summary: kept.summary,
            intent_payload: stored.map_or(entry.intent_payload, stored_value),
            outcome: entry.outcome,
            duration_ms: kept.duration_ms,
            error: kept.error,
        }
    }
}

impl Prepared {
    /// Gives it its number in the log of that origin.
    pub(crate) fn number(&mut self, origin: &str, seq: u64) {
        self.seq = seq;
        let intent_id = derived_id(&[origin.as_bytes(), &seq.to_le_bytes(), self.payload_digest.as_bytes()]);
        if let Some(slot) = self.text.get_mut(self.id_at..self.id_at.saturating_add(ID_BYTES)) {
            intent_id.hyphenated().encode_lower(slot);
        }
        if let Some(record) = &mut self.record {
            record.seq = seq;
            record.intent_id = intent_id;
        }
    }

    /// Appends the record's bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (before, after) = self.text.split_at_checked(self.seq_at).unwrap_or((&self.text, &[]));
        let mut digits = String::with_capacity(SEQ_DIGITS_MOST);
        append_integer(self.seq, &mut digits);
        out.extend_from_slice(before);
        out.extend_from_slice(digits.as_bytes());
        out.extend_from_slice(after);
    }
}

/// [`Fields`] that outlive their entry.
struct Kept {
    trace_id: Option<String>,
    summary: String,
    error: Option<String>,
    duration_ms: Option<u64>,
}

impl Kept {
    fn of(fields: &Fields<'_>) -> Self {
        Self {
            trace_id: fields.trace_id.map(str::to_owned),
            summary: fields.summary.as_ref().to_owned(),
            error: fields.error.as_deref().map(str::to_owned),
            duration_ms: fields.duration_ms,
        }
    }
}

/// A name that needs no escape, its text, and the comma after them.
fn member(name: &str, text: &str, out: &mut String) {
    append_text(name, out);
    out.push(':');
    append_text(text, out);
    out.push(',');
}

fn append_option(text: Option<&str>, out: &mut String) {
    match text {
        Some(text) => append_text(text, out),
        None => out.push_str("null"),
    }
}

fn append_uuid(id: Option<Uuid>, out: &mut String) {
    let mut buffer = Uuid::encode_buffer();
    match id {
        Some(id) => append_text(id.hyphenated().encode_lower(&mut buffer), out),
        None => out.push_str("null"),
    }
}

fn stored_text(stored: StoredPayload) -> String {
    format!("{{\"sha256\":\"{}\",\"size\":{}}}", stored.sha256, stored.size)
}

fn stored_value(stored: StoredPayload) -> Value {
    serde_json::json!({ "sha256": stored.sha256.to_string(), "size": stored.size })
}

#[cfg(test)]
mod tests;
