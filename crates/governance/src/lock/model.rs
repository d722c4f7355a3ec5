//! What a lock says: `ops/production-lock.json`. One text for one lock: read strictly, and refused unless it is spelled as it would be written.

use crate::git::id::Id;
use crate::git::tree::Mode;
use crate::scope::Scope;
use agenttrader_core::canonical_json::{self, CanonicalError};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::REPO_ID;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_policy::finding::Rule;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The lock for machines.
pub const LOCK_PATH: &str = "ops/production-lock.json";

/// The lock for people.
pub const PAGE_PATH: &str = "ops/PRODUCTION_LOCK.md";

/// The only form there is.
const VERSION: u32 = 1;

/// Largest lock that is read.
pub const LOCK_BYTES_MOST: usize = 16 * 1024 * 1024;

/// Longest life of a waiver, from the lock's timestamp.
const WAIVED_AT_MOST: Span = Span::from_seconds(7 * 24 * 3600);

/// A lock, or the draft of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What holds locked or not.
    pub terms: Terms,
    /// What only a lock has.
    pub state: State,
}

/// What people agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The repository's full name; its last part is `REPO_ID`.
    pub repo_id: String,
    /// The branch that moves from lock to lock.
    pub baseline_branch: String,
    /// Clusters the lock is for.
    pub clusters: Vec<String>,
    /// What is safe, in words.
    pub safety: Vec<String>,
    /// Parts that are locked.
    pub components: Vec<Component>,
    /// What the lock guarantees, in words.
    pub guarantees: Vec<String>,
    /// Only keys on tokens may sign unlocks and grants.
    pub require_sk: bool,
    /// Which files are locked.
    pub scope: Scope,
}

/// A locked part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub paths: Vec<String>,
}

/// Draft or locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not locked yet: nothing can be unlocked.
    Draft,
    /// Locked.
    Locked(Box<Locked>),
}

/// What only a lock has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// When, in whole seconds.
    pub timestamp: UnixNanos,
    /// The parent of the lock's commit.
    pub git_sha: Id,
    /// The build that was judged.
    pub build_id: String,
    /// Over the locked files of the policy, as [`policy_digest`] counts them.
    pub policy_sha256: Digest,
    /// Every locked file, by path.
    pub files: Vec<LockedFile>,
    /// Reports made before it.
    pub evidence: Vec<Evidence>,
    /// SHA-256 of the bytes of the lock before it; none for the first.
    pub previous: Option<Digest>,
    /// The unlock that covers what changed since; none for the first.
    pub unlock_id: Option<String>,
    /// Findings that people allow for a time.
    pub waives: Vec<Waiver>,
}

/// A locked file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Where.
    pub path: String,
    /// As what.
    pub mode: Mode,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// A report that stands in the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Which.
    pub report: Report,
    /// Where.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// The reports a lock needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Whether everything was ready.
    ReadinessReport,
    /// What is deployed where.
    DeployReport,
}

impl Report {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ReadinessReport, Self::DeployReport];

    /// Its name, which its files bear.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadinessReport => "readiness_report",
            Self::DeployReport => "deploy_report",
        }
    }
}

/// A finding that people allow for a time, exactly as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// `kill-switch` or `exec-scale`; no other rule can be waived.
    pub rule: Rule,
    /// The finding's file.
    pub path: String,
    /// The finding's object.
    pub object: Option<String>,
    /// The finding's field.
    pub field: Option<String>,
    /// The finding's value.
    pub value: Option<String>,
    /// First instant at which it holds no more.
    pub expires: UnixNanos,
}

impl Waiver {
    /// Whether a lock that is made in this time may list it.
    pub fn fits(&self, from: UnixNanos, until: UnixNanos) -> bool {
        from < self.expires && self.expires.since(until) <= WAIVED_AT_MOST
    }
}

/// Why bytes are no lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Not JSON that can be read in one way only.
    #[error("the lock is not strict JSON")]
    Json(#[from] CanonicalError),
    /// JSON of another form.
    #[error("the lock has another form: {0}")]
    Form(String),
    /// It says what a lock cannot say.
    #[error("the lock cannot be: {0}")]
    Says(String),
    /// It is spelled in another way than it is written.
    #[error("the lock is not spelled as `agenttrader lock` writes it: {0}")]
    Spelling(String),
}

