//! A floor whose disk fails under one agent's log, and a floor that is killed: what was acknowledged stays, and the floor goes on.

use crate::screen::{Home, Running, WITHIN, get, wait_for_status};
use agenttrader_audit::read;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::input::{Fact, Input};
use agenttrader_sequence::read::Recording;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const GATE: &str = "shadow-gate";

/// The log's calls that succeed before the fault: the first records are durable.
const GOOD_CALLS: u32 = 3;

/// A record by its place and its id.
type Seen = BTreeSet<(String, u64, String)>;

fn seen(record: &Value) -> (String, u64, String) {
    let text = |name: &str| record[name].as_str().unwrap().to_owned();
    (text("agent_name"), record["seq"].as_u64().unwrap(), text("intent_id"))
}

/// The records on standard output: each is durable. The last line of a killed process may be cut.
fn printed(out: &str) -> Vec<Value> {
    let whole = out.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every record of every log of a data directory.
fn logged(data_dir: &Path) -> Seen {
    let agents = std::fs::read_dir(data_dir.join("audit-state")).unwrap().map(|entry| entry.unwrap().file_name());
    let records = agents.flat_map(|agent| read::records(data_dir, agent.to_str().unwrap()).unwrap());
    records.map(|record| seen(&serde_json::to_value(record.unwrap()).unwrap())).collect()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < WITHIN, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn recordings(data_dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(data_dir.join("recordings")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A floor with a fault in the calls on its gate's journal. The floor is our child: the tracer is beside it and lets go of it when it is
/// asked to, also of a call that it holds back.
struct Failing {
    floor: Running,
    process: u32,
}

impl Failing {
    /// Faults as the tracer's `inject=` takes them, such as `write:error=ENOSPC`; from the fourth call on.
    fn start(strace: &Path, home: &Home, faults: &[String]) -> Self {
        // As the system names open files: without links.
        let data_dir = home.path("").canonicalize().unwrap().join(".agenttrader");
        let journal = data_dir.join("audit-state").join(GATE).join("journal").join(format!("{:020}", 0));
        let bare = home.command(&["floor", "--port-base", "0", "--seed", "7", "--speed", "20"]);
        let mut command = Command::new("sh");
        command.env_clear().current_dir(home.path("")).args(["-c", "echo $$ > process; exec \"$0\" \"$@\""]);
        command.arg(strace).args(["-D", "-I", "2", "-f", "-qq", "-e", "signal=none", "-o", "trace", "-P"]).arg(journal);
        command.args(["-e", "trace=write,fdatasync"]);
        for fault in faults {
            command.args(["-e", &format!("inject={fault}:when={}+", GOOD_CALLS + 1)]);
        }
        command.arg(bare.get_program()).args(bare.get_args()).process_group(0);
        let floor = Running::of(command);
        let process = until("the floor's process is known", || {
            std::fs::read_to_string(home.path("process")).ok()?.trim().parse().ok()
        });
        Self { floor, process }
    }

    fn tracer(&self) -> u32 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process)).unwrap();
        status.lines().find_map(|line| line.strip_prefix("TracerPid:")?.trim().parse().ok()).unwrap()
    }

    /// The disk works again.
    fn mend(&self) {
        let tracer = self.tracer();
        assert_ne!(tracer, 0, "the fault ended by itself");
        assert!(Command::new("sh").args(["-c", &format!("kill -TERM {tracer}")]).status().unwrap().success());
        until("the tracer has let go", || (self.tracer() == 0).then_some(()));
    }

    /// The disk worked again: the gate is well, decides with and without its log in turn, and everything that was shown is there and is
    /// what a replay makes.
    fn recovers(mut self, home: &Home) {
        let gate = self.floor.address("shadow gate");
        until("the gate is well again, in the same process", || {
            let status = status(&gate);
            (status["status"]["state"] == "OK" && status.get("unwritable").is_none()).then_some(())
        });
        let of_gate = |out: &str, intent: &str| -> Vec<Value> {
            let records = printed(out).into_iter();
            records.filter(|record| record["agent_name"] == GATE && record["intent_type"] == intent).collect()
        };
        let is_refused = |decision: &Value| codes(decision).contains(&"AUDIT_UNAVAILABLE");
        self.floor.wait_for("decisions without and with a log, and without again", |out, _| {
            let refused: Vec<bool> = of_gate(out, "execution_decision").iter().map(is_refused).collect();
            let last = refused.iter().rposition(|refused| *refused)?;
            (last + 1 < refused.len()).then_some(())
        });
        wait_for_status(&gate, "/readyz", 200);
        assert_eq!(self.floor.end("INT").0, Some(0), "{}", self.floor.err());
        assert!(!self.floor.err().contains("warning"), "{}", self.floor.err());

        let out = self.floor.out();
        let moves: Vec<String> =
            of_gate(&out, "state_transition").iter().map(|record| record["intent_summary"].to_string()).collect();
        assert!(moves.iter().any(|told| told.contains("DEGRADED: AUDIT_UNAVAILABLE")), "{moves:?}");
        assert!(moves.iter().any(|told| told.contains("DEGRADED → OK")), "{moves:?}");
        let data_dir = home.path(".agenttrader");
        let acknowledged: Seen = printed(&out).iter().map(seen).collect();
        let lost: Vec<_> = acknowledged.difference(&logged(&data_dir)).cloned().collect();
        assert!(lost.is_empty(), "{lost:?}");

        let [recording] = <[PathBuf; 1]>::try_from(recordings(&data_dir)).unwrap();
        let mut healths = Vec::new();
        let mut inputs = Recording::open(&recording).unwrap();
        while let Some(numbered) = inputs.next_input().unwrap() {
            if let Input::Fact(Fact::Log { agent_name, health }) = numbered.input
                && agent_name == GATE
            {
                healths.push(health);
            }
        }
        let expected = [LogHealth::Writable, LogHealth::Unavailable, LogHealth::Writable];
        assert_eq!(healths, expected, "each change is an input");
        let proof = home.run(&["replay", recording.to_str().unwrap(), "--verify", ".agenttrader"]).exits(0);
        assert!(proof.stdout().contains("IDENTICAL"), "{}", proof.screen());
        home.run(&["audit", "verify"]).exits(0);
    }
}

fn status(address: &str) -> Value {
    get(address, "/ops/status").and_then(|(_, body)| serde_json::from_str(&body).ok()).unwrap_or_default()
}

fn codes(decision: &Value) -> Vec<&str> {
    decision["intent_payload"]["decision"]["reason_codes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

/// Waits until the gate says that its log cannot be written, for that reason, wherever an operator may look.
fn degraded(home: &Home, floor: &mut Running, why: &str) -> Value {
    let gate = floor.address("shadow gate");
    // For its log alone: on a machine that stands still for a moment the market is stale as well, for a moment.
    let first = until("the gate is degraded for its log", || {
        let status = status(&gate);
        let is_alone = status["status"]["reason_codes"] == json!(["AUDIT_UNAVAILABLE"]);
        (status["status"]["state"] == "DEGRADED" && is_alone).then_some(status)
    });
    assert_eq!(first["unwritable"], json!([{"what": "LOG", "why": why}]), "{first}");
    assert!(first["safety"]["gating_reasons"].to_string().contains("AUDIT_UNAVAILABLE"), "{first}");
    wait_for_status(&gate, "/readyz", 503);
    let mission_control = floor.address("mission control");
    until("mission control says so of the gate alone", || {
        let (_, body) = get(&mission_control, "/api/v1/safety")?;
        let safety: Value = serde_json::from_str(&body).unwrap();
        let agents = safety["agents"].as_array().unwrap();
        let of_gate = agents.iter().find(|agent| agent["agent_name"] == GATE).unwrap();
        assert!(agents.iter().all(|agent| agent["agent_name"] == GATE || agent["unwritable"] == json!([])), "{body}");
        (of_gate["unwritable"] == first["unwritable"]).then_some(())
    });
    let shown = home.run(&["status"]).exits(0).stdout();
    assert!(shown.contains(&format!("log of {GATE} cannot be written: {why}")), "{shown}");
    first
}

fn a_log_that_cannot_be_written(calls: &str, error: &str, why: &str) {
    let Some(strace) = agenttrader_outside::command("strace") else { return };
    let home = Home::new();
    let faults: Vec<String> = calls.split(',').map(|call| format!("{call}:error={error}")).collect();
    let mut failing = Failing::start(&strace, &home, &faults);
    let first = degraded(&home, &mut failing.floor, why);
    let gate = failing.floor.address("shadow gate");
    let market = failing.floor.address("market data");
    // Proposals go on, into logs that can be written; what the gate decides of them waits.
    let count = |out: &str, intent: &str| out.matches(&format!("\"intent_type\":\"{intent}\"")).count();
    let proposed = count(&failing.floor.out(), "order_proposal");
    failing
        .floor
        .wait_for("proposals meanwhile", |out, _| (count(out, "order_proposal") >= proposed + 2).then_some(()));
    let later = status(&gate);
    assert_eq!(later["audit"]["tree_size"], first["audit"]["tree_size"], "nothing counts as durable meanwhile");
    assert!(!status(&market).to_string().contains("AUDIT_UNAVAILABLE"), "one log fails, no other");
    failing.mend();
    failing.recovers(&home);
}

#[test]
fn a_full_disk_degrades_the_gate_and_is_recovered_from_without_a_restart() {
    a_log_that_cannot_be_written("write", "ENOSPC", "No space left on device (os error 28)");
}

#[test]
fn a_disk_that_cannot_make_durable_degrades_the_gate_and_is_recovered_from_without_a_restart() {
    a_log_that_cannot_be_written("fdatasync", "EIO", "Input/output error (os error 5)");
}

#[test]
fn a_disk_that_turns_read_only_degrades_the_gate_and_is_recovered_from_without_a_restart() {
    a_log_that_cannot_be_written("write,fdatasync", "EROFS", "Read-only file system (os error 30)");
}

/// Longer than any test: the call does not return by itself.
const HANGS_MICROSECONDS: u64 = 3_600_000_000;

/// What the gate has decided, as it counts it when it decides: nothing need be on a disk for that.
fn decided(gate: &str) -> u64 {
    let (_, metrics) = get(gate, "/metrics").unwrap_or_default();
    let counts = metrics.lines().filter(|line| line.starts_with("agenttrader_decisions_total{"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn a_disk_that_does_not_answer_makes_the_gate_refuse_and_is_recovered_from_when_it_answers() {
    let Some(strace) = agenttrader_outside::command("strace") else { return };
    let home = Home::new();
    let mut failing = Failing::start(&strace, &home, &[format!("fdatasync:delay_enter={HANGS_MICROSECONDS}")]);
    let first = degraded(&home, &mut failing.floor, "the disk has not answered for 2s");
    let gate = failing.floor.address("shadow gate");
    // The sequence waits for no disk: it goes on judging, and each of these decisions is a refusal.
    let before = decided(&gate);
    until("decisions while the disk hangs", || (decided(&gate) >= before + 2).then_some(()));
    let shown = printed(&failing.floor.out());
    let is_refused =
        |record: &&Value| record["intent_type"] == "execution_decision" && codes(record).contains(&"AUDIT_UNAVAILABLE");
    assert_eq!(shown.iter().filter(is_refused).count(), 0, "shown before it was durable");
    assert_eq!(status(&gate)["audit"]["tree_size"], first["audit"]["tree_size"], "nothing counts as durable meanwhile");
    failing.mend();
    failing.recovers(&home);
}

/// Kills of one data directory.
const KILLS: u64 = 10;

#[test]
fn a_floor_killed_at_any_moment_starts_again_and_lost_nothing_that_it_showed() {
    let home = Home::new();
    let random = RandomState::new();
    let mut acknowledged = Seen::new();
    for kill in 0..KILLS {
        let mut floor = home.start(&["floor", "--port-base", "0", "--seed", "7", "--speed", "60"]);
        // Half of them while it starts.
        let pause = Duration::from_millis(random.hash_one(kill) % 700);
        if kill % 2 == 0 {
            let address = floor.address("mission control");
            floor.wait_for("its first records", |out, _| (!printed(out).is_empty()).then_some(()));
            std::thread::sleep(pause);
            let body = wait_for_status(&address, "/api/v1/events/recent?limit=500", 200);
            let shown: Value = serde_json::from_str(&body).unwrap();
            acknowledged.extend(shown["items"].as_array().unwrap().iter().map(seen));
        } else {
            std::thread::sleep(pause);
        }
        assert_eq!(floor.end("KILL").0, None, "killed after {pause:?}: {}", floor.err());
        acknowledged.extend(printed(&floor.out()).iter().map(seen));
        assert!(!floor.err().contains("error:"), "after kill {kill} at {pause:?}: {}", floor.err());
    }
    let mut floor = home.start(&["floor", "--port-base", "0", "--speed", "60"]);
    floor.address("mission control");
    floor.wait_for("its first records", |out, _| (!printed(out).is_empty()).then_some(()));
    assert_eq!(floor.end("TERM").0, Some(0), "{}", floor.err());
    acknowledged.extend(printed(&floor.out()).iter().map(seen));
    let lost: Vec<_> = acknowledged.difference(&logged(&home.path(".agenttrader"))).cloned().collect();
    assert!(lost.is_empty(), "of {} records shown {lost:?} are lost", acknowledged.len());
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    home.run(&["audit", "verify"]).exits(0);
}
