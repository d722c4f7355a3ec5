//! What a lock may not be, and what may not stand beside it: digests, chain, people and evidence.

use crate::broken::{Form, form, left};
use crate::repo::{Repo, later, now, programs, terms};
use agenttrader_authority::namespace::Namespace;
use agenttrader_core::digest::Digest;
use agenttrader_governance::lock::build::{Making, lock_of, put};
use agenttrader_governance::lock::later::generate;
use agenttrader_governance::lock::model::{Evidence, LOCK_PATH, Lock, Locked, PAGE_PATH, Report, State};
use agenttrader_governance::lock::page::page;
use agenttrader_governance::lock::rules::scope::signature_path;
use std::fs;

const SIGNERS: &str = "ops/trust/allowed_signers";
const GAMMA: &str = "k8s/10-gamma-strategy-statefulset.yaml";
const READINESS: &str = "ops/unlock/genesis/readiness_report.json";
const DEPLOY: &str = "ops/unlock/genesis/deploy_report.json";
const OLGAS: &str = "ops/unlock/genesis/production-lock.json.olga.sig";
const ROLFS: &str = "ops/unlock/genesis/production-lock.json.rolf.sig";

/// Locks that do not stand where one can: rule `tree`.
pub fn standing() -> Vec<Form> {
    vec![
        form("a draft after a lock", LOCK_PATH, None, |repo| {
            let lock = Lock::parse(&fs::read(repo.root().join(LOCK_PATH)).unwrap()).unwrap();
            write(repo, &Lock { terms: lock.terms, state: State::Draft });
        }),
        left("a lock's tree on another parent", LOCK_PATH, |repo| {
            let (tree, before) = (repo.git(&["rev-parse", "HEAD^{tree}"]), repo.git(&["rev-parse", "HEAD^^"]));
            let moved = repo.git(&["commit-tree", &tree, "-p", &before, "-m", "elsewhere"]);
            repo.git(&["reset", "--quiet", "--hard", &moved]);
        }),
        left("a lock that two commits bring in", LOCK_PATH, |repo| {
            let locked = repo.head().to_string();
            repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
            repo.git(&["checkout", "--quiet", &locked, "--", "."]);
            repo.commit_all("the same lock again");
            repo.git(&["merge", "--quiet", "--strategy=ours", "--no-edit", &locked]);
        }),
    ]
}

