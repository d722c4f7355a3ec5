//! The desk: takes every input in, judges proposals, keeps the shadow account.

use crate::counters::Counters;
use crate::desk_settings::{ConfigError, DeskSettings};
use crate::expiry;
use crate::fees::{FeeLeg, Fees};
use crate::losses::Losses;
use crate::marks;
use crate::output::{ACCOUNT, DeskOutput, FillCause, FillLeg, LimitTripped, ShadowFill, ShadowLapsed, ShadowTaken};
use crate::people::{self, People};
use crate::readings::{AccountReading, Frame};
use crate::risk::Risk;
use crate::seat::Seat;
use crate::seeing::{self, View};
use crate::shadow::{self, ShadowOrder, ShadowOrders};
use agenttrader_authority::grant::ExecutionMode;
use agenttrader_authority::presented::Presented;
use agenttrader_core::decision::Outcome;
use agenttrader_core::event::MarketEvent;
use agenttrader_core::money::Money;
use agenttrader_core::order::{Order, OrderType, Tradable};
use agenttrader_core::position::{Ended, Ending, Standing};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::{Proposal, VALIDITY_MAX};
use agenttrader_core::reason::Reason;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_marketdata::book::Book;
use agenttrader_safety::effect::{is_hedge, is_reducing};
use agenttrader_safety::gate::{Judged, judge};
use agenttrader_safety::kill_switch::Reading;
use agenttrader_safety::limits::Limits;
use agenttrader_safety::notional::order_notional;
use agenttrader_safety::seen::{Account, LogHealth, OrderLikeness, Origin, Posture, Seen};
use agenttrader_sequence::input::{Configuration, Fact, Input, Numbered};
use jiff::civil::Date;
use uuid::Uuid;

/// The desk. [`Desk::observe`] and [`Desk::decide`] are its only ways to change; neither reads a clock or a file.
#[derive(Clone, Debug)]
pub struct Desk {
    settings: DeskSettings,
    posture: Switches,
    allowlist: Vec<Symbol>,
    limits: Limits,
    fees: Fees,
    start_equity: Money,
    switch: Option<Reading>,
    log: LogHealth,
    unwell: bool,
    wall: UnixNanos,
    latest: UnixNanos,
    date: Option<Date>,
    seats: Vec<Seat>,
    orders: ShadowOrders,
    counters: Counters,
    losses: Losses,
    people: People,
    next_expiry: UnixNanos,
    ended: Vec<shadow::Ended>,
}

/// What the environment said about execution.
#[derive(Clone, Copy, Debug)]
struct Switches {
    execution_agent_enabled: bool,
    broker_execution_enabled: bool,
    mode: agenttrader_core::identity::AgentMode,
}

impl Desk {
    /// A desk by the effective configuration, with nothing held and no reading of the switch yet.
    ///
    /// # Errors
    /// [`ConfigError`]: without limits and fees nothing can be judged.
    pub fn new(configuration: &Configuration, settings: DeskSettings) -> Result<Self, ConfigError> {
        let file = |name: &'static str| configuration.file(name).ok_or(ConfigError::Missing { name });
        let Risk { limits, start_equity } =
            Risk::parse(file("risk.toml")?, configuration.option_quote_max_age_seconds)?;
        let fees: Fees = toml::from_str(file("fees.toml")?).map_err(|error| ConfigError::Fees(Box::new(error)))?;
        if !fees.is_sane() {
            return Err(ConfigError::NegativeFee);
        }
        let mut seats: Vec<Seat> = Vec::new();
        for seat in &configuration.strategies {
            if seats.iter().all(|known| known.strategy_name != seat.strategy) {
                seats.push(Seat::new(seat.strategy.clone()));
            }
        }
        Ok(Self {
            people: People::new(settings.trust_root.clone(), configuration),
            wall: settings.log_last_time,
            settings,
            posture: Switches {
                execution_agent_enabled: configuration.execution_agent_enabled,
                broker_execution_enabled: configuration.broker_execution_enabled,
                mode: configuration.execution_mode,
            },
            allowlist: configuration.symbol_allowlist.clone().unwrap_or_else(|| configuration.symbols.clone()),
            limits,
            fees,
            start_equity,
            switch: None,
            log: LogHealth::Unknown,
            unwell: false,
            latest: UnixNanos::EPOCH,
            date: None,
            seats,
            orders: ShadowOrders::default(),
            counters: Counters::default(),
            losses: Losses::new(start_equity),
            next_expiry: UnixNanos::MAX,
            ended: Vec::new(),
        })
    }

