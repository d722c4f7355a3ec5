//! A repository in a temporary folder, with a small benign floor in it and people whose keys are made beside it.

use agenttrader_core::digest::Digest;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_governance::git::id::Id;
use agenttrader_governance::git::program::Programs;
use agenttrader_governance::git::repository::Repository;
use agenttrader_governance::git::sign::Signer;
use agenttrader_governance::lock::genesis::{self, Named, Role, Signed};
use agenttrader_governance::lock::model::{Component, LOCK_PATH, Lock, PAGE_PATH, State, Terms};
use agenttrader_governance::lock::page::page;
use agenttrader_governance::lock::rules::docs::REQUIRED;
use agenttrader_governance::lock::validate::{Asked, JudgeError, Judgement, baseline};
use agenttrader_governance::lock::write_error::WriteError;
use agenttrader_governance::scope::Scope;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tests' time: no clock is asked.
pub const NOW: &str = "2026-11-30T17:00:00Z";

pub fn now() -> UnixNanos {
    UnixNanos::parse(NOW).unwrap()
}

pub fn later(seconds: i64) -> UnixNanos {
    now().plus(Span::from_seconds(seconds))
}

/// A repository and its people.
pub struct Repo {
    dir: tempfile::TempDir,
    root: PathBuf,
}

impl Repo {
    /// Nothing yet; none where git or ssh-keygen is missing and the test is skipped.
    pub fn empty() -> Option<Self> {
        agenttrader_outside::command("git")?;
        agenttrader_outside::command("ssh-keygen")?;
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap().join("repo");
        fs::create_dir(&root).unwrap();
        let repo = Self { dir, root };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        Some(repo)
    }

    /// A draft, committed.
    pub fn draft() -> Option<Self> {
        let repo = Self::empty()?;
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/tests/sets/base"), repo.root());
        repo.put("README.md", "A floor.\n");
        for document in REQUIRED.iter().filter(|document| **document != PAGE_PATH) {
            repo.put(document, "What is safe.\n");
        }
        repo.put(".gitignore", "/target\n*.ignored\n");
        repo.put("ops/trust/allowed_signers", "# Nobody yet.\n");
        repo.put("configs/agents/agents.yaml", "agents:\n  - agent_name: gamma-strategy\n    kind: strategy\n");
        let lock = Lock { terms: terms(), state: State::Draft };
        repo.put(LOCK_PATH, &String::from_utf8(lock.bytes()).unwrap());
        repo.put(PAGE_PATH, &page(&lock));
        repo.commit_all("the beginning");
        Some(repo)
    }

    /// The same, locked by an operator and a reviewer.
    pub fn locked() -> Option<Self> {
        let repo = Self::draft()?;
        repo.lock();
        Some(repo)
    }

    /// Another one, with the same history and the same people.
    #[allow(dead_code, reason = "used where making one takes long")]
    pub fn copied(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(self.dir.path(), dir.path());
        let root = fs::canonicalize(dir.path()).unwrap().join("repo");
        Self { dir, root }
    }

    /// Locks a draft.
    pub fn lock(&self) {
        let repository = self.open();
        genesis::init(&repository, &people(self), "test", &asked()).unwrap();
        for name in ["olga", "rolf"] {
            sign(&repository, &self.signer(name), now()).unwrap();
        }
        assert_eq!(self.failures(), Vec::<String>::new());
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn open(&self) -> Repository {
        Repository::find(&self.root, programs()).unwrap()
    }

    /// Stock git with the identity of nobody in particular.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.root, arguments)
    }

