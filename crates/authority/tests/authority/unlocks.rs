//! Approvals of unlocks: one cause, one refusal.

use crate::common::{SshKeygen, at};
use agenttrader_authority::change_manifest::{ChangeManifest, ChangedFile, FileMode, FileState, ManifestError};
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::presented::Unusable;
use agenttrader_authority::quorum::QuorumError;
use agenttrader_authority::signed_file::PersonsSignature;
use agenttrader_authority::signers::{AllowedSigners, SignerError};
use agenttrader_authority::statement::{GitCommit, Statement, StatementError};
use agenttrader_authority::unlock_approval::*;
use agenttrader_core::digest::Digest;
use agenttrader_core::time::Span;
use agenttrader_people::{OPERATOR, Person, REVIEWER, three};
use std::collections::BTreeSet;

fn commit(digit: char) -> GitCommit {
    GitCommit::parse(&digit.to_string().repeat(40)).unwrap()
}

fn state(content: &[u8]) -> FileState {
    FileState { mode: FileMode::Plain, sha256: Digest::of(content) }
}

fn change() -> ChangeManifest {
    let file = |path: &str, old, new| ChangedFile { path: path.to_owned(), old, new };
    let files = vec![
        file("crates/a.rs", None, Some(state(b"new"))),
        file("k8s/b.yaml", Some(state(b"old")), Some(state(b"new"))),
        file("scripts/c", Some(state(b"x")), None),
    ];
    ChangeManifest::new(files).unwrap()
}

/// What the caller found; owned, so that a test can change it.
struct Found {
    terms: UnlockPredicate,
    triggers: BTreeSet<Trigger>,
    agents: BTreeSet<String>,
    authors: BTreeSet<String>,
    reports_made_hours_ago: i64,
    reviewers: u8,
    signers: AllowedSigners,
}

impl Found {
    fn new() -> Self {
        let triggers = BTreeSet::from([Trigger::LockedFile, Trigger::Workload]);
        let terms = UnlockPredicate {
            unlock_id: "first".to_owned(),
            triggers: triggers.iter().copied().collect(),
            base_commit: commit('a'),
            base_lock_sha256: Digest::of(b"lock"),
            change: change(),
            request_commit: commit('b'),
            evidence_commit: commit('c'),
            scope: vec!["k8s/**".to_owned(), "crates/**".to_owned()],
            clusters: vec!["paper".to_owned()],
            not_before: at().plus(Span::from_minutes(-60)),
            expires: at().plus(Span::from_minutes(60)),
            reason: "gamma trades on paper".to_owned(),
            rollback: "lkg-1".to_owned(),
            required: Required { operator: 1, reviewer: 1 },
            nonce: "1".to_owned(),
        };
        let text = three();
        let signers = AllowedSigners::parse(text.allowed_signers.as_bytes(), b"").unwrap();
        let (agents, authors) = (BTreeSet::from(["gamma-strategy".to_owned()]), BTreeSet::new());
        Self { terms, triggers, agents, authors, reports_made_hours_ago: 1, reviewers: 1, signers }
    }

    fn judge(&self, bytes: &[u8], signatures: &[PersonsSignature]) -> Result<UnlockApproval, UnlockRefused> {
        let original = Self::new().terms;
        let wanted = Wanted {
            unlock_id: &original.unlock_id,
            base_commit: &original.base_commit,
            base_lock_sha256: original.base_lock_sha256,
            change: &original.change,
            request_commit: &original.request_commit,
            evidence_commit: &original.evidence_commit,
            scope: &original.scope,
            clusters: &original.clusters,
            triggers: &self.triggers,
            audit_index_sha256: Digest::of(b"index"),
            readiness_sha256: Digest::of(b"readiness"),
            form_sha256: Digest::of(b"form"),
            reports_made: at().plus(Span::from_minutes(-60 * self.reports_made_hours_ago)),
            at: at(),
            required: Required { operator: 1, reviewer: self.reviewers },
            agents: &self.agents,
            authors: &self.authors,
        };
        unlock_approval(bytes, signatures, &self.signers, &wanted).map(|verified| verified.get().clone())
    }

    fn statement(&self) -> Statement<UnlockPredicate> {
        self.terms.clone().about(Digest::of(b"index"), Digest::of(b"readiness"), Digest::of(b"form"))
    }

