//! A push, as git tells a pre-receive hook of it: each ref judged, by rules of the base.

use crate::actors::actor::{Actor, Kind};
use crate::actors::baseline::Baseline;
use crate::actors::change::{actors, commits};
use crate::actors::error::PolicyError;
use crate::actors::offence::{Kind as Of, Offence};
use crate::actors::trees::Trees;
use crate::actors::update::Update;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use agenttrader_core::error_chain::chain;
use std::collections::HashSet;

/// What judging a push came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Who pushes.
    pub actor: Actor,
    /// The commit whose rules were applied.
    pub rules: Id,
    /// What is refused; a push with any is refused as a whole.
    pub offences: Vec<Offence>,
}

/// Judges a push. `base` names the commit whose lock names the baseline branch; the rules are those of that branch as it stands.
///
/// # Errors
/// [`PolicyError`]; then nothing may be taken.
pub fn judge(repository: &Repository, base: &str, pusher: &str, updates: &[Update]) -> Result<Judged, PolicyError> {
    if repository.oddities()?.shallow {
        return Err(PolicyError::Shallow);
    }
    let baseline = Baseline::of(repository, base)?;
    let actor = actors(repository, baseline.rules)?.of_pusher(pusher);
    let mut offences = Vec::new();
    let mut agent = None;
    for update in updates {
        let before = offences.len();
        if repository.named(&update.name)? != update.old {
            offences.push(Offence::of_ref(Of::Ref, &update.name, "it does not name what the push says it names now"));
            continue;
        }
        offences.extend(baseline.judge(repository, update, updates)?);
        if actor.kind == Kind::Agent {
            let pushing = match &mut agent {
                Some(pushing) => pushing,
                none => none.insert(Pushing::new(repository, &actor, baseline.rules)?),
            };
            offences.extend(pushing.judge(update)?);
        }
        for offence in offences.iter_mut().skip(before) {
            offence.reference = Some(update.name.clone());
        }
    }
    Ok(Judged { actor, rules: baseline.rules, offences })
}

/// An agent that pushes.
struct Pushing<'a> {
    repository: &'a Repository,
    trees: Trees<'a>,
    own: Option<String>,
    rules: Id,
    /// Every commit that a ref here leads to.
    known: HashSet<Id>,
}

impl<'a> Pushing<'a> {
    fn new(repository: &'a Repository, actor: &Actor, rules: Id) -> Result<Self, PolicyError> {
        let mut known: HashSet<Id> = HashSet::new();
        let refs = repository.refs("refs/")?;
        // A tag of something else than a commit leads to no commit.
        let mut waiting: Vec<Id> = refs.iter().filter_map(|(_, id)| target(repository, *id)).collect();
        waiting.push(rules);
        while let Some(id) = waiting.pop() {
            if known.insert(id) {
                waiting.extend(repository.commit(id)?.parents.iter().copied());
            }
        }
        Ok(Self { repository, trees: Trees::new(repository)?, own: actor.branches(), rules, known })
    }

    fn judge(&self, update: &Update) -> Result<Vec<Offence>, PolicyError> {
        let refuse = |what: String| Ok(vec![Offence::of_ref(Of::Ref, &update.name, what)]);
        let tail = self.own.as_ref().and_then(|own| update.name.strip_prefix(own.as_str()));
        if tail.is_none_or(str::is_empty) {
            let own = match &self.own {
                Some(own) => format!("an agent pushes {own}… alone"),
                None => "this pusher is nobody's, and has no branches".to_owned(),
            };
            let kind = if update.name.starts_with("refs/tags/") { Of::Tag } else { Of::Ref };
            return Ok(vec![Offence::of_ref(kind, &update.name, own)]);
        }
        let Some(new) = update.new else { return refuse("an agent deletes no ref".to_owned()) };
        match self.repository.commit(new) {
            Err(error @ GitError::Kind { .. }) => return refuse(format!("it is no commit: {}", chain(&error))),
            other => drop(other?),
        }
        if let Some(old) = update.old
            && !self.repository.is_ancestor(old, new)?
        {
            return refuse("it is moved by force: an agent appends".to_owned());
        }
        commits(&self.trees, self.repository, &self.known, self.rules, new)
    }
}

/// The commit that an object is, or that a tag names.
fn target(repository: &Repository, id: Id) -> Option<Id> {
    match repository.commit(id) {
        Ok(commit) => Some(commit.id),
        Err(_) => repository.tag(id).ok().map(|tag| tag.commit),
    }
}
