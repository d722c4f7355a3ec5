//! The event stream: in order, once each, resumed after the last seen, bounded.

use crate::given::{Given, get, record, story};
use agenttrader_audit::record::IntentType;
use axum::body::BodyDataStream;
use axum::http::HeaderValue;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::time::Duration;

struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(given: &Given, last: Option<&str>) -> Self {
        let mut request = get("/api/v1/events/stream");
        if let Some(last) = last {
            request.headers_mut().insert("last-event-id", HeaderValue::from_str(last).unwrap());
        }
        let response = given.send(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event: kind, id, data. Nothing when the stream ended.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                let read = (field("event:"), field("id:"), serde_json::from_str(&field("data:")).unwrap());
                self.text = rest.to_owned();
                return Some(read);
            }
            let more = tokio::time::timeout(Duration::from_secs(60), self.body.next()).await.expect("an event in time");
            self.text.push_str(std::str::from_utf8(&more?.unwrap()).unwrap());
        }
    }

    /// The ids of the next records, heartbeats left out.
    async fn ids(&mut self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let (kind, id, _) = self.next().await.expect("the stream goes on");
            if kind != "heartbeat" {
                ids.push(if kind == "record" { id } else { kind });
            }
        }
        ids
    }
}

#[tokio::test]
async fn records_come_in_order_with_their_ids_and_heartbeats_between() {
    let given = Given::stories(1);
    let mut stream = Stream::open(&given, None).await;
    let (kind, _, beat) = stream.next().await.unwrap();
    assert_eq!((kind.as_str(), &beat["venue_utc"]), ("heartbeat", &json!("2026-01-05T15:00:00Z")));
    story(1).iter().for_each(|record| given.hub.fold(record));
    // A record that came before is not sent again.
    story(0).iter().for_each(|record| given.hub.fold(record));
    let expected: Vec<_> = story(1).map(|one| format!("{}:{}", one.agent_name, one.seq)).into();
    assert_eq!(stream.ids(4).await, expected);
    assert_eq!(stream.next().await.unwrap().0, "heartbeat");
}

#[tokio::test]
async fn a_reader_resumes_after_the_last_it_saw_and_is_told_of_a_gap() {
    let given = Given::stories(2);
    let mut stream = Stream::open(&given, Some("shadow-gate:1")).await;
    assert_eq!(stream.ids(2).await, ["shadow-gate:2", "gamma-strategy:1"]);
    let mut stream = Stream::open(&given, Some("shadow-gate:99")).await;
    assert_eq!(stream.ids(1).await, ["gap"]);
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told_how_many_it_missed() {
    let given = Given::empty();
    let mut stream = Stream::open(&given, None).await;
    stream.next().await.unwrap();
    for seq in 0..2_000 {
        given.hub.fold(&record("one", seq, IntentType::Signal, json!({})));
    }
    let mut next = stream.next().await.unwrap();
    while next.0 == "heartbeat" {
        next = stream.next().await.unwrap();
    }
    assert_eq!(next.0, "gap");
    assert!(next.2["why"].as_str().unwrap().starts_with("976 records"), "{}", next.2);
    assert_eq!(stream.ids(1).await, ["one:976"]);
}

#[tokio::test]
async fn places_are_bounded_and_come_back_and_streams_end_with_the_process() {
    let given = Given::empty();
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Stream::open(&given, None).await);
    }
    assert_eq!(given.get("/api/v1/events/stream").await.0, 503);
    open.pop();
    let mut last = Stream::open(&given, None).await;
    given.tasks.ask_to_stop();
    assert_eq!(last.next().await, None);
}
