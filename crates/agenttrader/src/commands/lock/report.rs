//! Findings as a person reads them, and as JSON.

use crate::output::data;
use agenttrader_floor::plain::plain;
use agenttrader_governance::lock::validate::fails;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use serde_json::{Value, json};

/// The word of a verdict.
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Warn => "WARN",
        Verdict::Fail => "FAIL",
        Verdict::Waived => "WAIVED",
        Verdict::NotApplicable => "N/A",
    }
}

/// One finding after another, rule by rule. What several have in common to do is said once, after the last of them.
pub fn show(findings: &[Finding]) {
    for (place, finding) in findings.iter().enumerate() {
        let next = findings.get(place.saturating_add(1));
        let is_last = next.is_none_or(|next| {
            (next.rule, next.verdict, &next.remedy) != (finding.rule, finding.verdict, &finding.remedy)
        });
        let place = match (finding.path.as_str(), finding.line) {
            ("", _) => String::new(),
            (path, None) => format!("{}: ", plain(path)),
            (path, Some(line)) => format!("{}:{line}: ", plain(path)),
        };
        data(&format!("{:6} {:11} {place}{}", word(finding.verdict), finding.rule.id(), plain(&finding.message)));
        let mut about = Vec::new();
        about.extend(finding.object.as_deref().map(|object| format!("in {}", plain(object))));
        about.extend(finding.field.as_deref().map(|field| format!("at {}", plain(field))));
        about.extend(finding.value.as_deref().map(|value| format!("found `{}`", plain(value))));
        if !about.is_empty() {
            data(&format!("{:19}{}", "", about.join(", ")));
        }
        if is_last && !finding.remedy.is_empty() && finding.verdict != Verdict::Pass {
            data(&format!("{:19}do: {}", "", plain(&finding.remedy)));
        }
    }
}

/// How many of each, in words, and the rules that fail.
pub fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let all = [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Waived, Verdict::NotApplicable];
    let counts: Vec<_> =
        all.into_iter().map(|verdict| (count(verdict), word(verdict))).filter(|(many, _)| *many > 0).collect();
    let counts: Vec<_> = counts.into_iter().map(|(many, word)| format!("{many} {word}")).collect();
    if !fails(findings) {
        return format!("holds: {}", counts.join(", "));
    }
    let failing =
        |rule: &Rule| findings.iter().any(|finding| finding.rule == *rule && finding.verdict == Verdict::Fail);
    let rules: Vec<_> = Rule::ALL.into_iter().filter(failing).map(Rule::id).collect();
    format!("FAILS by {}: {}", rules.join(", "), counts.join(", "))
}

/// Findings as JSON, beside what else there is to say.
pub fn as_json(findings: &[Finding], more: Value) -> Value {
    let mut all = json!({"verdict": if fails(findings) { "FAIL" } else { "PASS" }, "findings": findings});
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}
