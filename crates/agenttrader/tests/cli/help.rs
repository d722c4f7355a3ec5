//! Help, version and wrong usage.

use crate::screen::{Home, golden};

const COMMANDS: [&[&str]; 55] = [
    &[],
    &["floor"],
    &["venue"],
    &["marketdata"],
    &["strategy"],
    &["mission-control"],
    &["replay"],
    &["record"],
    &["record", "import"],
    &["record", "info"],
    &["halt"],
    &["status"],
    &["proposals"],
    &["audit"],
    &["audit", "tail"],
    &["audit", "show"],
    &["audit", "prove"],
    &["audit", "verify"],
    &["audit", "export"],
    &["audit", "vkey"],
    &["audit", "checkpoint"],
    &["audit", "index"],
    &["audit", "pack"],
    &["audit", "trace"],
    &["readiness"],
    &["report"],
    &["report", "deploy"],
    &["lkg"],
    &["lkg", "capture"],
    &["lkg", "diff"],
    &["lkg", "restore"],
    &["lock"],
    &["lock", "validate"],
    &["lock", "manifests"],
    &["lock", "status"],
    &["lock", "page"],
    &["lock", "init"],
    &["lock", "sign"],
    &["lock", "generate"],
    &["lock", "pin"],
    &["lock", "tag"],
    &["policy"],
    &["policy", "check"],
    &["unlock"],
    &["unlock", "open"],
    &["unlock", "evidence"],
    &["unlock", "approve"],
    &["unlock", "apply"],
    &["unlock", "verify"],
    &["unlock", "status"],
    &["unlock", "grant"],
    &["unlock", "revoke"],
    &["config"],
    &["config", "show"],
    &["completions"],
];

#[test]
fn every_command_explains_itself_with_an_example() {
    let home = Home::new();
    for command in COMMANDS {
        let ran = home.run(&[command, &["--help"]].concat()).exits(0);
        assert!(ran.stdout().contains("Example"), "{}", ran.screen());
        assert_eq!(ran.stderr(), "");
    }
}

#[test]
fn the_first_page_of_help_reads_well() {
    let home = Home::new();
    golden(
        "help",
        &[home.run(&["-h"]).screen(), home.run(&["halt", "-h"]).screen(), home.run(&["replay", "-h"]).screen()],
    );
}

#[test]
fn the_version_is_one_line() {
    let ran = Home::new().run(&["--version"]).exits(0);
    assert_eq!(ran.stdout(), format!("agenttrader {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_2_and_says_what_is_right() {
    let home = Home::new();
    let lines: [&[&str]; 11] = [
        &["flor"],
        &["--sped", "2"],
        &["status", "--speed", "2"],
        &["halt"],
        &["floor", "--sped", "2"],
        &["floor", "--seed", "many"],
        &["floor", "--recording", "a.rec", "--seed", "1"],
        &["APCA_API_BASE_URL=http://127.0.0.1:1", "floor", "--seed", "1"],
        &["proposals", "7"],
        &["record"],
        &["completions", "tcl"],
    ];
    golden("wrong_usage", &lines.map(|line| home.run(line).exits(2).screen()));
}
