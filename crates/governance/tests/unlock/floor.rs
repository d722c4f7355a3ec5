//! A locked repository with a development commit, and an unlock of it at each of its steps. Made once, and copied for each test.

use crate::repo::{Repo, asked, later, now, programs, sign};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::unlock_approval::REPORTS_AGE_MAX;
use agenttrader_core::identity::Build;
use agenttrader_core::time::UnixNanos;
use agenttrader_governance::artefacts::Producers;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::git::repository::Repository;
use agenttrader_governance::lock::chain::Placed;
use agenttrader_governance::lock::genesis::{self, Role};
use agenttrader_governance::lock::later::{base, generate};
use agenttrader_governance::lock::model::Lock;
use agenttrader_governance::lock::people::People;
use agenttrader_governance::lock::write_error::WriteError;
use agenttrader_governance::unlock::apply::apply;
use agenttrader_governance::unlock::approve::{approve, prepare};
use agenttrader_governance::unlock::evidence::{Output, Sources, evidence};
use agenttrader_governance::unlock::open::{Asking, open};
use agenttrader_governance::unlock::people_signed::{approval_path, form_path, signature_path};
use agenttrader_governance::unlock::refused::{Reason, Refused};
use agenttrader_governance::unlock::request;
use agenttrader_governance::unlock::to_approve::{Chosen, Steps, ToApprove};
use agenttrader_governance::unlock::verify::{Asked, Completed, verify};
use std::path::Path;
use std::sync::OnceLock;

/// The unlock of these tests.
pub const ID: &str = "fees";

/// A repository and the commits of its unlock's steps.
pub struct Floor {
    pub repo: Repo,
    pub lock: Id,
    pub change: Id,
    pub opened: Id,
    pub evidence: Id,
    pub by_olga: Id,
    pub approved: Id,
    pub applied: Id,
}

/// All steps done; none where git or ssh-keygen is missing.
pub fn floor() -> Option<Floor> {
    static MADE: OnceLock<Option<Floor>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let repo = locked(|_| {})?;
        let (lock, change) = (repo.head(), develop(&repo, "somebody"));
        let opened = begin(&repo, &asking());
        let evidence = gather(&repo, later(120)).unwrap();
        let by_olga = say_yes(&repo, "olga", later(180)).unwrap();
        let approved = say_yes(&repo, "rolf", later(200)).unwrap();
        let applied = apply(&repo.open(), &repo.signer("anna"), later(240)).unwrap().commit;
        Some(Floor { repo, lock, change, opened, evidence, by_olga, approved, applied })
    });
    made.as_ref().map(|made| Floor { repo: made.repo.copied(), ..*made })
}

impl Floor {
    /// The same, its branch at one of the steps.
    pub fn at(self, step: impl Fn(&Self) -> Id) -> Self {
        self.repo.git(&["reset", "--quiet", "--hard", &step(&self).to_string()]);
        self
    }

    /// Brings the development commit's files, as somebody would by hand.
    pub fn take_change(&self) {
        self.repo.git(&["checkout", "--quiet", &self.change.to_string(), "--", "docs", "scripts"]);
    }

    pub fn verdict(&self, at: UnixNanos) -> Result<Completed, Refused> {
        verdict(&self.repo, ID, at)
    }

    /// That the unlock is refused for this cause, and for no other.
    #[track_caller]
    pub fn is_refused(&self, reason: Reason) {
        is_refused(&self.repo, reason);
    }
}

#[track_caller]
pub fn is_refused(repo: &Repo, reason: Reason) {
    match verdict(repo, ID, later(300)) {
        Ok(_) => panic!("completed, not {reason}"),
        Err(refused) => assert_eq!(refused.reason, reason, "{}", refused.line()),
    }
}

pub fn verdict(repo: &Repo, unlock_id: &str, at: UnixNanos) -> Result<Completed, Refused> {
    let repository = repo.open();
    let base = base(&repository).unwrap();
    verify(&Asked { repository: &repository, base: &base, head: repo.head(), unlock_id, lock: None, at }).unwrap()
}

/// A locked repository of an operator, two reviewers and an author, changed before it is locked.
pub fn locked(before: impl FnOnce(&Repo)) -> Option<Repo> {
    let repo = Repo::draft()?;
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/approval_template.md");
    repo.put("docs/approval_template.md", &std::fs::read_to_string(template).unwrap());
    repo.put("ops/trust/actors.toml", "[[actor]]\nname = \"olga\"\nkind = \"person\"\npushers = [\"olga@example\"]\n");
    before(&repo);
    repo.commit_all("before the lock");
    let people = vec![
        repo.named("olga", Role::Operator),
        repo.named("rolf", Role::Reviewer),
        repo.named("rita", Role::Reviewer),
        repo.named("anna", Role::Author),
    ];
    let repository = repo.open();
    genesis::init(&repository, &people, "test", &asked()).unwrap();
    for name in ["olga", "rolf", "rita"] {
        sign(&repository, &repo.signer(name), now()).unwrap();
    }
    Some(repo)
}

