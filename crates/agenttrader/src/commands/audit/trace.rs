//! `agenttrader audit trace`: the story of one proposal.

use super::{layout, not_there, place};
use crate::cli::audit::TraceArgs;
use crate::output::{Done, Exit, Failure, data, json, talk};
use crate::settings::Settings;
use agenttrader_floor::plain::plain;
use agenttrader_floor::summary::{Layout, describe, wrapped};
use agenttrader_governance::trace::{Inputs, Proof, Recorded, Step, Story, TraceError, trace};
use serde_json::Value;

/// Columns before what a step says.
const INDENT: usize = 13;

/// Candidates that are told of an id that means several.
const CANDIDATES_TOLD: usize = 20;

/// Tells it.
pub fn run(settings: &Settings, arguments: &TraceArgs) -> Done {
    let place = place(arguments.place.as_deref(), settings)?;
    let story = trace(&place, &arguments.id).map_err(|error| untold(&error))?;
    if arguments.json {
        json(&story);
    } else {
        Page { layout: layout(settings) }.story(&story);
    }
    Ok(if story.problems.is_empty() { Exit::Good } else { Exit::Bad })
}

fn untold(error: &TraceError) -> Failure {
    let failure = Failure::of(Exit::CouldNot, error);
    match error {
        TraceError::Unknown { problems, .. } if !problems.is_empty() => {
            problems.iter().for_each(|problem| talk(&format!("warning: {}", plain(problem))));
            Failure { exit: Exit::Bad, ..failure }
                .hint("not all logs could be read: `agenttrader audit verify` says more")
        }
        TraceError::Unknown { .. } => failure.hint(
            "`agenttrader audit tail -n 100` shows records; `audit show AGENT INDEX` tells a record's correlation_id",
        ),
        TraceError::Ambiguous { candidates, .. } => {
            for candidate in candidates.iter().take(CANDIDATES_TOLD) {
                let proposal = candidate.proposal_id.map_or_else(|| "(no proposal)".to_owned(), |id| id.to_string());
                talk(&format!("  {proposal}  {}", plain(&candidate.summary)));
            }
            failure.hint("give more of the id, or a proposal's own")
        }
        TraceError::NoId { .. } => failure.hint("`agenttrader proposals` lists those of a running floor"),
        TraceError::Place(error) => not_there(error),
    }
}

struct Page {
    layout: Layout,
}

impl Page {
    fn line(&self, label: &str, content: &str) {
        let line = format!("{label:<INDENT$}{}", plain(content));
        match self.layout.width {
            None => data(line.trim_end()),
            Some(width) => wrapped(&line, width, INDENT).iter().for_each(|line| data(line)),
        }
    }

    fn story(&self, story: &Story) {
        match &story.proposal {
            Some(proposal) => self.line("proposal", &describe(proposal)),
            None => self.line("proposal", "its record is not here"),
        }
        self.line("", &story.proposal_id.map_or_else(|| "without an id".to_owned(), |id| id.to_string()));
        self.line("correlation", &story.correlation_id.to_string());
        self.line("outcome", &format!("{}: {}", story.outcome.state, story.outcome.words));
        let mut number = 1_usize;
        if let Some(inputs) = &story.inputs {
            self.inputs(number, inputs);
            number = number.saturating_add(1);
        }
        for step in &story.steps {
            self.step(number, step);
            number = number.saturating_add(1);
        }
        data("");
        let told = if story.problems.is_empty() {
            "every proof and signature that is told above holds"
        } else {
            "NOT ALL HOLDS"
        };
        data(&self.layout.style.bold(&format!("{:<INDENT$}{told}", "verdict")));
        story.problems.iter().for_each(|problem| self.line("", problem));
        for (place, what) in story.not_shown.iter().enumerate() {
            self.line(if place == 0 { "not shown" } else { "" }, what);
        }
    }

    fn heading(&self, number: usize, what: &str, rest: &str) {
        data("");
        data(&self.layout.style.bold(&format!("{:<INDENT$}{}", format!("{number} {what}"), plain(rest))));
    }

    fn inputs(&self, number: usize, inputs: &Inputs) {
        let Inputs { recording_id, input_number, recording_sha256, recorded } = inputs;
        let whose = format!("input {input_number} of recording {recording_id}");
        match recorded {
            Recorded::Verified { file, bytes, causing, market } => {
                self.heading(number, "input", &format!("{}  {whose}", causing.at_utc));
                self.line("", &format!("{}: {}", causing.kind, causing.text));
                for input in market {
                    self.line("", &format!("before it, input {}, {}: {}", input.number, input.kind, input.text));
                }
                self.line(
                    "",
                    &format!("head -c {bytes} recordings/{file} | sha256sum gives the proposal's {recording_sha256}"),
                );
            }
            Recorded::Absent => {
                self.heading(number, "input", &whose);
                self.line("", "the recording is not here");
                self.line("", &format!("SHA-256 of its bytes up to that input: {recording_sha256}"));
            }
            Recorded::Short { file, inputs, .. } => {
                self.heading(number, "input", &whose);
                self.line("", &format!("{file} has {inputs} inputs so far"));
            }
            Recorded::Unreadable { file, why } => {
                self.heading(number, "input", &whose);
                self.line("", &format!("{file} {why}"));
            }
            Recorded::Differs { file, sha256 } => {
                self.heading(number, "input", &whose);
                self.line(
                    "",
                    &format!("{file} was altered: SHA-256 {sha256}, and the proposal says {recording_sha256}"),
                );
            }
        }
    }

    fn step(&self, number: usize, step: &Step) {
        let Step { agent_name, index, timestamp, .. } = step;
        self.heading(number, step.step, &format!("{timestamp}  {agent_name} entry {index}"));
        self.line("", &step.summary);
        self.particulars(step);
        if let Some(error) = &step.error {
            self.line("", error);
        }
        for check in &step.checks {
            self.line("", &check.what);
        }
        match &step.proof {
            Proof::Covered { size, key, .. } => {
                let signed =
                    if key.is_some() { ", whose signature holds" } else { "; its signature could not be verified" };
                self.line("", &format!("proved to stand under the checkpoint of {size} entries{signed}"));
            }
            Proof::NotYet => self.line("", "no checkpoint covers it yet"),
            Proof::Bad { why } => self.line("", &format!("NOT PROVED: {why}")),
        }
    }

    /// What a payload says beyond its summary.
    fn particulars(&self, step: &Step) {
        let text = |pointer: &str| step.payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match step.step {
            "proposal" => {
                self.line("", &format!("\"{}\" (the agent's words)", text("/proposal/rationale/short_reason")));
                self.line("", &format!("valid until {}", text("/proposal/constraints/valid_until_utc")));
            }
            "decision" => {
                let measures = step.payload.pointer("/decision/limits").and_then(Value::as_array);
                let broken =
                    measures.into_iter().flatten().filter(|limit| limit.get("holds") == Some(&Value::Bool(false)));
                for limit in broken {
                    let of = |name: &str| limit.get(name).and_then(Value::as_str).unwrap_or("unknown");
                    self.line(
                        "",
                        &format!("{} measured {} bound {} {}", of("name"), of("measured"), of("bound"), of("unit")),
                    );
                }
            }
            "fill" => self
                .line("", &format!("realised {} USD, fees {} USD", text("/fill/realised_usd"), text("/fill/fees_usd"))),
            _ => {}
        }
    }
}
