//! With people's signatures: the order passes, and each code alone refuses it.

use super::*;
use crate::agent_state::ExecutionState;
use crate::freshness::Freshness;
use crate::seen::{DelegationUsed, LogHealth, OrderLikeness, Origin, Vix};
use crate::tests::fixture::{delegation, grant_file, money, price, root, symbol, terms};
use agenttrader_authority::approval::ApprovalPredicate;
use agenttrader_authority::delegation::{Delegation, TimeOfDay};
use agenttrader_authority::grant::GrantPredicate;
use agenttrader_authority::grant_limits::{GrantLimits, GrantOrderLimits};
use agenttrader_authority::presented::Presented;
use agenttrader_authority::verify::{approval, grant};
use agenttrader_core::identity::AgentMode;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Intent, OrderType, Side};

/// Nothing but this stands against an order that people granted and approved.
fn only(reason: Reason) -> World {
    let unlocked = || World::shares().unlocked();
    let seen = |change: fn(&mut Seen)| unlocked().with(change);
    // What changes the order or its limits is approved as it stands then.
    let approved = |world: World| world.unlocked();
    let counting = |change: fn(&mut crate::seen::Counters)| unlocked().with(|seen| change(&mut seen.account.counters));
    match reason {
        Reason::ExecutionDisabled => seen(|seen| seen.posture.execution_agent_enabled = false),
        Reason::AgentModeNotExecute => seen(|seen| seen.posture.mode = AgentMode::Observe),
        Reason::KillSwitch => seen(|seen| seen.posture.switch = None),
        Reason::StateNotReady => seen(|seen| seen.posture.state = Some(ExecutionState::Degraded)),
        Reason::UnlockMissing => seen(|seen| seen.posture.grant = Presented::Missing),
        Reason::UnlockInvalid => unlocked().with(|seen| {
            let file = grant_file(terms(), &["ann"]);
            seen.posture.grant = grant(&file, &root(), seen.signed_files_now);
        }),
        Reason::UnlockExpired => {
            World::shares().granted(|terms| terms.not_before = now().plus(Span::from_minutes(1))).approved(|_| {})
        }
        Reason::UnlockScope => World::shares().granted(|terms| terms.symbols = vec![symbol("QQQ")]).approved(|_| {}),
        Reason::BuildMismatch => seen(|seen| seen.posture.build.git_sha = "b".repeat(40)),
        Reason::MarketdataMissing => seen(|seen| seen.market.feed = Freshness::Missing),
        Reason::MarketdataStale => seen(|seen| seen.market.delayed = true),
        Reason::MarketClosed => seen(|seen| seen.market.open = false),
        Reason::SignatureInvalid => seen(|seen| seen.origin = Origin::SignatureBad),
        Reason::AgentUnknown => seen(|seen| seen.origin = Origin::AgentUnknown),
        Reason::ProposalMalformed => unlocked().proposing(|proposal| proposal.limit_price = None),
        Reason::ProposalExpired => seen(|seen| seen.at = now().plus(Span::from_seconds(60))),
        Reason::ProposalDuplicate => seen(|seen| seen.judged_before = true),
        Reason::ApprovalMissing => seen(|seen| seen.approval = Presented::Missing),
        Reason::ApprovalInvalid => World::shares().granted(|_| {}).approved(|says| says.reference_price = price("510")),
        Reason::SymbolNotAllowed => seen(|seen| seen.market.allowlist = Some(Vec::new())),
        Reason::SymbolRestricted => {
            let mut world = unlocked();
            world.instrument(spy()).restricted = Some(true);
            world
        }
        Reason::SymbolHalted => seen(|seen| seen.market.underlying_halted = Some(true)),
        Reason::ExpiryCutoff => {
            let mut world = World::call();
            world.instrument(contract(Right::Call)).cut_off = Some(now());
            approved(world)
        }
        Reason::SymbolUnreconciled => seen(|seen| seen.account.unreconciled = Some(true)),
        Reason::AccountRestricted => seen(|seen| seen.account.restricted = Some(true)),
        Reason::OrderQty => approved(World::shares().of(301)),
        Reason::OrderNotional => approved(World::shares().with(|seen| {
            seen.limits.shares.as_mut().unwrap().order_notional_usd = money("49999");
        })),
        Reason::PriceCollar => approved(World::shares().limit("510.01")),
        Reason::OrderDuplicate => unlocked().with(|seen| {
            let like = OrderLikeness::of(&World::shares().proposal.order().unwrap());
            seen.account.counters.recent_orders = vec![like];
        }),
        Reason::PositionLimit => approved(World::shares().with(|seen| seen.limits.position_shares = 99)),
        Reason::Concentration => approved(World::shares().with(|seen| seen.limits.concentration_bp = 499)),
        Reason::GrossExposure => approved(World::shares().with(|seen| seen.limits.gross_exposure_bp = 499)),
        Reason::OpenOrders => approved(World::shares().with(|seen| seen.limits.open_orders = 0)),
        Reason::OrderRate => counting(|counters| counters.orders_last_second = 5),
        Reason::RepeatExecution => counting(|counters| counters.strategy_disabled = true),
        Reason::DailyOrders => counting(|counters| counters.orders_today = 50),
        Reason::DailyNotional => counting(|counters| counters.notional_today = money("250000")),
        Reason::DailyLoss => seen(|seen| seen.account.tripped.daily_loss = true),
        Reason::Drawdown => seen(|seen| seen.account.tripped.drawdown = true),
        Reason::SelfTrade => unlocked().working(&[(spy(), Side::Sell)], 1, OrderType::Limit(price("500"))),
        Reason::BuyingPower => approved(World::call().with(|seen| seen.account.cash = Money::ZERO)),
        Reason::VolatilityGuard => seen(|seen| seen.market.vix = Vix::Unknown),
        Reason::AuditUnavailable => seen(|seen| seen.log = LogHealth::Unavailable),
    }
}

