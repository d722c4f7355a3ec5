//! Whom the binary believes is compiled in, and nothing at run time changes it.

use crate::screen::Home;
use agenttrader_agent::clock;
use agenttrader_people::{Person, install, three, week};
use serde_json::Value;

/// The reasons of the first decision on standard output.
fn first_decision(out: &str) -> Option<Vec<String>> {
    let line = out.lines().find(|line| line.contains("\"execution_decision\""))?;
    let record: Value = serde_json::from_str(line).unwrap();
    let codes = record["intent_payload"]["decision"]["reason_codes"].as_array().unwrap();
    Some(codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_good_grant_of_people_whom_nobody_compiled_in_is_invalid_whatever_is_set_beside_it() {
    let home = Home::new();
    install(&week(&"a".repeat(40), clock::wall()).unwrap(), &home.path(".agenttrader/signed/grants")).unwrap();
    // Everywhere that anybody might look for people to believe.
    let people = three();
    for place in ["ops/trust/allowed_signers", ".agenttrader/allowed_signers", ".agenttrader/ops/trust/allowed_signers"]
    {
        home.write(place, &people.allowed_signers);
    }
    home.write("agenttrader.toml", "port_base = 0\n");
    let signers = format!("AGENTTRADER_SIGNERS={}", people.allowed_signers.replace('\n', ";"));
    let root = format!("AGENTTRADER_ROOT={}", home.path("ops/trust").display());
    let commit = format!("GIT_SHA={}", "a".repeat(40));
    let line =
        [&signers, &root, &commit, "TRUST_ROOT=ops/trust/allowed_signers", "--config", "agenttrader.toml", "floor"];
    let line: Vec<&str> = line.iter().map(|word| &**word).chain(["--port-base", "0", "--seed", "7"]).collect();
    let mut floor = home.start(&line);
    let loaded = floor.wait_for("the grant's record", |out, _| {
        out.lines().find(|line| line.contains("\"unlock_loaded\"")).map(str::to_owned)
    });
    assert!(loaded.contains("this build trusts no signer"), "{loaded}");
    let codes = floor.wait_for("a decision", |out, _| first_decision(out));
    assert!(codes.contains(&"UNLOCK_INVALID".to_owned()), "{codes:?}");
    assert!(!codes.contains(&"UNLOCK_MISSING".to_owned()), "{codes:?}");
    assert_eq!(floor.end("INT").0, Some(0), "{}", floor.err());
    let recording = std::fs::read_dir(home.path(".agenttrader/recordings")).unwrap().next().unwrap().unwrap().path();
    let replay = home.run(&["replay", recording.to_str().unwrap(), "--verify", ".agenttrader"]).exits(0);
    assert!(replay.stdout().contains("IDENTICAL"), "{}", replay.screen());
}

#[test]
fn no_argument_and_no_file_key_names_people_or_a_build() {
    let home = Home::new();
    for flag in ["--signers", "--trust-root", "--root", "--allowed-signers", "--git-sha", "--build", "--build-id"] {
        assert_eq!(home.run(&["floor", flag, "x"]).code(), Some(2), "{flag}");
        assert_eq!(home.run(&[flag, "x", "floor"]).code(), Some(2), "{flag}");
    }
    for key in ["signers", "trust_root", "root", "allowed_signers", "git_sha", "build_id"] {
        home.write("agenttrader.toml", &format!("{key} = \"{}\"\n", Person::new("ann").name()));
        assert_eq!(home.run(&["--config", "agenttrader.toml", "status"]).code(), Some(78), "{key}");
    }
}
