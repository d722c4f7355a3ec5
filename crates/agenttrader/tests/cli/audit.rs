//! `audit`: what logs hold, and proofs of it.

use crate::logs::{append, damage, given, open, serve, witness};
use crate::screen::{Home, golden};
use agenttrader_audit::record::{IntentType, Outcome};
use serde_json::{Value, json};

const ENTRIES: &str = ".agenttrader/audit/gamma-strategy/tile/entries/000.p/5";

/// Changes a letter of a summary in the bundle, so that all is JSON as before.
fn change_a_letter(home: &Home) {
    let entries = std::fs::read(home.path(ENTRIES)).unwrap();
    let offset = entries.windows(5).position(|window| window == b"BUY 3").unwrap();
    damage(home, ENTRIES, offset);
}

fn json_of(home: &Home, line: &[&str]) -> Value {
    serde_json::from_str(&home.run(line).exits(0).stdout()).unwrap()
}

#[test]
fn tail_prints_the_newest_records_of_all_logs_in_one_line_each() {
    let home = Home::new();
    let mut screens = vec![home.run(&["audit", "tail"]).exits(2).screen()];
    given(&home);
    let address = serve(&home.path(".agenttrader/audit/gamma-strategy"));
    let url = format!("http://{address}");
    for (line, code) in [
        (vec!["audit", "tail"], 0),
        (vec!["audit", "tail", "--agent", "shadow-gate", "-n", "1"], 0),
        (vec!["audit", "tail", "-n", "1", "--json"], 0),
        (vec!["audit", "tail", ".agenttrader/audit/gamma-strategy", "-n", "2"], 0),
        (vec!["audit", "tail", &url, "-n", "2"], 0),
        (vec!["audit", "tail", "--agent", "nobody"], 2),
        (vec!["audit", "tail", "nowhere"], 2),
        (vec!["audit", "tail", "-n", "many"], 2),
        (vec!["audit", "tail", "http://example.com"], 2),
        (vec!["audit", "tail", "http://127.0.0.1:1"], 69),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    damage(&home, ENTRIES, 0);
    screens.push(home.run(&["audit", "tail"]).exits(1).screen());
    golden("audit_tail", &screens);
}

#[test]
fn tail_follows_what_is_written_and_ends_in_order() {
    let home = Home::new();
    given(&home);
    let (log, _) = open(&home.path(".agenttrader"), "shadow-gate");
    let mut tail = home.start(&["audit", "tail", "-n", "1", "--follow"]);
    tail.wait_for("the newest record", |out, _| out.contains("agent stops").then_some(()));
    append(&log, 20, IntentType::StateTransition, Outcome::Success, "READY, seen while it was written", json!({}));
    tail.wait_for("the new record", |out, _| out.contains("seen while it was written").then_some(()));
    assert_eq!(tail.out().lines().count(), 2, "{}", tail.out());
    assert_eq!(tail.end("INT").0, Some(0));
}

#[test]
fn tail_follows_a_log_that_did_not_exist_when_it_began_from_its_first_record_on() {
    let home = Home::new();
    let data_dir = home.path(".agenttrader");
    let (gamma, _) = open(&data_dir, "gamma-strategy");
    append(&gamma, 0, IntentType::AgentStart, Outcome::Started, "gamma starts", json!({}));
    let mut tail = home.start(&["audit", "tail", "-n", "1", "--follow"]);
    tail.wait_for("the log that is there", |out, _| out.contains("gamma starts").then_some(()));
    let (gate, _) = open(&data_dir, "shadow-gate");
    append(&gate, 1, IntentType::AgentStart, Outcome::Started, "the gate starts", json!({}));
    append(&gate, 2, IntentType::Signal, Outcome::Success, "the gate goes on", json!({}));
    tail.wait_for("the log that came later", |out, _| out.contains("the gate goes on").then_some(()));
    append(&gamma, 3, IntentType::Signal, Outcome::Success, "gamma goes on", json!({}));
    tail.wait_for("the log that was there", |out, _| out.contains("gamma goes on").then_some(()));
    let out = tail.out();
    assert!(out.contains("the gate starts") && out.lines().count() == 4, "each record once: {out}");
    assert_eq!(tail.end("INT").0, Some(0));
}

#[test]
fn show_prints_a_record_whole_with_the_proof_of_its_place() {
    let home = Home::new();
    given(&home);
    let intent = json_of(&home, &["audit", "show", "gamma-strategy", "2", "--json"])["record"]["intent_id"].clone();
    let address = serve(&home.path(".agenttrader/audit/shadow-gate"));
    let url = format!("http://{address}");
    let mut screens = Vec::new();
    for (line, code) in [
        (vec!["audit", "show", "gamma-strategy", "2"], 0),
        (vec!["audit", "show", intent.as_str().unwrap()], 0),
        (vec!["audit", "show", &url, "1", "--json"], 0),
        (vec!["audit", "show", "gamma-strategy", "5"], 2),
        (vec!["audit", "show", "nobody", "1"], 2),
        (vec!["audit", "show", "1"], 2),
        (vec!["audit", "show", "gamma-strategy"], 2),
        (vec!["audit", "show"], 2),
        (vec!["audit", "show", "00000000-0000-8000-8000-000000000000"], 2),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    // The large payload lies apart: shown where it is, and missed where it is not.
    let large = json_of(&home, &["audit", "show", "gamma-strategy", "3", "--json"]);
    assert!(large["payload"]["chain"].as_str().unwrap().starts_with("strike strike "), "{large}");
    let digest = large["record"]["intent_payload"]["sha256"].as_str().unwrap();
    let blob = format!(".agenttrader/audit-blobs/{digest}");
    damage(&home, &blob, 100);
    screens.push(home.run(&["audit", "show", "gamma-strategy", "3"]).exits(1).screen());
    std::fs::remove_file(home.path(&blob)).unwrap();
    let missing = home.run(&["audit", "show", "gamma-strategy", "3", "--json"]).exits(1).stdout();
    assert!(missing.contains("is missing"), "{missing}");
    change_a_letter(&home);
    screens.push(home.run(&["audit", "show", "gamma-strategy", "2"]).exits(1).screen());
    golden("audit_show", &screens);
}

#[test]
fn a_record_that_no_checkpoint_covers_yet_is_shown_as_such() {
    let home = Home::new();
    given(&home);
    let (log, _) = open(&home.path(".agenttrader"), "shadow-gate");
    append(&log, 20, IntentType::StateTransition, Outcome::Success, "READY", json!({}));
    // The log may cover it any moment; either way it is the same record.
    let shown = json_of(&home, &["audit", "show", "shadow-gate", "3", "--json"]);
    assert_eq!(shown["record"]["intent_summary"], "READY");
    log.close().unwrap();
    let covered = json_of(&home, &["audit", "show", "shadow-gate", "3", "--json"]);
    assert_eq!(covered["checkpoint"]["size"], 4);
    assert_eq!(covered["leaf_hash"], shown["leaf_hash"]);
}

#[test]
fn receipts_are_written_and_hold_offline_with_the_key_alone() {
    let home = Home::new();
    given(&home);
    let vkey = home.run(&["audit", "vkey", "gamma-strategy"]).exits(0).stdout();
    let (vkey, elsewhere) = (vkey.trim(), Home::new());
    let write = ["audit", "prove", "gamma-strategy", "2", "--out", "receipt", "--entry", "entry"];
    let mut screens = vec![home.run(&write).exits(0).screen(), home.run(&write).exits(2).screen()];
    for name in ["receipt", "entry"] {
        std::fs::copy(home.path(name), elsewhere.path(name)).unwrap();
    }
    let verify = ["audit", "verify", "--proof", "receipt", "--entry", "entry", "--key", vkey];
    screens.push(elsewhere.run(&verify).exits(0).screen());
    let as_json = json_of(&elsewhere, &[&verify[..], &["--json"]].concat());
    assert_eq!((&as_json["verdict"], &as_json["index"]), (&json!("good"), &json!(2)));
    let other = home.run(&["audit", "vkey", "shadow-gate"]).exits(0).stdout();
    let with = |key: &'static str| ["audit", "verify", "--proof", "receipt", "--entry", "entry", "--key", key];
    screens.push(elsewhere.run(&with("nonsense")).exits(2).screen());
    screens.push(elsewhere.run(&with(other.trim().to_owned().leak())).exits(2).screen());
    // A letter of a hash, and one of the entry.
    for (name, offset) in [("receipt", 40), ("entry", 100)] {
        let kept = std::fs::read(elsewhere.path(name)).unwrap();
        damage(&elsewhere, name, offset);
        screens.push(elsewhere.run(&verify).exits(1).screen());
        std::fs::write(elsewhere.path(name), kept).unwrap();
    }
    screens.push(elsewhere.run(&["audit", "verify", "--proof", "receipt"]).exits(2).screen());
    golden("audit_receipts", &screens);
}

#[test]
fn a_log_is_shown_to_have_only_grown() {
    let home = Home::new();
    given(&home);
    let mut screens = Vec::new();
    for (line, code) in [
        (vec!["audit", "prove", "gamma-strategy", "--consistency", "2", "5"], 0),
        (vec!["audit", "prove", "gamma-strategy", "--consistency", "2", "4", "--json"], 0),
        (vec!["audit", "prove", "gamma-strategy", "--consistency", "2", "6"], 2),
        (vec!["audit", "prove", "gamma-strategy", "--consistency", "3", "2"], 2),
        (vec!["audit", "prove", "gamma-strategy", "5"], 2),
        (vec!["audit", "prove"], 2),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    damage(&home, ".agenttrader/audit/gamma-strategy/tile/0/000.p/5", 0);
    screens.push(home.run(&["audit", "prove", "gamma-strategy", "--consistency", "2", "5"]).exits(1).screen());
    screens.push(home.run(&["audit", "prove", "gamma-strategy", "1"]).exits(1).screen());
    golden("audit_prove", &screens);
}

#[test]
fn a_log_is_copied_as_lines_or_as_it_stands() {
    let home = Home::new();
    given(&home);
    let mut screens = Vec::new();
    for (line, code) in [
        (vec!["audit", "export", "--agent", "gamma-strategy", "--out", "gamma.ndjson"], 0),
        (vec!["audit", "export", "--agent", "gamma-strategy", "--out", "gamma.ndjson"], 2),
        (vec!["audit", "export", "--agent", "gamma-strategy", "--format", "tiles", "--out", "copy/gamma", "--json"], 0),
        (vec!["audit", "export", "--out", "all"], 2),
        (vec!["audit", "export", "nowhere", "--out", "all"], 2),
        (vec!["audit", "export", "--format", "tar", "--out", "all"], 2),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    let lines = std::fs::read_to_string(home.path("gamma.ndjson")).unwrap();
    let tail = home.run(&["audit", "tail", "copy/gamma", "--json"]).exits(0).stdout();
    assert_eq!((lines.lines().count(), tail), (5, lines));
    damage(&home, ".agenttrader/audit/gamma-strategy/tile/0/000.p/5", 0);
    home.run(&["audit", "export", "--agent", "gamma-strategy", "--out", "tiles-do-not-matter"]).exits(0);
    change_a_letter(&home);
    screens.push(home.run(&["audit", "export", "--agent", "gamma-strategy", "--out", "changed"]).exits(1).screen());
    golden("audit_export", &screens);
}

#[test]
fn keys_and_checkpoints_are_printed_for_keeping_elsewhere() {
    let home = Home::new();
    let mut screens = vec![home.run(&["audit", "vkey", "gamma-strategy"]).exits(2).screen()];
    given(&home);
    for (line, code) in [
        (vec!["audit", "vkey", "gamma-strategy"], 0),
        (vec!["audit", "vkey", "gamma-strategy", "--json"], 0),
        (vec!["audit", "vkey", "nobody"], 2),
        (vec!["audit", "vkey", "../keys"], 2),
        (vec!["audit", "vkey"], 2),
        (vec!["audit", "checkpoint"], 0),
        (vec!["audit", "checkpoint", "gamma-strategy", "--json"], 0),
        (vec!["audit", "checkpoint", "--export"], 0),
        (vec!["audit", "checkpoint", "nobody"], 2),
        (vec!["audit", "checkpoint", "./nowhere"], 2),
        (vec!["audit", "checkpoint", "--export", "--json"], 2),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    damage(&home, ".agenttrader/audit/shadow-gate/checkpoint", 8);
    screens.push(home.run(&["audit", "checkpoint"]).exits(1).screen());
    golden("audit_checkpoint", &screens);
}

#[test]
fn verify_says_what_was_checked_what_differs_and_what_cannot_be_shown() {
    let home = Home::new();
    let mut screens = vec![home.run(&["audit", "verify"]).exits(2).screen()];
    given(&home);
    let url = format!("http://{}", serve(&home.path(".agenttrader/audit/gamma-strategy")));
    let vkey = home.run(&["audit", "vkey", "gamma-strategy"]).exits(0).stdout();
    home.write("keys", &vkey);
    home.write("other-keys", &home.run(&["audit", "vkey", "shadow-gate"]).exits(0).stdout());
    home.write("kept", &home.run(&["audit", "checkpoint", "--export"]).exits(0).stdout());
    let witness = witness().verifier().to_string();
    home.run(&["audit", "export", "--agent", "gamma-strategy", "--format", "tiles", "--out", "copy/gamma"]).exits(0);
    for (line, code) in [
        (vec!["audit", "verify"], 0),
        (vec!["audit", "verify", "--since", "kept", "--witness-key", &witness], 0),
        (vec!["audit", "verify", &url, "--since", "kept"], 0),
        (vec!["audit", "verify", "copy/gamma", "--keys", "keys"], 0),
        (vec!["audit", "verify", ".agenttrader/audit/gamma-strategy", "--json"], 0),
        (vec!["audit", "verify", "copy/gamma", "--keys", "other-keys"], 2),
        (vec!["audit", "verify", "http://127.0.0.1:1"], 69),
        (vec!["audit", "verify", "nowhere"], 2),
        (vec!["audit", "verify", "keys"], 2),
        (vec!["audit", "verify", "--keys", "nowhere"], 2),
        (vec!["audit", "verify", "--since", "nowhere"], 2),
        (vec!["audit", "verify", "--witness-key", vkey.trim()], 2),
        (vec!["audit", "verify", "--proof", "receipt", "--since", "kept"], 2),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    golden("audit_verify", &screens);
}

#[test]
fn verify_names_the_first_bad_entry_tile_or_file_and_exits_1() {
    let mut screens = Vec::new();
    let mut damaged = |name: &str, harm: &dyn Fn(&Home), line: &[&str]| {
        let home = Home::new();
        given(&home);
        home.write("kept", &home.run(&["audit", "checkpoint", "--export"]).exits(0).stdout());
        harm(&home);
        screens.push(format!("# {name}\n{}", home.run(line).exits(1).screen()));
    };
    let verify = ["audit", "verify"];
    let log = |file: &str| format!(".agenttrader/audit/gamma-strategy/{file}");
    damaged("a letter of an entry", &change_a_letter, &verify);
    damaged("a bit of a tile", &|home| damage(home, &log("tile/0/000.p/5"), 70), &verify);
    damaged("a file that does not belong there", &|home| home.write(&log("tile/0/001"), "?"), &verify);
    damaged(
        "a payload",
        &|home| {
            let blobs = std::fs::read_dir(home.path(".agenttrader/audit-blobs")).unwrap();
            blobs.for_each(|blob| std::fs::remove_file(blob.unwrap().path()).unwrap());
        },
        &verify,
    );
    let gone = |home: &Home| {
        std::fs::remove_dir_all(home.path(".agenttrader/audit/shadow-gate")).unwrap();
        std::fs::remove_dir_all(home.path(".agenttrader/audit-state/shadow-gate")).unwrap();
    };
    damaged("a whole log", &gone, &["audit", "verify", "--since", "kept"]);
    let other = |home: &Home| {
        let kept = std::fs::read_to_string(home.path("kept")).unwrap();
        home.write("kept", &kept.replacen("\n5\n", "\n4\n", 1));
    };
    damaged("a kept checkpoint", &other, &["audit", "verify", ".agenttrader/audit/gamma-strategy", "--since", "kept"]);
    golden("audit_verify_damaged", &screens);
}

#[test]
fn the_logs_of_a_floor_verify_while_it_runs_and_when_it_has_ended() {
    let home = Home::new();
    let mut floor = home.start(&["floor", "--port-base", "0", "--seed", "7", "--speed", "20"]);
    let gamma = floor.address("gamma strategy");
    floor.wait_for("a proposal", |out, _| out.contains("\"order_proposal\"").then_some(()));
    let running = json_of(&home, &["audit", "verify", "--json"]);
    assert_eq!((&running["verdict"], running["logs"].as_array().unwrap().len()), (&json!("good"), 5), "{running}");
    let url = format!("http://{gamma}");
    let served = json_of(&home, &["audit", "verify", &url, "--json"]);
    assert_eq!(served["logs"][0]["report"]["origin"], "agenttrader/agent-trader-v2/gamma-strategy", "{served}");
    home.run(&["audit", "prove", &url, "0", "--out", "receipt", "--entry", "entry"]).exits(0);
    let vkey = home.run(&["audit", "vkey", "gamma-strategy"]).exits(0).stdout();
    home.run(&["audit", "verify", "--proof", "receipt", "--entry", "entry", "--key", vkey.trim()]).exits(0);
    assert_eq!(home.run(&["audit", "tail", "-n", "3"]).exits(0).stdout().lines().count(), 3);
    // The first checkpoint of a log comes within a second of its first record, or later where the disk is slow.
    floor.wait_for("a checkpoint of each", |_, _| {
        let checkpoints = home.run(&["audit", "checkpoint", "--json"]).stdout();
        let checkpoints: Option<Vec<Value>> = serde_json::from_str(&checkpoints).ok();
        checkpoints.filter(|checkpoints| checkpoints.len() == 5)
    });
    home.write("kept", &home.run(&["audit", "checkpoint", "--export"]).exits(0).stdout());
    assert_eq!(floor.end("INT").0, Some(0));
    let ended = json_of(&home, &["audit", "verify", "--since", "kept", "--json"]);
    assert_eq!(ended["verdict"], "good", "{ended}");
    assert!(ended["checked"]["held"].as_u64().unwrap() >= 5, "{ended}");
    let stop = home.run(&["audit", "tail", "--agent", "gamma-strategy", "-n", "1"]).exits(0).stdout();
    assert!(stop.contains("agent_stop"), "{stop}");
}
