//! XML, as far as it gives names values: property lists of macOS, settings of tools.
//!
//! Understood are `<key>NAME</key><string>value</string>`, `<NAME>value</NAME>`, `<env name="NAME" value="value"/>` and an
//! array of strings, which is a command's words. Comments count for nothing.

use crate::found::{Found, Key, Lines, Said};
use crate::script;

/// A tag or a text between two, and where it begins.
struct Piece<'t> {
    tag: Option<&'t str>,
    text: &'t str,
    at: usize,
}

/// Reads XML.
pub fn read(text: &str) -> Found {
    let lines = Lines::of(text);
    let pieces = pieces(text);
    let mut found = Found::default();
    let mut words: Option<(Vec<Said>, u32)> = None;
    for (index, piece) in pieces.iter().enumerate() {
        let line = lines.at(piece.at);
        let behind = pieces.get(index.saturating_add(1)..).unwrap_or_default();
        match piece.tag {
            Some("array") => words = Some((Vec::new(), line)),
            Some("/array") => {
                if let Some((words, line)) = words.take() {
                    found.absorb(script::command(&words, line), 1);
                }
            }
            Some(tag) if Key::of_variable(tag).is_some() => assign(&mut found, tag, &first(behind), line),
            Some("key") => {
                // Behind the name: `</key>`, `<string>`, the value.
                let value = behind.get(3..).map(first).unwrap_or_default();
                assign(&mut found, &first(behind), &value, line);
            }
            Some("string") => {
                if let Some((words, _)) = &mut words {
                    words.push(Said::of_configuration(&first(behind)));
                }
            }
            Some(_) => {
                let name = ["name", "key"].iter().find_map(|name| attribute(piece.text, name));
                if let (Some(name), Some(value)) = (name, attribute(piece.text, "value")) {
                    assign(&mut found, &name, &value, line);
                }
            }
            None => {}
        }
    }
    found.sorted()
}

fn assign(found: &mut Found, name: &str, value: &str, line: u32) {
    if let Some(key) = Key::of_variable(name.trim()) {
        found.assign(key, key.name(), Said::of_configuration(value), false, line);
    }
}

/// The text that stands first; empty where a tag does.
fn first(pieces: &[Piece<'_>]) -> String {
    pieces.first().map_or_else(String::new, own)
}

fn own(piece: &Piece<'_>) -> String {
    if piece.tag.is_some() { String::new() } else { unescaped(piece.text.trim()) }
}

/// The tags and the texts between them, comments left out.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0_usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let width = if rest.starts_with("<!--") {
            rest.find("-->").map_or(rest.len(), |end| end.saturating_add(3))
        } else if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let (inside, _) = data.split_once("]]>").unwrap_or((data, ""));
            pieces.push(Piece { tag: None, text: inside, at });
            rest.len().min(inside.len().saturating_add("<![CDATA[]]>".len()))
        } else if rest.starts_with('<') {
            let end = rest.find('>').map_or(rest.len(), |end| end.saturating_add(1));
            let inside = rest.get(..end).unwrap_or_default().trim_matches(['<', '>']);
            let name = inside.split([' ', '\t', '\r', '\n']).next().unwrap_or_default().trim_end_matches('/');
            pieces.push(Piece { tag: Some(name), text: inside, at });
            end
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            let inside = rest.get(..end).unwrap_or_default();
            if !inside.trim().is_empty() {
                pieces.push(Piece { tag: None, text: inside, at });
            }
            end
        };
        at = at.saturating_add(width.max(1));
    }
    pieces
}

/// The value of a tag's attribute.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = behind.get(1..)?.split_once(quote)?;
        if before.trim_end().rsplit([' ', '\t', '\r', '\n']).next() == Some(name) {
            return Some(unescaped(value));
        }
        rest = after;
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let named = behind.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        let (c, after) = named.unwrap_or(('&', behind));
        out.push(c);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let number = |text: &str, radix| u32::from_str_radix(text, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(text) => number(text, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn told(text: &str) -> Vec<(String, Option<String>, u32)> {
        let found = read(text).assignments.into_iter();
        found.map(|a| (a.key.name().to_owned(), a.value.known().map(str::to_owned), a.line)).collect()
    }

    #[test]
    fn a_name_is_given_a_value_in_each_form() {
        let mode = |value: &str, line| vec![("AGENT_MODE".to_owned(), Some(value.to_owned()), line)];
        for (text, expected) in [
            ("<dict>\n<key>AGENT_MODE</key>\n<string>EXECUTE</string></dict>", mode("EXECUTE", 2)),
            ("<key>AGENT_MODE</key><string>&#69;XECUTE</string>", mode("EXECUTE", 1)),
            ("<key><![CDATA[AGENT_MODE]]></key><string><![CDATA[OFF]]></string>", mode("OFF", 1)),
            ("<a><AGENT_MODE>OFF</AGENT_MODE></a>", mode("OFF", 1)),
            ("<env\n name='AGENT_MODE' value=\"OFF\" />", mode("OFF", 1)),
            ("<key>AGENT_MODE</key><string/>", mode("", 1)),
            ("<!-- <key>AGENT_MODE</key><string>EXECUTE</string> -->", vec![]),
            ("<key>Comment</key><string>AGENT_MODE=EXECUTE</string>", vec![]),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn an_array_of_strings_is_a_command() {
        let text = "<array>\n<string>kubectl</string><string>scale</string><string>deploy/a</string><string>--replicas=1</string></array>";
        assert_eq!(read(text).orders.len(), 1);
        for odd in ["<", "<a", "<!--", "<![CDATA[", "&#xD800;", "<key>", "<a b=>", "<a b='", "</array>", "<array>"] {
            assert!(read(odd).orders.is_empty(), "{odd}");
        }
    }
}