/// The JSON's fields. Those of a lock are absent from a draft.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    state: String,
    repo_id: String,
    baseline_branch: String,
    clusters: Vec<String>,
    safety: Vec<String>,
    components: Vec<Component>,
    guarantees: Vec<String>,
    require_sk: bool,
    scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<UnixNanos>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git_sha: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    build_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy_sha256: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<Vec<LockedFile>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Vec<Evidence>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unlock_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waives: Option<Vec<Waiver>>,
}

impl Lock {
    /// Reads a lock or a draft.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        let value = canonical_json::parse_within(bytes, LOCK_BYTES_MOST)?;
        let wire: Wire = serde_json::from_value(value).map_err(|error| LockError::Form(error.to_string()))?;
        let lock = wire.lock()?;
        lock.check()?;
        let written = lock.bytes();
        if written != bytes {
            let same = written.iter().zip(bytes).take_while(|(written, read)| written == read).count();
            let line = bytes.iter().take(same).filter(|byte| **byte == b'\n').count().saturating_add(1);
            return Err(LockError::Spelling(format!("line {line} differs")));
        }
        Ok(lock)
    }

    /// Its bytes: JSON with keys in order, one element of a list a line, so that a diff is readable.
    pub fn bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self.wire()).unwrap_or_default();
        let mut out = String::from("{\n");
        let fields: Vec<_> = value.as_object().into_iter().flatten().collect();
        let last = fields.len().saturating_sub(1);
        for (at, (key, value)) in fields.into_iter().enumerate() {
            let end = if at == last { "\n" } else { ",\n" };
            out.push_str(&format!("  \"{key}\": {}{end}", indented(value)));
        }
        out.push_str("}\n");
        out.into_bytes()
    }

    /// The SHA-256 of its bytes: what a next lock names as `previous`, and a pinned root is.
    pub fn sha256(&self) -> Digest {
        Digest::of(&self.bytes())
    }

    /// What only a lock has; none of a draft.
    pub fn locked(&self) -> Option<&Locked> {
        match &self.state {
            State::Draft => None,
            State::Locked(locked) => Some(locked),
        }
    }

    fn wire(&self) -> Wire {
        let terms = self.terms.clone();
        let locked = self.locked().cloned();
        let of = locked.as_ref();
        Wire {
            version: VERSION,
            state: if of.is_some() { "locked" } else { "draft" }.to_owned(),
            repo_id: terms.repo_id,
            baseline_branch: terms.baseline_branch,
            clusters: terms.clusters,
            safety: terms.safety,
            components: terms.components,
            guarantees: terms.guarantees,
            require_sk: terms.require_sk,
            scope: terms.scope,
            timestamp: of.map(|locked| locked.timestamp),
            git_sha: of.map(|locked| locked.git_sha.to_string()),
            policy_sha256: of.map(|locked| locked.policy_sha256),
            previous: of.and_then(|locked| locked.previous),
            unlock_id: of.and_then(|locked| locked.unlock_id.clone()),
            build_id: of.map(|locked| locked.build_id.clone()),
            evidence: of.map(|locked| locked.evidence.clone()),
            waives: of.map(|locked| locked.waives.clone()),
            files: locked.map(|locked| locked.files),
        }
    }

    /// What every lock has to say, whoever made it.
    fn check(&self) -> Result<(), LockError> {
        let says = |what: String| Err(LockError::Says(what));
        if self.terms.repo_id.rsplit('/').next() != Some(REPO_ID) {
            return says(format!("repo_id `{}` does not end with {REPO_ID}", self.terms.repo_id));
        }
        self.locked().map_or(Ok(()), |locked| self.check_locked(locked))
    }

    fn check_locked(&self, locked: &Locked) -> Result<(), LockError> {
        let says = |what: String| Err(LockError::Says(what));
        if locked.timestamp.nanos().rem_euclid(1_000_000_000) != 0 {
            return says("its timestamp is not of a whole second".to_owned());
        }
        if !locked.files.is_sorted_by(|one, next| one.path.as_bytes() < next.path.as_bytes()) {
            return says("its files are not in byte order, each once".to_owned());
        }
        if let Some(file) = locked.files.iter().find(|file| !self.terms.scope.holds(&file.path.as_str().into())) {
            return says(format!("{} is not in its scope", file.path));
        }
        if locked.previous.is_some() != locked.unlock_id.is_some() {
            return says("it names a previous lock or an unlock, but not both".to_owned());
        }
        if locked.unlock_id.as_deref().is_some_and(|id| !is_unlock_id(id)) {
            return says("its unlock_id cannot name an unlock".to_owned());
        }
        if locked.previous.is_none() && !locked.waives.is_empty() {
            return says("a first lock waives nothing".to_owned());
        }
        for waiver in &locked.waives {
            if !matches!(waiver.rule, Rule::KillSwitch | Rule::ExecScale) {
                return says(format!("{} cannot be waived", waiver.rule.id()));
            }
            if !waiver.fits(locked.timestamp, locked.timestamp) {
                return says("a waiver expires after the lock's timestamp, at most 7 days after it".to_owned());
            }
        }
        Ok(())
    }
}

