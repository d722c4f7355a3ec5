//! `config show`, and what a configuration file may not say.

use crate::screen::{Home, golden};

#[test]
fn each_value_is_shown_with_where_it_came_from() {
    let home = Home::new();
    home.write("floor.toml", "speed = 2.5\nstrategies = [\"gamma\", \"naive_flow_trend\"]\nbind = \"127.0.0.2\"\n");
    let named = [
        "AGENTTRADER_SEED=7",
        "AGENTTRADER_BIND=127.0.0.1",
        "AGENT_MODE=OBSERVE",
        "MARKETDATA_MAX_AGE_SECONDS=soon",
        "APCA_API_BASE_URL=https://me:hunter2@venue.example",
        "APCA_API_KEY_ID=AKNOWN",
        "APCA_API_SECRET_KEY=hunter2",
        "config",
        "show",
        "--config",
        "floor.toml",
        "--port-base",
        "9000",
    ];
    let screens = [home.run(&["config", "show"]).exits(0).screen(), home.run(&named).exits(0).screen()];
    let json = home.run(&[&named[..], &["--json"]].concat()).exits(0).stdout();
    for text in [screens.concat(), json] {
        assert!(!text.replace("https://me:hunter2@venue", "").contains("hunter2\"") && !text.contains("  hunter2"));
    }
    golden("config_show", &screens);
}

#[test]
fn secrets_are_redacted_on_every_screen() {
    let home = Home::new();
    let line =
        ["APCA_API_KEY_ID=AKNOWN", "APCA_API_SECRET_KEY=hunter2", "AGENTTRADER_API_TOKEN=tok3n", "config", "show"];
    for line in [line.to_vec(), [&line[..], &["--json"]].concat()] {
        let text = home.run(&line).exits(0).stdout();
        assert!(!["AKNOWN", "hunter2", "tok3n"].iter().any(|secret| text.contains(secret)), "{text}");
        assert!(text.contains("[redacted]"));
    }
}

#[test]
fn a_file_that_names_a_safety_input_is_refused_for_every_command() {
    let home = Home::new();
    let spellings = [
        "AGENT_MODE",
        "agent-mode",
        "agentMode",
        "execution_halted",
        "EXECUTION_AGENT_ENABLED",
        "execution.enabled",
        "broker_execution_enabled",
        "BrokerExecutionEnabled",
    ];
    for spelling in spellings {
        home.write("config.toml", &format!("{spelling} = \"EXECUTE\"\n"));
        let ran = home.run(&["floor", "--config", "config.toml"]).exits(78);
        assert!(ran.stderr().contains("has no file key"), "{}", ran.screen());
    }
    home.write("config.toml", "[agent]\nmode = \"EXECUTE\"\n");
    for command in [
        &["floor"][..],
        &["venue"],
        &["marketdata"],
        &["strategy"],
        &["mission-control"],
        &["status"],
        &["config", "show"],
    ] {
        home.run(&[command, &["--config", "config.toml"]].concat()).exits(78);
    }
    assert!(!home.path(".agenttrader").exists(), "a refused configuration leaves nothing behind");
}

#[test]
fn what_a_configuration_gets_wrong_is_named() {
    let home = Home::new();
    home.write("colour.toml", "colour = 1\n");
    home.write("no.toml", "port_base = \n");
    home.write("safety.toml", "[execution]\nhalted = \"0\"\n");
    let lines: [&[&str]; 9] = [
        &["config", "show", "--config", "colour.toml"],
        &["config", "show", "--config", "no.toml"],
        &["config", "show", "--config", "missing.toml"],
        &["config", "show", "--config", "safety.toml"],
        &["AGENTTRADER_PORT_BASE=65535", "floor"],
        &["AGENTTRADER_SPEED=-1", "floor"],
        &["AGENTTRADER_STRATEGIES=gama", "floor", "--port-base", "0"],
        &["AGENT_MODE=EXECUTE", "floor"],
        &["floor", "--bind", "0.0.0.0"],
    ];
    golden("configuration_refused", &lines.map(|line| home.run(line).exits(78).screen()));
}
