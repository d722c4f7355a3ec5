//! From `/api/v1/decisions` alone to everything about a decision.

use crate::given::{Given, POSTURE, decision, id, proposal, record, story};
use agenttrader_audit::record::IntentType;
use serde_json::{Value, json};

#[tokio::test]
async fn a_decision_leads_to_its_proposal_its_causing_input_and_the_records_of_each_agent() {
    let given = Given::stories(3);
    let decisions = given.body("/api/v1/decisions").await;
    assert_eq!(decisions["items"].as_array().unwrap().len(), 3);
    for (n, item) in (0..3).rev().zip(decisions["items"].as_array().unwrap()) {
        assert_eq!(item["decision_id"], json!(id(2, n)));
        assert_eq!(item["reason_codes"], json!(POSTURE));
        for (name, value) in decision(n, &POSTURE).as_object().unwrap() {
            assert_eq!(&item[name], value, "{name} is as recorded");
        }
        // The causing input and the correlation id stand in the item.
        assert_eq!(item["links"]["causation"], proposal(n)["causation"]);
        assert_eq!(item["correlation_id"], json!(id(3, n)));
        // The proposal is one link away, with its whole story.
        let told = given.body(item["links"]["proposal"].as_str().unwrap()).await;
        for (name, value) in proposal(n).as_object().unwrap() {
            assert_eq!(&told[name], value, "{name} is as signed");
        }
        assert_eq!((&told["key_id"], &told["signature"]), (&json!("k1"), &json!("c2ln")));
        assert_eq!((&told["state"], &told["decision_id"]), (&json!("SHADOWED"), &json!(id(2, n))));
        assert_eq!(told["decision"]["decision_id"], json!(id(2, n)));
        assert_eq!(told["order"]["status"], "FILLED");
        assert_eq!((&told["order"]["account"], &told["fills"][0]["account"]), (&json!("SHADOW"), &json!("SHADOW")));
        // The records of each agent: by name in the item, in full behind the link and in the story.
        let events = given.body(item["links"]["events"].as_str().unwrap()).await;
        let names = |of: &Value| {
            of.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let expected: Vec<_> = story(n).map(|one| format!("{}:{}", one.agent_name, one.seq)).into();
        assert_eq!(names(&item["links"]["records"]), expected);
        assert_eq!(names(&told["records"]), expected);
        assert_eq!(names(&events["items"]).into_iter().rev().collect::<Vec<_>>(), expected);
        // Build, mode and role stand in each of them.
        for (one, recorded) in told["records"].as_array().unwrap().iter().zip(story(n)) {
            let mut expected = serde_json::to_value(&recorded).unwrap();
            expected["id"] = one["id"].clone();
            assert_eq!(*one, expected);
            assert!(["git_sha", "build_id", "agent_mode", "agent_role"].iter().all(|name| one[*name].is_string()));
        }
    }
}

#[tokio::test]
async fn reasons_are_told_in_words_with_what_was_measured() {
    let given = Given::empty();
    let payload = json!({"decision": decision(0, &["KILL_SWITCH", "ORDER_QTY"])});
    given.hub.fold(&record("shadow-gate", 0, IntentType::ExecutionDecision, payload));
    let item = given.body("/api/v1/decisions").await["items"][0].clone();
    assert_eq!(
        item["reasons"],
        json!([
            {"code": "KILL_SWITCH", "words": "The kill switch halts execution, or cannot be read.", "is_posture": true,
             "bound": null, "measured": null, "unit": null},
            {"code": "ORDER_QTY", "words": "The order's quantity is above its limit.", "is_posture": false,
             "bound": "300", "measured": "301", "unit": "shares"},
        ])
    );
    // Its proposal never came.
    assert_eq!((&item["links"]["proposal"], &item["links"]["causation"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn states_follow_from_the_records() {
    let given = Given::empty();
    let fold = |seq, intent_type, payload| given.hub.fold(&record("one", seq, intent_type, payload));
    for n in 0..4 {
        fold(n, IntentType::OrderProposal, json!({"proposal": proposal(n)}));
    }
    fold(4, IntentType::ExecutionDecision, json!({"decision": decision(1, &["KILL_SWITCH", "ORDER_QTY"])}));
    fold(5, IntentType::ExecutionDecision, json!({"decision": decision(2, &["APPROVAL_MISSING"])}));
    fold(6, IntentType::ExecutionDecision, json!({"decision": decision(3, &[])}));
    let proposals = given.body("/api/v1/proposals").await;
    let states: Vec<_> =
        proposals["items"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["APPROVED", "AWAITING_APPROVAL", "REFUSED", "PROPOSED"]);
}
