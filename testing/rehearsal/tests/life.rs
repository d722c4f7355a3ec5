//! A repository's whole life by the commands that docs/UNLOCK.md shows: a draft, a first lock, an unlock, a second lock, a grant; and then
//! the floor of that very build, which believes that repository's people.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use agenttrader_agent::clock;
use agenttrader_core::time::{Span, UnixNanos};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_agenttrader-rehearsal");

/// Longest wait for a decision: generous, since machines are shared.
const WITHIN: Duration = Duration::from_secs(120);

/// What of this repository is copied: all that a lock's rules look at, without the sources.
const COPIED: [&str; 7] = [".gitignore", "Dockerfile", "configs", "docs", "infra", "k8s", "ops"];

/// A draft, and people's keys beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        agenttrader_outside::command("git")?;
        agenttrader_outside::command("ssh-keygen")?;
        let place = Self { folder: tempfile::tempdir().unwrap() };
        for path in COPIED {
            copy(&ours().join(path), &place.path("repository").join(path));
        }
        for name in ["olga", "rolf", "anna"] {
            let key = place.path(name);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key).status();
            assert!(made.unwrap().success());
        }
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        place.commit("draft");
        place.root("", "0", &"0".repeat(40));
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whom the binary believes, and which build it is.
    fn root(&self, allowed_signers: &str, build_id: &str, git_sha: &str) {
        let signers = json!({"allowed_signers": allowed_signers, "revoked_keys": ""});
        let root = json!({"signers": signers, "build": {"git_sha": git_sha, "build_id": build_id}});
        std::fs::write(self.path("root.json"), root.to_string()).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path("repository")).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }

    fn git(&self, words: &[&str]) -> String {
        let mut git = self.command("git");
        let output = git.args(["-c", "user.name=dora", "-c", "user.email=dora@example"]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// A command line as the page shows it, which ends well.
    #[track_caller]
    fn run(&self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let output = self.command(BINARY).arg(self.path("root.json")).args(&words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{line}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run_json(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(&format!("{line} --json"))).unwrap()
    }

    #[track_caller]
    fn by(&self, line: &str, name: &str) -> String {
        self.run(&format!("{line} --principal {name} --key ../{name}"))
    }
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

/// The whole life up to a grant of all that the default scenario proposes, installed; gives the commit that is granted.
fn granted(place: &Place) -> String {
    place.run(&format!("lock pin agenttrader/agenttrader@sha256:{}", "a".repeat(64)));
    place.commit("Images by digest");
    place.run("lock init --operator olga=../olga.pub --reviewer rolf=../rolf.pub --author anna=../anna.pub");
    place.by("lock sign", "olga");
    place.by("lock sign", "rolf");
    place.run("lock validate");
    place.by("lock tag", "rolf");

    place.git(&["switch", "--quiet", "--create", "feature-fees"]);
    let fees = place.path("repository").join("configs/fees.toml");
    let more = std::fs::read_to_string(&fees).unwrap() + "# Looked over.\n";
    std::fs::write(&fees, more).unwrap();
    place.commit("fees");
    let opened = place.run_json("unlock open --change feature-fees --reason fees");
    assert_eq!(opened["needs"], json!({"operators": 1, "reviewers": 1}));
    place.run("readiness");
    let saved = ours().join("crates/governance/tests/clusters/healthy");
    place.run(&format!("report deploy --from {}", saved.display()));
    place.run("unlock evidence");
    place.by("unlock approve", "olga");
    place.by("unlock approve", "rolf");
    place.by("unlock apply", "anna");
    place.run("unlock verify");
    place.by(&format!("lock generate --unlock {}", opened["unlock_id"].as_str().unwrap()), "anna");
    place.run("lock validate");
    place.by("lock tag", "rolf");
    let tags = place.run_json("lock status")["tags"].clone();
    place.git(&["switch", "--quiet", "main"]);
    place.git(&["merge", "--quiet", "--ff-only", &format!("refs/tags/{}", tags[0].as_str().unwrap())]);
    let lock = place.git(&["rev-parse", "HEAD"]).trim().to_owned();

    std::fs::write(place.path("limits.json"), "{}").unwrap();
    let now: UnixNanos = clock::wall();
    // The market of the floor below is that of today or of the next trading day, whose time counts too: on a Friday night, Monday's.
    let (from, until) = (now.minus(Span::from_seconds(60)), now.plus(Span::from_minutes(6 * 24 * 60)));
    let terms = "--modes shadow,paper --symbols SPY,QQQ,IWM,AAPL,MSFT,NVDA --limits ../limits.json";
    place.by(&format!("unlock grant {terms} --not-before {from} --not-after {until}"), "olga");
    place.by("unlock grant", "rolf");
    place.run("unlock grant --install .agenttrader");
    lock
}

/// The reason codes of the floor's first decision.
fn decided(place: &Place) -> Vec<String> {
    let mut floor = place.command(BINARY);
    floor.arg(place.path("root.json")).args(["floor", "--port-base", "0", "--seed", "7"]);
    let mut child = floor.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (told, lines) = channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
    let decision = loop {
        let Ok(line) = lines.recv_timeout(WITHIN) else { break Value::Null };
        let record: Value = serde_json::from_str(&line).unwrap();
        if record["intent_type"] == "execution_decision" {
            break record;
        }
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let codes = decision["intent_payload"]["decision"]["reason_codes"].as_array().expect("a decision");
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

fn of_the_grant(codes: &[String]) -> Vec<&str> {
    let codes = codes.iter().map(String::as_str);
    codes.filter(|code| code.starts_with("UNLOCK_") || *code == "BUILD_MISMATCH").collect()
}

#[test]
fn from_a_draft_to_a_grant_that_the_locked_build_believes_and_no_other_build_does() {
    let Some(place) = Place::new() else { return };
    let lock = granted(&place);
    let signers = place.git(&["show", &format!("{lock}:ops/trust/allowed_signers")]);
    place.root(&signers, "locked", &lock);
    let codes = decided(&place);
    assert_eq!(of_the_grant(&codes), Vec::<&str>::new(), "{codes:?}");
    assert!(codes.iter().any(|code| code == "KILL_SWITCH"), "{codes:?}");
    place.root(&signers, "another", &"b".repeat(40));
    assert_eq!(of_the_grant(&decided(&place)), ["BUILD_MISMATCH"]);
    place.root("", "draft", &lock);
    assert!(of_the_grant(&decided(&place)).contains(&"UNLOCK_INVALID"));
}
