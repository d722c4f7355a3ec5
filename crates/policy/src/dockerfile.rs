//! Dockerfiles: what they build on, what environment they leave, what they run.
//!
//! The lock contract, rules `no-latest` and `no-execute`. An `ARG` with a default may be given another value by whoever
//! builds: as an image's tag its default is what the tree says, as the value of a watched key it decides nothing.

use crate::found::{Found, Key, Said};
use crate::{keyed, script};
use std::collections::BTreeMap;

/// Reads a Dockerfile.
pub fn read(text: &str) -> Found {
    let escape = escape_of(text);
    let mut reader = Reader::default();
    if let Some((reference, line)) = frontend(text) {
        reader.found.image("syntax", Said::Known(reference.to_owned()), line);
    }
    for instruction in instructions(text, escape) {
        reader.instruction(&instruction);
    }
    reader.found.sorted()
}

/// One instruction with its continued lines joined.
struct Instruction {
    word: String,
    rest: String,
    /// Here-documents: their delimiter and their text with its first line.
    documents: Vec<(String, u32)>,
    line: u32,
}

/// The escape character: a backslash unless a directive on top says otherwise.
fn escape_of(text: &str) -> char {
    for line in text.lines() {
        let Some(directive) = line.trim().trim_start_matches('\u{feff}').strip_prefix('#') else { break };
        let Some((name, value)) = directive.split_once('=') else { break };
        if name.trim().eq_ignore_ascii_case("escape") {
            return value.trim().chars().next().unwrap_or('\\');
        }
    }
    '\\'
}

/// The image that reads the file, where a directive at its head names one: `# syntax=docker/dockerfile:1.7`.
fn frontend(text: &str) -> Option<(&str, u32)> {
    let directives = text.trim_start_matches('\u{feff}').lines().zip(1..);
    directives
        .map_while(|(line, number)| Some((line.trim().strip_prefix('#')?.split_once('=')?, number)))
        .find(|((name, _), _)| name.trim().eq_ignore_ascii_case("syntax"))
        .map(|((_, reference), number)| (reference.trim(), number))
}

fn instructions(text: &str, escape: char) -> Vec<Instruction> {
    let mut all = Vec::new();
    let mut lines = (1_u32..).zip(text.lines());
    while let Some((line, first)) = lines.next() {
        let first = first.trim().trim_start_matches('\u{feff}');
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let mut joined = first.to_owned();
        while let Some(open) = joined.trim_end().strip_suffix(escape) {
            joined.truncate(open.len());
            let next = lines.by_ref().find(|(_, next)| !next.trim().is_empty() && !next.trim_start().starts_with('#'));
            let Some((_, next)) = next else { break };
            joined.push_str(next.trim_end());
        }
        let (word, rest) = joined.split_once(char::is_whitespace).unwrap_or((&joined, ""));
        let mut documents = Vec::new();
        if matches!(word.to_ascii_uppercase().as_str(), "RUN" | "COPY" | "ADD") {
            for (delimiter, strips_tabs) in delimiters(rest) {
                let mut body = String::new();
                let mut from = None;
                for (number, text) in lines.by_ref() {
                    from.get_or_insert(number);
                    let text = if strips_tabs { text.trim_start_matches('\t') } else { text };
                    if text.trim_end() == delimiter {
                        break;
                    }
                    body.push_str(text);
                    body.push('\n');
                }
                documents.push((body, from.unwrap_or(line)));
            }
        }
        all.push(Instruction { word: word.to_ascii_uppercase(), rest: rest.trim().to_owned(), documents, line });
    }
    all
}

/// The here-documents that an instruction opens: `<<EOF`, `<<-"EOF"`.
fn delimiters(rest: &str) -> Vec<(String, bool)> {
    rest.split_whitespace()
        .filter_map(|word| {
            let behind = word.find("<<").and_then(|at| word.get(at.saturating_add(2)..))?;
            let (behind, strips_tabs) = behind.strip_prefix('-').map_or((behind, false), |behind| (behind, true));
            let name = behind.trim_matches(['"', '\'']);
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            is_name.then(|| (name.to_owned(), strips_tabs))
        })
        .take(8)
        .collect()
}