    pub fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=somebody", "-c", "user.email=somebody@example", "-c", "protocol.file.allow=always"])
            .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub fn put(&self, path: &str, text: &str) {
        let at = self.root.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    pub fn append(&self, path: &str, text: &str) {
        let old = fs::read_to_string(self.root.join(path)).unwrap();
        self.put(path, &format!("{old}{text}"));
    }

    pub fn commit_all(&self, message: &str) -> Id {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.head()
    }

    pub fn head(&self) -> Id {
        Id::parse(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    /// A program that leaves a mark when it is run, and the mark.
    pub fn trap(&self) -> (PathBuf, PathBuf) {
        let (program, mark) = (self.beside("trap"), self.beside("sprung"));
        fs::write(&program, format!("#!/bin/sh\ntouch '{}'\nexit 0\n", mark.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (program, mark)
    }

    /// A person's key, made at the first time.
    pub fn key(&self, name: &str) -> PathBuf {
        let key = self.beside(&format!("key-{name}"));
        if !key.exists() {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&key).status();
            assert!(made.unwrap().success());
        }
        key
    }

    /// Lists a person's key as an agent's.
    #[allow(dead_code, reason = "used where people are told from agents")]
    pub fn give_key_to_agent(&self, name: &str) {
        let public = fs::read_to_string(self.key(name).with_extension("pub")).unwrap();
        let wire = STANDARD.decode(public.split(' ').nth(1).unwrap()).unwrap();
        let point = STANDARD.encode(wire.last_chunk::<32>().unwrap());
        let keys = format!("{{\"gamma-strategy\":{{\"log\":\"\",\"sign\":\"{point}\"}}}}\n");
        self.put("configs/agents/keys.json", &keys);
    }

    pub fn named(&self, name: &str, role: Role) -> Named {
        let key = fs::read_to_string(self.key(name).with_extension("pub")).unwrap();
        Named { principal: name.to_owned(), key, role }
    }

    pub fn signer(&self, name: &str) -> Signer {
        Signer::new(name, &self.key(name), None).unwrap()
    }

    pub fn judge(&self) -> Result<Judgement, JudgeError> {
        baseline(&self.open(), &asked())
    }

    /// `rule path: message` of each failure of `lock validate`.
    pub fn failures(&self) -> Vec<String> {
        failures(&self.judge().unwrap().findings)
    }

    /// That `lock validate` fails by this rule at this path, saying this, and by no rule but those named.
    #[track_caller]
    pub fn fails(&self, rule: Rule, path: &str, says: &str) {
        let judged = self.judge().unwrap();
        let found = judged.findings.iter().any(|finding| {
            finding.verdict == Verdict::Fail
                && finding.rule == rule
                && finding.path == path
                && finding.message.contains(says)
        });
        assert!(found, "no {} {path} that says `{says}` in {:#?}", rule.id(), failures(&judged.findings));
    }

    pub fn first_lock(&self) -> Digest {
        Digest::of(&fs::read(self.root.join(LOCK_PATH)).unwrap())
    }
}

pub fn failures(findings: &[Finding]) -> Vec<String> {
    let failing = findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failing.map(|finding| format!("{} {}: {}", finding.rule.id(), finding.path, finding.message)).collect()
}

pub fn programs() -> Programs {
    Programs::find(std::env::var_os("PATH").as_deref()).unwrap()
}

pub fn asked() -> Asked<'static> {
    Asked { data_dir: None, root: None, now: now() }
}

pub fn people(repo: &Repo) -> Vec<Named> {
    vec![repo.named("olga", Role::Operator), repo.named("rolf", Role::Reviewer), repo.named("anna", Role::Author)]
}

pub fn terms() -> Terms {
    Terms {
        repo_id: "tests/agent-trader-v2".to_owned(),
        baseline_branch: "main".to_owned(),
        clusters: vec!["test".to_owned()],
        safety: vec!["nothing is executed".to_owned()],
        components: vec![Component { name: "manifests".to_owned(), paths: vec!["k8s/".to_owned()] }],
        guarantees: vec!["the mode is not EXECUTE".to_owned()],
        require_sk: false,
        scope: Scope::usual().unwrap(),
    }
}

pub fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Looks at the first lock that waits and signs it, as the command does.
pub fn sign(repository: &Repository, signer: &Signer, now: UnixNanos) -> Result<Signed, WriteError> {
    let (shown, _) = genesis::to_sign(repository)?;
    genesis::sign_this(repository, &shown, signer, now)
}
