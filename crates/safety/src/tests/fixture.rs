//! A world for tests in which nothing stands against the order but what only people's signatures can lift, and those signatures.

use crate::agent_state::ExecutionState;
use crate::answer::Answer;
use crate::delta::Delta;
use crate::facts::{Facts, facts};
use crate::freshness::Freshness;
use crate::gate::reasons;
use crate::kill_switch::Reading;
use crate::limits::{AssetLimits, Limits};
use crate::seen::*;
use agenttrader_authority::approval::ApprovalPredicate;
use agenttrader_authority::delegation::{DayWindow, Delegation, TimeOfDay};
use agenttrader_authority::grant::{ExecutionMode, GrantPredicate};
use agenttrader_authority::grant_limits::GrantLimits;
use agenttrader_authority::presented::Presented;
use agenttrader_authority::signed_file::SignedFile;
use agenttrader_authority::statement::GitCommit;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_authority::verify::{approval, grant};
use agenttrader_core::calendar::new_york_date;
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::instrument::Right;
use agenttrader_core::money::Money;
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::order::{Intent, OrderLeg, OrderType, Side, TimeInForce, Tradable};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::*;
use agenttrader_core::quantity::Quantity;
use agenttrader_core::reason::Reason;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_people::{signed_file, three};
use serde_json::Map;
use uuid::Uuid;

/// A proposal and what is seen around it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) proposal: Proposal,
    pub(crate) seen: Seen,
}

pub(crate) fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(crate) fn quantity(count: i64) -> Quantity {
    Quantity::new(count).unwrap()
}

pub(crate) fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

/// Monday 5 January 2026, 10:00 in New York.
pub(crate) fn now() -> UnixNanos {
    UnixNanos::parse("2026-01-05T15:00:00Z").unwrap()
}

pub(crate) fn spy() -> Tradable {
    Tradable::Equity { symbol: symbol("SPY") }
}

/// The contract at 500 that expires on the day.
pub(crate) fn contract(right: Right) -> Tradable {
    Tradable::Option { underlying: symbol("SPY"), contract_symbol: occ(right) }
}

fn occ(right: Right) -> OccSymbol {
    OccSymbol::new("SPY", new_york_date(now()), right, price("500")).unwrap()
}

pub(crate) fn quote(bid: &str, ask: &str, age_ms: i64) -> Option<QuoteSeen> {
    Some(QuoteSeen { bid: Some(price(bid)), ask: Some(price(ask)), age: Span::from_millis(age_ms) })
}

impl World {
    /// Buys 100 SPY at 500, the quote's mid.
    pub(crate) fn shares() -> Self {
        Self { proposal: proposal(), seen: seen() }
    }

    /// Buys one call at 2, its quote's mid.
    pub(crate) fn call() -> Self {
        let mut world = Self::shares();
        let expiration = new_york_date(now());
        world.proposal.asset_type = AssetType::Option;
        let (right, strike) = (Right::Call, price("500"));
        world.proposal.option = Some(OptionTerms { expiration, right, strike, contract_symbol: occ(right) });
        world.proposal.quantity = quantity(1);
        world.proposal.limit_price = Some(price("2"));
        world
    }

    /// Buys one straddle at 4, the net of its quotes' mids.
    pub(crate) fn straddle() -> Self {
        let mut world = Self::call();
        world.proposal.asset_type = AssetType::Mleg;
        world.proposal.option = None;
        world.proposal.legs = [Right::Call, Right::Put].map(|right| leg(right, Side::Buy)).to_vec();
        world.proposal.limit_price = Some(price("4"));
        world
    }

    /// The same, the other way round.
    pub(crate) fn selling(mut self) -> Self {
        self.proposal.side = Side::Sell;
        for leg in &mut self.proposal.legs {
            leg.side = Side::Sell;
        }
        if self.proposal.asset_type == AssetType::Mleg {
            self.proposal.limit_price = self.proposal.limit_price.and_then(|price| price.checked_mul(-1));
        }
        self
    }

    /// With so much held, by the proposing strategy.
    pub(crate) fn holding(mut self, tradable: Tradable, quantity: i64) -> Self {
        self.seen.account.strategy.holdings.push(Holding { tradable, quantity });
        self.held_by_another(tradable, quantity)
    }

