//! The market input that caused a proposal, and what the market was then: from the recording that the proposal names.

use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::price::Price;
use agenttrader_core::proposal::Causation;
use agenttrader_core::time::UnixNanos;
use agenttrader_sequence::input::{Fact, Input, Numbered};
use agenttrader_sequence::read::Recording;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a proposal says of its cause, and what is known of it here.
#[derive(Clone, Debug, Serialize)]
pub struct Inputs {
    /// The recording that holds the input.
    pub recording_id: Uuid,
    /// The input's number in it.
    pub input_number: u64,
    /// SHA-256 of the recording's bytes from the first to the end of that input, as the proposal says.
    pub recording_sha256: Digest,
    /// What the recording says.
    pub recorded: Recorded,
}

/// What a recording says of an input.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "recorded", rename_all = "snake_case")]
pub enum Recorded {
    /// The recording is not here.
    Absent,
    /// It is here and cannot be read up to that input.
    Unreadable {
        /// Its file.
        file: String,
        /// Why.
        why: String,
    },
    /// It is here and ends before that input.
    Short {
        /// Its file.
        file: String,
        /// Inputs in it.
        inputs: u64,
        /// Whether it may still be written: then the input comes within a second or so.
        live: bool,
    },
    /// It is here, and its bytes are others than the proposal says.
    Differs {
        /// Its file.
        file: String,
        /// The SHA-256 of its bytes.
        sha256: Digest,
    },
    /// It is here, and its bytes are those that the proposal says.
    Verified {
        /// Its file.
        file: String,
        /// Bytes to the end of the input: `head -c BYTES FILE | sha256sum` gives the digest.
        bytes: u64,
        /// The input that made the strategy speak.
        causing: InputShown,
        /// The last quote, print and bar before that of each instrument of the proposal and of its underlying.
        market: Vec<InputShown>,
    },
}

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputShown {
    /// Its number.
    pub number: u64,
    /// Its venue time.
    pub at_utc: UnixNanos,
    /// `quote`, `trade`, `bar`, `timer`, ….
    pub kind: &'static str,
    /// What it says, for people.
    pub text: String,
    /// What it says, for programs.
    pub content: Value,
}

impl Inputs {
    /// What is wrong.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.recorded {
            Recorded::Absent | Recorded::Verified { .. } | Recorded::Short { live: true, .. } => None,
            Recorded::Short { file, inputs, .. } => Some(format!(
                "recording {file}: it ends after {inputs} inputs, before the one that caused the proposal"
            )),
            Recorded::Unreadable { file, why } => Some(format!("recording {file}: {why}")),
            Recorded::Differs { file, sha256 } => {
                Some(format!("recording {file}: its bytes up to the input have SHA-256 {sha256}, not the proposal's"))
            }
        }
    }
}

/// Reads what caused a proposal. `recordings` is the folder where recordings are, where there is one; `live`: a floor may be writing there.
pub(super) fn read(causation: &Causation, proposal: Option<&Value>, recordings: Option<&Path>, live: bool) -> Inputs {
    let recorded = match recordings.and_then(|folder| find(folder, causation.recording_id)) {
        None => Recorded::Absent,
        Some(path) => {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            match read_up_to(&path, causation, &names(proposal)) {
                Err(why) => Recorded::Unreadable { file, why },
                Ok(Read::Short { inputs }) => Recorded::Short { file, inputs, live },
                Ok(Read::Whole { sha256, .. }) if sha256 != causation.recording_sha256 => {
                    Recorded::Differs { file, sha256 }
                }
                Ok(Read::Whole { bytes, causing, market, .. }) => Recorded::Verified { file, bytes, causing, market },
            }
        }
    };
    let Causation { recording_id, input_number, recording_sha256 } = *causation;
    Inputs { recording_id, input_number, recording_sha256, recorded }
}

/// The recording of that id: its file's name ends with it.
fn find(folder: &Path, id: Uuid) -> Option<PathBuf> {
    let end = format!("{id}.rec");
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(&end));
    fs::read_dir(folder).ok()?.filter_map(|one| Some(one.ok()?.path())).find(named)
}

/// The instruments that a proposal is about: its underlying, and its contracts.
fn names(proposal: Option<&Value>) -> BTreeSet<String> {
    let at = |pointer: &str| proposal.and_then(|body| body.pointer(pointer)).and_then(Value::as_str).map(str::to_owned);
    let legs =
        proposal.and_then(|body| body.get("legs")).and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    let legs = legs.iter().filter_map(|leg| leg.get("contract_symbol").and_then(Value::as_str).map(str::to_owned));
    legs.chain(at("/symbol")).chain(at("/option/contract_symbol")).collect()
}

/// What reading up to an input gave.
enum Read {
    Whole { sha256: Digest, bytes: u64, causing: InputShown, market: Vec<InputShown> },
    Short { inputs: u64 },
}

