//! From what a stream says to inputs: market events as they are, everything else as facts.

use super::outlet::FeedInput;
use agenttrader_alpaca::rest::RestError;
use agenttrader_alpaca::stream::{NotTaken, StreamEvent};
use agenttrader_core::event::{Bar, MarketEvent};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_sequence::input::{Fact, FeedFact, Input};
use std::sync::mpsc::{SyncSender, TrySendError};
use tokio::sync::mpsc::UnboundedSender;

/// Which of the venue's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamName {
    /// Stock quotes, prints, bars, statuses.
    Stocks,
    /// Option quotes and prints.
    Options,
}

impl StreamName {
    fn text(self) -> String {
        match self {
            Self::Stocks => "stocks".to_owned(),
            Self::Options => "options".to_owned(),
        }
    }
}

/// A stream came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Up {
    /// Which.
    pub(super) name: StreamName,
    /// It was up before: something was lost in between.
    pub(super) again: bool,
    /// Exchange time of its last event so far.
    pub(super) last: Option<UnixNanos>,
}

/// Passes one stream's events on.
pub(super) struct Messages {
    name: StreamName,
    delayed: bool,
    queue: SyncSender<FeedInput>,
    ups: UnboundedSender<Up>,
    was_up: bool,
    last: Option<UnixNanos>,
    lost_after: Option<UnixNanos>,
    rejected: u64,
    untold: u64,
    first_reason: String,
    refusal: String,
}

impl Messages {
    /// `ups` is told whenever the stream comes up.
    pub(super) fn new(name: StreamName, delayed: bool, queue: SyncSender<FeedInput>, ups: UnboundedSender<Up>) -> Self {
        Self {
            name,
            delayed,
            queue,
            ups,
            was_up: false,
            last: None,
            lost_after: None,
            rejected: 0,
            untold: 0,
            first_reason: String::new(),
            refusal: String::new(),
        }
    }

    /// Why the venue refused the stream for good; empty while it did not.
    pub(super) fn refusal(&self) -> String {
        self.refusal.clone()
    }

    /// Takes one event of the stream. Never blocks.
    pub(super) fn take(&mut self, event: StreamEvent) -> Result<(), NotTaken> {
        match event {
            StreamEvent::Market(market) => {
                if let (Some(from), Some(to)) = (self.lost_after, market.exchange_time()) {
                    let gap = FeedFact::Gap { stream: self.name.text(), from, to };
                    self.offer(fact(gap), || StreamEvent::Market(market))?;
                    self.lost_after = None;
                }
                self.offer(Input::Market(market), || StreamEvent::Market(market))?;
                self.last = market.exchange_time().or(self.last);
                Ok(())
            }
            StreamEvent::Connected => {
                let connected = FeedFact::Connected { stream: self.name.text(), delayed: self.delayed };
                self.offer(fact(connected), || StreamEvent::Connected)?;
                // Nobody listens once the day has ended, and then there is nothing to fill in.
                let _ = self.ups.send(Up { name: self.name, again: self.was_up, last: self.last });
                self.was_up = true;
                Ok(())
            }
            StreamEvent::Unknown { kind } => {
                let reason = format!("message of unknown type `{}`", kind.as_str().escape_debug());
                self.reject(reason, || StreamEvent::Unknown { kind })
            }
            StreamEvent::Bad(bad) => {
                let reason = bad.to_string();
                self.reject(reason, || StreamEvent::Bad(bad))
            }
            StreamEvent::Disconnected { reason, will_retry_in } => {
                self.tell_rejected();
                let told = format!("{reason}; next try in {} ms", will_retry_in.as_millis());
                let lost = FeedFact::Disconnected { stream: self.name.text(), reason: told };
                self.offer(fact(lost), || StreamEvent::Disconnected { reason, will_retry_in })?;
                self.lost_after = self.last;
                Ok(())
            }
            StreamEvent::Refused { code, message } => {
                self.refusal = format!("{} stream, {code} {}", self.name.text(), message.escape_debug());
                let refused = FeedFact::Disconnected {
                    stream: self.name.text(),
                    reason: format!("refused for good: {}", self.refusal),
                };
                self.offer(fact(refused), || StreamEvent::Refused { code, message })
            }
        }
    }

    /// Counts what cannot be used. Told at the first, second, fourth, eighth … so that a hostile feed cannot fill a log.
    fn reject(&mut self, reason: String, event: impl FnOnce() -> StreamEvent) -> Result<(), NotTaken> {
        if self.untold == 0 {
            self.first_reason = reason;
        }
        self.rejected = self.rejected.saturating_add(1);
        self.untold = self.untold.saturating_add(1);
        if !self.rejected.is_power_of_two() {
            return Ok(());
        }
        let told = self.rejection();
        let taken = self.offer(told, event);
        match taken {
            Ok(()) => self.untold = 0,
            Err(_) => {
                self.rejected = self.rejected.saturating_sub(1);
                self.untold = self.untold.saturating_sub(1);
            }
        }
        taken
    }

    fn tell_rejected(&mut self) {
        if self.untold > 0 && self.queue.try_send(FeedInput::Input(self.rejection())).is_ok() {
            self.untold = 0;
        }
    }

