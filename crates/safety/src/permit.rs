//! The execution permit: the only way to an accepted order, and the only maker of it.

use crate::gate::{Accepted, Released};
use crate::interlock::{Interlock, Shut, State};
use crate::kill_switch::{KillSwitch, Reading};
use agenttrader_audit::{Receipt, payload_digest};
use agenttrader_core::canonical_json::CanonicalError;
use agenttrader_core::digest::Digest;
use agenttrader_core::order::Order;
use agenttrader_core::time::UnixNanos;
use std::sync::MutexGuard;

/// Leave to send one order, once, soon. Owns the order; holds the interlock, so it stays on its thread and no halt overtakes it.
#[derive(Debug)]
#[must_use = "a permit holds the interlock: redeem it or drop it"]
pub struct ExecutionPermit<'lock> {
    released: Released,
    granted_at: UnixNanos,
    guard: MutexGuard<'lock, State>,
}

/// A send in flight: held until the request is written, so that a halt waits for it.
#[derive(Debug)]
#[must_use = "keep it until the request is written: a halt waits for it"]
pub struct Sending<'lock> {
    _guard: MutexGuard<'lock, State>,
}

/// Why there is no permit. The intent is then closed as never sent.
#[derive(Debug, thiserror::Error)]
pub enum PermitRefused {
    /// The receipt is of another record.
    #[error("the receipt is of payload {receipt}, the intent is {intent}")]
    OtherIntent {
        /// What the receipt names.
        receipt: Digest,
        /// What was accepted.
        intent: Digest,
    },
    /// The receipt is of another agent's log.
    #[error("the receipt is of log `{receipt}`, the intent belongs into `{expected}`")]
    OtherLog {
        /// What the receipt names.
        receipt: String,
        /// The decider's log.
        expected: String,
    },
    /// The intent has no canonical form, so no receipt can be of it.
    #[error("the intent has no canonical form")]
    Intent(#[source] CanonicalError),
    /// The interlock is shut.
    #[error(transparent)]
    Shut(#[from] Shut),
    /// It is too late, or the clock went back.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// The switch halts.
    #[error("the kill switch halts: {}", .0.source)]
    Switch(Reading),
}

/// The time in which an order could be sent is over, or the clock went back and nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {now} the order may not be sent: from {from} until before {until} it could")]
pub struct Expired {
    /// The time now.
    pub now: UnixNanos,
    /// Earliest time that makes sense.
    pub from: UnixNanos,
    /// First instant at which it is too late.
    pub until: UnixNanos,
}

/// Makes the permit for an accepted order whose intent is durable. `now` is venue time, read by the caller just before.
///
/// Reading the switch is the last act, under the interlock, so nothing can happen between it and the permit that a halt would not wait for.
///
/// # Errors
/// [`PermitRefused`]; the order is gone then and can only be proposed again.
pub fn permit<'lock>(
    accepted: Accepted,
    receipt: Receipt,
    interlock: &'lock Interlock,
    switch: &KillSwitch,
    now: UnixNanos,
) -> Result<ExecutionPermit<'lock>, PermitRefused> {
    let intent = payload_digest(&accepted.intent()).map_err(PermitRefused::Intent)?;
    if receipt.payload_digest() != intent {
        return Err(PermitRefused::OtherIntent { receipt: receipt.payload_digest(), intent });
    }
    let released = accepted.release();
    if receipt.origin() != released.log_origin {
        return Err(PermitRefused::OtherLog { receipt: receipt.origin().to_owned(), expected: released.log_origin });
    }
    let guard = interlock.hold()?;
    in_time(now, released.accepted_at, released.until)?;
    let reading = switch.read();
    if reading.halted {
        return Err(PermitRefused::Switch(reading));
    }
    Ok(ExecutionPermit { released, granted_at: now, guard })
}

impl<'lock> ExecutionPermit<'lock> {
    /// Spends the permit: the order, and the guard to hold until its request is written. `now` is venue time, read by the caller just before.
    ///
    /// # Errors
    /// [`Expired`] when its time is over; the order is gone then.
    pub fn redeem(self, now: UnixNanos) -> Result<(Order, Sending<'lock>), Expired> {
        in_time(now, self.granted_at, self.released.until)?;
        Ok((self.released.order, Sending { _guard: self.guard }))
    }
}

fn in_time(now: UnixNanos, from: UnixNanos, until: UnixNanos) -> Result<(), Expired> {
    if from <= now && now < until { Ok(()) } else { Err(Expired { now, from, until }) }
}
