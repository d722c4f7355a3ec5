//! What the venue lists, and what it can tell of the time before we listened.

use super::messages::{self, StreamName};
use super::source::{Clients, FeedConfig};
use agenttrader_alpaca::data_rest::{ChainFilter, Timeframe};
use agenttrader_alpaca::rest::RestError;
use agenttrader_alpaca::trading_rest::ContractFilter;
use agenttrader_alpaca::wire::contract::Contract;
use agenttrader_alpaca::wire::control::Channels;
use agenttrader_core::calendar::{LAST_DATE, Session, new_york_date};
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest};
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments, OptionContract};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::input::Input;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How far ahead contracts are followed: same-day and the next two weeklies.
const DAYS_AHEAD: i64 = 15;

/// Underlyings and contracts of one date.
pub(super) struct Listing {
    symbols: Vec<Symbol>,
    shares: Vec<Symbol>,
    contracts: Vec<(OptionContract, Option<u64>)>,
    /// Every contract listed, also those that the plan has no room for.
    listed: Vec<OccSymbol>,
    unreadable: Vec<String>,
    date: Date,
}

impl Listing {
    /// Asks the venue.
    pub(super) async fn ask(config: &FeedConfig, clients: &Clients, now: UnixNanos) -> Result<Self, RestError> {
        let symbols = config.symbols.clone();
        let mut shares = Vec::new();
        for symbol in &symbols {
            // An index has options and is no asset.
            match clients.trading.asset(*symbol).await {
                Ok(asset) if asset.status == "active" => shares.push(*symbol),
                Ok(_) => {}
                Err(error) if error.status() == Some(404) => {}
                Err(error) => return Err(error),
            }
        }
        let date = new_york_date(now);
        let (mut contracts, unreadable) = contracts(config, clients, date).await?;
        let listed = contracts.iter().map(|(option, _)| option.contract).collect();
        if let Some(limit) = config.option_quote_limit.filter(|limit| contracts.len() > *limit) {
            let spots = spots(clients, config, &shares).await?;
            contracts = nearest(contracts, &spots, limit);
        }
        Ok(Self { symbols, shares, contracts, listed, unreadable, date })
    }

    /// Its date.
    pub(super) const fn date(&self) -> Date {
        self.date
    }

    /// Whether the venue lists the same contracts still: another market may have been put in its place meanwhile.
    pub(super) async fn still_holds(&self, config: &FeedConfig, clients: &Clients) -> Result<bool, RestError> {
        let (now, _) = contracts(config, clients, self.date).await?;
        Ok(now.iter().map(|(option, _)| option.contract).eq(self.listed.iter().copied()))
    }

    /// Defines what is new and says the open interest.
    pub(super) fn define(&self, instruments: &mut Instruments) -> Vec<Input> {
        let mut inputs = Vec::new();
        let shares = self.shares.iter().map(|symbol| Instrument::Equity { symbol: *symbol });
        let options = self.contracts.iter().map(|(option, _)| Instrument::Option(*option));
        for instrument in shares.chain(options) {
            let before = instruments.len();
            match instruments.define(instrument) {
                Some(id) if instruments.len() > before => inputs.push(Input::Instrument { id, instrument }),
                Some(_) => {}
                None => inputs.push(messages::rejected(format!("{instrument}: no room for more instruments"), 1)),
            }
        }
        for (option, contracts) in &self.contracts {
            let id = instruments.by_contract(&option.contract);
            if let (Some(instrument), Some(contracts)) = (id, *contracts) {
                inputs.push(Input::Market(MarketEvent::OpenInterest(OpenInterest {
                    instrument,
                    contracts,
                    date: self.date,
                })));
            }
        }
        if let Some(first) = self.unreadable.first() {
            let reason = format!("contract `{}` cannot be read", first.escape_debug());
            inputs.push(messages::rejected(reason, self.unreadable.len() as u64));
        }
        inputs
    }

    /// Bars of today and of the session before, and, where they were not told yet, the contracts' volumes so far. Ends with
    /// the word that all is there.
    pub(super) async fn backfill(
        &self,
        config: &FeedConfig,
        clients: &Clients,
        instruments: &Instruments,
        now: UnixNanos,
        with_volumes: bool,
    ) -> Result<Vec<Input>, RestError> {
        let from = Session::previous_before(self.date).open;
        let mut bars = self.minutes(config, clients, instruments, (from, now)).await?;
        if with_volumes {
            bars.extend(self.volumes_so_far(config, clients, instruments, now).await?);
        }
        Ok(messages::filled_in(bars).collect())
    }

