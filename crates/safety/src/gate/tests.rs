//! The list of reasons, and the verdict. `permits` besides: only here can an accepted order be made without people's signatures.

use super::*;
use crate::tests::fixture::{World, contract, now, spy};
use agenttrader_core::instrument::Right;
use proptest::prelude::*;
use std::collections::BTreeSet;

mod alone;
mod permits;

/// The codes in the order in which they are documented, written out.
const DOCUMENTED: [&str; 43] = [
    "EXECUTION_DISABLED",
    "AGENT_MODE_NOT_EXECUTE",
    "KILL_SWITCH",
    "STATE_NOT_READY",
    "UNLOCK_MISSING",
    "UNLOCK_INVALID",
    "UNLOCK_EXPIRED",
    "UNLOCK_SCOPE",
    "BUILD_MISMATCH",
    "MARKETDATA_MISSING",
    "MARKETDATA_STALE",
    "MARKET_CLOSED",
    "SIGNATURE_INVALID",
    "AGENT_UNKNOWN",
    "PROPOSAL_MALFORMED",
    "PROPOSAL_EXPIRED",
    "PROPOSAL_DUPLICATE",
    "APPROVAL_MISSING",
    "APPROVAL_INVALID",
    "SYMBOL_NOT_ALLOWED",
    "SYMBOL_RESTRICTED",
    "SYMBOL_HALTED",
    "EXPIRY_CUTOFF",
    "SYMBOL_UNRECONCILED",
    "ACCOUNT_RESTRICTED",
    "ORDER_QTY",
    "ORDER_NOTIONAL",
    "PRICE_COLLAR",
    "ORDER_DUPLICATE",
    "POSITION_LIMIT",
    "CONCENTRATION",
    "GROSS_EXPOSURE",
    "OPEN_ORDERS",
    "ORDER_RATE",
    "REPEAT_EXECUTION",
    "DAILY_ORDERS",
    "DAILY_NOTIONAL",
    "DAILY_LOSS",
    "DRAWDOWN",
    "SELF_TRADE",
    "BUYING_POWER",
    "VOLATILITY_GUARD",
    "AUDIT_UNAVAILABLE",
];

fn nothing_holds() -> Facts {
    let mut facts = facts(&World::shares().proposal, &World::shares().seen);
    for reason in Reason::ALL {
        *field(&mut facts, reason) = Answer::DoesNotHold;
    }
    facts
}

fn field(facts: &mut Facts, reason: Reason) -> &mut Answer {
    match reason {
        Reason::ExecutionDisabled => &mut facts.execution_disabled,
        Reason::AgentModeNotExecute => &mut facts.agent_mode_not_execute,
        Reason::KillSwitch => &mut facts.kill_switch,
        Reason::StateNotReady => &mut facts.state_not_ready,
        Reason::UnlockMissing => &mut facts.unlock_missing,
        Reason::UnlockInvalid => &mut facts.unlock_invalid,
        Reason::UnlockExpired => &mut facts.unlock_expired,
        Reason::UnlockScope => &mut facts.unlock_scope,
        Reason::BuildMismatch => &mut facts.build_mismatch,
        Reason::MarketdataMissing => &mut facts.marketdata_missing,
        Reason::MarketdataStale => &mut facts.marketdata_stale,
        Reason::MarketClosed => &mut facts.market_closed,
        Reason::SignatureInvalid => &mut facts.signature_invalid,
        Reason::AgentUnknown => &mut facts.agent_unknown,
        Reason::ProposalMalformed => &mut facts.proposal_malformed,
        Reason::ProposalExpired => &mut facts.proposal_expired,
        Reason::ProposalDuplicate => &mut facts.proposal_duplicate,
        Reason::ApprovalMissing => &mut facts.approval_missing,
        Reason::ApprovalInvalid => &mut facts.approval_invalid,
        Reason::SymbolNotAllowed => &mut facts.symbol_not_allowed,
        Reason::SymbolRestricted => &mut facts.symbol_restricted,
        Reason::SymbolHalted => &mut facts.symbol_halted,
        Reason::ExpiryCutoff => &mut facts.expiry_cutoff,
        Reason::SymbolUnreconciled => &mut facts.symbol_unreconciled,
        Reason::AccountRestricted => &mut facts.account_restricted,
        Reason::OrderQty => &mut facts.order_qty,
        Reason::OrderNotional => &mut facts.order_notional,
        Reason::PriceCollar => &mut facts.price_collar,
        Reason::OrderDuplicate => &mut facts.order_duplicate,
        Reason::PositionLimit => &mut facts.position_limit,
        Reason::Concentration => &mut facts.concentration,
        Reason::GrossExposure => &mut facts.gross_exposure,
        Reason::OpenOrders => &mut facts.open_orders,
        Reason::OrderRate => &mut facts.order_rate,
        Reason::RepeatExecution => &mut facts.repeat_execution,
        Reason::DailyOrders => &mut facts.daily_orders,
        Reason::DailyNotional => &mut facts.daily_notional,
        Reason::DailyLoss => &mut facts.daily_loss,
        Reason::Drawdown => &mut facts.drawdown,
        Reason::SelfTrade => &mut facts.self_trade,
        Reason::BuyingPower => &mut facts.buying_power,
        Reason::VolatilityGuard => &mut facts.volatility_guard,
        Reason::AuditUnavailable => &mut facts.audit_unavailable,
    }
}

