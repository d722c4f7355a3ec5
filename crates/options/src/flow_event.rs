//! What flow is told in: events of one contract, their kind and lean.

use crate::{Right, quote_trail::Side};

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One buyer or seller taking several exchanges within a quarter of a second.
    Sweep,
    /// One big print.
    Block,
    /// Any other print.
    Print,
    /// Drawn from a bar, which hides its prints: never a sweep or a block.
    Aggregated,
}

/// Which way the aggressor leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sentiment {
    /// Calls bought or puts sold.
    Bullish,
    /// Puts bought or calls sold.
    Bearish,
    /// No aggressor known.
    Neutral,
}

/// One flow event of one contract. A print is part of one event at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowEvent {
    /// What kind it is.
    pub kind: Kind,
    /// The aggressor's side.
    pub side: Side,
    /// Which way it leans.
    pub sentiment: Sentiment,
    /// Event time of the print that made it, of a sweep the one that completed it; UTC nanoseconds.
    pub at: i64,
    /// Event time of its first print.
    pub first_at: i64,
    /// Dollars per share, of a sweep the average by size.
    pub price: f64,
    /// Contracts.
    pub size: u64,
    /// Dollars paid: price times size times 100.
    pub premium: f64,
    /// 0 to 1.
    pub conviction: f64,
    /// Prints in it.
    pub prints: u32,
    /// Different exchanges in it.
    pub exchanges: u32,
}

/// What became of a print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its conditions leave it out, or price or size is no number a print can have.
    LeftOut,
    /// It belongs to a sweep already told of.
    Absorbed,
    /// It is, or will be when its quarter second is over, part of an event.
    Taken,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Sweep, Self::Block, Self::Print, Self::Aggregated];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "SWEEP",
            Self::Block => "BLOCK",
            Self::Print => "PRINT",
            Self::Aggregated => "AGGREGATED",
        }
    }

    /// Conviction before additions, in tenths.
    pub(crate) fn tenths(self) -> u32 {
        match self {
            Self::Sweep => 8,
            Self::Block => 5,
            Self::Print | Self::Aggregated => 3,
        }
    }
}

impl Sentiment {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bullish => "BULLISH",
            Self::Bearish => "BEARISH",
            Self::Neutral => "NEUTRAL",
        }
    }

    /// One, minus one or zero: the sign of a flow score.
    #[must_use]
    pub fn sign(self) -> f64 {
        match self {
            Self::Bullish => 1.0,
            Self::Bearish => -1.0,
            Self::Neutral => 0.0,
        }
    }

    /// The lean of an aggressor in a call or put.
    #[must_use]
    pub fn of(right: Right, side: Side) -> Self {
        match (right, side) {
            (Right::Call, Side::Ask) | (Right::Put, Side::Bid) => Self::Bullish,
            (Right::Call, Side::Bid) | (Right::Put, Side::Ask) => Self::Bearish,
            (_, Side::Mid | Side::Unknown) => Self::Neutral,
        }
    }
}
