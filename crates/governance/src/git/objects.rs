//! Objects by id, from one long-lived `git cat-file --batch`. Each is hashed again: an object store cannot show other bytes.

use crate::git::commit::Commit;
use crate::git::error::GitError;
use crate::git::id::{Id, Kind};
use crate::git::tree::{TreeEntry, tree_entries};
use agenttrader_core::digest::Digest;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

/// Most bytes of a file or a folder that are read.
pub const BLOB_BYTES_MOST: u64 = 64 * 1024 * 1024;

/// Most bytes of a commit or a tag that are read.
const COMMIT_BYTES_MOST: u64 = 1024 * 1024;

/// Longest first line of an answer: an id, a kind, a size.
const HEAD_BYTES_MOST: u64 = 200;

/// Folders and commits that are kept, so that a walk through a long history reads each once; all are let go at the bound.
const KEPT_MOST: usize = 50_000;

/// The running git, and what was read.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    running: RefCell<Option<Running>>,
    commits: RefCell<HashMap<Id, Rc<Commit>>>,
    trees: RefCell<HashMap<Id, Rc<Vec<TreeEntry>>>>,
    digests: RefCell<HashMap<Id, Digest>>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Objects {
    /// An object's bytes; `git` is a call of git in the repository.
    fn object(&self, git: impl FnOnce() -> Command, id: Id, wanted: Kind, limit: u64) -> Result<Vec<u8>, GitError> {
        let mut slot = self.running.borrow_mut();
        let mut running = match slot.take() {
            Some(running) => running,
            None => Running::start(git())?,
        };
        // Left out of its slot at an error: what is in the pipe then belongs to no later question.
        let bytes = running.read(id, wanted, limit)?;
        *slot = Some(running);
        let found = Id::of(wanted, &bytes);
        if found == id { Ok(bytes) } else { Err(GitError::Altered { id, found }) }
    }

    pub(super) fn blob(&self, git: impl FnOnce() -> Command, id: Id) -> Result<Vec<u8>, GitError> {
        self.object(git, id, Kind::Blob, BLOB_BYTES_MOST)
    }

    pub(super) fn tag(&self, git: impl FnOnce() -> Command, id: Id) -> Result<Vec<u8>, GitError> {
        self.object(git, id, Kind::Tag, COMMIT_BYTES_MOST)
    }

    pub(super) fn sha256(&self, git: impl FnOnce() -> Command, id: Id) -> Result<Digest, GitError> {
        if let Some(digest) = self.digests.borrow().get(&id) {
            return Ok(*digest);
        }
        let digest = Digest::of(&self.blob(git, id)?);
        self.digests.borrow_mut().insert(id, digest);
        Ok(digest)
    }

    pub(super) fn commit(&self, git: impl FnOnce() -> Command, id: Id) -> Result<Rc<Commit>, GitError> {
        if let Some(commit) = self.commits.borrow().get(&id) {
            return Ok(Rc::clone(commit));
        }
        let commit = Rc::new(Commit::parse(id, self.object(git, id, Kind::Commit, COMMIT_BYTES_MOST)?)?);
        keep(&self.commits, id, &commit);
        Ok(commit)
    }

    pub(super) fn tree(&self, git: impl FnOnce() -> Command, id: Id) -> Result<Rc<Vec<TreeEntry>>, GitError> {
        if let Some(tree) = self.trees.borrow().get(&id) {
            return Ok(Rc::clone(tree));
        }
        let tree = Rc::new(tree_entries(id, &self.object(git, id, Kind::Tree, BLOB_BYTES_MOST)?)?);
        keep(&self.trees, id, &tree);
        Ok(tree)
    }
}

impl Running {
    fn start(mut git: Command) -> Result<Self, GitError> {
        let broken = |source| GitError::Run { program: "git cat-file".to_owned(), source };
        git.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = git.spawn().map_err(broken)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(ask), Some(answers)) => Ok(Self { child, ask, answers: BufReader::new(answers) }),
            _ => Err(broken(std::io::Error::other("it has no pipes"))),
        }
    }

    fn read(&mut self, id: Id, wanted: Kind, limit: u64) -> Result<Vec<u8>, GitError> {
        let broken = |source| GitError::Answer { id, source };
        writeln!(self.ask, "{id}").and_then(|()| self.ask.flush()).map_err(broken)?;
        let mut head = Vec::new();
        (&mut self.answers).take(HEAD_BYTES_MOST).read_until(b'\n', &mut head).map_err(broken)?;
        let head = String::from_utf8_lossy(&head);
        let mut words = head.trim_end().split(' ');
        let (_, kind, size) = (words.next(), words.next().unwrap_or_default(), words.next());
        if kind == "missing" {
            return Err(GitError::Missing { id });
        }
        let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
            return Err(GitError::malformed(
                format!("git's answer about {id}"),
                format!("it begins `{}`", head.trim_end()),
            ));
        };
        if kind != wanted.word() {
            return Err(GitError::Kind { id, wanted: wanted.word(), found: kind.to_owned() });
        }
        if size > limit {
            return Err(GitError::TooLarge { id, size, limit });
        }
        let mut bytes = Vec::new();
        (&mut self.answers).take(size).read_to_end(&mut bytes).map_err(broken)?;
        let mut end = [0_u8; 1];
        self.answers.read_exact(&mut end).map_err(broken)?;
        if u64::try_from(bytes.len()).is_ok_and(|read| read == size) && end == *b"\n" {
            Ok(bytes)
        } else {
            Err(GitError::malformed(format!("git's answer about {id}"), "it is shorter than it says"))
        }
    }
}

fn keep<T>(kept: &RefCell<HashMap<Id, Rc<T>>>, id: Id, value: &Rc<T>) {
    let mut kept = kept.borrow_mut();
    if kept.len() >= KEPT_MOST {
        kept.clear();
    }
    kept.insert(id, Rc::clone(value));
}