fn read_up_to(path: &Path, causation: &Causation, names: &BTreeSet<String>) -> Result<Read, String> {
    let mut recording = Recording::open(path).map_err(|error| chain(&error))?;
    if recording.head().recording_id != causation.recording_id {
        return Err(format!("is recording {}", recording.head().recording_id));
    }
    let mut known = BTreeMap::new();
    let mut last: BTreeMap<(InstrumentId, u8), Numbered> = BTreeMap::new();
    loop {
        let next = recording.next_input().map_err(|error| chain(&error))?;
        let Some(input) = next else { return Ok(Read::Short { inputs: recording.inputs() }) };
        if let Input::Instrument { id, instrument } = &input.input {
            known.insert(*id, instrument.to_string());
        }
        if input.number == causation.input_number {
            let causing = shown(&input, &known);
            let market = last.values().map(|input| shown(input, &known)).collect();
            return Ok(Read::Whole { sha256: recording.digest_so_far(), bytes: recording.offset(), causing, market });
        }
        let Input::Market(event) = &input.input else { continue };
        let kind = match event {
            MarketEvent::Quote(_) => 0_u8,
            MarketEvent::Trade(_) => 1,
            MarketEvent::Bar(_) => 2,
            _ => continue,
        };
        if known.get(&event.instrument()).is_some_and(|name| names.contains(name)) {
            last.insert((event.instrument(), kind), input);
        }
    }
}

fn shown(input: &Numbered, known: &BTreeMap<InstrumentId, String>) -> InputShown {
    let name = |id: InstrumentId| known.get(&id).cloned().unwrap_or_else(|| "an instrument without a name".to_owned());
    let letter = |byte: u8| char::from(byte).to_string().trim().to_owned();
    let (kind, text, content) = match &input.input {
        Input::Market(MarketEvent::Quote(quote)) => {
            let side = |price: Option<Price>, size: u32| {
                price.map_or_else(|| "none".to_owned(), |price| format!("{price} ({size})"))
            };
            let (bid, ask) = (side(quote.bid(), quote.bid_size), side(quote.ask(), quote.ask_size));
            let content = json!({
                "instrument": name(quote.instrument), "exchange_time": quote.exchange_time, "bid": quote.bid(), "ask": quote.ask(),
                "bid_size": quote.bid_size, "ask_size": quote.ask_size, "bid_exchange": letter(quote.bid_exchange),
                "ask_exchange": letter(quote.ask_exchange), "condition": letter(quote.condition),
            });
            ("quote", format!("{} bid {bid} ask {ask}", name(quote.instrument)), content)
        }
        Input::Market(MarketEvent::Trade(trade)) => {
            let content = json!({
                "instrument": name(trade.instrument), "exchange_time": trade.exchange_time, "price": trade.price, "size": trade.size,
                "exchange": letter(trade.exchange), "conditions": String::from_utf8_lossy(&trade.conditions).trim(),
                "trade_id": trade.trade_id,
            });
            ("trade", format!("{} {} at {}", name(trade.instrument), trade.size, trade.price), content)
        }
        Input::Market(MarketEvent::Bar(bar)) => {
            let content = json!({
                "instrument": name(bar.instrument), "start": bar.start, "end": bar.end(), "open": bar.open, "high": bar.high,
                "low": bar.low, "close": bar.close, "volume": bar.volume, "trade_count": bar.trade_count, "backfill": bar.backfill,
            });
            let text = format!(
                "{} open {} high {} low {} close {}",
                name(bar.instrument),
                bar.open,
                bar.high,
                bar.low,
                bar.close
            );
            ("bar", text, content)
        }
        Input::Market(MarketEvent::OpenInterest(interest)) => {
            let content = json!({"instrument": name(interest.instrument), "contracts": interest.contracts, "date": interest.date});
            ("open_interest", format!("{} {} contracts", name(interest.instrument), interest.contracts), content)
        }
        Input::Market(MarketEvent::Status(status)) => {
            let content = json!({
                "instrument": name(status.instrument), "exchange_time": status.exchange_time, "halted": status.halted,
                "code": letter(status.code), "reason": String::from_utf8_lossy(&status.reason).trim(),
            });
            let word = if status.halted { "halted" } else { "resumed" };
            ("status", format!("{} {word}", name(status.instrument)), content)
        }
        Input::Market(MarketEvent::Cancel(cancel)) => {
            let content = json!({"instrument": name(cancel.instrument), "trade_id": cancel.trade_id, "price": cancel.price, "size": cancel.size});
            ("cancel", format!("{} print {} withdrawn", name(cancel.instrument), cancel.trade_id), content)
        }
        Input::Market(MarketEvent::Correction(correction)) => {
            let (original, corrected) = (&correction.original, &correction.corrected);
            let content = json!({
                "instrument": name(original.instrument), "trade_id": original.trade_id, "price": original.price, "size": original.size,
                "corrected_price": corrected.price, "corrected_size": corrected.size,
            });
            ("correction", format!("{} print {} corrected", name(original.instrument), original.trade_id), content)
        }
        Input::Instrument { instrument, .. } => {
            ("instrument", instrument.to_string(), serde_json::to_value(instrument).unwrap_or(Value::Null))
        }
        Input::Fact(fact) => {
            let (kind, text) = match fact {
                Fact::Configuration(_) => ("configuration", "the effective configuration".to_owned()),
                Fact::Timer { .. } => ("timer", "a second of venue time begins".to_owned()),
                Fact::Switch(reading) => ("switch", if reading.halted { "halted" } else { "not halted" }.to_owned()),
                Fact::Log { agent_name, .. } => ("log", agent_name.clone()),
                Fact::Feed(_) => ("feed", "a feed's state".to_owned()),
                Fact::Health(_) => ("health", "a health answer".to_owned()),
                Fact::Signed(_) => ("signed", "a file that people signed, or its folder".to_owned()),
            };
            // The configuration is as long as all its files, and stands in the recording.
            let content = match fact {
                Fact::Configuration(_) => Value::Null,
                other => serde_json::to_value(other).unwrap_or(Value::Null),
            };
            (kind, text, content)
        }
    };
    InputShown { number: input.number, at_utc: input.at, kind, text, content }
}