fn verdict(world: &World) -> (bool, Decision) {
    let Judged { decision, verdict } = judge(&world.proposal, &world.seen);
    (matches!(verdict, Verdict::Accept(_)), decision)
}

fn accepted(world: &World) -> Decision {
    let (accepted, decision) = verdict(world);
    assert!(accepted && decision.decision == Outcome::Accept, "{:?}", decision.reason_codes);
    assert_eq!(decision.reason_codes, []);
    decision
}

#[test]
fn what_people_granted_and_approved_is_accepted() {
    for world in [World::shares(), World::call(), World::straddle(), World::shares().selling().holding(spy(), 100)] {
        let decision = accepted(&world.unlocked());
        let posture = &decision.safety_snapshot["posture"];
        assert_eq!(posture["grant"]["good"]["signed_by"], json!(["ann", "bob"]));
        assert_eq!(decision.safety_snapshot["approval"]["good"]["approvers"], json!(["ann", "bob"]));
        assert_eq!(decision.delegation, None);
    }
}

#[test]
fn each_code_alone_refuses_what_people_granted_and_approved() {
    for reason in Reason::ALL {
        let (accepted, decision) = verdict(&only(reason));
        assert!(!accepted, "{reason}");
        // Of an agent that nobody knows there is no key to judge a signature with.
        let unjudged = (reason == Reason::AgentUnknown).then_some(Reason::SignatureInvalid);
        assert_eq!(decision.reason_codes, unjudged.into_iter().chain([reason]).collect::<Vec<_>>());
        assert_eq!(decision.decision, Outcome::Refuse);
    }
}

#[test]
fn an_accepted_order_ends_with_whatever_let_it_pass() {
    let until = |world: World| match judge(&world.proposal, &world.seen).verdict {
        Verdict::Accept(accepted) => accepted.until(),
        Verdict::Refuse => panic!("{:?}", world.reasons()),
    };
    let millis = |millis| now().plus(Span::from_millis(millis));
    assert_eq!(until(World::shares().unlocked()), now().plus(SEND_DEADLINE));
    // The signed clock is two seconds ahead of the venue's.
    let grant = |ends: i64| {
        move |terms: &mut GrantPredicate| {
            (terms.not_after, terms.exit_until) = (millis(2_000 + ends), None);
        }
    };
    assert_eq!(until(World::shares().granted(grant(100)).approved(|_| {})), millis(100));
    let short = World::shares().granted(|_| {}).approved(|says| says.expires_at = millis(2_090));
    assert_eq!(until(short), millis(90));
}