impl Wire {
    fn lock(self) -> Result<Lock, LockError> {
        let says = |what: &str| LockError::Says(what.to_owned());
        if self.version != VERSION {
            return Err(LockError::Says(format!("version {} is unknown; this program reads {VERSION}", self.version)));
        }
        let terms = Terms {
            repo_id: self.repo_id,
            baseline_branch: self.baseline_branch,
            clusters: self.clusters,
            safety: self.safety,
            components: self.components,
            guarantees: self.guarantees,
            require_sk: self.require_sk,
            scope: self.scope,
        };
        let is_empty = self.timestamp.is_none()
            && self.git_sha.is_none()
            && self.build_id.is_none()
            && self.policy_sha256.is_none()
            && self.files.is_none()
            && self.evidence.is_none()
            && self.waives.is_none()
            && (self.previous.is_none() && self.unlock_id.is_none());
        let state = match self.state.as_str() {
            "draft" if is_empty => State::Draft,
            "draft" => return Err(says("a draft has no digests, no timestamp and no evidence")),
            "locked" => {
                let absent = |field: &str| LockError::Says(format!("a lock has {field}"));
                let git_sha = self.git_sha.ok_or_else(|| absent("git_sha"))?;
                State::Locked(Box::new(Locked {
                    timestamp: self.timestamp.ok_or_else(|| absent("timestamp"))?,
                    git_sha: Id::parse(&git_sha).ok_or_else(|| says("git_sha is no commit's id"))?,
                    build_id: self.build_id.ok_or_else(|| absent("build_id"))?,
                    policy_sha256: self.policy_sha256.ok_or_else(|| absent("policy_sha256"))?,
                    files: self.files.ok_or_else(|| absent("files"))?,
                    evidence: self.evidence.ok_or_else(|| absent("evidence"))?,
                    previous: self.previous,
                    unlock_id: self.unlock_id,
                    waives: self.waives.ok_or_else(|| absent("waives"))?,
                }))
            }
            _ => return Err(says("its state is neither draft nor locked")),
        };
        Ok(Lock { terms, state })
    }
}

/// Whether a text can name an unlock: it is a folder's name and a part of a branch's.
pub fn is_unlock_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text != "genesis"
}

/// The digest of the policy: over the locked files of the crates that judge, one line each, `SHA256 PATH`.
pub fn policy_digest(files: &[LockedFile]) -> Digest {
    let judges = |file: &&LockedFile| {
        ["crates/policy/", "crates/governance/", "crates/authority/"].iter().any(|folder| file.path.starts_with(folder))
    };
    let lines: String = files.iter().filter(judges).map(|file| format!("{} {}\n", file.sha256, file.path)).collect();
    Digest::of(lines.as_bytes())
}

/// A list with one element a line, anything else in one.
fn indented(value: &Value) -> String {
    let compact = |value: &Value| canonical_json::to_string(value).unwrap_or_default();
    match value {
        Value::Array(items) if !items.is_empty() => {
            let lines: Vec<_> = items.iter().map(|item| format!("    {}", compact(item))).collect();
            format!("[\n{}\n  ]", lines.join(",\n"))
        }
        value => compact(value),
    }
}

#[cfg(test)]
mod tests;
