//! What one stream connection listens to.

use crate::directory::Directory;
use crate::hub::{Channel, Kind, channel};
use crate::plan::Plan;
use agenttrader_alpaca::wire::control::Channels;
use agenttrader_alpaca::wire::error::StreamError;
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::symbol::Symbol;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Every symbol.
const STAR: &str = "*";

/// Option quotes of the paid plan.
const PAID_OPTION_QUOTES: usize = 1_000;
/// Option quotes of the free plan.
const BASIC_OPTION_QUOTES: usize = 200;
/// Stock symbols of the free plan, over trades and quotes.
const BASIC_STOCKS: usize = 30;

/// Channels in the order of the wire, with their bits.
const BITS: [Channel; 10] = [
    channel::TRADES,
    channel::QUOTES,
    channel::BARS,
    channel::UPDATED_BARS,
    channel::DAILY_BARS,
    channel::STATUSES,
    channel::LULDS,
    channel::CORRECTIONS,
    channel::CANCEL_ERRORS,
    channel::IMBALANCES,
];

/// The subscriptions of one connection.
#[derive(Clone, Debug)]
pub struct Subscriptions {
    kind: Kind,
    plan: Plan,
    /// Symbols by channel, in the order of [`BITS`].
    symbols: [BTreeSet<String>; BITS.len()],
    /// Channels by instrument of the directory last seen.
    wanted: Vec<Channel>,
    directory: Option<Arc<Directory>>,
}

impl Subscriptions {
    /// None yet.
    pub fn new(kind: Kind, plan: Plan) -> Self {
        Self { kind, plan, symbols: Default::default(), wanted: Vec::new(), directory: None }
    }

    /// Adds symbols. Nothing changes when it is refused.
    ///
    /// # Errors
    /// What the stream answers.
    pub fn subscribe(&mut self, asked: &Channels) -> Result<(), StreamError> {
        self.check(asked)?;
        let mut symbols = self.symbols.clone();
        for ((_, names), have) in asked.named().into_iter().zip(&mut symbols) {
            have.extend(names.iter().cloned());
        }
        follow_trades(&mut symbols);
        self.within_plan(&symbols)?;
        self.replace(symbols);
        Ok(())
    }

    /// Takes symbols away; `*` takes `*` away, as it is a subscription of its own.
    ///
    /// # Errors
    /// What the stream answers.
    pub fn unsubscribe(&mut self, asked: &Channels) -> Result<(), StreamError> {
        self.check(asked)?;
        let mut symbols = self.symbols.clone();
        for ((_, names), have) in asked.named().into_iter().zip(&mut symbols) {
            have.retain(|name| !names.contains(name));
        }
        follow_trades(&mut symbols);
        self.replace(symbols);
        Ok(())
    }

    /// All that is subscribed, as the stream says it.
    pub fn channels(&self) -> Channels {
        let [trades, quotes, bars, updated_bars, daily_bars, statuses, lulds, corrections, cancel_errors, imbalances] =
            self.symbols.clone().map(|names| names.into_iter().collect());
        Channels {
            trades,
            quotes,
            bars,
            updated_bars,
            daily_bars,
            statuses,
            lulds,
            corrections,
            cancel_errors,
            imbalances,
        }
    }

    /// Whether an object on that channel about that instrument is for this connection. Call [`Self::look_up`] first.
    pub fn wants(&self, instrument: InstrumentId, channel: Channel) -> bool {
        self.wanted.get(instrument.index()).is_some_and(|wanted| wanted & channel != 0)
    }

    /// Looks the subscribed names up in this directory, if it is not the one they were looked up in last.
    pub fn look_up(&mut self, directory: &Arc<Directory>) {
        if self.directory.as_ref().is_some_and(|known| Arc::ptr_eq(known, directory)) {
            return;
        }
        let of_all = self.symbols.iter().zip(BITS).filter(|(names, _)| names.contains(STAR));
        let all: Channel = of_all.fold(0, |all, (_, bit)| all | bit);
        self.wanted = vec![all; directory.len()];
        for (names, bit) in self.symbols.iter().zip(BITS) {
            for id in names.iter().filter_map(|name| directory.find(name)) {
                if let Some(wanted) = self.wanted.get_mut(id.index()) {
                    *wanted |= bit;
                }
            }
        }
        self.directory = Some(Arc::clone(directory));
    }

    fn replace(&mut self, symbols: [BTreeSet<String>; BITS.len()]) {
        self.symbols = symbols;
        self.directory = None;
    }