    fn signed(&self, people: &[(&str, Namespace)]) -> Result<UnlockApproval, UnlockRefused> {
        let bytes = self.statement().to_bytes().unwrap();
        self.judge(&bytes, &signatures(&bytes, people))
    }

    fn by_both(&self) -> Result<UnlockApproval, UnlockRefused> {
        self.signed(&BOTH)
    }
}

const BOTH: [(&str, Namespace); 2] = [("ann", Namespace::UnlockOperator), ("bob", Namespace::UnlockReviewer)];

fn signatures(bytes: &[u8], people: &[(&str, Namespace)]) -> Vec<PersonsSignature> {
    let sign = |(name, namespace): &(&str, Namespace)| PersonsSignature {
        principal: (*name).to_owned(),
        text: Person::new(name).sign(namespace.as_str(), bytes),
    };
    people.iter().map(sign).collect()
}

fn with(change: impl FnOnce(&mut Found)) -> Result<UnlockApproval, UnlockRefused> {
    let mut found = Found::new();
    change(&mut found);
    found.by_both()
}

#[test]
fn an_operator_and_a_reviewer_approve_exactly_the_change() {
    let approval = Found::new().by_both().unwrap();
    assert_eq!((approval.operators, approval.reviewers), (vec!["ann".to_owned()], vec!["bob".to_owned()]));
    assert_eq!(approval.terms, Found::new().terms);
    let Some(ssh_keygen) = SshKeygen::find() else { return };
    let bytes = Found::new().statement().to_bytes().unwrap();
    for ((name, namespace), signature) in BOTH.iter().zip(signatures(&bytes, &BOTH)) {
        let text = three().allowed_signers;
        assert!(ssh_keygen.verifies(&text, name, namespace.as_str(), signature.text.as_bytes(), &bytes));
    }
}

#[test]
fn too_few_people_or_one_in_the_wrong_role_approve_nothing() {
    use Namespace::{UnlockOperator, UnlockReviewer};
    let found = Found::new();
    assert_eq!(found.signed(&[]), Err(QuorumError::Operators { found: 0, wanted: 1 }.into()));
    assert_eq!(found.signed(&BOTH[..1]), Err(QuorumError::Reviewers { found: 0, wanted: 1 }.into()));
    assert_eq!(found.signed(&BOTH[1..]), Err(QuorumError::Operators { found: 0, wanted: 1 }.into()));
    let wrong = found.signed(&[("ann", UnlockOperator), ("bob", UnlockOperator)]);
    let not_for = |result| matches!(result, Err(UnlockRefused::Signature(Unusable::Signature { .. })));
    assert!(not_for(wrong));
    assert!(not_for(found.signed(&[("ann", UnlockReviewer), ("bob", UnlockReviewer)])));
    assert!(not_for(found.signed(&[("ann", UnlockOperator), ("eve", UnlockReviewer)])));
    assert!(not_for(found.signed(&[("ann", UnlockOperator), ("bob", Namespace::Git)])));
    let twice = found.signed(&[("ann", UnlockOperator), ("ann", UnlockOperator), ("bob", UnlockReviewer)]);
    assert_eq!(twice, Err(QuorumError::Twice { principal: "ann".to_owned() }.into()));
}

#[test]
fn a_person_with_both_roles_and_two_signatures_is_one() {
    let mut found = Found::new();
    let text = Person::new("ann").line(&format!("{OPERATOR},unlock-reviewer@agenttrader"))
        + &Person::new("bob").line(REVIEWER);
    found.signers = AllowedSigners::parse(text.as_bytes(), b"").unwrap();
    let twice = found.signed(&[("ann", Namespace::UnlockOperator), ("ann", Namespace::UnlockReviewer)]);
    assert_eq!(twice, Err(QuorumError::Twice { principal: "ann".to_owned() }.into()));
    assert!(found.by_both().is_ok());
}