fn facts_of(answers: &[Answer]) -> Facts {
    let mut facts = nothing_holds();
    for (reason, answer) in Reason::ALL.into_iter().zip(answers) {
        *field(&mut facts, reason) = *answer;
    }
    facts
}

#[test]
fn the_codes_are_the_documented_ones_in_their_order() {
    assert_eq!(Reason::ALL.map(Reason::as_str), DOCUMENTED);
}

#[test]
fn when_nothing_holds_there_is_no_reason() {
    assert_eq!(reasons(&nothing_holds()), []);
}

#[test]
fn each_code_alone_is_the_one_reason() {
    for reason in Reason::ALL {
        for answer in [Answer::Holds, Answer::Unknown] {
            let mut facts = nothing_holds();
            *field(&mut facts, reason) = answer;
            assert_eq!(facts.answer(reason), answer);
            assert_eq!(reasons(&facts), [reason], "{reason} {answer:?}");
        }
    }
}

#[test]
fn when_everything_holds_each_cause_has_one_code() {
    for answer in [Answer::Holds, Answer::Unknown] {
        let all = reasons(&facts_of(&[answer; 43]));
        let expected = [
            "EXECUTION_DISABLED",
            "AGENT_MODE_NOT_EXECUTE",
            "KILL_SWITCH",
            "STATE_NOT_READY",
            "UNLOCK_MISSING",
            "MARKET_CLOSED",
            "SIGNATURE_INVALID",
            "AGENT_UNKNOWN",
            "PROPOSAL_MALFORMED",
            "ACCOUNT_RESTRICTED",
            "OPEN_ORDERS",
            "ORDER_RATE",
            "DAILY_LOSS",
            "DRAWDOWN",
            "AUDIT_UNAVAILABLE",
        ];
        assert_eq!(all.iter().map(|reason| reason.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_missing_grant_silences_what_only_a_grant_could_say() {
    let unlock = ["UNLOCK_INVALID", "UNLOCK_EXPIRED", "UNLOCK_SCOPE", "BUILD_MISMATCH"];
    check_silenced(Reason::UnlockMissing, &unlock);
}

#[test]
fn missing_data_silences_stale_data_and_a_missing_approval_an_invalid_one() {
    check_silenced(Reason::MarketdataMissing, &["MARKETDATA_STALE"]);
    check_silenced(Reason::ApprovalMissing, &["APPROVAL_INVALID"]);
}

/// The silencer silences exactly these, whether it holds or cannot be known, and only then.
fn check_silenced(silencer: Reason, silenced: &[&str]) {
    for other in Reason::ALL {
        for answer in [Answer::Holds, Answer::Unknown] {
            let mut facts = nothing_holds();
            *field(&mut facts, silencer) = answer;
            *field(&mut facts, other) = answer;
            let expected = if other == silencer || silenced.contains(&other.as_str()) { 1 } else { 2 };
            if other != Reason::ProposalMalformed {
                assert_eq!(reasons(&facts).len(), expected, "{silencer} and {other}");
            }
        }
    }
}

#[test]
fn a_malformed_proposal_silences_exactly_what_reads_it() {
    let mut differing: BTreeSet<Reason> = BTreeSet::new();
    let malformed = |world: World| world.proposing(|proposal| proposal.rationale.short_reason.clear());
    let stays: Vec<Reason> =
        Reason::ALL.into_iter().filter(|reason| !silencers(*reason).contains(&Reason::ProposalMalformed)).collect();
    let worlds = [World::shares(), World::call(), World::straddle().selling(), World::shares().of(9_999).limit("1")];
    let first = malformed(World::shares()).facts();
    for world in worlds {
        let facts = malformed(world).facts();
        differing.extend(stays.iter().filter(|reason| facts.answer(**reason) != first.answer(**reason)));
    }
    assert_eq!(differing, BTreeSet::new(), "an answer that stays depends on a malformed proposal");
    let posture = stays.iter().filter(|reason| reason.is_posture()).count();
    assert_eq!(posture, 8, "of the posture only the grant's scope and the approval read the proposal");
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![Just(Answer::Holds), Just(Answer::DoesNotHold), Just(Answer::Unknown)]
}

proptest! {
    #[test]
    fn the_list_is_empty_only_if_every_field_does_not_hold(
        mut answers in proptest::collection::vec(prop_oneof![6 => Just(Answer::DoesNotHold), 1 => any_answer()], 43),
        all in any::<bool>(),
    ) {
        if all { answers.fill(Answer::DoesNotHold); }
        let facts = facts_of(&answers);
        let nothing = answers.iter().all(|answer| *answer == Answer::DoesNotHold);
        prop_assert_eq!(reasons(&facts).is_empty(), nothing);
    }

    #[test]
    fn the_unknown_weighs_what_holding_weighs(answers in proptest::collection::vec(any_answer(), 43)) {
        let held: Vec<Answer> = answers.iter().map(|answer| Answer::of(answer.refuses())).collect();
        prop_assert_eq!(reasons(&facts_of(&answers)), reasons(&facts_of(&held)));
    }

    #[test]
    fn a_code_is_absent_only_if_it_does_not_hold_or_its_silencer_is_there(answers in proptest::collection::vec(any_answer(), 43)) {
        let facts = facts_of(&answers);
        let listed = reasons(&facts);
        for reason in Reason::ALL {
            let silenced = silencers(reason).iter().any(|silencer| facts.answer(*silencer).refuses());
            prop_assert_eq!(listed.contains(&reason), facts.answer(reason).refuses() && !silenced);
        }
        prop_assert!(listed.is_sorted());
    }

    #[test]
    fn one_more_cause_never_empties_the_list(answers in proptest::collection::vec(any_answer(), 43), at in 0_usize..43) {
        let mut more = answers.clone();
        more[at] = Answer::Holds;
        prop_assert!(!reasons(&facts_of(&more)).is_empty());
    }
}

#[test]
fn a_silenced_code_has_a_silencer_that_is_not_silenced_itself_by_it() {
    for reason in Reason::ALL {
        for silencer in silencers(reason) {
            assert!(!silencers(*silencer).contains(&reason), "{reason} and {silencer} silence each other");
        }
    }
}

#[test]
fn a_reducing_order_is_excused_from_exactly_the_documented_limits() {
    let world = World::shares().selling().holding(spy(), 100).with(|seen| seen.market.vix = crate::seen::Vix::Unknown);
    let limits = world.facts().limits;
    let refusing: BTreeSet<Reason> = limits.iter().filter(|limit| limit.refuses).map(|limit| limit.name).collect();
    let excused: Vec<&str> = limits
        .iter()
        .filter(|limit| !limit.refuses && !refusing.contains(&limit.name))
        .map(|limit| limit.name.as_str())
        .collect();
    let expected = [
        "ORDER_NOTIONAL",
        "POSITION_LIMIT",
        "CONCENTRATION",
        "GROSS_EXPOSURE",
        "REPEAT_EXECUTION",
        "DAILY_ORDERS",
        "DAILY_NOTIONAL",
        "DAILY_LOSS",
        "DRAWDOWN",
        "BUYING_POWER",
        "VOLATILITY_GUARD",
    ];
    assert_eq!(excused, expected);
    let document = include_str!("../../../../docs/SAFETY.md");
    let said: Vec<&str> =
        document.lines().filter(|line| line.ends_with("| yes |")).filter_map(|line| line.split('`').nth(1)).collect();
    assert_eq!(said, expected);
    // Measured all the same.
    assert!(limits.iter().all(|limit| limit.measured.is_some() || limit.name == Reason::VolatilityGuard));
}

#[test]
fn nothing_is_accepted_without_peoples_signatures() {
    for world in [World::shares(), World::call(), World::straddle(), World::shares().selling().holding(spy(), 100)] {
        let judged = judge(&world.proposal, &world.seen);
        assert!(matches!(judged.verdict, Verdict::Refuse));
        assert_eq!(judged.decision.decision, Outcome::Refuse);
        assert_eq!(judged.decision.reason_codes, [Reason::UnlockMissing, Reason::ApprovalMissing]);
    }
}

#[test]
fn a_decision_says_what_was_asked_seen_and_measured() {
    let world = World::straddle();
    let decision = judge(&world.proposal, &world.seen).decision;
    assert_eq!(decision.proposal_id, world.proposal.proposal_id);
    assert_eq!(decision.correlation_id, world.proposal.correlation_id);
    assert_eq!(decision.proposal_digest, world.proposal.digest().unwrap());
    assert_eq!(decision.decided_at_utc, now());
    assert_eq!(decision.agent_identity, world.seen.decider);
    assert_eq!(decision.recommended_order, world.proposal.order().ok());
    assert_eq!(decision.safety_snapshot, serde_json::to_value(&world.seen).unwrap());
    assert_eq!(decision.safety_snapshot["posture"]["grant"], "missing");
    assert!(decision.safety_snapshot["posture"].get("build").is_none());
    let names: BTreeSet<Reason> = decision.limits.iter().map(|limit| limit.name).collect();
    assert_eq!(names.len(), 15);
    assert!(decision.limits.is_sorted_by_key(|limit| limit.name));
    assert!(decision.limits.iter().all(|limit| limit.holds && limit.refuses && limit.measured.is_some()));
}

#[test]
fn the_same_proposal_and_world_give_the_same_bytes() {
    let world = World::straddle().holding(contract(Right::Call), 3);
    let bytes =
        |world: &World| agenttrader_core::canonical_json::of(&judge(&world.proposal, &world.seen).decision).unwrap();
    assert_eq!(bytes(&world), bytes(&world.clone()));
    let mut other_build = world.clone();
    other_build.seen.posture.build.git_sha = "b".repeat(40);
    assert_eq!(bytes(&world), bytes(&other_build));
    let mut other_decider = world.clone();
    other_decider.seen.decider.agent_name = "shadow-gate".to_owned();
    let id = |world: &World| judge(&world.proposal, &world.seen).decision.decision_id;
    assert_ne!(id(&world), id(&other_decider));
}

#[test]
fn a_malformed_proposal_gets_its_decision_too() {
    let mut world = World::shares();
    world.proposal.limit_price = None;
    world.seen.log = crate::seen::LogHealth::Unavailable;
    let decision = judge(&world.proposal, &world.seen).decision;
    let codes = [Reason::UnlockMissing, Reason::ProposalMalformed, Reason::AuditUnavailable];
    assert_eq!(decision.reason_codes, codes);
    assert_eq!(decision.recommended_order, None);
    let order = decision.limits.iter().find(|limit| limit.name == Reason::OrderNotional).unwrap();
    assert_eq!((order.measured.as_deref(), order.holds), (None, false));
    // A number without a canonical form cannot be signed; the proposal still has one digest and one decision.
    world.proposal.rationale.indicators.insert("n".to_owned(), u64::MAX.into());
    assert_eq!(
        judge(&world.proposal, &world.seen).decision.decision_id,
        judge(&world.proposal, &world.seen).decision.decision_id
    );
}

#[test]
fn an_order_cannot_be_sent_after_anything_that_let_it_pass_has_ended() {
    let world = World::shares();
    let order = world.proposal.order().unwrap();
    // Nothing was signed: no time at all.
    assert!(sendable_until(&order, &world.seen, None) <= now());
}
