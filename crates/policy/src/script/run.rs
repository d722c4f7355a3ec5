//! What a script's commands do, as far as it concerns the lock.

use super::arguments::names;
use super::commands::{SHOWS, TOOLS, base};
use super::flow::{Reading, asked, outputs_of_calls, piped, readings};
use super::runner::{Place, Runner, is_switch};
use super::syntax::{Command, Part, Redirect, Word};
use super::values::{Values, assigned_defaults, split};
use super::{content, functions, parse};
use crate::found::{Effect, Found, Key, Order, Said};
use crate::hole::{HOLE, shown};
use crate::scan::{self, said};

/// Commands inside commands inside commands: `sh -c`, `eval`, `ssh`.
const DEPTH_MOST: usize = 6;

/// What `base64 -d` makes of a text.
fn unpacked(text: &str) -> Option<String> {
    use base64::Engine;
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    String::from_utf8(bytes).ok()
}

impl Runner {
    /// Reads a shell script.
    pub(super) fn shell(text: &str) -> Found {
        let mut runner = Self::default();
        runner.script(text, 1, 0);
        runner.found.sorted()
    }

    pub(super) fn script(&mut self, text: &str, line: u32, depth: usize) {
        if depth > DEPTH_MOST {
            return;
        }
        let mut script = parse::parse(text, line);
        outputs_of_calls(&mut script);
        let calls = functions::called(&mut script);
        let values = Values::of(&script, &calls);
        let reading = Reading { script: &script, values: &values, depth };
        self.shows.extend(functions::that_show(&script));
        for command in &script.commands {
            self.written_by(&reading, command);
            self.alias(&reading, command);
            self.reference(command);
        }
        let stdin = piped(&reading);
        let sources = asked(&reading);
        for (place, command) in script.commands.iter().enumerate() {
            let source = sources.get(&place).map(Vec::as_slice).unwrap_or_default();
            self.command(&reading, command, stdin.get(&place).map(Vec::as_slice).unwrap_or_default(), source);
        }
        if script.broken {
            self.lines(text, line);
        }
    }

    /// A script that does not close: nothing may hide behind a quote that was read otherwise than it runs.
    fn lines(&mut self, text: &str, first_line: u32) {
        for (line, text) in (first_line..).zip(text.lines()) {
            if text.trim_start().starts_with('#') {
                continue;
            }
            for hit in scan::assignments(text) {
                if matches!(
                    (hit.key, hit.value.known()),
                    (Key::AgentMode, Some("EXECUTE")) | (Key::ExecutionHalted, Some("0"))
                ) {
                    self.found.assign(hit.key, hit.spelled, hit.value, false, line);
                }
            }
        }
    }

    fn command(&mut self, reading: &Reading, command: &Command, stdin: &[String], source: &[String]) {
        let line = command.line;
        for word in &command.words {
            self.defaults(reading, word);
        }
        if let Some(key) = command.binds.as_deref().and_then(Key::of_variable) {
            for text in command.words.iter().flat_map(|word| split(reading.texts(word), word)) {
                self.found.assign(key, key.name(), said(&text), false, line);
            }
        }
        if command.inert {
            return;
        }
        for (name, adds, value) in command.words.iter().map_while(Word::assignment) {
            let Some(key) = Key::of_variable(&name).or_else(|| self.references.get(&name).copied()) else { continue };
            let texts = if adds { reading.values.parameter(&name) } else { reading.texts(&value) };
            for text in texts {
                self.found.assign(key, key.name(), said(&text), false, value.line);
            }
        }
        let words: Vec<&Word> = command.words.iter().skip_while(|word| word.assignment().is_some()).collect();
        let place = Place { line, stdin: stdin.to_vec(), source: source.to_vec(), depth: reading.depth };
        for argv in readings(reading, &words) {
            self.argv(&argv, &place);
        }
        self.redirects(reading, command, &words, stdin);
    }

    fn defaults(&mut self, reading: &Reading, word: &Word) {
        for (name, value) in assigned_defaults(word) {
            let Some(key) = Key::of_variable(name) else { continue };
            for text in reading.texts(value) {
                self.found.assign(key, name, said(&text), false, word.line);
            }
        }
        for part in &word.parts {
            if let Part::Parameter { operation: Some((_, inner)), .. } = part {
                self.defaults(reading, inner);
            }
        }
    }

