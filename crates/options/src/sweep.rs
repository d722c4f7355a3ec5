//! Recognises one buyer or seller who takes several exchanges at once.

use crate::{
    flow_event::{FlowEvent, Kind, Outcome},
    quote_trail::Side,
};

/// Prints this close to the first can belong to one sweep.
pub const SWEEP_NANOS: i64 = 250_000_000;

/// Contracts that make a sweep.
pub const SWEEP_CONTRACTS: u64 = 50;

/// Exchanges that make a sweep.
pub const SWEEP_EXCHANGES: usize = 2;

/// Prints held per side. Without loss: this many prints of at least one contract are more than [`SWEEP_CONTRACTS`], so
/// they are still held only if they are of one exchange; letting the oldest go then never hides a sweep.
const MOST_HELD: usize = 64;

const _: () = assert!(MOST_HELD as u64 > SWEEP_CONTRACTS);

/// Both sides of one contract.
#[derive(Clone, Debug, Default)]
pub struct SweepDetector {
    ask: Window,
    bid: Window,
}

impl SweepDetector {
    /// Takes one print as the event it is by itself, its exchange, and the conviction of a sweep that it would complete.
    /// Prints without a side are told of at once.
    pub fn take(&mut self, print: FlowEvent, exchange: u8, as_sweep: f64, emit: &mut impl FnMut(FlowEvent)) -> Outcome {
        match print.side {
            Side::Ask => self.ask.take(Held { event: print, exchange }, as_sweep, emit),
            Side::Bid => self.bid.take(Held { event: print, exchange }, as_sweep, emit),
            Side::Mid | Side::Unknown => {
                emit(print);
                Outcome::Taken
            }
        }
    }

    /// Tells of the prints that are more than 250 ms old at `now`, oldest first on each side.
    pub fn settle(&mut self, now: i64, emit: &mut impl FnMut(FlowEvent)) {
        self.ask.settle(now, emit);
        self.bid.settle(now, emit);
    }

    /// Whether any print is held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        !(self.ask.held.is_empty() && self.bid.held.is_empty())
    }
}

#[derive(Clone, Copy, Debug)]
struct Held {
    event: FlowEvent,
    exchange: u8,
}

/// One side: prints that may yet be part of a sweep, or the sweep that is absorbing.
#[derive(Clone, Debug, Default)]
struct Window {
    /// In order of arrival, none more than 250 ms from the newest.
    held: Vec<Held>,
    /// First print of the sweep told of last.
    absorbing_from: Option<i64>,
}

impl Window {
    fn take(&mut self, print: Held, as_sweep: f64, emit: &mut impl FnMut(FlowEvent)) -> Outcome {
        let at = print.event.at;
        if let Some(first) = self.absorbing_from {
            let since = at.saturating_sub(first);
            if (0..=SWEEP_NANOS).contains(&since) {
                return Outcome::Absorbed;
            }
            if since > SWEEP_NANOS {
                self.absorbing_from = None;
            }
        }
        self.settle(at, emit);
        let newest = self.held.iter().map(|held| held.event.at).max();
        if newest.is_some_and(|newest| newest.saturating_sub(at) > SWEEP_NANOS) {
            // It comes too late to belong with what is held.
            emit(print.event);
            return Outcome::Taken;
        }
        if self.held.len() >= MOST_HELD {
            emit(self.held.remove(0).event);
        }
        self.held.push(print);
        if let Some(sweep) = self.sweep(as_sweep) {
            self.absorbing_from = Some(sweep.first_at);
            self.held.clear();
            emit(sweep);
        }
        Outcome::Taken
    }

    fn settle(&mut self, now: i64, emit: &mut impl FnMut(FlowEvent)) {
        self.held.retain(|held| {
            let keep = now.saturating_sub(held.event.at) <= SWEEP_NANOS;
            if !keep {
                emit(held.event);
            }
            keep
        });
    }

    /// The sweep that the held prints make, if they do.
    fn sweep(&self, conviction: f64) -> Option<FlowEvent> {
        let last = self.held.last()?.event;
        let size = self.held.iter().fold(0_u64, |sum, held| sum.saturating_add(held.event.size));
        let exchanges = self.exchanges();
        if size < SWEEP_CONTRACTS || exchanges < SWEEP_EXCHANGES {
            return None;
        }
        let premium: f64 = self.held.iter().map(|held| held.event.premium).sum();
        let weighted: f64 = self.held.iter().map(|held| held.event.price * held.event.size as f64).sum();
        let times = self.held.iter().map(|held| held.event.at);
        Some(FlowEvent {
            kind: Kind::Sweep,
            at: times.clone().max().unwrap_or(last.at),
            first_at: times.min().unwrap_or(last.at),
            price: weighted / size as f64,
            size,
            premium,
            conviction,
            prints: u32::try_from(self.held.len()).unwrap_or(u32::MAX),
            exchanges: u32::try_from(exchanges).unwrap_or(u32::MAX),
            ..last
        })
    }

    fn exchanges(&self) -> usize {
        let seen = |before: &[Held], exchange| before.iter().any(|held| held.exchange == exchange);
        self.held
            .iter()
            .enumerate()
            .filter(|(i, held)| !self.held.get(..*i).is_some_and(|before| seen(before, held.exchange)))
            .count()
    }
}