    /// With so much held, by another strategy.
    pub(crate) fn held_by_another(mut self, tradable: Tradable, quantity: i64) -> Self {
        self.seen.account.holdings.push(Holding { tradable, quantity });
        self
    }

    /// With an order of the proposing strategy at work.
    pub(crate) fn working(self, legs: &[(Tradable, Side)], count: i64, order_type: OrderType) -> Self {
        self.working_for("gamma", legs, count, order_type)
    }

    /// With an order of that strategy at work.
    pub(crate) fn working_for(
        mut self,
        strategy_name: &str,
        legs: &[(Tradable, Side)],
        count: i64,
        order_type: OrderType,
    ) -> Self {
        let side = legs[0].1;
        let legs =
            legs.iter().map(|(tradable, side)| OrderLeg { tradable: *tradable, side: *side, ratio: Quantity::ONE });
        self.seen.account.working.push(WorkingOrder {
            proposal_id: Uuid::from_u128(7),
            strategy_name: strategy_name.to_owned(),
            intent: Intent::Open,
            legs: legs.collect(),
            side,
            remaining: quantity(count),
            order_type,
            reserves: Money::ZERO,
        });
        self
    }

    /// As a market order.
    pub(crate) fn at_market(mut self) -> Self {
        self.proposal.order_type = PriceKind::Market;
        self.proposal.limit_price = None;
        self
    }

    pub(crate) fn limit(mut self, limit: &str) -> Self {
        self.proposal.limit_price = Some(price(limit));
        self
    }

    pub(crate) fn of(mut self, count: i64) -> Self {
        self.proposal.quantity = quantity(count);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Seen)) -> Self {
        change(&mut self.seen);
        self
    }

    pub(crate) fn proposing(mut self, change: impl FnOnce(&mut Proposal)) -> Self {
        change(&mut self.proposal);
        self
    }

    pub(crate) fn instrument(&mut self, tradable: Tradable) -> &mut InstrumentSeen {
        self.seen.market.instruments.iter_mut().find(|seen| seen.tradable == tradable).unwrap()
    }

    pub(crate) fn facts(&self) -> Facts {
        facts(&self.proposal, &self.seen)
    }

    pub(crate) fn answer(&self, reason: Reason) -> Answer {
        self.facts().answer(reason)
    }

    /// With a grant and an approval that people signed: nothing at all stands against the order.
    pub(crate) fn unlocked(self) -> Self {
        self.granted(|_| {}).approved(|_| {})
    }

    /// With a grant that ann and bob signed, in force, of this build, for SPY on paper.
    pub(crate) fn granted(mut self, change: impl FnOnce(&mut GrantPredicate)) -> Self {
        let mut terms = terms();
        change(&mut terms);
        let used = terms.delegation.iter().map(|_| DelegationUsed::default()).collect();
        self.seen.posture.delegation = Some(DelegationSeen { strategy_sha256: Some(Digest::of(b"gamma")), used });
        self.seen.posture.grant = grant(&grant_file(terms, &["ann", "bob"]), &root(), self.seen.signed_files_now);
        self
    }

    /// With an approval that ann and bob signed, of this proposal as it stands under the limits in force.
    pub(crate) fn approved(mut self, change: impl FnOnce(&mut ApprovalPredicate)) -> Self {
        let order = self.proposal.order().unwrap();
        let seen = self.seen.in_force().into_owned();
        let mut says = ApprovalPredicate {
            limits_digest: seen.limits.digest().unwrap(),
            reference_price: crate::quotes::reference_mid(&order, &seen).unwrap(),
            signed_at: seen.signed_files_now,
            expires_at: seen.signed_files_now.plus(Span::from_minutes(5)),
        };
        change(&mut says);
        let bytes = says.about(order.proposal_digest).to_bytes().unwrap();
        let file = signed_file(&bytes, "proposal-approval@agenttrader", &["ann", "bob"]);
        self.seen.approval = approval(&file, &root(), self.seen.signed_files_now);
        self
    }

    /// What the gate says, every reason.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        reasons(&self.facts())
    }

    /// Every reason beside those that only people's signatures lift.
    pub(crate) fn other_reasons(&self) -> Vec<Reason> {
        let mut reasons = reasons(&self.facts());
        reasons.retain(|reason| !matches!(reason, Reason::UnlockMissing | Reason::ApprovalMissing));
        reasons
    }

    pub(crate) fn measure(&self, reason: Reason) -> LimitMeasure {
        self.facts().limits.into_iter().find(|limit| limit.name == reason).unwrap()
    }

    /// The only other reason is this one.
    pub(crate) fn refused_for(&self, reason: Reason) {
        assert_eq!(self.other_reasons(), [reason]);
    }

    /// The only other reason is this one, and it cannot be known.
    pub(crate) fn unknown(&self, reason: Reason) {
        self.refused_for(reason);
        assert_eq!(self.answer(reason), Answer::Unknown);
    }

    /// There is no other reason.
    pub(crate) fn passes(&self) {
        assert_eq!(self.other_reasons(), []);
    }
}

