//! Functions of a script: what a call gives to `$1`, `$2`, …, each function's own.
//!
//! A function's places and locals get names of their own, so that what one is called with is not taken for another's.

use super::syntax::{Command, Part, Redirect, Script, Word};
use crate::found::Key;
use std::collections::{BTreeMap, BTreeSet};

/// More functions than anybody writes by hand are left as they are.
const FUNCTIONS_MOST: usize = 256;

/// The name of a function's place: `$1` of the third function is `1_of_2`, which no script can assign.
fn place_of(index: usize, place: &str) -> String {
    format!("{place}_of_{index}")
}

/// The functions' names, with their number and how many places are bound.
pub(super) type Functions = BTreeMap<String, usize>;

/// Gives the places and locals of each function names of their own.
pub(super) fn scoped(script: &mut Script) -> Functions {
    let functions: Vec<(String, std::ops::Range<usize>)> =
        script.functions.iter().take(FUNCTIONS_MOST).cloned().collect();
    for (index, (_, range)) in functions.iter().enumerate() {
        let Some(body) = script.commands.get_mut(range.clone()) else { continue };
        let mut own: BTreeSet<String> = (1..=9).map(|place: u8| place.to_string()).collect();
        own.extend(body.iter().flat_map(locals).filter(|name| Key::of_variable(name).is_none()));
        for command in body {
            for word in &mut command.words {
                rename(word, index, &own);
            }
            for redirect in &mut command.redirects {
                if let Redirect::Out(word) | Redirect::In(word) = redirect {
                    rename(word, index, &own);
                }
            }
            command.binds =
                command.binds.take().map(|name| if own.contains(&name) { place_of(index, &name) } else { name });
        }
    }
    functions.into_iter().enumerate().map(|(index, (name, _))| (name, index)).collect()
}

/// The places that a call gives: name and word.
pub(super) fn given<'a>(functions: &Functions, head: &str, arguments: &[&'a Word]) -> Vec<(String, &'a Word)> {
    let Some(index) = functions.get(head) else { return Vec::new() };
    (1..=9).zip(arguments).map(|(place, word)| (place_of(*index, &place.to_string()), *word)).collect()
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

fn rename(word: &mut Word, index: usize, own: &BTreeSet<String>) {
    let assigned = word.assignment().map(|(name, ..)| name).filter(|name| own.contains(name));
    if let Some(name) = assigned {
        let new = place_of(index, &name);
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
        if let Part::Parameter { name, operation, .. } = part {
            if own.contains(name) {
                *name = place_of(index, name);
            }
            if let Some((_, inner)) = operation {
                rename(inner, index, own);
            }
        }
    }
    word.array.iter_mut().flatten().for_each(|element| rename(element, index, own));
}
