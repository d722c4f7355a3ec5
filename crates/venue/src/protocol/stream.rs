//! The market-data websockets: handshake, subscriptions, data.

use crate::hub::{Batch, Kind, Member};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::keys::{Key, Refused};
use crate::protocol::reply::ApiError;
use crate::protocol::shared::Shared;
use crate::protocol::slots::Slot;
use crate::protocol::subscriptions::Subscriptions;
use agenttrader_alpaca::wire::Codec;
use agenttrader_alpaca::wire::control::{ClientMessage, Control};
use agenttrader_alpaca::wire::encode::Frame;
use agenttrader_alpaca::wire::error::StreamError;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// Largest message a client may send: a thousand OCC symbols are about 24 kB.
const MESSAGE_MAX: usize = 1 << 20;

/// Bytes of data after which a frame ends and the next begins. A venue that was held up has much to say at once; a client takes a
/// mebibyte as one message.
const FRAME_ENOUGH: usize = 1 << 18;

/// How long a refused client has to read why, before the connection is cut.
const LAST_WORD: Duration = Duration::from_secs(1);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `GET /v2/iex`.
pub(crate) async fn iex(State(shared): State<Arc<Shared>>, headers: HeaderMap, upgrade: Upgrade) -> Response {
    accept(shared, &headers, upgrade, Endpoint::Iex)
}

/// `GET /v2/sip`.
pub(crate) async fn sip(State(shared): State<Arc<Shared>>, headers: HeaderMap, upgrade: Upgrade) -> Response {
    accept(shared, &headers, upgrade, Endpoint::Sip)
}

/// `GET /v1beta1/indicative`.
pub(crate) async fn indicative(State(shared): State<Arc<Shared>>, headers: HeaderMap, upgrade: Upgrade) -> Response {
    accept(shared, &headers, upgrade, Endpoint::Indicative)
}

/// `GET /v1beta1/opra`.
pub(crate) async fn opra(State(shared): State<Arc<Shared>>, headers: HeaderMap, upgrade: Upgrade) -> Response {
    accept(shared, &headers, upgrade, Endpoint::Opra)
}

fn accept(shared: Arc<Shared>, headers: &HeaderMap, upgrade: Upgrade, endpoint: Endpoint) -> Response {
    let Ok(upgrade) = upgrade else { return ApiError::bad("this address wants a websocket").into_response() };
    let codec = Codec::asked_by(headers.get("content-type").and_then(|value| value.to_str().ok()));
    let presented = Key::presented(headers);
    upgrade.max_message_size(MESSAGE_MAX).max_frame_size(MESSAGE_MAX).on_upgrade(move |socket| async move {
        let line = Line { socket, codec, stop: shared.stop.clone() };
        // The end of a connection has nobody left to be told why.
        let _ = converse(line, shared, endpoint, presented).await;
    })
}

/// The connection is over.
struct Gone;

/// A websocket with its codec.
struct Line {
    socket: WebSocket,
    codec: Codec,
    stop: watch::Receiver<bool>,
}

impl Line {
    async fn say(&mut self, control: &Control) -> Result<(), Gone> {
        let frame = self.codec_frame(control.frame(self.codec))?;
        self.socket.send(frame).await.map_err(|_| Gone)
    }

    /// Says why, and hangs up.
    async fn hang_up(&mut self, error: StreamError) -> Gone {
        let words = async {
            self.say(&Control::error(error)).await?;
            self.socket.send(Message::Close(None)).await.map_err(|_| Gone)?;
            // Closing a socket with unread bytes in it would throw away what was just said.
            while let Some(Ok(_)) = self.socket.recv().await {}
            Ok::<(), Gone>(())
        };
        let _ = timeout(LAST_WORD, words).await;
        Gone
    }

    fn codec_frame(&self, bytes: Vec<u8>) -> Result<Message, Gone> {
        match self.codec {
            Codec::Json => String::from_utf8(bytes).map(|text| Message::Text(text.into())).map_err(|_| Gone),
            Codec::MessagePack => Ok(Message::Binary(bytes.into())),
        }
    }

    /// The client's next message, whole; `Err(InvalidSyntax)` inside if it cannot be read. Pings are answered on the way.
    async fn hear(&mut self) -> Result<Result<ClientMessage, StreamError>, Gone> {
        loop {
            let message = tokio::select! {
                message = self.socket.recv() => message,
                () = stopped(&mut self.stop) => {
                    let _ = timeout(LAST_WORD, self.socket.send(Message::Close(None))).await;
                    return Err(Gone);
                }
            };
            let (bytes, is_text) = match message {
                Some(Ok(Message::Text(text))) => (text.as_bytes().to_vec(), true),
                Some(Ok(Message::Binary(bytes))) => (bytes.to_vec(), false),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_))) | None => return Err(Gone),
                // Too large, or no websocket frames: nothing after it can be read.
                Some(Err(_)) => return Err(self.hang_up(StreamError::InvalidSyntax).await),
            };
            // A text frame is JSON whatever the handshake said: some clients sign in so.
            let codec = if is_text { Codec::Json } else { self.codec };
            return Ok(ClientMessage::parse(&bytes, codec).map_err(|_| StreamError::InvalidSyntax));
        }
    }
}

/// Until the venue ends.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A venue that is gone has ended too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn converse(
    mut line: Line,
    shared: Arc<Shared>,
    endpoint: Endpoint,
    presented: Option<Result<Key, Refused>>,
) -> Result<(), Gone> {
    line.say(&Control::connected()).await?;
    let slot = sign_in(&mut line, &shared, endpoint, presented).await?;
    let member = shared.hub.join(endpoint.kind(), line.codec);
    let result = stream(&mut line, member, Subscriptions::new(endpoint.kind(), shared.plan)).await;
    drop(slot);
    result
}

