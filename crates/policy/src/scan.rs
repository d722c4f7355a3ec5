//! Watched keys in a text whose language nobody knows: an argument, the right side of a `sed`, a line of a document.
//!
//! What is looked for is a key with a mark of assignment behind it: `KEY=value`, `"KEY": "value"`, `KEY => value`. A
//! comparison (`==`, `!=`, `=~`) is none.

use crate::found::{Key, Said, is_mode_spelling, is_template};
use crate::hole::{HOLE, shown};

/// A text as a value: unknown where a part of it is.
pub fn said(text: &str) -> Said {
    if text.contains(HOLE) {
        return Said::Unknown(format!("`{}`: the part shown as `…` is decided when it runs", shown(text)));
    }
    Said::Known(text.to_owned())
}

/// A key that is given a value somewhere in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub key: Key,
    /// As it is spelled.
    pub spelled: String,
    /// Its value.
    pub value: Said,
    /// Without quotes.
    pub plain: bool,
    /// Offset of the key in the text.
    pub at: usize,
}

/// Every watched variable that a text gives a value. The configuration's spellings of the mode count where they are given `EXECUTE`.
pub fn assignments(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            start.get_or_insert(at);
            continue;
        }
        let Some(from) = start.take() else { continue };
        let raw = text.get(from..at).unwrap_or_default();
        let word = raw.trim_start_matches('-');
        let variable = Key::of_variable(word);
        let Some(key) = variable.or_else(|| is_mode_spelling(word).then_some(Key::AgentMode)) else { continue };
        let Some((value, plain)) = value_after(text.get(at..).unwrap_or_default()) else { continue };
        if variable.is_some() || value.known() == Some("EXECUTE") {
            hits.push(Hit { key, spelled: raw.to_owned(), value, plain, at: from });
        }
    }
    hits
}

/// The value behind a key, and whether it is bare; none where no mark of assignment follows.
fn value_after(rest: &str) -> Option<(Said, bool)> {
    let rest = rest.strip_prefix('\\').unwrap_or(rest);
    let rest = rest.strip_prefix(['"', '\'', '`']).unwrap_or(rest);
    let rest = rest.trim_start_matches([']', '}', ' ', '\t']);
    let rest = ["=>", ":=", "?=", "=", ":"].iter().find_map(|mark| rest.strip_prefix(mark))?;
    if rest.starts_with(['=', '~']) {
        return None;
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('\\').unwrap_or(rest);
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let end = inner.find([quote, '\n']).unwrap_or(inner.len());
            return Some((of_text(inner.get(..end).unwrap_or_default().trim_end_matches('\\')), false));
        }
    }
    let end =
        rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '}' | ']' | ')' | '|' | '&'));
    // A placeholder has brackets of its own.
    let end = if rest.starts_with("${") || rest.starts_with("{{") { rest.find('\n') } else { end };
    let value = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    Some((of_text(value), true))
}

fn of_text(text: &str) -> Said {
    if text.contains(HOLE) || !is_template(text) {
        return said(text);
    }
    Said::of_configuration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, Option<&str>)]) {
        let hits = assignments(text);
        let found: Vec<(&str, Option<&str>)> =
            hits.iter().map(|hit| (hit.spelled.as_str(), hit.value.known())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_key_with_a_mark_of_assignment_is_found_in_any_language() {
        check("A=b,AGENT_MODE=EXECUTE,C=d", &[("AGENT_MODE", Some("EXECUTE"))]);
        check(r#"{"data":{"AGENT_MODE":"EXECUTE"}}"#, &[("AGENT_MODE", Some("EXECUTE"))]);
        check(r#"{\"EXECUTION_HALTED\":\"0\"}"#, &[("EXECUTION_HALTED", Some("0"))]);
        check("os.environ['AGENT_MODE'] = 'EXECUTE'", &[("AGENT_MODE", Some("EXECUTE"))]);
        check("AGENT_MODE: ${MODE:-OBSERVE}", &[("AGENT_MODE", None)]);
        check("--set=gamma.agentMode=EXECUTE", &[("agentMode", Some("EXECUTE"))]);
        check("AGENT_MODE=\u{1}", &[("AGENT_MODE", None)]);
    }

    #[test]
    fn a_comparison_a_question_and_another_key_are_no_assignments() {
        for text in [
            "AGENT_MODE == EXECUTE",
            "AGENT_MODE != EXECUTE",
            "AGENT_MODE",
            "select(.name==\"AGENT_MODE\") | .value",
            "MY_AGENT_MODE=EXECUTE",
            "AGENT_MODES=EXECUTE",
            "agentMode=x",
            "EXECUTION_HALTED_AT=0",
        ] {
            check(text, &[]);
        }
    }
}
