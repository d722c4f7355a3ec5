//! The witness over an agent's endpoint: logs that grow, roll back, fork, stall, fall silent or change their key, with mission control
//! restarted in between.

mod commands;
mod logs;
mod outside;
mod rig;

use crate::given::Given;
use agenttrader_mission_control::access::BindPolicy;
use logs::{AGENT, LogMaker, copy};
use rig::Rig;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_grows_is_verified_cosigned_and_found_good_after_a_restart() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    rig.start().await;
    let audit = rig.until("no record yet", |log| log["state"] == "EMPTY").await;
    assert_eq!(audit["size"], json!(null));
    log.append(3);
    let seen = rig.until("three records", |log| log["size"] == 3).await;
    assert_eq!((&seen["state"], &seen["findings"]), (&json!("VERIFIED"), &json!([])));
    assert_eq!(seen["origin"], format!("agenttrader/agent-trader-v2/{AGENT}"));
    assert_eq!(seen["root"], log.root());
    assert_eq!(seen["vkey"], rig.maker().vkey().to_string());
    let own = rig.audit().await["witness"]["vkey"].as_str().unwrap().to_owned();
    rig.cosigned(3, &[&own]);

    log.append(400);
    rig.until("over a tile's end", |log| log["size"] == 403 && log["cosigned_by"][0]["size"] == 403).await;
    rig.cosigned(403, &[&own]);
    let path = rig.data_dir().join("keys/witness");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).unwrap()) & 0o777, 0o600);

    rig.restart().await;
    let seen = rig.until("the same after a restart", |log| log["state"] == "VERIFIED").await;
    assert_eq!((&seen["size"], &seen["findings"]), (&json!(403), &json!([])));
    assert_eq!(rig.audit().await["witness"]["vkey"], own, "its key is made once");
    log.append(1);
    rig.until("goes on after a restart", |log| log["size"] == 404).await;
    assert!(rig.told().is_empty(), "a good log is no news: {:?}", rig.told());
    assert_eq!(rig.safety().await["audit"], json!([]));
}

