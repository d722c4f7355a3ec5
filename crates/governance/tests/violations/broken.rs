//! A copy of this repository, and one violation in it.

use crate::repo::{Repo, copy};
use agenttrader_governance::disk::Disk;
use agenttrader_governance::lock::manifests::Judged;
use agenttrader_governance::lock::pin::{Pin, pin};
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// What of this repository the rules judge; the sources of the programs are in the scope like these, file for file.
const COPIED: [&str; 6] = ["k8s", "infra", "configs", "scripts", "docs", "ops"];

/// One way to break a rule.
pub struct Form {
    /// What is done.
    pub what: &'static str,
    /// Where it is found.
    pub path: &'static str,
    /// The text whose line is named; none where the file as a whole is meant.
    pub line: Option<&'static str>,
    /// Does it.
    pub make: fn(&Repo),
    /// Whether it is committed afterwards.
    pub commit: bool,
}

/// One that is committed.
pub fn form(what: &'static str, path: &'static str, line: impl Into<Option<&'static str>>, make: fn(&Repo)) -> Form {
    Form { what, path, line: line.into(), make, commit: true }
}

/// One that stays on disk, or commits by itself.
pub fn left(what: &'static str, path: &'static str, make: fn(&Repo)) -> Form {
    Form { what, path, line: None, make, commit: false }
}

/// This repository's judged files as a draft, committed; none where git or ssh-keygen is missing.
pub fn draft() -> Option<Repo> {
    static MADE: OnceLock<Option<Repo>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let repo = Repo::empty()?;
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for folder in COPIED {
            fs::create_dir(repo.root().join(folder)).unwrap();
            copy(&ours.join(folder), &repo.root().join(folder));
        }
        for file in ["Dockerfile", ".gitignore", ".dockerignore", "Cargo.toml"] {
            fs::copy(ours.join(file), repo.root().join(file)).unwrap();
        }
        repo.put("crates/policy/src/lib.rs", "//! A stand-in for the sources.\n");
        repo.commit_all("a copy");
        Some(repo)
    });
    made.as_ref().map(Repo::copied)
}

/// The same with every image pinned, locked by an operator and a reviewer.
pub fn locked() -> Option<Repo> {
    static MADE: OnceLock<Option<Repo>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let repo = draft()?;
        let image = Pin::parse(&format!("agenttrader/agenttrader:0.1.0@sha256:{}", "0123456789abcdef".repeat(4)));
        let disk = Disk::walk(repo.root(), None).unwrap();
        assert!(!pin(&disk, &Judged::new().unwrap(), &image.unwrap()).unwrap().is_empty());
        repo.commit_all("pinned");
        repo.lock();
        Some(repo)
    });
    made.as_ref().map(Repo::copied)
}

/// What is not answered as it should be, where this rule is broken in this form. The copy is afterwards as it was.
pub fn wrong(repo: &Repo, rule: Rule, form: &Form) -> Option<String> {
    let before = repo.head();
    (form.make)(repo);
    if form.commit {
        repo.commit_all(form.what);
    }
    let text = fs::read(repo.root().join(form.path)).unwrap_or_default();
    let findings = repo.judge().unwrap().findings;
    restore(repo, &before.to_string());
    let line = form.line.map(|line| line_of(&String::from_utf8_lossy(&text), line));
    let failing: Vec<&Finding> = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
    let found = failing.iter().any(|finding| finding.path == form.path && finding.line == line);
    let worded = failing.iter().all(|finding| !finding.message.is_empty() && !finding.remedy.is_empty());
    let rules: BTreeSet<&str> = failing.iter().map(|finding| finding.rule.id()).collect();
    if found && worded && rules == BTreeSet::from([rule.id()]) {
        return None;
    }
    let told = |finding: &&Finding| {
        let line = finding.line.map_or("-".to_owned(), |line| line.to_string());
        format!("    {} {}:{line} {} | {}", finding.rule.id(), finding.path, finding.message, finding.remedy)
    };
    let told = failing.iter().map(told).collect::<Vec<_>>().join("\n");
    Some(format!("{}, {}: wanted {}:{line:?}, found\n{told}", rule.id(), form.what, form.path))
}

fn restore(repo: &Repo, before: &str) {
    for replaced in repo.git(&["replace", "--list"]).lines() {
        repo.git(&["replace", "--delete", replaced]);
    }
    // What flags of the index hide from git is written anew too.
    repo.remove(".git/index");
    repo.git(&["reset", "--quiet", "--hard", before]);
    repo.git(&["clean", "--quiet", "-d", "-x", "--force", "--force"]);
}

fn line_of(text: &str, wanted: &str) -> u32 {
    let line = text.lines().position(|line| line.contains(wanted));
    u32::try_from(line.unwrap_or_else(|| panic!("no line says {wanted}")) + 1).unwrap()
}

/// Edits of a repository's files.
impl Repo {
    /// Puts another text in the place of the first of these.
    #[track_caller]
    pub fn swap(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.root().join(path)).unwrap();
        assert!(text.contains(old), "{path} does not say {old}");
        self.put(path, &text.replacen(old, new, 1));
    }

    /// Takes a file away.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.root().join(path)).unwrap();
    }

    /// The Deployment that people apply under a grant, beside the other manifests, with one text in the place of another.
    #[track_caller]
    pub fn deploy_execution(&self, old: &str, new: &str) {
        let page = fs::read_to_string(self.root().join("docs/execution_deployment.md")).unwrap();
        let template = page.split_once("\n```yaml\n").unwrap().1.split_once("\n```\n").unwrap().0;
        assert!(template.contains(old), "the template does not say {old}");
        let (before, deployment) = template.rsplit_once("\n---\n").unwrap();
        self.put(EXECUTION, &format!("{before}\n---\n{}\n", deployment.replacen(old, new, 1)));
    }
}

/// Where [`Repo::deploy_execution`] puts it.
pub const EXECUTION: &str = "k8s/50-execution-agent.yaml";
