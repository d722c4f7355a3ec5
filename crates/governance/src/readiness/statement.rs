//! A readiness report as an in-toto statement of a test's result, for those who sign and verify such statements.

use super::{Outcome, Report, scope_name};
use agenttrader_core::digest::Digest;
use serde_json::{Value, json};

/// The statement over a report and its bytes.
pub(super) fn of(report: &Report, bytes: &[u8]) -> Value {
    let named = |passed: bool| -> Vec<&str> {
        report
            .checks
            .iter()
            .filter(|check| (check.result == Outcome::Pass) == passed)
            .map(|check| check.check)
            .collect()
    };
    let mut subjects = vec![json!({
        "name": "readiness_report.json", "digest": {"sha256": Digest::of(bytes).to_string()},
    })];
    if report.git_sha.len() == 40 && report.git_sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        subjects.push(json!({"name": scope_name(report.scope), "digest": {"gitCommit": report.git_sha}}));
    }
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": if report.is_ready() { "PASSED" } else { "FAILED" },
            "configuration": [{"name": format!("agenttrader readiness --scope {}", scope_name(report.scope))}],
            "passedTests": named(true),
            "warnedTests": [],
            // What nobody could decide has not passed.
            "failedTests": named(false),
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::readiness::{Check, Report, Scope};
    use agenttrader_core::digest::Digest;
    use agenttrader_core::time::UnixNanos;
    use serde_json::{Value, json};

    #[test]
    fn what_is_unknown_has_failed_and_the_subject_is_the_report() {
        let checks = vec![Check::pass("a", ""), Check::fail("b", ""), Check::unknown("c", "")];
        for (sha, subjects) in [("0".repeat(40), 2), ("unknown".to_owned(), 1)] {
            let report = Report::new(Scope::Repository, UnixNanos::EPOCH, sha, checks.clone());
            let files = report.files();
            let of = |name: &str| files.iter().find(|(file, _)| *file == name).unwrap().1.clone();
            let statement: Value = serde_json::from_slice(&of("readiness.json")).unwrap();
            assert_eq!(statement["predicate"]["result"], "FAILED");
            assert_eq!(statement["predicate"]["passedTests"], json!(["a"]));
            assert_eq!(statement["predicate"]["failedTests"], json!(["b", "c"]));
            let sha256 = Digest::of(&of("readiness_report.json")).to_string();
            assert_eq!(statement["subject"][0]["digest"]["sha256"], json!(sha256));
            assert_eq!(statement["subject"].as_array().unwrap().len(), subjects);
        }
    }
}
