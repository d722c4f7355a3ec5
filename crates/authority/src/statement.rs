//! What people sign: an in-toto Statement (v1) with one of our predicates, read so that it has one meaning.
//!
//! The bytes as signed are what counts, and are kept by the caller; blanks and the order of keys are free. Everything else is
//! not: a value that reads back otherwise than it stands (an array where an object belongs, `1.50` for `1.5`, a null where
//! nothing belongs) is refused.

use agenttrader_core::canonical_json::{self, CanonicalError};
use agenttrader_core::digest::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Most bytes of a statement that are read. An approval that names 400 changed files has about 100,000.
pub const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// Most characters of a text in a statement: a reason, a name.
pub const TEXT_LONGEST: usize = 2_000;

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What a statement may be about.
pub trait Predicate: Serialize + DeserializeOwned {
    /// Its type, as the statement names it.
    const TYPE: &'static str;
}

/// A statement about some subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    type_name: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// What it says.
    pub predicate: P,
}

/// One thing that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// What makes it this one and no other.
    pub digest: SubjectDigest,
}

/// A subject's digest: exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubjectDigest {
    /// SHA-256 of its bytes.
    #[serde(rename = "sha256")]
    Sha256(Digest),
    /// A commit's name.
    #[serde(rename = "gitCommit")]
    GitCommit(GitCommit),
}

/// The name of a git commit: 40 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitCommit(String);

/// Why bytes are no statement of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON that means one thing.
    #[error("the statement is not JSON that means one thing")]
    Json(#[from] CanonicalError),
    /// JSON, but no statement of this kind.
    #[error("the statement has not its kind's fields: {0}")]
    Shape(String),
    /// Another kind of statement.
    #[error("the statement's {field} is not `{wanted}`")]
    Kind {
        /// `_type` or `predicateType`.
        field: &'static str,
        /// What it would have to be.
        wanted: &'static str,
    },
    /// A value does not stand as it would be written.
    #[error("the statement is not written as its values are: `{pointer}`")]
    Spelling {
        /// JSON pointer to the first such value.
        pointer: String,
    },
}

impl<P: Predicate> Statement<P> {
    /// A statement to be signed.
    pub fn new(subject: Vec<Subject>, predicate: P) -> Self {
        Self { type_name: STATEMENT_TYPE.to_owned(), subject, predicate_type: P::TYPE.to_owned(), predicate }
    }

    /// Its bytes: canonical JSON and a newline.
    ///
    /// # Errors
    /// [`CanonicalError`] if a value of it has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical_json::of(self).map(|text| (text + "\n").into_bytes())
    }

    /// Reads the bytes of a statement of this kind.
    ///
    /// # Errors
    /// [`StatementError`] for anything that is not exactly one.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let value = canonical_json::parse_within(bytes, STATEMENT_BYTES_MAX)?;
        // Kinds first: of another kind of statement the fields say nothing.
        for (field, wanted) in [("_type", STATEMENT_TYPE), ("predicateType", P::TYPE)] {
            if value.get(field).and_then(serde_json::Value::as_str) != Some(wanted) {
                return Err(StatementError::Kind { field, wanted });
            }
        }
        let shape = |error: serde_json::Error| StatementError::Shape(error.to_string().chars().take(200).collect());
        let statement: Self = Self::deserialize(&value).map_err(shape)?;
        let again = serde_json::to_value(&statement).map_err(shape)?;
        match difference(&value, &again, String::new()) {
            None => Ok(statement),
            Some(pointer) => Err(StatementError::Spelling { pointer }),
        }
    }

    /// The digest of the one subject of that name; `None` if there is none or more than one.
    pub(crate) fn subject(&self, name: &str) -> Option<&SubjectDigest> {
        let mut named = self.subject.iter().filter(|subject| subject.name == name);
        named.next().filter(|_| named.next().is_none()).map(|subject| &subject.digest)
    }

    /// The same of a subject known by its bytes.
    pub(crate) fn sha256(&self, name: &str) -> Option<Digest> {
        match self.subject(name) {
            Some(SubjectDigest::Sha256(digest)) => Some(*digest),
            Some(SubjectDigest::GitCommit(_)) | None => None,
        }
    }

    /// The same of a commit.
    pub(crate) fn commit(&self, name: &str) -> Option<&GitCommit> {
        match self.subject(name) {
            Some(SubjectDigest::GitCommit(commit)) => Some(commit),
            Some(SubjectDigest::Sha256(_)) | None => None,
        }
    }
}

impl Subject {
    /// A subject known by its bytes' digest.
    pub fn of_bytes(name: &str, digest: Digest) -> Self {
        Self { name: name.to_owned(), digest: SubjectDigest::Sha256(digest) }
    }

    /// A commit.
    pub fn of_commit(name: &str, commit: GitCommit) -> Self {
        Self { name: name.to_owned(), digest: SubjectDigest::GitCommit(commit) }
    }
}

impl GitCommit {
    /// Reads 40 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GitCommit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for GitCommit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for GitCommit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("a commit is 40 lower-case hex digits"))
    }
}

/// Whether a text may stand in a statement: not empty, not endless, no control characters. What a person signs is printed from
/// these bytes.
pub(crate) fn is_text(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= TEXT_LONGEST && !text.chars().any(char::is_control)
}

/// Whether a name may stand in a path: letters, digits, `.`, `_`, `-`, not first a dot.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= 64 && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && text.bytes().all(plain)
}

/// The place of the first difference between two values.
fn difference(left: &serde_json::Value, right: &serde_json::Value, at: String) -> Option<String> {
    use serde_json::Value::{Array, Object};
    match (left, right) {
        (Object(left), Object(right)) => {
            let both = left.iter().map(|(key, value)| (key, Some(value), right.get(key)));
            let more =
                right.iter().filter(|(key, _)| !left.contains_key(*key)).map(|(key, value)| (key, None, Some(value)));
            both.chain(more).find_map(|(key, left, right)| match (left, right) {
                (Some(left), Some(right)) => difference(left, right, format!("{at}/{key}")),
                _ => Some(format!("{at}/{key}")),
            })
        }
        (Array(left), Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs.into_iter().find_map(|(index, (left, right))| difference(left, right, format!("{at}/{index}")))
        }
        _ => (left != right).then_some(at),
    }
}