#[tokio::test]
async fn mission_controls_own_log_is_for_whom_is_let_in() {
    let token = agenttrader_core::secret::Secret::new("0123456789abcdef0123456789abcdef".to_owned());
    let policy = BindPolicy { bind: "0.0.0.0".parse().unwrap(), token: Some(token), trusted_proxies: vec![] };
    let given = Given::with(policy);
    for path in ["/audit/checkpoint", "/audit/tile/0/000", "/audit/tile/entries/000.p/1", "/api/v1/audit"] {
        assert_eq!(given.get(path).await.0, 401, "{path}");
    }
    assert_eq!(given.get("/livez").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rolled_back_to_an_older_copy_is_found_and_stays_found() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(300);
    log.close();
    let older = tempfile::tempdir().unwrap();
    copy(rig.agent_dir(), older.path());
    let log = rig.maker().open(rig.agent_dir());
    log.append(20);
    rig.start().await;
    rig.until("320 records", |log| log["size"] == 320).await;
    log.close();

    copy(older.path(), rig.agent_dir());
    let seen = rig.until_code("AUDIT_ROLLBACK").await;
    assert_eq!((&seen["state"], &seen["size"]), (&json!("ALARM"), &json!(320)), "what was verified stays");
    let words = seen["findings"][0]["words"].as_str().unwrap();
    assert!(words.contains("300") && words.contains("320"), "{words}");
    let safety = rig.safety().await;
    assert_eq!(
        (&safety["audit"][0]["agent_name"], &safety["audit"][0]["code"]),
        (&json!(AGENT), &json!("AUDIT_ROLLBACK"))
    );
    let told = rig.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].intent_payload["to"], json!(["AUDIT_ROLLBACK"]));
    assert!(told[0].error.is_some() && told[0].intent_summary.contains(AGENT));

    // The log goes on from its older copy, past what was seen: another history.
    let log = rig.maker().named("other").open(rig.agent_dir());
    log.append(100);
    rig.until_code("AUDIT_FORK").await;
    rig.restart().await;
    for code in ["AUDIT_FORK", "AUDIT_ROLLBACK"] {
        rig.until_code(code).await;
        let alarm = std::fs::read_to_string(rig.state().join("alarms").join(AGENT).join(code)).unwrap();
        let alarm: serde_json::Value = serde_json::from_str(&alarm).unwrap();
        // Both checkpoints, signed by the log: whoever has the file needs nothing else to show it.
        assert!(alarm["held"].as_str().unwrap().contains("\n320\n"), "{alarm}");
        let found = if code == "AUDIT_FORK" { "\n400\n" } else { "\n300\n" };
        assert!(alarm["found"].as_str().unwrap().contains(found), "{alarm}");
    }
    let seen = rig.until("remedies", |log| log["findings"].as_array().unwrap().len() == 2).await;
    assert!(seen["findings"][0]["remedy"].as_str().unwrap().contains("remove"), "{seen}");
    assert_eq!(rig.kept_size(), 320, "nothing is cosigned past the fork");

    // A person decides: the log is followed anew.
    std::fs::remove_file(rig.state().join("witness").join(AGENT)).unwrap();
    std::fs::remove_dir_all(rig.state().join("alarms").join(AGENT)).unwrap();
    let seen = rig.until("followed anew", |log| log["state"] == "VERIFIED").await;
    assert_eq!((&seen["size"], &seen["findings"]), (&json!(400), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_of_the_same_size_is_found_after_a_restart_too() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(300);
    rig.start().await;
    let seen = rig.until("300 records", |log| log["size"] == 300).await;
    let root = seen["root"].clone();
    log.close();
    rig.stop().await;
    let fork = tempfile::tempdir().unwrap();
    let log = rig.maker().named("other").open(fork.path());
    log.append(300);
    log.close();
    copy(fork.path(), rig.agent_dir());
    rig.start().await;
    let seen = rig.until_code("AUDIT_FORK").await;
    assert_eq!((&seen["root"], &seen["size"]), (&root, &json!(300)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_larger_log_that_does_not_go_on_from_the_last_one_is_a_fork() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(300);
    rig.start().await;
    rig.until("300 records", |log| log["size"] == 300).await;
    log.close();
    let fork = tempfile::tempdir().unwrap();
    let log = rig.maker().named("other").open(fork.path());
    log.append(700);
    log.close();
    copy(fork.path(), rig.agent_dir());
    let seen = rig.until_code("AUDIT_FORK").await;
    assert_eq!(seen["size"], 300);
    assert_eq!(rig.kept_size(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_are_not_those_of_the_checkpoint_are_damage_until_they_are_put_right() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(300);
    log.close();
    let tile = LogMaker::root_of(rig.agent_dir()).join("tile/0/001.p/44");
    let good = std::fs::read(&tile).unwrap();
    let mut bad = good.clone();
    bad[70] ^= 1;
    std::fs::write(&tile, bad).unwrap();
    rig.start().await;
    let seen = rig.until_code("AUDIT_CORRUPT").await;
    assert!(seen["findings"][0]["remedy"].as_str().unwrap().contains("audit verify"), "{seen}");
    assert_eq!(seen["size"], json!(null));
    std::fs::write(&tile, good).unwrap();
    let seen = rig.until("put right", |log| log["state"] == "VERIFIED").await;
    assert_eq!(seen["findings"], json!([]));
    let told: Vec<_> = rig.told().iter().map(|entry| entry.intent_payload["to"].clone()).collect();
    assert_eq!(told, [json!(["AUDIT_CORRUPT"]), json!([])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_none_or_bears_foreign_lines_is_damage() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    log.close();
    rig.start().await;
    rig.until("five records", |log| log["size"] == 5).await;
    let path = LogMaker::root_of(rig.agent_dir()).join("checkpoint");
    let good = std::fs::read_to_string(&path).unwrap();
    let (text, line) = good.rsplit_once("\n\n").unwrap();
    for bad in [
        "hello\n".to_owned(),
        good.replace("\n5\n", "\n05\n"),
        good.replace("\n5\n", "\n6\n"),
        good.replace(AGENT, "whale-strategy"),
        format!("{text}\n\n{line}{line}"),
        format!("{good}{}", line.replace(AGENT, "whale-strategy")),
    ] {
        std::fs::write(&path, &bad).unwrap();
        rig.until_code("AUDIT_CORRUPT").await;
        std::fs::write(&path, &good).unwrap();
        rig.until("put right", |log| log["findings"] == json!([])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_told_and_never_taken() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    log.close();
    rig.start().await;
    rig.until("five records", |log| log["size"] == 5).await;
    // The log is signed with another key than the one that is listed.
    let other = LogMaker::with_key(9);
    let forged = tempfile::tempdir().unwrap();
    let log = other.open(forged.path());
    log.append(8);
    log.close();
    copy(forged.path(), rig.agent_dir());
    let seen = rig.until_code("AUDIT_KEY_CHANGED").await;
    assert_eq!((&seen["size"], &seen["vkey"]), (&json!(5), &json!(rig.maker().vkey().to_string())));
    // The list is changed as well: before a restart and after it.
    rig.list_key(&other);
    rig.until_code("AUDIT_KEY_CHANGED").await;
    rig.restart().await;
    let seen = rig.until_code("AUDIT_KEY_CHANGED").await;
    assert_eq!(seen["size"], json!(null));
    assert_eq!(rig.kept_size(), 5, "what was verified is still there");
    // A person decides.
    std::fs::remove_file(rig.state().join("witness").join(AGENT)).unwrap();
    rig.restart().await;
    rig.until("followed anew", |log| log["size"] == 8 && log["findings"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_the_witness_is_told_and_not_taken_for_nothing() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    rig.start().await;
    rig.until("five records", |log| log["size"] == 5).await;
    rig.stop().await;
    std::fs::write(rig.state().join("witness").join(AGENT), "").unwrap();
    rig.start().await;
    let seen = rig.until_code("AUDIT_CORRUPT").await;
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("holds no checkpoint"), "{seen}");
    let remedy = seen["findings"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("mission-control/witness/gamma-strategy") && !remedy.contains("audit verify"), "{remedy}");
    // As it says: without a new start, and it is seen that it begins anew.
    log.append(2);
    std::fs::remove_file(rig.state().join("witness").join(AGENT)).unwrap();
    let seen = rig.until("followed anew", |log| log["state"] == "VERIFIED").await;
    assert_eq!((&seen["size"], &seen["held_since"]["size"]), (&json!(7), &json!(7)));
    assert_eq!(rig.begun(), [5, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_rolled_back_together_with_what_was_held_of_it_is_seen_to_be_followed_anew() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(3);
    rig.start().await;
    let first = rig.until("three records", |log| log["size"] == 3).await["held_since"].clone();
    assert_eq!(first["size"], 3);
    log.append(6);
    rig.until("nine records", |log| log["size"] == 9).await;
    rig.restart().await;
    let seen = rig.until("held as before", |log| log["state"] == "VERIFIED").await;
    assert_eq!((&seen["size"], &seen["held_since"]), (&json!(9), &first), "a restart leaves no gap");
    assert_eq!(rig.begun(), [3]);
    rig.stop().await;
    log.close();

    for part in ["audit", "audit-state"] {
        std::fs::remove_dir_all(rig.agent_dir().join(part)).unwrap();
    }
    for part in ["witness", "cosigned"] {
        std::fs::remove_file(rig.state().join(part).join(AGENT)).unwrap();
    }
    let log = rig.maker().named("other").open(rig.agent_dir());
    log.append(4);
    rig.start().await;
    let seen = rig.until("four records", |log| log["size"] == 4).await;
    assert_eq!(seen["findings"], json!([]), "nobody here can know better");
    assert_eq!(seen["held_since"]["size"], 4);
    assert_ne!(seen["held_since"]["utc"], first["utc"]);
    assert_eq!(rig.begun(), [3, 4]);
    let records = rig.records();
    let told = records.last().unwrap();
    assert!(told.intent_summary.contains(AGENT) && told.intent_summary.contains("no earlier checkpoint"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_last_look_began_to_follow_is_told_at_the_next_start() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(3);
    rig.start().await;
    rig.until("three records", |log| log["size"] == 3).await;
    rig.stop().await;
    std::fs::remove_file(rig.state().join("witness").join(AGENT)).unwrap();
    log.append(2);
    rig.last_look().await;
    assert_eq!((rig.kept_size(), rig.begun()), (5, vec![3]));
    log.append(2);
    rig.start().await;
    let seen = rig.until("seven records", |log| log["size"] == 7).await;
    assert_eq!(seen["held_since"]["size"], 5);
    assert_eq!(rig.begun(), [3, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_of_the_witness_is_told_once_and_shown() {
    let mut rig = Rig::new().await;
    rig.start().await;
    let first = rig.audit().await;
    rig.restart().await;
    assert_eq!(rig.audit().await["witness_since_utc"], first["witness_since_utc"]);
    rig.stop().await;
    std::fs::remove_file(rig.data_dir().join("keys/witness")).unwrap();
    rig.start().await;
    let second = rig.audit().await;
    assert_ne!(second["witness"]["vkey"], first["witness"]["vkey"]);
    assert_ne!(second["witness_since_utc"], first["witness_since_utc"]);
    rig.stop().await;
    let vkey = |seen: &serde_json::Value| seen["witness"]["vkey"].as_str().unwrap().to_owned();
    assert_eq!(rig.keys_told(), [vkey(&first), vkey(&second)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_whose_file_cannot_be_read_stands_since_nobody_knows_when() {
    let mut rig = Rig::new().await;
    let alarms = rig.state().join("alarms").join(AGENT);
    std::fs::create_dir_all(&alarms).unwrap();
    std::fs::write(alarms.join("AUDIT_FORK"), "{").unwrap();
    rig.start().await;
    let seen = rig.until_code("AUDIT_FORK").await;
    let finding = &seen["findings"][0];
    assert_eq!(finding["since_utc"], json!(null));
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("alarms/gamma-strategy/AUDIT_FORK") && !remedy.contains("both"), "{remedy}");
    std::fs::remove_file(alarms.join("AUDIT_FORK")).unwrap();
    rig.until("a person decides", |log| log["findings"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_stops_answering_is_told_and_so_is_that_it_answers_again() {
    let mut rig = Rig::new().await.impatient(Duration::from_secs(1));
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    rig.start().await;
    rig.until("five records", |log| log["size"] == 5).await;
    rig.hang(true);
    let seen = rig.until_code("AUDIT_UNREACHABLE").await;
    assert_eq!(seen["size"], 5);
    rig.hang(false);
    rig.until("it answers again", |log| log["findings"] == json!([])).await;
    // The checkpoint is gone, and one was verified: that is no empty log.
    std::fs::remove_file(LogMaker::root_of(rig.agent_dir()).join("checkpoint")).unwrap();
    // On a slow machine it may have been late before it was asked for the file.
    let was_removed = |log: &Value| log["findings"].to_string().contains("was removed");
    let seen = rig.until("the missing checkpoint is told", was_removed).await;
    assert_eq!(seen["findings"][0]["code"], "AUDIT_UNREACHABLE");
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("5 entries"), "{seen}");
    assert!(seen["findings"][0]["remedy"].as_str().unwrap().contains("put it back"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_without_a_checkpoint_and_a_log_that_cannot_be_written_are_a_stall() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    rig.start().await;
    rig.until("five records", |log| log["size"] == 5).await;
    rig.say(9, true);
    let seen = rig.until_code("AUDIT_STALLED").await;
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("9 records"), "{seen}");
    log.append(4);
    rig.until("covered", |log| log["size"] == 9 && log["findings"] == json!([])).await;
    rig.say(9, false);
    let seen = rig.until_code("AUDIT_STALLED").await;
    // A full disk of recordings looks the same in a status: nobody is told that it is the log.
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("its log or the recording"), "{seen}");
    assert!(!seen["findings"][0]["remedy"].as_str().unwrap().contains("gate"), "{seen}");
    rig.say(9, true);
    rig.until("written again", |log| log["findings"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_a_listed_key_cannot_be_verified_and_that_is_said() {
    let mut rig = Rig::new().await;
    let log = rig.maker().open(rig.agent_dir());
    log.append(5);
    std::fs::remove_file(rig.data_dir().join("keys/agents.json")).unwrap();
    rig.start().await;
    let seen = rig.until_code("AUDIT_UNREACHABLE").await;
    assert!(seen["findings"][0]["words"].as_str().unwrap().contains("keys/agents.json"), "{seen}");
    assert!(seen["findings"][0]["remedy"].as_str().unwrap().contains("keys/agents.json"), "{seen}");
    rig.list_key(rig.maker());
    rig.until("a key came", |log| log["size"] == 5 && log["findings"] == json!([])).await;
}
