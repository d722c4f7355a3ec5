//! The stream client against a server of a few lines that keeps, bends and breaks the protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where something is not as it must be"
)]

use agenttrader_alpaca::back_off::BackOff;
use agenttrader_alpaca::credentials::Credentials;
use agenttrader_alpaca::handshake::Handshake;
use agenttrader_alpaca::stream::{Ended, Lost, NotTaken, StreamConfig, StreamEvent, Timing, run};
use agenttrader_alpaca::tls::Tls;
use agenttrader_alpaca::wire::control::{Channels, ClientMessage, Control};
use agenttrader_alpaca::wire::encode::{Frame, Message as Body};
use agenttrader_alpaca::wire::error::StreamError;
use agenttrader_alpaca::wire::{Codec, Listing};
use agenttrader_core::event::{MarketEvent, Quote};
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments};
use agenttrader_core::price::Price;
use agenttrader_core::secret::Secret;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// Longest wait for anything: generous, since machines are shared.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server's end, a client that runs, and what it said.
struct Fixture {
    listener: TcpListener,
    events: mpsc::Receiver<StreamEvent>,
    shutdown: watch::Sender<bool>,
    client: JoinHandle<Ended>,
    codec: Codec,
}

type Socket = WebSocketStream<TcpStream>;

struct Options {
    codec: Codec,
    timing: Timing,
    room: usize,
    quote_limit: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { codec: Codec::MessagePack, timing: Timing::DEFAULT, room: 1_000, quote_limit: None }
    }
}

fn subscriptions() -> Channels {
    Channels { quotes: vec!["SPY".into(), "QQQ".into()], ..Channels::default() }
}

async fn fixture(options: Options) -> Fixture {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = StreamConfig {
        url: format!("ws://{}/v2/sip", listener.local_addr().unwrap()),
        credentials: Credentials { key_id: "key".into(), secret: Secret::new("hunter2".into()) },
        codec: options.codec,
        quote_limit: options.quote_limit,
        timing: options.timing,
        back_off: BackOff::new(Duration::from_millis(2), Duration::from_millis(20)),
    };
    assert!(!format!("{config:?}").contains("hunter2"));
    let mut instruments = Instruments::default();
    instruments.define(Instrument::Equity { symbol: Symbol::parse("SPY").unwrap() }).unwrap();
    let (sender, events) = mpsc::channel(options.room);
    let (shutdown, stop) = watch::channel(false);
    let client = tokio::spawn(async move {
        let sink = move |event| {
            sender.try_send(event).map_err(|error| match error {
                mpsc::error::TrySendError::Full(event) => NotTaken::Full(event),
                mpsc::error::TrySendError::Closed(_) => NotTaken::Gone,
            })
        };
        run(&config, &Tls::new().unwrap(), &subscriptions(), Arc::new(instruments), sink, || 7, stop).await
    });
    Fixture { listener, events, shutdown, client, codec: options.codec }
}

impl Fixture {
    async fn event(&mut self) -> StreamEvent {
        timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("a running client")
    }

    async fn lost(&mut self) -> Lost {
        loop {
            if let StreamEvent::Disconnected { reason, .. } = self.event().await {
                return reason;
            }
        }
    }

    async fn accept(&self) -> Socket {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.expect("a connection in time").unwrap();
        let expected = self.codec.content_type();
        #[allow(clippy::result_large_err)] // the library's type
        let check = |request: &Request, response: Response| {
            assert_eq!(request.uri().path(), "/v2/sip");
            assert_eq!(request.headers().get("content-type").unwrap(), expected);
            Ok(response)
        };
        tokio_tungstenite::accept_hdr_async(stream, check).await.unwrap()
    }

    async fn say(&self, socket: &mut Socket, control: &Control) {
        socket.send(self.framed(control.frame(self.codec))).await.unwrap();
    }

    fn framed(&self, bytes: Vec<u8>) -> Message {
        match self.codec {
            Codec::MessagePack => Message::Binary(bytes.into()),
            Codec::Json => Message::Text(String::from_utf8(bytes).unwrap().into()),
        }
    }

    async fn hear(&self, socket: &mut Socket) -> ClientMessage {
        loop {
            let message = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
            if !message.is_ping() {
                return ClientMessage::parse(&message.into_data(), self.codec).unwrap();
            }
        }
    }

    /// Greets and lets the client in, up to the acknowledgement.
    async fn welcome(&self) -> Socket {
        let mut socket = self.accept().await;
        self.say(&mut socket, &Control::connected()).await;
        let ClientMessage::Auth { key, secret } = self.hear(&mut socket).await else { panic!("no credentials") };
        assert!(key == "key" && secret.matches("hunter2"));
        self.say(&mut socket, &Control::authenticated()).await;
        let ClientMessage::Subscribe(asked) = self.hear(&mut socket).await else { panic!("no subscription") };
        assert_eq!(asked, subscriptions());
        self.say(&mut socket, &Control::Subscription(asked)).await;
        socket
    }

