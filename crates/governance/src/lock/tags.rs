//! The tags beside a lock: those that count, and those of a lock's name that do not. No verdict rests on them.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::chain::Placed;
use crate::lock::people::{People, PeopleError};
use agenttrader_authority::git_signature;
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::UnixNanos;

/// How the tag of a lock begins.
const OF_LOCKS: &str = "v2-lock-";

/// The tags of a repository, as they stand to one lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Those of its commit that a listed person signed.
    pub good: Vec<String>,
    /// Those of a lock's name, or of its commit, that count for nothing, each with why.
    pub odd: Vec<(String, String)>,
}

impl Tags {
    /// Those beside a lock, whose earlier ones are `before`.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn beside(repository: &Repository, lock: &Placed, before: &[Placed]) -> Result<Self, GitError> {
        let people = match People::at(repository, lock.commit) {
            Err(PeopleError::Git(error)) => return Err(error),
            Err(error) => Err(chain(&error)),
            Ok(people) => Ok(people),
        };
        let at = lock.lock.locked().map(|locked| locked.timestamp).unwrap_or_default();
        let mut tags = Self::default();
        for (name, id) in repository.refs("refs/tags/")? {
            let name = name.trim_start_matches("refs/tags/").to_owned();
            let named = repository.tag(id).map(|tag| tag.commit).unwrap_or(id);
            if named != lock.commit && (!name.starts_with(OF_LOCKS) || before.iter().any(|lock| lock.commit == named)) {
                continue;
            }
            let good = match &people {
                _ if named != lock.commit => Err(format!("it names {named}, which is no lock's commit")),
                Err(why) => Err(why.clone()),
                Ok(people) => signed(repository, people, &name, id, at)?,
            };
            if repository.named(&format!("refs/heads/{name}"))?.is_some() {
                tags.odd.push((name.clone(), format!("a branch has its name too: say refs/tags/{name}")));
            }
            match good {
                Ok(()) => tags.good.push(name),
                Err(why) => tags.odd.push((name, why)),
            }
        }
        Ok(tags)
    }
}

/// Whether a listed person signed the tag, for this name.
fn signed(
    repository: &Repository,
    people: &People,
    name: &str,
    id: Id,
    at: UnixNanos,
) -> Result<Result<(), String>, GitError> {
    let tag = match repository.tag(id) {
        Err(GitError::Kind { .. } | GitError::Malformed { .. }) => {
            return Ok(Err("it is no annotated tag: nobody signed it".to_owned()));
        }
        found => found?,
    };
    if tag.name != name {
        return Ok(Err(format!("it was made for the name {}", tag.name)));
    }
    let signed = match git_signature::tag(&tag.bytes) {
        Ok(Some(signed)) => signed,
        Ok(None) => return Ok(Err("nobody signed it".to_owned())),
        Err(error) => return Ok(Err(chain(&error))),
    };
    Ok(match people.signers.who(Namespace::Git, &signed.payload, &signed.signature, at) {
        Ok(by) if people.agents.names.contains(by.principal()) => Err(format!("{} is an agent", by.principal())),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("its signature does not count: {}", chain(&error))),
    })
}
