//! The websockets, over real sockets: handshakes and their refusals, subscriptions, data in both codecs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use agenttrader_venue::{Plan, VenueConfig};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::time::Duration;
use support::{BOUND, Client, config, start};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

#[tokio::test]
async fn the_ack_comes_before_data_and_lists_every_channel() {
    let venue = start(config(60.0, Plan::Paid)).await;
    let mut client = Client::signed_in(&venue, "/v2/iex", false, "a").await;
    client.say(&json!({"action": "subscribe", "trades": ["AAPL"], "quotes": ["SPY"], "bars": ["*"]})).await;
    assert_eq!(
        client.hear().await.unwrap(),
        json!([{"T": "subscription", "trades": ["AAPL"], "quotes": ["SPY"], "bars": ["*"], "updatedBars": [],
                "dailyBars": [], "statuses": [], "lulds": [], "corrections": ["AAPL"], "cancelErrors": ["AAPL"]}])
    );
    let quote = client.first("q").await;
    assert_eq!((&quote["S"], &quote["z"], &quote["c"]), (&json!("SPY"), &json!("B"), &json!(["R"])));
    assert!(quote["bp"].as_f64().unwrap() < quote["ap"].as_f64().unwrap());
    assert!(quote["t"].as_str().unwrap().ends_with('Z'));
    let trade = client.first("t").await;
    assert_eq!((&trade["S"], &trade["z"]), (&json!("AAPL"), &json!("C")));
    assert!(trade["i"].as_u64().unwrap() > 0 && trade["c"].is_array());
    let bar = client.first("b").await;
    assert!(bar["n"].as_u64().unwrap() > 0 && bar["vw"].as_f64().unwrap() > 0.0, "{bar}");
    client.say(&json!({"action": "unsubscribe", "trades": ["AAPL"], "bars": ["*"]})).await;
    let ack = client.first("subscription").await;
    assert_eq!((&ack["trades"], &ack["quotes"], &ack["corrections"]), (&json!([]), &json!(["SPY"]), &json!([])));
    venue.stop().await;
    while client.hear().await.is_some() {}
}

#[tokio::test]
async fn options_speak_message_pack_with_one_condition_text() {
    let venue = start(config(5.0, Plan::Paid)).await;
    let mut client = Client::signed_in(&venue, "/v1beta1/opra", true, "a").await;
    let symbol = venue.instruments().iter().find_map(|(_, known)| known.option().map(|_| known.to_string())).unwrap();
    client.say(&json!({"action": "subscribe", "trades": ["*"], "quotes": [symbol]})).await;
    let ack = client.hear().await.unwrap();
    assert_eq!((&ack[0]["trades"], &ack[0]["quotes"]), (&json!(["*"]), &json!([symbol])));
    let quote = client.first("q").await;
    assert_eq!(quote["S"], json!(symbol));
    assert!(quote["c"].is_string() && quote.get("z").is_none() && quote["ap"].is_f64());
    let trade = client.first("t").await;
    assert!(trade["c"].is_string() && trade.get("i").is_none() && trade["s"].as_u64().unwrap() > 0);
    assert!(trade["t"].as_str().unwrap().starts_with("2026-11-24T15:0"), "{trade}");
}

