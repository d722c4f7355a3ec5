//! The files' events in one order: by time, then by kind, then by place in the file.
//!
//! A file of one instrument is streamed: it is in order of time already, and a day of ticks need not be held. A chain is a member a
//! contract, each in order; all of them are held and sorted.

use super::archive::{Archive, Lines};
use super::csv::{Format, Parser, Reason, Window};
use super::names::Kind;
use super::report::Tally;
use super::{ImportError, Timed};
use agenttrader_core::event::{Bar, MarketEvent, OpenInterest, Quote, Trade};
use agenttrader_core::instrument::InstrumentId;
use agenttrader_core::time::UnixNanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The events of one file, in order.
pub(super) enum Feed<'a> {
    /// Read as they are asked for.
    Streamed { lines: Box<Lines<'a>>, parser: Parser, tally: Tally },
    /// Held.
    Loaded(Chain),
}

impl<'a> Feed<'a> {
    pub(super) fn streamed(archive: &'a mut Archive, parser: Parser) -> Result<Self, ImportError> {
        let mut tally = Tally::default();
        tally.at(archive.members().first().map_or("", String::as_str));
        Ok(Self::Streamed { lines: Box::new(archive.lines(0)?), parser, tally })
    }

    fn next_event(&mut self) -> Result<Option<Timed>, ImportError> {
        match self {
            Self::Loaded(chain) => Ok(chain.next_event()),
            Self::Streamed { lines, parser, tally } => {
                while let Some(line) = lines.next_line()? {
                    if let Some(event) = parser.take(line, tally) {
                        return Ok(Some(event));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// The events of a whole chain, held in as little as their kind needs.
pub(super) struct Chain {
    events: Events,
    next: usize,
    tally: Tally,
}

enum Events {
    Quotes(Vec<Quote>),
    Trades(Vec<Trade>),
    Bars(Vec<Bar>),
    Interest(Vec<(UnixNanos, OpenInterest)>),
}

impl Chain {
    /// Reads all members of an archive; `contracts` gives each member's number. `read` hears how many members more were read.
    pub(super) fn load(
        archive: &mut Archive,
        format: Format,
        window: &Window,
        contracts: &[Option<InstrumentId>],
        read: &mut dyn FnMut(u64),
    ) -> Result<Self, ImportError> {
        let mut events = match (format.kind(), format.is_ticks()) {
            (Kind::Quote, _) => Events::Quotes(Vec::new()),
            (Kind::Trade, true) => Events::Trades(Vec::new()),
            (Kind::Trade, false) => Events::Bars(Vec::new()),
            (Kind::OpenInterest, _) => Events::Interest(Vec::new()),
        };
        let mut tally = Tally::default();
        let rows = archive.rows();
        for (index, contract) in contracts.iter().enumerate() {
            tally.at(archive.members().get(index).map_or("", String::as_str));
            let mut parser = contract.map(|contract| Parser::new(format, *window, contract));
            let mut lines = archive.lines(index)?;
            let mut full = false;
            while let Some(line) = lines.next_line()? {
                let Some(parser) = &mut parser else {
                    tally.row();
                    tally.drop_row(Reason::Terms.as_str(), line);
                    continue;
                };
                if let Some(event) = parser.take(line, &mut tally) {
                    events.push(event);
                }
                if events.len() > rows {
                    full = true;
                    break;
                }
            }
            drop(lines);
            if full {
                return Err(archive.too_large(format!("over {rows} rows of options; try a coarser resolution")));
            }
            read(1);
        }
        events.sort();
        Ok(Self { events, next: 0, tally })
    }

    fn next_event(&mut self) -> Option<Timed> {
        let event = self.events.get(self.next)?;
        self.next = self.next.saturating_add(1);
        Some(event)
    }
}

impl Events {
    fn push(&mut self, (at, event): Timed) {
        match (self, event) {
            (Self::Quotes(held), MarketEvent::Quote(quote)) => held.push(quote),
            (Self::Trades(held), MarketEvent::Trade(trade)) => held.push(trade),
            (Self::Bars(held), MarketEvent::Bar(bar)) => held.push(bar),
            (Self::Interest(held), MarketEvent::OpenInterest(interest)) => held.push((at, interest)),
            // A file has rows of one kind: the parser that was given its format makes no other event.
            _ => {}
        }
    }

    fn get(&self, index: usize) -> Option<Timed> {
        Some(match self {
            Self::Quotes(held) => held.get(index).map(|quote| (quote.exchange_time, MarketEvent::Quote(*quote)))?,
            Self::Trades(held) => held.get(index).map(|trade| (trade.exchange_time, MarketEvent::Trade(*trade)))?,
            Self::Bars(held) => held.get(index).map(|bar| (bar.end(), MarketEvent::Bar(*bar)))?,
            Self::Interest(held) => held.get(index).map(|(at, one)| (*at, MarketEvent::OpenInterest(*one)))?,
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Quotes(held) => held.len(),
            Self::Trades(held) => held.len(),
            Self::Bars(held) => held.len(),
            Self::Interest(held) => held.len(),
        }
    }

    /// By time; events of one instant stay in the order of the file.
    fn sort(&mut self) {
        match self {
            Self::Quotes(held) => held.sort_by_key(|quote| quote.exchange_time),
            Self::Trades(held) => held.sort_by_key(|trade| trade.exchange_time),
            Self::Bars(held) => held.sort_by_key(Bar::end),
            Self::Interest(held) => held.sort_by_key(|(at, _)| *at),
        }
    }
}

/// The files' events in one order.
pub(super) struct Merge<'a> {
    feeds: Vec<(Feed<'a>, Option<MarketEvent>)>,
    heads: BinaryHeap<Reverse<(UnixNanos, usize)>>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(feeds: Vec<Feed<'a>>) -> Result<Self, ImportError> {
        let mut merge = Self { feeds: Vec::with_capacity(feeds.len()), heads: BinaryHeap::new() };
        for (index, feed) in feeds.into_iter().enumerate() {
            merge.feeds.push((feed, None));
            merge.refill(index)?;
        }
        Ok(merge)
    }

    pub(super) fn next_event(&mut self) -> Result<Option<Timed>, ImportError> {
        let Some(Reverse((at, index))) = self.heads.pop() else { return Ok(None) };
        let event = self.feeds.get_mut(index).and_then(|(_, head)| head.take());
        self.refill(index)?;
        Ok(event.map(|event| (at, event)))
    }

    pub(super) fn into_tallies(self) -> Vec<Tally> {
        let tally = |(feed, _): (Feed, _)| match feed {
            Feed::Streamed { tally, .. } => tally,
            Feed::Loaded(chain) => chain.tally,
        };
        self.feeds.into_iter().map(tally).collect()
    }

    fn refill(&mut self, index: usize) -> Result<(), ImportError> {
        if let Some((feed, head)) = self.feeds.get_mut(index)
            && let Some((at, event)) = feed.next_event()?
        {
            *head = Some(event);
            self.heads.push(Reverse((at, index)));
        }
        Ok(())
    }
}
