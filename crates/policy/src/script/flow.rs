//! Where a command's output goes: into files, through pipes, out of functions.

use super::commands::{SHOWS, base};
use super::syntax::{Command, Redirect, Script, Word};
use super::values::{Values, split};
use crate::hole::HOLE;
use std::collections::BTreeMap;

/// Ways to read one command's words together.
const READINGS_MOST: usize = 64;
/// Commands behind a pipe that are looked at; of a longer one nobody says where it ends.
const PIPE_MOST: usize = 16;

/// A script with what its words can come to.
pub(super) struct Reading<'a> {
    pub(super) script: &'a Script,
    pub(super) values: &'a Values,
    pub(super) depth: usize,
}

impl Reading<'_> {
    pub(super) fn texts(&self, word: &Word) -> Vec<String> {
        self.values.texts(self.script, word)
    }

    /// The commands behind a pipe, and behind theirs.
    fn behind<'a>(&'a self, command: &'a Command) -> Vec<&'a Command> {
        let mut all = Vec::new();
        let mut next: Vec<usize> = command.feeds.clone();
        while let Some(place) = next.pop() {
            if all.len() > PIPE_MOST {
                break;
            }
            if let Some(command) = self.script.commands.get(place) {
                all.push(command);
                next.extend(&command.feeds);
            }
        }
        all
    }

    /// The files that a command's output ends up in.
    pub(super) fn files_behind(&self, command: &Command) -> Vec<String> {
        let mut files = Vec::new();
        for command in std::iter::once(command).chain(self.behind(command)) {
            for redirect in &command.redirects {
                if let Redirect::Out(word) = redirect {
                    files.extend(self.texts(word));
                }
            }
            let mut words = command
                .words
                .iter()
                .skip_while(|word| !matches!(word.literal().as_deref().map(base), Some("tee" | "sponge" | "dd")));
            if words.next().is_some() {
                for word in words.filter(|word| !word.literal().is_some_and(|text| text.starts_with('-'))) {
                    files.extend(
                        self.texts(word)
                            .into_iter()
                            .map(|text| text.strip_prefix("of=").map_or(text.clone(), str::to_owned)),
                    );
                }
            }
        }
        files
    }

    /// The programs behind a pipe.
    pub(super) fn programs_behind(&self, command: &Command) -> Vec<String> {
        let commands = self.behind(command);
        commands
            .iter()
            .flat_map(|command| command.words.iter().filter_map(Word::literal))
            .map(|word| base(&word).to_owned())
            .collect()
    }

    /// Whether what a command prints goes anywhere but to the person who runs it.
    pub(super) fn leaves(&self, command: &Command) -> bool {
        // To the person who runs it, or into a text that only people read.
        let shown_only = |path: &String| {
            matches!(path.as_str(), "/dev/null" | "/dev/stderr" | "/dev/stdout" | "/dev/tty" | "&1" | "&2")
                || [".md", ".log", ".html", ".csv"].iter().any(|ending| path.ends_with(ending))
        };
        if self.files_behind(command).iter().any(|path| !shown_only(path)) {
            return true;
        }
        let behind = self.behind(command);
        behind.len() > PIPE_MOST
            || behind.iter().any(|command| {
                let head = command
                    .words
                    .iter()
                    .find(|word| word.assignment().is_none())
                    .and_then(Word::literal)
                    .unwrap_or_default();
                !SHOWS.contains(&base(&head))
                    && !matches!(
                        base(&head),
                        "sed" | "awk" | "column" | "fold" | "tee" | "read" | "xargs" | "md5sum" | "sha256sum"
                    )
            })
    }
}

/// The ways to read a command's words together.
pub(super) fn readings(reading: &Reading, words: &[&Word]) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for word in words {
        let texts = reading.texts(word);
        let many = all.len().saturating_mul(texts.len()) > READINGS_MOST;
        let texts = if many { vec![HOLE.to_string()] } else { texts };
        if let [text] = texts.as_slice() {
            let pieces = split(vec![text.clone()], word);
            all.iter_mut().for_each(|argv| argv.extend(pieces.iter().cloned()));
            continue;
        }
        let with = |before: &Vec<String>, text: &String| {
            let mut argv = before.clone();
            argv.extend(split(vec![text.clone()], word));
            argv
        };
        all = all.iter().flat_map(|before| texts.iter().map(move |text| with(before, text))).collect();
    }
    all
}

/// What comes into a command through a pipe, where it is known.
pub(super) fn piped(reading: &Reading) -> BTreeMap<usize, Vec<String>> {
    let mut stdin: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for command in &reading.script.commands {
        if command.feeds.is_empty() {
            continue;
        }
        if let Some(texts) = reading.values.printed(reading.script, command) {
            for place in &command.feeds {
                stdin.entry(*place).or_default().extend(texts.iter().cloned());
            }
        }
    }
    stdin
}

/// What each command behind a pipe gets from a `kubectl get`: the words that name it.
pub(super) fn asked(reading: &Reading) -> BTreeMap<usize, Vec<String>> {
    let mut sources: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for command in reading.script.commands.iter().filter(|command| !command.feeds.is_empty()) {
        let heads: Vec<String> = command.words.iter().take(2).filter_map(Word::literal).collect();
        if !heads.first().is_some_and(|head| matches!(base(head), "kubectl" | "oc")) {
            continue;
        }
        let words: Vec<&Word> = command.words.iter().collect();
        let asked = readings(reading, &words).into_iter().flat_map(|argv| {
            let mut words = argv.into_iter().skip_while(|word| word != "get").skip(1).peekable();
            let named: Vec<String> = words.by_ref().take_while(|word| !word.starts_with('-')).collect();
            named
        });
        let asked: Vec<String> = asked.collect();
        let mut next = command.feeds.clone();
        for _ in 0..PIPE_MOST {
            let Some(place) = next.pop() else { break };
            sources.entry(place).or_default().extend(asked.iter().cloned());
            next.extend(reading.script.commands.get(place).into_iter().flat_map(|command| &command.feeds));
        }
    }
    sources
}

/// What a function prints goes where its calls send it.
pub(super) fn outputs_of_calls(script: &mut Script) {
    let functions: BTreeMap<String, std::ops::Range<usize>> = script.functions.iter().take(256).cloned().collect();
    let mut sent = Vec::new();
    for command in &script.commands {
        let Some(range) = command.words.first().and_then(Word::literal).and_then(|name| functions.get(&name)) else {
            continue;
        };
        let outs: Vec<Redirect> = command.redirects.iter().filter(|r| matches!(r, Redirect::Out(_))).cloned().collect();
        if !(outs.is_empty() && command.feeds.is_empty()) && sent.len() < 256 {
            sent.push((range.clone(), outs, command.feeds.clone()));
        }
    }
    for (range, outs, feeds) in sent {
        for command in script.commands.get_mut(range).unwrap_or_default() {
            command.redirects.extend(outs.iter().cloned());
            command.feeds.extend(&feeds);
        }
    }
}
