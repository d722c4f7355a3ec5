//! The step: seats made from the configuration, each asked at every input, in order.

use crate::builtin;
use crate::config::{Common, ConfigError, OrderLimits};
use crate::draft::{Author, Note, NoteKind, Out};
use crate::guard::{Guard, Look};
use crate::moment::Moment;
use crate::strategy::Strategy;
use agenttrader_core::identity::{AgentMode, REPO_ID};
use agenttrader_core::position::Standing;
use agenttrader_core::proposal::{Causation, Proposal};
use agenttrader_marketdata::book::Book;
use agenttrader_sequence::input::{Configuration, Fact, Input, Numbered};
use serde_json::Map;
use std::fmt;

/// A strategy in its place: in whose name it speaks, and under which guard.
pub struct Seat {
    author: Author,
    strategy: Box<dyn Strategy>,
    guard: Guard,
    limits: OrderLimits,
    mode: AgentMode,
    out: Out,
}

/// What a seat said at one input.
#[derive(Debug, Default)]
pub struct Spoken {
    /// Proposals, in order.
    pub proposals: Vec<Proposal>,
    /// Notes, in order.
    pub notes: Vec<Note>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Seat").field("author", &self.author).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Seat {
    /// A seat for a strategy. `mode` is that of the agent it runs in: only in `OBSERVE` it evaluates anything.
    pub fn new(
        agent_name: &str,
        strategy: Box<dyn Strategy>,
        common: &Common,
        limits: OrderLimits,
        mode: AgentMode,
    ) -> Self {
        let author = Author {
            repo_id: REPO_ID.to_owned(),
            agent_name: agent_name.to_owned(),
            strategy_name: strategy.name().to_owned(),
            strategy_version: strategy.version().to_owned(),
        };
        let guard = Guard::new(common, limits.duplicate_window);
        Self { author, strategy, guard, limits, mode, out: Out::default() }
    }

    /// In whose name it speaks.
    pub const fn author(&self) -> &Author {
        &self.author
    }
}

/// The seats of a configuration, in its order.
///
/// # Errors
/// [`ConfigError`], naming file and field, or the strategy that does not exist.
pub fn seats(configuration: &Configuration) -> Result<Vec<Seat>, ConfigError> {
    let limits = OrderLimits::read(configuration)?;
    let seat = |seat: &agenttrader_sequence::input::StrategySeat| {
        let (strategy, common) = builtin::strategy(&seat.strategy, configuration)?;
        Ok(Seat::new(&seat.agent_name, strategy, &common, limits.clone(), configuration.strategy_mode))
    };
    configuration.strategies.iter().map(seat).collect()
}

/// Asks one seat at one input, after the book has taken the input in and `standing` is as it is then. `causation` is called
/// at most once, and only if there is a proposal: it costs a digest. At anything but a timer it only takes note, and
/// does not allocate.
pub fn ask(
    seat: &mut Seat,
    input: &Numbered,
    book: &Book,
    standing: &Standing,
    causation: &mut dyn FnMut() -> Causation,
    spoken: &mut Spoken,
) {
    if seat.mode != AgentMode::Observe {
        return;
    }
    seat.guard.observe(&input.input);
    for ended in &standing.ended {
        seat.guard.on_ended(ended);
        seat.strategy.on_ended(ended);
    }
    if !matches!(input.input, Input::Fact(Fact::Timer { .. })) {
        return;
    }
    let Seat { author, strategy, guard, limits, out, .. } = seat;
    let mut cause = None;
    let mut place = 0_u32;
    for (symbol, safe) in guard.check(book, &mut spoken.notes) {
        let (Some(session), Some(underlying)) = (book.session(), book.underlying(symbol)) else { continue };
        if !safe {
            continue;
        }
        guard.enter_session(symbol, session, input.at);
        let may_open = guard.may_open(symbol, input.at);
        let moment = Moment { at: input.at, symbol, session: *session, book, underlying, standing, limits, may_open };
        let mut say = |what: String| {
            let (kind, summary) = (NoteKind::CycleSkipped, format!("{symbol}: {what}"));
            spoken.notes.push(Note { kind, symbol: Some(symbol), summary, indicators: Map::new() });
        };
        match guard.look(symbol, input.at, book.cadence(), !moment.is_idle(), || strategy.nothing_to_do(&moment)) {
            Look::Evaluate => {}
            Look::AfterAll => say("there is something to do after all".to_owned()),
            Look::Pass => continue,
            Look::SayWhy(why) => {
                say(format!("nothing to do this session: {why}"));
                continue;
            }
        }
        strategy.evaluate(&moment, out);
        for draft in out.drafts.drain(..) {
            if !guard.admits(&draft, input.at) {
                continue;
            }
            let cause = *cause.get_or_insert_with(&mut *causation);
            let kept = draft.clone();
            let proposal = draft.into_proposal(author, cause, place, input.at);
            guard.remember(&kept, proposal.proposal_id, input.at);
            place = place.saturating_add(1);
            spoken.proposals.push(proposal);
        }
        spoken.notes.append(&mut out.notes);
    }
}
