//! The strategy trait.

use crate::draft::Out;
use crate::moment::Moment;
use agenttrader_core::position::Ended;

/// A strategy: a plain fold over the sequence that speaks when it has something to propose.
///
/// It is asked once a second of venue time about each of its underlyings, after the book has taken the input in and after
/// shadow fills and lapses are booked, and only while it is safe to evaluate: the seat it sits in sees to that
/// ([`crate::guard`]). It sees the moment it is given and nothing else of the world; the same moments give the same drafts.
pub trait Strategy: Send {
    /// Its name, as proposals carry it: `gamma`.
    fn name(&self) -> &'static str;

    /// Its version. Changes whenever the same inputs may give other drafts.
    fn version(&self) -> &'static str;

    /// Why nothing can be done in this underlying all session, if that is how it looks now: no options, no quotes, no hedge. While
    /// it says so and nothing is held, the strategy is not asked to evaluate; once a session the reason is put on record.
    fn nothing_to_do(&self, moment: &Moment<'_>) -> Option<&'static str>;

    /// Looks at one underlying and says what follows.
    fn evaluate(&mut self, moment: &Moment<'_>, out: &mut Out);

    /// One of its proposals has ended. Told at the input at which it happened, which may be a quote: must not allocate.
    fn on_ended(&mut self, _ended: &Ended) {}
}
