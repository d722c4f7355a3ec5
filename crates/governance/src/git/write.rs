//! Objects that are written: blobs, trees, commits and tags. Nothing is checked out by git, so that no filter of anybody runs.

use crate::git::error::GitError;
use crate::git::id::{Id, Kind};
use crate::git::path::RepoPath;
use crate::git::repository::{Repository, finished, text};
use crate::git::sign::Signer;
use crate::git::tree::{Files, Leaf, Mode};
use agenttrader_core::time::UnixNanos;
use std::collections::BTreeMap;

/// Who makes commits that nobody signs.
const NOBODY: &str = "governance-cli";

/// A commit to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// All of its files.
    pub files: &'a Files,
    /// The commits before it.
    pub parents: &'a [Id],
    /// What it says.
    pub message: &'a str,
    /// Whose it is; nobody signs it where there is none.
    pub signer: Option<&'a Signer>,
    /// When.
    pub at: UnixNanos,
}

impl Repository {
    /// Writes a file's bytes as they are.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Id, GitError> {
        self.write_object(Kind::Blob, bytes)
    }

    /// Writes folders that hold exactly these files.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn write_tree(&self, files: &Files) -> Result<Id, GitError> {
        let mut root = Folder::default();
        for (path, leaf) in files {
            root.put(&path.parts().collect::<Vec<_>>(), *leaf);
        }
        self.write_folder(&root)
    }

    fn write_folder(&self, folder: &Folder) -> Result<Id, GitError> {
        // Git sorts a folder as if its name ended with a slash.
        let mut entries: BTreeMap<Vec<u8>, (&str, &[u8], Id)> = BTreeMap::new();
        for (name, leaf) in &folder.leaves {
            entries.insert(name.clone(), (leaf.mode.digits(), name, leaf.id));
        }
        for (name, below) in &folder.folders {
            let id = self.write_folder(below)?;
            entries.insert([name.as_slice(), b"/"].concat(), ("40000", name, id));
        }
        let bytes =
            entries.values().flat_map(|(mode, name, id)| [mode.as_bytes(), b" ", name, b"\0", id.as_bytes()].concat());
        self.write_object(Kind::Tree, &bytes.collect::<Vec<u8>>())
    }

    /// Writes a commit; no branch moves.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn write_commit(&self, new: &NewCommit<'_>) -> Result<Id, GitError> {
        let tree = self.write_tree(new.files)?;
        let seconds = new.at.nanos().div_euclid(1_000_000_000);
        let name = new.signer.map_or(NOBODY, |signer| &signer.principal);
        let mut head = format!("tree {tree}\n");
        for parent in new.parents {
            head.push_str(&format!("parent {parent}\n"));
        }
        head.push_str(&format!("author {name} <{name}> {seconds} +0000\ncommitter {name} <{name}> {seconds} +0000\n"));
        let unsigned = format!("{head}\n{}\n", new.message.trim_end());
        let Some(signer) = new.signer else {
            return self.write_object(Kind::Commit, unsigned.as_bytes());
        };
        let signature = signer.sign(self.programs(), "git", unsigned.as_bytes())?;
        let signature = signature.trim_end().replace('\n', "\n ");
        let signed = format!("{head}gpgsig {signature}\n\n{}\n", new.message.trim_end());
        self.write_object(Kind::Commit, signed.as_bytes())
    }

    fn write_object(&self, kind: Kind, bytes: &[u8]) -> Result<Id, GitError> {
        let id = Id::of(kind, bytes);
        let answer = self.tell(&["hash-object", "-t", kind.word(), "-w", "--stdin", "--no-filters"], bytes)?;
        match Id::parse(text(answer, "git hash-object")?.trim_end()) {
            Some(written) if written == id => Ok(id),
            written => Err(GitError::malformed("the answer of git hash-object", format!("{written:?} is not {id}"))),
        }
    }

    /// Moves a ref (`refs/heads/x`) from one commit to another. From nowhere: it must not be there yet.
    ///
    /// # Errors
    /// [`GitError`], also where it was elsewhere.
    pub fn move_ref(&self, name: &str, from: Option<Id>, to: Id) -> Result<(), GitError> {
        let from = from.map_or_else(|| "0".repeat(40), |from| from.to_string());
        self.ask(&["update-ref", "--no-deref", "-m", "agenttrader", name, &to.to_string(), &from]).map(drop)
    }

    /// Takes a ref away that names this object.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn drop_ref(&self, name: &str, id: Id) -> Result<(), GitError> {
        self.ask(&["update-ref", "--no-deref", "-d", name, &id.to_string()]).map(drop)
    }

    /// Makes a branch (`refs/heads/x`) the one that is checked out; index and work tree stay as they are.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn check_out(&self, branch: &str) -> Result<(), GitError> {
        self.ask(&["symbolic-ref", "-m", "agenttrader", "HEAD", branch]).map(drop)
    }

    /// Sets the index to what a commit holds; no file of the work tree is touched.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn set_index(&self, commit: Id) -> Result<(), GitError> {
        // Not `--reset`, and no refresh: both look at the work tree through the repository's filters, which would run.
        self.ask(&["read-tree", &commit.to_string()]).map(drop)
    }

    /// Makes a signed annotated tag with stock git.
    ///
    /// # Errors
    /// [`GitError`], also where the name is taken.
    pub fn write_tag(
        &self,
        name: &str,
        commit: Id,
        message: &str,
        signer: &Signer,
        at: UnixNanos,
    ) -> Result<Id, GitError> {
        let seconds = at.nanos().div_euclid(1_000_000_000);
        let mut git = self.git();
        signer.reach_agent(&mut git);
        git.env("GIT_COMMITTER_DATE", format!("@{seconds} +0000"));
        let mut key = std::ffi::OsString::from("user.signingKey=");
        key.push(&signer.key);
        git.arg("-c").arg(key);
        git.args(["-c", &format!("user.name={}", signer.principal), "-c", &format!("user.email={}", signer.principal)]);
        git.args(["tag", "--sign", "--no-column", "-m", message, "--", name, &commit.to_string()]);
        finished(git.output(), "git tag")?;
        self.named(&format!("refs/tags/{name}"))?.ok_or_else(|| GitError::malformed("the new tag", "it is not there"))
    }
}

/// A folder to be written.
#[derive(Default)]
struct Folder {
    leaves: BTreeMap<Vec<u8>, Leaf>,
    folders: BTreeMap<Vec<u8>, Folder>,
}

impl Folder {
    fn put(&mut self, parts: &[&[u8]], leaf: Leaf) {
        match parts {
            [] => {}
            [name] => {
                self.leaves.insert(name.to_vec(), leaf);
            }
            [name, rest @ ..] => self.folders.entry(name.to_vec()).or_default().put(rest, leaf),
        }
    }
}

/// A regular file's entry.
pub const fn file(id: Id) -> Leaf {
    Leaf { mode: Mode::File, id }
}

/// The same files with some replaced or, where there is nothing, taken away.
#[must_use]
pub fn with(files: &Files, changes: &[(RepoPath, Option<Leaf>)]) -> Files {
    let mut files = files.clone();
    for (path, leaf) in changes {
        match leaf {
            Some(leaf) => files.insert(path.clone(), *leaf),
            None => files.remove(path),
        };
    }
    files
}
