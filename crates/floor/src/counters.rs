//! What is counted on the sequence's thread, for `/metrics` of the agent whose work it is.

use crate::engine::Output;
use crate::records::Outgoing;
use crate::seated::Seated;
use agenttrader_agent::metrics::Counter;
use agenttrader_core::decision::Outcome;
use agenttrader_core::event::MarketEvent;
use agenttrader_execution::output::DeskOutput;
use agenttrader_sequence::input::{Fact, FeedFact, Input};

/// Kinds of inputs, as the label `kind` spells them.
const KINDS: [&str; 15] = [
    "quote",
    "trade",
    "bar",
    "open_interest",
    "status",
    "cancel",
    "correction",
    "instrument",
    "configuration",
    "timer",
    "switch",
    "log",
    "feed",
    "health",
    "signed",
];

const fn kind(input: &Input) -> usize {
    match input {
        Input::Market(MarketEvent::Quote(_)) => 0,
        Input::Market(MarketEvent::Trade(_)) => 1,
        Input::Market(MarketEvent::Bar(_)) => 2,
        Input::Market(MarketEvent::OpenInterest(_)) => 3,
        Input::Market(MarketEvent::Status(_)) => 4,
        Input::Market(MarketEvent::Cancel(_)) => 5,
        Input::Market(MarketEvent::Correction(_)) => 6,
        Input::Instrument { .. } => 7,
        Input::Fact(Fact::Configuration(_)) => 8,
        Input::Fact(Fact::Timer { .. }) => 9,
        Input::Fact(Fact::Switch(_)) => 10,
        Input::Fact(Fact::Log { .. }) => 11,
        Input::Fact(Fact::Feed(_)) => 12,
        Input::Fact(Fact::Health(_)) => 13,
        Input::Fact(Fact::Signed(_)) => 14,
    }
}

/// Counters of the agents of this process.
#[derive(Debug)]
pub(crate) struct Counters {
    /// In the order of [`KINDS`]; those of the agent that holds the feed.
    inputs: Vec<Option<Counter>>,
    unrecorded: Option<Counter>,
    /// Records lost, as last told, in the order of the agents.
    lost: Vec<u64>,
}

fn counter(seated: Option<&Seated>, name: &str, help: &'static str, labels: &[(&str, &str)]) -> Option<Counter> {
    // The names are constants that can name a metric; a test asks for each.
    seated.and_then(|seated| seated.board.metrics.counter(name, help, labels).ok())
}

fn add(counter: Option<Counter>, more: u64) {
    if let Some(counter) = counter {
        counter.add(more);
    }
}

fn of<'a>(agents: &'a [Seated], name: &str) -> Option<&'a Seated> {
    agents.iter().find(|seated| seated.identity.agent.agent_name == name)
}

impl Counters {
    /// Counters from nought. `marketdata` holds the feed.
    pub(crate) fn new(agents: &[Seated], marketdata: &str) -> Self {
        let feed = of(agents, marketdata);
        let input = |kind: &str| {
            counter(feed, "agenttrader_inputs_total", "Inputs taken into the sequence.", &[("kind", kind)])
        };
        for stream in ["stocks", "options", "rest"] {
            add(rejected(feed, stream), 0);
        }
        for seated in agents {
            add(records_lost(seated), 0);
        }
        Self {
            inputs: KINDS.into_iter().map(input).collect(),
            unrecorded: counter(
                feed,
                "agenttrader_inputs_unrecorded_total",
                "Inputs that could not be recorded, and so were not handled.",
                &[],
            ),
            lost: agents.iter().map(|_| 0).collect(),
        }
    }

    /// Counts an input that was taken in. For quotes and prints: no allocation, no lock.
    pub(crate) fn input(&self, input: &Input, agents: &[Seated], marketdata: &str) {
        if let Some(Some(counter)) = self.inputs.get(kind(input)) {
            counter.increment();
        }
        let Input::Fact(Fact::Feed(fact)) = input else { return };
        let feed = of(agents, marketdata);
        match fact {
            FeedFact::Rejected { stream, count, .. } => add(rejected(feed, stream), *count),
            FeedFact::Connected { stream, .. } => {
                add(counter(feed, "agenttrader_feed_connects_total", "Streams that came up.", &[("stream", stream)]), 1)
            }
            FeedFact::Disconnected { stream, .. } => add(
                counter(feed, "agenttrader_feed_disconnects_total", "Streams that were lost.", &[("stream", stream)]),
                1,
            ),
            FeedFact::Gap { stream, .. } => add(
                counter(feed, "agenttrader_marketdata_gaps_total", "Gaps in the market data.", &[("stream", stream)]),
                1,
            ),
            FeedFact::ClockStepped { .. } | FeedFact::Cadence { .. } | FeedFact::BackfillComplete => {}
        }
    }

    /// Counts an input that could not be recorded.
    pub(crate) fn unrecorded(&self) {
        if let Some(counter) = &self.unrecorded {
            counter.increment();
        }
    }

    /// Counts what an input led to, at the agent that said it.
    pub(crate) fn output(output: &Output, agents: &[Seated], gate: &str) {
        let gate = of(agents, gate);
        match output {
            Output::Proposal { proposal, malformed, .. } => {
                let author = of(agents, &proposal.agent_name);
                let labels = [("strategy", proposal.strategy_name.as_str())];
                add(counter(author, "agenttrader_proposals_total", "Proposals made.", &labels), 1);
                if malformed.is_some() {
                    add(malformed_of(author), 1);
                }
            }
            Output::Unwritable { agent_name, .. } => add(malformed_of(of(agents, agent_name)), 1),
            Output::Decision(judged) => {
                let accepted = judged.decision.decision == Outcome::Accept;
                let labels = [("decision", if accepted { "accept" } else { "refuse" })];
                add(counter(gate, "agenttrader_decisions_total", "Decisions by outcome.", &labels), 1);
            }
            Output::Desk(DeskOutput::ShadowFill(fill)) => {
                let labels = [("account", "shadow"), ("strategy", fill.strategy_name.as_str())];
                add(counter(gate, "agenttrader_fills_total", "Fills.", &labels), 1);
            }
            Output::Desk(_) | Output::Note { .. } => {}
        }
    }

    /// Counts records that found no room on their way to their agents' logs.
    pub(crate) fn lost(batch: &[Outgoing], agents: &[Seated]) {
        for record in batch {
            add(of(agents, &record.agent_name).and_then(records_lost), 1);
        }
    }

    /// Brings up to date what others count: records that a log has lost.
    pub(crate) fn refresh(&mut self, agents: &[Seated]) {
        for (seated, told) in agents.iter().zip(&mut self.lost) {
            let lost = seated.log.lost();
            if lost > *told {
                add(records_lost(seated), lost.saturating_sub(*told));
                *told = lost;
            }
        }
    }
}

fn rejected(feed: Option<&Seated>, stream: &str) -> Option<Counter> {
    let help = "Messages of the feed that could not be used.";
    counter(feed, "agenttrader_marketdata_rejected_total", help, &[("stream", stream)])
}

fn malformed_of(author: Option<&Seated>) -> Option<Counter> {
    counter(author, "agenttrader_proposals_malformed_total", "Proposals that break the contract.", &[])
}

fn records_lost(seated: &Seated) -> Option<Counter> {
    counter(Some(seated), "agenttrader_records_lost_total", "Records that could not be written.", &[])
}
