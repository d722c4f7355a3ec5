//! The step: one input in, outputs out, over book, desk and strategies. Live and replay run this and nothing else.

use agenttrader_audit::redact::Redactor;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::canonical_json::CanonicalError;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, AgentRole, Build};
use agenttrader_core::position::Standing;
use agenttrader_core::proposal::{Causation, Malformed, Proposal};
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_execution::desk::Desk;
use agenttrader_execution::desk_settings::{self, DeskSettings};
use agenttrader_execution::output::DeskOutput;
use agenttrader_marketdata::book::{Book, BookSettings};
use agenttrader_marketdata::rates::{Rates, RatesError};
use agenttrader_safety::gate::Judged;
use agenttrader_sequence::input::{Configuration, Numbered};
use agenttrader_strategy::draft::Note;
use agenttrader_strategy::step::{self, Seat, Spoken};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What an input led to. Not `Clone`: a decision may hold an accepted order.
#[derive(Debug)]
pub enum Output {
    /// A strategy proposes.
    Proposal {
        /// The proposal.
        proposal: Box<Proposal>,
        /// Its body's canonical JSON: what is signed and compared.
        body: String,
        /// Why it is malformed, if it is: the gate refuses it, and the record says where.
        malformed: Option<Malformed>,
    },
    /// A proposal has no canonical body: nothing can be signed or judged.
    Unwritable {
        /// The agent that proposed.
        agent_name: String,
        /// Why.
        problem: CanonicalError,
    },
    /// The gate decides.
    Decision(Box<Judged>),
    /// The shadow account moves.
    Desk(DeskOutput),
    /// A strategy puts something on record.
    Note {
        /// The agent it runs in.
        agent_name: String,
        /// The strategy.
        strategy_name: String,
        /// What.
        note: Note,
    },
}

/// What a run is, beside its configuration.
#[derive(Clone, Debug)]
pub struct Run {
    /// The recording's id.
    pub recording_id: Uuid,
    /// The build that judges.
    pub build: Build,
    /// The people whom it trusts.
    pub trust_root: TrustRoot,
    /// The last time in the decider's log when the run began.
    pub log_last_time: UnixNanos,
}

/// Why a configuration gives no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Rates.
    #[error(transparent)]
    Rates(#[from] RatesError),
    /// A file is missing.
    #[error("configs/{name} is missing")]
    Missing {
        /// Which.
        name: &'static str,
    },
    /// Strategies.
    #[error(transparent)]
    Strategies(#[from] agenttrader_strategy::config::ConfigError),
    /// Limits or fees.
    #[error(transparent)]
    Desk(#[from] desk_settings::ConfigError),
}

/// Book, desk and strategies of one run.
#[derive(Debug)]
pub struct Engine {
    run: Run,
    book: Book,
    desk: Option<Desk>,
    seats: Vec<Seat>,
    spoken: Spoken,
    moved: Vec<DeskOutput>,
    nothing: Standing,
}

/// Whether anybody judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judging {
    /// The gate judges each proposal in the step that made it.
    Here,
    /// Nobody: an agent that runs alone records and proposes.
    Nobody,
}

impl Engine {
    /// An engine by the effective configuration.
    ///
    /// # Errors
    /// [`EngineError`], naming file and field.
    pub fn new(configuration: &Configuration, run: Run, judging: Judging) -> Result<Self, EngineError> {
        let rates = Rates::parse(configuration.file("rates.toml").ok_or(EngineError::Missing { name: "rates.toml" })?)?;
        let settings = BookSettings {
            max_age: Span::from_seconds(i64::from(configuration.marketdata_max_age_seconds)),
            force_stale: configuration.marketdata_force_stale,
            rates,
        };
        let decider = AgentIdentity {
            agent_name: configuration.gate_agent_name.clone(),
            agent_role: AgentRole::Ops,
            agent_mode: agenttrader_core::identity::AgentMode::Observe,
        };
        let desk_settings = DeskSettings {
            decider,
            build: run.build.clone(),
            trust_root: run.trust_root.clone(),
            log_last_time: run.log_last_time,
        };
        let desk = match judging {
            Judging::Here => Some(Desk::new(configuration, desk_settings)?),
            Judging::Nobody => None,
        };
        Ok(Self {
            run,
            book: Book::new(settings),
            desk,
            seats: step::seats(configuration)?,
            spoken: Spoken::default(),
            moved: Vec::new(),
            nothing: Standing::default(),
        })
    }

    /// Takes one input in. `digest` gives the recording's digest up to this input and is asked only if somebody proposes.
    ///
    /// In this order: the book; the shadow account's lapses and fills; each strategy, over the account as it stands then;
    /// the gate over each proposal, its verdict's counters and shadow order booked before the next is judged.
    pub fn step(&mut self, input: &Numbered, digest: &mut dyn FnMut() -> Digest, out: &mut Vec<Output>) {
        let Self { run, book, desk, seats, spoken, moved, nothing } = self;
        book.step(input);
        if let Some(desk) = desk {
            desk.observe(input, book, moved);
            out.extend(moved.drain(..).map(Output::Desk));
        }
        let mut causation =
            || Causation { recording_id: run.recording_id, input_number: input.number, recording_sha256: digest() };
        let mut proposals = Vec::new();
        for seat in seats {
            let standing =
                desk.as_mut().and_then(|desk| desk.standing(&seat.author().strategy_name)).unwrap_or(nothing);
            step::ask(seat, input, book, standing, &mut causation, spoken);
            let author = seat.author();
            out.extend(spoken.notes.drain(..).map(|note| Output::Note {
                agent_name: author.agent_name.clone(),
                strategy_name: author.strategy_name.clone(),
                note,
            }));
            for mut proposal in spoken.proposals.drain(..) {
                redact(&mut proposal.rationale.indicators);
                proposals.push(proposal);
            }
        }
        for proposal in proposals {
            let body = match proposal.body() {
                Ok(body) => body,
                Err(problem) => {
                    out.push(Output::Unwritable { agent_name: proposal.agent_name, problem });
                    continue;
                }
            };
            let judged = desk.as_mut().map(|desk| desk.decide(input, &proposal, book, moved));
            let malformed = proposal.order().err();
            out.push(Output::Proposal { proposal: Box::new(proposal), body, malformed });
            out.extend(judged.map(|judged| Output::Decision(Box::new(judged))));
            out.extend(moved.drain(..).map(Output::Desk));
        }
    }

    /// The market.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// The gate and the shadow account; none where nobody judges.
    pub const fn desk(&self) -> Option<&Desk> {
        self.desk.as_ref()
    }

    /// The strategies, in order.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// What the run is.
    pub const fn run(&self) -> &Run {
        &self.run
    }
}

/// Takes out of indicators what their names or forms give away as secrets, before anything is signed. By rules alone: the same
/// wherever it runs, so that a replay gives the same bytes.
fn redact(indicators: &mut Map<String, Value>) {
    let mut free = Value::Object(std::mem::take(indicators));
    Redactor::default().redact_value(&mut free);
    if let Value::Object(redacted) = free {
        *indicators = redacted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_lose_what_names_a_secret_and_keep_their_figures() {
        let mut indicators = Map::from_iter([
            ("api_key".to_owned(), Value::from("abc")),
            ("score".to_owned(), Value::from(0.87)),
            ("public_key".to_owned(), Value::from("abc")),
        ]);
        redact(&mut indicators);
        assert_eq!(indicators["api_key"], "[redacted]");
        assert_eq!((&indicators["score"], &indicators["public_key"]), (&Value::from(0.87), &Value::from("abc")));
    }
}
