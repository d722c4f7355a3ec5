//! Who made a change: those do not review it.

use crate::git::commit::{Commit, Person};
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::lock::people::People;
use crate::scope::Scope;
use crate::unlock::line::touched;
use agenttrader_authority::git_signature;
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::sshsig::SshSignature;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The principals who wrote, committed or signed a commit that touches a locked path, among the commits of `change` and of `head` that are not
/// in the history of `base`.
///
/// Author and committer are free text: they count besides the signature, never instead of it. A name and address that stand in a commit somebody
/// signed are that person's in unsigned ones too.
///
/// # Errors
/// [`GitError`].
pub fn authors(
    repository: &Repository,
    people: &People,
    scope: &Scope,
    base: Id,
    ends: &[Id],
) -> Result<BTreeSet<String>, GitError> {
    let mut commits: BTreeMap<Id, Rc<Commit>> = BTreeMap::new();
    for end in ends {
        commits.extend(repository.between(base, *end)?.into_iter().map(|commit| (commit.id, commit)));
    }
    let mut known: BTreeSet<(Person, String)> = BTreeSet::new();
    let mut making: Vec<(Rc<Commit>, Option<String>)> = Vec::new();
    for commit in commits.into_values() {
        let signer = signer(people, &commit);
        if let Some(signer) = &signer {
            known.extend([&commit.author, &commit.committer].map(|person| (timeless(person), signer.clone())));
        }
        if !touched(repository, scope, &commit)?.is_empty() {
            making.push((commit, signer));
        }
    }
    let principals: BTreeSet<&str> = people.signers.lines().iter().map(|line| line.principal.as_str()).collect();
    let mut authors = BTreeSet::new();
    for (commit, signer) in making {
        authors.extend(signer);
        for person in [&commit.author, &commit.committer] {
            authors.extend(principals.iter().filter(|name| is(person, name)).map(|name| (*name).to_owned()));
            let same = timeless(person);
            authors.extend(known.iter().filter(|(person, _)| *person == same).map(|(_, name)| name.clone()));
        }
    }
    Ok(authors)
}

/// Whose key signed a commit. A key that is revoked or out of its time is its person's all the same.
fn signer(people: &People, commit: &Commit) -> Option<String> {
    let signed = git_signature::commit(&commit.bytes).ok()??;
    let signature = SshSignature::parse(&signed.signature).ok()?;
    signature.verify(Namespace::Git.as_str(), &signed.payload).ok()?;
    let line = people.signers.lines().iter().find(|line| line.key.point() == signature.key().point())?;
    Some(line.principal.clone())
}

fn timeless(person: &Person) -> Person {
    Person { at: 0, ..person.clone() }
}

/// Whether a name or an address is a principal's, as people write them.
pub fn is(person: &Person, principal: &str) -> bool {
    let local = |address: &str| address.split('@').next().unwrap_or_default().to_lowercase();
    let principal = principal.to_lowercase();
    let (name, address) = (person.name.trim().to_lowercase(), person.address.trim().to_lowercase());
    name == principal || address == principal || local(&address) == local(&principal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_by_name_and_by_address_in_any_case() {
        let person = |name: &str, address: &str| Person { name: name.to_owned(), address: address.to_owned(), at: 1 };
        for (name, address, principal, same) in [
            ("Rolf", "x@y", "rolf", true),
            ("R", "rolf@y", "rolf", true),
            ("R", "ROLF@y", "rolf@y", true),
            ("R", "rolf@elsewhere", "rolf@y", true),
            ("R", "r@y", "rolf@y", false),
            ("Rolfina", "rolfina@y", "rolf", false),
        ] {
            assert_eq!(is(&person(name, address), principal), same, "{name} <{address}> {principal}");
        }
    }
}
