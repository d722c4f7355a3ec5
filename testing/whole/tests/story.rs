//! From one decision, read from mission control alone, a reader gets to its proposal, its cause and every record of its story.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::{keys, start};
use agenttrader_audit::record::IntentType;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentMode, AgentRole};
use agenttrader_core::proposal::SIGNING_CONTEXT;
use agenttrader_floor::ports::Service;
use agenttrader_sequence::read::Recording;
use agenttrader_whole::live::{Hall, LONG, Wanted, run, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;
use serde_json::Value;

#[test]
fn from_a_decision_alone_to_its_proposal_its_cause_and_every_record() {
    run(async {
        let hall = Hall::open(Wanted::simulated(3, 20.0)).await;
        let decision = until("a decision is shown with its records", LONG, async || {
            let (_, decisions) = hall.get(Service::MissionControl, "/api/v1/decisions").await;
            let decision = decisions["items"].as_array()?.first()?.clone();
            (decision["links"]["records"].as_array()?.len() >= 2).then_some(decision)
        })
        .await;
        let links = &decision["links"];

        let (code, story) = hall.get(Service::MissionControl, links["proposal"].as_str().unwrap()).await;
        assert_eq!(code, 200);
        assert_eq!(story["proposal_id"], decision["proposal_id"]);
        assert_eq!(story["correlation_id"], decision["correlation_id"]);
        assert_eq!(story["decision_id"], decision["decision_id"]);
        let (code, events) = hall.get(Service::MissionControl, links["events"].as_str().unwrap()).await;
        assert_eq!(code, 200);
        assert!(events["items"].as_array().unwrap().len() >= 2);

        let recording = hall.floor.recording().to_owned();
        let (_, closed) = hall.close().await;
        let cause = &links["causation"];
        let number = cause["input_number"].as_u64().unwrap();
        let mut reading = Recording::open(&recording).unwrap();
        assert_eq!(cause["recording_id"], reading.head().recording_id.to_string());
        let input = loop {
            let input = reading.next_input().unwrap().expect("the causing input is in the recording");
            if input.number == number {
                break input;
            }
        };
        let end = usize::try_from(reading.offset()).unwrap();
        let bytes = std::fs::read(&recording).unwrap();
        assert_eq!(cause["recording_sha256"], Digest::of(&bytes[..end]).to_string(), "input {number}");

        let mut kinds = Vec::new();
        let mut agents = Vec::new();
        for link in links["records"].as_array().unwrap() {
            let (agent_name, seq) = (link["agent_name"].as_str().unwrap(), link["seq"].as_u64().unwrap());
            let record = closed.journal(agent_name).into_iter().find(|record| record.seq == seq).unwrap();
            assert_eq!(record.correlation_id.unwrap().to_string(), decision["correlation_id"]);
            assert_eq!(
                (record.git_sha.as_str(), record.build_id.as_str()),
                ("unknown", "unknown"),
                "the build of tests"
            );
            let role = if agent_name == start::SHADOW_GATE { AgentRole::Ops } else { AgentRole::StrategyEval };
            assert_eq!((record.agent_mode, record.agent_role), (AgentMode::Observe, role));
            if matches!(record.intent_type, IntentType::OrderProposal | IntentType::ExecutionDecision) {
                assert_eq!(record.intent_payload["cause"]["input_number"], number);
                assert_eq!(record.intent_payload["cause"]["at_utc"], input.at.to_string());
            }
            if record.intent_type == IntentType::OrderProposal {
                verify(&closed.data_dir, agent_name, &record.intent_payload);
            }
            kinds.push(record.intent_type);
            agents.push(agent_name.to_owned());
        }
        assert!(kinds.contains(&IntentType::OrderProposal) && kinds.contains(&IntentType::ExecutionDecision));
        assert!(agents.iter().any(|name| name == start::SHADOW_GATE));
        let proposing = links["proposing_agent"].as_str().unwrap();
        assert!(agents.iter().any(|name| name == proposing));
    });
}

/// The signature over the proposal's body holds under the public key of its agent.
fn verify(data_dir: &std::path::Path, agent_name: &str, payload: &Value) {
    let agents = keys::agents(data_dir).unwrap();
    let key = agents.get(agent_name).unwrap().signing_key().unwrap();
    assert_eq!(payload["key_id"], keys::key_id(key.as_bytes()));
    let signature = STANDARD.decode(payload["signature"].as_str().unwrap()).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    let body = canonical_json::to_string(&payload["proposal"]).unwrap();
    assert_eq!(SIGNING_CONTEXT, "agenttrader/proposal/v1\n");
    key.verify_strict(format!("{SIGNING_CONTEXT}{body}").as_bytes(), &signature).unwrap();
}