    /// Takes one input in, after the book has: switch, log, health, time, the day's change; then lapses, fills and expiries of the
    /// shadow account; at a timer its marks and its limits on losses. What is to be recorded goes to `out`, in order.
    ///
    /// At a quote for which no shadow order waits it allocates nothing.
    pub fn observe(&mut self, input: &Numbered, book: &Book, out: &mut Vec<DeskOutput>) {
        self.latest = self.latest.max(input.at);
        if book.date() != self.date {
            self.new_day(book.date());
        }
        if self.latest >= self.orders.next_lapse() {
            self.orders.lapse(self.latest, &mut self.ended);
            self.book_ended(input, book, out);
        }
        match &input.input {
            Input::Market(MarketEvent::Quote(quote)) if self.orders.is_watched(quote.instrument) => {
                self.orders.on_quote(quote, book, &mut self.ended);
                self.book_ended(input, book, out);
            }
            Input::Fact(fact) => self.on_fact(fact, input.at, out),
            Input::Market(_) | Input::Instrument { .. } => {}
        }
        let timer = matches!(input.input, Input::Fact(Fact::Timer { .. }));
        if self.latest >= self.next_expiry {
            self.expire(input, timer, book, out);
        }
        if timer {
            self.on_timer(input, book, out);
        }
    }

    /// Judges one proposal of the step, and books what follows before the next is judged: it was judged; it counts as an order and
    /// works in the shadow account if the posture alone stands against it; else its strategy is told.
    pub fn decide(&mut self, input: &Numbered, proposal: &Proposal, book: &Book, out: &mut Vec<DeskOutput>) -> Judged {
        self.latest = self.latest.max(input.at);
        self.renew_marks(book);
        let order = proposal.order().ok();
        let seen = self.seen(proposal, order.as_ref(), book);
        let judged = judge(proposal, &seen);
        let until = proposal.constraints.valid_until_utc.min(self.latest.plus(VALIDITY_MAX));
        self.counters.on_judged(proposal.proposal_id, until, self.latest);
        let reasons = &judged.decision.reason_codes;
        let refused = judged.decision.decision == Outcome::Refuse;
        match order.filter(|_| reasons.iter().all(|reason| reason.is_posture())) {
            Some(order) => {
                self.people.use_up(judged.decision.delegation.as_ref(), &seen.approval);
                if refused {
                    self.take(input, proposal, order, &seen, book, out);
                }
            }
            None => self.on_refused(input, proposal, reasons, &seen, out),
        }
        judged
    }

    /// How a strategy stands: what it holds, what works, what ended since this was asked last. Allocates nothing where nothing
    /// changed. A strategy that is not configured and never had an order has no seat.
    pub fn standing(&mut self, strategy_name: &str) -> Option<&Standing> {
        let seat = self.seats.iter_mut().find(|seat| seat.strategy_name == strategy_name)?;
        Some(seat.standing(self.orders.working()))
    }

    /// Marks, profit and loss of the account and each strategy, at the marks of the last timer, decision or fill.
    pub fn readings(&self) -> AccountReading {
        let frame = Frame {
            as_of: self.latest,
            start_equity: self.start_equity,
            day_start: self.losses.day_start(),
            high_water: self.losses.high_water(),
            tripped: self.losses.tripped(),
            working: self.orders.working().len(),
        };
        AccountReading::of(&frame, &self.seats)
    }

    /// The limits in force.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The last reading of the switch that came as an input.
    pub const fn switch(&self) -> Option<&Reading> {
        self.switch.as_ref()
    }

    /// The shadow orders that work, oldest first.
    pub fn working(&self) -> &[ShadowOrder] {
        self.orders.working()
    }

    fn on_fact(&mut self, fact: &Fact, at: UnixNanos, out: &mut Vec<DeskOutput>) {
        match fact {
            Fact::Switch(reading) => self.switch = Some(reading.clone()),
            Fact::Log { agent_name, health } if *agent_name == self.settings.decider.agent_name => self.log = *health,
            Fact::Health(health) => self.unwell = !health.fresh,
            // A wall clock that goes back extends nothing.
            Fact::Timer { wall } => self.wall = self.wall.max(*wall),
            Fact::Signed(signed) => self.people.on_fact(signed, at, self.signed_files_now(), out),
            Fact::Configuration(_) | Fact::Log { .. } | Fact::Feed(_) => {}
        }
    }

    fn new_day(&mut self, date: Option<Date>) {
        if self.date.is_some() {
            self.counters.new_day();
            self.people.new_day();
            let equity = self.equity();
            self.losses.new_day(equity);
            for seat in &mut self.seats {
                seat.profit_before_today = seat.ledger.profit();
            }
        }
        self.date = date;
    }

