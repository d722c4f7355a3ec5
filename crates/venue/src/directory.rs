//! What the venue lists, by number and by name, as its protocols need it.

use crate::profile::{PROFILES, Profile};
use crate::random::Random;
use agenttrader_alpaca::wire::Listing;
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::symbol::Symbol;

/// All instruments of one session with their names on the wire.
#[derive(Debug)]
pub struct Directory {
    instruments: Instruments,
    names: Vec<String>,
}

impl Directory {
    /// The directory of these instruments.
    pub fn new(instruments: Instruments) -> Self {
        let names = instruments.iter().map(|(_, instrument)| instrument.to_string()).collect();
        Self { instruments, names }
    }

    /// The table itself.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Ticker or unpadded OCC symbol.
    pub fn name(&self, id: InstrumentId) -> &str {
        self.names.get(id.index()).map_or("", String::as_str)
    }

    /// The instrument of that ticker or OCC symbol.
    pub fn find(&self, name: &str) -> Option<InstrumentId> {
        if let Ok(symbol) = Symbol::parse(name)
            && let Some(id) = self.instruments.by_symbol(symbol)
        {
            return Some(id);
        }
        self.instruments.by_contract(&OccSymbol::parse(name).ok()?)
    }

    /// Which shape its messages have.
    pub fn listing(&self, id: InstrumentId) -> Listing {
        match self.instruments.get(id) {
            Some(Instrument::Option(_)) => Listing::Option,
            Some(instrument) => {
                Listing::Stock { tape: profile(instrument.underlying().as_str()).map_or(b'A', |known| known.tape) }
            }
            None => Listing::Stock { tape: b'A' },
        }
    }

    /// Stocks and indices.
    pub fn stocks(&self) -> impl Iterator<Item = (InstrumentId, &str)> {
        self.instruments.iter().filter(|(_, known)| known.option().is_none()).map(|(id, _)| (id, self.name(id)))
    }
}

/// What is known of a ticker, if it is one of the simulated.
pub fn profile(symbol: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.symbol == symbol)
}

/// An identifier in the form of a UUID that follows from a text: the same asset has the same one in every session.
pub fn uuid_of(text: &str) -> String {
    let letters: Vec<u64> = text.bytes().map(u64::from).collect();
    let mut random = Random::keyed(0x6167_656e_7474_7261, &letters);
    let (high, low) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