    /// What goes into files and other programs as text, and what is written over the switch.
    fn redirects(&mut self, reading: &Reading, command: &Command, words: &[&Word], stdin: &[String]) {
        let line = command.line;
        let head = words.first().and_then(|word| word.literal()).unwrap_or_default();
        let printed = reading.values.printed(reading.script, command);
        let targets = reading.files_behind(command);
        if let Some(texts) = printed.as_ref().filter(|_| reading.leaves(command)) {
            let first = self.line_of_text(reading, command);
            let programs = reading.programs_behind(command);
            let packed = programs.iter().any(|program| program == "base64");
            for text in texts {
                let unpacked = if packed { unpacked(text) } else { None };
                let text = unpacked.as_ref().unwrap_or(text);
                content::read(self, text, first);
                for shell in &programs {
                    self.fed(shell, text, first, reading.depth);
                }
            }
        }
        for target in targets.iter().filter(|target| is_switch(target)) {
            let command = format!("{head} > {}", shown(target));
            let texts =
                printed.clone().unwrap_or_else(|| if stdin.is_empty() { vec![HOLE.to_string()] } else { Vec::new() });
            for text in texts {
                self.write_switch(text.trim_end_matches('\n'), &command, line);
            }
        }
        for redirect in &command.redirects {
            let Redirect::Document(at) = redirect else { continue };
            let Some(document) = reading.script.documents.get(*at) else { continue };
            if printed.is_some() || matches!(head.as_str(), "" | ":" | "read" | "cat" | "grep" | "true") {
                continue;
            }
            for text in reading.texts(document) {
                content::read(self, &text, document.line);
                for program in words.iter().filter_map(|word| word.literal()) {
                    self.fed(base(&program), &text, document.line, reading.depth);
                }
            }
        }
    }

    fn line_of_text(&self, reading: &Reading, command: &Command) -> u32 {
        let document = command.redirects.iter().find_map(|redirect| match redirect {
            Redirect::Document(at) => reading.script.documents.get(*at),
            _ => None,
        });
        document.map_or(command.line, |document| document.line)
    }

    /// A text that is a program's input.
    fn fed(&mut self, program: &str, text: &str, line: u32, depth: usize) {
        match program {
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "ssh" => self.script(text, line, depth.saturating_add(1)),
            "python" | "python3" | "node" | "perl" | "ruby" => {
                self.found.absorb(super::program::read(text, depth.saturating_add(1)), line);
            }
            _ => {}
        }
    }

    /// `KEY := value` of a makefile, as it reads for a shell.
    fn makes(&mut self, argv: &[String], place: &Place) {
        let words = argv.strip_prefix(&["export".to_owned()]).unwrap_or(argv);
        let [name, mark, rest @ ..] = words else { return };
        if let (Some(key), true) =
            (Key::of_variable(name), matches!(mark.as_str(), "=" | ":=" | "::=" | "?=" | "+=" | "!="))
        {
            let value = rest.join(" ");
            let value = if value.contains('$') || mark == "!=" { HOLE.to_string() } else { value };
            self.found.assign(key, key.name(), said(&value), false, place.line);
        }
    }

    /// `declare -n m=AGENT_MODE`.
    fn reference(&mut self, command: &Command) {
        let mut words = command.words.iter();
        let declares = words.next().and_then(Word::literal);
        let by_name = || words.clone().filter_map(Word::literal).any(|word| word == "-n");
        if !matches!(declares.as_deref(), Some("local" | "declare" | "typeset")) || !by_name() {
            return;
        }
        for (name, _, value) in words.clone().filter_map(Word::assignment) {
            self.references.extend(value.literal().and_then(|value| Key::of_variable(&value)).map(|key| (name, key)));
        }
    }

    /// `alias k=kubectl`.
    fn alias(&mut self, reading: &Reading, command: &Command) {
        let Some((head, definitions)) = command.words.split_first() else { return };
        if head.literal().as_deref() != Some("alias") {
            return;
        }
        for text in definitions.iter().flat_map(|word| reading.texts(word)) {
            if let Some((name, meaning)) = text.split_once('=') {
                self.aliases.insert(name.to_owned(), meaning.to_owned());
            }
        }
    }

    fn written_by(&mut self, reading: &Reading, command: &Command) {
        let Some(texts) = reading.values.printed(reading.script, command) else { return };
        for file in reading.files_behind(command) {
            self.written
                .entry(file)
                .or_default()
                .extend(texts.iter().map(|text| text.trim_end_matches('\n').to_owned()));
        }
    }

    pub(super) fn write_switch(&mut self, text: &str, command: &str, line: u32) {
        let effect = Effect::WriteSwitch(said(text));
        self.found.orders.push(Order { effect, names: Vec::new(), all: false, command: command.to_owned(), line });
    }

