//! What a shell's words can come to: every value that a variable is given anywhere in the script, whichever branch runs.
//!
//! A part that only a run can tell is a [`HOLE`] in the text. More values than anybody writes by hand collapse into one.

use super::functions::{self, Calls};
use super::syntax::{Command, Part, Redirect, Script, Word};
use crate::found::Key;
use crate::hole::HOLE;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Values of one word that are told apart.
const VALUES_MOST: usize = 32;
/// Bytes of one value.
const BYTES_MOST: usize = 16 * 1024;
/// Bytes of values that are put in over a whole script. Beyond it nothing is known, so that a hostile script costs no more.
const BUDGET: usize = 64 << 20;

/// Every variable's possible values.
#[derive(Debug, Default)]
pub struct Values {
    now: BTreeMap<String, BTreeSet<String>>,
    before: BTreeMap<String, BTreeSet<String>>,
    spent: Cell<usize>,
}

/// What a process's output is called where a file is expected: whoever reads the file reads what comes in.
const STDIN: &str = "/dev/stdin";

/// The value of nothing known.
fn hole() -> Vec<String> {
    vec![HOLE.to_string()]
}

fn capped(texts: BTreeSet<String>) -> Vec<String> {
    if texts.len() > VALUES_MOST || texts.iter().any(|text| text.len() > BYTES_MOST) {
        return hole();
    }
    texts.into_iter().collect()
}

impl Values {
    /// Of a script: twice over, so that a function sees what is set further down.
    pub(super) fn of(script: &Script, calls: &Calls) -> Self {
        let mut values = Self::default();
        for _ in 0..2 {
            values.before = std::mem::take(&mut values.now);
            for (place, command) in script.commands.iter().enumerate() {
                values.command(script, calls, place, command);
            }
        }
        values
    }

    fn bind(&mut self, name: &str, texts: Vec<String>) {
        let set = self.now.entry(name.to_owned()).or_default();
        set.extend(texts);
        if set.len() > VALUES_MOST {
            *set = BTreeSet::from([HOLE.to_string()]);
        }
    }

    fn command(&mut self, script: &Script, calls: &Calls, place: usize, command: &Command) {
        if let Some(name) = &command.binds {
            let texts: Vec<String> =
                command.words.iter().flat_map(|word| split(self.texts(script, word), word)).collect();
            self.bind(name, texts);
        }
        for word in &command.words {
            self.defaults(script, word);
        }
        let front = command.words.iter().map_while(Word::assignment);
        for (name, adds, value) in front.collect::<Vec<_>>() {
            self.assign(script, &name, adds, &value);
        }
        let rest: Vec<&Word> = command.words.iter().skip_while(|word| word.assignment().is_some()).collect();
        let Some((head, arguments)) = rest.split_first() else { return };
        let head = head.literal();
        for (name, word) in functions::given(calls, place, arguments) {
            let texts = self.texts(script, &word);
            self.bind(&name, texts);
        }
        match head.as_deref() {
            Some("export" | "declare" | "typeset" | "local" | "readonly") => {
                for word in arguments {
                    if let Some((name, adds, value)) = word.assignment() {
                        self.assign(script, &name, adds, &value);
                    } else {
                        for text in self.texts(script, word) {
                            if let Some((name, value)) = text.split_once('=') {
                                self.bind(name, vec![value.to_owned()]);
                            }
                        }
                    }
                }
            }
            Some("read" | "mapfile" | "readarray") => {
                let texts = self.read_texts(script, place, command);
                for name in
                    arguments.iter().filter_map(|word| word.literal()).filter(|name| super::syntax::is_name(name))
                {
                    self.bind(&name, texts.clone());
                }
            }
            Some("printf") => {
                let name = arguments.iter().skip_while(|word| word.literal().as_deref() != Some("-v")).nth(1);
                if let Some(name) = name.and_then(|word| word.literal()) {
                    let words: Vec<Word> = arguments.iter().skip(2).map(|word| (*word).clone()).collect();
                    let texts = self.lines(script, &words).map_or_else(hole, |words| vec![formatted(&words)]);
                    self.bind(&name, texts);
                }
            }
            _ => {}
        }
    }

    fn assign(&mut self, script: &Script, name: &str, adds: bool, value: &Word) {
        if value.array.is_some() {
            return;
        }
        let texts = self.texts(script, value);
        let texts = if adds { product(&self.parameter(name), &texts) } else { texts };
        self.bind(name, texts);
    }