#[derive(Default)]
struct Reader {
    found: Found,
    stages: Vec<String>,
    /// Whether a `FROM` was seen.
    begun: bool,
    /// `ARG` before the first `FROM`: what image references may name.
    global: BTreeMap<String, Option<String>>,
    /// `ARG` and `ENV` of the stage; an `ARG`'s value is not decided here.
    local: BTreeMap<String, Said>,
}

impl Reader {
    fn instruction(&mut self, instruction: &Instruction) {
        let rest = instruction.rest.as_str();
        let line = instruction.line;
        match instruction.word.as_str() {
            "FROM" => self.from(rest, line),
            "ARG" => self.arg(rest, line),
            "ENV" => self.env(rest, line),
            "RUN" => {
                self.flags(rest, line);
                if !instruction.documents.is_empty() {
                    for (body, from) in &instruction.documents {
                        self.found.absorb(script::read("", body), *from);
                    }
                } else {
                    self.process(without_flags(rest), line);
                }
            }
            "CMD" | "ENTRYPOINT" => self.process(rest, line),
            "HEALTHCHECK" => {
                if let Some((_, command)) = rest.split_once("CMD") {
                    self.process(command.trim(), line);
                }
            }
            "COPY" | "ADD" => {
                self.flags(rest, line);
                let target = rest.split_whitespace().last().unwrap_or_default();
                for (body, from) in &instruction.documents {
                    self.found.absorb(keyed::read(target, body), *from);
                }
            }
            "ONBUILD" => {
                let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if !word.eq_ignore_ascii_case("ONBUILD") {
                    let inner = Instruction {
                        word: word.to_ascii_uppercase(),
                        rest: rest.trim().to_owned(),
                        documents: Vec::new(),
                        line,
                    };
                    self.instruction(&inner);
                }
            }
            _ => {}
        }
    }