    fn on_timer(&mut self, input: &Numbered, book: &Book, out: &mut Vec<DeskOutput>) {
        self.renew_marks(book);
        self.counters.forget_judged(self.latest);
        if !self.seats.iter().all(|seat| seat.ledger.is_fresh()) {
            return;
        }
        let equity = self.equity();
        for trip in self.losses.on_good_reading(equity, &self.limits).into_iter().flatten() {
            out.push(DeskOutput::LimitTripped(LimitTripped {
                account: ACCOUNT,
                limit: trip.limit,
                strategy_name: None,
                bound: trip.bound.to_string(),
                measured: trip.measured.to_string(),
                unit: "USD",
                tripped_at_utc: input.at,
            }));
        }
    }

    fn renew_marks(&mut self, book: &Book) {
        let max_age = self.limits.option_quote_max_age();
        for seat in &mut self.seats {
            seat.ledger.mark(|tradable, held| marks::fresh(book, tradable, held, max_age));
        }
    }

    /// The latest of the clocks that signed files expire by.
    fn signed_files_now(&self) -> UnixNanos {
        self.wall.max(self.latest)
    }

    fn cash(&self) -> Money {
        self.start_equity.plus(self.seats.iter().map(|seat| seat.ledger.cash()).sum())
    }

    fn equity(&self) -> Money {
        self.cash().plus(self.seats.iter().map(|seat| seat.ledger.value()).sum())
    }

    fn seen(&self, proposal: &Proposal, order: Option<&Order>, book: &Book) -> Seen {
        let holdings = seeing::holdings(&self.seats);
        let working = seeing::working(self.orders.working());
        let seat = self.seats.iter().find(|seat| seat.strategy_name == proposal.strategy_name);
        let strategy = seeing::strategy(&proposal.strategy_name, seat);
        let view = View {
            book,
            seats: &self.seats,
            holdings: &holdings,
            own: &strategy.holdings,
            working: &working,
            allowlist: &self.allowlist,
            option_quote_max_age: self.limits.option_quote_max_age(),
            unwell: self.unwell,
        };
        let market = view.market(proposal.symbol, order);
        let execution_mode = ExecutionMode::Shadow;
        let signed_files_now = self.signed_files_now();
        let build = &self.settings.build;
        let asked = people::Asked { mode: execution_mode, underlying: proposal.symbol, build, now: signed_files_now };
        let grant = self.people.grant(&asked);
        let delegation = self.people.delegation(&grant, &proposal.strategy_name, &proposal.strategy_version);
        let digest = order.map(|order| order.proposal_digest);
        let approval = digest.map_or(Presented::Missing, |digest| self.people.approval(digest, signed_files_now));
        Seen {
            at: self.latest,
            signed_files_now,
            decider: self.settings.decider.clone(),
            posture: Posture {
                execution_agent_enabled: self.posture.execution_agent_enabled,
                broker_execution_enabled: self.posture.broker_execution_enabled,
                mode: self.posture.mode,
                execution_mode,
                switch: self.switch.clone(),
                state: None,
                grant,
                delegation,
                build: build.clone(),
            },
            // A proposal is judged in the very step that made it: there is nothing to forge.
            origin: Origin::Sequence,
            judged_before: self.counters.was_judged(proposal.proposal_id),
            approval,
            market,
            account: Account {
                restricted: Some(false),
                unreconciled: Some(false),
                cash: self.cash(),
                equity: Some(self.equity()),
                day_start_equity: self.losses.day_start(),
                high_water: self.losses.high_water(),
                tripped: self.losses.tripped(),
                holdings,
                strategy,
                working,
                counters: self.counters.seen(self.latest, seat.map(|seat| &seat.executions), &self.limits),
                fees_of_order: order.map_or(Money::ZERO, |order| seeing::fees_of(&self.fees, order, book)),
            },
            limits: self.limits.clone(),
            log: self.log,
        }
    }

