//! `agenttrader status` and `agenttrader proposals`: what a running floor's mission control says.

use crate::cli::{OutputArgs, ProposalsArgs};
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_agent::start;
use agenttrader_core::secret::Secret;
use agenttrader_floor::plain::plain;
use agenttrader_floor::ports;
use agenttrader_floor::summary::{MissionControl, SummaryError, describe, time_of_day};
use agenttrader_floor::terminal;
use serde_json::Value;
use std::net::SocketAddr;

/// Where mission control is: at the ports that were named, else where a floor over this data directory says it listens, else at
/// the default ports.
pub(super) fn mission_control(settings: &Settings) -> Result<MissionControl, Failure> {
    let own = SocketAddr::new(settings.here(), settings.port_base);
    let address = match ports::published(&settings.data_dir) {
        Some(published) if !settings.port_base_named => published.get(start::MISSION_CONTROL).copied().unwrap_or(own),
        _ => own,
    };
    let token = settings.environment.get("AGENTTRADER_API_TOKEN").cloned().map(Secret::new);
    MissionControl::at(format!("http://{address}"), token.as_ref())
        .map_err(|error| Failure::of(Exit::Unavailable, &error))
}

fn failed(error: &SummaryError, settings: &Settings) -> Failure {
    let exit = match error {
        SummaryError::Refused { status: 400..=499, .. } => return Failure::of(Exit::CouldNot, error),
        _ => Exit::Unavailable,
    };
    let data_dir = settings.data_dir.display();
    Failure::of(exit, error).hint(format!(
        "no floor seems to run over {data_dir}: start one with `agenttrader`, or name another with --data-dir DIR or --port-base N"
    ))
}

/// Prints whether the floor is safe.
pub async fn status(settings: &Settings, arguments: &OutputArgs) -> Done {
    let summary = mission_control(settings)?.summary().await.map_err(|error| failed(&error, settings))?;
    if arguments.json {
        json(&summary.safety);
    } else {
        let style = terminal::style(settings.environment.contains_key("NO_COLOR"));
        data(summary.render(&terminal::layout(style)).trim_end());
    }
    Ok(Exit::Good)
}

/// Prints proposals, or the story of one.
pub async fn proposals(settings: &Settings, arguments: &ProposalsArgs) -> Done {
    let mission_control = mission_control(settings)?;
    let path = match arguments.id {
        Some(id) => format!("/api/v1/proposals/{id}"),
        None => format!("/api/v1/proposals?limit={}", arguments.limit),
    };
    let answer = mission_control.get(&path).await.map_err(|error| failed(&error, settings))?;
    if arguments.json {
        json(&answer);
    } else if arguments.id.is_some() {
        story(&answer);
    } else {
        list(&answer);
    }
    Ok(Exit::Good)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list(answer: &Value) {
    let items = answer.get("items").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    if items.is_empty() {
        data("nothing proposed yet");
    }
    for proposal in items {
        data(&format!(
            "{}  {:<17} {}  {}",
            time_of_day(text(proposal, "/created_at_utc")),
            text(proposal, "/state"),
            text(proposal, "/proposal_id"),
            describe(proposal)
        ));
    }
}

fn story(proposal: &Value) {
    data(&format!("{}  {}", text(proposal, "/proposal_id"), describe(proposal)));
    data(&format!("state     {}", text(proposal, "/state")));
    data(&format!("created   {} by {}", text(proposal, "/created_at_utc"), text(proposal, "/agent_name")));
    data(&format!("because   \"{}\" (the agent's words)", plain(text(proposal, "/rationale/short_reason"))));
    let input = proposal.pointer("/causation/input_number").map(ToString::to_string).unwrap_or_default();
    data(&format!("caused by input {input} of recording {}", text(proposal, "/causation/recording_id")));
    data(&format!("decision  {} {}", text(proposal, "/decision/decision"), text(proposal, "/decision/decision_id")));
    for reason in proposal.pointer("/decision/reasons").and_then(Value::as_array).into_iter().flatten() {
        data(&format!("          {:<24} {}", text(reason, "/code"), text(reason, "/words")));
    }
    for fill in proposal.get("fills").and_then(Value::as_array).into_iter().flatten() {
        data(&format!("fill      {} at {}", text(fill, "/account"), text(fill, "/fill/price")));
    }
    for record in proposal.get("records").and_then(Value::as_array).into_iter().flatten() {
        let time = text(record, "/timestamp");
        let line = format!(
            "record    {} {} {} {}",
            time.get(11..23).unwrap_or(time),
            text(record, "/agent_name"),
            text(record, "/intent_type"),
            plain(text(record, "/intent_summary"))
        );
        data(&line);
    }
}
