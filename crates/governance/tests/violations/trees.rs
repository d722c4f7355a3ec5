//! What is on disk and in the index, and the documents.

use crate::broken::{Form, form, left};
use agenttrader_governance::lock::model::{LOCK_PATH, PAGE_PATH};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

const GAMMA: &str = "k8s/10-gamma-strategy-statefulset.yaml";

pub fn tree() -> Vec<Form> {
    vec![
        left("an edit that is not committed", GAMMA, |repo| repo.append(GAMMA, "# one more line\n")),
        left("an edit that git is told not to see", GAMMA, |repo| {
            repo.git(&["update-index", "--assume-unchanged", GAMMA]);
            repo.append(GAMMA, "# one more line\n");
        }),
        left("an edit that is in the index alone", GAMMA, |repo| {
            let good = fs::read_to_string(repo.root().join(GAMMA)).unwrap();
            repo.append(GAMMA, "# one more line\n");
            repo.git(&["add", GAMMA]);
            repo.put(GAMMA, &good);
        }),
        left("a file that git is told to ignore", "configs/new.toml", |repo| {
            repo.append(".git/info/exclude", "new.toml\n");
            repo.put("configs/new.toml", "x = 1\n");
        }),
        left("a file that is gone", "configs/fees.toml", |repo| repo.remove("configs/fees.toml")),
        left("a file that became a program", GAMMA, |repo| {
            fs::set_permissions(repo.root().join(GAMMA), fs::Permissions::from_mode(0o755)).unwrap();
        }),
        left("a link in place of a page", "docs/API.md", |repo| {
            repo.remove("docs/API.md");
            symlink("AUDIT.md", repo.root().join("docs/API.md")).unwrap();
        }),
        left("an object shown in another's place", "", |repo| {
            let head = repo.head().to_string();
            let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
            let other = repo.git(&["commit-tree", &tree, "-m", "another history"]);
            repo.git(&["replace", &head, &other]);
        }),
        form("no lock", LOCK_PATH, None, |repo| repo.remove(LOCK_PATH)),
        form("a lock in another spelling", LOCK_PATH, None, |repo| repo.append(LOCK_PATH, "\n")),
        form("half a lock", LOCK_PATH, None, |repo| {
            let text = fs::read_to_string(repo.root().join(LOCK_PATH)).unwrap();
            repo.put(LOCK_PATH, &text[..text.len() / 2]);
        }),
    ]
}

pub fn docs() -> Vec<Form> {
    vec![
        form("a runbook that is gone", "docs/runbooks/crash_loop.md", None, |repo| {
            repo.remove("docs/runbooks/crash_loop.md");
        }),
        form("a page that says nothing", "docs/UNLOCK.md", None, |repo| repo.put("docs/UNLOCK.md", " \n\n")),
        form("the lock's page that says more than the lock", PAGE_PATH, "All is allowed.", |repo| {
            repo.append(PAGE_PATH, "All is allowed.\n");
        }),
        form("the lock's page that says less", PAGE_PATH, None, |repo| repo.remove(PAGE_PATH)),
    ]
}
