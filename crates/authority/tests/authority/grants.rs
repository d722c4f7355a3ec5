//! Grants: what one says counts only if it says it exactly, for so long, and enough people signed just that.

use crate::common::at;
use agenttrader_authority::delegation::{DayWindow, Delegation, TimeOfDay};
use agenttrader_authority::grant::{ExecutionMode, Grant, GrantError, GrantPredicate};
use agenttrader_authority::grant_limits::{GrantLimits, GrantOrderLimits};
use agenttrader_authority::presented::{Presented, Unusable};
use agenttrader_authority::quorum::QuorumError;
use agenttrader_authority::signed_file::{SIGNATURES_MAX, SIGNED_FILE_BYTES_MAX, SignedFile};
use agenttrader_authority::signers::SignerError;
use agenttrader_authority::statement::{GitCommit, Statement, StatementError, Subject};
use agenttrader_authority::trust_root::{SignersText, TrustRoot};
use agenttrader_authority::verify::grant;
use agenttrader_core::digest::Digest;
use agenttrader_core::money::Money;
use agenttrader_core::order::Intent;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_people::{OPERATOR, Person, REVIEWER, signed_file, three};

const FOR: &str = "execution-grant@agenttrader";

fn hours(hours: i64) -> Span {
    Span::from_minutes(60 * hours)
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn terms() -> GrantPredicate {
    let time = |text| TimeOfDay::parse(text).unwrap();
    GrantPredicate {
        unlock_id: "2026-01-05-first".to_owned(),
        modes: vec![ExecutionMode::Shadow, ExecutionMode::Paper],
        symbols: vec![symbol("SPY"), symbol("QQQ")],
        limits: GrantLimits {
            options: Some(GrantOrderLimits { order_quantity: Some(2), order_notional_usd: None }),
            daily_orders: Some(5),
            ..GrantLimits::default()
        },
        delegation: vec![Delegation {
            strategy: "gamma".to_owned(),
            strategy_sha256: Digest::of(b"gamma"),
            symbols: vec![symbol("SPY")],
            intents: vec![Intent::Hedge, Intent::Close],
            order_quantity: 100,
            order_notional_usd: Money::from_dollars(50_000),
            daily_orders: 10,
            daily_notional_usd: Money::from_dollars(200_000),
            window: DayWindow { from: time("09:45"), until: time("15:30") },
        }],
        waives_kill_switch: false,
        not_before: at(),
        not_after: at().plus(hours(24)),
        exit_until: Some(at().plus(hours(48))),
        reason: "paper trading of the first week".to_owned(),
        nonce: "1".to_owned(),
    }
}

fn about(terms: GrantPredicate) -> Statement<GrantPredicate> {
    let commit = GitCommit::parse(&"a".repeat(40)).unwrap();
    terms.about(commit, Digest::of(b"lock"), Digest::of(b"image"))
}

fn root() -> TrustRoot {
    TrustRoot::read(three()).unwrap()
}

fn file(terms: GrantPredicate, names: &[&str]) -> SignedFile {
    signed_file(&about(terms).to_bytes().unwrap(), FOR, names)
}

fn of(presented: Presented<Grant>) -> Result<Grant, Unusable> {
    match presented {
        Presented::Good(verified) => Ok(verified.get().clone()),
        Presented::Unusable { why, .. } => Err(why),
        Presented::Missing | Presented::Unknown => panic!("a file was presented"),
    }
}

fn judged(file: &SignedFile) -> Result<Grant, Unusable> {
    of(grant(file, &root(), at()))
}

fn with(change: impl FnOnce(&mut GrantPredicate)) -> Result<Grant, Unusable> {
    let mut terms = terms();
    change(&mut terms);
    judged(&file(terms, &["ann", "bob"]))
}

fn text(change: impl Fn(String) -> String) -> Result<Grant, Unusable> {
    let text = String::from_utf8(about(terms()).to_bytes().unwrap()).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "the change changes something");
    judged(&signed_file(changed.as_bytes(), FOR, &["ann", "bob"]))
}

