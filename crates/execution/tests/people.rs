//! What people signed, as it comes to the desk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod common;

use agenttrader_authority::approval::ApprovalPredicate;
use agenttrader_authority::delegation::{DayWindow, Delegation, TimeOfDay, strategy_sha256};
use agenttrader_authority::grant::{ExecutionMode, GrantPredicate};
use agenttrader_authority::grant_limits::GrantLimits;
use agenttrader_authority::signed_file::SignedFile;
use agenttrader_authority::statement::GitCommit;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::canonical_json;
use agenttrader_core::decision::Decision;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Intent, Side};
use agenttrader_core::proposal::Proposal;
use agenttrader_core::reason::Reason;
use agenttrader_core::time::Span;
use agenttrader_execution::desk_settings::DeskSettings;
use agenttrader_execution::output::{DeskOutput, SignedFileRead};
use agenttrader_people::{signed_file, three};
use agenttrader_sequence::input::{Configuration, ConfigurationFile, Fact, SignedChange, SignedFact, SignedFolder};
use common::{Floor, price, symbol};

const GAMMA: &str = "size = 1\n";

fn configuration() -> Configuration {
    let mut configuration = common::configuration();
    configuration.files.push(ConfigurationFile { name: "strategies/gamma.toml".to_owned(), text: GAMMA.to_owned() });
    configuration
}

/// A desk of one clean commit that trusts ann, bob and cat.
fn trusting() -> Floor {
    let settings = DeskSettings {
        build: Build { git_sha: "a".repeat(40), build_id: "1".to_owned() },
        trust_root: TrustRoot::read(three()).unwrap(),
        ..common::settings()
    };
    Floor::of(&configuration(), settings)
}

fn granted(floor: &Floor, change: impl FnOnce(&mut GrantPredicate)) -> SignedFile {
    let mut terms = GrantPredicate {
        unlock_id: "first".to_owned(),
        modes: vec![ExecutionMode::Shadow],
        symbols: vec![symbol("SPY")],
        limits: GrantLimits::default(),
        delegation: Vec::new(),
        waives_kill_switch: false,
        not_before: floor.now.minus(Span::from_minutes(60)),
        not_after: floor.now.plus(Span::from_minutes(60 * 24)),
        exit_until: None,
        reason: "a test".to_owned(),
        nonce: "1".to_owned(),
    };
    change(&mut terms);
    let commit = GitCommit::parse(&"a".repeat(40)).unwrap();
    let statement = terms.about(commit, Digest::of(b"lock"), Digest::of(b"image"));
    signed_file(&statement.to_bytes().unwrap(), "execution-grant@agenttrader", &["ann", "bob"])
}

fn delegated(floor: &Floor, daily_orders: u32) -> SignedFile {
    let time = |text| TimeOfDay::parse(text).unwrap();
    let entry = Delegation {
        strategy: "gamma".to_owned(),
        strategy_sha256: strategy_sha256("gamma", "1", Some(GAMMA)).unwrap(),
        symbols: vec![symbol("SPY")],
        intents: vec![Intent::Open],
        order_quantity: 100,
        order_notional_usd: Money::from_dollars(60_100),
        daily_orders,
        daily_notional_usd: Money::from_dollars(1_000_000),
        window: DayWindow { from: time("09:30"), until: time("16:00") },
    };
    granted(floor, |terms| terms.delegation = vec![entry])
}

fn approval(floor: &Floor, proposal: &Proposal, names: &[&str]) -> SignedFile {
    let says = ApprovalPredicate {
        limits_digest: floor.desk.limits().digest().unwrap(),
        reference_price: price("600"),
        signed_at: floor.now,
        expires_at: floor.now.plus(Span::from_seconds(60)),
    };
    let statement = says.about(proposal.digest().unwrap());
    signed_file(&statement.to_bytes().unwrap(), "proposal-approval@agenttrader", names)
}

fn tell(floor: &mut Floor, folder: SignedFolder, change: SignedChange) -> SignedFileRead {
    floor.fact(Fact::Signed(SignedFact { folder, change }));
    match floor.outputs.last() {
        Some(DeskOutput::SignedFileRead(read)) => read.clone(),
        other => panic!("{other:?}"),
    }
}

fn tell_file(floor: &mut Floor, folder: SignedFolder, file: &SignedFile) -> SignedFileRead {
    tell(floor, folder, SignedChange::File { file: file.clone() })
}

fn buys(floor: &mut Floor, quantity: i64) -> Proposal {
    floor.shares(Intent::Open, Side::Buy, quantity, Some("600.05"))
}