#[test]
fn a_grant_lowers_limits_and_never_raises_one() {
    let granting = |quantity: u32| {
        World::shares().granted(move |terms| {
            let shares = Some(GrantOrderLimits { order_quantity: Some(quantity), order_notional_usd: None });
            terms.limits = GrantLimits { shares, position_shares: Some(1_000_000), ..GrantLimits::default() };
        })
    };
    let bound = |world: &World| world.facts().limits[0].bound.clone().unwrap();
    assert_eq!(
        (bound(&World::shares()), bound(&granting(99)), bound(&granting(1_000))),
        ("300".into(), "99".into(), "300".into())
    );
    let lowered = granting(99).approved(|_| {});
    assert_eq!(lowered.reasons(), [Reason::OrderQty]);
    accepted(&granting(100).approved(|_| {}));
    // The limits in force stand in the record, and are those that people approve under.
    let (_, decision) = verdict(&lowered);
    assert_eq!(decision.safety_snapshot["limits"]["shares"]["order_quantity"], 99);
    assert_eq!(decision.safety_snapshot["limits"]["position_shares"], 10_000);
    let under_others =
        granting(100).approved(|says| says.limits_digest = World::shares().seen.limits.digest().unwrap());
    assert_eq!(under_others.reasons(), [Reason::ApprovalInvalid]);
    // A class that may not trade still may not.
    let none = World::shares().with(|seen| seen.limits.shares = None).granted(|terms| {
        let shares = Some(GrantOrderLimits { order_quantity: Some(100), order_notional_usd: None });
        terms.limits = GrantLimits { shares, ..GrantLimits::default() };
    });
    assert!(none.reasons().contains(&Reason::OrderQty));
}

#[test]
fn each_lowered_limit_is_the_lower_of_two() {
    let configured = crate::tests::fixture::limits();
    let names = serde_json::to_value(&configured).unwrap();
    let lowerable = |name: &str| {
        !matches!(
            name,
            "duplicate_window_seconds"
                | "repeat_executions"
                | "repeat_window_seconds"
                | "vix_guard"
                | "option_quote_max_age_seconds"
        )
    };
    for (name, bound) in names.as_object().unwrap().iter().filter(|(name, _)| lowerable(name)) {
        for (factor, expected) in [("0", "0"), ("9000000", "as configured")] {
            let value = |bound: &Value| {
                if bound.is_string() { Value::from(factor) } else { Value::from(factor.parse::<u32>().unwrap()) }
            };
            let named = if bound.is_object() {
                json!({name: {"order_quantity": value(&bound["order_quantity"]), "order_notional_usd": factor}})
            } else {
                json!({name: value(bound)})
            };
            let lowered = configured.lowered_by(&serde_json::from_value(named.clone()).unwrap());
            let lowered = serde_json::to_value(&lowered).unwrap();
            let mut wanted = names.clone();
            if expected == "0" {
                for (field, value) in named[name].as_object().into_iter().flatten() {
                    wanted[name][field] = value.clone();
                }
                if !bound.is_object() {
                    wanted[name] = named[name].clone();
                }
            }
            assert_eq!(lowered, wanted, "{name} {factor}");
        }
    }
}

#[test]
fn after_its_end_a_grant_lets_positions_be_reduced_and_nothing_else() {
    let ended = |world: World| {
        world.granted(|terms| {
            terms.not_before = now().plus(Span::from_minutes(-60));
            terms.not_after = now();
        })
    };
    assert_eq!(ended(World::shares()).approved(|_| {}).reasons(), [Reason::UnlockExpired]);
    accepted(&ended(World::shares().selling().holding(spy(), 100)).approved(|_| {}));
    let beyond = ended(World::shares().selling().holding(spy(), 99)).approved(|_| {});
    assert_eq!(beyond.reasons(), [Reason::UnlockExpired]);
}

#[test]
fn a_proposal_inside_a_delegation_needs_no_approval_and_the_decision_says_so() {
    let world = World::shares().granted(|terms| {
        let other = Delegation { intents: vec![Intent::Close], ..delegation() };
        terms.delegation = vec![other, delegation()];
    });
    let used = DelegationUsed { orders: 3, notional_usd: money("150000") };
    let world = world.with(|seen| seen.posture.delegation.as_mut().unwrap().used[1] = used);
    let delegated = accepted(&world).delegation.unwrap();
    assert_eq!((delegated.entry, delegated.orders_before), (1, 3));
    assert_eq!((delegated.notional_before_usd, delegated.notional_usd), (money("150000"), money("50000")));
    // A place for approvals that cannot be read takes nothing from it; an approval that is presented must be good.
    accepted(&world.clone().with(|seen| seen.approval = Presented::Unknown));
    let drifted = world.approved(|says| says.reference_price = price("510"));
    assert_eq!(drifted.reasons(), [Reason::ApprovalInvalid]);
}