    /// The shares' minutes that began at `from` or later and are over by `now`, as filled in.
    pub(super) async fn minutes(
        &self,
        config: &FeedConfig,
        clients: &Clients,
        instruments: &Instruments,
        (from, now): (UnixNanos, UnixNanos),
    ) -> Result<Vec<Bar>, RestError> {
        let mut bars = Vec::new();
        if self.shares.is_empty() || from >= now {
            return Ok(bars);
        }
        let minutes =
            clients.data.stock_bars(&self.shares, Timeframe::Minutes(1), from, now, config.stock_feed).await?;
        for (symbol, listed) in minutes {
            let id = Symbol::parse(&symbol).ok().and_then(|symbol| instruments.by_symbol(symbol));
            let read = |id| listed.iter().map(move |bar| bar.event(id, Span::from_minutes(1), true));
            bars.extend(id.into_iter().flat_map(read).filter(|bar| bar.end() <= now));
        }
        Ok(bars)
    }

    /// One bar a contract, from the open until now, with the day's volume.
    async fn volumes_so_far(
        &self,
        config: &FeedConfig,
        clients: &Clients,
        instruments: &Instruments,
        now: UnixNanos,
    ) -> Result<Vec<Bar>, RestError> {
        let mut bars = Vec::new();
        let Some(session) = Session::on(self.date).filter(|session| session.open < now) else { return Ok(bars) };
        for symbol in &self.symbols {
            let chain = clients.data.option_chain(*symbol, ChainFilter::default(), config.option_feed).await?;
            for (contract, snapshot) in chain {
                let id: Option<InstrumentId> =
                    OccSymbol::parse(&contract).ok().and_then(|contract| instruments.by_contract(&contract));
                let (Some(id), Some(daily)) = (id, snapshot.daily_bar) else { continue };
                let day = daily.event(id, Span::from_seconds(0), true);
                if new_york_date(day.start) == self.date {
                    bars.push(Bar { start: session.open, interval: now.since(session.open), ..day });
                }
            }
        }
        Ok(bars)
    }

    /// What to subscribe to. `with_option_bars`: a venue that plays a recording gives bars of contracts too.
    pub(super) fn channels(&self, name: StreamName, with_option_bars: bool) -> Channels {
        let shares: Vec<String> = self.shares.iter().map(Symbol::to_string).collect();
        let contracts: Vec<String> = self.contracts.iter().map(|(option, _)| option.contract.to_string()).collect();
        match name {
            StreamName::Stocks => Channels {
                trades: shares.clone(),
                quotes: shares.clone(),
                bars: shares.clone(),
                statuses: shares,
                ..Channels::default()
            },
            StreamName::Options => Channels {
                bars: if with_option_bars { contracts.clone() } else { Vec::new() },
                trades: contracts.clone(),
                quotes: contracts,
                ..Channels::default()
            },
        }
    }
}

/// What is listed from `date` on, in order of symbol, and what of it cannot be read.
async fn contracts(
    config: &FeedConfig,
    clients: &Clients,
    date: Date,
) -> Result<(Vec<(OptionContract, Option<u64>)>, Vec<String>), RestError> {
    let soon = date.checked_add(jiff::Span::new().days(DAYS_AHEAD)).unwrap_or(date);
    // A recording holds what it holds: all of it is followed.
    let expiration_to = if config.cadence.is_some() { LAST_DATE } else { soon };
    let filter = ContractFilter { underlyings: config.symbols.clone(), expiration_from: date, expiration_to };
    let mut contracts = Vec::new();
    let mut unreadable = Vec::new();
    for contract in &clients.trading.option_contracts(&filter).await? {
        match read_contract(contract) {
            Some(read) if config.symbols.contains(&read.0.underlying) => contracts.push(read),
            Some(_) => {}
            None => unreadable.push(contract.symbol.chars().take(32).collect()),
        }
    }
    contracts.sort_by_key(|(option, _)| option.contract);
    contracts.dedup_by_key(|(option, _)| option.contract);
    Ok((contracts, unreadable))
}

