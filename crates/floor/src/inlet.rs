//! The way into the sequence: the market through a bounded queue, and beside it what must not wait behind the market.

use crate::secrets::without_secrets;
use agenttrader_audit::redact::Redactor;
use agenttrader_marketdata::feed::FeedInput;
use agenttrader_sequence::input::{Fact, Input};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Market inputs that may wait for the sequence's thread: a burst of whole chains, some tens of milliseconds of work. A
/// stream that finds no room is cut off and told, never thinned in silence.
const MARKET_WAITING: usize = 65_536;

/// Facts that may wait: readings of the switch, the health of logs and of marketdata, the end of the feed. Each is rare.
const FACTS_WAITING: usize = 1_024;

/// Where inputs are handed in.
#[derive(Clone, Debug)]
pub struct Inlet {
    /// For the feed.
    pub market: SyncSender<FeedInput>,
    /// For everything that is taken in before the market that waits: a halt is seen at once even behind a full queue.
    pub facts: SyncSender<Fact>,
}

/// Where the sequence's thread takes inputs from. What others said in them comes without the secrets that were loaded.
#[derive(Debug)]
pub struct Inputs {
    market: Receiver<FeedInput>,
    facts: Receiver<Fact>,
    redactor: Arc<Redactor>,
}

/// Both ends.
pub fn inlet(redactor: Arc<Redactor>) -> (Inlet, Inputs) {
    let (market, markets) = sync_channel(MARKET_WAITING);
    let (facts, all_facts) = sync_channel(FACTS_WAITING);
    (Inlet { market, facts }, Inputs { market: markets, facts: all_facts, redactor })
}

impl Inputs {
    /// The next input: facts first. `Ok(None)` when none came within `wait`.
    ///
    /// # Errors
    /// When nobody is left who could hand anything in.
    pub fn next(&self, wait: Duration) -> Result<Option<FeedInput>, NobodyLeft> {
        let mut next = self.take(wait)?;
        if let Some(FeedInput::Input(input)) = &mut next {
            without_secrets(input, &self.redactor);
        }
        Ok(next)
    }

    fn take(&self, wait: Duration) -> Result<Option<FeedInput>, NobodyLeft> {
        if let Ok(fact) = self.facts.try_recv() {
            return Ok(Some(FeedInput::Input(Input::Fact(fact))));
        }
        match self.market.recv_timeout(wait) {
            Ok(input) => Ok(Some(input)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            // The feed may end for good while the switch is still watched.
            Err(RecvTimeoutError::Disconnected) => match self.facts.recv_timeout(wait) {
                Ok(fact) => Ok(Some(FeedInput::Input(Input::Fact(fact)))),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Err(NobodyLeft),
            },
        }
    }
}

/// Every sender is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody is left who could hand in an input")]
pub struct NobodyLeft;

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_core::time::UnixNanos;
    use agenttrader_safety::kill_switch::Reading;

    const SOON: Duration = Duration::from_millis(1);

    fn timer() -> FeedInput {
        FeedInput::Input(Input::Fact(Fact::Timer { wall: UnixNanos::EPOCH }))
    }

    #[test]
    fn a_halt_does_not_wait_behind_a_full_queue() {
        let (inlet, inputs) = inlet(Arc::default());
        while inlet.market.try_send(timer()).is_ok() {}
        let halt = Fact::Switch(Reading { halted: true, source: "a person".to_owned() });
        inlet.facts.try_send(halt.clone()).unwrap();
        assert_eq!(inputs.next(SOON), Ok(Some(FeedInput::Input(Input::Fact(halt)))));
        assert_eq!(inputs.next(SOON), Ok(Some(timer())));
    }

    #[test]
    fn what_comes_in_comes_without_secrets_from_either_side() {
        let secret = agenttrader_core::secret::Secret::new("hunter2-hunter2".to_owned());
        let (inlet, inputs) = inlet(Arc::new(Redactor::new([secret])));
        let fact = || Fact::Switch(Reading { halted: true, source: "contains hunter2-hunter2".to_owned() });
        inlet.facts.try_send(fact()).unwrap();
        inlet.market.try_send(FeedInput::Input(Input::Fact(fact()))).unwrap();
        drop(inlet.market);
        for _ in 0..2 {
            let shown = format!("{:?}", inputs.next(SOON).unwrap());
            assert!(shown.contains("contains [redacted]"), "{shown}");
        }
        inlet.facts.try_send(fact()).unwrap();
        assert!(!format!("{:?}", inputs.next(SOON).unwrap()).contains("hunter2"));
    }

    #[test]
    fn the_switch_is_heard_after_the_feed_has_ended() {
        let (Inlet { market, facts }, inputs) = inlet(Arc::default());
        drop(market);
        assert_eq!(inputs.next(SOON), Ok(None));
        facts.try_send(Fact::Timer { wall: UnixNanos::EPOCH }).unwrap();
        assert_eq!(inputs.next(SOON), Ok(Some(timer())));
        drop(facts);
        assert_eq!(inputs.next(SOON), Err(NobodyLeft));
    }
}
