//! `marketdata` and `strategy` alone, against a venue of its own process.

use crate::screen::{Home, Running, golden, wait_for_status};
use serde_json::Value;

const MARKETDATA: [&str; 3] = ["REPO_ID=agent-trader-v2", "AGENT_NAME=marketdata-mcp-server", "AGENT_ROLE=marketdata"];

#[test]
fn without_identity_no_start() {
    let home = Home::new();
    let lines: [&[&str]; 9] = [
        &["strategy"],
        &["AGENT_NAME=a", "AGENT_ROLE=strategy_eval", "strategy"],
        &["REPO_ID=agent-trader-v2", "AGENT_ROLE=marketdata", "marketdata"],
        &["REPO_ID=agent-trader-v2", "AGENT_NAME=a", "strategy"],
        &["REPO_ID=agent-trader-v2", "AGENT_NAME=a", "AGENT_ROLE=trader", "marketdata"],
        &["REPO_ID=agent-trader-v2", "AGENT_NAME=../a", "AGENT_ROLE=strategy_eval", "strategy"],
        &["REPO_ID=agent-trader-v2", "AGENT_NAME=a", "AGENT_ROLE=marketdata", "strategy"],
        &["REPO_ID=agent-trader-v2", "AGENT_NAME=a", "AGENT_ROLE=strategy_eval", "AGENT_MODE=EXECUTE", "strategy"],
        &["REPO_ID=agent-trader-v2", "AGENT_NAME=a", "AGENT_ROLE=marketdata", "AGENT_MODE=EXECUTE", "marketdata"],
    ];
    golden("no_identity", &lines.map(|line| home.run(line).exits(78).screen()));
    assert!(!home.path(".agenttrader").exists(), "a refused start leaves nothing behind");
}

fn venue(home: &Home) -> (Running, String) {
    let mut venue = home.start(&["venue", "--port-base", "0", "--seed", "7", "--speed", "8", "--data-dir", "venue"]);
    let address = venue.address("venue simulator");
    (venue, address)
}

fn records(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn proposals(text: &str) -> usize {
    records(text).iter().filter(|record| record["intent_type"] == "order_proposal").count()
}

#[test]
fn strategies_alone_propose_and_nobody_judges_and_without_a_mode_they_do_nothing() {
    let home = Home::new();
    let (mut venue, address) = venue(&home);
    let at = [format!("APCA_API_BASE_URL=http://{address}"), format!("APCA_API_DATA_URL=http://{address}")];
    let start = |before: &[&str], after: &[&str]| {
        home.start(&[before, &[at[0].as_str(), at[1].as_str()], after, &["--port-base", "0"]].concat())
    };
    let mut marketdata =
        start(&[&MARKETDATA[..], &["AGENT_MODE=OBSERVE"]].concat(), &["marketdata", "--data-dir", "md"]);
    let health = marketdata.address("marketdata-mcp-server");
    for path in ["/livez", "/readyz", "/healthz", "/heartbeat", "/ops/status", "/metrics"] {
        wait_for_status(&health, path, 200);
    }
    let url = format!("MARKETDATA_HEALTH_URL=http://{health}/healthz");
    let strategy = |name: &str, mode: Option<&str>| {
        let name_is = format!("AGENT_NAME={name}");
        let mode = mode.map(|mode| format!("AGENT_MODE={mode}"));
        let mut before = vec!["REPO_ID=agent-trader-v2", "AGENT_ROLE=strategy_eval", &name_is, &url];
        before.extend(mode.as_deref());
        start(&before, &["strategy", "--data-dir", name])
    };
    let mut observing = strategy("observing", Some("OBSERVE"));
    let modes = [("unset", None), ("blank", Some(" observe")), ("cased", Some("Execute")), ("one", Some("1"))];
    let mut off = modes.map(|(name, mode)| (name, strategy(name, mode)));
    observing.wait_for("proposals", |out, _| (proposals(out) >= 2).then_some(()));

    for (name, strategy) in &mut off {
        let health = strategy.address(name);
        assert!(wait_for_status(&health, "/ops/status", 200).contains("\"agent_mode\":\"OFF\""), "{name}");
        assert_eq!(strategy.end("TERM").0, Some(0), "{}", strategy.err());
        let out = strategy.out();
        let errors = records(&out).iter().filter(|record| record["error"].is_string()).count();
        assert_eq!((errors, proposals(&out)), (1, 0), "{name}: {out}");
        assert!(strategy.err().contains("the mode is OFF"), "{}", strategy.err());
    }
    assert_eq!(observing.end("TERM").0, Some(0), "{}", observing.err());
    let out = observing.out();
    assert!(!out.contains("\"execution_decision\""), "nobody judges");
    for record in records(&out).iter().filter(|record| record["intent_type"] == "order_proposal") {
        assert!(record.to_string().contains("\"signature\":\""), "signed: {record}");
        assert_eq!(record["agent_name"], "observing");
    }
    assert_eq!(marketdata.end("INT").0, Some(0), "{}", marketdata.err());
    assert_eq!(venue.end("INT").0, Some(0), "{}", venue.err());
    for data_dir in ["observing", "md"] {
        let recording =
            std::fs::read_dir(home.path(data_dir).join("recordings")).unwrap().next().unwrap().unwrap().path();
        let proof = home.run(&["replay", recording.to_str().unwrap(), "--verify", data_dir]).exits(0);
        assert!(proof.stdout().contains("IDENTICAL"), "{}", proof.screen());
    }
}
