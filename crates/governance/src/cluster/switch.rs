//! The kill switch as the cluster has it: the ConfigMap that every agent mounts.

use agenttrader_policy::object::Object;
use agenttrader_policy::switch::{KEY, NAME, NAMESPACE, is_switch};
use serde::Serialize;

/// What the switch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Exactly `1`.
    Halted,
    /// `0`, with or without a line's end: what agents take for not halted.
    Released,
    /// Something else, or nothing. Agents halt on it, and nobody can say that it was meant.
    Unknown,
}

/// The switch, with what is seen of it in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Switch {
    /// What it says.
    pub state: State,
    /// Where that stands and what it is.
    pub evidence: String,
}

impl Switch {
    /// What it says, in one word.
    pub const fn word(&self) -> &'static str {
        match self.state {
            State::Halted => "HALTED",
            State::Released => "RELEASED",
            State::Unknown => "UNKNOWN",
        }
    }

    /// The switch among the objects of a cluster.
    pub(crate) fn of(objects: &[Object<'_>]) -> Self {
        let place = format!("ConfigMap {NAME} in {NAMESPACE}");
        let Some(map) = objects.iter().find(|object| is_switch(object)) else {
            return Self { state: State::Unknown, evidence: format!("no {place} among the objects") };
        };
        let said = |state, what: &str| Self { state, evidence: format!("{place}: {KEY} {what}") };
        if map.at(&["binaryData", KEY]).is_some() {
            return said(State::Unknown, "stands in binaryData, where nobody looks for it");
        }
        let Some(scalar) = map.at(&["data", KEY]).and_then(|value| value.scalar()).filter(|scalar| !scalar.plain)
        else {
            return said(State::Unknown, "is not there as a text");
        };
        match scalar.text.as_str() {
            "1" => said(State::Halted, "is `1`"),
            "0" | "0\n" => said(State::Released, "is `0`"),
            _ => {
                said(State::Unknown, "is neither `1` nor `0`: agents halt on it, and nobody can say that it was meant")
            }
        }
    }
}