    fn from(&mut self, rest: &str, line: u32) {
        self.begun = true;
        let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
        let Some(reference) = words.next() else { return };
        let reference = self.expanded(reference, true);
        let is_stage = reference.known().is_some_and(|text| text == "scratch" || self.is_stage(text));
        if !is_stage {
            self.found.image("FROM", reference, line);
        }
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("as")) {
            self.stages.extend(words.next().map(str::to_ascii_lowercase));
        }
        self.local.clear();
    }

    fn is_stage(&self, name: &str) -> bool {
        self.stages.iter().any(|stage| *stage == name.to_ascii_lowercase())
    }

    fn arg(&mut self, rest: &str, line: u32) {
        for word in words(rest) {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let value = value.map(unquoted);
            if let (Some(key), Some(value)) = (Key::of_variable(name), &value) {
                let value = self.expanded(value, false);
                self.found.assign(key, name, value, false, line);
            }
            if !self.begun {
                self.global.insert(name.to_owned(), value);
            }
            let why = format!("`{name}` is given to the build");
            self.local.insert(name.to_owned(), Said::Unknown(why));
        }
    }

    fn env(&mut self, rest: &str, line: u32) {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let first = rest.split_whitespace().next().unwrap_or_default();
        if first.contains('=') {
            for word in words(rest) {
                pairs.extend(word.split_once('=').map(|(name, value)| (unquoted(name), value.to_owned())));
            }
        } else if let Some((name, value)) = rest.split_once(char::is_whitespace) {
            pairs.push((name.to_owned(), value.trim().to_owned()));
        }
        for (name, value) in pairs {
            let value = self.expanded(&unquoted(&value), false);
            if let Some(key) = Key::of_variable(&name) {
                self.found.assign(key, name.as_str(), value.clone(), false, line);
            }
            self.local.insert(name, value);
        }
    }

    /// `--from=IMAGE`, `--mount=…,from=IMAGE`.
    fn flags(&mut self, rest: &str, line: u32) {
        for flag in rest.split_whitespace().take_while(|word| word.starts_with("--")) {
            let from = flag.strip_prefix("--from=").or_else(|| {
                let options = flag.strip_prefix("--mount=")?;
                options.split(',').find_map(|option| option.strip_prefix("from="))
            });
            let Some(reference) = from.map(|from| self.expanded(from, true)) else { continue };
            let known = reference.known().unwrap_or_default();
            // A stage, its number; anything else is an image, unless whoever builds gives a context of that name.
            let names_image = !known.bytes().all(|byte| byte.is_ascii_digit()) || known.is_empty();
            if names_image && !self.is_stage(known) {
                self.found.image(format!("{} from", flag.split('=').next().unwrap_or_default()), reference, line);
            }
        }
    }

    /// A command: a list as JSON, or a shell's text.
    fn process(&mut self, text: &str, line: u32) {
        let list = serde_json::from_str::<Vec<String>>(text);
        let found = match list {
            Ok(words) => script::command(&words.into_iter().map(Said::Known).collect::<Vec<_>>(), line),
            Err(_) => {
                self.found.absorb(script::read("", text), line);
                return;
            }
        };
        self.found.absorb(found, 1);
    }

    /// A text with its `$X`, `${X}`, `${X:-y}` put in.
    fn expanded(&self, text: &str, image: bool) -> Said {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            if before.ends_with('\\') {
                out.push_str(before.trim_end_matches('\\'));
                out.push('$');
                rest = behind;
                continue;
            }
            out.push_str(before);
            let (name, default, after) = match behind.strip_prefix('{') {
                Some(inner) => {
                    let Some((inner, after)) = inner.split_once('}') else {
                        return Said::Unknown(format!("`{text}` does not close"));
                    };
                    let (name, default) = inner
                        .split_once(":-")
                        .or_else(|| inner.split_once('-'))
                        .map_or((inner, None), |(n, d)| (n, Some(d)));
                    (name, default, after)
                }
                None => {
                    let width = behind.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(behind.len());
                    let (name, after) = behind.split_at_checked(width).unwrap_or((behind, ""));
                    (name, None, after)
                }
            };
            let known = if image {
                self.global.get(name).cloned().flatten()
            } else {
                self.local.get(name).and_then(Said::known).map(str::to_owned)
            };
            match known.as_deref().or(default.filter(|_| image)) {
                Some(value) => out.push_str(value),
                None => return Said::Unknown(format!("`{text}`: `{name}` is decided by whoever builds")),
            }
            rest = after;
        }
        out.push_str(rest);
        Said::Known(out)
    }
}

fn without_flags(rest: &str) -> &str {
    let mut rest = rest;
    while rest.starts_with("--") {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, behind)| behind.trim_start());
    }
    rest
}