/// What people lift, of all the reasons.
fn lifted_by_people(decision: &Decision) -> Vec<&str> {
    let names = decision.reason_codes.iter().map(|reason| reason.as_str());
    names
        .filter(|name| name.starts_with("UNLOCK") || name.starts_with("APPROVAL") || *name == "BUILD_MISMATCH")
        .collect()
}

fn asked(floor: &mut Floor, quantity: i64) -> Decision {
    let proposal = buys(floor, quantity);
    floor.decide(&proposal)
}

#[test]
fn a_grant_lifts_what_a_grant_lifts_until_it_is_revoked() {
    let mut floor = trusting();
    assert_eq!(lifted_by_people(&asked(&mut floor, 1)), ["UNLOCK_MISSING", "APPROVAL_MISSING"]);
    let file = granted(&floor, |_| {});
    let read = tell_file(&mut floor, SignedFolder::Grants, &file);
    assert_eq!((read.state, read.problem, read.signed_by.len()), ("good", None, 2));
    assert_eq!(lifted_by_people(&asked(&mut floor, 2)), ["APPROVAL_MISSING"]);
    let read = tell_file(&mut floor, SignedFolder::Grants, &SignedFile { revoked: true, ..file.clone() });
    assert_eq!((read.state, read.problem.as_deref()), ("unusable", Some("is revoked")));
    assert_eq!(lifted_by_people(&asked(&mut floor, 3)), ["UNLOCK_INVALID", "APPROVAL_MISSING"]);
    tell(&mut floor, SignedFolder::Grants, SignedChange::Gone { sha256: file.sha256 });
    assert_eq!(lifted_by_people(&asked(&mut floor, 4)), ["UNLOCK_MISSING", "APPROVAL_MISSING"]);
}

#[test]
fn a_folder_that_cannot_be_read_refuses_whatever_was_in_it() {
    let mut floor = trusting();
    let file = granted(&floor, |_| {});
    tell_file(&mut floor, SignedFolder::Grants, &file);
    for folder in [SignedFolder::Grants, SignedFolder::Approvals] {
        let read = tell(&mut floor, folder, SignedChange::Unreadable { problem: "denied".to_owned() });
        assert_eq!((read.state, read.problem.as_deref()), ("unreadable", Some("denied")));
    }
    let decision = asked(&mut floor, 1);
    assert_eq!(lifted_by_people(&decision), ["UNLOCK_MISSING", "APPROVAL_MISSING"]);
    assert_eq!(decision.safety_snapshot["posture"]["grant"], "unknown");
    assert_eq!(decision.safety_snapshot["approval"], "unknown");
    assert_eq!(tell(&mut floor, SignedFolder::Grants, SignedChange::Readable).state, "readable");
    assert_eq!(lifted_by_people(&asked(&mut floor, 2)), ["APPROVAL_MISSING"]);
}

#[test]
fn a_draft_build_and_another_build_are_not_unlocked_by_a_good_grant() {
    let mut draft = Floor::with(&configuration());
    let file = granted(&draft, |_| {});
    let read = tell_file(&mut draft, SignedFolder::Grants, &file);
    assert_eq!(read.state, "unusable");
    assert!(read.problem.as_deref().unwrap().contains("trusts no signer"), "{read:?}");
    let codes = ["UNLOCK_INVALID", "BUILD_MISMATCH", "APPROVAL_MISSING"];
    assert_eq!(lifted_by_people(&asked(&mut draft, 1)), codes, "a build of no commit besides");
    let settings = DeskSettings { trust_root: TrustRoot::read(three()).unwrap(), ..common::settings() };
    let mut other = Floor::of(&configuration(), settings);
    tell_file(&mut other, SignedFolder::Grants, &file);
    assert_eq!(lifted_by_people(&asked(&mut other, 1)), ["BUILD_MISMATCH", "APPROVAL_MISSING"]);
}

#[test]
fn a_grant_ends_by_the_latest_of_the_clocks() {
    let mut floor = trusting();
    let file = granted(&floor, |_| {});
    tell_file(&mut floor, SignedFolder::Grants, &file);
    // The machine's clock runs ahead of the venue's, and goes back again: that extends nothing.
    for wall in [floor.now.plus(Span::from_minutes(60 * 24)), floor.now] {
        floor.fact(Fact::Timer { wall });
        assert_eq!(lifted_by_people(&asked(&mut floor, 1)), ["UNLOCK_EXPIRED", "APPROVAL_MISSING"]);
    }
}

