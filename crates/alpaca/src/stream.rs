//! A market-data stream that stays up: connects, subscribes, hands events over, and comes back after every loss.
//!
//! What a stream says while we are away is lost: it has no sequence numbers and no replay. Every gap is therefore said, as
//! [`StreamEvent::Disconnected`] and the [`StreamEvent::Connected`] that ends it.

use crate::back_off::BackOff;
use crate::credentials::Credentials;
use crate::decode::{Bad, Decoded, Decoder, FRAME_MAX};
use crate::handshake::{Answer, Handshake};
use crate::tls::Tls;
use crate::wire::Codec;
use crate::wire::control::{Channels, ClientMessage};
use crate::wire::error::StreamError;
use crate::wire::letters::Letters;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::Instruments;
use futures_util::{SinkExt, StreamExt};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::CONTENT_TYPE;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// The whole URL, `ws://` or `wss://`.
    pub url: String,
    /// Sent in the first message.
    pub credentials: Credentials,
    /// What to ask for; the option stream has MessagePack alone.
    pub codec: Codec,
    /// Most quote symbols the plan allows; none on the stock stream of the paid plan.
    pub quote_limit: Option<usize>,
    /// Deadlines.
    pub timing: Timing,
    /// Waits between tries.
    pub back_off: BackOff,
}

/// Deadlines of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// To connect and upgrade.
    pub connect: Duration,
    /// For each answer of the handshake.
    pub step: Duration,
    /// Between pings.
    pub ping: Duration,
    /// From a ping to its pong.
    pub pong: Duration,
    /// From one event to the next while live, against sockets that stay open and mute; none where silence is normal.
    pub silence: Option<Duration>,
}

impl Timing {
    /// Connect 5 s, steps 10 s (the server's own limit), pings every 10 s, pongs within 5 s, silence allowed.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        step: Duration::from_secs(10),
        ping: Duration::from_secs(10),
        pong: Duration::from_secs(5),
        silence: None,
    };
}

/// What a stream has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// Subscribed; data follows.
    Connected,
    /// An event of the market.
    Market(MarketEvent),
    /// A message of a type nobody knows here.
    Unknown {
        /// Its `T`, the first four letters.
        kind: Letters,
    },
    /// A frame or message that cannot be used.
    Bad(Bad),
    /// Cut off. What the market says until the next [`Self::Connected`] is lost.
    Disconnected {
        /// Why.
        reason: Lost,
        /// When the next try begins.
        will_retry_in: Duration,
    },
    /// The server, or our own limit, refuses for good; nothing follows.
    Refused {
        /// The server's code.
        code: u16,
        /// The server's text.
        message: String,
    },
}

/// Why a connection was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// No connection came about.
    #[error("cannot connect: {why}")]
    Connect {
        /// What the system or the server said.
        why: String,
    },
    /// The server did not answer a step of the handshake in time.
    #[error("no answer while {step:?} within {limit:?}")]
    NoAnswer {
        /// Which step.
        step: Handshake,
        /// The deadline.
        limit: Duration,
    },
    /// The server refused for now.
    #[error("server said {code}: {message}")]
    Server {
        /// Its code; 406 too many connections, 407 we read too slowly.
        code: u16,
        /// Its text.
        message: String,
    },
    /// A control message out of place.
    #[error("unexpected message while {step:?}")]
    Unexpected {
        /// The step it came in.
        step: Handshake,
    },
    /// The server closed the connection.
    #[error("closed by the server{}", why.as_deref().map(|why| format!(": {why}")).unwrap_or_default())]
    Closed {
        /// Its code and text, if it gave one.
        why: Option<String>,
    },
    /// No pong in time.
    #[error("no pong within {limit:?}")]
    NoPong {
        /// The deadline.
        limit: Duration,
    },
    /// No event in time.
    #[error("no event within {limit:?}")]
    Silent {
        /// The deadline.
        limit: Duration,
    },
    /// Whoever takes the events was full.
    #[error("consumer too slow: {not_taken} events not taken")]
    SlowConsumer {
        /// Events of the last frame that found no room.
        not_taken: u64,
    },
    /// A message longer than [`FRAME_MAX`].
    #[error("message longer than {FRAME_MAX} bytes")]
    TooLong,
    /// A broken transport or protocol.
    #[error("transport: {why}")]
    Transport {
        /// What is wrong.
        why: String,
    },
}