/// A repository in which ann operates and bob and cat review.
pub(crate) fn root() -> TrustRoot {
    TrustRoot::read(three()).unwrap()
}

/// A grant's file for the build of [`World`].
pub(crate) fn grant_file(terms: GrantPredicate, names: &[&str]) -> SignedFile {
    let commit = GitCommit::parse(&"a".repeat(40)).unwrap();
    let statement = terms.about(commit, Digest::of(b"lock"), Digest::of(b"image"));
    signed_file(&statement.to_bytes().unwrap(), "execution-grant@agenttrader", names)
}

/// A day for SPY on paper.
pub(crate) fn terms() -> GrantPredicate {
    GrantPredicate {
        unlock_id: "first".to_owned(),
        modes: vec![ExecutionMode::Paper],
        symbols: vec![symbol("SPY")],
        limits: GrantLimits::default(),
        delegation: Vec::new(),
        waives_kill_switch: false,
        not_before: now().plus(Span::from_minutes(-60)),
        not_after: now().plus(Span::from_minutes(60)),
        exit_until: Some(now().plus(Span::from_minutes(120))),
        reason: "a test".to_owned(),
        nonce: "1".to_owned(),
    }
}

/// Gamma may open in SPY by itself.
pub(crate) fn delegation() -> Delegation {
    let time = |text| TimeOfDay::parse(text).unwrap();
    Delegation {
        strategy: "gamma".to_owned(),
        strategy_sha256: Digest::of(b"gamma"),
        symbols: vec![symbol("SPY")],
        intents: vec![Intent::Open],
        order_quantity: 100,
        order_notional_usd: money("50000"),
        daily_orders: 10,
        daily_notional_usd: money("200000"),
        window: DayWindow { from: time("09:45"), until: time("15:30") },
    }
}

pub(crate) fn leg(right: Right, side: Side) -> ProposedLeg {
    let strike = price("500");
    ProposedLeg {
        contract_symbol: occ(right),
        right,
        strike,
        expiration: new_york_date(now()),
        side,
        ratio: Quantity::ONE,
    }
}

fn proposal() -> Proposal {
    Proposal {
        proposal_id: Uuid::from_u128(1),
        created_at_utc: now(),
        repo_id: REPO_ID.to_owned(),
        agent_name: "gamma-strategy".to_owned(),
        strategy_name: "gamma".to_owned(),
        strategy_version: "1".to_owned(),
        correlation_id: Uuid::from_u128(2),
        causation: Causation { recording_id: Uuid::from_u128(3), input_number: 4, recording_sha256: Digest::of(b"") },
        intent: Intent::Open,
        symbol: symbol("SPY"),
        asset_type: AssetType::Equity,
        option: None,
        legs: Vec::new(),
        side: Side::Buy,
        quantity: quantity(100),
        order_type: PriceKind::Limit,
        limit_price: Some(price("500")),
        time_in_force: TimeInForce::Day,
        rationale: Rationale { short_reason: "because".to_owned(), indicators: Map::new() },
        risk: Risk::default(),
        constraints: Constraints { valid_until_utc: now().plus(Span::from_seconds(60)), requires_human_approval: true },
    }
}

