//! A floor whose disk fails under one agent's log, and a floor that is killed: what was acknowledged stays, and the floor goes on.

use crate::screen::{Home, Running, WITHIN, get, wait_for_status};
use agenttrader_audit::read;
use agenttrader_safety::seen::LogHealth;
use agenttrader_sequence::input::{Fact, Input};
use agenttrader_sequence::read::Recording;
use serde_json::Value;
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

/// A floor whose gate's journal fails in these calls, with this error, from the third call on. The floor is our child: the tracer is
/// beside it and lets go of it when it is asked to.
struct Failing {
    floor: Running,
    process: u32,
}

impl Failing {
    fn start(strace: &Path, home: &Home, calls: &str, error: &str) -> Self {
        // As the system names open files: without links.
        let data_dir = home.path("").canonicalize().unwrap().join(".agenttrader");
        let journal = data_dir.join("audit-state").join(GATE).join("journal").join(format!("{:020}", 0));
        let bare = home.command(&["floor", "--port-base", "0", "--seed", "7", "--speed", "20"]);
        let mut command = Command::new("sh");
        command.env_clear().current_dir(home.path("")).args(["-c", "echo $$ > process; exec \"$0\" \"$@\""]);
        command.arg(strace).args(["-D", "-I", "2", "-f", "-qq", "-e", "signal=none", "-o", "trace", "-P"]).arg(journal);
        command.args(["-e", "trace=write,fdatasync"]);
        for call in calls.split(',') {
            command.args(["-e", &format!("inject={call}:error={error}:when={}+", GOOD_CALLS + 1)]);
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

fn a_log_that_cannot_be_written(calls: &str, error: &str) {
    let Some(strace) = agenttrader_outside::command("strace") else { return };
    let home = Home::new();
    let mut failing = Failing::start(&strace, &home, calls, error);
    let gate = failing.floor.address("shadow gate");
    let market = failing.floor.address("market data");

    let first = until("the gate is degraded", || {
        let status = status(&gate);
        (status["status"]["state"] == "DEGRADED").then_some(status)
    });
    assert_eq!(first["status"]["reason_codes"], serde_json::json!(["AUDIT_UNAVAILABLE"]), "{first}");
    assert!(first["safety"]["gating_reasons"].to_string().contains("AUDIT_UNAVAILABLE"), "{first}");
    wait_for_status(&gate, "/readyz", 503);
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
    until("the gate is well again, in the same process", || (status(&gate)["status"]["state"] == "OK").then_some(()));
    let of_gate = |out: &str, intent: &str| -> Vec<Value> {
        let records = printed(out).into_iter();
        records.filter(|record| record["agent_name"] == GATE && record["intent_type"] == intent).collect()
    };
    let is_refused = |decision: &Value| codes(decision).contains(&"AUDIT_UNAVAILABLE");
    failing.floor.wait_for("decisions without and with a log, and without again", |out, _| {
        let refused: Vec<bool> = of_gate(out, "execution_decision").iter().map(is_refused).collect();
        let last = refused.iter().rposition(|refused| *refused)?;
        (last + 1 < refused.len()).then_some(())
    });
    wait_for_status(&gate, "/readyz", 200);
    assert_eq!(failing.floor.end("INT").0, Some(0), "{}", failing.floor.err());
    assert!(!failing.floor.err().contains("warning"), "{}", failing.floor.err());

    let out = failing.floor.out();
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
    assert_eq!(healths, [LogHealth::Writable, LogHealth::Unavailable, LogHealth::Writable], "each change is an input");
    let proof = home.run(&["replay", recording.to_str().unwrap(), "--verify", ".agenttrader"]).exits(0);
    assert!(proof.stdout().contains("IDENTICAL"), "{}", proof.screen());
    home.run(&["audit", "verify"]).exits(0);
}

#[test]
fn a_full_disk_degrades_the_gate_and_is_recovered_from_without_a_restart() {
    a_log_that_cannot_be_written("write", "ENOSPC");
}

#[test]
fn a_disk_that_cannot_make_durable_degrades_the_gate_and_is_recovered_from_without_a_restart() {
    a_log_that_cannot_be_written("fdatasync", "EIO");
}

#[test]
fn a_disk_that_turns_read_only_degrades_the_gate_and_is_recovered_from_without_a_restart() {
    a_log_that_cannot_be_written("write,fdatasync", "EROFS");
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