#[test]
fn an_approval_binds_its_proposal_and_is_consumed_once() {
    let mut floor = trusting();
    let file = granted(&floor, |_| {});
    tell_file(&mut floor, SignedFolder::Grants, &file);
    let proposal = buys(&mut floor, 10);
    let yes = approval(&floor, &proposal, &["ann"]);
    let read = tell_file(&mut floor, SignedFolder::Approvals, &yes);
    assert_eq!((read.state, read.signed_by), ("good", vec!["ann".to_owned()]));
    let another = buys(&mut floor, 11);
    assert_eq!(lifted_by_people(&floor.decide(&another)), ["APPROVAL_MISSING"]);
    let decision = floor.decide(&proposal);
    assert_eq!(lifted_by_people(&decision), [] as [&str; 0]);
    assert_eq!(decision.safety_snapshot["approval"]["good"]["approvers"][0], "ann");
    // The file comes again, as after a restart of its folder's reader: it was consumed.
    tell_file(&mut floor, SignedFolder::Approvals, &yes);
    let again = floor.decide(&proposal);
    assert!(again.reason_codes.contains(&Reason::ApprovalMissing), "{:?}", again.reason_codes);
}

#[test]
fn an_approval_too_late_or_by_too_few_is_invalid() {
    let mut floor = trusting();
    let file = granted(&floor, |_| {});
    tell_file(&mut floor, SignedFolder::Grants, &file);
    let large = buys(&mut floor, 17);
    let yes = approval(&floor, &large, &["ann"]);
    tell_file(&mut floor, SignedFolder::Approvals, &yes);
    assert_eq!(lifted_by_people(&floor.decide(&large)), ["APPROVAL_INVALID"], "two people above 10,000 USD");
    let proposal = buys(&mut floor, 2);
    let yes = approval(&floor, &proposal, &["ann", "bob"]);
    tell_file(&mut floor, SignedFolder::Approvals, &yes);
    let wall = floor.now.plus(Span::from_seconds(61));
    floor.fact(Fact::Timer { wall });
    assert_eq!(lifted_by_people(&floor.decide(&proposal)), ["APPROVAL_INVALID"]);
}

#[test]
fn a_delegation_counts_what_is_used_of_it_each_day() {
    let mut floor = trusting();
    let file = delegated(&floor, 2);
    tell_file(&mut floor, SignedFolder::Grants, &file);
    for before in 0..2 {
        let decision = asked(&mut floor, 10 + i64::from(before));
        assert_eq!(lifted_by_people(&decision), [] as [&str; 0]);
        let used = decision.delegation.unwrap();
        assert_eq!((used.grant_sha256, used.entry, used.orders_before), (file.sha256, 0, before));
    }
    let third = asked(&mut floor, 12);
    assert_eq!((lifted_by_people(&third), third.delegation.as_ref()), (vec!["APPROVAL_MISSING"], None));
    // What is refused for more than the posture uses nothing up.
    let mut floor = trusting();
    tell_file(&mut floor, SignedFolder::Grants, &file);
    floor.fact(Fact::Log {
        agent_name: common::GATE.to_owned(),
        health: agenttrader_safety::seen::LogHealth::Unavailable,
    });
    assert_eq!(asked(&mut floor, 10).delegation.unwrap().orders_before, 0);
    assert_eq!(asked(&mut floor, 11).delegation.unwrap().orders_before, 0);
}

#[test]
fn another_version_or_configuration_of_a_strategy_is_not_the_one_delegated_to() {
    let mut floor = trusting();
    let file = delegated(&floor, 2);
    tell_file(&mut floor, SignedFolder::Grants, &file);
    let mut newer = buys(&mut floor, 10);
    newer.strategy_version = "2".to_owned();
    assert_eq!(lifted_by_people(&floor.decide(&newer)), ["APPROVAL_MISSING"]);
    let mut configuration = configuration();
    configuration.files.last_mut().unwrap().text.push_str("# changed\n");
    let settings = DeskSettings { trust_root: TrustRoot::read(three()).unwrap(), ..common::settings() };
    let mut changed = Floor::of(&configuration, settings);
    tell_file(&mut changed, SignedFolder::Grants, &file);
    assert!(asked(&mut changed, 10).reason_codes.contains(&Reason::ApprovalMissing));
}

#[test]
fn the_same_inputs_give_the_same_bytes_and_they_have_a_canonical_form() {
    let run = || {
        let mut floor = trusting();
        let file = delegated(&floor, 2);
        tell_file(&mut floor, SignedFolder::Grants, &file);
        let proposal = buys(&mut floor, 10);
        let yes = approval(&floor, &proposal, &["ann"]);
        tell_file(&mut floor, SignedFolder::Approvals, &yes);
        let decision = canonical_json::of(&floor.decide(&proposal)).unwrap();
        (decision, floor.outputs.iter().map(|output| canonical_json::of(output).unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(run(), run());
}