/// Why the consumer did not take an event.
#[derive(Debug)]
pub enum NotTaken {
    /// No room now. The connection is given up rather than an event dropped in silence.
    Full(StreamEvent),
    /// Nobody is there any more.
    Gone,
}

/// Why [`run`] came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Asked to.
    Shutdown,
    /// Refused for good; [`StreamEvent::Refused`] said why.
    Refused,
    /// Nobody takes events any more.
    ConsumerGone,
}

/// Runs the stream until shutdown or a refusal for good. Every event goes to `sink`, which must not block; `draw` gives
/// random numbers for the waits; `shutdown` turning true, or losing its sender, ends it.
pub async fn run(
    config: &StreamConfig,
    tls: &Tls,
    subscriptions: &Channels,
    instruments: Arc<Instruments>,
    mut sink: impl FnMut(StreamEvent) -> Result<(), NotTaken>,
    mut draw: impl FnMut() -> u64,
    mut shutdown: watch::Receiver<bool>,
) -> Ended {
    let limit = config.quote_limit.unwrap_or(usize::MAX);
    if subscriptions.quotes.len() > limit {
        let message = format!("{} quote symbols are asked for, the limit is {limit}", subscriptions.quotes.len());
        let refused = StreamEvent::Refused { code: StreamError::SymbolLimit.code(), message };
        return insist(&mut sink, refused, &mut shutdown).await.err().unwrap_or(Ended::Refused);
    }
    let mut decoder = Decoder::default();
    let mut back_off = config.back_off;
    loop {
        let mut reading = Reading {
            sink: &mut sink,
            decoder: &mut decoder,
            instruments: &instruments,
            handshake: Handshake::Welcome,
            answers: Vec::new(),
            saw_data: false,
            not_taken: 0,
            gone: false,
        };
        let end = session(config, tls, subscriptions, &mut reading, &mut shutdown).await;
        if reading.saw_data {
            back_off.reset();
        }
        let reason = match end {
            End::Stop(ended) => return ended,
            End::Refused { code, message } => {
                let refused = StreamEvent::Refused { code, message };
                return insist(&mut sink, refused, &mut shutdown).await.err().unwrap_or(Ended::Refused);
            }
            End::Lost(reason) => reason,
        };
        let will_retry_in = back_off.wait(draw());
        if let Err(ended) = insist(&mut sink, StreamEvent::Disconnected { reason, will_retry_in }, &mut shutdown).await
        {
            return ended;
        }
        if timeout(will_retry_in, stopped(&mut shutdown)).await.is_ok() {
            return Ended::Shutdown;
        }
    }
}

/// Between two offers of an event that must arrive.
const OFFER_AGAIN: Duration = Duration::from_millis(5);
/// For saying goodbye.
const CLOSE: Duration = Duration::from_millis(200);

/// Offers an event until it is taken: news of a gap is never dropped.
async fn insist(
    sink: &mut impl FnMut(StreamEvent) -> Result<(), NotTaken>,
    mut event: StreamEvent,
    shutdown: &mut watch::Receiver<bool>,
) -> Result<(), Ended> {
    loop {
        match sink(event) {
            Ok(()) => return Ok(()),
            Err(NotTaken::Gone) => return Err(Ended::ConsumerGone),
            Err(NotTaken::Full(back)) => event = back,
        }
        if timeout(OFFER_AGAIN, stopped(shutdown)).await.is_ok() {
            return Err(Ended::Shutdown);
        }
    }
}

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone can never say stop: that is a stop.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// How one connection ended.
enum End {
    Stop(Ended),
    Refused { code: u16, message: String },
    Lost(Lost),
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn session<Sink: FnMut(StreamEvent) -> Result<(), NotTaken>>(
    config: &StreamConfig,
    tls: &Tls,
    subscriptions: &Channels,
    reading: &mut Reading<'_, Sink>,
    shutdown: &mut watch::Receiver<bool>,
) -> End {
    let connected = tokio::select! {
        () = stopped(shutdown) => return End::Stop(Ended::Shutdown),
        connected = timeout(config.timing.connect, connect(config, tls)) => connected,
    };
    let mut socket = match connected {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return End::Lost(Lost::Connect { why: shown(&error) }),
        Err(_) => return End::Lost(Lost::Connect { why: format!("no answer within {:?}", config.timing.connect) }),
    };
    let end = converse(config, subscriptions, reading, shutdown, &mut socket).await;
    // Politely if it can be done at once; dropping the socket does the rest.
    let _ = timeout(CLOSE, socket.close(None)).await;
    end
}

async fn connect(config: &StreamConfig, tls: &Tls) -> Result<Socket, tungstenite::Error> {
    let mut request = config.url.as_str().into_client_request()?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(config.codec.content_type()));
    let limits = WebSocketConfig::default().max_message_size(Some(FRAME_MAX)).max_frame_size(Some(FRAME_MAX));
    let (socket, _) =
        connect_async_tls_with_config(request, Some(limits), true, Some(Connector::Rustls(tls.shared()))).await?;
    Ok(socket)
}

