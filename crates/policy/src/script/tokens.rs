//! The tokens of a program in whatever language: texts, names, marks. Comments and documentation are left out.

use crate::found::{Key, Lines};
use crate::hole::HOLE;
use std::collections::BTreeMap;

/// Texts that names were given: `NAME = "execution-agent"`.
pub(super) type Constants = BTreeMap<String, String>;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Name,
    Mark,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: u32,
}

impl Token {
    pub(super) fn is(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    pub(super) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    pub(super) fn is_number(&self) -> bool {
        self.kind == Kind::Name && !self.text.is_empty() && self.text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Bytes of a text that another is joined to; longer ones name nothing.
const JOINED_MOST: usize = 256;

/// How much of a call's arguments is looked at.
pub(super) const CALL_MOST: usize = 400;

/// The arguments of a call whose name is the first of these tokens.
pub(super) fn call(rest: &[Token]) -> &[Token] {
    let mut depth: usize = 0;
    for (at, token) in rest.iter().enumerate().skip(1).take(CALL_MOST) {
        if ["(", "[", "{"].iter().any(|mark| token.is(mark)) {
            depth = depth.saturating_add(1);
        } else if [")", "]", "}"].iter().any(|mark| token.is(mark)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return rest.get(2..at).unwrap_or_default();
            }
        }
    }
    rest.get(2..rest.len().min(CALL_MOST)).unwrap_or_default()
}

/// Calls that leave a text what it is.
const KEEPS: [&str; 7] = ["freeze", "dup", "to_s", "to_string", "to_owned", "strip", "trim"];

/// Whether a value ends where these tokens begin, on a line that is this.
pub(super) fn is_end(rest: &[Token], line: u32) -> bool {
    let mut rest = rest;
    while let [dot, name, behind @ ..] = rest {
        if !(dot.is(".") && name.kind == Kind::Name && KEEPS.contains(&name.text.as_str())) {
            break;
        }
        rest = match behind {
            [open, close, after @ ..] if open.is("(") && close.is(")") => after,
            _ => behind,
        };
    }
    rest.first().is_none_or(|next| next.line > line || [",", ")", "]", "}", ";"].iter().any(|mark| next.is(mark)))
}

/// Puts texts where names stand for them as values: names that are given one text and never another.
pub(super) fn settle(tokens: &mut [Token], constants: &Constants) {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for pair in tokens.windows(2) {
        let [name, mark] = pair else { continue };
        let gives = ["=", ":=", "+=", "||=", "??=", "in"].iter().any(|text| mark.text == *text);
        if gives && constants.contains_key(&name.text) {
            let count = given.entry(name.text.clone()).or_default();
            *count = count.saturating_add(1);
        }
    }
    for at in 1..tokens.len() {
        let before = tokens.get(..at).unwrap_or_default().iter().rev().find(|token| !token.is("$"));
        let (Some(mark), Some(name), Some(rest)) = (before, tokens.get(at), tokens.get(at.saturating_add(1)..)) else {
            continue;
        };
        let is_value = name.kind == Kind::Name && ["=", ":=", "=>", ":", ","].iter().any(|text| mark.is(text));
        let text = constants.get(&name.text).filter(|_| given.get(&name.text) == Some(&1));
        // `environ[KEY] = …`, `{ [KEY]: … }`, `setenv(KEY, …)`.
        let names_a_key = |text: &&String| (mark.is("[") || mark.is("(")) && Key::of_variable(text).is_some();
        let text = text.filter(|text| (is_value || names_a_key(text)) && is_end(rest, name.line)).cloned();
        if let (Some(text), Some(token)) = (text, tokens.get_mut(at)) {
            *token = Token { kind: Kind::Text, text, line: token.line };
        }
    }
}

/// Texts that names are given once, by themselves: `NAME = "execution-agent"`.
pub(super) fn constants(tokens: &[Token]) -> Constants {
    let mut constants = Constants::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Name) {
        let mark = tokens.get(at.saturating_add(1)).is_some_and(|token| token.is("=") || token.is(":="));
        let value = tokens.get(at.saturating_add(2)).filter(|value| mark && value.is_text());
        let behind = tokens.get(at.saturating_add(3)..).unwrap_or_default();
        let ends =
            is_end(behind, token.line) && !behind.first().is_some_and(|next| next.line == token.line && next.is(","));
        if let Some(value) = value.filter(|value| ends && !value.text.contains(HOLE)) {
            constants.insert(token.text.clone(), value.text.clone());
        }
    }
    constants
}

/// Cuts a program into tokens.
pub(super) fn tokens(text: &str, constants: &Constants) -> Vec<Token> {
    let lines = Lines::of(text);
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0_usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let line = lines.at(at);
        let Some(c) = rest.chars().next() else { break };
        let mut width = c.len_utf8();
        let starts_statement = tokens.last().is_none_or(|token| token.line < line);
        if c == '#' && !rest.starts_with("#{") || rest.starts_with("//") && !tokens.last().is_some_and(|t| t.is(":")) {
            width = rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            width = rest.find("*/").map_or(rest.len(), |end| end.saturating_add(2));
        } else if let Some(quote) = ["\"\"\"", "'''", "\"", "'", "`"].into_iter().find(|quote| rest.starts_with(quote))
        {
            let inner = rest.get(quote.len()..).unwrap_or_default();
            let (value, inner_width) = quoted(inner, quote);
            width = quote.len().saturating_add(inner_width);
            // `f"…{x}…"`: the prefix was taken for a name.
            let prefix = tokens
                .last()
                .filter(|t| t.kind == Kind::Name && t.line == line && is_prefix(&t.text))
                .map(|t| t.text.clone());
            let adjoining =
                text.get(..at).is_some_and(|before| prefix.as_ref().is_some_and(|p| before.ends_with(p.as_str())));
            let formats = adjoining && prefix.as_deref().is_some_and(|p| p.contains(['f', 'F']));
            if adjoining {
                tokens.pop();
            }
            // A text alone at the beginning of a line is documentation.
            let documents = quote.len() == 3
                && starts_statement
                && tokens.last().is_none_or(|t| !t.is(",") && !t.is("(") && !t.is("=") && !t.is("["));
            if !documents {
                // `"AGENT_" + "MODE"` is one text.
                let joins = tokens.last().is_some_and(|token| token.is("+"));
                let before = tokens
                    .len()
                    .checked_sub(2)
                    .and_then(|at| tokens.get(at))
                    .filter(|token| joins && token.is_text() && token.text.len() < JOINED_MOST);
                if let Some(before) = before.map(|token| token.text.clone()) {
                    tokens.truncate(tokens.len().saturating_sub(2));
                    let text = format!("{before}{}", holes(&value, formats, quote == "`", constants));
                    tokens.push(Token { kind: Kind::Text, text, line });
                    at = at.saturating_add(width.max(1));
                    continue;
                }
                tokens.push(Token { kind: Kind::Text, text: holes(&value, formats, quote == "`", constants), line });
            }
        } else if c.is_alphanumeric() || c == '_' {
            width = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            tokens.push(Token { kind: Kind::Name, text: rest.get(..width).unwrap_or_default().to_owned(), line });
        } else if !c.is_whitespace() {
            let marks = ["===", "!==", "||=", "??=", "==", "!=", "=~", "=>", ":=", "+=", "<=", ">=", "::"];
            let mark =
                marks.into_iter().find(|mark| rest.starts_with(mark)).map_or_else(|| c.to_string(), str::to_owned);
            width = mark.len();
            tokens.push(Token { kind: Kind::Mark, text: mark, line });
        }
        at = at.saturating_add(width.max(1));
    }
    tokens
}