    async fn stop(self) {
        self.shutdown.send(true).unwrap();
        assert_eq!(timeout(PATIENCE, self.client).await.unwrap().unwrap(), Ended::Shutdown);
    }
}

fn quote(bid_size: u32) -> MarketEvent {
    MarketEvent::Quote(Quote {
        instrument: InstrumentId(0),
        exchange_time: UnixNanos::from_seconds(1_767_623_400),
        bid: Price::DOLLAR,
        ask: Price::DOLLAR,
        bid_size,
        ask_size: 1,
        bid_exchange: b'V',
        ask_exchange: b'V',
        condition: b'R',
    })
}

fn quotes(count: u32, codec: Codec) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut frame = Frame::open(&mut bytes, codec);
    for size in 0..count {
        frame.push("SPY", &Body::of(&quote(size), Listing::Stock { tape: b'B' }).unwrap());
    }
    frame.close();
    bytes
}

#[tokio::test]
async fn it_subscribes_again_after_every_loss_and_says_the_gap() {
    for codec in [Codec::MessagePack, Codec::Json] {
        let mut fixture = fixture(Options { codec, ..Options::default() }).await;
        for _ in 0..3 {
            let mut socket = fixture.welcome().await;
            assert_eq!(fixture.event().await, StreamEvent::Connected);
            socket.send(fixture.framed(quotes(2, codec))).await.unwrap();
            assert_eq!(fixture.event().await, StreamEvent::Market(quote(0)));
            assert_eq!(fixture.event().await, StreamEvent::Market(quote(1)));
            drop(socket);
            let StreamEvent::Disconnected { will_retry_in, .. } = fixture.event().await else { panic!() };
            // After data the waits begin anew.
            assert!(will_retry_in <= Duration::from_millis(2));
        }
        fixture.stop().await;
    }
}

#[tokio::test]
async fn fragments_and_pings_are_taken_as_the_protocol_has_them() {
    let mut fixture = fixture(Options::default()).await;
    let mut socket = fixture.welcome().await;
    let bytes = quotes(1, Codec::MessagePack);
    let (head, tail) = bytes.split_at(9);
    let part = |bytes: &[u8], code, last| Message::Frame(RawFrame::message(bytes.to_vec(), OpCode::Data(code), last));
    socket.send(part(head, Data::Binary, false)).await.unwrap();
    socket.send(Message::Ping(vec![1, 2].into())).await.unwrap();
    socket.send(part(tail, Data::Continue, true)).await.unwrap();
    assert_eq!(fixture.event().await, StreamEvent::Connected);
    assert_eq!(fixture.event().await, StreamEvent::Market(quote(0)));
    assert_eq!(timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap(), Message::Pong(vec![1, 2].into()));
    fixture.stop().await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_asked_again() {
    for error in [StreamError::AuthFailed, StreamError::InsufficientSubscription, StreamError::InsufficientScope] {
        let mut fixture = fixture(Options::default()).await;
        let mut socket = fixture.accept().await;
        fixture.say(&mut socket, &Control::connected()).await;
        fixture.hear(&mut socket).await;
        fixture.say(&mut socket, &Control::error(error)).await;
        assert_eq!(fixture.event().await, StreamEvent::Refused { code: error.code(), message: error.message().into() });
        assert_eq!(timeout(PATIENCE, fixture.client).await.unwrap().unwrap(), Ended::Refused);
    }
}

#[tokio::test]
async fn a_full_endpoint_is_tried_again_with_longer_waits() {
    let mut fixture = fixture(Options::default()).await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let mut socket = fixture.accept().await;
        fixture.say(&mut socket, &Control::connected()).await;
        fixture.hear(&mut socket).await;
        fixture.say(&mut socket, &Control::error(StreamError::ConnectionLimit)).await;
        let StreamEvent::Disconnected { reason, will_retry_in } = fixture.event().await else { panic!() };
        assert_eq!(reason, Lost::Server { code: 406, message: "connection limit exceeded".into() });
        waits.push(will_retry_in);
    }
    assert!(waits.first() < waits.last());
    let _socket = fixture.welcome().await;
    assert_eq!(fixture.event().await, StreamEvent::Connected);
    fixture.stop().await;
}

#[tokio::test]
async fn a_server_that_does_not_keep_the_protocol_is_left() {
    let mut fixture = fixture(Options::default()).await;
    // Data before the acknowledgement.
    let mut socket = fixture.accept().await;
    socket.send(Message::Binary(quotes(1, Codec::MessagePack).into())).await.unwrap();
    assert_eq!(fixture.lost().await, Lost::Unexpected { step: Handshake::Welcome });
    // Let in without being asked.
    let mut socket = fixture.accept().await;
    fixture.say(&mut socket, &Control::authenticated()).await;
    assert_eq!(fixture.lost().await, Lost::Unexpected { step: Handshake::Welcome });
    // Told that we read too slowly.
    let mut socket = fixture.welcome().await;
    fixture.say(&mut socket, &Control::error(StreamError::SlowClient)).await;
    assert_eq!(fixture.lost().await, Lost::Server { code: 407, message: "slow client".into() });
    // A message of ten million bytes.
    let mut socket = fixture.welcome().await;
    let _ = socket.send(Message::Binary(vec![0x91; 10_000_000].into())).await;
    assert_eq!(fixture.lost().await, Lost::TooLong);
    // Closed with a reason.
    let mut socket = fixture.welcome().await;
    socket.close(None).await.unwrap();
    assert!(matches!(fixture.lost().await, Lost::Closed { .. }));
    // No WebSocket at all.
    let (stream, _) = fixture.listener.accept().await.unwrap();
    drop(stream);
    assert!(matches!(fixture.lost().await, Lost::Connect { .. }));
    fixture.stop().await;
}