    /// `${X:=word}` in a word sets X.
    fn defaults(&mut self, script: &Script, word: &Word) {
        for (name, value) in assigned_defaults(word) {
            let texts = self.texts(script, value);
            self.bind(name, texts);
        }
    }

    /// What `read` takes its lines from, where that is in the script.
    fn read_texts(&self, script: &Script, place: usize, command: &Command) -> Vec<String> {
        let mut texts = BTreeSet::new();
        for redirect in &command.redirects {
            if let Redirect::Document(at) = redirect {
                for text in script.documents.get(*at).map(|word| self.texts(script, word)).unwrap_or_default() {
                    texts.extend(text.split_whitespace().map(str::to_owned));
                    texts.insert(text);
                }
            }
        }
        for from in place.saturating_sub(8)..place {
            if let Some(printed) = script.commands.get(from).filter(|from| from.feeds.contains(&place)) {
                for text in self.printed(script, printed).unwrap_or_default() {
                    texts.extend(text.split_whitespace().map(str::to_owned));
                }
            }
        }
        if texts.is_empty() { hole() } else { capped(texts) }
    }

    /// Everything that a word can come to.
    pub fn texts(&self, script: &Script, word: &Word) -> Vec<String> {
        let mut texts = vec![String::new()];
        for part in &word.parts {
            let piece = match part {
                Part::Text(text) => vec![text.clone()],
                Part::Parameter { name, operation: None, .. } => self.parameter(name),
                Part::Parameter { name, operation: Some((operator, word)), .. } => {
                    self.operation(script, name, operator, word)
                }
                Part::Substitution { commands, .. } => self.substitution(script, commands.clone()).unwrap_or_else(hole),
                Part::Process { .. } => vec![STDIN.to_owned()],
                Part::Opaque => hole(),
            };
            texts = product(&texts, &piece);
        }
        texts
    }

    /// Everything that a variable is given anywhere.
    pub fn parameter(&self, name: &str) -> Vec<String> {
        let known = self.now.get(name).or_else(|| self.before.get(name));
        let bytes: usize = known.into_iter().flatten().map(String::len).sum();
        self.spent.set(self.spent.get().saturating_add(bytes));
        match known.filter(|_| self.spent.get() <= BUDGET) {
            Some(texts) => capped(texts.clone()),
            // The path is decided elsewhere, but what it leads to is known.
            None if name == Key::ExecutionHaltedFile.name() => vec![format!("{HOLE}/EXECUTION_HALTED")],
            None => hole(),
        }
    }

    fn operation(&self, script: &Script, name: &str, operator: &str, word: &Word) -> Vec<String> {
        let value = self.parameter(name);
        match operator {
            ":-" | "-" | ":=" | "=" => capped(value.into_iter().chain(self.texts(script, word)).collect()),
            ":+" | "+" => capped(self.texts(script, word).into_iter().chain([String::new()]).collect()),
            ":?" | "?" => value,
            "!" => capped(value.iter().flat_map(|name| self.parameter(name)).collect()),
            "#" | "##" | "%" | "%%" => match word.literal().filter(|cut| !cut.contains(['*', '?', '['])) {
                Some(cut) => value.into_iter().map(|text| without(&text, &cut, operator.starts_with('#'))).collect(),
                None => hole(),
            },
            "^^" if word.parts.is_empty() => value.into_iter().map(|text| text.to_uppercase()).collect(),
            ",," if word.parts.is_empty() => value.into_iter().map(|text| text.to_lowercase()).collect(),
            _ => hole(),
        }
    }

    /// What `$(echo …)` and its like give.
    fn substitution(&self, script: &Script, commands: std::ops::Range<usize>) -> Option<Vec<String>> {
        let [command] = script.commands.get(commands)? else { return None };
        if command.redirects.iter().any(|redirect| !matches!(redirect, Redirect::Document(_))) {
            return None;
        }
        let texts = self.printed(script, command)?;
        Some(texts.into_iter().map(|text| text.trim_end_matches('\n').to_owned()).collect())
    }

