//! A venue that says anything: hostile frames and answers are counted and told, and the floor lives on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::start;
use agenttrader_alpaca::wire::control::{Channels, ClientMessage, Control};
use agenttrader_alpaca::wire::encode::{Frame, Message as Body};
use agenttrader_alpaca::wire::{Codec, Listing, msgpack};
use agenttrader_audit::record::IntentType;
use agenttrader_core::event::{MarketEvent, Quote};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_floor::ports::Service;
use agenttrader_venue::Venue;
use agenttrader_whole::live::{AGENTS, Hall, LONG, Wanted, run, until, venue};
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// Stands before a real venue: passes its answers on where it has no worse of its own, and says on the stock stream what it is told to.
struct Impostor {
    real: String,
    client: reqwest::Client,
    answers: Mutex<VecDeque<(u16, &'static str, Vec<u8>)>>,
    frames: Mutex<VecDeque<Vec<Vec<u8>>>>,
}

type Shared = State<Arc<Impostor>>;

async fn pass_on(State(impostor): Shared, request: Request) -> Response {
    if let Some((status, kind, body)) = impostor.answers.lock().unwrap().pop_front() {
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        return (status, [("content-type", kind)], body).into_response();
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut asked = impostor.client.get(format!("{}{path}", impostor.real));
    for (name, value) in request.headers().iter().filter(|(name, _)| name.as_str().starts_with("apca")) {
        asked = asked.header(name.as_str(), value.as_bytes());
    }
    let answer = asked.send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for hop in ["transfer-encoding", "content-length", "connection"] {
        headers.remove(hop);
    }
    (status, headers, answer.bytes().await.unwrap()).into_response()
}

async fn stocks(State(impostor): Shared, upgrade: WebSocketUpgrade) -> Response {
    let frames = impostor.frames.lock().unwrap().pop_front().unwrap_or_default();
    upgrade.on_upgrade(move |socket| speak(socket, frames))
}

async fn options(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| speak(socket, Vec::new()))
}

/// Keeps the protocol until it is subscribed to, then says its frames and listens until the other side is gone.
async fn speak(mut socket: WebSocket, frames: Vec<Vec<u8>>) {
    let codec = Codec::MessagePack;
    let said = |control: Control| Message::Binary(Bytes::from(control.frame(codec)));
    let _ = socket.send(said(Control::connected())).await;
    let mut quotes = Channels::default();
    while let Some(Ok(message)) = socket.recv().await {
        let (bytes, codec) = match &message {
            Message::Binary(bytes) => (bytes.to_vec(), Codec::MessagePack),
            Message::Text(text) => (text.as_bytes().to_vec(), Codec::Json),
            _ => continue,
        };
        let answer = match ClientMessage::parse(&bytes, codec).unwrap() {
            ClientMessage::Auth { .. } => Control::authenticated(),
            ClientMessage::Subscribe(channels) | ClientMessage::Unsubscribe(channels) => {
                for (all, more) in [
                    (&mut quotes.trades, channels.trades),
                    (&mut quotes.quotes, channels.quotes),
                    (&mut quotes.bars, channels.bars),
                    (&mut quotes.updated_bars, channels.updated_bars),
                    (&mut quotes.daily_bars, channels.daily_bars),
                    (&mut quotes.statuses, channels.statuses),
                    (&mut quotes.lulds, channels.lulds),
                ] {
                    all.extend(more);
                }
                let _ = socket.send(said(Control::Subscription(quotes.clone()))).await;
                for frame in &frames {
                    let _ = socket.send(Message::Binary(Bytes::from(frame.clone()))).await;
                }
                continue;
            }
        };
        let _ = socket.send(said(answer)).await;
    }
}

struct Fixture {
    venue: Venue,
    impostor: Arc<Impostor>,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let venue = venue(folder.path(), 0, 9, 1.0).await;
    let impostor = Arc::new(Impostor {
        real: format!("http://{}", venue.address()),
        client: agenttrader_agent::marketdata_health::http_client().unwrap(),
        answers: Mutex::default(),
        frames: Mutex::default(),
    });
    let router = Router::new()
        .route("/v2/sip", get(stocks))
        .route("/v1beta1/opra", get(options))
        .fallback(pass_on)
        .with_state(Arc::clone(&impostor));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Fixture { venue, impostor, address, _folder: folder }
}

/// A quote of SPY, now, between other messages.
fn quote(venue: &Venue, dollars: i64, around: &[serde_json::Value]) -> Vec<u8> {
    let quote = Quote {
        instrument: InstrumentId(0),
        exchange_time: venue.now(),
        bid: Price::from_nanos(dollars * 1_000_000_000),
        ask: Price::from_nanos((dollars + 1) * 1_000_000_000),
        bid_size: 1,
        ask_size: 1,
        bid_exchange: b'V',
        ask_exchange: b'V',
        condition: b'R',
    };
    let message = Body::of(&MarketEvent::Quote(quote), Listing::Stock { tape: b'B' }).unwrap();
    let mut out = Vec::new();
    let mut frame = Frame::open(&mut out, Codec::MessagePack);
    let encoded = |value: &serde_json::Value| {
        let mut out = Vec::new();
        msgpack::append_value(value, &mut out);
        out
    };
    around.iter().for_each(|value| frame.push_encoded(&encoded(value)));
    frame.push("SPY", &message);
    around.iter().for_each(|value| frame.push_encoded(&encoded(value)));
    frame.close();
    out
}

fn packed(value: serde_json::Value) -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::append_value(&value, &mut out);
    out
}