#[tokio::test]
async fn bad_messages_are_said_and_good_ones_pass() {
    let mut fixture = fixture(Options::default()).await;
    let mut socket = fixture.welcome().await;
    assert_eq!(fixture.event().await, StreamEvent::Connected);
    for bytes in [vec![0xc1], vec![0x91, 0xc0], b"[{\"T\":\"q\"}]".to_vec()] {
        socket.send(Message::Binary(bytes.into())).await.unwrap();
        assert!(matches!(fixture.event().await, StreamEvent::Bad(_)));
    }
    socket.send(Message::Binary(vec![0x91, 0x81, 0xa1, b'T', 0xa1, b'?'].into())).await.unwrap();
    assert!(matches!(fixture.event().await, StreamEvent::Unknown { kind } if kind.as_str() == "?"));
    socket.send(Message::Binary(quotes(1, Codec::MessagePack).into())).await.unwrap();
    assert_eq!(fixture.event().await, StreamEvent::Market(quote(0)));
    fixture.stop().await;
}

#[tokio::test]
async fn a_server_without_life_is_left_in_time() {
    let short = Duration::from_millis(50);
    // Accepts and never speaks.
    let mut silent = fixture(Options { timing: Timing { step: short, ..Timing::DEFAULT }, ..Options::default() }).await;
    let _socket = silent.accept().await;
    assert_eq!(silent.lost().await, Lost::NoAnswer { step: Handshake::Welcome, limit: short });
    silent.stop().await;
    // Speaks, and then never reads: pings stay without pong.
    let mut deaf =
        fixture(Options { timing: Timing { ping: short, pong: short, ..Timing::DEFAULT }, ..Options::default() }).await;
    let _socket = deaf.welcome().await;
    assert_eq!(deaf.lost().await, Lost::NoPong { limit: short });
    deaf.stop().await;
    // Answers pings and says nothing.
    let timing =
        Timing { ping: Duration::from_millis(20), silence: Some(Duration::from_millis(300)), ..Timing::DEFAULT };
    let mut mute = fixture(Options { timing, ..Options::default() }).await;
    let mut socket = mute.welcome().await;
    let answering = tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    assert_eq!(mute.lost().await, Lost::Silent { limit: Duration::from_millis(300) });
    mute.stop().await;
    answering.await.unwrap();
    // Takes the connection and never upgrades it.
    let mut stuck =
        fixture(Options { timing: Timing { connect: short, ..Timing::DEFAULT }, ..Options::default() }).await;
    assert!(matches!(stuck.lost().await, Lost::Connect { .. }));
    stuck.stop().await;
}

#[tokio::test]
async fn a_consumer_that_is_full_costs_the_connection_and_no_silence() {
    let mut fixture = fixture(Options { room: 3, ..Options::default() }).await;
    let mut socket = fixture.welcome().await;
    socket.send(Message::Binary(quotes(5, Codec::MessagePack).into())).await.unwrap();
    // The server sees the client go while nobody takes an event.
    while let Some(Ok(_)) = timeout(PATIENCE, socket.next()).await.unwrap() {}
    assert_eq!(fixture.event().await, StreamEvent::Connected);
    assert_eq!(fixture.event().await, StreamEvent::Market(quote(0)));
    assert_eq!(fixture.event().await, StreamEvent::Market(quote(1)));
    assert_eq!(fixture.lost().await, Lost::SlowConsumer { not_taken: 3 });
    let _socket = fixture.welcome().await;
    assert_eq!(fixture.event().await, StreamEvent::Connected);
    fixture.stop().await;
}

#[tokio::test]
async fn it_ends_when_nobody_listens_and_when_the_plan_is_too_small() {
    let limited = fixture(Options { quote_limit: Some(1), ..Options::default() }).await;
    let Fixture { mut events, client, .. } = limited;
    assert!(matches!(events.recv().await, Some(StreamEvent::Refused { code: 405, .. })));
    assert_eq!(timeout(PATIENCE, client).await.unwrap().unwrap(), Ended::Refused);

    let abandoned = fixture(Options::default()).await;
    let socket = abandoned.accept().await;
    let Fixture { events, client, .. } = abandoned;
    drop(events);
    drop(socket);
    assert_eq!(timeout(PATIENCE, client).await.unwrap().unwrap(), Ended::ConsumerGone);
}