fn read_contract(contract: &Contract) -> Option<(OptionContract, Option<u64>)> {
    let symbol = OccSymbol::parse(&contract.symbol).ok()?;
    let underlying = Symbol::parse(&contract.underlying_symbol).ok()?;
    let european = contract.style == "european";
    Some((OptionContract { underlying, contract: symbol, european }, contract.open_interest()))
}

async fn spots(
    clients: &Clients,
    config: &FeedConfig,
    shares: &[Symbol],
) -> Result<BTreeMap<Symbol, Price>, RestError> {
    let snapshots = clients.data.stock_snapshots(shares, config.stock_feed).await?;
    let price = |(symbol, snapshot): (String, agenttrader_alpaca::wire::snapshot::Snapshot)| {
        let price =
            snapshot.latest_trade.as_ref().map(|trade| trade.p).or(snapshot.daily_bar.as_ref().map(|bar| bar.c))?;
        Some((Symbol::parse(&symbol).ok()?, price))
    };
    Ok(snapshots.into_iter().filter_map(price).collect())
}

/// The contracts nearest to the money, soonest expiry first, as many as the plan allows: one of each underlying, then the
/// next of each. Where nobody knows the price, the middle strike stands for it.
fn nearest(
    contracts: Vec<(OptionContract, Option<u64>)>,
    spots: &BTreeMap<Symbol, Price>,
    limit: usize,
) -> Vec<(OptionContract, Option<u64>)> {
    let mut by_underlying: BTreeMap<Symbol, Vec<(OptionContract, Option<u64>)>> = BTreeMap::new();
    for contract in contracts {
        by_underlying.entry(contract.0.underlying).or_default().push(contract);
    }
    for (symbol, listed) in &mut by_underlying {
        let mut strikes: Vec<i64> = listed.iter().map(|(option, _)| option.strike().nanos()).collect();
        strikes.sort_unstable();
        let middle = strikes.get(strikes.len() / 2).copied().unwrap_or(0);
        let spot = spots.get(symbol).map_or(middle, |price| price.nanos());
        listed
            .sort_by_key(|(option, _)| (option.expiration(), option.strike().nanos().abs_diff(spot), option.contract));
    }
    let mut ranked: Vec<_> = by_underlying.into_values().flat_map(|listed| listed.into_iter().enumerate()).collect();
    ranked.sort_by_key(|(rank, (option, _))| (*rank, option.contract));
    let mut chosen: Vec<_> = ranked.into_iter().take(limit).map(|(_, contract)| contract).collect();
    chosen.sort_by_key(|(option, _)| option.contract);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::instrument::Right;
    use jiff::civil::date;

    #[test]
    fn a_small_plan_gets_the_contracts_nearest_to_the_money() {
        let symbol = |text: &str| Symbol::parse(text).unwrap();
        let dollars = |whole: i64| Price::from_nanos(whole * 1_000_000_000);
        let contract = |root: &str, day: i8, strike: i64| {
            let contract = OccSymbol::new(root, date(2026, 11, day), Right::Call, dollars(strike)).unwrap();
            (OptionContract { underlying: symbol(root), contract, european: false }, Some(1))
        };
        let listed = vec![
            contract("QQQ", 24, 500),
            contract("SPY", 24, 590),
            contract("SPY", 24, 600),
            contract("SPY", 24, 610),
            contract("SPY", 27, 600),
        ];
        let spots = BTreeMap::from([(symbol("SPY"), dollars(604)), (symbol("QQQ"), dollars(500))]);
        let chosen = |spots, limit| -> Vec<String> {
            nearest(listed.clone(), spots, limit).iter().map(|(option, _)| option.contract.to_string()).collect()
        };
        let three = ["QQQ261124C00500000", "SPY261124C00600000", "SPY261124C00610000"];
        assert_eq!(chosen(&spots, 3), three);
        // What one underlying does not need the others get.
        assert_eq!(chosen(&spots, 4).len(), 4);
        let unknown = BTreeMap::new();
        assert_eq!(chosen(&unknown, 2), ["QQQ261124C00500000", "SPY261124C00600000"]);
    }
}