pub(crate) fn limits() -> Limits {
    Limits {
        shares: Some(AssetLimits {
            order_quantity: 300,
            order_notional_usd: money("200000"),
            collar_bp: 200,
            collar_usd: Price::ZERO,
            spread_bp: 200,
            spread_usd: Price::ZERO,
        }),
        options: Some(AssetLimits {
            order_quantity: 10,
            order_notional_usd: money("25000"),
            collar_bp: 1_000,
            collar_usd: price("0.1"),
            spread_bp: 5_000,
            spread_usd: price("0.5"),
        }),
        position_shares: 10_000,
        concentration_bp: 2_000,
        gross_exposure_bp: 10_000,
        open_orders: 20,
        orders_per_second: 5,
        orders_per_minute: 60,
        daily_orders: 50,
        daily_notional_usd: money("250000"),
        daily_hedges: 400,
        daily_hedge_notional_usd: money("5000000"),
        duplicate_window_seconds: 10,
        repeat_executions: 60,
        repeat_window_seconds: 600,
        daily_loss_bp: 200,
        drawdown_bp: 500,
        vix_guard: price("30"),
        option_quote_max_age_seconds: 900,
    }
}

fn instrument(tradable: Tradable, bid: &str, ask: &str, delta: Delta) -> InstrumentSeen {
    InstrumentSeen {
        tradable,
        listed: true,
        restricted: Some(false),
        quote: quote(bid, ask, 100),
        reference: quote(bid, ask, 300),
        delta: Some(delta),
        mark: Some(price(bid).midpoint(price(ask))),
        cut_off: tradable.is_option().then(|| UnixNanos::parse("2026-01-05T20:30:00Z").unwrap()),
    }
}

fn seen() -> Seen {
    let fresh = Freshness::Age { age: Span::from_millis(100), limit: Span::from_seconds(30) };
    let half = |sign: f64| Delta::from_f64(sign * 0.5).unwrap();
    let agent_name = "execution-agent".to_owned();
    Seen {
        at: now(),
        signed_files_now: now().plus(Span::from_seconds(2)),
        decider: AgentIdentity { agent_name, agent_role: AgentRole::Execution, agent_mode: AgentMode::Execute },
        posture: Posture {
            execution_agent_enabled: true,
            broker_execution_enabled: true,
            mode: AgentMode::Execute,
            execution_mode: ExecutionMode::Paper,
            switch: Some(Reading { halted: false, source: "file: contains 0".to_owned() }),
            state: Some(ExecutionState::Ready),
            grant: Presented::Missing,
            delegation: None,
            build: Build { git_sha: "a".repeat(40), build_id: "1".to_owned() },
        },
        origin: Origin::Sequence,
        judged_before: false,
        approval: Presented::Missing,
        market: Market {
            open: true,
            close: Some(UnixNanos::parse("2026-01-05T21:00:00Z").unwrap()),
            feed: fresh,
            underlying: fresh,
            delayed: false,
            allowlist: Some(vec![symbol("SPY"), symbol("QQQ")]),
            underlying_halted: Some(false),
            spots: vec![
                Spot { symbol: symbol("SPY"), price: Some(price("500")) },
                Spot { symbol: symbol("QQQ"), price: Some(price("400")) },
            ],
            instruments: vec![
                instrument(spy(), "499.99", "500.01", Delta::ONE),
                instrument(contract(Right::Call), "1.95", "2.05", half(1.0)),
                instrument(contract(Right::Put), "1.95", "2.05", half(-1.0)),
            ],
            vix: Vix::NotConfigured,
        },
        account: Account {
            restricted: Some(false),
            unreconciled: Some(false),
            cash: money("1000000"),
            equity: Some(money("1000000")),
            day_start_equity: money("1000000"),
            high_water: money("1000000"),
            tripped: Tripped { daily_loss: false, drawdown: false },
            holdings: Vec::new(),
            strategy: StrategySeen { strategy_name: "gamma".to_owned(), holdings: Vec::new() },
            working: Vec::new(),
            counters: Counters {
                orders_last_second: 0,
                orders_last_minute: 0,
                orders_today: 0,
                notional_today: Money::ZERO,
                hedges_today: 0,
                hedge_notional_today: Money::ZERO,
                executions_in_window: 0,
                strategy_disabled: false,
                recent_orders: Vec::new(),
            },
            fees_of_order: Money::ZERO,
        },
        limits: limits(),
        log: LogHealth::Writable,
    }
}
