//! A repository, and how git is called in it.

use crate::git::error::GitError;
use crate::git::objects::Objects;
use crate::git::program::Programs;
use crate::git::quarantine::Quarantine;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Settings that every call passes: they stand above those of the repository.
const SETTINGS: [&str; 13] = [
    // What the repository's configuration could have run.
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "gpg.format=ssh",
    "protocol.allow=never",
    "maintenance.auto=false",
    "gc.auto=0",
    // What it could have hidden.
    "core.attributesFile=/dev/null",
    "core.untrackedCache=false",
    "core.commitGraph=false",
    "core.quotePath=false",
    "core.sparseCheckout=false",
    "advice.graftFileDeprecated=false",
];

/// A repository.
#[derive(Debug)]
pub struct Repository {
    programs: Programs,
    place: Place,
    common_dir: PathBuf,
    objects: Objects,
}

/// Where a repository is.
#[derive(Debug)]
struct Place {
    /// The folder of the work tree; the repository's own where it is called by its folder alone.
    root: PathBuf,
    git_dir: PathBuf,
    has_work_tree: bool,
    /// What is being pushed, before anybody has taken it.
    quarantine: Option<Quarantine>,
}

impl Repository {
    /// The repository a folder lies in: the first folder upwards that holds `.git`.
    ///
    /// # Errors
    /// [`GitError`], also for a repository whose ids are not SHA-1.
    pub fn find(from: &Path, programs: Programs) -> Result<Self, GitError> {
        let nowhere = || GitError::NoRepository { from: from.to_owned() };
        let whole = fs::canonicalize(from).map_err(|_| nowhere())?;
        let root = whole.ancestors().find(|folder| folder.join(".git").exists()).ok_or_else(nowhere)?;
        Self::open(root, programs)
    }

    /// The repository of a work tree.
    fn open(root: &Path, programs: Programs) -> Result<Self, GitError> {
        let git_dir = root.join(".git");
        Self::opened(Place { root: root.to_owned(), git_dir, has_work_tree: true, quarantine: None }, programs)
    }

    /// The repository that receives a push: the folder in which git runs its hook. What is pushed is read from the quarantine that the
    /// hook's environment names.
    ///
    /// # Errors
    /// [`GitError`], also for an environment that no git gives.
    pub fn receiving(
        folder: &Path,
        programs: Programs,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, GitError> {
        let git_dir = fs::canonicalize(folder).map_err(|_| GitError::NoRepository { from: folder.to_owned() })?;
        let place = Place { root: git_dir.clone(), git_dir, has_work_tree: false, quarantine: None };
        let mut repository = Self::opened(place, programs)?;
        repository.place.quarantine = Quarantine::named(environment, &repository.common_dir.join("objects"))?;
        Ok(repository)
    }

    fn opened(mut place: Place, programs: Programs) -> Result<Self, GitError> {
        let (git_dir, common_dir, format) = {
            let mut git = call(&programs, &place);
            git.args(["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir", "--show-object-format"]);
            let answer = text(finished(git.output(), "git rev-parse")?, "git rev-parse")?;
            let mut lines = answer.lines().map(str::to_owned);
            let mut next =
                || lines.next().ok_or_else(|| GitError::malformed("the repository's place", "it is not told"));
            (PathBuf::from(next()?), PathBuf::from(next()?), next()?)
        };
        if format != "sha1" {
            return Err(GitError::Format { found: format });
        }
        place.git_dir = git_dir;
        Ok(Self { programs, place, common_dir, objects: Objects::default() })
    }

    /// The folder of the work tree.
    pub fn root(&self) -> &Path {
        &self.place.root
    }

    /// The programs that are run.
    pub const fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The folder that all work trees of the repository share.
    pub(crate) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    pub(crate) const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// A call of git, without arguments yet.
    pub(crate) fn git(&self) -> Command {
        call(&self.programs, &self.place)
    }

    /// What a command of git prints.
    pub(crate) fn ask<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<u8>, GitError> {
        let mut git = self.git();
        git.args(arguments);
        finished(git.output(), &named(arguments))
    }

    /// What a command of git prints after it was given input.
    pub(crate) fn tell<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Result<Vec<u8>, GitError> {
        let mut git = self.git();
        git.args(arguments);
        fed(git, &named(arguments), input)
    }
}

fn named<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    // The settings before the command say nothing to a person.
    let command = arguments.first().map(|word| word.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
    format!("git {command}")
}

/// A call in a cleared environment. Nothing of the caller's, the user's or the machine's configuration reaches it.
fn call(programs: &Programs, place: &Place) -> Command {
    let mut git = Command::new(&programs.git);
    git.current_dir(&place.root).stdin(Stdio::null()).env_clear();
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_ATTR_NOSYSTEM", "1");
    git.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    // An absent object is absent: none is fetched, by no transport.
    git.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    // Said, not looked for: `core.worktree` of the repository cannot move it, nor an owner's name close it.
    git.env("GIT_DIR", &place.git_dir);
    if place.has_work_tree {
        git.env("GIT_WORK_TREE", &place.root);
    }
    if let Some(quarantine) = &place.quarantine {
        git.envs(quarantine.variables());
    }
    git.args(["--no-replace-objects", "--no-pager"]);
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    let mut program = OsString::from("gpg.ssh.program=");
    program.push(&programs.ssh_keygen);
    git.arg("-c").arg(program).args(["-c", "gpg.ssh.allowedSignersFile=/dev/null"]);
    git
}

/// Runs a program with input on its standard input.
pub(crate) fn fed(mut program: Command, what: &str, input: &[u8]) -> Result<Vec<u8>, GitError> {
    let broken = |source| GitError::Run { program: what.to_owned(), source };
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(broken)?;
    let into = child.stdin.take();
    let output = std::thread::scope(|threads| {
        // On a thread of its own: the program may answer before it has read everything.
        let writing = threads.spawn(move || into.map_or(Ok(()), |mut into| into.write_all(input)));
        let output = child.wait_with_output();
        let _ = writing.join();
        output
    });
    finished(output, what)
}

/// What a program printed, if it ended well.
pub(crate) fn finished(output: std::io::Result<Output>, what: &str) -> Result<Vec<u8>, GitError> {
    let output = output.map_err(|source| GitError::Run { program: what.to_owned(), source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    Err(GitError::Failed { what: what.to_owned(), said: said.chars().take(300).collect() })
}

pub(crate) fn text(bytes: Vec<u8>, what: &str) -> Result<String, GitError> {
    String::from_utf8(bytes).map_err(|_| GitError::malformed(format!("the answer of {what}"), "it is not UTF-8"))
}