#[tokio::test]
async fn the_handshake_refuses_with_alpacas_codes() {
    let venue = start(config(1.0, Plan::Paid)).await;
    let auth = json!({"action": "auth", "key": "k", "secret": "local-only"});
    // Before authentication.
    let mut client = Client::connect(&venue, "/v2/sip", false, &[]).await;
    client.hear().await.unwrap();
    client.say(&json!({"action": "subscribe", "trades": ["SPY"]})).await;
    assert_eq!(client.refusal().await, (401, "not authenticated".to_owned()));
    client.socket.send(Message::Text("{".into())).await.unwrap();
    assert_eq!(client.refusal().await, (400, "invalid syntax".to_owned()));
    client.say(&json!({"action": "dance"})).await;
    assert_eq!(client.refusal().await.0, 400);
    client.say(&auth).await;
    assert_eq!(client.hear().await.unwrap()[0]["msg"], "authenticated");
    client.say(&auth).await;
    assert_eq!(client.refusal().await, (403, "already authenticated".to_owned()));
    client.say(&json!({"action": "subscribe", "trades": ["spy"]})).await;
    assert_eq!(client.refusal().await.0, 400);
    client.say(&json!({"action": "subscribe", "trades": [17]})).await;
    assert_eq!(client.refusal().await.0, 400);
    // A wrong secret ends the connection, by message and by header.
    let mut wrong = Client::connect(&venue, "/v2/sip", false, &[]).await;
    wrong.hear().await.unwrap();
    wrong.say(&json!({"action": "auth", "key": "k", "secret": "other"})).await;
    assert_eq!(wrong.refusal().await, (402, "auth failed".to_owned()));
    assert!(wrong.hear().await.is_none());
    let headers = [("APCA-API-KEY-ID", "k"), ("APCA-API-SECRET-KEY", "other")];
    let mut wrong = Client::connect(&venue, "/v2/sip", false, &headers).await;
    wrong.hear().await.unwrap();
    assert_eq!(wrong.refusal().await.0, 402);
    // Options want MessagePack, have no bars, and no star for quotes.
    let mut options = Client::connect(&venue, "/v1beta1/opra", false, &[]).await;
    options.hear().await.unwrap();
    options.say(&auth).await;
    assert_eq!(options.refusal().await.0, 412);
    let mut options = Client::signed_in(&venue, "/v1beta1/opra", true, "k").await;
    options.say(&json!({"action": "subscribe", "bars": ["*"]})).await;
    assert_eq!(options.refusal().await.0, 410);
    options.say(&json!({"action": "subscribe", "quotes": ["*"]})).await;
    assert_eq!(options.refusal().await, (413, "star subscription is not allowed for option quotes".to_owned()));
    // A frame that is too large is refused in words, then the connection ends.
    let mut loud = Client::signed_in(&venue, "/v2/iex", false, "loud").await;
    loud.socket.send(Message::Text("x".repeat(10 << 20).into())).await.ok();
    let last = loud.hear().await;
    assert!(last.is_none() || last.unwrap()[0]["code"] == 400);
}