fn is_prefix(name: &str) -> bool {
    name.len() <= 2 && name.chars().all(|c| matches!(c, 'f' | 'F' | 'r' | 'R' | 'b' | 'B' | 'u'))
}

/// A quoted text up to its quote, escapes undone, and its width with the quote.
fn quoted(inner: &str, quote: &str) -> (String, usize) {
    let mut value = String::new();
    let mut at = 0_usize;
    while let Some(rest) = inner.get(at..) {
        if rest.starts_with(quote) {
            return (value, at.saturating_add(quote.len()));
        }
        let mut chars = rest.chars();
        match chars.next() {
            None => break,
            // An apostrophe of a sentence does not swallow the file.
            Some('\n') if quote.len() == 1 && quote != "`" => return (value, at),
            Some('\\') => {
                let next = chars.next();
                value.extend(next.map(|c| match c {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                }));
                at = at.saturating_add(1).saturating_add(next.map_or(0, char::len_utf8));
            }
            Some(c) => {
                value.push(c);
                at = at.saturating_add(c.len_utf8());
            }
        }
    }
    (value, inner.len())
}

/// A text whose places to fill are holes: `{x}` of an f-string, `${x}` of a template.
fn holes(text: &str, braces: bool, template: bool, constants: &Constants) -> String {
    let mut out = String::new();
    let mut rest = text;
    let open = if template { "${" } else { "{" };
    while let Some((before, behind)) = rest.split_once(open).filter(|_| braces || template) {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        match constants.get(name.trim()) {
            Some(text) => out.push_str(text),
            None => out.push(HOLE),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