pub fn scope() -> Vec<Form> {
    vec![
        form("a file that changed", GAMMA, None, |repo| repo.append(GAMMA, "# one more line\n")),
        form("a file that was added", "scripts/new.sh", None, |repo| repo.put("scripts/new.sh", "true\n")),
        form("a file that is gone", "docs/API.md", None, |repo| repo.remove("docs/API.md")),
        form("a file that became a program", GAMMA, None, |repo| {
            let at = repo.root().join(GAMMA);
            fs::set_permissions(at, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }),
        form("one more signer", SIGNERS, None, |repo| repo.append(SIGNERS, &line(repo, "stranger", OPERATOR))),
        left("a first lock that one of its people did not sign", ROLFS, |repo| relock(repo, |_| {}, |_| {}, &["olga"])),
        left("a first lock that somebody signed for another", ROLFS, |repo| {
            relock(repo, |_| {}, |_| {}, &["olga"]);
            repo.put(ROLFS, &fs::read_to_string(repo.root().join(OLGAS)).unwrap());
            amend(repo);
        }),
        left("an agent's key under a person's name", SIGNERS, |repo| {
            relock(repo, |repo| repo.give_key_to_agent("rolf"), |_| {}, &["olga", "rolf"]);
        }),
        left("signers of whom one stands for everybody", SIGNERS, |repo| {
            let anybody = |repo: &Repo| repo.append(SIGNERS, &line(repo, "rita", REVIEWER).replace("rita ", "* "));
            relock(repo, anybody, |_| {}, &["olga", "rolf"]);
        }),
        left("a key of two people", SIGNERS, |repo| {
            let twice = |repo: &Repo| repo.append(SIGNERS, &line(repo, "rolf", REVIEWER).replace("rolf ", "rita "));
            relock(repo, twice, |_| {}, &["olga", "rolf"]);
        }),
        left("an agent among the people", SIGNERS, |repo| {
            let agent = |repo: &Repo| repo.append(SIGNERS, &line(repo, "gamma-strategy", REVIEWER));
            relock(repo, agent, |_| {}, &["olga", "rolf"]);
        }),
        left("no reviewer beside the operator", SIGNERS, |repo| {
            let alone = |repo: &Repo| repo.put(SIGNERS, &line(repo, "olga", OPERATOR));
            relock(repo, alone, |_| {}, &["olga"]);
        }),
        left("a digest of the policy that is another's", LOCK_PATH, |repo| {
            relock(repo, |_| {}, |locked| locked.policy_sha256 = Digest::of(b"another"), &["olga", "rolf"]);
        }),
        left("a lock committed amid other changes", GAMMA, |repo| {
            repo.append(GAMMA, "# one more line\n");
            amend(repo);
        }),
        left("digests made anew, as if it were the first lock", LOCK_PATH, |repo| {
            let head = repo.head();
            repo.append(GAMMA, "# one more line\n");
            repo.commit_all("a change");
            lock(repo, |_| {}, &["olga", "rolf"]);
            assert_ne!(repo.head(), head);
        }),
        left("a lock that names a lock nobody made", LOCK_PATH, |repo| {
            let after = |locked: &mut Locked| {
                locked.previous = Some(Digest::of(b"nobody's"));
                locked.unlock_id = Some("genesis-2".to_owned());
                for evidence in &mut locked.evidence {
                    evidence.path = evidence.path.replace("genesis", "genesis-2");
                }
            };
            let reports = |repo: &Repo| {
                for report in [READINESS, DEPLOY] {
                    let text = fs::read_to_string(repo.root().join(report)).unwrap();
                    repo.put(&report.replace("genesis", "genesis-2"), &text);
                }
            };
            relock(repo, reports, after, &[]);
        }),
        left("a second lock after an unlock that nobody asked for", "ops/unlock/alone/request.json", |repo| {
            for report in [READINESS, DEPLOY] {
                let text = fs::read_to_string(repo.root().join(report)).unwrap();
                repo.put(&report.replace("genesis", "alone"), &text);
            }
            repo.append(GAMMA, "# one more line\n");
            repo.commit_all("a change");
            generate(&repo.open(), "alone", None, "test", &repo.signer("olga"), later(60)).unwrap();
        }),
    ]
}

pub fn evidence() -> Vec<Form> {
    vec![
        left("a report that is gone", READINESS, |repo| {
            repo.remove(READINESS);
            amend(repo);
        }),
        left("a report with other bytes", DEPLOY, |repo| {
            repo.append(DEPLOY, "\n");
            amend(repo);
        }),
        left("reports made a day and a second before", READINESS, |repo| {
            relock(repo, |_| {}, |locked| locked.timestamp = later(24 * 3600 + 1), &["olga", "rolf"]);
        }),
        left("reports made after it", READINESS, |repo| {
            relock(repo, |_| {}, |locked| locked.timestamp = later(-60), &["olga", "rolf"]);
        }),
        left("a report that does not say when", READINESS, |repo| {
            relock(repo, |repo| repo.put(READINESS, "{\"result\": \"READY\"}\n"), |_| {}, &["olga", "rolf"]);
        }),
        left("a report named twice and another not at all", LOCK_PATH, |repo| {
            let twice = |locked: &mut Locked| {
                let one: Vec<Evidence> = locked.evidence.drain(..1).collect();
                locked.evidence = [one.clone(), one].concat();
                assert_eq!(locked.evidence[0].report, Report::ReadinessReport);
            };
            relock(repo, |_| {}, twice, &["olga", "rolf"]);
        }),
        left("a report in the folder of nothing", "docs/deploy_report.json", |repo| {
            let moved = |repo: &Repo| {
                let text = fs::read_to_string(repo.root().join(DEPLOY)).unwrap();
                repo.put("docs/deploy_report.json", &text);
            };
            let named = |locked: &mut Locked| locked.evidence[1].path = "docs/deploy_report.json".to_owned();
            relock(repo, moved, named, &["olga", "rolf"]);
        }),
    ]
}

const OPERATOR: &[Namespace] = &[Namespace::UnlockOperator, Namespace::LockGenesis, Namespace::Git];
const REVIEWER: &[Namespace] = &[Namespace::UnlockReviewer, Namespace::LockGenesis, Namespace::Git];

/// A line of the list of signers.
fn line(repo: &Repo, name: &str, namespaces: &[Namespace]) -> String {
    let key = fs::read_to_string(repo.key(name).with_extension("pub")).unwrap();
    let key: Vec<&str> = key.split_ascii_whitespace().take(2).collect();
    let namespaces: Vec<_> = namespaces.iter().map(|namespace| namespace.as_str()).collect();
    format!("{name} namespaces=\"{}\" {}\n", namespaces.join(","), key.join(" "))
}

/// The first lock made anew in place of the one that stands: over other files, saying something else, signed by these.
fn relock(repo: &Repo, files: impl Fn(&Repo), alter: impl Fn(&mut Locked), signers: &[&str]) {
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    files(repo);
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--allow-empty", "--message", "before the lock"]);
    lock(repo, alter, signers);
}

/// A first lock of HEAD, as its people would make it, or somebody who forges it.
fn lock(repo: &Repo, alter: impl Fn(&mut Locked), signers: &[&str]) {
    let repository = repo.open();
    let found = Lock::parse(&fs::read(repo.root().join(LOCK_PATH)).unwrap()).unwrap();
    assert_ne!(found.terms, terms(), "the terms are this repository's own");
    let making =
        Making { terms: found.terms, timestamp: now(), build_id: "test".to_owned(), after: None, waives: Vec::new() };
    let made = lock_of(&repository, repo.head(), making).unwrap();
    let mut locked = made.locked().unwrap().clone();
    alter(&mut locked);
    let made = Lock { terms: made.terms, state: State::Locked(Box::new(locked)) };
    write(repo, &made);
    for name in signers {
        let signature = repo.signer(name).sign(&programs(), Namespace::LockGenesis.as_str(), &made.bytes()).unwrap();
        put(&repository, &signature_path(name), signature.as_bytes()).unwrap();
    }
    repo.commit_all("the lock");
}

fn write(repo: &Repo, lock: &Lock) {
    repo.put(LOCK_PATH, &String::from_utf8(lock.bytes()).unwrap());
    repo.put(PAGE_PATH, &page(lock));
}

/// Puts what lies on disk into the lock's own commit.
fn amend(repo: &Repo) {
    repo.git(&["add", "--all"]);
    repo.git(&["commit", "--quiet", "--amend", "--no-edit"]);
}
