//! A floor from its start to the proof of what it did, as an operator goes through it.

use crate::screen::{Home, Running, WITHIN, get, golden, masked};
use serde_json::Value;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// Longest end after a signal.
const END_WITHIN: Duration = Duration::from_secs(2);

/// The time that an end took, or the shortest of some more: what a machine that was busy just then adds is not the floor's.
fn at_best(took: Duration, signal: &str) -> Duration {
    let again = |_| {
        let home = Home::new();
        let (mut floor, _) = started(&home, &["floor", "--port-base", "0"]);
        floor.end(signal).1
    };
    if took < END_WITHIN { took } else { (0..5).map(again).fold(took, Duration::min) }
}

fn started(home: &Home, line: &[&str]) -> (Running, String) {
    let mut floor = home.start(line);
    let address = floor.address("mission control");
    floor.wait_for("its market", |_, err| err.contains("\nmarket  ").then_some(()));
    (floor, address)
}

#[test]
fn a_floor_is_seen_halted_ended_and_proved() {
    let home = Home::new();
    // Of a day on which both strategies propose within the first minute: there are others.
    let line = ["floor", "--port-base", "0", "--seed", "7", "--date", "2026-11-24"];
    let (mut floor, address) = started(&home, &line);
    let mut screens = vec![format!("$ agenttrader {}\n{}", line.join(" "), masked(&floor.err()))];
    floor.wait_for("a refused proposal of each strategy", |out, _| {
        let proposed =
            |agent: &str| out.lines().any(|line| line.contains("\"order_proposal\"") && line.contains(agent));
        let decided = out.matches("\"execution_decision\"").count() >= 2;
        (proposed("\"gamma-strategy\"") && proposed("\"whale-strategy\"") && decided).then_some(())
    });

    // Found by the data directory, though its ports are free ones.
    let status = home.run(&["status"]).exits(0).stdout();
    for said in [
        "POSTURE   HALTED · file .agenttrader/kill-switch/EXECUTION_HALTED",
        "SAFE      strategies run · no order can leave",
        "DECIDED",
        "EXECUTION_DISABLED, AGENT_MODE_NOT_EXECUTE, KILL_SWITCH",
    ] {
        assert!(status.contains(said), "{status}");
    }
    assert!(!status.contains('\u{1b}'), "no control sequences beside a terminal: {status:?}");
    let safety: Value = serde_json::from_str(&home.run(&["status", "--json"]).exits(0).stdout()).unwrap();
    assert_eq!(safety["safe_to_execute_orders"], false);

    let listed: Value =
        serde_json::from_str(&home.run(&["proposals", "--json", "--limit", "2"]).exits(0).stdout()).unwrap();
    let id = listed["items"][0]["proposal_id"].as_str().unwrap();
    let list = home.run(&["proposals"]).exits(0).stdout();
    assert!(
        list.contains(id) && list.lines().all(|line| line.contains("SHADOWED") || line.contains("REFUSED")),
        "{list}"
    );
    let story = home.run(&["proposals", id]).exits(0).stdout();
    for said in ["state     ", "caused by input ", "decision  REFUSE", "EXECUTION_DISABLED", "record    "] {
        assert!(story.contains(said), "{said}: {story}");
    }
    screens.push(home.run(&["proposals", "00000000-0000-0000-0000-000000000001"]).exits(2).screen());

    // Another floor over the same data directory has to wait; one at the same port is told which.
    let venue = std::fs::read(home.path(".agenttrader/venue.json")).unwrap();
    let second = home.run(&["floor", "--port-base", "0", "--fresh", "--seed", "9"]).exits(75);
    assert_eq!(
        std::fs::read(home.path(".agenttrader/venue.json")).unwrap(),
        venue,
        "the second left the first's market alone"
    );
    screens.push(second.screen());
    assert_eq!(home.run(&["status"]).code(), Some(0), "the second left the first's ports alone");

    // Whoever is too busy to confirm within the second that is waited for is asked again.
    let halt = || home.run(&["USER=ada", "halt", "--reason", "drill"]);
    let (begun, mut halted) = (Instant::now(), halt());
    while halted.stdout().matches(", ").count() < 4 && begun.elapsed() < WITHIN {
        halted = halt();
    }
    screens.push(halted.exits(0).screen());
    assert!(get(&address, "/api/v1/safety").unwrap().1.contains("\"halted\":true"));

    let (code, took) = floor.end("INT");
    assert_eq!(code, Some(0), "{}", floor.err());
    let took = at_best(took, "INT");
    assert!(took < END_WITHIN, "ended after {took:?}");
    assert!(floor.err().contains("next: agenttrader replay .agenttrader/recordings/"), "{}", floor.err());
    screens.push(home.run(&["status", "--port-base", "1"]).exits(69).screen());

    let recording = std::fs::read_dir(home.path(".agenttrader/recordings")).unwrap().next().unwrap().unwrap().path();
    let recording = recording.to_str().unwrap();
    let proof = home.run(&["replay", recording, "--verify", ".agenttrader"]).exits(0);
    assert!(proof.stdout().contains("IDENTICAL"), "{}", proof.screen());
    let info: Value =
        serde_json::from_str(&home.run(&["record", "info", recording, "--json"]).exits(0).stdout()).unwrap();
    assert!(info["digest"].is_string(), "{info}");
    is_shown_by_mission_control_alone(&home, id);
    golden("floor", &screens);
}

