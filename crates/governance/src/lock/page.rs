//! `ops/PRODUCTION_LOCK.md`: the lock for people, rendered from the same lock as the one for machines.

use crate::lock::model::{LOCK_PATH, Lock, Locked};
use std::fmt::Write as _;

/// The page.
pub fn page(lock: &Lock) -> String {
    let terms = &lock.terms;
    let mut out = String::from("# Production lock\n\n");
    let _ = match lock.locked() {
        None => writeln!(
            out,
            "**DRAFT: not locked, nothing can be unlocked.** No signer is trusted, no approval and no grant verifies."
        ),
        Some(_) => {
            writeln!(out, "**LOCKED.** Any difference of a locked file from this lock is an unlock that people sign.")
        }
    };
    let _ = writeln!(
        out,
        "\nRendered from `{LOCK_PATH}`, which programs read; `agenttrader lock validate` holds the two together.\n"
    );
    let row = |out: &mut String, what: &str, value: &str| {
        let _ = writeln!(out, "| {what} | {} |", cell(value));
    };
    out.push_str("| | |\n|---|---|\n");
    row(&mut out, "repository", &terms.repo_id);
    row(&mut out, "baseline branch", &terms.baseline_branch);
    row(&mut out, "clusters", &none_or(&terms.clusters));
    row(&mut out, "keys that may unlock", if terms.require_sk { "on tokens alone" } else { "on tokens or in files" });
    if let Some(locked) = lock.locked() {
        row(&mut out, "locked at", &locked.timestamp.to_string());
        row(&mut out, "git sha", &locked.git_sha.to_string());
        row(&mut out, "build id", &locked.build_id);
        row(&mut out, "policy, SHA-256", &locked.policy_sha256.to_string());
        row(
            &mut out,
            "previous lock, SHA-256",
            &locked.previous.map_or_else(|| "none: the first lock".to_owned(), |sha| sha.to_string()),
        );
        row(&mut out, "unlock", locked.unlock_id.as_deref().unwrap_or("none: the first lock"));
        row(&mut out, "locked files", &locked.files.len().to_string());
    }
    list(&mut out, "Safety", &terms.safety);
    out.push_str("\n## Locked components\n\n| component | paths |\n|---|---|\n");
    for component in &terms.components {
        let paths: Vec<_> = component.paths.iter().map(|path| format!("`{path}`")).collect();
        row(&mut out, &cell(&component.name), &paths.join(" "));
    }
    list(&mut out, "Guarantees", &terms.guarantees);
    out.push_str("\n## Scope\n\n");
    let patterns: Vec<_> = terms.scope.patterns().iter().map(|pattern| format!("`{pattern}`")).collect();
    let _ = writeln!(out, "{}", patterns.join(" "));
    if let Some(locked) = lock.locked() {
        reports(&mut out, locked);
    }
    out
}

fn reports(out: &mut String, locked: &Locked) {
    out.push_str("\n## Evidence\n\n| report | path | SHA-256 |\n|---|---|---|\n");
    for evidence in &locked.evidence {
        let _ = writeln!(out, "| {} | {} | `{}` |", evidence.report.name(), cell(&evidence.path), evidence.sha256);
    }
    if locked.waives.is_empty() {
        return;
    }
    out.push_str("\n## Waived\n\n| rule | path | object | field | value | until |\n|---|---|---|---|---|---|\n");
    for waiver in &locked.waives {
        let or_none = |text: &Option<String>| cell(text.as_deref().unwrap_or("–"));
        let (object, field, value) = (or_none(&waiver.object), or_none(&waiver.field), or_none(&waiver.value));
        let _ = writeln!(
            out,
            "| {} | {} | {object} | {field} | {value} | {} |",
            waiver.rule.id(),
            cell(&waiver.path),
            waiver.expires
        );
    }
}

fn list(out: &mut String, title: &str, lines: &[String]) {
    let _ = writeln!(out, "\n## {title}\n");
    for line in lines {
        let _ = writeln!(out, "- {}", cell(line));
    }
}

fn none_or(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Text that stays in its cell: what a file says must not draw a row of its own.
fn cell(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '|' => "\\|".to_owned(),
            '\n' | '\r' => " ".to_owned(),
            letter if letter.is_control() => letter.escape_default().to_string(),
            letter => letter.to_string(),
        })
        .collect()
}
