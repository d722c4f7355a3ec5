//! The readiness report: is everything as it must be before a session? Evidence contract, "Readiness".
//!
//! A report has a scope, and the checks that can be decided there and no others. What cannot be decided is UNKNOWN, and UNKNOWN is not
//! ready. The same inputs and the same time give the same bytes.

pub mod cluster;
pub mod floor;
pub mod repository;
mod statement;

use crate::json_file;
use crate::words::cell;
use agenttrader_core::time::UnixNanos;
use serde::Serialize;
use std::fmt::Write as _;

/// Of what a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// What is committed.
    Repository,
    /// A floor that runs, by what its mission control answers.
    Floor,
    /// A cluster, by what kubectl shows.
    Cluster,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// As it must be.
    Pass,
    /// Not so.
    Fail,
    /// Nobody can tell: not ready either.
    Unknown,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub check: &'static str,
    /// What it came to.
    pub result: Outcome,
    /// What that rests on.
    pub evidence: String,
}

impl Check {
    /// As it must be.
    pub fn pass(check: &'static str, evidence: impl Into<String>) -> Self {
        Self { check, result: Outcome::Pass, evidence: evidence.into() }
    }

    /// Not as it must be.
    pub fn fail(check: &'static str, evidence: impl Into<String>) -> Self {
        Self { check, result: Outcome::Fail, evidence: evidence.into() }
    }

    /// Nobody can tell.
    pub fn unknown(check: &'static str, evidence: impl Into<String>) -> Self {
        Self { check, result: Outcome::Unknown, evidence: evidence.into() }
    }
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Readiness {
    /// Every check passes.
    #[serde(rename = "READY")]
    Ready,
    /// One does not, or there is none.
    #[serde(rename = "NOT READY")]
    NotReady,
}

/// A readiness report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    report: &'static str,
    /// When it was made, as the caller says.
    pub at_utc: UnixNanos,
    /// The commit: of the repository, or of the build that asked.
    pub git_sha: String,
    /// Of what it is.
    pub scope: Scope,
    /// The answer.
    pub result: Readiness,
    /// Every check, in a fixed order.
    pub checks: Vec<Check>,
}

impl Report {
    /// The report over checks.
    pub fn new(scope: Scope, at: UnixNanos, git_sha: impl Into<String>, checks: Vec<Check>) -> Self {
        let is_ready = !checks.is_empty() && checks.iter().all(|check| check.result == Outcome::Pass);
        let result = if is_ready { Readiness::Ready } else { Readiness::NotReady };
        Self { report: "readiness", at_utc: at, git_sha: git_sha.into(), scope, result, checks }
    }

    /// Whether everything is as it must be.
    pub fn is_ready(&self) -> bool {
        self.result == Readiness::Ready
    }

    /// For machines.
    pub fn json(&self) -> Vec<u8> {
        json_file::bytes(self)
    }

    /// For people: what is in the way first.
    pub fn markdown(&self) -> String {
        let (word, scope) = (if self.is_ready() { "READY" } else { "NOT READY" }, scope_name(self.scope));
        let mut out =
            format!("# Readiness: {word}\n\nOf the {scope}, {}, at commit `{}`.\n", self.at_utc, cell(&self.git_sha));
        if !self.is_ready() {
            out.push_str("\nIn the way:\n\n");
            for check in self.checks.iter().filter(|check| check.result != Outcome::Pass) {
                let _ = writeln!(out, "- **{}** {}: {}", check.check, word_of(check.result), cell(&check.evidence));
            }
        }
        out.push_str("\n| check | result | evidence |\n|---|---|---|\n");
        for check in &self.checks {
            let _ = writeln!(out, "| {} | {} | {} |", check.check, word_of(check.result), cell(&check.evidence));
        }
        out
    }

    /// The report, the page, and the in-toto statement of a test's result, by the names of their files.
    pub fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let json = self.json();
        let statement = json_file::bytes(&statement::of(self, &json));
        vec![
            ("readiness_report.json", json),
            ("readiness_report.md", self.markdown().into_bytes()),
            ("readiness.json", statement),
        ]
    }
}

/// A scope's name, as the command line takes it.
pub const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Repository => "repository",
        Scope::Floor => "floor",
        Scope::Cluster => "cluster",
    }
}

/// An outcome as reports spell it.
pub const fn word_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Unknown => "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> Report {
        Report::new(Scope::Floor, UnixNanos::from_seconds(1_800_000_000), "0".repeat(40), checks)
    }

    #[test]
    fn only_passes_are_ready_and_nothing_checked_is_not() {
        let (pass, fail, unknown) = (Check::pass("a", "x"), Check::fail("b", "y"), Check::unknown("c", "z"));
        assert!(report(vec![pass.clone()]).is_ready());
        assert!(!report(vec![]).is_ready());
        assert!(!report(vec![pass.clone(), fail]).is_ready());
        assert!(!report(vec![pass, unknown]).is_ready());
    }

    #[test]
    fn files_repeat_and_what_is_in_the_way_stands_first() {
        let make = || report(vec![Check::pass("a", "x"), Check::unknown("c", "not <asked>\n| twice")]);
        assert_eq!(make().files(), make().files());
        let page = make().markdown();
        assert!(page.starts_with("# Readiness: NOT READY\n"), "{page}");
        let bar = page.find("- **c** UNKNOWN: not &lt;asked> \\| twice").unwrap();
        assert!(bar < page.find("| a | PASS | x |").unwrap(), "{page}");
    }
}