/// Over the journals that a floor left, mission control alone lists proposals, and says why it has no readings.
fn is_shown_by_mission_control_alone(home: &Home, id: &str) {
    let mut alone = home.start(&["mission-control", "--port-base", "0"]);
    let address = alone.address("mission control");
    let begun = Instant::now();
    while !get(&address, "/api/v1/proposals").is_some_and(|(status, body)| status == 200 && body.contains(id)) {
        assert!(begun.elapsed() < WITHIN, "{:?}", get(&address, "/api/v1/proposals"));
        std::thread::sleep(Duration::from_millis(50));
    }
    let (status, body) = get(&address, "/api/v1/market/SPY").unwrap();
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"detail\":\""), "{body}");
    let port = address.rsplit(':').next().unwrap();
    let list = home.run(&["proposals", "--port-base", port]).exits(0).stdout();
    assert!(list.contains(id), "{list}");
    assert_eq!(alone.end("TERM").0, Some(0));
}

#[test]
fn without_a_subcommand_it_is_a_floor_and_ends_on_signals_that_a_parent_ignored() {
    let home = Home::new();
    for signal in ["TERM", "INT"] {
        let bare = home.command(&["--port-base", "0", "--speed", "2"]);
        let mut command = Command::new("sh");
        command.env_clear().current_dir(home.path("")).args(["-c", "trap '' INT TERM; exec \"$0\" \"$@\""]);
        command.arg(bare.get_program()).args(bare.get_args()).process_group(0);
        let mut floor = Running::of(command);
        floor.address("venue simulator");
        let (code, took) = floor.end(signal);
        assert_eq!(code, Some(0), "{}", floor.err());
        let took = at_best(took, signal);
        assert!(took < END_WITHIN, "{signal}: ended after {took:?}");
        assert!(!home.path(".agenttrader/ports.json").exists());
    }
}

#[test]
fn a_mode_that_is_none_is_off_with_an_error_on_record_and_on_the_screen() {
    let home = Home::new();
    let (mut floor, _) = started(&home, &["AGENT_MODE= observe", "floor", "--port-base", "0", "--speed", "20"]);
    assert!(floor.err().contains("warning: AGENT_MODE is \" observe\""), "{}", floor.err());
    floor.wait_for("some seconds of the market", |out, _| (out.lines().count() > 12).then_some(()));
    let begun = Instant::now();
    let status = loop {
        let status = home.run(&["status"]).stdout();
        if status.contains("gamma-strategy is OFF") || begun.elapsed() > WITHIN {
            break status;
        }
    };
    assert!(status.contains("strategies do not run: gamma-strategy is OFF, whale-strategy is OFF"), "{status}");
    assert!(status.contains("nothing proposed yet"), "{status}");
    floor.end("TERM");
    for agent in ["gamma-strategy", "whale-strategy"] {
        let segment = format!("journal/{:020}", 0);
        let bytes = std::fs::read(home.path(".agenttrader/audit-state").join(agent).join(segment)).unwrap();
        let journal = String::from_utf8_lossy(&bytes);
        let errors = journal.split("{\"agent_mode\":").filter(|record| record.contains("AGENT_MODE is ")).count();
        assert_eq!((errors, journal.contains("\"order_proposal\"")), (1, false), "{journal}");
    }
}

#[test]
fn a_taken_port_is_named_with_what_it_is_for() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let base = (port - 5).to_string();
    let ran = home.run(&["venue", "--port-base", &base]).exits(69);
    let said = ran.stderr();
    assert!(said.contains(&format!("127.0.0.1:{port} (venue simulator)")) && said.contains("--port-base N"), "{said}");
    let base = port.to_string();
    let said = home.run(&["floor", "--port-base", &base]).exits(69).stderr();
    assert!(said.contains(&format!("127.0.0.1:{port} (mission control)")), "{said}");
}

#[test]
fn on_a_terminal_no_color_leaves_no_emphasis() {
    let test = "on_a_terminal_no_color_leaves_no_emphasis";
    let home = Home::new();
    let (mut floor, _) = started(&home, &["floor", "--port-base", "0"]);
    let on_a_terminal = |variable: &str| {
        let status = home.command(&["status"]);
        let line = format!("{} status", status.get_program().to_str().unwrap());
        let mut script = Command::new("script");
        script.env_clear().env("PATH", "/usr/bin:/bin").current_dir(home.path("")).args(["-qec", &line, "/dev/null"]);
        if let Some((name, value)) = variable.split_once('=') {
            script.env(name, value);
        }
        script.output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(coloured) = on_a_terminal("") else {
        agenttrader_outside::skip(test, "`script`, which gives a program a terminal", "install util-linux");
        return;
    };
    assert!(coloured.contains("\u{1b}[1mHALTED"), "{coloured:?}");
    let plain = on_a_terminal("NO_COLOR=1").unwrap();
    assert!(plain.contains("HALTED") && !plain.contains('\u{1b}'), "{plain:?}");
    floor.end("TERM");
}
