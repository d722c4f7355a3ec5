//! `agenttrader lock …` over a repository made with stock git.

use crate::screen::{Home, Ran};
use agenttrader_governance::lock::rules::docs::REQUIRED;
use std::path::Path;
use std::process::Command;

/// A home whose folder is a repository in draft; none where git or ssh-keygen is missing.
pub fn draft() -> Option<Home> {
    agenttrader_outside::command("git")?;
    agenttrader_outside::command("ssh-keygen")?;
    let home = Home::new();
    for path in REQUIRED.into_iter().chain(["ops/trust/allowed_signers"]) {
        home.write(path, "# Nothing yet.\n");
    }
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for path in ["ops/production-lock.json", "ops/PRODUCTION_LOCK.md", "docs/approval_template.md"] {
        home.write(path, &std::fs::read_to_string(ours.join(path)).unwrap());
    }
    for (from, to) in [("crates/policy/tests/sets/base/k8s", "k8s")] {
        for entry in std::fs::read_dir(ours.join(from)).unwrap() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            home.write(&format!("{to}/{}", entry.file_name().to_str().unwrap()), &text);
        }
    }
    home.write(".gitignore", "/keys\n/.agenttrader\n");
    git(&home, &["init", "--quiet", "--initial-branch=main"]);
    git(&home, &["add", "--all"]);
    git(&home, &["commit", "--quiet", "--message", "draft"]);
    Some(home)
}

pub fn git(home: &Home, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(home.path("")).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout()).unwrap()
}

#[test]
fn a_draft_is_judged_without_writing_anything() {
    let Some(home) = draft() else { return };
    let said = home.run(&["lock", "validate"]).exits(0).stdout();
    assert!(said.ends_with("DRAFT: not locked, nothing can be unlocked\n"), "{said}");
    home.run(&["lock", "validate", "--require-locked"]).exits(1);
    home.run(&["lock", "validate", "--static"]).exits(0);
    assert!(home.run(&["lock", "status"]).exits(0).stdout().starts_with("DRAFT"));
    assert_eq!(json(&home.run(&["lock", "validate", "--json"]).exits(0))["lock"]["state"], "draft");
    assert!(!home.path(".agenttrader").exists());
    assert_eq!(git(&home, &["status", "--porcelain", "--ignored"]), "");
}

#[test]
fn what_cannot_be_judged_exits_2() {
    let Some(home) = draft() else { return };
    git(&home, &["commit", "--quiet", "--allow-empty", "--message", "again"]);
    let from = format!("file://{}", home.path("").display());
    git(&home, &["clone", "--quiet", "--depth=1", &from, "keys/shallow"]);
    let mut shallow = home.command(&["lock", "validate"]);
    assert_eq!(shallow.current_dir(home.path("keys/shallow")).output().unwrap().status.code(), Some(2));
    let nowhere = Home::new();
    nowhere.run(&["lock", "validate"]).exits(2);
    nowhere.run(&["lock", "status"]).exits(2);
}

#[test]
fn a_smuggled_file_is_named_with_its_rule_and_place() {
    let Some(home) = draft() else { return };
    home.write(
        "k8s/more.yaml",
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: m, namespace: trading-floor}\ndata: {AGENT_MODE: EXECUTE}\n",
    );
    let said = home.run(&["lock", "validate"]).exits(1).stdout();
    assert!(said.contains("FAIL   tree        k8s/more.yaml: it is on disk and not in HEAD"), "{said}");
    assert!(said.contains("FAIL   no-execute  k8s/more.yaml:4: "), "{said}");
    let found = json(&home.run(&["lock", "manifests", ".", "--only", "no-execute", "--json"]).exits(1));
    assert_eq!(found["verdict"], "FAIL");
    home.run(&["lock", "manifests", ".", "--only", "exec-scale"]).exits(0);
    home.run(&["lock", "manifests", ".", "--only", "tree"]).exits(2);
    home.run(&["lock", "manifests", "nowhere"]).exits(2);
    home.run(&["--data-dir", "k8s", "lock", "manifests", "."]).exits(1);
}

#[test]
fn people_lock_a_repository_step_by_step_and_each_step_is_recorded() {
    let Some(home) = draft() else { return };
    std::fs::create_dir(home.path("keys")).unwrap();
    for name in ["olga", "rolf"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(home.path("keys").join(name))
            .status();
        assert!(made.unwrap().success());
    }
    home.run(&["lock", "tag", "--principal", "olga", "--key", "keys/olga"]).exits(1);
    home.run(&["lock", "init", "--operator", "olga=keys/olga", "--reviewer", "rolf=keys/rolf.pub"]).exits(2);
    home.run(&["lock", "init", "--operator", "olga=keys/olga.pub", "--reviewer", "rolf=keys/rolf.pub"]).exits(0);
    let status = || home.run(&["lock", "status"]).exits(0).stdout();
    assert!(status().ends_with("first lock  on disk, to be signed by olga, rolf\n"), "{}", status());
    let signed = home.run(&["lock", "sign", "--principal", "olga", "--key", "keys/olga"]).exits(0);
    assert!(signed.stdout().contains("missing    rolf"), "{}", signed.stdout());
    assert!(signed.stderr().contains("rolf namespaces="), "who may sign is shown: {}", signed.stderr());
    assert!(status().ends_with("to be signed by rolf\n"), "{}", status());
    home.run(&["lock", "sign", "--principal", "rolf", "--key", "keys/olga"]).exits(1);
    home.run(&["lock", "sign", "--principal", "rolf", "--key", "keys/rolf"]).exits(0);
    let judged = json(&home.run(&["lock", "validate", "--require-locked", "--json"]).exits(0));
    assert_eq!(judged["lock"]["state"], "locked");
    assert_eq!(judged["lock"]["root"], "self-consistent, root not pinned");
    let root = judged["lock"]["lock_sha256"].as_str().unwrap();
    let pinned = home.run(&["lock", "validate", "--root", root]).exits(0).stdout();
    assert!(pinned.ends_with("(root pinned)\n"), "{pinned}");
    home.run(&["lock", "validate", "--root", "short"]).exits(2);
    home.run(&["lock", "tag", "--principal", "rolf", "--key", "keys/rolf"]).exits(0);
    assert!(git(&home, &["tag"]).starts_with("v2-lock-"));
    let records = home.run(&["audit", "tail", "--agent", "governance-cli", "--json", "-n", "100"]).exits(0).stdout();
    for word in ["lock_init", "lock_sign", "lock_tag"] {
        assert!(records.contains(word), "{word}: {records}");
    }
    home.run(&["audit", "verify"]).exits(0);
}