    fn take(
        &mut self,
        input: &Numbered,
        proposal: &Proposal,
        order: Order,
        seen: &Seen,
        book: &Book,
        out: &mut Vec<DeskOutput>,
    ) {
        let account = &seen.account;
        let hedge = is_hedge(&order, seen);
        let reducing = is_reducing(&order, &account.holdings, &account.working);
        // A notional that cannot be known refuses, unless the order reduces.
        let notional = order_notional(&order, seen).unwrap_or(Money::ZERO);
        self.counters.on_order(self.latest, OrderLikeness::of(&order), notional, hedge, &self.limits);
        out.push(DeskOutput::ShadowTaken(ShadowTaken {
            account: ACCOUNT,
            proposal_id: proposal.proposal_id,
            correlation_id: proposal.correlation_id,
            strategy_name: proposal.strategy_name.clone(),
            intent: order.intent,
            symbol: order.underlying,
            legs: order.legs.clone(),
            quantity: order.quantity,
            limit_price: match order.order_type {
                OrderType::Limit(limit) => Some(limit),
                OrderType::Market => None,
            },
            hedge,
            reducing,
            valid_until_utc: order.valid_until_utc,
            taken_at_utc: input.at,
        }));
        let ids: Vec<_> = order.legs.iter().map(|leg| marks::instrument(book, &leg.tradable)).collect();
        let reserves = seeing::reserves(&order, account.fees_of_order, book);
        let mut taken = ShadowOrder::new(order, &ids, proposal.strategy_name.clone(), proposal.correlation_id);
        taken.hedge = hedge;
        taken.reducing = reducing;
        taken.reserves = reserves;
        self.orders.take(taken);
        if let Some(seat) = self.seat(&proposal.strategy_name) {
            seat.has_changed();
        }
    }

    fn on_refused(
        &mut self,
        input: &Numbered,
        proposal: &Proposal,
        reasons: &[Reason],
        seen: &Seen,
        out: &mut Vec<DeskOutput>,
    ) {
        let Some(seat) = self.seats.iter_mut().find(|seat| seat.strategy_name == proposal.strategy_name) else {
            return;
        };
        if reasons.contains(&Reason::RepeatExecution) && seat.executions.disable() {
            let executions = seen.account.counters.executions_in_window;
            out.push(DeskOutput::LimitTripped(LimitTripped::repeat(
                &proposal.strategy_name,
                executions,
                &self.limits,
                input.at,
            )));
        }
        seat.on_ended(Ended {
            proposal_id: proposal.proposal_id,
            underlying: proposal.symbol,
            intent: proposal.intent,
            ending: Ending::Refused { reasons: reasons.to_vec() },
            at: input.at,
        });
    }

    /// The seat of a strategy; a new one for a strategy that is not configured, once an order of it was taken.
    fn seat(&mut self, strategy_name: &str) -> Option<&mut Seat> {
        if self.seats.iter().all(|seat| seat.strategy_name != strategy_name) {
            self.seats.push(Seat::new(strategy_name.to_owned()));
        }
        self.seats.iter_mut().find(|seat| seat.strategy_name == strategy_name)
    }

    fn book_ended(&mut self, input: &Numbered, book: &Book, out: &mut Vec<DeskOutput>) {
        if self.ended.is_empty() {
            return;
        }
        let mut ended = std::mem::take(&mut self.ended);
        for shadow::Ended { order, prices } in ended.drain(..) {
            match prices {
                Some(prices) => self.book_fill(&order, &prices, input, book, out),
                None => self.book_lapse(&order, input, out),
            }
        }
        self.ended = ended;
    }

    fn book_lapse(&mut self, order: &ShadowOrder, input: &Numbered, out: &mut Vec<DeskOutput>) {
        out.push(DeskOutput::ShadowLapsed(ShadowLapsed {
            account: ACCOUNT,
            proposal_id: order.order.proposal_id,
            correlation_id: order.correlation_id,
            strategy_name: order.strategy_name.clone(),
            intent: order.order.intent,
            symbol: order.order.underlying,
            lapsed_at_utc: input.at,
        }));
        self.on_order_ended(order, Ending::Lapsed, input.at);
    }

    fn book_fill(
        &mut self,
        order: &ShadowOrder,
        prices: &[Price],
        input: &Numbered,
        book: &Book,
        out: &mut Vec<DeskOutput>,
    ) {
        let of = &order.order;
        let filled = of.legs.iter().zip(prices).map(|(leg, price)| FillLeg {
            tradable: leg.tradable,
            side: leg.side,
            quantity: leg.signed_units(of.quantity).saturating_abs(),
            price: *price,
            multiplier: leg.tradable.multiplier(),
        });
        let legs: Vec<FillLeg> = filled.collect();
        let price = match prices {
            [price] => *price,
            several => shadow::net(&of.legs, several.iter().copied().map(Some)).unwrap_or(Price::ZERO),
        };
        let fees = self.fees.of_fill(legs.iter().map(|leg| FeeLeg {
            tradable: leg.tradable,
            side: leg.side,
            units: leg.quantity,
            price: leg.price,
        }));
        let realised = self.book_legs(&order.strategy_name, &legs, fees, order.correlation_id);
        out.push(DeskOutput::ShadowFill(ShadowFill {
            fill_id: ShadowFill::order_id(of),
            account: ACCOUNT,
            cause: FillCause::Order,
            proposal_id: Some(of.proposal_id),
            correlation_id: order.correlation_id,
            strategy_name: order.strategy_name.clone(),
            intent: Some(of.intent),
            symbol: of.underlying,
            legs,
            quantity: of.quantity.get(),
            price,
            fees_usd: fees,
            realised_usd: realised,
            filled_at_utc: input.at,
        }));
        self.renew_marks(book);
        self.on_order_ended(order, Ending::Filled { price }, input.at);
        self.next_expiry = self.soonest_expiry(book);
        self.count_execution(order, input, out);
    }