#[test]
fn outside_every_delegation_a_person_must_approve() {
    type Change = fn(&mut Delegation);
    let outside: [Change; 9] = [
        |entry| entry.strategy = "whale".to_owned(),
        |entry| entry.strategy_sha256 = Digest::of(b"another"),
        |entry| entry.intents = vec![Intent::Hedge],
        |entry| entry.order_quantity = 99,
        |entry| entry.order_notional_usd = money("49999.99"),
        |entry| entry.daily_orders = 0,
        |entry| entry.daily_notional_usd = money("49999.99"),
        |entry| entry.window.until = TimeOfDay::parse("10:00").unwrap(),
        |entry| entry.window.from = TimeOfDay::parse("10:01").unwrap(),
    ];
    let of = |change: Change| {
        World::shares().granted(|terms| {
            terms.delegation = vec![delegation()];
            change(&mut terms.delegation[0]);
        })
    };
    assert_eq!(of(|_| {}).reasons(), []);
    for change in outside {
        assert_eq!(of(change).reasons(), [Reason::ApprovalMissing]);
    }
    let two = World::shares().granted(|terms| {
        terms.symbols.push(symbol("QQQ"));
        terms.delegation = vec![Delegation { symbols: vec![symbol("QQQ")], ..delegation() }];
    });
    assert_eq!(two.reasons(), [Reason::ApprovalMissing]);
    // What is used up, and what nobody has counted, delegates nothing.
    let used = |orders, notional: &str| {
        let used = DelegationUsed { orders, notional_usd: money(notional) };
        of(|_| {}).with(|seen| seen.posture.delegation.as_mut().unwrap().used = vec![used])
    };
    assert_eq!(used(9, "150000").reasons(), []);
    for world in [used(10, "0"), used(u32::MAX, "0"), used(0, "150000.01")] {
        assert_eq!(world.reasons(), [Reason::ApprovalMissing]);
    }
    let uncounted = of(|_| {}).with(|seen| seen.posture.delegation.as_mut().unwrap().used.clear());
    assert_eq!(uncounted.reasons(), [Reason::ApprovalMissing]);
    let unknown = of(|_| {}).with(|seen| seen.posture.delegation.as_mut().unwrap().strategy_sha256 = None);
    assert_eq!(unknown.reasons(), [Reason::ApprovalMissing]);
    assert_eq!(of(|_| {}).with(|seen| seen.posture.delegation = None).reasons(), [Reason::ApprovalMissing]);
    // A grant that does not verify delegates nothing, whatever it claims.
    let mut terms = terms();
    terms.delegation = vec![delegation()];
    let file = grant_file(terms, &["bob"]);
    let forged = of(|_| {}).with(|seen| {
        let root = root();
        seen.posture.grant = grant(&file, &root, seen.signed_files_now);
    });
    assert_eq!(forged.reasons(), [Reason::UnlockInvalid, Reason::ApprovalMissing]);
}

#[test]
fn a_delegated_order_ends_with_the_window() {
    let world = World::shares().granted(|terms| terms.delegation = vec![delegation()]);
    let at = agenttrader_core::calendar::new_york(agenttrader_core::calendar::new_york_date(now()), 15, 30);
    let mut late = world;
    late.proposal.created_at_utc = at.plus(Span::from_millis(-100));
    late.proposal.constraints.valid_until_utc = at.plus(Span::from_seconds(60));
    late.seen.at = at.plus(Span::from_millis(-100));
    match judge(&late.proposal, &late.seen).verdict {
        Verdict::Accept(accepted) => assert_eq!(accepted.until(), at),
        Verdict::Refuse => panic!("{:?}", late.reasons()),
    }
}

#[test]
fn one_approver_is_enough_for_small_orders_and_never_for_large_ones() {
    let of = |count: i64, names: &[&str]| {
        let mut world = World::shares().of(count).granted(|_| {});
        let order = world.proposal.order().unwrap();
        let says = ApprovalPredicate {
            limits_digest: world.seen.limits.digest().unwrap(),
            reference_price: price("500"),
            signed_at: now(),
            expires_at: now().plus(Span::from_seconds(30)),
        };
        let bytes = says.about(order.proposal_digest).to_bytes().unwrap();
        let file = agenttrader_people::signed_file(&bytes, "proposal-approval@agenttrader", names);
        world.seen.approval = approval(&file, &root(), now());
        world.reasons()
    };
    assert_eq!(of(20, &["ann"]), []);
    assert_eq!(of(21, &["ann"]), [Reason::ApprovalInvalid]);
    assert_eq!(of(21, &["ann", "cat"]), []);
}
