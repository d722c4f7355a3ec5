//! How rules of the lock say what they found.

use agenttrader_policy::finding::{Finding, Rule, Verdict};

/// Most files that are listed one by one.
const LISTED_MOST: usize = 200;

/// What a rule says of the whole, or of one file.
pub fn finding(rule: Rule, verdict: Verdict, path: &str, message: impl Into<String>, remedy: &str) -> Finding {
    Finding { verdict, ..Finding::fail(rule, path, message, remedy) }
}

/// It does not hold.
pub fn fail(rule: Rule, path: &str, message: impl Into<String>, remedy: &str) -> Finding {
    Finding::fail(rule, path, message, remedy)
}

/// Files that differ, each with how; of very many the first, and how many more there are.
pub fn differing<'a>(rule: Rule, found: &'a [(String, String)], remedy: &'a str) -> impl Iterator<Item = Finding> + 'a {
    let more = found.len().saturating_sub(LISTED_MOST);
    let rest = (more > 0).then(|| fail(rule, "", format!("{more} more files differ"), remedy));
    found.iter().take(LISTED_MOST).map(move |(path, how)| fail(rule, path, how, remedy)).chain(rest)
}

/// It holds.
pub fn pass(rule: Rule, message: impl Into<String>) -> Finding {
    finding(rule, Verdict::Pass, "", message, "")
}

/// There is nothing to judge.
pub fn not_applicable(rule: Rule, message: impl Into<String>) -> Finding {
    finding(rule, Verdict::NotApplicable, "", message, "")
}

/// The findings, or that the rule holds where there are none.
pub fn or_pass(rule: Rule, findings: Vec<Finding>, message: impl Into<String>) -> Vec<Finding> {
    if findings.is_empty() { vec![pass(rule, message)] } else { findings }
}