    /// Channels that are served here, and symbols that are formed as those of the feed are.
    fn check(&self, asked: &Channels) -> Result<(), StreamError> {
        for ((_, names), bit) in asked.named().into_iter().zip(BITS) {
            let served = self.kind == Kind::Stocks || bit & self.option_channels() != 0;
            if !served && !names.is_empty() {
                return Err(StreamError::InvalidAction);
            }
            for name in names {
                match (self.kind, name.as_str()) {
                    (Kind::Options, STAR) if bit == channel::QUOTES => return Err(StreamError::StarNotAllowed),
                    (_, STAR) => {}
                    (Kind::Options, name) if OccSymbol::parse(name).is_ok() => {}
                    (Kind::Stocks, name) if Symbol::parse(name).is_ok() => {}
                    _ => return Err(StreamError::InvalidSyntax),
                }
            }
        }
        Ok(())
    }

    /// Trades and quotes; where no plan's limits hold, a recording's minute bars too.
    const fn option_channels(&self) -> Channel {
        match self.plan {
            Plan::Unlimited => channel::TRADES | channel::QUOTES | channel::BARS,
            Plan::Paid | Plan::Basic => channel::TRADES | channel::QUOTES,
        }
    }

    fn within_plan(&self, symbols: &[BTreeSet<String>; BITS.len()]) -> Result<(), StreamError> {
        let [trades, quotes, ..] = symbols;
        let too_many = match (self.kind, self.plan) {
            (Kind::Options, Plan::Paid) => quotes.len() > PAID_OPTION_QUOTES,
            (Kind::Options, Plan::Basic) => quotes.len() > BASIC_OPTION_QUOTES,
            (Kind::Stocks, Plan::Paid) | (_, Plan::Unlimited) => false,
            (Kind::Stocks, Plan::Basic) => {
                trades.contains(STAR) || quotes.contains(STAR) || trades.len() + quotes.len() > BASIC_STOCKS
            }
        };
        if too_many { Err(StreamError::SymbolLimit) } else { Ok(()) }
    }
}

/// Corrections and cancels come with the trades of stocks and are not subscribed on their own.
fn follow_trades(symbols: &mut [BTreeSet<String>; BITS.len()]) {
    let [trades, .., corrections, cancel_errors, _] = symbols;
    corrections.clone_from(trades);
    cancel_errors.clone_from(trades);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(trades: &[&str], quotes: &[&str]) -> Channels {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Channels { trades: owned(trades), quotes: owned(quotes), ..Channels::default() }
    }

    fn contract(number: usize) -> String {
        format!("SPY261127C{number:08}")
    }

    #[test]
    fn adding_and_taking_away_answers_with_everything() {
        let mut subscriptions = Subscriptions::new(Kind::Stocks, Plan::Paid);
        subscriptions.subscribe(&channels(&["SPY", "AAPL"], &["*"])).unwrap();
        subscriptions.unsubscribe(&channels(&["SPY"], &[])).unwrap();
        let now = subscriptions.channels();
        assert_eq!((now.trades, now.quotes), (vec!["AAPL".to_owned()], vec!["*".to_owned()]));
        assert_eq!((now.corrections, now.cancel_errors), (vec!["AAPL".to_owned()], vec!["AAPL".to_owned()]));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut subscriptions = Subscriptions::new(Kind::Options, Plan::Paid);
        let thousand: Vec<String> = (1..=1_000).map(contract).collect();
        let all = Channels { quotes: thousand, ..Channels::default() };
        subscriptions.subscribe(&all).unwrap();
        let one_more = Channels { quotes: vec![contract(1_001)], ..Channels::default() };
        assert_eq!(subscriptions.subscribe(&one_more), Err(StreamError::SymbolLimit));
        assert_eq!(subscriptions.subscribe(&channels(&[], &["*"])), Err(StreamError::StarNotAllowed));
        assert_eq!(subscriptions.subscribe(&channels(&["SPY"], &[])), Err(StreamError::InvalidSyntax));
        let bars = Channels { bars: vec!["*".to_owned()], ..Channels::default() };
        assert_eq!(subscriptions.subscribe(&bars), Err(StreamError::InvalidAction));
        assert_eq!(subscriptions.channels().quotes.len(), 1_000);
        subscriptions.subscribe(&channels(&["*"], &[])).unwrap();
    }

    #[test]
    fn the_free_plan_is_small() {
        let mut options = Subscriptions::new(Kind::Options, Plan::Basic);
        let many = Channels { quotes: (1..=201).map(contract).collect(), ..Channels::default() };
        assert_eq!(options.subscribe(&many), Err(StreamError::SymbolLimit));
        let mut stocks = Subscriptions::new(Kind::Stocks, Plan::Basic);
        let names: Vec<String> = (0..16).map(|n| format!("A{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(stocks.subscribe(&channels(&names, &names)), Err(StreamError::SymbolLimit));
        stocks.subscribe(&channels(&names, &names[..14])).unwrap();
        assert_eq!(stocks.subscribe(&channels(&["*"], &[])), Err(StreamError::SymbolLimit));
        let bars = Channels { bars: vec!["*".to_owned()], ..Channels::default() };
        stocks.subscribe(&bars).unwrap();
    }
}