#[test]
fn what_an_operator_and_a_reviewer_signed_is_granted_word_for_word() {
    let grant = judged(&file(terms(), &["ann", "bob"])).unwrap();
    assert_eq!(grant.terms, terms());
    assert_eq!(grant.git_commit.as_str(), "a".repeat(40));
    assert_eq!((grant.lock_sha256, grant.image_sha256), (Digest::of(b"lock"), Digest::of(b"image")));
    assert_eq!(grant.signed_by, ["ann", "bob"]);
    assert_eq!(grant.sha256, file(terms(), &[]).sha256);
    // Blanks and the order of keys are free: the bytes as signed count.
    let spaced = |text: String| text.replace(",\"", ", \"");
    assert_eq!(text(spaced).unwrap().terms, terms());
}

#[test]
fn a_draft_build_grants_nothing_whatever_is_signed() {
    let draft = grant(&file(terms(), &["ann", "bob", "cat"]), &TrustRoot::draft(), at());
    assert!(matches!(draft, Presented::Unusable { why: Unusable::NoTrustedSigner, .. }));
    let comments = SignersText { allowed_signers: "# nobody\n".to_owned(), revoked_keys: String::new() };
    let root = TrustRoot::read(comments).unwrap();
    assert!(root.is_draft());
    assert_eq!(of(grant(&file(terms(), &["ann", "bob"]), &root, at())), Err(Unusable::NoTrustedSigner));
}

#[test]
fn what_a_file_claims_is_told_and_is_nobodys_word() {
    let claims = |file: &SignedFile| match grant(file, &root(), at()) {
        Presented::Unusable { claims, .. } => claims,
        other => panic!("{other:?}"),
    };
    let unsigned = file(terms(), &[]);
    let claimed = claims(&unsigned).unwrap();
    assert_eq!((&claimed.terms, &claimed.signed_by), (&terms(), &Vec::new()));
    assert_eq!(claims(&signed_file(b"{}", FOR, &["ann", "bob"])), None);
    assert_eq!(claims(&SignedFile { text: " ".repeat(SIGNED_FILE_BYTES_MAX + 1), ..unsigned }), None);
}

#[test]
fn too_few_people_grant_nothing() {
    let quorum = |names: &[&str]| judged(&file(terms(), names));
    assert_eq!(quorum(&[]), Err(QuorumError::Operators { found: 0, wanted: 1 }.into()));
    assert_eq!(quorum(&["ann"]), Err(QuorumError::Reviewers { found: 0, wanted: 1 }.into()));
    assert_eq!(quorum(&["bob", "cat"]), Err(QuorumError::Operators { found: 0, wanted: 1 }.into()));
    assert_eq!(quorum(&["ann", "ann"]), Err(QuorumError::Twice { principal: "ann".to_owned() }.into()));
    let stranger = quorum(&["ann", "bob", "eve"]);
    assert!(
        matches!(stranger, Err(Unusable::Signature { principal, problem: SignerError::UnknownKey { .. } }) if principal == "eve")
    );
}

#[test]
fn money_and_a_waived_kill_switch_want_a_second_reviewer() {
    let live = |terms: &mut GrantPredicate| terms.modes = vec![ExecutionMode::Live];
    let waiver = |terms: &mut GrantPredicate| terms.waives_kill_switch = true;
    for change in [live, waiver] {
        assert_eq!(with(change), Err(QuorumError::Reviewers { found: 1, wanted: 2 }.into()));
        let mut terms = terms();
        change(&mut terms);
        assert!(judged(&file(terms, &["ann", "bob", "cat"])).is_ok());
    }
}

