//! Files of one assignment a line: `.env` and `.properties`.
//!
//! Readers of environment files differ in quotes, comments behind values and continued lines: each line counts by
//! itself, and joined with the next where it ends in a backslash.

use crate::found::{Found, Key, Said};

/// Reads an environment file.
pub fn env(text: &str) -> Found {
    let mut found = Found::default();
    let mut lines = (1_u32..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        let mut line = line.trim().trim_start_matches('\u{feff}').to_owned();
        if line.starts_with('#') {
            continue;
        }
        let mut ahead = lines.clone();
        while line.ends_with('\\') && line.len() < 4096 {
            line.pop();
            let Some((_, next)) = ahead.next() else { break };
            line.push_str(next.trim());
        }
        let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("set ")).unwrap_or(&line).trim_start();
        let Some((name, value)) = line.split_once(['=', ':']) else {
            if let Some(key) = Key::of_variable(line) {
                let why = "no value: taken over from where the file is read";
                found.assign(key, key.name(), Said::Unknown(why.to_owned()), false, number);
            }
            continue;
        };
        let name = name.trim().trim_matches(['"', '\'']);
        if let Some(key) = Key::of_configuration(name) {
            found.assign(key, name, value_of(value.trim()), false, number);
        }
    }
    found.sorted()
}

/// A value without its quotes and without the comment behind it.
fn value_of(value: &str) -> Said {
    for quote in ['"', '\''] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return if quote == '"' { Said::of_configuration(inner) } else { Said::Known(inner.to_owned()) };
        }
    }
    let bare = value.split_once(" #").or_else(|| value.split_once("\t#")).map_or(value, |(bare, _)| bare);
    Said::of_configuration(bare.trim_end())
}

/// Keys of units and supervisors whose value is a process's environment or command.
const PROCESS: [&str; 6] = ["environment", "execstart", "execstartpre", "passenvironment", "command", "env"];

/// Reads a properties file.
pub fn properties(text: &str) -> Found {
    let mut found = Found::default();
    let mut lines = (1_u32..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let mut line = line.trim_start().trim_end_matches('\r').to_owned();
        if line.starts_with(['#', '!', ';']) {
            continue;
        }
        while line.ends_with('\\') && !line.ends_with("\\\\") {
            line.pop();
            let Some((_, next)) = lines.next() else { break };
            line.push_str(next.trim_start().trim_end_matches('\r'));
        }
        let line = unescaped(&line);
        let Some((name, value)) = line.split_once(['=', ':']).or_else(|| line.split_once([' ', '\t'])) else {
            continue;
        };
        if let Some(key) = Key::of_configuration(name) {
            let value = value.trim().trim_start_matches(['=', ':']).trim();
            let bare = value.trim_matches(['"', '\'']);
            found.assign(key, name.trim(), Said::of_configuration(bare), false, number);
        } else if PROCESS.contains(&name.trim().to_ascii_lowercase().as_str()) {
            for hit in crate::scan::assignments(value) {
                found.assign(hit.key, hit.spelled, hit.value, false, number);
            }
        }
    }
    found.sorted()
}

/// `\u0045` and other escapes undone.
fn unescaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('u') => {
                let digits: String = chars.clone().take(4).take_while(char::is_ascii_hexdigit).collect();
                chars.by_ref().take(digits.len()).for_each(drop);
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            other => out.extend(other),
        }
    }
    out
}