    fn rejection(&self) -> Input {
        fact(FeedFact::Rejected { stream: self.name.text(), reason: self.first_reason.clone(), count: self.untold })
    }

    fn offer(&self, input: Input, event: impl FnOnce() -> StreamEvent) -> Result<(), NotTaken> {
        match self.queue.try_send(FeedInput::Input(input)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(NotTaken::Full(event())),
            Err(TrySendError::Disconnected(_)) => Err(NotTaken::Gone),
        }
    }
}

fn fact(fact: FeedFact) -> Input {
    Input::Fact(Fact::Feed(fact))
}

pub(super) fn cadence(every: Span) -> Input {
    fact(FeedFact::Cadence { every })
}

pub(super) fn rest_failed(error: &RestError) -> Input {
    fact(FeedFact::Disconnected { stream: "rest".to_owned(), reason: error.to_string() })
}

pub(super) fn rejected(reason: String, count: u64) -> Input {
    fact(FeedFact::Rejected { stream: "rest".to_owned(), reason, count })
}

/// Bars of the past in order of time, and the word that all are there.
pub(super) fn filled_in(mut bars: Vec<Bar>) -> impl Iterator<Item = Input> {
    bars.sort_by_key(|bar| (bar.end(), bar.instrument));
    bars.into_iter().map(|bar| Input::Market(MarketEvent::Bar(bar))).chain([backfill_complete()])
}

fn backfill_complete() -> Input {
    fact(FeedFact::BackfillComplete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_alpaca::stream::Lost;
    use agenttrader_core::event::{MarketEvent, Trade};
    use agenttrader_core::instrument::InstrumentId;
    use agenttrader_core::price::Price;
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::time::Duration;

    fn messages(room: usize) -> (Messages, Receiver<FeedInput>) {
        let (queue, inputs) = sync_channel(room);
        let (ups, _) = tokio::sync::mpsc::unbounded_channel();
        (Messages::new(StreamName::Stocks, false, queue, ups), inputs)
    }

    fn trade(seconds: i64) -> StreamEvent {
        let exchange_time = UnixNanos::from_seconds(seconds);
        let trade = Trade {
            instrument: InstrumentId(0),
            exchange_time,
            price: Price::DOLLAR,
            size: 1,
            exchange: b'Q',
            conditions: *b"@   ",
            trade_id: 1,
        };
        StreamEvent::Market(MarketEvent::Trade(trade))
    }

    fn lost() -> StreamEvent {
        StreamEvent::Disconnected { reason: Lost::Closed { why: None }, will_retry_in: Duration::from_millis(700) }
    }

    fn facts(inputs: &Receiver<FeedInput>) -> Vec<FeedFact> {
        let told = |input| match input {
            FeedInput::Input(Input::Fact(Fact::Feed(fact))) => Some(fact),
            _ => None,
        };
        inputs.try_iter().filter_map(told).collect()
    }

    #[test]
    fn a_gap_is_told_before_the_first_event_after_it() {
        let (mut messages, inputs) = messages(16);
        for event in [StreamEvent::Connected, trade(1), lost(), StreamEvent::Connected, trade(9), trade(10)] {
            messages.take(event).unwrap();
        }
        let gap =
            FeedFact::Gap { stream: "stocks".into(), from: UnixNanos::from_seconds(1), to: UnixNanos::from_seconds(9) };
        let told = facts(&inputs);
        assert_eq!(told.iter().filter(|fact| matches!(fact, FeedFact::Gap { .. })).collect::<Vec<_>>(), [&gap]);
    }

    #[test]
    fn coming_up_again_tells_from_where_to_fill_in() {
        let (queue, _inputs) = sync_channel(16);
        let (ups, mut told) = tokio::sync::mpsc::unbounded_channel();
        let mut messages = Messages::new(StreamName::Stocks, false, queue, ups);
        for event in [StreamEvent::Connected, trade(1), lost(), StreamEvent::Connected] {
            messages.take(event).unwrap();
        }
        let up = |again, last| Up { name: StreamName::Stocks, again, last };
        assert_eq!(told.try_recv().unwrap(), up(false, None));
        assert_eq!(told.try_recv().unwrap(), up(true, Some(UnixNanos::from_seconds(1))));
    }

    #[test]
    fn every_rejected_message_is_counted_and_few_are_told() {
        let (mut messages, inputs) = messages(64);
        for _ in 0..1_000 {
            messages
                .take(StreamEvent::Unknown { kind: agenttrader_alpaca::wire::letters::Letters::cut(b"zz") })
                .unwrap();
        }
        messages.take(lost()).unwrap();
        let told = facts(&inputs);
        let counts: Vec<u64> = told
            .iter()
            .filter_map(|fact| if let FeedFact::Rejected { count, .. } = fact { Some(*count) } else { None })
            .collect();
        assert_eq!(counts.iter().sum::<u64>(), 1_000);
        assert!(counts.len() < 12, "{counts:?}");
    }

    #[test]
    fn a_full_queue_gives_the_event_back() {
        let (mut messages, _inputs) = messages(1);
        messages.take(trade(1)).unwrap();
        assert!(matches!(messages.take(trade(2)), Err(NotTaken::Full(event)) if event == trade(2)));
    }
}
