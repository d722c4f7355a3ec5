//! Reads a shell script's commands: lists, groups, functions, `case`, redirections and here-documents.
//!
//! The grammar is that of POSIX with what bash adds. Anything that does not close marks the script as broken, so that
//! nothing hides behind a quote that a real shell would read otherwise. Words are read in [`super::word`].

use super::syntax::{Command, Part, Redirect, Script, Word};
use crate::found::Lines;

/// Nested substitutions, groups and documents deeper than this are not followed; nobody writes them.
pub(super) const DEPTH_MOST: usize = 60;
/// Commands whose output a script may give to others as files.
const FED_MOST: usize = 4096;
/// How far the end of an arithmetic expression is looked for.
const ARITHMETIC_MOST: usize = 512;

/// Reads a script. Its lines count from `first_line`.
pub fn parse(text: &str, first_line: u32) -> Script {
    let mut script = Script::default();
    Parser::new(text, first_line, 0, &mut script).list(None);
    feed_processes(&mut script);
    script
}

/// What a `<(…)` writes comes into the command that is given it, as through a pipe.
fn feed_processes(script: &mut Script) {
    let mut fed = Vec::new();
    for (place, command) in script.commands.iter().enumerate() {
        let from = command.redirects.iter().filter_map(|redirect| match redirect {
            Redirect::In(word) => Some(word),
            _ => None,
        });
        for part in command.words.iter().chain(from).flat_map(|word| &word.parts) {
            if let Part::Process { commands } = part {
                // A group's redirection stands at its process's own commands too.
                fed.extend(commands.clone().filter(|_| !commands.contains(&place)).map(|inner| (inner, place)));
            }
            if fed.len() > FED_MOST {
                script.broken = true;
                return;
            }
        }
    }
    for (inner, place) in fed {
        if let Some(command) = script.commands.get_mut(inner) {
            command.feeds.push(place);
        }
    }
}

pub(super) struct Parser<'a, 's> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) script: &'s mut Script,
    lines: Lines,
    first_line: u32,
    documents: Vec<Awaited>,
}

/// A here-document whose text begins on the next line.
struct Awaited {
    delimiter: String,
    quoted: bool,
    strips_tabs: bool,
    place: usize,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Paren,
    Brace,
    Case,
    Compound,
}

struct Group {
    kind: Kind,
    start: usize,
    function: Option<String>,
}

/// What one list of commands keeps while it is read.
#[derive(Default)]
struct State {
    current: Command,
    groups: Vec<Group>,
    /// The group that was closed last, while redirections and pipes still belong to it.
    closed: Option<usize>,
    /// Commands whose output goes into the next one.
    piped: Vec<usize>,
    function: Option<String>,
}

