//! What is refused, and where.

use crate::git::id::Id;
use serde::Serialize;

/// A line is shown up to here.
pub const SHOWN_CHARACTERS: usize = 200;

/// A kind of change that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A ref that the actor may not push, or not like this.
    Ref,
    /// A locked path on the baseline branch.
    Locked,
    /// A path that only people write.
    Path,
    /// `AGENT_MODE` is another.
    AgentMode,
    /// The kill switch, its default, or what reads it.
    KillSwitch,
    /// How many run of what can place orders, or what can.
    Scale,
    /// A command that starts, changes or applies workloads.
    Deploy,
    /// An approval.
    Approve,
    /// A key that is trusted.
    Enrol,
    /// A tag of a lock.
    Tag,
    /// What nobody can read, so that nobody can say what it changes.
    Unreadable,
}

impl Kind {
    /// Its name, as commands print it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ref => "ref",
            Self::Locked => "locked",
            Self::Path => "path",
            Self::AgentMode => "agent-mode",
            Self::KillSwitch => "kill-switch",
            Self::Scale => "scale",
            Self::Deploy => "deploy",
            Self::Approve => "approve",
            Self::Enrol => "enrol",
            Self::Tag => "tag",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One thing that is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Offence {
    /// Which kind.
    pub kind: Kind,
    /// The ref that is pushed; null where a change is judged by itself.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The commit that does it; null where the whole change does.
    pub commit: Option<Id>,
    /// The file.
    pub path: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// What is wrong.
    pub what: String,
    /// The line, to be shown: it was not judged.
    pub text: Option<String>,
}

impl Offence {
    /// Of a whole ref.
    pub fn of_ref(kind: Kind, reference: &str, what: impl Into<String>) -> Self {
        let reference = Some(reference.to_owned());
        Self { kind, reference, commit: None, path: None, line: None, what: what.into(), text: None }
    }

    /// Of a file.
    pub fn of_path(kind: Kind, path: &str, what: impl Into<String>) -> Self {
        let path = Some(path.to_owned());
        Self { kind, reference: None, commit: None, path, line: None, what: what.into(), text: None }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self.kind {
            Kind::Ref => "push to refs/heads/agent/NAME/… of your own, by appending; people push the rest",
            Kind::Locked => {
                "unlock it: the branch moves to the commit of the lock that covers the change, once that is tagged"
            }
            Kind::Path | Kind::Approve | Kind::Enrol | Kind::Tag => "leave it to people; describe it in ops/proposals/",
            Kind::AgentMode | Kind::KillSwitch | Kind::Scale | Kind::Deploy => {
                "take it out of the change; put it as a patch into ops/proposals/ID/ for people"
            }
            Kind::Unreadable => "write it so that it can be read in one way only",
        }
    }
}
