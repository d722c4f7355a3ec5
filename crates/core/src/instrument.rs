//! Instruments: what can be quoted, traded and held.

use crate::occ_symbol::OccSymbol;
use crate::price::Price;
pub use crate::right::Right;
use crate::symbol::Symbol;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The number by which one recording, and everything fed from it, knows an instrument: its place in order of definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// As an index into tables by instrument.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Instrument {
    /// A share or fund share.
    Equity {
        /// Its ticker.
        symbol: Symbol,
    },
    /// An index level; quoted, never held.
    Index {
        /// Its ticker.
        symbol: Symbol,
    },
    /// A listed option of 100 shares (or index points).
    Option(OptionContract),
}

/// A listed option contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OptionContract {
    /// What it is an option on.
    pub underlying: Symbol,
    /// The contract's OCC symbol: root, expiration, right and strike.
    pub contract: OccSymbol,
    /// European exercise; American otherwise.
    pub european: bool,
}

/// Shares (or index points) one standard contract stands for.
pub const CONTRACT_MULTIPLIER: u32 = 100;

impl OptionContract {
    /// Last day of the contract.
    pub fn expiration(&self) -> Date {
        self.contract.expiration()
    }

    /// Call or put.
    pub fn right(&self) -> Right {
        self.contract.right()
    }

    /// Strike, in dollars a share.
    pub fn strike(&self) -> Price {
        self.contract.strike()
    }
}

impl Instrument {
    /// The underlying: an option's, else the instrument's own symbol.
    pub fn underlying(&self) -> Symbol {
        match self {
            Self::Equity { symbol } | Self::Index { symbol } => *symbol,
            Self::Option(option) => option.underlying,
        }
    }

    /// The contract, if it is an option.
    pub const fn option(&self) -> Option<&OptionContract> {
        match self {
            Self::Option(option) => Some(option),
            Self::Equity { .. } | Self::Index { .. } => None,
        }
    }

    /// Shares one unit stands for.
    pub const fn multiplier(&self) -> u32 {
        match self {
            Self::Option(_) => CONTRACT_MULTIPLIER,
            Self::Equity { .. } | Self::Index { .. } => 1,
        }
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equity { symbol } | Self::Index { symbol } => fmt::Display::fmt(symbol, out),
            Self::Option(option) => fmt::Display::fmt(&option.contract, out),
        }
    }
}

/// The instruments of one recording, in order of definition, findable by number and by name.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    listed: Vec<Instrument>,
    underlyings: BTreeMap<Symbol, InstrumentId>,
    contracts: BTreeMap<OccSymbol, InstrumentId>,
}

impl Instruments {
    /// Most instruments one recording may define: a bound on what a hostile file or feed can make us hold.
    pub const MAX: usize = 1_000_000;

    /// Adds an instrument, or finds it if it stands already. `None` when the table is full.
    pub fn define(&mut self, instrument: Instrument) -> Option<InstrumentId> {
        if let Some(known) = self.find(&instrument) {
            return Some(known);
        }
        let next = u32::try_from(self.listed.len()).ok().filter(|next| (*next as usize) < Self::MAX)?;
        let id = InstrumentId(next);
        match instrument {
            Instrument::Equity { symbol } | Instrument::Index { symbol } => self.underlyings.insert(symbol, id),
            Instrument::Option(option) => self.contracts.insert(option.contract, id),
        };
        self.listed.push(instrument);
        Some(id)
    }

    /// The instrument of that number.
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.listed.get(id.index())
    }

    /// The number of that instrument, if defined.
    pub fn find(&self, instrument: &Instrument) -> Option<InstrumentId> {
        match instrument {
            Instrument::Equity { symbol } | Instrument::Index { symbol } => self.by_symbol(*symbol),
            Instrument::Option(option) => self.by_contract(&option.contract),
        }
    }

    /// The underlying (equity or index) of that ticker.
    pub fn by_symbol(&self, symbol: Symbol) -> Option<InstrumentId> {
        self.underlyings.get(&symbol).copied()
    }

    /// The option of that OCC symbol.
    pub fn by_contract(&self, contract: &OccSymbol) -> Option<InstrumentId> {
        self.contracts.get(contract).copied()
    }

    /// All, in order of definition.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        (0_u32..).map(InstrumentId).zip(&self.listed)
    }

    /// How many are defined.
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether none is defined.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}