/// Words with quotes and escapes kept, cut at blanks outside of them.
fn words(rest: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in rest.chars() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != Some('\'') {
            escaped = true;
        } else if Some(c) == quote {
            quote = None;
        } else if quote.is_none() && matches!(c, '"' | '\'') {
            quote = Some(c);
        } else if quote.is_none() && c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A text without its quotes and escapes.
fn unquoted(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match c {
            '\\' if quote != Some('\'') => match chars.next() {
                Some('$') => out.push_str("\\$"),
                other => out.extend(other),
            },
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(text: &str) -> Vec<(Option<String>, u32)> {
        let found = read(text);
        found.assignments.into_iter().map(|a| (a.value.known().map(str::to_owned), a.line)).collect()
    }

    fn images(text: &str) -> Vec<(Option<String>, u32)> {
        let found = read(text);
        found.images.into_iter().map(|i| (i.reference.known().map(str::to_owned), i.line)).collect()
    }

    fn some(text: &str, line: u32) -> (Option<String>, u32) {
        (Some(text.to_owned()), line)
    }

    #[test]
    fn both_forms_of_env_and_every_form_of_a_command_are_read() {
        for text in [
            "FROM a:1\nENV AGENT_MODE=EXECUTE\n",
            "FROM a:1\nENV AGENT_MODE EXECUTE\n",
            "FROM a:1\nenv A=\"b c\" AGENT_MODE=\"EXECUTE\"\n",
            "FROM a:1\nENTRYPOINT [\"agenttrader\", \"--agent-mode\", \"EXECUTE\"]\n",
            "FROM a:1\nCMD AGENT_MODE=EXECUTE agenttrader\n",
            "FROM a:1\nRUN export AGENT_MODE=EXECUTE && true\n",
            "FROM a:1\nARG AGENT_MODE=EXECUTE\n",
            "FROM a:1\nONBUILD ENV AGENT_MODE=EXECUTE\n",
        ] {
            assert_eq!(modes(text), [some("EXECUTE", 2)], "{text}");
        }
        assert_eq!(modes("FROM a:1\nENV A=b \\\n  # a comment\n  AGENT_MODE=EXECUTE\n"), [some("EXECUTE", 2)]);
        assert_eq!(modes("# escape=`\nFROM a:1\nENV A=b `\n  AGENT_MODE=EXECUTE\n"), [some("EXECUTE", 3)]);
        assert_eq!(modes("FROM a:1\nENV M=EXECUTE\nENV AGENT_MODE=$M\n"), [some("EXECUTE", 3)]);
        assert_eq!(modes("FROM a:1\nRUN <<EOF\nexport AGENT_MODE=EXECUTE\nEOF\n"), [some("EXECUTE", 3)]);
        assert_eq!(modes("FROM a:1\nCOPY <<EOF /etc/floor.env\nAGENT_MODE=EXECUTE\nEOF\n"), [some("EXECUTE", 3)]);
    }

    #[test]
    fn what_the_build_is_given_decides_nothing() {
        assert_eq!(modes("FROM a:1\nARG MODE=OBSERVE\nENV AGENT_MODE=${MODE}\n"), [(None, 3)]);
        assert_eq!(modes("FROM a:1\nENV AGENT_MODE=${AGENT_MODE:-OBSERVE}\n"), [(None, 2)]);
        assert_eq!(
            modes("FROM a:1\nENV AGENT_MODE=OBSERVE\nLABEL AGENT_MODE=EXECUTE\n# ENV AGENT_MODE=EXECUTE\n"),
            [some("OBSERVE", 2)]
        );
        assert_eq!(modes("FROM a:1\nRUN echo AGENT_MODE=EXECUTE is refused\n"), []);
    }

    #[test]
    fn stages_are_no_images_and_defaults_are_put_in() {
        let text = "ARG TAG=1.2\nFROM --platform=linux/amd64 rust:${TAG} AS build\nFROM build AS again\nFROM scratch\nCOPY --from=build /a /b\n";
        assert_eq!(images(text), [some("rust:1.2", 2)]);
        assert_eq!(images("FROM rust\n"), [some("rust", 1)]);
        assert_eq!(images("ARG TAG\nFROM rust:${TAG}\n"), [(None, 2)]);
        assert_eq!(images("FROM rust:${TAG:-latest}\n"), [some("rust:latest", 1)]);
        assert_eq!(
            images("FROM a:1\nCOPY --from=b:latest /x /x\nCOPY --from=0 /x /y\n"),
            [some("a:1", 1), some("b:latest", 2)]
        );
        assert_eq!(
            images("FROM a:1\nRUN --mount=type=bind,from=b:latest,target=/b true\n"),
            [some("a:1", 1), some("b:latest", 2)]
        );
    }
}