    /// What a command prints, where it is one that only prints what it is given.
    pub fn printed(&self, script: &Script, command: &Command) -> Option<Vec<String>> {
        let (head, arguments) = command.words.split_first()?;
        match head.literal()?.as_str() {
            "echo" => {
                let options = arguments.iter().take_while(|w| {
                    w.literal().is_some_and(|t| matches!(t.as_str(), "-n" | "-e" | "-ne" | "-en" | "-E"))
                });
                let skip = options.count();
                let escapes = arguments.iter().take(skip).any(|w| w.literal().is_some_and(|t| t.contains('e')));
                let mut texts = vec![String::new()];
                for (index, word) in arguments.iter().skip(skip).enumerate() {
                    let blank = if index > 0 { " " } else { "" };
                    texts = product(&product(&texts, &[blank.to_owned()]), &self.texts(script, word));
                }
                let newline =
                    if skip > 0 && arguments.iter().take(skip).any(|w| w.literal().is_some_and(|t| t.contains('n'))) {
                        ""
                    } else {
                        "\n"
                    };
                Some(texts.into_iter().map(|text| (if escapes { unescaped(&text) } else { text }) + newline).collect())
            }
            "printf" => Some(vec![formatted(&self.lines(script, arguments)?)]),
            "kubectl" | "oc" => {
                let words = arguments.iter().flat_map(|word| split(self.texts(script, word), word)).collect::<Vec<_>>();
                super::kubectl::listed(&words)
            }
            "cat" if arguments.iter().all(|word| word.literal().as_deref() == Some("-")) => {
                let document = command.redirects.iter().find_map(|redirect| match redirect {
                    Redirect::Document(at) => script.documents.get(*at),
                    _ => None,
                })?;
                Some(self.texts(script, document))
            }
            _ => None,
        }
    }

    /// Words with the first of their values each; a format with more is rare.
    fn lines(&self, script: &Script, words: &[Word]) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        for word in words {
            let texts = split(self.texts(script, word), word);
            lines.extend(texts);
        }
        (!lines.is_empty()).then_some(lines)
    }
}

/// The `${X:=word}` of a word.
pub fn assigned_defaults(word: &Word) -> impl Iterator<Item = (&str, &Word)> {
    word.parts.iter().filter_map(|part| match part {
        Part::Parameter { name, operation: Some((operator, value)), .. } if matches!(operator.as_str(), ":=" | "=") => {
            Some((name.as_str(), value))
        }
        _ => None,
    })
}

/// Texts, cut at blanks where the word's expansions stand outside of quotes.
pub fn split(texts: Vec<String>, word: &Word) -> Vec<String> {
    let splits = word.parts.iter().any(|part| match part {
        // `"$@"` is as many words as there are arguments.
        Part::Parameter { name, splits, .. } => *splits || name.starts_with('@'),
        Part::Substitution { splits, .. } => *splits,
        Part::Text(_) | Part::Process { .. } | Part::Opaque => false,
    });
    if !splits {
        return texts;
    }
    texts.iter().flat_map(|text| text.split_whitespace().map(str::to_owned)).collect()
}

fn product(left: &[String], right: &[String]) -> Vec<String> {
    if left.len().saturating_mul(right.len()) > VALUES_MOST {
        return hole();
    }
    let all: BTreeSet<String> = left.iter().flat_map(|a| right.iter().map(move |b| format!("{a}{b}"))).collect();
    capped(all)
}

/// A text without a piece at its beginning or end.
fn without(text: &str, cut: &str, begins: bool) -> String {
    let rest = if begins { text.strip_prefix(cut) } else { text.strip_suffix(cut) };
    rest.unwrap_or(text).to_owned()
}

/// What `printf` makes of a format and its arguments.
fn formatted(words: &[String]) -> String {
    let words = match words {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let Some((format, arguments)) = words.split_first() else { return String::new() };
    let format = unescaped(format);
    let mut arguments = arguments.iter();
    let mut text = String::new();
    loop {
        let before = arguments.len();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match chars.find(|c| c.is_ascii_alphabetic() || *c == '%') {
                Some('%') => text.push('%'),
                Some(_) => text.push_str(arguments.next().map_or("", String::as_str)),
                None => {}
            }
        }
        if arguments.len() == 0 || arguments.len() == before || text.len() > BYTES_MOST {
            return text;
        }
    }
}

/// A text with the escapes that `echo -e` and `printf` know.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('c') | None => {}
            Some(first @ ('x' | '0'..='7')) => {
                let radix = if first == 'x' { 16 } else { 8 };
                let mut digits = if first == 'x' { String::new() } else { first.to_string() };
                let most = if first == 'x' { 2 } else { 4 };
                while digits.len() < most {
                    let Some(digit) = chars.next_if(|c| c.is_digit(radix)) else { break };
                    digits.push(digit);
                }
                out.extend(u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
        }
    }
    out
}