    /// A command's words, whatever program it is.
    pub fn argv(&mut self, argv: &[String], place: &Place) {
        let Some((head, rest)) = argv.split_first() else { return };
        if place.depth > DEPTH_MOST {
            return;
        }
        let head = base(head);
        let deeper = Place { depth: place.depth.saturating_add(1), ..place.clone() };
        if let Some(meaning) = self.aliases.get(head) {
            let words: Vec<String> = meaning.split_whitespace().map(str::to_owned).collect();
            // `alias ls='ls -l'` is the program again.
            if words.first().is_some_and(|first| first != head) {
                let argv: Vec<String> = words.into_iter().chain(rest.iter().cloned()).collect();
                return self.argv(&argv, &deeper);
            }
        }
        match head {
            "eval" => return self.script(&rest.join(" "), place.line, deeper.depth),
            "trap" => return self.script(rest.first().map_or("", String::as_str), place.line, deeper.depth),
            // The elements of an array that is handed on elsewhere.
            flag if flag.starts_with('-') => return self.everywhere(head, argv, place),
            "printf" => {
                let name = rest.iter().skip_while(|word| *word != "-v").nth(1);
                if let Some(key) = name.and_then(|name| Key::of_variable(name)) {
                    self.found.assign(key, key.name(), said(rest.last().map_or("", String::as_str)), false, place.line);
                }
                return;
            }
            "read" | "mapfile" | "readarray" | "getopts" => {
                for key in rest.iter().filter_map(|word| Key::of_variable(word)) {
                    self.found.assign(
                        key,
                        key.name(),
                        Said::Unknown(format!("what `{head}` reads")),
                        false,
                        place.line,
                    );
                }
                return;
            }
            "let" => {
                for hit in rest.iter().flat_map(|word| scan::assignments(word)) {
                    self.found.assign(hit.key, hit.spelled, hit.value, false, place.line);
                }
                return;
            }
            "find" if rest.iter().any(|word| matches!(word.as_str(), "-exec" | "-execdir" | "-delete")) => {
                let latch = rest.iter().any(|word| base(word) == "LATCH");
                self.found.orders.extend(latch.then(|| Order::new(Effect::RemoveLatch, argv, place.line)));
                // `-name FILE -exec COMMAND {}`: the command is about that file.
                let mut words = rest.iter().skip_while(|word| !word.starts_with("-exec")).skip(1);
                let command = words.by_ref().take_while(|word| !matches!(word.as_str(), ";" | "+"));
                let named = rest.iter().skip_while(|word| *word != "-name").nth(1);
                let command: Vec<String> =
                    command.map(|word| named.filter(|_| word == "{}").unwrap_or(word).clone()).collect();
                if !command.is_empty() {
                    return self.argv(&command, &deeper);
                }
            }
            shows if SHOWS.contains(&shows) || self.shows.contains(shows) => return,
            _ => {}
        }
        self.makes(argv, place);
        self.everywhere(head, rest, place);
        self.tool(head, rest, &deeper);
        // A known program behind one that only starts it, or behind a function of the script's own.
        if !TOOLS.contains(&head) || matches!(head, "env" | "sudo" | "sh" | "bash") {
            let inner = rest.iter().position(|word| TOOLS.contains(&base(word)) || SHOWS.contains(&base(word)));
            if let Some(inner) = inner.and_then(|at| rest.get(at..)) {
                let with_stdin: Vec<String> = match head {
                    "xargs" | "parallel" => inner
                        .iter()
                        .cloned()
                        .chain(place.stdin.iter().flat_map(|t| t.split_whitespace().map(str::to_owned)))
                        .collect(),
                    _ => inner.to_vec(),
                };
                self.argv(&with_stdin, &deeper);
            }
        }
    }

    /// Notes an image, where its reference is decided.
    pub(super) fn image(&mut self, at: &str, reference: &str, place: &Place) {
        if !reference.contains(HOLE) && !reference.is_empty() {
            self.found.image(at, Said::Known(reference.to_owned()), place.line);
        }
    }

    /// Notes an order about one thing.
    pub(super) fn order(&mut self, effect: Effect, name: &str, command: &[String], place: &Place) {
        self.order_of(effect, names([name]), false, command, place);
    }

    /// Notes an order.
    pub(super) fn order_of(
        &mut self,
        effect: Effect,
        names: Vec<String>,
        all: bool,
        command: &[String],
        place: &Place,
    ) {
        let command = shown(&command.join(" ")).chars().take(200).collect();
        self.found.orders.push(Order { effect, names, all, command, line: place.line });
    }
}