async fn bid(hall: &Hall) -> Option<String> {
    let (_, market) = hall.get(Service::MissionControl, "/api/v1/market/SPY").await;
    let bid = &market["latest"]["bid"];
    bid.as_str().map(str::to_owned).or_else(|| bid.as_f64().map(|bid| bid.to_string()))
}

#[test]
fn hostile_frames_are_counted_told_and_survived() {
    run(async {
        let Fixture { venue, impostor, address, _folder } = fixture().await;
        let good = quote(&venue, 501, &[]);
        let hostile = vec![
            good[..good.len() / 2].to_vec(),
            vec![0xc1; 64],
            Vec::new(),
            [good.clone(), vec![0; 7]].concat(),
            vec![0x91; 20_000],
            packed(json!({"T": "q"})),
            packed(json!([1, null, "q", [], {}])),
            packed(json!([{"T": "zz", "S": "SPY"}, {"S": "SPY"}, {"T": 7}])),
            packed(json!([{"T": "q", "S": "SPY", "bp": "a", "bs": true, "ap": [], "as": {}, "t": -1}])),
            packed(json!([{"T": "q", "S": "SPY", "bp": -1.0, "bs": 1, "ap": 1e300, "as": -5, "t": "yesterday"}])),
            packed(json!([{"T": "t", "S": "NOSUCH", "i": 1, "p": 1.0, "s": 1, "t": "2026-11-24T15:00:00Z", "x": "V"}])),
            packed(json!([{"T": "q", "S": "S".repeat(100_000)}])),
            // What can be used of a frame is used.
            quote(&venue, 502, &[json!({"T": "zz"}), json!({"T": "q", "S": "SPY"}), json!(3)]),
        ];
        impostor.frames.lock().unwrap().push_back(hostile);
        let mut wanted = Wanted::elsewhere(address);
        wanted.environment.push(("MARKETDATA_MAX_AGE_SECONDS", "600".to_owned()));
        let hall = Hall::open(wanted).await;
        until("the good quote of a bad frame is shown", LONG, async || {
            bid(&hall).await?.starts_with("502").then_some(())
        })
        .await;
        let (_, metrics) = hall.text(Service::Marketdata, "/metrics").await;
        let line =
            metrics.lines().find(|line| line.starts_with("agenttrader_marketdata_rejected_total{stream=\"stocks\"}"));
        let rejected: u64 = line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap();
        assert!(rejected >= 8, "{metrics}");
        let records = hall.records();
        let told: Vec<_> = records
            .iter()
            .filter(|record| record.agent_name == start::MARKETDATA && record.intent_type == IntentType::MarketdataGap)
            .filter(|record| record.intent_summary.contains("rejected"))
            .collect();
        assert!(!told.is_empty() && told.iter().all(|record| record.error.is_some()), "{told:?}");
        for (name, service) in AGENTS {
            assert_eq!(hall.get(service, "/livez").await.0, 200, "{name} lives");
        }
        let (ended, _) = hall.close().await;
        assert_eq!(ended.problems, Vec::<String>::new());
    });
}

#[test]
fn a_frame_of_ten_megabytes_ends_its_connection_alone() {
    run(async {
        let Fixture { venue, impostor, address, _folder } = fixture().await;
        let last = vec![quote(&venue, 503, &[])];
        impostor.frames.lock().unwrap().extend([vec![vec![0_u8; 10 << 20]], last]);
        let mut wanted = Wanted::elsewhere(address);
        wanted.environment.push(("MARKETDATA_MAX_AGE_SECONDS", "600".to_owned()));
        let hall = Hall::open(wanted).await;
        until("the next connection is heard", LONG, async || bid(&hall).await?.starts_with("503").then_some(())).await;
        let records = hall.records();
        let lost: Vec<_> = records.iter().filter(|record| record.intent_type == IntentType::FeedDisconnect).collect();
        assert!(
            lost.iter().any(|record| record.error.as_deref().is_some_and(|why| why.contains("longer than"))),
            "{lost:?}"
        );
        let _ = hall.close().await;
    });
}

#[test]
fn answers_that_are_no_answers_are_told_and_asked_again() {
    run(async {
        let Fixture { venue: _venue, impostor, address, _folder } = fixture().await;
        impostor.answers.lock().unwrap().extend([
            (200, "text/html", b"<html>It works!</html>".to_vec()),
            (200, "application/json", b"{\"timestamp\":\"2026-11-24T15:00".to_vec()),
            (200, "application/json", b"{\"timestamp\":5,\"is_open\":\"perhaps\"}".to_vec()),
        ]);
        let hall = Hall::open(Wanted::elsewhere(address)).await;
        until("the floor has its market after all", LONG, async || {
            let records = hall.records();
            let connected = records.iter().any(|record| record.intent_type == IntentType::FeedConnect);
            connected.then_some(())
        })
        .await;
        let records = hall.records();
        let told = records
            .iter()
            .filter(|record| record.intent_type == IntentType::FeedDisconnect && record.error.is_some())
            .count();
        assert!(told >= 3, "each bad answer is told: {told}");
        let (_, metrics) = hall.text(Service::Marketdata, "/metrics").await;
        assert!(metrics.contains("agenttrader_feed_disconnects_total{stream=\"rest\"} 3"), "{metrics}");
        let (ended, _) = hall.close().await;
        assert_eq!(ended.problems, Vec::<String>::new());
    });
}
