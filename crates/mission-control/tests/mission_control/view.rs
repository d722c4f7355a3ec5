//! The fold: bounded, once each, in any order, never fatal.

use crate::given::{decision, id, proposal, record, story};
use agenttrader_audit::record::{IntentType, Record};
use agenttrader_mission_control::item;
use agenttrader_mission_control::view::{BYTES_MOST, Kind, RECORDS_MOST, View, Wanted};
use proptest::prelude::*;
use serde_json::json;

fn folded(records: impl IntoIterator<Item = Record>) -> View {
    let mut view = View::new();
    for record in records {
        view.fold(&record);
    }
    view
}

fn ids(view: &View, kind: Kind, wanted: &Wanted) -> (Vec<String>, bool) {
    let page = view.page(kind, wanted).unwrap();
    (page.items.iter().map(|kept| kept.id().to_string()).collect(), page.has_more)
}

fn all(limit: usize) -> Wanted {
    Wanted { limit, ..Wanted::default() }
}

#[test]
fn a_record_that_comes_twice_counts_once() {
    let mut view = folded(story(0));
    let before = ids(&view, Kind::Events, &all(10));
    assert!(story(0).iter().all(|record| view.fold(record).is_none()));
    assert_eq!(ids(&view, Kind::Events, &all(10)), before);
    assert_eq!(view.log("shadow-gate").unwrap().records, 3);
}

#[test]
fn records_that_never_came_are_counted() {
    let view = folded([3, 4, 9].map(|seq| record("one", seq, IntentType::Signal, json!({}))));
    let log = view.log("one").unwrap();
    assert_eq!((log.records, log.next_seq, log.missing), (3, 10, 4));
}

#[test]
fn a_story_is_the_same_in_whichever_order_two_agents_records_come() {
    let [proposed, decided, update, fill] = story(0);
    let view = folded([decided, update, fill, proposed]);
    let told = item::proposal_story(&view, id(1, 0)).unwrap();
    assert_eq!(told.records.len(), 4);
    assert_eq!(told.order.unwrap().status, "FILLED");
    assert_eq!(told.decision.unwrap().links.proposing_agent.unwrap(), "gamma-strategy");
}

#[test]
fn payloads_that_do_not_fit_are_events_and_nothing_more() {
    let mut odd = proposal(0);
    odd["surprise"] = json!(1);
    let mut late = proposal(0);
    late["constraints"]["valid_until_utc"] = json!("soon");
    let payloads = [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"proposal": 1}),
        json!({"proposal": odd}),
        json!({"proposal": late}),
        json!({"decision": {}}),
        json!({"order": {"proposal_id": "x", "status": 1}}),
        json!({"fill": null}),
        json!({"sha256": "00", "size": 1}),
        json!({"order": {"proposal_id": id(1, 0), "status": "S".repeat(1000)}}),
    ];
    let mut seq = 0;
    let mut view = View::new();
    for intent_type in IntentType::ALL {
        for payload in &payloads {
            assert!(view.fold(&record("one", seq, intent_type, payload.clone())).is_some());
            seq += 1;
        }
    }
    for kind in [Kind::Proposals, Kind::Decisions, Kind::Orders] {
        assert_eq!(ids(&view, kind, &all(10)).0.len(), 0, "{kind:?}");
    }
    assert_eq!(ids(&view, Kind::Events, &all(1_000)).0.len() as u64, seq);
}

#[test]
fn a_second_proposal_or_decision_of_an_id_does_not_take_the_firsts_place() {
    let mut forged = proposal(0);
    forged["quantity"] = json!(999);
    let mut view = folded(story(0));
    view.fold(&record("other", 0, IntentType::OrderProposal, json!({"proposal": forged})));
    view.fold(&record("other", 1, IntentType::ExecutionDecision, json!({"decision": decision(0, &[])})));
    let told = item::proposal_story(&view, id(1, 0)).unwrap();
    assert_eq!(told.proposal.body.quantity, 1);
    assert_eq!(told.decision.unwrap().body.agent_identity.agent_name, "shadow-gate");
    assert_eq!(told.records.len(), 6);
    assert_eq!(ids(&view, Kind::Proposals, &all(10)).0, ["gamma-strategy:0"]);
}

#[test]
fn names_that_cannot_be_an_agents_are_counted_and_left_out() {
    let mut view = View::new();
    for name in ["", "../x", "a:b", "a\nb", &"x".repeat(65)] {
        assert!(view.fold(&record(name, 0, IntentType::Signal, json!({}))).is_none());
    }
    assert_eq!(view.unfit(), 5);
}

#[test]
fn the_oldest_are_forgotten_whole() {
    let stories = RECORDS_MOST as u64 / 4 + 100;
    let view = folded((0..stories).flat_map(story));
    let count = |kind| ids(&view, kind, &all(usize::MAX - 1)).0.len();
    assert!(count(Kind::Events) <= RECORDS_MOST);
    let held = count(Kind::Proposals);
    assert!(held > 1_000 && held < stories as usize, "{held}");
    assert_eq!((count(Kind::Decisions), count(Kind::Orders)), (held, held));
    assert!(item::proposal_story(&view, id(1, 0)).is_none());
    assert!(view.page(Kind::Proposals, &Wanted { before: Some(id(1, 0).to_string()), ..all(1) }).is_err());
    let oldest = item::proposal_story(&view, id(1, stories - held as u64)).unwrap();
    assert_eq!(oldest.records.len(), 4);
}

#[test]
fn large_records_are_bounded_by_their_bytes() {
    let payload = json!({"x": "y".repeat(50_000)});
    let view = folded((0..1_000).map(|seq| record("one", seq, IntentType::Signal, payload.clone())));
    let page = view.page(Kind::Events, &all(10_000)).unwrap();
    let bytes: usize = page.items.iter().map(|kept| kept.json().len()).sum();
    assert!(bytes <= BYTES_MOST && bytes > BYTES_MOST - 60_000, "{bytes}");
}

#[test]
fn one_correlation_id_for_everything_makes_no_answer_long() {
    let records = (0..1_000)
        .map(|seq| Record { correlation_id: Some(id(3, 0)), ..record("noise", seq, IntentType::Signal, json!({})) });
    let view = folded(story(0).into_iter().chain(records));
    let told = item::proposal_story(&view, id(1, 0)).unwrap();
    assert_eq!(told.records.len(), 200);
    assert_eq!(told.records[0].id, "gamma-strategy:0");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Parts put together are the whole, newest first, nothing twice, whatever their size.
    #[test]
    fn parts_make_the_whole(count in 0..40_u64, limit in 1..50_usize) {
        let view = folded((0..count).flat_map(story));
        for kind in [Kind::Proposals, Kind::Decisions, Kind::Orders, Kind::Events] {
            let (whole, more) = ids(&view, kind, &all(1_000));
            prop_assert!(!more);
            let (mut parts, mut wanted) = (Vec::new(), all(limit));
            loop {
                let (part, more) = ids(&view, kind, &wanted);
                prop_assert!(part.len() == limit || !more);
                parts.extend(part);
                if !more { break; }
                let n = count.saturating_sub(parts.len() as u64);
                wanted.before = Some(match kind {
                    Kind::Proposals | Kind::Orders => id(1, n).to_string(),
                    Kind::Decisions => id(2, n).to_string(),
                    Kind::Events => parts.last().unwrap().clone(),
                });
            }
            prop_assert_eq!(parts, whole);
        }
    }
}