/// From the greeting until something ends it.
async fn converse<Sink: FnMut(StreamEvent) -> Result<(), NotTaken>>(
    config: &StreamConfig,
    subscriptions: &Channels,
    reading: &mut Reading<'_, Sink>,
    shutdown: &mut watch::Receiver<bool>,
    socket: &mut Socket,
) -> End {
    let mut deadlines = Deadlines::new(config.timing, Instant::now());
    let timer = sleep_until(deadlines.next());
    tokio::pin!(timer);
    loop {
        // In this order, so that a flood of frames cannot hold back stop and ping.
        let received = tokio::select! {
            biased;
            () = stopped(shutdown) => return End::Stop(Ended::Shutdown),
            () = &mut timer => {
                match deadlines.due(Instant::now(), reading.handshake) {
                    Due::Nothing => {}
                    Due::Ping => {
                        if let Err(lost) = send(socket, Message::Ping(Default::default()), config.timing.step).await {
                            return End::Lost(lost);
                        }
                    }
                    Due::Lost(lost) => return End::Lost(lost),
                }
                timer.as_mut().reset(deadlines.next());
                continue;
            }
            received = socket.next() => received,
        };
        match received {
            Some(Ok(Message::Binary(bytes))) => {
                if reading.read(&bytes, config.codec) {
                    deadlines.data(Instant::now());
                }
            }
            Some(Ok(Message::Text(text))) => {
                if reading.read(text.as_bytes(), Codec::Json) {
                    deadlines.data(Instant::now());
                }
            }
            Some(Ok(Message::Pong(_))) => deadlines.pong(),
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(frame))) => {
                let why = frame.map(|frame| format!("{} {}", frame.code, frame.reason).chars().take(160).collect());
                return End::Lost(Lost::Closed { why });
            }
            Some(Err(error)) => return End::Lost(lost(&error)),
            None => return End::Lost(Lost::Closed { why: None }),
        }
        for answer in std::mem::take(&mut reading.answers) {
            let message = match answer {
                Answer::Wait => continue,
                Answer::Live => {
                    deadlines.live(Instant::now());
                    timer.as_mut().reset(deadlines.next());
                    continue;
                }
                Answer::Authenticate => {
                    let Credentials { key_id, secret } = &config.credentials;
                    ClientMessage::Auth { key: key_id.clone(), secret: secret.clone() }
                }
                Answer::Subscribe => ClientMessage::Subscribe(subscriptions.clone()),
                Answer::Retry { code, message } => return End::Lost(Lost::Server { code, message }),
                Answer::Refused { code, message } => return End::Refused { code, message },
                Answer::Unexpected => return End::Lost(Lost::Unexpected { step: reading.handshake }),
            };
            let bytes = message.bytes(config.codec);
            let framed = match config.codec {
                Codec::MessagePack => Message::Binary(bytes.into()),
                Codec::Json => Message::Text(String::from_utf8_lossy(&bytes).into_owned().into()),
            };
            if let Err(lost) = send(socket, framed, config.timing.step).await {
                return End::Lost(lost);
            }
            deadlines.step(Instant::now());
            timer.as_mut().reset(deadlines.next());
        }
        if reading.gone {
            return End::Stop(Ended::ConsumerGone);
        }
        if reading.not_taken > 0 {
            return End::Lost(Lost::SlowConsumer { not_taken: reading.not_taken });
        }
    }
}

async fn send(socket: &mut Socket, message: Message, limit: Duration) -> Result<(), Lost> {
    match timeout(limit, socket.send(message)).await {
        Ok(sent) => sent.map_err(|error| lost(&error)),
        Err(_) => Err(Lost::Transport { why: format!("nothing could be sent for {limit:?}") }),
    }
}

