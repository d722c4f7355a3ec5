//! The strategy trait.

use crate::draft::Out;
use agenttrader_core::position::Standing;
use agenttrader_marketdata::book::Book;
use agenttrader_sequence::input::Numbered;

/// A strategy: a plain fold over the sequence that speaks when it has something to propose.
///
/// It is asked at every input, after the book has taken the input in and after shadow fills and lapses are booked. It
/// sees the time inside the input and nothing else of the world; the same inputs give the same drafts.
pub trait Strategy: Send {
    /// Its name, as proposals carry it: `gamma`.
    fn name(&self) -> &'static str;

    /// Its version. Changes whenever the same inputs may give other drafts.
    fn version(&self) -> &'static str;

    /// Takes one input and says what follows from it. Must not allocate at a quote that leads to nothing.
    fn step(&mut self, input: &Numbered, book: &Book, standing: &Standing, out: &mut Out);
}