/// Until the client has a place, by header or by message.
async fn sign_in(
    line: &mut Line,
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    presented: Option<Result<Key, Refused>>,
) -> Result<Slot, Gone> {
    let mut presented = presented;
    loop {
        let key = match presented.take() {
            Some(key) => key,
            None => match heard_within(line, shared.auth_within).await? {
                Ok(ClientMessage::Auth { key, secret }) => Key::checked(&key, &secret).ok_or(Refused),
                Ok(_) => {
                    line.say(&Control::error(StreamError::NotAuthenticated)).await?;
                    continue;
                }
                Err(error) => {
                    line.say(&Control::error(error)).await?;
                    continue;
                }
            },
        };
        let Ok(key) = key else { return Err(line.hang_up(StreamError::AuthFailed).await) };
        if !endpoint.is_in(shared.plan) {
            return Err(line.hang_up(StreamError::InsufficientSubscription).await);
        }
        if endpoint.kind() == Kind::Options && line.codec != Codec::MessagePack {
            return Err(line.hang_up(StreamError::OnlyMessagePack).await);
        }
        match shared.slots.take(key, endpoint) {
            Some(slot) => {
                line.say(&Control::authenticated()).await?;
                return Ok(slot);
            }
            // The connection stays: its other one may be about to end.
            None => line.say(&Control::error(StreamError::ConnectionLimit)).await?,
        }
    }
}

async fn heard_within(line: &mut Line, limit: Duration) -> Result<Result<ClientMessage, StreamError>, Gone> {
    match timeout(limit, line.hear()).await {
        Ok(heard) => heard,
        Err(_) => Err(line.hang_up(StreamError::AuthTimeout).await),
    }
}

async fn stream(line: &mut Line, mut member: Member, mut subscriptions: Subscriptions) -> Result<(), Gone> {
    let slow = Arc::clone(&member.slow);
    loop {
        tokio::select! {
            heard = line.hear() => {
                let answer = match heard? {
                    Ok(ClientMessage::Auth { .. }) => Err(StreamError::AlreadyAuthenticated),
                    Ok(ClientMessage::Subscribe(asked)) => subscriptions.subscribe(&asked),
                    Ok(ClientMessage::Unsubscribe(asked)) => subscriptions.unsubscribe(&asked),
                    Err(error) => Err(error),
                };
                let control = match answer {
                    Ok(()) => Control::Subscription(subscriptions.channels()),
                    Err(error) => Control::error(error),
                };
                line.say(&control).await?;
            }
            () = slow.notified() => return Err(line.hang_up(StreamError::SlowClient).await),
            Some(batch) = member.batches.recv() => {
                for frame in frames(line.codec, &batch, &mut subscriptions) {
                    send_unless_slow(line, frame, &slow).await?;
                }
            }
        }
    }
}

/// Sends data; a client that does not read is cut off as soon as its queue is full.
async fn send_unless_slow(line: &mut Line, frame: Vec<u8>, slow: &Notify) -> Result<(), Gone> {
    let message = line.codec_frame(frame)?;
    let sent = tokio::select! {
        sent = line.socket.send(message) => Some(sent),
        () = slow.notified() => None,
    };
    match sent {
        Some(sent) => sent.map_err(|_| Gone),
        None => Err(line.hang_up(StreamError::SlowClient).await),
    }
}

/// What of a batch is for this connection: one frame, or as many as keep each readable.
fn frames(codec: Codec, batch: &Batch, subscriptions: &mut Subscriptions) -> Vec<Vec<u8>> {
    subscriptions.look_up(&batch.directory);
    let wanted = batch.objects.iter().filter(|object| subscriptions.wants(object.instrument, object.channel));
    framed(codec, wanted.map(|object| batch.bytes(object, codec)))
}

/// Encoded objects in order, each in one frame.
fn framed<'a>(codec: Codec, objects: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut objects = objects.peekable();
    let mut frames = Vec::new();
    while objects.peek().is_some() {
        let mut out = Vec::new();
        let mut frame = Frame::open(&mut out, codec);
        let mut bytes = 0_usize;
        while bytes < FRAME_ENOUGH
            && let Some(object) = objects.next()
        {
            bytes = bytes.saturating_add(object.len());
            frame.push_encoded(object);
        }
        frame.close();
        frames.push(out);
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_alpaca::decode::FRAME_MAX;
    use serde_json::Value;

    #[test]
    fn what_was_held_up_goes_out_in_order_in_frames_that_a_client_takes() {
        let objects: Vec<String> =
            (0..40_000).map(|number| format!("{{\"T\":\"q\",\"i\":{number},\"S\":\"{:060}\"}}", 0)).collect();
        let frames = framed(Codec::Json, objects.iter().map(String::as_bytes));
        assert!(frames.len() > 1 && frames.iter().all(|frame| frame.len() < FRAME_MAX), "{} frames", frames.len());
        let said: Vec<Value> =
            frames.iter().flat_map(|frame| serde_json::from_slice::<Vec<Value>>(frame).unwrap()).collect();
        let numbers: Vec<u64> = said.iter().map(|object| object["i"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (0..40_000).collect::<Vec<u64>>());
        assert_eq!(framed(Codec::Json, std::iter::empty()), Vec::<Vec<u8>>::new());
        assert_eq!(framed(Codec::Json, [&b"1"[..], b"2"].into_iter()), [b"[1,2]".to_vec()]);
    }
}