#[test]
fn a_person_with_a_key_for_each_role_is_one() {
    use Namespace::{UnlockOperator, UnlockReviewer};
    let mut found = Found::new();
    let second = Person::new("ann's other").line(REVIEWER).replace("ann's other", "ann");
    let text = Person::new("ann").line(OPERATOR) + &second + &Person::new("bob").line(REVIEWER);
    found.signers = AllowedSigners::parse(text.as_bytes(), b"").unwrap();
    let bytes = found.statement().to_bytes().unwrap();
    let mut both = signatures(&bytes, &[("ann", UnlockOperator), ("ann's other", UnlockReviewer)]);
    // Under a name of its own the second key is nobody's.
    assert!(matches!(found.judge(&bytes, &both), Err(UnlockRefused::Signature(Unusable::Signature { .. }))));
    both[1].principal = "ann".to_owned();
    let twice = Err(QuorumError::Twice { principal: "ann".to_owned() }.into());
    assert_eq!(found.judge(&bytes, &both), twice);
    both.extend(signatures(&bytes, &BOTH[1..]));
    assert_eq!(found.judge(&bytes, &both), twice, "a third person does not heal it");
    // Each of the keys alone counts in its own role alone.
    assert_eq!(found.judge(&bytes, &both[1..2]), Err(QuorumError::Operators { found: 0, wanted: 1 }.into()));
    assert_eq!(found.judge(&bytes, &both[..1]), Err(QuorumError::Reviewers { found: 0, wanted: 1 }.into()));
    assert!(found.by_both().is_ok());
}

#[test]
fn two_reviewers_where_the_change_wants_them() {
    let mut found = Found::new();
    found.reviewers = 2;
    found.terms.required.reviewer = 2;
    assert_eq!(found.by_both(), Err(QuorumError::Reviewers { found: 1, wanted: 2 }.into()));
    let three = [BOTH[0], BOTH[1], ("cat", Namespace::UnlockReviewer)];
    assert_eq!(found.signed(&three).unwrap().reviewers, ["bob", "cat"]);
    // What is declared does not count: one that says it wants fewer is another approval.
    found.terms.required.reviewer = 1;
    assert!(matches!(found.signed(&three), Err(UnlockRefused::Other { field: "required", .. })));
}

#[test]
fn agents_approve_nothing_and_nobody_reviews_their_own_change() {
    let agent = with(|found| assert!(found.agents.insert("ann".to_owned())));
    assert_eq!(agent, Err(UnlockRefused::Agent("ann".to_owned())));
    let own = with(|found| assert!(found.authors.insert("bob".to_owned())));
    assert_eq!(own, Err(UnlockRefused::OwnChange("bob".to_owned())));
    // An operator may have made it.
    assert!(with(|found| assert!(found.authors.insert("ann".to_owned()))).is_ok());
}

#[test]
fn an_approval_of_anything_else_is_none_of_this() {
    type Change = fn(&mut UnlockPredicate);
    let changes: [(&str, Change); 9] = [
        ("unlock_id", |terms| terms.unlock_id = "second".to_owned()),
        ("base_commit", |terms| terms.base_commit = commit('d')),
        ("base_lock_sha256", |terms| terms.base_lock_sha256 = Digest::of(b"later")),
        ("request_commit", |terms| terms.request_commit = commit('d')),
        ("evidence_commit", |terms| terms.evidence_commit = commit('d')),
        ("scope", |terms| drop(terms.scope.pop())),
        ("clusters", |terms| terms.clusters.push("live".to_owned())),
        ("triggers", |terms| terms.triggers.truncate(1)),
        ("required", |terms| terms.required.operator = 2),
    ];
    for (name, change) in changes {
        let other = with(|found| change(&mut found.terms));
        assert!(matches!(&other, Err(UnlockRefused::Other { field, .. }) if *field == name), "{name}: {other:?}");
    }
    let other_change = with(|found| {
        let mut files = found.terms.change.files.clone();
        files[0].new = Some(state(b"newer"));
        found.terms.change = ChangeManifest::new(files).unwrap();
    });
    assert!(matches!(other_change, Err(UnlockRefused::Other { field: CHANGE, .. })));
    let found = Found::new();
    for index in 0..4 {
        let mut statement = found.statement();
        let name = statement.subject[index].name.clone();
        statement.subject[index] = agenttrader_authority::statement::Subject::of_bytes(&name, Digest::of(b"another"));
        let bytes = statement.to_bytes().unwrap();
        let other = found.judge(&bytes, &signatures(&bytes, &BOTH));
        assert!(matches!(&other, Err(UnlockRefused::Other { field, .. }) if *field == name), "{other:?}");
        statement.subject.remove(index);
        let bytes = statement.to_bytes().unwrap();
        assert_eq!(found.judge(&bytes, &signatures(&bytes, &BOTH)), Err(UnlockRefused::Subjects));
    }
}

