//! Commits, from their bytes.

use crate::git::error::GitError;
use crate::git::id::Id;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Id,
    /// The folder it holds.
    pub tree: Id,
    /// The commits before it.
    pub parents: Vec<Id>,
    /// Who wrote it, as it says.
    pub author: Person,
    /// Who committed it, as it says.
    pub committer: Person,
    /// All of it, as it was signed if it was.
    pub bytes: Vec<u8>,
}

/// Who a commit or tag says it is by: free text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub address: String,
    /// Seconds since 1970.
    pub at: i64,
}

impl Commit {
    /// Reads one. Each of its headers stands once, in git's order.
    pub(crate) fn parse(id: Id, bytes: Vec<u8>) -> Result<Self, GitError> {
        let refused = |why: &str| GitError::malformed(format!("commit {id}"), why);
        let mut lines = head_lines(&bytes).into_iter().peekable();
        let of = |line: Option<&[u8]>, key: &str| {
            let id = line?.strip_prefix(key.as_bytes())?;
            Id::parse(std::str::from_utf8(id).ok()?)
        };
        let tree = of(lines.next(), "tree ").ok_or_else(|| refused("its first line names no tree"))?;
        let mut parents = Vec::new();
        while lines.peek().is_some_and(|line| line.starts_with(b"parent ")) {
            parents.push(of(lines.next(), "parent ").ok_or_else(|| refused("a parent is no id"))?);
        }
        let author = person(lines.next(), "author ").ok_or_else(|| refused("its author cannot be read"))?;
        let committer = person(lines.next(), "committer ").ok_or_else(|| refused("its committer cannot be read"))?;
        let again = [b"tree ".as_slice(), b"parent ", b"author ", b"committer "];
        if lines.any(|line| again.iter().any(|key| line.starts_with(key))) {
            return Err(refused("a header stands twice"));
        }
        Ok(Self { id, tree, parents, author, committer, bytes })
    }
}

/// The lines before the first empty one.
pub(crate) fn head_lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()).collect()
}

/// `key NAME <ADDRESS> SECONDS ZONE`.
pub(crate) fn person(line: Option<&[u8]>, key: &str) -> Option<Person> {
    let text = String::from_utf8_lossy(line?.strip_prefix(key.as_bytes())?);
    let (name, rest) = text.split_once('<')?;
    let (address, time) = rest.split_once('>')?;
    let mut time = time.split_ascii_whitespace();
    let at = time.next()?.parse().ok()?;
    time.next()?;
    let is_all = time.next().is_none();
    is_all.then(|| Person { name: name.trim_end().to_owned(), address: address.to_owned(), at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn parse(text: &str) -> Result<Commit, GitError> {
        Commit::parse(Id::parse(TREE).unwrap(), text.as_bytes().to_vec())
    }

    #[test]
    fn a_commit_is_read_from_its_bytes() {
        let people = "author Ann <ann@x> 1700000000 +0100\ncommitter Bob B. <bob@x> 1700000001 +0000";
        let commit =
            parse(&format!("tree {TREE}\nparent {TREE}\nparent {TREE}\n{people}\n\ntree is a word here\n")).unwrap();
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.author, Person { name: "Ann".into(), address: "ann@x".into(), at: 1_700_000_000 });
        assert_eq!((&*commit.committer.name, commit.committer.at), ("Bob B.", 1_700_000_001));
    }

    #[test]
    fn a_commit_that_says_a_thing_twice_or_not_at_all_is_refused() {
        let people = "author A <a> 1 +0000\ncommitter B <b> 2 +0000";
        for bad in [
            String::new(),
            format!("parent {TREE}\n{people}\n\n"),
            format!("tree {TREE}\n\n"),
            format!("tree {TREE}\n{people}\ntree {TREE}\n\n"),
            format!("tree {TREE}\n{people}\nparent {TREE}\n\n"),
            format!("tree {TREE}\nauthor A 1 +0000\ncommitter B <b> 2 +0000\n\n"),
            format!("tree {TREE}\nparent zzz\n{people}\n\n"),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }
}
