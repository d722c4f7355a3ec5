//! A venue, and a market-data service, that repeat whatever secrets they were sent in everything they answer.

use crate::secrets::forms::quoted;
use agenttrader_agent::marketdata_health::http_client;
use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Longest reason of a close frame (RFC 6455, section 5.5).
const CLOSE_BYTES_MOST: usize = 123;

/// A venue before a real one: passes its answers on where it has no worse of its own.
pub struct HostileVenue {
    real: String,
    answers: AtomicUsize,
    stocks: AtomicUsize,
    options: AtomicUsize,
    /// Once set, every key is refused for good.
    refuses: AtomicBool,
}

type Shared = State<Arc<HostileVenue>>;

impl HostileVenue {
    /// Starts before the venue at that address, on a thread that lives as long as the process. Where it listens.
    pub fn start(real: &str) -> (Arc<Self>, SocketAddr) {
        let venue = Arc::new(Self {
            real: format!("http://{real}"),
            answers: AtomicUsize::new(0),
            stocks: AtomicUsize::new(0),
            options: AtomicUsize::new(0),
            refuses: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let router = Router::new()
            .route("/v2/sip", get(stocks))
            .route("/v1beta1/opra", get(options))
            .fallback(rest)
            .with_state(Arc::clone(&venue));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await
            })
        });
        (venue, address)
    }

    /// From now on every key is refused for good.
    pub fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }

    /// Whether all it has to say of streams was said.
    pub fn said_all(&self) -> bool {
        self.stocks.load(Ordering::SeqCst) >= 3 && self.options.load(Ordering::SeqCst) >= 2
    }
}

/// The key and the secret that a request brought.
fn sent(headers: &HeaderMap) -> [String; 2] {
    ["apca-api-secret-key", "apca-api-key-id"]
        .map(|name| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default())
}

async fn rest(State(venue): Shared, request: Request) -> Response {
    let [secret, key] = sent(request.headers());
    if venue.refuses.load(Ordering::SeqCst) {
        let message = format!("forbidden: apca-api-secret-key: {secret}, key {key}");
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({"code": 40_110_000, "message": message}))).into_response();
    }
    let message = quoted(&secret).join(" ");
    match venue.answers.fetch_add(1, Ordering::SeqCst) {
        0 => (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(json!({"message": format!("{message} {key}")})))
            .into_response(),
        // So long before the secret that whoever cuts the text cuts the secret.
        1 => {
            let there = format!("http://{}/elsewhere?secret={key}", venue.real);
            (StatusCode::FOUND, [("location", there)], format!("{}{secret}", "moved ".repeat(31))).into_response()
        }
        2 => axum::Json(json!({"timestamp": secret, "is_open": key, "next_open": key})).into_response(),
        _ => pass_on(&venue, request).await,
    }
}

async fn pass_on(venue: &HostileVenue, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let asked = http_client().unwrap().get(format!("{}{path}", venue.real));
    let asked = asked.header("apca-api-key-id", "hostile").header("apca-api-secret-key", "local-only");
    let answer = asked.send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for hop in ["transfer-encoding", "content-length", "connection"] {
        headers.remove(hop);
    }
    (status, headers, answer.bytes().await.unwrap()).into_response()
}

async fn stocks(State(venue): Shared, upgrade: WebSocketUpgrade) -> Response {
    let time = venue.stocks.fetch_add(1, Ordering::SeqCst);
    upgrade.on_upgrade(move |socket| speak(socket, time))
}

/// First a redirect, then a refusal for good.
async fn options(State(venue): Shared, upgrade: WebSocketUpgrade) -> Response {
    match venue.options.fetch_add(1, Ordering::SeqCst) {
        0 => (StatusCode::FOUND, [("location", "ws://127.0.0.1:1/?token=elsewhere")]).into_response(),
        _ => upgrade.on_upgrade(|socket| speak(socket, usize::MAX)),
    }
}

async fn say(socket: &mut WebSocket, messages: serde_json::Value) {
    let _ = socket.send(Message::Text(messages.to_string().into())).await;
}

/// Greets, and answers the key with an error that repeats it, with a close that does, with market data that does, or with a refusal.
async fn speak(mut socket: WebSocket, time: usize) {
    say(&mut socket, json!([{"T": "success", "msg": "connected"}])).await;
    let Some(Ok(message)) = socket.recv().await else { return };
    let auth = String::from_utf8_lossy(&message.into_data()).into_owned();
    let secret =
        auth.rsplit_once("secret").map(|(_, after)| after.chars().skip(1).collect::<String>()).unwrap_or_default();
    match time {
        0 => say(&mut socket, json!([{"T": "error", "code": 406, "msg": auth}])).await,
        1 => {
            let mut reason = format!("{auth} {secret}");
            while reason.len() > CLOSE_BYTES_MOST {
                reason.pop();
            }
            let _ = socket.send(Message::Close(Some(CloseFrame { code: 4000, reason: reason.into() }))).await;
        }
        2 => {
            say(&mut socket, json!([{"T": "success", "msg": "authenticated"}])).await;
            let _ = socket.recv().await;
            say(&mut socket, json!([{"T": "subscription", "trades": [], "quotes": [], "bars": []}])).await;
            for odd in [
                json!([{"T": secret}]),
                json!([{"T": "q", "S": secret, "bp": 1.0, "ap": 1.1, "bs": 1, "as": 1, "t": "2026-11-24T15:00:00Z"}]),
                json!([{"T": "t", "S": "SPY", "p": secret, "t": secret}]),
                json!([{"T": "q", "S": "SPY", "c": [secret], "bx": secret, "t": secret}]),
                json!(quoted(&secret)),
            ] {
                say(&mut socket, odd).await;
            }
            let _ = socket.send(Message::Binary(Bytes::from(auth.into_bytes()))).await;
            while let Some(Ok(_)) = socket.recv().await {}
        }
        _ => say(&mut socket, json!([{"T": "error", "code": 409, "msg": quoted(&secret).join(" ")}])).await,
    }
    while let Some(Ok(_)) = socket.recv().await {}
}

/// Answers each question for its health in another way, every one with what the question brought, and the last with nothing at all. Where
/// it listens, and how often it was asked.
pub fn hostile_health() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let times = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let line = |name: &str| {
                let mut lines = request.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
            };
            let auth = line("authorization").unwrap_or_default();
            let bare = auth.trim_start_matches("Basic ").to_owned();
            let health = |service: &str, reasons: &[&str]| {
                json!({"service": service, "ok": false, "last_tick_epoch_seconds": null, "age_seconds": null,
                       "max_age_seconds": 30, "forced_stale": false, "reason_codes": reasons})
                .to_string()
            };
            let (kind, body) = match times.fetch_add(1, Ordering::SeqCst) {
                0 => (format!("text/{bare}"), String::new()),
                1 => ("application/json".to_owned(), health(&bare, &[])),
                2 => ("application/json".to_owned(), health("marketdata-mcp-server", &[&auth, &bare, &request])),
                3 => ("application/json".to_owned(), format!("{{\"{request}\":1}}")),
                _ => continue,
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close");
            let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
        }
    });
    (address, asked)
}
