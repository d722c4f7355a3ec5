//! A floor's real logs in other people's hands: Go's packages, a verifier in Python, and the scripts that `docs/AUDIT.md` prints.

use crate::screen::Home;
use agenttrader_outside::command;
use agenttrader_outside::tlog::{Aics, GoVerifier};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const DOCUMENT: &str = include_str!("../../../../docs/AUDIT.md");

/// Lets a floor run until it proposed, with checkpoints kept in between, and ends it. Gives what its agents recorded.
fn ran(home: &Home) -> Vec<Value> {
    let mut floor = home.start(&["floor", "--port-base", "0", "--seed", "7", "--speed", "20"]);
    let gamma = |line: &str| line.contains("\"order_proposal\"") && line.contains("\"gamma-strategy\"");
    floor.wait_for("a proposal of gamma", |out, _| out.lines().any(gamma).then_some(()));
    floor.wait_for("a checkpoint of gamma", |_, _| {
        let kept = home.run(&["audit", "checkpoint", "gamma-strategy", "--export"]);
        (kept.code() == Some(0)).then(|| home.write("kept", &kept.stdout()))
    });
    assert_eq!(floor.end("INT").0, Some(0), "{}", floor.err());
    floor.out().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn succeeded(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

#[test]
fn other_peoples_verifiers_read_a_floors_logs_copies_and_receipts() {
    let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
    let home = Home::new();
    ran(&home);
    let vkey_of = |agent: &str| home.run(&["audit", "vkey", agent]).exits(0).stdout().trim().to_owned();
    let mut agents = Vec::new();
    for folder in std::fs::read_dir(home.path(".agenttrader/audit")).unwrap() {
        let folder = folder.unwrap().path();
        let agent = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let (vkey, copy) = (vkey_of(&agent), format!("copy/{agent}"));
        home.run(&["audit", "export", "--agent", &agent, "--format", "tiles", "--out", &copy]).exits(0);
        let head = go.audit(&folder, &vkey).unwrap();
        assert_eq!(aics.audit(&folder, &vkey).unwrap(), head);
        assert_eq!(go.audit(&home.path(&copy), &vkey).unwrap(), head);
        let last = (head.size - 1).to_string();
        let (receipt, entry) = (format!("{agent}.tlog-proof"), format!("{agent}.json"));
        home.run(&["audit", "prove", &agent, &last, "--out", &receipt, "--entry", &entry]).exits(0);
        let proved = go.receipt(&vkey, &home.path(&receipt), &home.path(&entry)).unwrap();
        assert!(proved.size <= head.size, "{proved:?} {head:?}");
        agents.push(agent);
    }
    assert!(agents.len() >= 5, "{agents:?}");
    let gamma = home.path(".agenttrader/audit/gamma-strategy");
    aics.verify_consistency(&gamma, &vkey_of("gamma-strategy"), &home.path("kept")).unwrap();
}

/// The Python of the document, in its order.
fn scripts() -> Vec<&'static str> {
    DOCUMENT.split("```python\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

#[test]
fn the_scripts_that_the_document_prints_show_a_proposals_cause_and_signature() {
    let (Some(python), Some(openssl)) = (command("python3"), command("openssl")) else { return };
    let home = Home::new();
    let records = ran(&home);
    let data_dir = home.path(".agenttrader");
    let [where_py, proposal_py] = scripts().try_into().unwrap();
    let record = records
        .iter()
        .find(|record| record["intent_type"] == "order_proposal" && record["agent_name"] == "gamma-strategy")
        .unwrap();
    let proposal = &record["intent_payload"]["proposal"];
    let run = |program: &Path, arguments: &[&str]| {
        succeeded(&Command::new(program).current_dir(&data_dir).args(arguments).output().unwrap())
    };
    let told = run(&python, &["-c", proposal_py, "gamma-strategy", proposal["proposal_id"].as_str().unwrap()]);
    assert!(told.contains("proposal_digest") && told.contains("recording_sha256"), "{told}");
    let verify = "pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in signed -sigfile signature";
    assert!(DOCUMENT.contains(verify));
    run(&openssl, &verify.split(' ').collect::<Vec<_>>());

    let recording = std::fs::read_dir(data_dir.join("recordings")).unwrap().next().unwrap().unwrap().path();
    let causation = &proposal["causation"];
    let number = causation["input_number"].to_string();
    let end: usize = run(&python, &["-c", where_py, recording.to_str().unwrap(), &number]).trim().parse().unwrap();
    let digest = agenttrader_core::digest::Digest::of(&std::fs::read(&recording).unwrap()[..end]);
    assert_eq!(causation["recording_sha256"], digest.to_string());
}
