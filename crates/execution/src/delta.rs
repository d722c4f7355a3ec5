//! The delta of an instrument, in fixed point, as the limits need it.

use crate::marks;
use agenttrader_core::order::Tradable;
use agenttrader_marketdata::book::Book;
use agenttrader_safety::delta::Delta;

/// The delta of one unit of multiplier; `None` when nothing says it. A share has its own, an option what the book says.
pub fn of(book: &Book, tradable: &Tradable) -> Option<Delta> {
    let id = marks::instrument(book, tradable)?;
    match tradable {
        Tradable::Equity { .. } => Some(Delta::ONE),
        Tradable::Option { .. } => Delta::from_f64(book.delta(id)?),
    }
}
