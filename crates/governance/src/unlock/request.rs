//! What people ask for: `ops/unlock/<id>/request.json`. Step 1 of an unlock.

use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::json_file;
use crate::lock::model::{Waiver, is_unlock_id};
use crate::scope::Scope;
use crate::unlock::refused::{Reason, Refused, Stop};
use crate::words::is_hidden;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::Rule;
use serde::{Deserialize, Serialize};

/// Largest request that is read.
const REQUEST_BYTES_MOST: usize = 256 * 1024;

/// Most characters of a reason.
const REASON_LONGEST: usize = 2_000;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The unlock.
    pub unlock_id: String,
    /// The lock's commit that it begins at.
    pub base_commit: String,
    /// That lock's digest.
    pub base_lock_sha256: Digest,
    /// The development commit wanted.
    pub change_commit: String,
    /// Why.
    pub reason: String,
    /// When it was asked.
    pub opened_at: UnixNanos,
    /// A grant for `live` will be asked for.
    pub grants_live: bool,
    /// Findings that the next lock shall waive.
    pub waives: Vec<Waiver>,
    /// The next lock's scope; that of the lock before where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// The folder of an unlock.
pub fn folder(unlock_id: &str) -> String {
    format!("ops/unlock/{unlock_id}")
}

/// The request's file.
pub fn path(unlock_id: &str) -> String {
    format!("{}/request.json", folder(unlock_id))
}

/// The branch of an unlock.
pub fn branch(unlock_id: &str) -> String {
    format!("refs/heads/unlock/{unlock_id}")
}

/// The unlock of a branch.
pub fn of_branch(branch: &str) -> Option<&str> {
    branch.strip_prefix("refs/heads/unlock/").filter(|id| is_unlock_id(id))
}

impl Request {
    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        json_file::bytes(self)
    }

    /// Reads one, which has one spelling.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value = canonical_json::parse_within(bytes, REQUEST_BYTES_MOST).map_err(|error| error.to_string())?;
        let request: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        request.check()?;
        if request.bytes() == bytes { Ok(request) } else { Err("it is not spelled as it is written".to_owned()) }
    }

    /// What every request has to say.
    ///
    /// # Errors
    /// What it lacks.
    pub fn check(&self) -> Result<(), String> {
        if !is_unlock_id(&self.unlock_id) {
            return Err("its unlock_id cannot name an unlock".to_owned());
        }
        if Id::parse(&self.base_commit).is_none() || Id::parse(&self.change_commit).is_none() {
            return Err("it names no commit".to_owned());
        }
        let is_long = self.reason.chars().count() > REASON_LONGEST;
        if self.reason.trim().is_empty() || is_long || self.reason.chars().any(is_hidden) {
            return Err(format!(
                "its reason is empty, longer than {REASON_LONGEST} characters, or has characters nobody sees"
            ));
        }
        match self.waives.iter().find(|waiver| !matches!(waiver.rule, Rule::KillSwitch | Rule::ExecScale)) {
            Some(waiver) => Err(format!("{} cannot be waived", waiver.rule.id())),
            None => Ok(()),
        }
    }

    /// Whether it asks to waive a finding about the kill switch.
    pub fn waives_kill_switch(&self) -> bool {
        self.waives.iter().any(|waiver| waiver.rule == Rule::KillSwitch)
    }

    /// The development commit.
    pub fn change(&self) -> Option<Id> {
        Id::parse(&self.change_commit)
    }
}

/// The request in a commit.
///
/// # Errors
/// [`Stop`], also where there is none.
pub fn at(repository: &Repository, commit: Id, unlock_id: &str) -> Result<Request, Stop> {
    let path = path(unlock_id);
    let bytes = repository
        .file_at(commit, &path)?
        .ok_or_else(|| Refused::new(Reason::RequestMissing, &path, format!("no unlock {unlock_id} was asked for")))?;
    let malformed = |why: String| Refused::new(Reason::RequestMalformed, &path, why);
    let request = Request::parse(&bytes).map_err(malformed)?;
    if request.unlock_id == unlock_id {
        Ok(request)
    } else {
        let why = format!("it asks for unlock {}, not {unlock_id}", request.unlock_id);
        Err(Refused::new(Reason::Replayed, &path, why).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            unlock_id: "20261130-fees".to_owned(),
            base_commit: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".to_owned(),
            base_lock_sha256: Digest::of(b"lock"),
            change_commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(),
            reason: "fees changed".to_owned(),
            opened_at: UnixNanos::parse("2026-11-30T17:00:00Z").unwrap(),
            grants_live: false,
            waives: Vec::new(),
            scope: None,
        }
    }

    #[test]
    fn a_request_has_one_spelling() {
        let bytes = request().bytes();
        assert_eq!(Request::parse(&bytes).unwrap(), request());
        assert!(Request::parse(&[bytes.as_slice(), b"\n"].concat()).is_err());
        assert!(Request::parse(&bytes[..bytes.len() - 1]).is_err());
        let smaller = Request { scope: Some(Scope::parse(&["k8s/**"]).unwrap()), ..request() };
        assert_eq!(Request::parse(&smaller.bytes()).unwrap(), smaller);
        let none = String::from_utf8(smaller.bytes()).unwrap().replace("\"k8s/**\"", "");
        assert!(Request::parse(none.as_bytes()).is_err(), "a scope of nothing");
    }

    #[test]
    fn what_nobody_can_ask_for_is_refused() {
        for spoil in [
            |request: &mut Request| request.reason = "\u{202e}good".to_owned(),
            |request: &mut Request| request.reason = " ".to_owned(),
            |request: &mut Request| request.unlock_id = "../x".to_owned(),
            |request: &mut Request| request.change_commit = "main".to_owned(),
        ] {
            let mut request = request();
            spoil(&mut request);
            assert!(Request::parse(&request.bytes()).is_err(), "{request:?}");
        }
    }
}
