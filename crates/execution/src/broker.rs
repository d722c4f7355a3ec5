//! The broker's door: an order passes it inside a permit, or not at all.

use agenttrader_core::time::UnixNanos;
use agenttrader_safety::permit::{ExecutionPermit, Expired};

/// What sends orders to one account at one venue. Synchronous, on the sender's thread: the permit holds the interlock until the
/// request is written, so that a halt waits for it and nothing leaves after.
pub trait Broker {
    /// Spends the permit and writes the request. `now` is venue time, read just before.
    ///
    /// # Errors
    /// [`PlaceError`]. After [`PlaceError::Unanswered`] the order may have arrived: it is asked for by its client order id and never
    /// sent again.
    fn place(&mut self, permit: ExecutionPermit<'_>, now: UnixNanos) -> Result<Sent, PlaceError>;
}

/// A venue took an order in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Our id of it.
    pub client_order_id: String,
    /// The venue's id of it.
    pub venue_order_id: String,
    /// When the request was written, venue time.
    pub at: UnixNanos,
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The permit's time was over: nothing was sent.
    #[error("nothing was sent")]
    Expired(#[from] Expired),
    /// The connection failed before the request was written: nothing was sent.
    #[error("order {client_order_id} was not sent")]
    NotSent {
        /// Our id of it.
        client_order_id: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The venue refused the order.
    #[error("the venue refuses order {client_order_id}: {code} {message}")]
    Rejected {
        /// Our id of it.
        client_order_id: String,
        /// The venue's code.
        code: u32,
        /// The venue's words.
        message: String,
    },
    /// The request was written and no answer came: the order may have arrived.
    #[error("no answer to order {client_order_id}: it may have arrived")]
    Unanswered {
        /// Our id of it.
        client_order_id: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
