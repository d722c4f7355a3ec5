//! What the repository alone decides: the manifests, the lock, the documents, the tree.

use super::Check;
use crate::git::repository::Repository;
use crate::lock::validate::{Asked, JudgeError, Judgement, Standing, baseline, statically};
use crate::words::some;
use agenttrader_core::error_chain::chain;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use std::path::Path;

/// Findings of one check that are quoted; the lock's own commands list all.
const QUOTED: usize = 5;

/// The checks, in their order.
pub const CHECKS: [&str; 4] = ["manifest-policy", "documents", "tree", "lock"];

/// The checks of a repository, and the commit they are of.
pub fn checks(repository: &Repository, asked: &Asked<'_>) -> (Option<String>, Vec<Check>) {
    match baseline(repository, asked) {
        Ok(judged) => (Some(judged.head.to_string()), of_judgement(&judged)),
        Err(error) => (None, without_history(repository.root(), asked.data_dir, &chain(&error))),
    }
}

/// The checks of a folder whose history cannot be read: what needs none is judged all the same.
pub fn without_history(root: &Path, data_dir: Option<&Path>, why: &str) -> Vec<Check> {
    let [policy, documents, tree, lock] = CHECKS;
    let open = |error: &JudgeError, check| Check::unknown(check, chain(error));
    let mut checks = match statically(root, data_dir) {
        Ok(findings) => vec![rules(policy, &findings, &Rule::MANIFESTS), rules(documents, &findings, &[Rule::Docs])],
        Err(error) => vec![open(&error, policy), open(&error, documents)],
    };
    checks.extend([tree, lock].map(|check| Check::unknown(check, why)));
    checks
}

/// The checks of a repository that was judged.
pub fn of_judgement(judged: &Judgement) -> Vec<Check> {
    let [policy, documents, tree, lock] = CHECKS;
    let findings = &judged.findings;
    vec![
        rules(policy, findings, &Rule::MANIFESTS),
        rules(documents, findings, &[Rule::Docs]),
        rules(tree, findings, &[Rule::Tree]),
        match &judged.standing {
            Standing::Draft => Check::pass(lock, "draft: not locked, nothing can be unlocked"),
            Standing::Unknown => Check::fail(lock, "the lock cannot be read, or does not stand where one can"),
            Standing::Locked(_) => rules(lock, findings, &[Rule::Scope, Rule::Evidence]),
        },
    ]
}

/// A check over rules: each must have judged something, and none may have failed.
fn rules(check: &'static str, findings: &[Finding], rules: &[Rule]) -> Check {
    let of: Vec<&Finding> = findings.iter().filter(|finding| rules.contains(&finding.rule)).collect();
    let failed: Vec<String> = of.iter().filter(|finding| finding.verdict == Verdict::Fail).map(|it| said(it)).collect();
    if !failed.is_empty() {
        return Check::fail(check, some(&failed, QUOTED));
    }
    let judged = of.iter().filter(|finding| finding.verdict != Verdict::NotApplicable).count();
    if judged == 0 {
        return Check::unknown(check, "no rule had anything to judge");
    }
    let count = |verdict| of.iter().filter(|finding| finding.verdict == verdict).count();
    let (warned, waived) = (count(Verdict::Warn), count(Verdict::Waived));
    Check::pass(check, format!("no failure; {warned} warnings, {waived} waived"))
}

fn said(finding: &Finding) -> String {
    let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
    let place = if finding.path.is_empty() { String::new() } else { format!(" {}{line}", finding.path) };
    format!("{}{place}: {}", finding.rule.id(), finding.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::id::Id;
    use crate::lock::findings::{fail, not_applicable, pass};
    use crate::readiness::Outcome;
    use std::fs;

    fn judged(standing: Standing, findings: Vec<Finding>) -> Vec<Outcome> {
        let judgement = Judgement { head: Id::from_bytes([0; 20]), standing, root_pinned: false, findings };
        of_judgement(&judgement).into_iter().map(|check| check.result).collect()
    }

    #[test]
    fn each_check_fails_by_its_own_rules_alone() {
        let good = || vec![pass(Rule::ExecScale, "x"), pass(Rule::Docs, "x"), pass(Rule::Tree, "x")];
        let with = |rule| good().into_iter().chain([fail(rule, "a", "b", "c")]).collect::<Vec<_>>();
        use Outcome::{Fail, Pass, Unknown};
        let all = || vec![Pass; CHECKS.len()];
        assert_eq!(judged(Standing::Draft, good()), all());
        let failing = [
            (Standing::Draft, with(Rule::KillSwitch)),
            (Standing::Draft, with(Rule::Docs)),
            (Standing::Draft, with(Rule::Tree)),
            (Standing::Unknown, good()),
        ];
        assert_eq!(failing.len(), CHECKS.len(), "a check that nothing here makes fail");
        for (at, (standing, findings)) in failing.into_iter().enumerate() {
            let mut expected = all();
            expected[at] = Fail;
            assert_eq!(judged(standing, findings), expected, "{}", CHECKS[at]);
        }
        let nothing = vec![not_applicable(Rule::ExecScale, "x")];
        assert_eq!(judged(Standing::Draft, nothing), [Unknown, Unknown, Unknown, Pass]);
    }

    #[test]
    fn without_history_the_manifests_are_judged_and_the_lock_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("k8s")).unwrap();
        fs::write(
            dir.path().join("k8s/a.yaml"),
            "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: execution-agent}\nspec: {replicas: 1, template: {spec: \
             {containers: [{name: a, image: 'a:1'}]}}}\n",
        )
        .unwrap();
        let checks = without_history(dir.path(), None, "no repository here");
        let outcomes: Vec<_> = checks.iter().map(|check| (check.check, check.result)).collect();
        use Outcome::{Fail, Unknown};
        assert_eq!(
            outcomes,
            [("manifest-policy", Fail), ("documents", Fail), ("tree", Unknown), ("lock", Unknown)],
            "{checks:?}"
        );
    }
}
