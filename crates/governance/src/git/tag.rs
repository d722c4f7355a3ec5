//! Annotated tags, from their bytes.

use crate::git::commit::{Person, head_lines, person};
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;

/// An annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub id: Id,
    /// The commit it names.
    pub commit: Id,
    /// The name it was made for.
    pub name: String,
    /// Who made it, as it says.
    pub tagger: Person,
    /// All of it, as it was signed if it was.
    pub bytes: Vec<u8>,
}

impl Repository {
    /// The annotated tag of an id that names a commit.
    ///
    /// # Errors
    /// [`GitError`], also for a tag that names something else.
    pub fn tag(&self, id: Id) -> Result<Tag, GitError> {
        parse(id, self.tag_bytes(id)?)
    }
}

fn parse(id: Id, bytes: Vec<u8>) -> Result<Tag, GitError> {
    let refused = |why: &str| GitError::malformed(format!("tag {id}"), why);
    let head = head_lines(&bytes);
    let [object, kind, name, tagger] = head.as_slice() else {
        return Err(refused("it has other headers than object, type, tag and tagger"));
    };
    let word = |line: &[u8], key: &str| Some(std::str::from_utf8(line.strip_prefix(key.as_bytes())?).ok()?.to_owned());
    let commit = word(object, "object ").and_then(|id| Id::parse(&id)).ok_or_else(|| refused("it names no object"))?;
    if *kind != b"type commit" {
        return Err(refused("it names something else than a commit"));
    }
    let name = word(name, "tag ").ok_or_else(|| refused("it has no name"))?;
    let tagger = person(Some(tagger), "tagger ").ok_or_else(|| refused("who made it cannot be read"))?;
    Ok(Tag { id, commit, name, tagger, bytes })
}
