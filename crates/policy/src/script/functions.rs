//! Functions of a script: each call's body with what it is called with.
//!
//! The body is read once by itself, where `$1` may be anything, and once for each call, where its places and locals have names of
//! their own: what one call gives is not taken for another's.

use super::commands::SHOWS;
use super::syntax::{Command, Part, Redirect, Script, Word};
use crate::found::Key;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Commands that the bodies of all calls may have together; beyond it a call's body is read by itself alone.
const COMMANDS_MOST: usize = 4096;

/// Functions that only show by way of others that do.
const NESTED_MOST: usize = 4;

/// The name of a call's place: `$1` of the third call is `1_of_2`, which no script can assign.
fn place_of(call: usize, place: &str) -> String {
    format!("{place}_of_{call}")
}

/// The places that stand for everything a call gives.
const ALL: [&str; 2] = ["@", "*"];
/// Arguments of a call that are taken together.
const ARGUMENTS_MOST: usize = 64;

/// The calls, by the command's place in the list.
pub(super) type Calls = BTreeSet<usize>;

/// Puts the body of each call behind the script's commands.
pub(super) fn called(script: &mut Script) -> Calls {
    let functions: BTreeMap<String, Range<usize>> = script.functions.iter().cloned().collect();
    let mut calls = Calls::new();
    let mut bodies: Vec<Command> = Vec::new();
    for (call, command) in script.commands.iter().enumerate() {
        let head = command.words.iter().find(|word| word.assignment().is_none()).and_then(Word::literal);
        let Some(range) = head.and_then(|head| functions.get(&head)) else { continue };
        let Some(body) = script.commands.get(range.clone()) else { continue };
        if bodies.len().saturating_add(body.len()) > COMMANDS_MOST {
            break;
        }
        let start = script.commands.len().saturating_add(bodies.len());
        let mut own: BTreeSet<String> = (1..=9).map(|place: u8| place.to_string()).collect();
        own.extend(ALL.map(str::to_owned));
        own.extend(body.iter().flat_map(locals).filter(|name| Key::of_variable(name).is_none()));
        let copy = Copy { call, own, from: range.clone(), start };
        bodies.extend(body.iter().map(|command| copy.command(command)));
        calls.insert(call);
    }
    script.commands.append(&mut bodies);
    calls
}

/// The functions that only show what they are given, to the person who runs the script: in every definition of that name.
pub(super) fn that_show(script: &Script) -> BTreeSet<String> {
    let mut showing = BTreeSet::new();
    let mut others = BTreeSet::new();
    // One that hands on to another that shows is one too.
    for _ in 0..NESTED_MOST {
        others.clear();
        let mut next = BTreeSet::new();
        for (name, range) in &script.functions {
            let body = script.commands.get(range.clone()).unwrap_or_default();
            let shows = !body.is_empty() && body.iter().all(|command| is_shown(command, range, &showing));
            if shows { &mut next } else { &mut others }.insert(name.clone());
        }
        if next == std::mem::replace(&mut showing, next.clone()) {
            break;
        }
    }
    // What a call prints may be run, where the script takes it for a word.
    for part in script.commands.iter().flat_map(|command| &command.words).flat_map(|word| &word.parts) {
        if let Part::Substitution { commands, .. } | Part::Process { commands } = part {
            let inner = script.commands.get(commands.clone()).unwrap_or_default();
            others.extend(inner.iter().filter_map(|command| command.words.first()?.literal()));
        }
    }
    showing.retain(|name| !others.contains(name));
    showing
}

fn is_shown(command: &Command, body: &Range<usize>, showing: &BTreeSet<String>) -> bool {
    const ALONE: [&str; 6] = ["exit", "return", "local", "shift", "date", "tput"];
    let head = command.words.iter().find(|word| word.assignment().is_none());
    let head = head.map(|head| head.literal().unwrap_or_default());
    let shown = head
        .is_none_or(|head| SHOWS.contains(&head.as_str()) || ALONE.contains(&head.as_str()) || showing.contains(&head));
    let stays = command.redirects.iter().all(|redirect| match redirect {
        Redirect::Out(to) => matches!(to.literal().as_deref(), Some("&2" | "2" | "/dev/stderr" | "/dev/null")),
        Redirect::In(_) | Redirect::Document(_) => true,
    });
    // What comes behind a pipe in the body is looked at itself.
    shown && stays && command.feeds.iter().all(|place| body.contains(place))
}

/// The places that a call gives: name and word.
pub(super) fn given(calls: &Calls, call: usize, arguments: &[&Word]) -> Vec<(String, Word)> {
    if !calls.contains(&call) {
        return Vec::new();
    }
    let mut all = Word::default();
    for word in arguments.iter().take(ARGUMENTS_MOST) {
        all.line = word.line;
        all.parts.extend(word.parts.iter().cloned().chain([Part::Text(" ".to_owned())]));
    }
    let single = (1..=9).zip(arguments).map(|(place, word)| (place_of(call, &place.to_string()), (*word).clone()));
    single.chain(ALL.map(|place| (place_of(call, place), all.clone()))).collect()
}

/// How a function's body becomes a call's.
struct Copy {
    call: usize,
    own: BTreeSet<String>,
    from: Range<usize>,
    start: usize,
}

impl Copy {
    fn command(&self, command: &Command) -> Command {
        let mut command = command.clone();
        command.words.iter_mut().for_each(|word| self.word(word));
        for redirect in &mut command.redirects {
            if let Redirect::Out(word) | Redirect::In(word) = redirect {
                self.word(word);
            }
        }
        command.binds =
            command.binds.map(|name| if self.own.contains(&name) { place_of(self.call, &name) } else { name });
        command.feeds.iter_mut().for_each(|place| *place = self.moved(*place));
        command
    }

    /// Where a command of the body stands in the copy.
    fn moved(&self, place: usize) -> usize {
        match place.checked_sub(self.from.start) {
            Some(within) if place < self.from.end => self.start.saturating_add(within),
            _ => place,
        }
    }

    fn word(&self, word: &mut Word) {
        if let Some((name, ..)) = word.assignment().filter(|(name, ..)| self.own.contains(name)) {
            let new = place_of(self.call, &name);
            if let Some(rest) = word.bare_prefix.strip_prefix(&name) {
                word.bare_prefix = format!("{new}{rest}");
            }
            if let Some(Part::Text(first)) = word.parts.first_mut()
                && let Some(rest) = first.strip_prefix(&name)
            {
                *first = format!("{new}{rest}");
            }
        }
        for part in &mut word.parts {
            match part {
                Part::Parameter { name, operation, .. } => {
                    if self.own.contains(name) {
                        *name = place_of(self.call, name);
                    }
                    if let Some((_, inner)) = operation {
                        self.word(inner);
                    }
                }
                Part::Substitution { commands, .. } | Part::Process { commands } => {
                    let width = commands.len();
                    commands.start = self.moved(commands.start);
                    commands.end = commands.start.saturating_add(width);
                }
                Part::Text(_) | Part::Opaque => {}
            }
        }
        word.array.iter_mut().flatten().for_each(|element| self.word(element));
    }
}

/// The names that a command makes a function's own.
fn locals(command: &Command) -> Vec<String> {
    let mut words = command.words.iter();
    let declares = words.next().and_then(Word::literal);
    if !matches!(declares.as_deref(), Some("local" | "declare" | "typeset")) {
        return Vec::new();
    }
    let name = |word: &Word| word.assignment().map(|(name, ..)| name).or_else(|| word.literal());
    words.filter_map(name).filter(|name| super::syntax::is_name(name)).collect()
}