#[test]
fn one_person_is_not_two_in_two_roles_or_with_two_keys() {
    let both = format!("{OPERATOR},unlock-reviewer@agenttrader");
    let second = Person::new("ann's other").line(REVIEWER).replace("ann's other", "ann");
    let allowed_signers =
        Person::new("ann").line(&both) + &Person::new("bob").line("execution-grant@agenttrader") + &second;
    let root = TrustRoot::read(SignersText { allowed_signers, revoked_keys: String::new() }).unwrap();
    let judged = |file: &SignedFile| of(grant(file, &root, at()));
    let alone = judged(&file(terms(), &["ann"]));
    assert_eq!(alone, Err(QuorumError::People { found: 1, wanted: 2 }.into()));
    let mut two_keys = file(terms(), &["ann", "ann's other"]);
    two_keys.signatures[1].principal = "ann".to_owned();
    assert_eq!(judged(&two_keys), Err(QuorumError::Twice { principal: "ann".to_owned() }.into()));
    let without_role = judged(&file(terms(), &["ann", "bob"]));
    assert_eq!(without_role, Err(QuorumError::NoRole { principal: "bob".to_owned() }.into()));
}

#[test]
fn a_signature_counts_for_grants_these_bytes_and_its_own_name_alone() {
    let bytes = about(terms()).to_bytes().unwrap();
    let elsewhere = signed_file(&bytes, "git", &["ann", "bob"]);
    assert!(matches!(judged(&elsewhere), Err(Unusable::Signature { problem: SignerError::Signature(_), .. })));
    let mut other = file(terms(), &["ann", "bob"]);
    other.text = other.text.replace("\"daily_orders\":5", "\"daily_orders\":6");
    assert!(matches!(judged(&other), Err(Unusable::OtherName { .. })));
    other.sha256 = Digest::of(other.text.as_bytes());
    assert!(matches!(judged(&other), Err(Unusable::Signature { .. })));
    let mut swapped = file(terms(), &["ann", "bob"]);
    swapped.signatures[0].principal = "cat".to_owned();
    assert!(matches!(judged(&swapped), Err(Unusable::Signature { problem: SignerError::OtherPrincipal { .. }, .. })));
    let mut many = file(terms(), &["ann", "bob"]);
    many.signatures = std::iter::repeat_n(many.signatures[0].clone(), 9).collect();
    assert_eq!(judged(&many), Err(Unusable::TooManySignatures { found: 9, max: SIGNATURES_MAX }));
}

#[test]
fn a_revoked_a_renamed_and_an_endless_file_grant_nothing() {
    let good = file(terms(), &["ann", "bob"]);
    let revoked = SignedFile { revoked: true, ..good.clone() };
    assert_eq!(judged(&revoked), Err(Unusable::Revoked));
    let renamed = SignedFile { sha256: Digest::of(b"another"), ..good.clone() };
    assert!(matches!(judged(&renamed), Err(Unusable::OtherName { .. })));
    let endless = SignedFile { text: " ".repeat(SIGNED_FILE_BYTES_MAX + 1), ..good };
    assert!(matches!(judged(&endless), Err(Unusable::TooLarge { .. })));
}

#[test]
fn a_key_that_is_out_of_time_or_revoked_signs_no_grant() {
    let mut text = three();
    text.revoked_keys = Person::new("bob").public_key();
    let revoked = of(grant(&file(terms(), &["ann", "bob"]), &TrustRoot::read(text).unwrap(), at()));
    assert!(matches!(revoked, Err(Unusable::Signature { problem: SignerError::Revoked { .. }, .. })));
    let mut text = three();
    text.allowed_signers = text.allowed_signers.replacen(" ssh-", ",valid-before=\"20260105150000Z\" ssh-", 1);
    let root = TrustRoot::read(text).unwrap();
    let good = file(terms(), &["ann", "bob"]);
    assert!(of(grant(&good, &root, UnixNanos::from_nanos(at().nanos() - 1))).is_ok());
    let late = of(grant(&good, &root, at()));
    assert!(matches!(late, Err(Unusable::Signature { problem: SignerError::OutOfTime { .. }, .. })));
}