#[test]
fn it_counts_in_its_time_and_while_the_evidence_is_fresh() {
    let minutes = |minutes| at().plus(Span::from_minutes(minutes));
    assert!(with(|found| found.terms.not_before = at()).is_ok());
    let early = with(|found| found.terms.not_before = minutes(1));
    assert!(matches!(early, Err(UnlockRefused::Early { .. })));
    let late = with(|found| found.terms.expires = at());
    assert!(matches!(late, Err(UnlockRefused::Expired { .. })));
    let never = with(|found| found.terms.expires = found.terms.not_before);
    assert!(matches!(never, Err(UnlockRefused::Never { .. })));
    assert!(with(|found| found.reports_made_hours_ago = 24).is_ok());
    for hours in [25, -1] {
        let old = with(|found| found.reports_made_hours_ago = hours);
        assert!(matches!(old, Err(UnlockRefused::Evidence { .. })), "{hours}");
    }
}

#[test]
fn the_bytes_as_signed_count_and_have_one_meaning() {
    let found = Found::new();
    let bytes = found.statement().to_bytes().unwrap();
    let mut good = signatures(&bytes, &BOTH);
    let changed = [&bytes[..], b" "].concat();
    let refused = found.judge(&changed, &good);
    assert!(matches!(
        refused,
        Err(UnlockRefused::Signature(Unusable::Signature { problem: SignerError::Signature(_), .. }))
    ));
    good[0].principal = "bob".to_owned();
    assert!(matches!(found.judge(&bytes, &good), Err(UnlockRefused::Signature(_))));
    let text = String::from_utf8(bytes).unwrap().replace("\"nonce\":", "\"more\":1,\"nonce\":");
    let more = found.judge(text.as_bytes(), &signatures(text.as_bytes(), &BOTH));
    assert!(matches!(more, Err(UnlockRefused::Statement(StatementError::Shape(_)))));
    let reason = with(|found| found.terms.reason = "line\nbreak".to_owned());
    assert_eq!(reason, Err(UnlockRefused::Text("reason")));
    assert_eq!(with(|found| found.terms.nonce.clear()), Err(UnlockRefused::Text("nonce")));
    assert_eq!(with(|found| found.terms.rollback.clear()), Err(UnlockRefused::Text("rollback")));
}

#[test]
fn a_manifest_s_lines_are_what_any_tool_can_write() {
    let zeros = "0".repeat(64);
    let (new, old, x) = (Digest::of(b"new"), Digest::of(b"old"), Digest::of(b"x"));
    let lines = format!("000000 100644 {zeros} {new} crates/a.rs\0")
        + &format!("100644 100644 {old} {new} k8s/b.yaml\0")
        + &format!("100644 000000 {x} {zeros} scripts/c\0");
    assert_eq!(change().bytes(), lines.as_bytes());
    assert_eq!(change().manifest_sha256, Digest::of(lines.as_bytes()));
}

#[test]
fn a_list_of_files_that_could_be_taken_two_ways_is_no_manifest() {
    let file = |path: &str| ChangedFile { path: path.to_owned(), old: None, new: Some(state(b"new")) };
    let refused = |files| ChangeManifest::new(files).unwrap_err();
    for path in ["", "/a", "a/", "a//b", "../a", "a/./b", "a\0b", "a\nb"] {
        assert_eq!(refused(vec![file(path)]), ManifestError::Path(path.to_owned()));
    }
    assert_eq!(refused(vec![file("b"), file("a")]), ManifestError::Order("a".to_owned()));
    assert_eq!(refused(vec![file("a"), file("a")]), ManifestError::Order("a".to_owned()));
    let same = ChangedFile { old: Some(state(b"new")), ..file("a") };
    assert_eq!(refused(vec![same]), ManifestError::Unchanged("a".to_owned()));
    let mut lying = change();
    lying.manifest_sha256 = Digest::of(b"");
    assert!(matches!(lying.check(), Err(ManifestError::Digest { .. })));
    let in_an_approval = with(|found| found.terms.change.files.truncate(1));
    assert!(matches!(in_an_approval, Err(UnlockRefused::Change(ManifestError::Digest { .. }))));
}
