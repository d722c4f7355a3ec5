//! Trading statuses (`s`) and price bands (`l`) of the stock stream.

use crate::wire::Listing;
use crate::wire::letters::{Letters, letter, tape};
use crate::wire::number::dollars;
use crate::wire::quote::blank;
use agenttrader_core::event;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::time::UnixNanos;
use serde::{Deserialize, Serialize};

/// A halt, a resumption or a notice about an instrument. All keys are always written: Alpaca's own client refuses fewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingStatus {
    /// When.
    pub t: UnixNanos,
    /// Status code.
    #[serde(with = "letter")]
    pub sc: u8,
    /// What the code means.
    #[serde(default)]
    pub sm: String,
    /// Reason code.
    #[serde(default = "no_reason")]
    pub rc: Letters,
    /// What the reason means.
    #[serde(default)]
    pub rm: String,
    /// Tape.
    #[serde(with = "tape", default)]
    pub z: Option<u8>,
}

const fn no_reason() -> Letters {
    Letters::BLANK
}

impl TradingStatus {
    /// As it goes over the wire.
    pub fn of(status: &event::TradingStatus, listing: Listing) -> Self {
        let rc = Letters(status.reason);
        Self {
            t: status.exchange_time,
            sc: status.code,
            sm: status_message(status.code).to_owned(),
            rc,
            rm: reason_message(rc.as_str()).to_owned(),
            z: listing.tape(),
        }
    }

    /// As an event of that instrument; `None` if the status says nothing about halting.
    pub fn event(&self, instrument: InstrumentId) -> Option<event::TradingStatus> {
        let halted = halted(self.sc)?;
        Some(event::TradingStatus { instrument, exchange_time: self.t, halted, code: self.sc, reason: self.rc.0 })
    }
}

/// Whether trading is halted from this status on; `None` for those that say nothing about it (imbalances, short-sale
/// restriction). A code nobody knows halts: what is not understood must not pass for trading.
pub const fn halted(code: u8) -> Option<bool> {
    match code {
        b'3' | b'T' => Some(false),
        b'7' | b'8' | b'9' | b'A' | b'C' | b'D' | b'E' => None,
        // A halt, a pause, or a step on the way out of one: price indications and the resumption of quoting alone.
        _ => Some(true),
    }
}

/// The meaning of a status code. The two families of tapes share no code.
pub const fn status_message(code: u8) -> &'static str {
    match code {
        b'2' => "Trading Halt",
        b'3' => "Resume",
        b'5' => "Price Indication",
        b'6' => "Trading Range Indication",
        b'7' => "Market Imbalance Buy",
        b'8' => "Market Imbalance Sell",
        b'9' => "Market On Close Imbalance Buy",
        b'A' => "Market On Close Imbalance Sell",
        b'C' => "No Market Imbalance",
        b'D' => "No Market On Close Imbalance",
        b'E' => "Short Sale Restriction",
        b'F' => "Limit Up-Limit Down",
        b'H' => "Trading Halt",
        b'Q' => "Quotation Resumption",
        b'T' => "Trading Resumption",
        b'P' => "Volatility Trading Pause",
        _ => "Unknown",
    }
}

/// The meaning of a reason code; empty if it has none that we know.
pub fn reason_message(reason: &str) -> &'static str {
    match reason {
        "D" | "T2" => "News Released",
        "P" | "T1" => "News Pending",
        "T3" => "News and Resumption Times",
        "I" => "Order Imbalance",
        "M" => "Limit Up-Limit Down Trading Pause",
        "X" | "O1" => "Operational",
        "Y" => "Sub-Penny Trading",
        "1" | "MWC1" => "Market-Wide Circuit Breaker Level 1",
        "2" | "MWC2" => "Market-Wide Circuit Breaker Level 2",
        "3" | "MWC3" => "Market-Wide Circuit Breaker Level 3",
        "T5" | "LUDP" => "Volatility Trading Pause",
        "LUDS" => "Volatility Trading Pause, Straddle Condition",
        "T6" => "Extraordinary Market Activity",
        "T12" => "Additional Information Requested",
        "MWCQ" => "Market-Wide Circuit Breaker Resumption",
        _ => "",
    }
}

/// A price band: limit up and limit down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Luld {
    /// When.
    pub t: UnixNanos,
    /// Upper limit, dollars.
    #[serde(with = "dollars")]
    pub u: Price,
    /// Lower limit, dollars.
    #[serde(with = "dollars")]
    pub d: Price,
    /// Indicator.
    #[serde(with = "letter", default = "blank")]
    pub i: u8,
    /// Tape.
    #[serde(with = "tape", default)]
    pub z: Option<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_resumptions_of_trading_end_a_halt() {
        for code in 0..=u8::MAX {
            let expected = match code {
                b'3' | b'T' => Some(false),
                b'7'..=b'9' | b'A' | b'C'..=b'E' => None,
                _ => Some(true),
            };
            assert_eq!(halted(code), expected, "{}", char::from(code));
        }
    }
}