/// A development commit by somebody, on a branch of its own.
pub fn develop(repo: &Repo, author: &str) -> Id {
    repo.git(&["checkout", "--quiet", "-b", "dev"]);
    repo.append("docs/SAFETY.md", "More.\n");
    repo.put("scripts/report.sh", "#!/bin/sh\necho report\n");
    repo.put("README.md", "Another floor.\n");
    repo.git(&["add", "--all"]);
    let author = format!("{author} <{author}@example>");
    repo.git(&["commit", "--quiet", "--author", &author, "--message", "development"]);
    let change = repo.head();
    repo.git(&["checkout", "--quiet", "main"]);
    change
}

pub fn asking() -> Asking<'static> {
    Asking {
        change: "dev",
        reason: "fees changed",
        unlock_id: Some(ID),
        grants_live: false,
        waives: Vec::new(),
        scope: None,
    }
}

pub fn begin(repo: &Repo, asking: &Asking<'_>) -> Id {
    open(&repo.open(), asking, later(60)).unwrap().commit
}

/// Gathers evidence over the reports that the first lock was made with.
pub fn gather(repo: &Repo, at: UnixNanos) -> Result<Id, WriteError> {
    gather_from(repo, &repo.root().join("ops/unlock/genesis"), at)
}

/// Gathers evidence over the reports of a folder.
pub fn gather_from(repo: &Repo, reports: &Path, at: UnixNanos) -> Result<Id, WriteError> {
    let output = |command: &str, exit_code| Output {
        command: command.to_owned(),
        exit_code: Some(exit_code),
        stdout: b"{\"verdict\":\"PASS\"}".to_vec(),
    };
    let sources = Sources {
        reports,
        lock_validate: output("agenttrader lock validate --json", 0),
        audit_verify: output("agenttrader audit verify --json", 2),
        producers: &Producers::of(&repo.beside("data")),
        build: &Build { git_sha: "0".repeat(40), build_id: "test".to_owned() },
    };
    evidence(&repo.open(), &sources, at).map(|gathered| gathered.commit)
}

pub fn say_yes(repo: &Repo, name: &str, at: UnixNanos) -> Result<Id, WriteError> {
    let repository = repo.open();
    let prepared = prepare(&repository, at)?;
    approve(&repository, &prepared, &repo.signer(name), at).map(|approval| approval.commit)
}

/// Commits the lock that follows the unlock, by what was asked for.
pub fn relock(repo: &Repo, at: UnixNanos) -> (Id, Lock) {
    let repository = repo.open();
    let request = request::at(&repository, repo.head(), ID).ok();
    generate(&repository, ID, request.as_ref(), "test", &repo.signer("anna"), at).unwrap()
}

/// Writes an approval that people of these names sign, whatever the commands would say to it.
pub fn force_yes(repo: &Repo, steps: Steps, people: &[(&str, Namespace)]) -> Id {
    let repository = repo.open();
    let base = base(&repository).unwrap();
    let to_approve = to_approve(&repository, &base, steps, repo.head());
    let chosen = Chosen {
        not_before: later(120),
        expires: to_approve.evidence.reports_made.plus(REPORTS_AGE_MAX),
        nonce: "forced".to_owned(),
    };
    let form = to_approve.form(&chosen).unwrap();
    let statement = String::from_utf8(to_approve.statement(&chosen, &form).unwrap()).unwrap();
    repo.put(&approval_path(ID), &statement);
    repo.put(&form_path(ID), &form);
    for (name, namespace) in people {
        let signature = repo.signer(name).sign(&programs(), namespace.as_str(), statement.as_bytes()).unwrap();
        repo.put(&signature_path(&approval_path(ID), name), &signature);
    }
    repo.commit_all("approved by force")
}

fn to_approve(repository: &Repository, base: &Placed, steps: Steps, head: Id) -> ToApprove {
    let people = People::at(repository, base.commit).unwrap();
    let request = request::at(repository, head, ID).unwrap();
    ToApprove::of(repository, base, &people, request, steps, head).unwrap()
}

/// Commits what is staged, signed by a person.
pub fn commit_signed(repo: &Repo, name: &str) -> Id {
    let key = format!("user.signingKey={}", repo.key(name).display());
    let (user, address) = (format!("user.name={name}"), format!("user.email={name}@example"));
    repo.git(&["add", "--all"]);
    let settings = ["-c", "gpg.format=ssh", "-c", &key, "-c", &user, "-c", &address];
    repo.git(&[&settings[..], &["commit", "--quiet", "--gpg-sign", "--message", "by hand"]].concat());
    repo.head()
}
