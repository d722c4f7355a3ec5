//! Scripts: what they would set, write, scale, start, patch and apply.
//!
//! The lock contract, "What counts". A script is not run and no branch is chosen: every command of it counts, with
//! every value that its words can come to. Where only a run can tell what a watched key is set to, that is said, and
//! whoever judges refuses it. Comments, tests, texts that are only shown, and documentation count for nothing.
//!
//! Shells are read by their grammar; other languages by their tokens ([`program`]).

mod arguments;
mod batch;
mod clients;
mod commands;
mod content;
mod flow;
mod functions;
mod kubectl;
mod makefile;
mod parse;
mod plans;
mod powershell;
mod program;
mod programs;
mod quotes;
mod run;
mod runner;
mod syntax;
mod tokens;
mod tools;
mod values;
mod word;

use crate::found::{Found, Said};
pub use plans::documents as plan;
use runner::{Place, Runner};

/// Longer scripts are refused: nobody reads them either.
const BYTES_MOST: usize = 1 << 20;

/// Reads a script; its name and its first line say in which language.
pub fn read(name: &str, text: &str) -> Found {
    if text.len() > BYTES_MOST {
        let mut found = Found::default();
        found.unreadable.push((format!("a script of {} bytes; at most {BYTES_MOST} are read", text.len()), 1));
        return found;
    }
    match () {
        () if powershell::is_powershell(name) => powershell::read(text, 0),
        () if quotes::is_of_these(name, text) => match quotes::as_common(text) {
            Some(text) => program::read(&text, 0),
            None => {
                let mut found = program::read(text, 0);
                found.unreadable.push(("quotes that nobody can tell what closes".to_owned(), 1));
                found
            }
        },
        () if batch::is_batch(name) => Runner::shell(&batch::as_shell(text)),
        () if is_program(name, text) => program::read(text, 0),
        () if makefile::is_makefile(name) => Runner::shell(&makefile::as_shell(text)),
        () => Runner::shell(text),
    }
}

/// Whether a script's name alone says how it is read, better than by its tokens as they are.
pub fn has_own_reader(name: &str) -> bool {
    powershell::is_powershell(name) || quotes::is_of_these(name, "")
}

/// The tool that an image runs by itself, by its base name.
pub fn tool_of_image(base_name: &str) -> Option<&'static str> {
    [
        ("kubectl", "kubectl"),
        ("oc", "oc"),
        ("gcloud", "gcloud"),
        ("cloud-sdk", "gcloud"),
        ("helm", "helm"),
        ("docker", "docker"),
    ]
    .into_iter()
    .find_map(|(image, tool)| (image == base_name).then_some(tool))
}

/// Reads a command as it stands in a list: `["sh", "-c", "…"]`. What cannot be told of a word is given as unknown.
pub fn command(words: &[Said], line: u32) -> Found {
    let argv: Vec<String> =
        words.iter().map(|word| word.known().map_or_else(|| crate::hole::HOLE.to_string(), str::to_owned)).collect();
    let mut runner = Runner::default();
    runner.argv(&argv, &Place { line, ..Place::default() });
    runner.found.sorted()
}

/// Whether a script is in another language than a shell's.
fn is_program(name: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    if let Some(interpreter) = first.strip_prefix("#!") {
        return !["sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "csh", "tcsh"]
            .iter()
            .any(|shell| interpreter.split_whitespace().any(|word| word.rsplit('/').next() == Some(shell)));
    }
    let ending =
        name.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(
        ending.as_deref(),
        Some(
            "py" | "js"
                | "mjs"
                | "cjs"
                | "ts"
                | "rb"
                | "pl"
                | "php"
                | "lua"
                | "go"
                | "rs"
                | "ps1"
                | "groovy"
                | "java"
                | "kt"
                | "r"
                | "jl"
                | "star"
                | "tf"
                | "hcl"
                | "cs"
                | "ex"
                | "exs"
                | "kts"
                | "nu"
                | "scala"
                | "swift"
                | "tcl"
        )
    )
}

#[cfg(test)]
mod tests;
