//! One market, many connections: events are encoded once and handed to every connection through a bounded queue.

use crate::book::Due;
use crate::directory::Directory;
use crate::history::PastBar;
use agenttrader_alpaca::wire::bar::Bar;
use agenttrader_alpaca::wire::encode::{self, BarKind, Message};
use agenttrader_alpaca::wire::trade::Cancel;
use agenttrader_alpaca::wire::{Codec, Listing};
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::time::Span;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Stocks.
    Stocks,
    /// Options.
    Options,
}

/// A channel, as a bit.
pub type Channel = u16;

/// The channels, in the order of the wire.
pub mod channel {
    use super::Channel;

    /// Prints.
    pub const TRADES: Channel = 1;
    /// Quotes.
    pub const QUOTES: Channel = 1 << 1;
    /// Minute bars.
    pub const BARS: Channel = 1 << 2;
    /// Changed minute bars.
    pub const UPDATED_BARS: Channel = 1 << 3;
    /// Day bars.
    pub const DAILY_BARS: Channel = 1 << 4;
    /// Halts and resumptions.
    pub const STATUSES: Channel = 1 << 5;
    /// Price bands.
    pub const LULDS: Channel = 1 << 6;
    /// Corrections.
    pub const CORRECTIONS: Channel = 1 << 7;
    /// Cancels.
    pub const CANCEL_ERRORS: Channel = 1 << 8;
    /// Auction imbalances.
    pub const IMBALANCES: Channel = 1 << 9;
}

/// One encoded object.
#[derive(Debug)]
pub struct Object {
    /// About which instrument.
    pub instrument: InstrumentId,
    /// On which channel.
    pub channel: Channel,
    json: Range<usize>,
    pack: Range<usize>,
}

/// Objects of one stretch of market time.
#[derive(Debug)]
pub struct Batch {
    /// Whose numbers the objects bear.
    pub directory: Arc<Directory>,
    /// In order of time.
    pub objects: Vec<Object>,
    json: Vec<u8>,
    pack: Vec<u8>,
}

impl Batch {
    /// An object's bytes in that codec.
    pub fn bytes(&self, object: &Object, codec: Codec) -> &[u8] {
        let found = match codec {
            Codec::Json => self.json.get(object.json.clone()),
            Codec::MessagePack => self.pack.get(object.pack.clone()),
        };
        found.unwrap_or_default()
    }
}

/// A connection's end of its queue.
#[derive(Debug)]
pub struct Member {
    /// Batches, in order.
    pub batches: mpsc::Receiver<Arc<Batch>>,
    /// Rings once when the queue overflowed; nothing comes after.
    pub slow: Arc<Notify>,
}

#[derive(Debug)]
struct Seat {
    kind: Kind,
    codec: Codec,
    queue: mpsc::Sender<Arc<Batch>>,
    slow: Arc<Notify>,
}

/// Hands batches to connections.
#[derive(Debug)]
pub struct Hub {
    seats: Mutex<Vec<Seat>>,
    waiting: usize,
}

impl Hub {
    /// A hub that lets so many batches wait for a connection, one at least, before it is cut off.
    pub fn new(waiting: usize) -> Self {
        Self { seats: Mutex::default(), waiting: waiting.max(1) }
    }

    /// A place in the hub for a connection; it is left by dropping the member.
    pub fn join(&self, kind: Kind, codec: Codec) -> Member {
        let (queue, batches) = mpsc::channel(self.waiting);
        let slow = Arc::new(Notify::new());
        self.seats().push(Seat { kind, codec, queue, slow: Arc::clone(&slow) });
        Member { batches, slow }
    }

