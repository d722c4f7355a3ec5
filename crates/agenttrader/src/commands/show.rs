//! `agenttrader status` and `agenttrader proposals`: what a running floor's mission control says.

use crate::cli::{OutputArgs, ProposalsArgs};
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_floor::summary::{MissionControl, SummaryError, describe};
use agenttrader_floor::terminal;
use serde_json::Value;

fn mission_control(settings: &Settings) -> Result<MissionControl, Failure> {
    let base = format!("http://{}", std::net::SocketAddr::new(settings.bind, settings.port_base));
    MissionControl::at(base).map_err(|error| Failure::of(Exit::Unavailable, &error))
}

fn failed(error: &SummaryError) -> Failure {
    let exit = match error {
        SummaryError::Refused { status: 400..=499, .. } => Exit::CouldNot,
        _ => Exit::Unavailable,
    };
    Failure::of(exit, error)
        .hint("is a floor running there? start one with `agenttrader`, or name its ports with --port-base N")
}

/// Prints whether the floor is safe.
pub async fn status(settings: &Settings, arguments: &OutputArgs) -> Done {
    let summary = mission_control(settings)?.summary().await.map_err(|error| failed(&error))?;
    if arguments.json {
        json(&summary.safety);
    } else {
        let style = terminal::style(settings.environment.contains_key("NO_COLOR"));
        data(summary.render(style).trim_end());
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
    let answer = mission_control.get(&path).await.map_err(|error| failed(&error))?;
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

/// Text of an agent: control characters escaped, so that it cannot draw on the terminal.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_default().collect::<Vec<_>>() } else { vec![letter] })
        .collect()
}

fn list(answer: &Value) {
    let items = answer.get("items").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    if items.is_empty() {
        data("nothing proposed yet");
    }
    for proposal in items {
        let time = text(proposal, "/created_at_utc");
        let time = time.get(11..19).unwrap_or(time);
        data(&format!(
            "{time}  {:<17} {}  {}",
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