#[test]
fn no_grant_lasts_longer_than_people_look_away() {
    let week = hours(24 * 7);
    assert!(with(|terms| (terms.not_after, terms.exit_until) = (at().plus(week), None)).is_ok());
    let longer = with(|terms| (terms.not_after, terms.exit_until) = (at().plus(week).plus(Span::from_nanos(1)), None));
    assert!(matches!(longer, Err(Unusable::Grant(GrantError::TooLong { max, .. })) if max == week));
    let live = |nanos: i64| {
        let mut terms = terms();
        terms.modes.push(ExecutionMode::Live);
        (terms.not_after, terms.exit_until) = (at().plus(hours(24)).plus(Span::from_nanos(nanos)), None);
        judged(&file(terms, &["ann", "bob", "cat"]))
    };
    assert!(live(0).is_ok());
    assert!(matches!(live(1), Err(Unusable::Grant(GrantError::TooLong { max, .. })) if max == hours(24)));
    for not_after in [at(), at().plus(hours(-1))] {
        let never = with(|terms| terms.not_after = not_after);
        assert!(matches!(never, Err(Unusable::Grant(GrantError::Never { .. }))));
    }
    for exit in [hours(24), hours(0), hours(49)] {
        let exit = with(|terms| terms.exit_until = Some(at().plus(exit)));
        assert!(matches!(exit, Err(Unusable::Grant(GrantError::Exit { .. }))));
    }
    assert_eq!(with(|terms| terms.exit_until = None).unwrap().terms.exit_until, None);
}

#[test]
fn what_is_granted_is_named_and_named_once() {
    type Change = fn(&mut GrantPredicate);
    let lists: [(&str, Change); 6] = [
        ("modes", |terms| terms.modes.clear()),
        ("modes", |terms| terms.modes.push(ExecutionMode::Paper)),
        ("symbols", |terms| terms.symbols.clear()),
        ("symbols", |terms| terms.symbols.push(symbol("SPY"))),
        ("symbols", |terms| terms.symbols.extend((0..130).map(|n| symbol(&format!("A{n}"))))),
        ("delegation", |terms| terms.delegation = std::iter::repeat_n(terms.delegation[0].clone(), 129).collect()),
    ];
    for (name, change) in lists {
        assert_eq!(with(change), Err(GrantError::List(name).into()), "{name}");
    }
    let texts: [(&str, Change); 7] = [
        ("unlock_id", |terms| terms.unlock_id = "../x".to_owned()),
        ("unlock_id", |terms| terms.unlock_id = "a/b".to_owned()),
        ("nonce", |terms| terms.nonce.clear()),
        ("nonce", |terms| terms.nonce = "n".repeat(65)),
        ("reason", |terms| terms.reason.clear()),
        ("reason", |terms| terms.reason = "r\u{1b}[2J".to_owned()),
        ("reason", |terms| terms.reason = "r".repeat(2_001)),
    ];
    for (name, change) in texts {
        assert_eq!(with(change), Err(GrantError::Text(name).into()), "{name}");
    }
    let delegations: [Change; 9] = [
        |terms| terms.delegation[0].strategy.clear(),
        |terms| terms.delegation[0].symbols.clear(),
        |terms| terms.delegation[0].intents.clear(),
        |terms| terms.delegation[0].symbols = vec![symbol("AAPL")],
        |terms| terms.delegation[0].symbols.push(symbol("SPY")),
        |terms| terms.delegation[0].intents.push(Intent::Close),
        |terms| terms.delegation[0].order_notional_usd = Money::from_dollars(-1),
        |terms| terms.delegation[0].daily_notional_usd = Money::from_dollars(-1),
        |terms| terms.delegation[0].window.from = terms.delegation[0].window.until,
    ];
    for change in delegations {
        assert!(matches!(with(change), Err(Unusable::Grant(GrantError::Delegation { entry: 0, .. }))));
    }
}

