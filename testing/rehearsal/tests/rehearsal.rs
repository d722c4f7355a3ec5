//! The floor with people whom it believes: a grant of theirs for its build lifts what a grant lifts, and replays.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use agenttrader_agent::clock;
use agenttrader_people::{Person, install, three, week};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_agenttrader-rehearsal");

/// Longest wait for anything: generous, since machines are shared.
const WITHIN: Duration = Duration::from_secs(120);

/// A folder with a root of trust, of a build of one clean commit.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let build = json!({"git_sha": "a".repeat(40), "build_id": "rehearsal"});
        let root = json!({"signers": three(), "build": build}).to_string();
        std::fs::write(folder.path().join("root.json"), root).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.folder.path()).env_clear().args(words).stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }
}

/// A floor and what it prints, line by line.
struct Floor {
    child: Child,
    lines: Receiver<String>,
}

impl Floor {
    fn start(stage: &Stage) -> Self {
        let mut command = stage.command(&["root.json", "floor", "--port-base", "0", "--seed", "7"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (told, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        Self { child, lines }
    }

    /// The next record of that type.
    fn record(&self, intent_type: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(WITHIN).unwrap_or_else(|error| panic!("no {intent_type}: {error}"));
            let record: Value = serde_json::from_str(&line).unwrap();
            if record["intent_type"] == intent_type {
                return record;
            }
        }
    }

    fn end(mut self) {
        let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", self.child.id())]).status().unwrap();
        assert!(sent.success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < WITHIN, "does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(0));
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn codes(decision: &Value) -> Vec<&str> {
    let codes = decision["intent_payload"]["decision"]["reason_codes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap()).collect()
}

fn only(folder: &Path) -> PathBuf {
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_grant_of_people_it_believes_lifts_what_a_grant_lifts_and_replays_to_the_byte() {
    let stage = Stage::new();
    let grant = week(&"a".repeat(40), clock::wall()).unwrap();
    let grants = stage.path(".agenttrader/signed/grants");
    install(&grant, &grants).unwrap();
    let floor = Floor::start(&stage);
    let loaded = floor.record("unlock_loaded");
    let file = &loaded["intent_payload"]["file"];
    assert_eq!((&file["state"], &file["signed_by"]), (&json!("good"), &json!(["ann", "bob"])), "{loaded}");
    let decision = floor.record("execution_decision");
    let refused = codes(&decision);
    assert!(refused.contains(&"EXECUTION_DISABLED") && refused.contains(&"KILL_SWITCH"), "{refused:?}");
    assert!(!refused.iter().any(|code| code.starts_with("UNLOCK") || *code == "BUILD_MISMATCH"), "{refused:?}");
    // Anybody may revoke, by a file beside it.
    std::fs::write(grants.join(format!("{}.revoked", grant.sha256)), "").unwrap();
    let revoked = floor.record("unlock_loaded");
    assert_eq!(revoked["intent_payload"]["file"]["problem"], "is revoked");
    floor.end();
    let recording = only(&stage.path(".agenttrader/recordings"));
    let verify = ["replay", recording.to_str().unwrap(), "--verify", ".agenttrader"];
    for root in ["root.json", "nobody.json"] {
        // Whom the recorded run believed stands in the recording, not in the binary that replays it.
        let nobody =
            json!({"signers": {"allowed_signers": "", "revoked_keys": ""}, "build": {"git_sha": "x", "build_id": "x"}});
        std::fs::write(stage.path("nobody.json"), nobody.to_string()).unwrap();
        let replay = stage.run(&[&[root], &verify[..]].concat());
        let said = String::from_utf8_lossy(&replay.stdout).into_owned();
        assert!(replay.status.success() && said.contains("IDENTICAL"), "{said}");
    }
}

#[test]
fn it_reaches_no_venue_elsewhere() {
    let stage = Stage::new();
    for variable in ["APCA_API_BASE_URL", "APCA_API_DATA_URL"] {
        let mut command = stage.command(&["root.json", "floor", "--port-base", "0"]);
        let refused = command.env(variable, "https://paper-api.alpaca.markets").output().unwrap();
        assert_eq!(refused.status.code(), Some(78), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(variable));
        assert!(!stage.path(".agenttrader").exists());
    }
}

#[test]
fn a_root_that_takes_an_agent_for_a_person_starts_no_floor() {
    let stage = Stage::new();
    let mut signers = three();
    signers.allowed_signers += &Person::new("gamma-strategy").line("execution-grant@agenttrader");
    let build = json!({"git_sha": "a".repeat(40), "build_id": "rehearsal"});
    std::fs::write(stage.path("agent.json"), json!({"signers": signers, "build": build}).to_string()).unwrap();
    let refused = stage.run(&["agent.json", "floor", "--port-base", "0", "--seed", "7"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(78), "{said}");
    assert!(said.contains("lets the agent `gamma-strategy` sign for `execution-grant@agenttrader`"), "{said}");
    assert_eq!(std::fs::read_dir(stage.path(".agenttrader/recordings")).unwrap().count(), 0, "nothing was judged");
}

#[test]
fn without_a_root_that_can_be_read_it_runs_nothing() {
    let stage = Stage::new();
    assert_eq!(stage.run(&[]).status.code(), Some(2));
    assert_eq!(stage.run(&["none.json", "floor"]).status.code(), Some(2));
    for bad in ["", "{}", "{\"signers\": {}, \"build\": {}}"] {
        std::fs::write(stage.path("bad.json"), bad).unwrap();
        assert_eq!(stage.run(&["bad.json", "floor"]).status.code(), Some(2), "{bad}");
    }
    let unsound = json!({
        "signers": {"allowed_signers": "* ssh-ed25519 AAAA\n", "revoked_keys": ""},
        "build": {"git_sha": "a".repeat(40), "build_id": "1"},
    });
    std::fs::write(stage.path("bad.json"), unsound.to_string()).unwrap();
    assert_eq!(stage.run(&["bad.json", "floor", "--port-base", "0"]).status.code(), Some(78));
}