#[tokio::test]
async fn plans_have_their_feeds_and_symbol_limits() {
    let venue = start(config(1.0, Plan::Basic)).await;
    let headers = support::KEYS;
    let mut sip = Client::connect(&venue, "/v2/sip", false, &headers).await;
    sip.hear().await.unwrap();
    assert_eq!(sip.refusal().await, (409, "insufficient subscription".to_owned()));
    let mut iex = Client::connect(&venue, "/v2/iex", false, &headers).await;
    iex.hear().await.unwrap();
    assert_eq!(iex.hear().await.unwrap()[0]["msg"], "authenticated", "by header alone");
    let names: Vec<String> = (0..31).map(|n| format!("S{n}")).collect();
    iex.say(&json!({"action": "subscribe", "trades": names})).await;
    assert_eq!(iex.refusal().await, (405, "symbol limit exceeded".to_owned()));
    iex.say(&json!({"action": "subscribe", "trades": &names[..30]})).await;
    assert_eq!(iex.hear().await.unwrap()[0]["trades"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn a_key_has_one_connection_an_endpoint_and_a_second_may_wait_for_it() {
    let venue = start(config(1.0, Plan::Paid)).await;
    let mut first = Client::signed_in(&venue, "/v2/iex", false, "one").await;
    let _elsewhere = Client::signed_in(&venue, "/v2/sip", false, "one").await;
    let _another = Client::signed_in(&venue, "/v2/iex", false, "two").await;
    let mut second = Client::connect(&venue, "/v2/iex", false, &[]).await;
    second.hear().await.unwrap();
    let auth = json!({"action": "auth", "key": "one", "secret": "local-only"});
    for _ in 0..3 {
        second.say(&auth).await;
        assert_eq!(second.refusal().await, (406, "connection limit exceeded".to_owned()));
    }
    first.socket.close(None).await.unwrap();
    let until = Instant::now() + BOUND;
    loop {
        assert!(Instant::now() < until, "the place is free once the first is gone");
        second.say(&auth).await;
        if second.hear().await.unwrap()[0]["msg"] == "authenticated" {
            break;
        }
    }
}

#[tokio::test]
async fn fragmented_messages_and_pings_are_answered() {
    let venue = start(config(1.0, Plan::Paid)).await;
    let mut client = Client::signed_in(&venue, "/v2/iex", true, "a").await;
    let mut bytes = Vec::new();
    agenttrader_alpaca::wire::msgpack::append_value(&json!({"action": "subscribe", "quotes": ["NVDA"]}), &mut bytes);
    let (head, tail) = bytes.split_at(5);
    let part = |bytes: &[u8], code, last| Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(code), last));
    client.socket.send(part(head, Data::Binary, false)).await.unwrap();
    client.socket.send(part(tail, Data::Continue, true)).await.unwrap();
    assert_eq!(client.hear().await.unwrap()[0]["quotes"], json!(["NVDA"]));
    client.socket.send(Message::Ping(b"there?".to_vec().into())).await.unwrap();
    let pong = async {
        loop {
            if let Message::Pong(payload) = client.socket.next().await.unwrap().unwrap() {
                return payload;
            }
        }
    };
    assert_eq!(&timeout(BOUND, pong).await.unwrap()[..], b"there?");
}

#[tokio::test]
async fn whoever_does_not_sign_in_in_time_is_told_so() {
    let auth_within = Duration::from_millis(600);
    assert_eq!(VenueConfig::AUTH_WITHIN, Duration::from_secs(10), "as Alpaca does");
    let venue = start(VenueConfig { auth_within, ..config(1.0, Plan::Paid) }).await;
    let began = Instant::now();
    let mut client = Client::connect(&venue, "/v2/iex", false, &[]).await;
    client.hear().await.unwrap();
    assert_eq!(client.refusal().await, (404, "auth timeout".to_owned()));
    assert!(began.elapsed() >= auth_within);
    assert!(client.hear().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_loses_its_connection_and_nobody_else_notices() {
    // Whoever waits may be kept waiting between two questions, on a machine that is slow.
    let auth_within = BOUND;
    let venue = start(VenueConfig { batches_waiting: 16, auth_within, ..config(400.0, Plan::Paid) }).await;
    let mut deaf = Client::signed_in(&venue, "/v1beta1/opra", true, "deaf").await;
    let symbols: Vec<String> = venue
        .instruments()
        .iter()
        .filter(|(_, known)| known.option().is_some())
        .map(|(_, known)| known.to_string())
        .collect();
    deaf.say(&json!({"action": "subscribe", "trades": ["*"], "quotes": symbols})).await;
    let mut attentive = Client::signed_in(&venue, "/v2/iex", false, "attentive").await;
    attentive.say(&json!({"action": "subscribe", "quotes": ["SPY"]})).await;
    // Its place is free again as soon as it is cut off.
    let mut waiting = Client::connect(&venue, "/v1beta1/opra", true, &[]).await;
    waiting.hear().await.unwrap();
    let until = Instant::now() + BOUND;
    loop {
        assert!(Instant::now() < until, "cut off within the bound");
        attentive.first("q").await;
        waiting.say(&json!({"action": "auth", "key": "deaf", "secret": "local-only"})).await;
        if waiting.hear().await.unwrap()[0]["msg"] == "authenticated" {
            break;
        }
    }
    attentive.first("q").await;
}