#[test]
fn a_grant_is_about_one_commit_one_lock_and_one_image() {
    let subjects = |change: fn(&mut Vec<Subject>)| {
        let mut statement = about(terms());
        change(&mut statement.subject);
        judged(&signed_file(&statement.to_bytes().unwrap(), FOR, &["ann", "bob"]))
    };
    let changes: [fn(&mut Vec<Subject>); 5] = [
        |subjects| drop(subjects.pop()),
        |subjects| subjects.push(subjects[2].clone()),
        |subjects| subjects.push(Subject::of_bytes("more", Digest::of(b""))),
        |subjects| subjects[0] = Subject::of_bytes("commit", Digest::of(b"")),
        |subjects| subjects[2].name = "image".to_owned(),
    ];
    for change in changes {
        assert_eq!(subjects(change), Err(GrantError::Subjects.into()));
    }
}

#[test]
fn a_statement_has_one_meaning_or_none() {
    type Change = fn(String) -> String;
    let changes: [(&str, Change); 18] = [
        ("an unknown field", |text| text.replace("\"nonce\":", "\"more\":1,\"nonce\":")),
        ("a missing field", |text| text.replace("\"nonce\":\"1\",", "")),
        ("a field twice", |text| text.replace("\"nonce\":\"1\"", "\"nonce\":\"1\",\"nonce\":\"1\"")),
        ("a field twice by an escape", |text| text.replace("\"nonce\":\"1\"", "\"nonce\":\"1\",\"\\u006eonce\":\"1\"")),
        ("a number for a text", |text| text.replace("\"nonce\":\"1\"", "\"nonce\":1")),
        ("a text for a flag", |text| text.replace("switch\":false", "switch\":\"false\"")),
        ("null for a flag", |text| text.replace("switch\":false", "switch\":null")),
        ("an array for an object", |text| {
            text.replace("{\"from\":\"09:45\",\"until\":\"15:30\"}", "[\"09:45\",\"15:30\"]")
        }),
        ("another spelling of a number", |text| text.replace("\"50000\"", "\"50000.0\"")),
        ("another spelling of a time", |text| text.replace("15:00:00Z", "15:00:00.0Z")),
        ("a float", |text| text.replace("\"daily_orders\":5", "\"daily_orders\":5.5")),
        ("a negative number", |text| text.replace("\"daily_orders\":5", "\"daily_orders\":-5")),
        ("a number beyond its type", |text| text.replace("\"daily_orders\":5", "\"daily_orders\":5000000000")),
        ("an unknown mode", |text| text.replace("\"paper\"", "\"PAPER\"")),
        ("null for nothing", |text| text.replace("\"daily_orders\":5", "\"daily_orders\":5,\"daily_hedges\":null")),
        ("two digests", |text| text.replace("{\"gitCommit\":", "{\"sha1\":\"a\",\"gitCommit\":")),
        ("a lone surrogate", |text| text.replace("paper trading", "\\ud800")),
        ("more after the end", |text| text + "{}"),
    ];
    for (what, change) in changes {
        assert!(matches!(text(change), Err(Unusable::Statement(_))), "{what}: {:?}", text(change));
    }
    let kind = text(|text| text.replace("execution-grant:v1", "proposal-approval:v1"));
    assert!(matches!(kind, Err(Unusable::Statement(StatementError::Kind { field: "predicateType", .. }))));
    let kind = text(|text| text.replace("Statement/v1", "Statement/v0.1"));
    assert!(matches!(kind, Err(Unusable::Statement(StatementError::Kind { field: "_type", .. }))));
    let nothing = judged(&signed_file(b"", FOR, &["ann", "bob"]));
    assert!(matches!(nothing, Err(Unusable::Statement(StatementError::Json(_)))));
}
