//! One line of `allowed_signers`: `PRINCIPAL namespaces="…"[,valid-after="…"][,valid-before="…"] TYPE BASE64 [COMMENT]`.

use crate::namespace::Namespace;
use crate::ssh_key::{KeyError, PublicKey};
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeSet;

/// Most characters of a principal: it becomes part of a file's name.
pub const PRINCIPAL_LONGEST: usize = 64;

/// A person's key and what it may sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerLine {
    /// Who.
    pub principal: String,
    /// For what, never empty.
    pub namespaces: BTreeSet<Namespace>,
    /// First instant at which the key is good.
    pub valid_after: Option<UnixNanos>,
    /// First instant at which it no longer is.
    pub valid_before: Option<UnixNanos>,
    /// The key.
    pub key: PublicKey,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not the three or more parts.
    #[error("want `PRINCIPAL namespaces=\"…\" TYPE BASE64 [COMMENT]`, parts divided by one space")]
    Parts,
    /// A name that is a pattern, several names, or none.
    #[error("a principal is one exact name of letters, digits and `._@+-`, at most {PRINCIPAL_LONGEST} characters")]
    Principal,
    /// The options cannot be read.
    #[error("options are NAME=\"VALUE\", divided by commas without spaces")]
    Options,
    /// An option outside the profile.
    #[error("option `{0}` is not allowed: only namespaces, valid-after and valid-before are")]
    Option(String),
    /// An option given twice.
    #[error("option `{0}` stands twice")]
    Twice(String),
    /// No namespaces: stock ssh-keygen would let the key sign for anything.
    #[error("`namespaces` is missing: name exactly what the key may sign for")]
    NoNamespaces,
    /// A namespace that is none.
    #[error("namespace `{0}` is not known: use exact names, without patterns")]
    Namespace(String),
    /// A time that is none.
    #[error("`{0}` is no time: want YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ")]
    Time(String),
    /// Valid before it is valid after.
    #[error("the key is never valid: valid-after is not before valid-before")]
    Never,
    /// The key itself.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl SignerLine {
    /// Whether the key is good at that instant.
    pub fn is_valid_at(&self, at: UnixNanos) -> bool {
        self.valid_after.is_none_or(|after| after <= at) && self.valid_before.is_none_or(|before| at < before)
    }
}

/// Whether this can be a person's name here: exact, plain, usable as part of a file's name.
pub fn is_principal(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'+' | b'-');
    name.len() <= PRINCIPAL_LONGEST
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && name.bytes().all(plain)
}

/// Reads one line.
pub(crate) fn parse(text: &str) -> Result<SignerLine, LineError> {
    // Nothing in quotes may hold a space, so parts are what stands between spaces.
    let mut parts = text.split(' ');
    let (Some(principal), Some(options), Some(kind), Some(base64)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(LineError::Parts);
    };
    if !is_principal(principal) {
        return Err(LineError::Principal);
    }
    // A key where the options should be: without them ssh-keygen lets it sign for anything.
    if !options.contains('=') {
        return Err(LineError::NoNamespaces);
    }
    let mut line = Options::read(options)?;
    let namespaces = line.namespaces.take().ok_or(LineError::NoNamespaces)?;
    if line.valid_after.zip(line.valid_before).is_some_and(|(after, before)| after >= before) {
        return Err(LineError::Never);
    }
    let key = PublicKey::parse(kind, base64)?;
    let Options { valid_after, valid_before, .. } = line;
    Ok(SignerLine { principal: principal.to_owned(), namespaces, valid_after, valid_before, key })
}

#[derive(Default)]
struct Options {
    namespaces: Option<BTreeSet<Namespace>>,
    valid_after: Option<UnixNanos>,
    valid_before: Option<UnixNanos>,
}

impl Options {
    fn read(text: &str) -> Result<Self, LineError> {
        let mut read = Self::default();
        let mut rest = text;
        loop {
            let (name, quoted) = rest.split_once("=\"").ok_or(LineError::Options)?;
            let (value, after) = quoted.split_once('"').ok_or(LineError::Options)?;
            if value.is_empty() || value.contains('\\') {
                return Err(LineError::Options);
            }
            read.take(name, value)?;
            if after.is_empty() {
                return Ok(read);
            }
            rest = after.strip_prefix(',').ok_or(LineError::Options)?;
        }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), LineError> {
        let twice = match name {
            "namespaces" => self.namespaces.replace(namespaces(value)?).is_some(),
            "valid-after" => self.valid_after.replace(time(value)?).is_some(),
            "valid-before" => self.valid_before.replace(time(value)?).is_some(),
            _ => return Err(LineError::Option(name.to_owned())),
        };
        if twice { Err(LineError::Twice(name.to_owned())) } else { Ok(()) }
    }
}

fn namespaces(value: &str) -> Result<BTreeSet<Namespace>, LineError> {
    let mut all = BTreeSet::new();
    for name in value.split(',') {
        let namespace = Namespace::parse(name).ok_or_else(|| LineError::Namespace(name.to_owned()))?;
        if !all.insert(namespace) {
            return Err(LineError::Twice(name.to_owned()));
        }
    }
    Ok(all)
}

/// Only UTC: without the `Z` the machine's time zone would decide.
fn time(value: &str) -> Result<UnixNanos, LineError> {
    let refused = || LineError::Time(value.to_owned());
    let digits = value.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let digits = digits.filter(|digits| matches!(digits.len(), 8 | 12 | 14)).ok_or_else(refused)?;
    let part = |from: usize| digits.get(from..from.saturating_add(2)).unwrap_or("00");
    let year = digits.get(..4).ok_or_else(refused)?;
    let text = format!("{year}-{}-{}T{}:{}:{}Z", part(4), part(6), part(8), part(10), part(12));
    // Second 60 is a leap second to some and the next minute to others.
    if part(12) == "60" { Err(refused()) } else { UnixNanos::parse(&text).map_err(|_| refused()) }
}
