//! The way out: one bounded queue to the sequence's thread.

use agenttrader_core::time::UnixNanos;
use agenttrader_sequence::input::Input;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use tokio::sync::watch;

/// Between two offers to a full queue.
const OFFER_AGAIN: Duration = Duration::from_millis(2);

/// What the feed hands to the sequence's thread.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedInput {
    /// An input, to be numbered and recorded.
    Input(Input),
    /// What the venue's clock said.
    Clock {
        /// Wall time of the reading: halfway between question and answer; of a clock that does not run at the wall's pace
        /// that of the question, so that events never seem to come from the future.
        wall: UnixNanos,
        /// The venue's time.
        venue: UnixNanos,
        /// Venue seconds a wall second.
        speed: f64,
    },
}

/// Sends to the sequence's thread and waits where its queue is full: what is asked for over REST is never dropped.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    pub(super) queue: SyncSender<FeedInput>,
    pub(super) stop: watch::Receiver<bool>,
}

/// The sequence's thread is gone, or a stop was asked for.
pub(super) struct Gone;

impl Outlet {
    pub(super) async fn put(&self, input: FeedInput) -> Result<(), Gone> {
        let mut input = input;
        loop {
            match self.queue.try_send(input) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(Gone),
                Err(TrySendError::Full(back)) => input = back,
            }
            if *self.stop.borrow() {
                return Err(Gone);
            }
            tokio::time::sleep(OFFER_AGAIN).await;
        }
    }

    pub(super) async fn put_all(&self, inputs: impl IntoIterator<Item = Input>) -> Result<(), Gone> {
        for input in inputs {
            self.put(FeedInput::Input(input)).await?;
        }
        Ok(())
    }
}
