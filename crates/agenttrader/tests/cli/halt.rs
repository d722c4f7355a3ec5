//! `halt` where no floor runs: what is written, and what is said when nothing can be.

use crate::screen::{Home, golden, wait_for_status};

#[test]
fn nobody_who_confirms_is_told_with_75_and_the_switch_is_set() {
    let home = Home::new();
    let ran = home.run(&["USER=ada", "halt", "--reason", "spread looks wrong", "--port-base", "1"]).exits(75);
    assert_eq!(std::fs::read_to_string(home.path(".agenttrader/kill-switch/EXECUTION_HALTED")).unwrap(), "1\n");
    let claim = std::fs::read_to_string(home.path(".agenttrader/kill-switch/halt.json")).unwrap();
    for said in ["\"reason\":\"spread looks wrong\"", "\"user\":\"ada\"", "\"at_utc\":\""] {
        assert!(claim.contains(said), "{claim}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path(".agenttrader/kill-switch")).unwrap().collect();
    assert_eq!(left.len(), 2, "written by rename, nothing half-done left: {left:?}");
    // A folder where the switch's file should be: the latch halts instead.
    home.write("as_folder/inner", "");
    let folder = home
        .run(&["USER=ada", "EXECUTION_HALTED_FILE=as_folder", "halt", "--reason", "drill", "--port-base", "1"])
        .exits(75);
    assert!(home.path(".agenttrader/kill-switch/LATCH").exists());
    // A file where the folder of everything should be: nothing can be written.
    home.write("file", "");
    let nothing = home.run(&["halt", "--reason", "drill", "--data-dir", "file"]).exits(69);
    golden("halt", &[ran.screen(), folder.screen(), nothing.screen()]);
}

#[test]
fn halting_as_json_says_where_and_who() {
    let home = Home::new();
    let ran = home.run(&["halt", "--reason", "drill", "--json", "--port-base", "1"]).exits(75);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(said["path"], ".agenttrader/kill-switch/EXECUTION_HALTED");
    assert_eq!(said["confirmed"], serde_json::json!([]));
    let claim = std::fs::read_to_string(home.path(".agenttrader/kill-switch/halt.json")).unwrap();
    assert!(claim.contains("\"user\":\"user "), "without a name, the user's number: {claim}");
}

#[test]
fn an_agent_that_listens_on_every_address_is_asked_on_loopback_for_its_word() {
    let home = Home::new();
    let everywhere = ["REPO_ID=agent-trader-v2", "AGENT_NAME=marketdata-mcp-server", "AGENT_ROLE=marketdata"];
    let everywhere = [&everywhere[..], &["AGENTTRADER_BIND=0.0.0.0", "APCA_API_BASE_URL=http://127.0.0.1:1"]].concat();
    let mut agent = home.start(&[&everywhere[..], &["marketdata", "--port-base", "0"]].concat());
    let port: u16 = agent.address("marketdata-mcp-server").rsplit(':').next().unwrap().parse().unwrap();
    wait_for_status(&format!("127.0.0.1:{port}"), "/livez", 200);
    let base = (port - 1).to_string();
    // Whoever is too busy to confirm within the second that is waited for is asked again.
    agent.wait_for("its word", |_, _| {
        let ran = home.run(&[&everywhere[..], &["halt", "--reason", "drill", "--port-base", &base]].concat());
        ran.stdout().contains("confirmed by marketdata-mcp-server").then(|| ran.exits(0))
    });
}
