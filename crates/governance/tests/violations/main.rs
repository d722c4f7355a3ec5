//! Every rule of the production lock, broken in a copy of this repository: each in several forms, each answered with the rule, the
//! place and what to do, and with no word of another rule.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may")]

mod broken;
mod locks;
mod manifests;
#[path = "../lock/repo.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod repo;
mod trees;

use agenttrader_policy::finding::Rule;
use broken::{Form, draft, locked, wrong};
use repo::failures;
use std::collections::BTreeSet;

/// Fewest forms in which a rule is broken.
const FORMS_LEAST: usize = 3;

/// How a rule is broken. A rule that is not here does not compile.
fn forms(rule: Rule) -> Vec<Form> {
    match rule {
        Rule::Tree => trees::tree(),
        Rule::Docs => trees::docs(),
        Rule::ExecScale => manifests::exec_scale(),
        Rule::NoExecute => manifests::no_execute(),
        Rule::KillSwitch => manifests::kill_switch(),
        Rule::SwitchRead => manifests::switch_read(),
        Rule::NoLatest => manifests::no_latest(),
        Rule::Parse => manifests::parse(),
        Rule::Unresolved => manifests::unresolved(),
        Rule::Rbac => manifests::rbac(),
        Rule::Identity => manifests::identity(),
        Rule::Probes => manifests::probes(),
        Rule::Hardening => manifests::hardening(),
        Rule::Network => manifests::network(),
        Rule::Schema => manifests::schema(),
        Rule::Scope => locks::scope(),
        Rule::Evidence => locks::evidence(),
    }
}

#[test]
fn every_rule_is_broken_in_three_forms_at_least() {
    for rule in Rule::ALL {
        let forms = forms(rule);
        let different: BTreeSet<_> = forms.iter().map(|form| form.what).collect();
        assert_eq!(different.len(), forms.len(), "{}: a form stands there twice", rule.id());
        assert!(forms.len() >= FORMS_LEAST, "{} is broken in {} forms", rule.id(), forms.len());
    }
}

#[test]
fn the_copy_holds_every_rule_as_a_draft_and_locked() {
    for copy in [draft(), locked()] {
        let Some(copy) = copy else { return };
        assert_eq!(failures(&copy.judge().unwrap().findings), Vec::<String>::new());
    }
}

/// What is not answered as it should be, where each rule of these is broken as its forms say, in a copy that holds them all.
fn told(rules: &[Rule], copy: Option<repo::Repo>) -> Vec<String> {
    let Some(copy) = copy else { return Vec::new() };
    let broken = |rule: &Rule| forms(*rule).iter().filter_map(|form| wrong(&copy, *rule, form)).collect::<Vec<_>>();
    rules.iter().flat_map(broken).collect()
}

#[test]
fn each_violation_of_what_manifests_may_say_is_told_with_rule_place_and_remedy() {
    let (some, others) = Rule::MANIFESTS.split_at(Rule::MANIFESTS.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| told(others, draft()));
        let mut all = told(some, draft());
        all.extend(other.join().unwrap());
        assert!(all.is_empty(), "{}", all.join("\n"));
    });
}

#[test]
fn each_violation_of_a_draft_s_documents_and_tree_is_told_with_rule_place_and_remedy() {
    let told = told(&[Rule::Docs, Rule::Tree], draft());
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn each_violation_of_a_lock_s_digests_chain_people_and_evidence_is_told_with_rule_place_and_remedy() {
    let Some(copy) = locked() else { return };
    let mut told = told(&[Rule::Tree, Rule::Scope, Rule::Evidence], Some(copy.copied()));
    told.extend(locks::standing().iter().filter_map(|form| wrong(&copy, Rule::Tree, form)));
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn no_rule_is_left_out_of_what_is_judged() {
    let judged: BTreeSet<_> =
        Rule::MANIFESTS.into_iter().chain([Rule::Docs, Rule::Tree, Rule::Scope, Rule::Evidence]).collect();
    assert_eq!(judged, Rule::ALL.into_iter().collect());
}
