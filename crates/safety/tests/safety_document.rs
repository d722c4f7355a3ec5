//! What `docs/SAFETY.md` says is so.

#![allow(clippy::unwrap_used)]

use agenttrader_core::reason::Reason;
use agenttrader_safety::gate::silencers;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document() -> String {
    fs::read_to_string(root().join("docs/SAFETY.md")).unwrap()
}

/// The text between two headings.
fn part<'a>(document: &'a str, from: &str, to: &str) -> &'a str {
    document.split(from).nth(1).unwrap().split(to).next().unwrap()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn its_table_has_every_code_in_order() {
    let document = document();
    let table = part(&document, "## The codes", "### One cause, one code");
    let codes: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(codes, Reason::ALL.map(Reason::as_str));
}

#[test]
fn its_list_of_what_stays_of_a_malformed_proposal_is_the_codes() {
    let document = document();
    let said = part(&document, "`PROPOSAL_MALFORMED`: every code", "### What is measured");
    let said: Vec<&str> = quoted(said).collect();
    let stays = |reason: &Reason| {
        *reason != Reason::ProposalMalformed && !silencers(*reason).contains(&Reason::ProposalMalformed)
    };
    let expected: Vec<&str> = Reason::ALL.iter().filter(|reason| stays(reason)).map(|reason| reason.as_str()).collect();
    assert_eq!(said, expected);
}

#[test]
fn every_test_it_names_exists() {
    let document = document();
    let table = part(&document, "## The invariants", "## Outside the model");
    let named: BTreeSet<&str> = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("**"))
        .flat_map(|line| quoted(line.rsplit(" | ").next().unwrap()))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    let mut sources = String::new();
    for folder in ["crates", "testing"] {
        read_all(&root().join(folder), &mut sources);
    }
    let missing: Vec<&&str> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