fn lost(error: &tungstenite::Error) -> Lost {
    match error {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => Lost::Closed { why: None },
        tungstenite::Error::Capacity(_) => Lost::TooLong,
        other => Lost::Transport { why: shown(other) },
    }
}

fn shown(error: &dyn fmt::Display) -> String {
    error.to_string().chars().take(160).collect()
}

/// Turns frames into events and answers.
struct Reading<'a, Sink> {
    sink: &'a mut Sink,
    decoder: &'a mut Decoder,
    instruments: &'a Instruments,
    handshake: Handshake,
    answers: Vec<Answer>,
    saw_data: bool,
    not_taken: u64,
    gone: bool,
}

impl<Sink: FnMut(StreamEvent) -> Result<(), NotTaken>> Reading<'_, Sink> {
    /// Reads a frame; says whether it held a market event.
    fn read(&mut self, frame: &[u8], codec: Codec) -> bool {
        let Self { sink, decoder, instruments, handshake, answers, saw_data, not_taken, gone } = self;
        let mut market = false;
        let mut offer = |event| {
            // Once an event found no room none may pass: between the last taken and the next there is one gap, and it is told.
            if *not_taken > 0 {
                *not_taken = not_taken.saturating_add(1);
                return;
            }
            match sink(event) {
                Ok(()) => {}
                Err(NotTaken::Full(_)) => *not_taken = 1,
                Err(NotTaken::Gone) => *gone = true,
            }
        };
        decoder.decode(frame, codec, instruments, &mut |decoded| match decoded {
            // Before the subscriptions stand nothing can be about them.
            Decoded::Market(_) if *handshake != Handshake::Live => answers.push(Answer::Unexpected),
            Decoded::Market(event) => {
                market = true;
                offer(StreamEvent::Market(event));
            }
            Decoded::Control(control) => {
                let (step, answer) = handshake.next(&control);
                *handshake = step;
                if answer == Answer::Live {
                    offer(StreamEvent::Connected);
                }
                answers.push(answer);
            }
            Decoded::Passed { .. } => {}
            Decoded::Unknown { kind } => offer(StreamEvent::Unknown { kind }),
            Decoded::Bad(bad) => offer(StreamEvent::Bad(bad)),
        });
        *saw_data |= market;
        market
    }
}

/// When what must have happened.
struct Deadlines {
    timing: Timing,
    /// The next ping goes out.
    ping: Instant,
    /// The pong of the last one is in.
    pong: Option<Instant>,
    /// The handshake's next answer is in.
    step: Option<Instant>,
    /// The next event is in.
    silence: Option<Instant>,
}

/// What a look at the deadlines says.
enum Due {
    Nothing,
    Ping,
    Lost(Lost),
}

impl Deadlines {
    fn new(timing: Timing, now: Instant) -> Self {
        Self { timing, ping: after(now, timing.ping), pong: None, step: Some(after(now, timing.step)), silence: None }
    }

    /// The earliest of them.
    fn next(&self) -> Instant {
        [self.pong, self.step, self.silence].into_iter().flatten().fold(self.ping, Instant::min)
    }

    fn due(&mut self, now: Instant, step: Handshake) -> Due {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if passed(self.pong) {
            return Due::Lost(Lost::NoPong { limit: self.timing.pong });
        }
        if passed(self.step) {
            return Due::Lost(Lost::NoAnswer { step, limit: self.timing.step });
        }
        if passed(self.silence) {
            return Due::Lost(Lost::Silent { limit: self.timing.silence.unwrap_or_default() });
        }
        if self.ping > now {
            return Due::Nothing;
        }
        self.ping = after(now, self.timing.ping);
        // A pong that is still due keeps its own deadline.
        self.pong = self.pong.or(Some(after(now, self.timing.pong)));
        Due::Ping
    }

    fn pong(&mut self) {
        self.pong = None;
    }

    fn step(&mut self, now: Instant) {
        self.step = Some(after(now, self.timing.step));
    }

    fn live(&mut self, now: Instant) {
        self.step = None;
        self.data(now);
    }

    fn data(&mut self, now: Instant) {
        self.silence = self.timing.silence.map(|limit| after(now, limit));
    }
}

/// A deadline beyond what the clock can hold is a day away.
fn after(now: Instant, span: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(86_400);
    now.checked_add(span.min(DAY)).unwrap_or(now)
}
