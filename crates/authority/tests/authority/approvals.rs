//! Approvals of proposals.

use crate::common::at;
use agenttrader_authority::approval::{Approval, ApprovalError, ApprovalPredicate};
use agenttrader_authority::presented::{Presented, Unusable};
use agenttrader_authority::quorum::QuorumError;
use agenttrader_authority::signed_file::SignedFile;
use agenttrader_authority::statement::{StatementError, Subject};
use agenttrader_authority::trust_root::{SignersText, TrustRoot};
use agenttrader_authority::verify::approval;
use agenttrader_core::digest::Digest;
use agenttrader_core::price::Price;
use agenttrader_core::time::Span;
use agenttrader_people::{OPERATOR, Person, REVIEWER, signed_file, three};

const FOR: &str = "proposal-approval@agenttrader";

fn says() -> ApprovalPredicate {
    ApprovalPredicate {
        limits_digest: Digest::of(b"limits"),
        reference_price: Price::parse("500.25").unwrap(),
        signed_at: at(),
        expires_at: at().plus(Span::from_seconds(45)),
    }
}

fn judged(file: &SignedFile) -> Result<Approval, Unusable> {
    match approval(file, &TrustRoot::read(three()).unwrap(), at()) {
        Presented::Good(verified) => Ok(verified.get().clone()),
        Presented::Unusable { why, .. } => Err(why),
        Presented::Missing | Presented::Unknown => panic!("a file was presented"),
    }
}

fn file(says: ApprovalPredicate, names: &[&str]) -> SignedFile {
    signed_file(&says.about(Digest::of(b"proposal")).to_bytes().unwrap(), FOR, names)
}

#[test]
fn an_approval_binds_one_proposal_and_names_who_signed() {
    for names in [&["ann"][..], &["bob"], &["ann", "bob"], &["ann", "bob", "cat"]] {
        let approval = judged(&file(says(), names)).unwrap();
        assert_eq!(
            (approval.proposal_digest, approval.limits_digest),
            (Digest::of(b"proposal"), Digest::of(b"limits"))
        );
        assert_eq!((approval.reference_price, approval.signed_at), (says().reference_price, at()));
        assert_eq!(approval.approvers, names);
    }
}

#[test]
fn one_person_with_two_keys_is_one_approver() {
    let second = Person::new("ann's other").line(REVIEWER).replace("ann's other", "ann");
    let allowed_signers = Person::new("ann").line(OPERATOR) + &second;
    let root = TrustRoot::read(SignersText { allowed_signers, revoked_keys: String::new() }).unwrap();
    let mut two_keys = file(says(), &["ann", "ann's other"]);
    two_keys.signatures[1].principal = "ann".to_owned();
    let Presented::Unusable { why, .. } = approval(&two_keys, &root, at()) else { panic!("it counts as two") };
    assert_eq!(why, QuorumError::Twice { principal: "ann".to_owned() }.into());
}

#[test]
fn what_nobody_signed_or_somebody_twice_approves_nothing() {
    assert_eq!(judged(&file(says(), &[])), Err(ApprovalError::Unsigned.into()));
    let twice = judged(&file(says(), &["ann", "ann"]));
    assert_eq!(twice, Err(QuorumError::Twice { principal: "ann".to_owned() }.into()));
    assert!(matches!(judged(&file(says(), &["ann", "eve"])), Err(Unusable::Signature { .. })));
    let elsewhere = signed_file(&says().about(Digest::of(b"proposal")).to_bytes().unwrap(), "git", &["ann"]);
    assert!(matches!(judged(&elsewhere), Err(Unusable::Signature { .. })));
    assert_eq!(judged(&SignedFile { revoked: true, ..file(says(), &["ann"]) }), Err(Unusable::Revoked));
    let draft = approval(&file(says(), &["ann"]), &TrustRoot::draft(), at());
    assert!(matches!(draft, Presented::Unusable { why: Unusable::NoTrustedSigner, .. }));
}

#[test]
fn an_approval_that_never_binds_or_is_of_no_single_proposal_is_none() {
    let never = judged(&file(ApprovalPredicate { expires_at: at(), ..says() }, &["ann"]));
    assert!(matches!(never, Err(Unusable::Approval(ApprovalError::Never { .. }))));
    let mut two = says().about(Digest::of(b"proposal"));
    two.subject.push(Subject::of_bytes("other", Digest::of(b"other")));
    let two = judged(&signed_file(&two.to_bytes().unwrap(), FOR, &["ann"]));
    assert_eq!(two, Err(ApprovalError::Subject.into()));
    let text = file(says(), &[]).text.replace("500.25", "500.250");
    let spelled = judged(&signed_file(text.as_bytes(), FOR, &["ann"]));
    assert!(
        matches!(&spelled, Err(Unusable::Statement(StatementError::Spelling { pointer })) if pointer == "/predicate/reference_price"),
        "{spelled:?}"
    );
}