    /// Encodes what the market said, in the codecs that somebody listens in, and hands it out.
    pub fn publish(&self, directory: &Arc<Directory>, events: &[MarketEvent], due: &[(Due, PastBar)]) {
        for kind in [Kind::Stocks, Kind::Options] {
            let codecs = [Codec::Json, Codec::MessagePack]
                .map(|codec| self.seats().iter().any(|seat| seat.kind == kind && seat.codec == codec));
            if codecs == [false, false] {
                continue;
            }
            let batch = batch(directory, kind, codecs, events, due);
            if !batch.objects.is_empty() {
                self.hand_out(kind, &Arc::new(batch));
            }
        }
    }

    fn hand_out(&self, kind: Kind, batch: &Arc<Batch>) {
        self.seats().retain(|seat| {
            if seat.kind != kind {
                return !seat.queue.is_closed();
            }
            match seat.queue.try_send(Arc::clone(batch)) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    seat.slow.notify_one();
                    false
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            }
        });
    }

    fn seats(&self) -> std::sync::MutexGuard<'_, Vec<Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn batch(
    directory: &Arc<Directory>,
    kind: Kind,
    codecs: [bool; 2],
    events: &[MarketEvent],
    due: &[(Due, PastBar)],
) -> Batch {
    let mut batch = Batch {
        directory: Arc::clone(directory),
        objects: Vec::with_capacity(events.len()),
        json: Vec::new(),
        pack: Vec::new(),
    };
    for event in events {
        let listing = directory.listing(event.instrument());
        if !belongs(kind, listing) {
            continue;
        }
        let message = match event {
            // Bars of contracts are on no stream of Alpaca's: only a connection without a plan's limits can ask for them.
            MarketEvent::Bar(bar) if kind == Kind::Options && bar.interval == Span::from_minutes(1) => {
                Some(Message::Bar(BarKind::Minute, Bar::of(bar, None)))
            }
            // All others go out when the venue's own book finishes them.
            MarketEvent::Bar(_) => None,
            MarketEvent::Cancel(cancel) => Some(Message::Cancel(Cancel::of(cancel, b'D', listing))),
            event => Message::of(event, listing),
        };
        if let Some(message) = message {
            push(&mut batch, codecs, event.instrument(), &message);
        }
    }
    for (due, past) in due {
        if belongs(kind, directory.listing(past.bar.instrument)) && kind == Kind::Stocks {
            let bar_kind = match due {
                Due::Minute => BarKind::Minute,
                Due::Updated => BarKind::Updated,
                Due::Daily => BarKind::Daily,
            };
            let message = Message::Bar(bar_kind, Bar::of(&past.bar, Some(past.volume_weighted)));
            push(&mut batch, codecs, past.bar.instrument, &message);
        }
    }
    batch
}

const fn belongs(kind: Kind, listing: Listing) -> bool {
    matches!((kind, listing), (Kind::Stocks, Listing::Stock { .. }) | (Kind::Options, Listing::Option))
}

fn push(batch: &mut Batch, [json, pack]: [bool; 2], instrument: InstrumentId, message: &Message) {
    let Batch { directory, objects, json: as_json, pack: as_pack } = batch;
    let name = directory.name(instrument);
    let (json_from, pack_from) = (as_json.len(), as_pack.len());
    if json {
        encode::message(as_json, Codec::Json, name, message);
    }
    if pack {
        encode::message(as_pack, Codec::MessagePack, name, message);
    }
    let object = Object {
        instrument,
        channel: channel_of(message),
        json: json_from..as_json.len(),
        pack: pack_from..as_pack.len(),
    };
    objects.push(object);
}

const fn channel_of(message: &Message) -> Channel {
    match message {
        Message::Trade(_) => channel::TRADES,
        Message::Quote(_) => channel::QUOTES,
        Message::Bar(BarKind::Minute, _) => channel::BARS,
        Message::Bar(BarKind::Updated, _) => channel::UPDATED_BARS,
        Message::Bar(BarKind::Daily, _) => channel::DAILY_BARS,
        Message::Status(_) => channel::STATUSES,
        Message::Luld(_) => channel::LULDS,
        Message::Correction(_) => channel::CORRECTIONS,
        Message::Cancel(_) => channel::CANCEL_ERRORS,
    }
}
