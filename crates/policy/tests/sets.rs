//! Adversarial and harmless trees, one text file each under `tests/sets/<rule>/`, laid over the small floor in `tests/sets/base`.
//!
//! A set begins with lines of `# why`, then says what the rules must answer:
//!
//! ```text
//! # an unquoted OFF is false for half of all readers
//! expect: FAIL parse k8s/gamma.yaml:12
//! also: no-execute
//! -- k8s/gamma.yaml --
//! …the file's text…
//! -- k8s/link.yaml -> elsewhere.yaml --
//! -- k8s/utf16.yaml (base64) --
//! …
//! -- k8s/kill-switch.yaml (removed) --
//! ```
//!
//! `expect: PASS` wants no failure of any rule. Of a failure without a line any line will do. Rules that are neither expected nor
//! listed under `also:` must not fail.

#![allow(clippy::unwrap_used, clippy::panic)]

use agenttrader_policy::finding::{Finding, Rule, Verdict};
use agenttrader_policy::judge;
use agenttrader_policy::tree::{Entry, Tree};
use base64::Engine;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sets")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn base() -> Tree {
    let root = sets().join("base");
    let mut tree = Tree::new();
    for file in files(&root) {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        tree.insert(path, Entry::File(fs::read(&file).unwrap()));
    }
    tree
}

struct Expected {
    rule: Rule,
    path: String,
    line: Option<u32>,
}

struct Set {
    name: String,
    expected: Vec<Expected>,
    also: BTreeSet<Rule>,
    tree: Tree,
}

fn rule(id: &str, name: &str) -> Rule {
    Rule::of_id(id).unwrap_or_else(|| panic!("{name}: no rule {id}"))
}

/// The header's lines and the sections of a set.
fn split(text: &str) -> (Vec<&str>, Vec<(&str, String)>) {
    let (mut head, mut sections) = (Vec::new(), Vec::<(&str, String)>::new());
    for line in text.split_inclusive('\n') {
        let title = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (title, sections.last_mut()) {
            (Some(title), _) => sections.push((title, String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => head.push(line.trim_end()),
        }
    }
    (head, sections)
}

fn read(file: &Path) -> Set {
    let name = file.strip_prefix(sets()).unwrap().display().to_string();
    let text = fs::read_to_string(file).unwrap();
    let (head, sections) = split(&text);
    let mut set = Set { name: name.clone(), expected: Vec::new(), also: BTreeSet::new(), tree: base() };
    let (mut why, mut said) = (false, false);
    for line in head.into_iter().filter(|line| !line.is_empty()) {
        if line.starts_with("# ") {
            why = true;
        } else if line == "expect: PASS" {
            said = true;
        } else if let Some(rest) = line.strip_prefix("expect: FAIL ") {
            let (id, place) = rest.split_once(' ').unwrap_or((rest, ""));
            let (path, line) = match place.rsplit_once(':') {
                Some((path, line)) => (path, Some(line.parse().unwrap_or_else(|_| panic!("{name}: no line: {line}")))),
                None => (place, None),
            };
            set.expected.push(Expected { rule: rule(id, &name), path: path.to_owned(), line });
            said = true;
        } else if let Some(ids) = line.strip_prefix("also: ") {
            set.also.extend(ids.split(',').map(|id| rule(id.trim(), &name)));
        } else {
            panic!("{name}: not understood: {line}");
        }
    }
    assert!(why && said, "{name}: says neither why nor what is expected");
    for (title, text) in sections {
        if let Some((path, target)) = title.split_once(" -> ") {
            set.tree.insert(path, Entry::Symlink(target.to_owned()));
        } else if let Some(path) = title.strip_suffix(" (removed)") {
            assert!(set.tree.get(path).is_some(), "{name}: the base has no {path}");
            set.tree.remove(path);
        } else if let Some(path) = title.strip_suffix(" (base64)") {
            let packed: String = text.split_ascii_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
            set.tree.insert(path, Entry::File(bytes));
        } else {
            set.tree.insert(title, Entry::File(text.into_bytes()));
        }
    }
    set
}

/// What a set expects and did not get, or got and did not expect.
fn differences(set: &Set) -> Vec<String> {
    let findings = judge(&set.tree, None);
    let failures: Vec<&Finding> = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
    let mut wrong = Vec::new();
    for expected in &set.expected {
        let met = failures.iter().any(|finding| {
            finding.rule == expected.rule
                && finding.path == expected.path
                && (expected.line.is_none() || finding.line == expected.line)
        });
        if !met {
            wrong.push(format!("missing: FAIL {} {} {:?}", expected.rule.id(), expected.path, expected.line));
        }
    }
    for finding in &failures {
        let known =
            set.also.contains(&finding.rule) || set.expected.iter().any(|expected| expected.rule == finding.rule);
        if !known || !wrong.is_empty() {
            wrong.push(format!(
                "found: FAIL {} {}:{} {} [{}] {}",
                finding.rule.id(),
                finding.path,
                finding.line.unwrap_or(0),
                finding.object.as_deref().unwrap_or("-"),
                finding.field.as_deref().unwrap_or("-"),
                finding.message
            ));
        }
        assert!(
            !finding.message.is_empty() && !finding.remedy.is_empty(),
            "{}: a finding without words: {finding:?}",
            set.name
        );
    }
    wrong
}

#[test]
fn every_set_is_answered_as_it_says() {
    let only = std::env::var("SET").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files(&sets()).into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "set")) {
        let set = read(&file);
        if !set.name.contains(&only) {
            continue;
        }
        count += 1;
        let differences = differences(&set);
        if !differences.is_empty() {
            wrong.push(format!("{}\n    {}", set.name, differences.join("\n    ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} sets are answered otherwise:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 0, "no set of this name: {only}");
}

#[test]
fn the_floor_that_the_sets_are_laid_over_holds_every_rule() {
    let findings = judge(&base(), None);
    let bad: Vec<_> =
        findings.iter().filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn every_judged_rule_answers_something_for_every_tree() {
    let rules = |tree: &Tree| judge(tree, None).into_iter().map(|finding| finding.rule).collect::<BTreeSet<_>>();
    assert_eq!(rules(&Tree::new()), rules(&base()));
}
