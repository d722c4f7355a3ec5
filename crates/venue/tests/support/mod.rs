//! A venue on a free port, and plain clients for it.
#![allow(dead_code, reason = "each test file uses its part")]

use agenttrader_alpaca::wire::msgpack;
use agenttrader_venue::{Plan, Scenario, Simulation, Source, Venue, VenueConfig, serve};
use futures_util::{SinkExt, StreamExt};
use jiff::civil::date;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longer than anything a test waits for.
pub const BOUND: Duration = Duration::from_secs(120);

/// The usual credentials.
pub const KEYS: [(&str, &str); 2] = [("APCA-API-KEY-ID", "desk"), ("APCA-API-SECRET-KEY", "local-only")];

pub fn config(speed: f64, plan: Plan) -> VenueConfig {
    let simulation = Simulation {
        seed: Some(7),
        date: Some(date(2026, 11, 24)),
        scenario: Scenario::Default,
        ..Simulation::default()
    };
    VenueConfig { speed, plan, ..VenueConfig::new(Source::Simulated(simulation)) }
}

pub async fn start(config: VenueConfig) -> Venue {
    serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), config).await.unwrap()
}

pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn code(&self) -> (u16, u64) {
        (self.status, self.json()["code"].as_u64().unwrap_or(0))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// One request with these headers and nothing else.
pub async fn request(venue: &Venue, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut socket = TcpStream::connect(venue.address()).await.unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: venue\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(BOUND, socket.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, headers: head.to_owned(), body: body.to_owned() }
}

pub async fn get(venue: &Venue, path: &str) -> Answer {
    request(venue, "GET", path, &KEYS).await
}

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pack: bool,
}

impl Client {
    pub async fn connect(venue: &Venue, path: &str, pack: bool, headers: &[(&str, &str)]) -> Self {
        let mut request = format!("ws://{}{path}", venue.address()).into_client_request().unwrap();
        let codec = if pack { "application/msgpack" } else { "application/json" };
        for (name, value) in headers.iter().chain(&[("content-type", codec)]) {
            let name: HeaderName = name.to_lowercase().parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let (socket, _) = timeout(BOUND, tokio_tungstenite::connect_async(request)).await.unwrap().unwrap();
        Self { socket, pack }
    }

    /// Connected and signed in.
    pub async fn signed_in(venue: &Venue, path: &str, pack: bool, key: &str) -> Self {
        let mut client = Self::connect(venue, path, pack, &[]).await;
        assert_eq!(client.hear().await.unwrap(), json!([{"T": "success", "msg": "connected"}]));
        client.say(&json!({"action": "auth", "key": key, "secret": "local-only"})).await;
        assert_eq!(client.hear().await.unwrap(), json!([{"T": "success", "msg": "authenticated"}]));
        client
    }

    pub async fn say(&mut self, message: &Value) {
        let message = if self.pack {
            let mut bytes = Vec::new();
            msgpack::append_value(message, &mut bytes);
            Message::Binary(bytes.into())
        } else {
            Message::Text(message.to_string().into())
        };
        self.socket.send(message).await.unwrap();
    }

    /// The next frame; `None` when the connection is over.
    pub async fn hear(&mut self) -> Option<Value> {
        loop {
            match timeout(BOUND, self.socket.next()).await.expect("a frame within the bound") {
                Some(Ok(Message::Text(text))) => {
                    assert!(!self.pack, "text frames are for JSON");
                    return Some(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Binary(bytes))) => {
                    assert!(self.pack, "binary frames are for MessagePack");
                    return Some(msgpack::to_value(&bytes).expect("MessagePack"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The code of the error that is the next frame.
    pub async fn refusal(&mut self) -> (u64, String) {
        let frame = self.hear().await.expect("an error frame");
        assert_eq!(frame[0]["T"], "error", "{frame}");
        (frame[0]["code"].as_u64().unwrap(), frame[0]["msg"].as_str().unwrap().to_owned())
    }

    /// The first object with this `T`.
    pub async fn first(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.hear().await.expect("data");
            if let Some(found) = frame.as_array().unwrap().iter().find(|object| object["T"] == kind) {
                return found.clone();
            }
        }
    }
}