    fn count_execution(&mut self, order: &ShadowOrder, input: &Numbered, out: &mut Vec<DeskOutput>) {
        if order.hedge || order.reducing {
            return;
        }
        let (now, limits) = (self.latest, self.limits.clone());
        let Some(seat) = self.seat(&order.strategy_name) else { return };
        if seat.executions.on_fill(now, &limits) {
            let executions = seat.executions.within(now, limits.repeat_window());
            out.push(DeskOutput::LimitTripped(LimitTripped::repeat(
                &order.strategy_name,
                executions,
                &limits,
                input.at,
            )));
        }
    }

    fn on_order_ended(&mut self, order: &ShadowOrder, ending: Ending, at: UnixNanos) {
        let Some(seat) = self.seat(&order.strategy_name) else { return };
        seat.has_changed();
        seat.on_ended(Ended {
            proposal_id: order.order.proposal_id,
            underlying: order.order.underlying,
            intent: order.order.intent,
            ending,
            at,
        });
    }

    fn book_legs(&mut self, strategy_name: &str, legs: &[FillLeg], fees: Money, correlation_id: Uuid) -> Money {
        let Some(seat) = self.seat(strategy_name) else { return Money::ZERO };
        seat.has_changed();
        seat.ledger.pay(fees);
        let book_leg = |leg: &FillLeg| {
            let quantity = leg.side.sign().saturating_mul(leg.quantity);
            seat.ledger.book(leg.tradable, quantity, leg.price, correlation_id)
        };
        legs.iter().map(book_leg).sum()
    }

    fn soonest_expiry(&self, book: &Book) -> UnixNanos {
        let held = self.seats.iter().flat_map(|seat| seat.ledger.holdings());
        let contracts = held.filter_map(|(tradable, _)| tradable.contract());
        contracts.map(|contract| expiry::instant(book, &contract)).min().unwrap_or(UnixNanos::MAX)
    }

    fn expire(&mut self, input: &Numbered, timer: bool, book: &Book, out: &mut Vec<DeskOutput>) {
        let mut due = Vec::new();
        for seat in &self.seats {
            for (tradable, holding) in seat.ledger.holdings() {
                let Tradable::Option { underlying, contract_symbol } = *tradable else { continue };
                let instant = expiry::instant(book, &contract_symbol);
                if instant > self.latest {
                    continue;
                }
                let waited = timer && self.latest > instant;
                let Some(close) = expiry::official_close(book, underlying, instant, waited) else { continue };
                let correlation_id = holding.lots().next().map_or(Uuid::nil(), |lot| lot.correlation_id);
                due.push((
                    seat.strategy_name.clone(),
                    underlying,
                    contract_symbol,
                    holding.quantity(),
                    close,
                    correlation_id,
                ));
            }
        }
        for (strategy_name, underlying, contract, quantity, close, correlation_id) in due {
            let settlement = expiry::settlement(book, underlying, &contract);
            let legs = expiry::legs(underlying, contract, quantity, close, settlement);
            let realised = self.book_legs(&strategy_name, &legs, Money::ZERO, correlation_id);
            if let Some(seat) = self.seat(&strategy_name) {
                seat.ledger.mark_at(&Tradable::Equity { symbol: underlying }, close);
            }
            out.push(DeskOutput::ShadowFill(ShadowFill {
                fill_id: ShadowFill::expiry_id(&strategy_name, &contract, input),
                account: ACCOUNT,
                cause: FillCause::Expiry,
                proposal_id: None,
                correlation_id,
                strategy_name,
                intent: None,
                symbol: underlying,
                legs,
                quantity: quantity.saturating_abs(),
                price: close,
                fees_usd: Money::ZERO,
                realised_usd: realised,
                filled_at_utc: input.at,
            }));
        }
        self.next_expiry = self.soonest_expiry(book);
    }
}
