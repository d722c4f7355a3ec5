//! What the rules say.

use serde::{Deserialize, Serialize};

/// A value is quoted up to here: enough to find it, too little to flood a report.
pub const VALUE_CHARACTERS: usize = 200;

/// A rule of the production lock, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// HEAD, index and disk agree; the lock is there and parses.
    Tree,
    /// Required documents are present.
    Docs,
    /// What can place orders is at zero and nothing brings it up.
    ExecScale,
    /// No way for the mode to become `EXECUTE`.
    NoExecute,
    /// One kill switch, halted, and nothing over it.
    KillSwitch,
    /// What can place orders reads the kill switch.
    SwitchRead,
    /// No image by a moving name.
    NoLatest,
    /// Files that can be read in one way only.
    Parse,
    /// Nothing that matters is left open.
    Unresolved,
    /// Service accounts read, at most.
    Rbac,
    /// Identity variables of agents.
    Identity,
    /// Probes of agents.
    Probes,
    /// Least privilege of pods.
    Hardening,
    /// Default-deny networks.
    Network,
    /// Known kinds, required fields, no unknown field.
    Schema,
    /// Locked files equal their digests, and the lock is legitimate.
    Scope,
    /// The evidence is there, unaltered and fresh.
    Evidence,
}

impl Rule {
    /// Every rule, in the order in which findings are listed.
    pub const ALL: [Self; 17] = [
        Self::Tree,
        Self::Docs,
        Self::ExecScale,
        Self::NoExecute,
        Self::KillSwitch,
        Self::SwitchRead,
        Self::NoLatest,
        Self::Parse,
        Self::Unresolved,
        Self::Rbac,
        Self::Identity,
        Self::Probes,
        Self::Hardening,
        Self::Network,
        Self::Schema,
        Self::Scope,
        Self::Evidence,
    ];

    /// The rules that [`crate`] judges: those on manifests.
    pub const MANIFESTS: [Self; 13] = [
        Self::ExecScale,
        Self::NoExecute,
        Self::KillSwitch,
        Self::SwitchRead,
        Self::NoLatest,
        Self::Parse,
        Self::Unresolved,
        Self::Rbac,
        Self::Identity,
        Self::Probes,
        Self::Hardening,
        Self::Network,
        Self::Schema,
    ];

    /// Its id, as commands print and take it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Docs => "docs",
            Self::ExecScale => "exec-scale",
            Self::NoExecute => "no-execute",
            Self::KillSwitch => "kill-switch",
            Self::SwitchRead => "switch-read",
            Self::NoLatest => "no-latest",
            Self::Parse => "parse",
            Self::Unresolved => "unresolved",
            Self::Rbac => "rbac",
            Self::Identity => "identity",
            Self::Probes => "probes",
            Self::Hardening => "hardening",
            Self::Network => "network",
            Self::Schema => "schema",
            Self::Scope => "scope",
            Self::Evidence => "evidence",
        }
    }

    /// The rule of an id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }
}

/// What a rule says of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It holds, and something deserves a look.
    Warn,
    /// It does not hold, or cannot be shown to.
    Fail,
    /// It does not hold, and people allowed that for a time.
    Waived,
    /// There is nothing to judge.
    #[serde(rename = "N/A")]
    NotApplicable,
}

/// One finding. Path and line say where, `remedy` what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Which rule speaks.
    pub rule: Rule,
    /// What it says.
    pub verdict: Verdict,
    /// The file, relative to the tree; empty where the finding is of the tree as a whole.
    pub path: String,
    /// Line in the file, from 1; null where the file as a whole is meant.
    pub line: Option<u32>,
    /// The object as `Kind/namespace/name`, where there is one.
    pub object: Option<String>,
    /// Where in the object, as `spec.template.spec.containers[0].image`.
    pub field: Option<String>,
    /// The value found, as the file spells it, cut off at 200 characters.
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A rule that does not hold, with what is wrong and what to do.
    pub fn fail(rule: Rule, path: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            rule,
            verdict: Verdict::Fail,
            path: path.to_owned(),
            line: None,
            object: None,
            field: None,
            value: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A rule that holds where something deserves a look.
    pub fn warn(rule: Rule, path: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, ..Self::fail(rule, path, message, remedy) }
    }

    /// On which line.
    #[must_use]
    pub fn line(self, line: u32) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Of which object.
    #[must_use]
    pub fn object(self, object: impl Into<String>) -> Self {
        Self { object: Some(object.into()), ..self }
    }

    /// Where in the object.
    #[must_use]
    pub fn field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Which value was found; cut off at [`VALUE_CHARACTERS`].
    #[must_use]
    pub fn value(self, value: &str) -> Self {
        Self { value: Some(value.chars().take(VALUE_CHARACTERS).collect()), ..self }
    }
}
