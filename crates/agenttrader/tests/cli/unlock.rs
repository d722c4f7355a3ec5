//! `agenttrader unlock …` from a draft to a grant, by the commands that the documents show.

use crate::evidence::clusters;
use crate::lock::{draft, git, json};
use crate::screen::Home;
use serde_json::Value;
use std::process::Command;

fn people(home: &Home) {
    std::fs::create_dir(home.path("keys")).unwrap();
    for name in ["olga", "rolf", "anna"] {
        let key = home.path("keys").join(name);
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key).status();
        assert!(made.unwrap().success());
    }
}

fn by(home: &Home, command: &[&str], name: &str) -> crate::screen::Ran {
    let key = format!("keys/{name}");
    home.run(&[command, &["--principal", name, "--key", &key]].concat())
}

#[test]
fn people_unlock_lock_again_and_grant_step_by_step_and_each_step_is_recorded() {
    let Some(home) = draft() else { return };
    home.write(".gitignore", "/keys\n/.agenttrader\n/audit_artifacts\n/limits.json\n");
    git(&home, &["commit", "--quiet", "--all", "--message", "ignored"]);
    people(&home);
    home.run(&["unlock", "open", "--change", "HEAD", "--reason", "a draft"]).exits(1);
    home.run(&["unlock", "open", "--change", "HEAD", "--reason", "a scope", "--scope", "k8s/**,../x"]).exits(2);
    let named = ["olga=keys/olga.pub", "rolf=keys/rolf.pub", "anna=keys/anna.pub"];
    home.run(&["lock", "init", "--operator", named[0], "--reviewer", named[1], "--author", named[2]]).exits(0);
    by(&home, &["lock", "sign"], "olga").exits(0);
    by(&home, &["lock", "sign"], "rolf").exits(0);
    by(&home, &["lock", "tag"], "rolf").exits(0);

    git(&home, &["checkout", "--quiet", "-b", "feature-fees"]);
    home.write("docs/SAFETY.md", "# More.\n");
    git(&home, &["commit", "--quiet", "--all", "--message", "fees"]);
    git(&home, &["checkout", "--quiet", "main"]);
    let opened =
        json(&home.run(&["unlock", "open", "--change", "feature-fees", "--reason", "new fees", "--json"]).exits(0));
    let id = opened["unlock_id"].as_str().unwrap().to_owned();
    assert_eq!(opened["changes"], serde_json::json!(["docs/SAFETY.md"]));
    assert_eq!(opened["needs"], serde_json::json!({"operators": 1, "reviewers": 1}));
    home.run(&["unlock", "evidence"]).exits(1);
    let healthy = clusters("healthy");
    home.run(&["readiness", "--from", &healthy]).exits(0);
    home.run(&["report", "deploy", "--from", &healthy]).exits(0);
    home.run(&["unlock", "evidence"]).exits(0);
    let folder = format!("ops/unlock/{id}");
    let committed: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path(&format!("{folder}/audit-index.json"))).unwrap())
            .unwrap();
    let listed = json(&home.run(&["audit", "index", &folder, "--json"]).exits(0));
    for (index, name, command, is_recorded) in [
        (&committed, format!("{folder}/request.json"), "unlock_open", true),
        (&committed, format!("{folder}/readiness_report.json"), "readiness", true),
        (&committed, format!("{folder}/deploy_report.md"), "report deploy", true),
        (&committed, format!("{folder}/safety_controls.json"), "unlock_evidence", false),
        (&listed, "safety_controls.json".to_owned(), "unlock_evidence", true),
        (&listed, "audit-index.json".to_owned(), "unlock_evidence", true),
        (&listed, "request.json".to_owned(), "unlock_open", true),
    ] {
        let lines = index["artefacts"].as_array().unwrap();
        let by = &lines.iter().find(|it| it["path"] == name).unwrap()["producer"];
        assert_eq!((&by["command"], by["entry"].is_u64()), (&serde_json::json!(command), is_recorded), "{name}");
    }
    let verdict = json(&home.run(&["unlock", "verify", "--json"]).exits(1));
    assert_eq!(verdict["refused"]["reason"], "APPROVAL_MISSING");
    by(&home, &["unlock", "approve"], "anna").exits(1);
    assert!(by(&home, &["unlock", "approve"], "olga").exits(0).stderr().contains("new fees"));
    by(&home, &["unlock", "apply"], "anna").exits(1);
    let head = git(&home, &["rev-parse", "HEAD"]);
    let early = by(&home, &["lock", "generate", "--unlock", &id], "anna").exits(1).stderr();
    assert!(early.contains("TOO_FEW_APPROVERS") && git(&home, &["rev-parse", "HEAD"]) == head, "{early}");
    let last = by(&home, &["unlock", "approve"], "rolf").exits(0).stdout();
    assert!(last.ends_with("missing    nobody\n"), "{last}");
    by(&home, &["unlock", "apply"], "anna").exits(0);
    assert!(home.run(&["unlock", "verify"]).exits(0).stdout().starts_with("PASS"));
    by(&home, &["lock", "generate", "--unlock", &id], "anna").exits(0);
    home.run(&["lock", "validate"]).exits(0);
    by(&home, &["lock", "tag"], "olga").exits(0);

    home.write("limits.json", "{\"daily_orders\": 5}\n");
    let image = format!("sha256:{}", "0".repeat(64));
    let (from, until) = ("2200-01-01T14:00:00Z", "2200-01-01T21:00:00Z");
    let paper =
        ["unlock", "grant", "--modes", "paper", "--symbols", "SPY", "--limits", "limits.json", "--image", &image];
    let granted = by(&home, &[&paper[..], &["--not-before", from, "--not-after", until]].concat(), "olga").exits(0);
    // Member by member, so that a person can read it.
    assert!(granted.stderr().contains("\n      \"SPY\"\n"), "{}", granted.stderr());
    let data = home.path("other").display().to_string();
    home.run(&["unlock", "grant", "--install", &data]).exits(1);
    let few = home.run(&["unlock", "status"]).exits(0).stdout();
    assert!(few.contains("grant      of no use: 0 reviewers signed, 1 must\n"), "{few}");
    by(&home, &["unlock", "grant", "--install", &data], "rolf").exits(0);
    let status = json(&home.run(&["unlock", "status", "--json"]).exits(0));
    assert_eq!(status["unlock"]["grant"]["standing"], "good");
    home.run(&["unlock", "revoke", "--reason", "enough"]).exits(1);
    home.run(&["--data-dir", &data, "unlock", "revoke", "--reason", "enough"]).exits(0);
    let records = home.run(&["audit", "tail", "--agent", "governance-cli", "--json", "-n", "100"]).exits(0).stdout();
    for word in ["unlock_open", "unlock_evidence", "unlock_approve", "unlock_apply", "unlock_grant"] {
        assert!(records.contains(word), "{word}: {records}");
    }
    home.run(&["audit", "verify"]).exits(0);
}