impl<'a, 's> Parser<'a, 's> {
    pub(super) fn new(text: &'a str, first_line: u32, depth: usize, script: &'s mut Script) -> Self {
        let too_deep = depth > DEPTH_MOST;
        script.broken |= too_deep;
        let at = if too_deep { text.len() } else { 0 };
        Parser { text, at, depth, script, lines: Lines::of(text), first_line, documents: Vec::new() }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at = self.at.saturating_add(c.len_utf8());
        Some(c)
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    pub(super) fn line(&self) -> u32 {
        self.lines.at(self.at).saturating_add(self.first_line.saturating_sub(1))
    }

    /// Blanks and continued lines.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with([' ', '\t', '\r']) {
                self.skip(1);
            } else if rest.starts_with("\\\n") {
                self.skip(2);
            } else if rest.starts_with("\\\r\n") {
                self.skip(3);
            } else {
                return;
            }
        }
    }

    /// A comment, where one begins.
    fn comment(&mut self) {
        if self.peek() == Some('#') {
            let rest = self.rest();
            self.skip(rest.find('\n').unwrap_or(rest.len()));
        }
    }

    /// Commands up to the closing character, which is consumed, or to the end.
    pub(super) fn list(&mut self, closing: Option<char>) {
        let mut state = State::default();
        let mut closed = closing.is_none();
        loop {
            self.blanks();
            self.comment();
            let Some(c) = self.peek() else { break };
            let rest = self.rest();
            match c {
                '\n' => {
                    self.skip(1);
                    self.end(&mut state);
                    self.here_documents();
                }
                ';' => {
                    self.end(&mut state);
                    let width = rest.chars().take_while(|c| matches!(c, ';' | '&')).take(3).count();
                    self.skip(width);
                    if width > 1 && state.groups.last().is_some_and(|group| group.kind == Kind::Case) {
                        self.pattern(&mut state);
                    }
                }
                '&' if rest.starts_with("&>") => self.redirect(&mut state),
                '&' => {
                    self.end(&mut state);
                    self.skip(if rest.starts_with("&&") { 2 } else { 1 });
                }
                '|' if rest.starts_with("||") => {
                    self.end(&mut state);
                    self.skip(2);
                }
                '|' => {
                    self.skip(if rest.starts_with("|&") { 2 } else { 1 });
                    let from = self.finish(&mut state);
                    state.piped = from;
                }
                '(' if state.current.words.is_empty() && self.arithmetic() => {
                    self.end(&mut state);
                }
                '(' if state.current.words.is_empty() => {
                    self.skip(1);
                    self.open(&mut state, Kind::Paren);
                }
                '(' => {
                    self.skip(1);
                    self.function_head(&mut state);
                }
                ')' => {
                    self.skip(1);
                    self.end(&mut state);
                    if state.groups.last().is_some_and(|group| group.kind == Kind::Paren) {
                        self.close(&mut state);
                    } else if closing == Some(')') {
                        closed = true;
                        break;
                    } else {
                        self.script.broken = true;
                    }
                }
                '<' | '>' if !matches!(self.peek_second(), Some('(')) => self.redirect(&mut state),
                _ => self.word_of_command(&mut state),
            }
        }
        self.end(&mut state);
        self.script.broken |= !closed || !state.groups.is_empty();
        if closing.is_none() && !self.documents.is_empty() {
            self.here_documents();
        }
    }

    fn word_of_command(&mut self, state: &mut State) {
        let before = self.at;
        let word = self.word();
        if self.at == before {
            // Nothing that a word can begin with: step over it.
            self.bump();
            return;
        }
        let is_descriptor = word.bare().is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit()));
        if is_descriptor && matches!(self.peek(), Some('<' | '>')) {
            return;
        }
        if state.current.words.is_empty() && self.reserved(state, &word) {
            return;
        }
        if state.current.words.is_empty() {
            state.current.line = word.line;
            state.closed = None;
        }
        if let Some(elements) = &word.array {
            let name = word.assignment().map(|(name, ..)| name);
            let line = word.line;
            self.script.commands.push(Command {
                words: elements.clone(),
                binds: name,
                inert: false,
                line,
                ..Command::default()
            });
        }
        state.current.words.push(word);
    }

    /// Acts on a reserved word; whether it was one.
    fn reserved(&mut self, state: &mut State, word: &Word) -> bool {
        match word.bare() {
            Some("then" | "do" | "else" | "elif" | "!" | "time" | "coproc") => {}
            Some("{") => self.open(state, Kind::Brace),
            Some("if" | "while" | "until") => self.open(state, Kind::Compound),
            Some("for" | "select") => {
                self.open(state, Kind::Compound);
                self.loop_head();
            }
            Some("case") => {
                self.open(state, Kind::Case);
                self.case_head(state);
            }
            Some("}" | "fi" | "done" | "esac") => self.close(state),
            Some("function") => {
                self.blanks();
                let name = self.word();
                self.blanks();
                if self.rest().starts_with("()") {
                    self.skip(2);
                }
                state.function = name.literal();
            }
            Some("[[") => self.test(),
            _ => return false,
        }
        true
    }

    fn open(&mut self, state: &mut State, kind: Kind) {
        if state.groups.len() >= DEPTH_MOST {
            self.script.broken = true;
            self.at = self.text.len();
        }
        state.closed = None;
        state.groups.push(Group { kind, start: self.script.commands.len(), function: state.function.take() });
    }

    fn close(&mut self, state: &mut State) {
        let Some(group) = state.groups.pop() else {
            self.script.broken = true;
            return;
        };
        if let Some(name) = group.function {
            self.script.functions.push((name, group.start..self.script.commands.len()));
        }
        state.closed = Some(group.start);
    }

    /// Ends the current command; what follows begins anew.
    fn end(&mut self, state: &mut State) {
        self.finish(state);
        state.closed = None;
    }

    /// Puts the current command into the list. Answers what a pipe behind it takes the output of.
    fn finish(&mut self, state: &mut State) -> Vec<usize> {
        let command = std::mem::take(&mut state.current);
        if command.words.is_empty() && command.redirects.is_empty() {
            let start = state.closed.take();
            return start.map_or_else(Vec::new, |start| (start..self.script.commands.len()).collect());
        }
        let place = self.script.commands.len();
        self.script.commands.push(command);
        for from in std::mem::take(&mut state.piped) {
            if let Some(command) = self.script.commands.get_mut(from) {
                command.feeds.push(place);
            }
        }
        vec![place]
    }

    /// `name ()`, behind the name and the first bracket.
    fn function_head(&mut self, state: &mut State) {
        self.blanks();
        if self.peek() == Some(')') {
            self.skip(1);
            let words = std::mem::take(&mut state.current).words;
            state.function = words.first().and_then(Word::literal);
        } else {
            self.script.broken = true;
        }
    }

    /// `NAME in words`, behind `for`.
    fn loop_head(&mut self) {
        self.blanks();
        if self.peek() == Some('(') && self.arithmetic() {
            return;
        }
        let name = self.word();
        let line = name.line;
        self.empty_lines();
        let before = self.at;
        if self.word().bare() != Some("in") {
            self.at = before;
            return;
        }
        let mut words = Vec::new();
        loop {
            self.blanks();
            let before = self.at;
            let word = self.word();
            if self.at == before {
                break;
            }
            words.push(word);
        }
        self.script.commands.push(Command { words, binds: name.literal(), inert: true, line, ..Command::default() });
    }

    fn empty_lines(&mut self) {
        loop {
            self.blanks();
            self.comment();
            if self.peek() != Some('\n') {
                return;
            }
            self.skip(1);
            self.here_documents();
        }
    }

    /// `word in`, behind `case`.
    fn case_head(&mut self, state: &mut State) {
        self.blanks();
        self.word();
        self.empty_lines();
        if self.word().bare() == Some("in") {
            self.pattern(state);
        } else {
            self.script.broken = true;
        }
    }

    /// The pattern of a branch, or `esac`.
    fn pattern(&mut self, state: &mut State) {
        self.empty_lines();
        if self.peek() == Some('(') {
            self.skip(1);
        }
        let mut first = true;
        loop {
            self.blanks();
            match self.peek() {
                None => return,
                Some(')') => {
                    self.skip(1);
                    return;
                }
                Some('|') => self.skip(1),
                Some('\n') => {
                    self.script.broken = true;
                    return;
                }
                Some(_) => {
                    let before = self.at;
                    let word = self.word();
                    if first && word.bare() == Some("esac") {
                        self.close(state);
                        return;
                    }
                    if self.at == before {
                        self.bump();
                    }
                }
            }
            first = false;
        }
    }

    /// Up to `]]`.
    fn test(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                None => {
                    self.script.broken = true;
                    return;
                }
                Some('\n' | ';' | '|' | '&' | '(' | ')') => self.skip(1),
                Some('<' | '>') if self.peek_second() != Some('(') => self.skip(1),
                Some(_) => {
                    let before = self.at;
                    if self.word().bare() == Some("]]") {
                        return;
                    }
                    if self.at == before {
                        self.bump();
                    }
                }
            }
        }
    }

    /// `((…))` as a command: whether it was one. Its text is kept, an assignment may stand in it.
    fn arithmetic(&mut self) -> bool {
        let rest = self.rest();
        let Some(inner) = rest.strip_prefix("((") else { return false };
        let Some(width) = arithmetic_width(inner) else { return false };
        let line = self.line();
        let text = inner.get(..width).unwrap_or_default();
        self.skip(width.saturating_add(4));
        let words = vec![Word::text("let", line), Word::text(text, line)];
        self.script.commands.push(Command { words, line, ..Command::default() });
        true
    }

    fn redirect(&mut self, state: &mut State) {
        let rest = self.rest();
        let operators = ["&>>", "<<<", "<<-", "&>", "<<", ">>", ">|", "<>", "<&", ">&", "<", ">"];
        let operator = operators.into_iter().find(|operator| rest.starts_with(operator)).unwrap_or(">");
        self.skip(operator.len());
        self.blanks();
        let word = self.word();
        let redirect = match operator {
            "<<" | "<<-" => {
                let place = self.script.documents.len();
                self.script.documents.push(Word { line: word.line, ..Word::default() });
                let quoted = word.bare().is_none();
                let delimiter = word.literal().unwrap_or_default();
                self.documents.push(Awaited { delimiter, quoted, strips_tabs: operator == "<<-", place });
                Redirect::Document(place)
            }
            "<<<" => {
                self.script.documents.push(word);
                Redirect::Document(self.script.documents.len().saturating_sub(1))
            }
            "<" => Redirect::In(word),
            "<&" => return,
            ">&" if word.bare().is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit() || b == b'-')) => return,
            _ => Redirect::Out(word),
        };
        match state.closed {
            Some(start) if state.current.words.is_empty() => {
                for command in self.script.commands.get_mut(start..).unwrap_or_default() {
                    command.redirects.push(redirect.clone());
                }
            }
            _ => {
                if state.current.words.is_empty() && state.current.redirects.is_empty() {
                    state.current.line = self.line();
                }
                state.current.redirects.push(redirect);
            }
        }
    }

    /// Reads the documents that begin on this line.
    fn here_documents(&mut self) {
        for awaited in std::mem::take(&mut self.documents) {
            let line = self.line();
            let mut body = String::new();
            let mut ended = false;
            while !self.rest().is_empty() {
                let rest = self.rest();
                let width = rest.find('\n').map_or(rest.len(), |at| at.saturating_add(1));
                let raw = rest.get(..width).unwrap_or_default();
                self.skip(width);
                let text = if awaited.strips_tabs { raw.trim_start_matches('\t') } else { raw };
                if text.trim_end_matches(['\n', '\r']) == awaited.delimiter {
                    ended = true;
                    break;
                }
                body.push_str(text);
            }
            self.script.broken |= !ended;
            let word = if awaited.quoted {
                Word { line, ..Word::text(body, line) }
            } else {
                Parser::new(&body, line, self.depth.saturating_add(1), self.script).document()
            };
            if let Some(place) = self.script.documents.get_mut(awaited.place) {
                *place = word;
            }
        }
    }
}

/// How far it is to the `))` that closes, where it is near.
pub(super) fn arithmetic_width(inner: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in inner.char_indices().take_while(|(at, _)| *at < ARITHMETIC_MOST) {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' if depth > 0 => depth = depth.saturating_sub(1),
            ')' => return inner.get(at..)?.starts_with("))").then_some(at),
            _ => {}
        }
    }
    None
}
