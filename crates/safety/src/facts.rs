//! What is true of one proposal in one moment: a three-valued answer a code, a measure a limit.

use crate::answer::Answer;
use crate::asked::Asked;
use crate::class::Class;
use crate::controls::approval::Binding;
use crate::controls::buying_power::buying_power;
use crate::controls::self_trade::self_trade;
use crate::controls::{
    self, activity, loss, marketdata, order_size, position, posture, price_collar, sender, symbol, unlock,
};
use crate::measure::answer;
use crate::seen::Seen;
use agenttrader_core::decision::{Delegated, LimitMeasure};
use agenttrader_core::proposal::Proposal;
use agenttrader_core::reason::Reason;

/// The answer to every code, and every limit as measured. A plain value: nothing in it grants anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is the code of its name; see `Reason`")]
pub struct Facts {
    pub execution_disabled: Answer,
    pub agent_mode_not_execute: Answer,
    pub kill_switch: Answer,
    pub state_not_ready: Answer,
    pub unlock_missing: Answer,
    pub unlock_invalid: Answer,
    pub unlock_expired: Answer,
    pub unlock_scope: Answer,
    pub build_mismatch: Answer,
    pub marketdata_missing: Answer,
    pub marketdata_stale: Answer,
    pub market_closed: Answer,
    pub signature_invalid: Answer,
    pub agent_unknown: Answer,
    pub proposal_malformed: Answer,
    pub proposal_expired: Answer,
    pub proposal_duplicate: Answer,
    pub approval_missing: Answer,
    pub approval_invalid: Answer,
    pub symbol_not_allowed: Answer,
    pub symbol_restricted: Answer,
    pub symbol_halted: Answer,
    pub expiry_cutoff: Answer,
    pub symbol_unreconciled: Answer,
    pub account_restricted: Answer,
    pub order_qty: Answer,
    pub order_notional: Answer,
    pub price_collar: Answer,
    pub order_duplicate: Answer,
    pub position_limit: Answer,
    pub concentration: Answer,
    pub gross_exposure: Answer,
    pub open_orders: Answer,
    pub order_rate: Answer,
    pub repeat_execution: Answer,
    pub daily_orders: Answer,
    pub daily_notional: Answer,
    pub daily_loss: Answer,
    pub drawdown: Answer,
    pub self_trade: Answer,
    pub buying_power: Answer,
    pub volatility_guard: Answer,
    pub audit_unavailable: Answer,
    /// Every limit, in order of code.
    pub limits: Vec<LimitMeasure>,
    /// The entry of the grant's delegation that makes an approval needless.
    pub delegation: Option<Delegated>,
}

impl Facts {
    /// The answer to one code. A new code does not compile without its field.
    pub const fn answer(&self, reason: Reason) -> Answer {
        match reason {
            Reason::ExecutionDisabled => self.execution_disabled,
            Reason::AgentModeNotExecute => self.agent_mode_not_execute,
            Reason::KillSwitch => self.kill_switch,
            Reason::StateNotReady => self.state_not_ready,
            Reason::UnlockMissing => self.unlock_missing,
            Reason::UnlockInvalid => self.unlock_invalid,
            Reason::UnlockExpired => self.unlock_expired,
            Reason::UnlockScope => self.unlock_scope,
            Reason::BuildMismatch => self.build_mismatch,
            Reason::MarketdataMissing => self.marketdata_missing,
            Reason::MarketdataStale => self.marketdata_stale,
            Reason::MarketClosed => self.market_closed,
            Reason::SignatureInvalid => self.signature_invalid,
            Reason::AgentUnknown => self.agent_unknown,
            Reason::ProposalMalformed => self.proposal_malformed,
            Reason::ProposalExpired => self.proposal_expired,
            Reason::ProposalDuplicate => self.proposal_duplicate,
            Reason::ApprovalMissing => self.approval_missing,
            Reason::ApprovalInvalid => self.approval_invalid,
            Reason::SymbolNotAllowed => self.symbol_not_allowed,
            Reason::SymbolRestricted => self.symbol_restricted,
            Reason::SymbolHalted => self.symbol_halted,
            Reason::ExpiryCutoff => self.expiry_cutoff,
            Reason::SymbolUnreconciled => self.symbol_unreconciled,
            Reason::AccountRestricted => self.account_restricted,
            Reason::OrderQty => self.order_qty,
            Reason::OrderNotional => self.order_notional,
            Reason::PriceCollar => self.price_collar,
            Reason::OrderDuplicate => self.order_duplicate,
            Reason::PositionLimit => self.position_limit,
            Reason::Concentration => self.concentration,
            Reason::GrossExposure => self.gross_exposure,
            Reason::OpenOrders => self.open_orders,
            Reason::OrderRate => self.order_rate,
            Reason::RepeatExecution => self.repeat_execution,
            Reason::DailyOrders => self.daily_orders,
            Reason::DailyNotional => self.daily_notional,
            Reason::DailyLoss => self.daily_loss,
            Reason::Drawdown => self.drawdown,
            Reason::SelfTrade => self.self_trade,
            Reason::BuyingPower => self.buying_power,
            Reason::VolatilityGuard => self.volatility_guard,
            Reason::AuditUnavailable => self.audit_unavailable,
        }
    }
}

/// What is true of `proposal` in the world as `seen`. Pure: the same two give the same facts. A malformed proposal
/// asks for no order: nothing about one can be known, and nothing in it excuses.
pub fn facts(proposal: &Proposal, seen: &Seen) -> Facts {
    let seen = &*seen.in_force();
    let order = proposal.order().ok();
    let asked = order.as_ref().map(|order| Asked::new(order, seen));
    let asked = asked.as_ref();
    let reducing = asked.is_some_and(|asked| asked.reducing);
    let of_order = |control: fn(&Asked<'_>) -> Answer| asked.map_or(Answer::Unknown, control);
    let class = Class::of(proposal.asset_type, &seen.limits);
    let (posture, market, account) = (&seen.posture, &seen.market, &seen.account);
    let (grant, approval) = (posture.grant.shown(), seen.approval.shown());
    let delegation = asked.and_then(|asked| controls::delegation::entry(proposal, asked));
    let delegated = delegation.is_some();

    let order_qty = order_size::quantity(asked, class);
    let order_notional = order_size::notional(asked, class);
    let collar = price_collar::distance(asked, class);
    let spread = price_collar::spread(asked, class);
    let order_duplicate = controls::proposal::order_duplicate(asked);
    let position_limit = position::limit(asked, &seen.limits);
    let concentration = position::concentration(asked, &seen.limits);
    let gross_exposure = position::gross(asked, &seen.limits);
    let open_orders = activity::open_orders(seen);
    let [second, minute] = activity::rate(seen);
    let (repeat_execution, repeats) = activity::repeat_execution(asked, seen);
    let daily_orders = activity::daily_orders(asked, seen);
    let daily_notional = activity::daily_notional(asked, seen);
    let (daily_loss, loss) = loss::daily(seen, reducing);
    let (drawdown, fall) = loss::drawdown(seen, reducing);
    let buying_power = buying_power(asked, proposal.asset_type, account);
    let (volatility_guard, guard) = order_size::volatility_guard(asked, seen, class);

    Facts {
        execution_disabled: posture::execution_disabled(posture),
        agent_mode_not_execute: posture::agent_mode_not_execute(posture),
        kill_switch: posture::kill_switch(posture),
        state_not_ready: posture::state_not_ready(posture.state, reducing),
        unlock_missing: unlock::missing(grant),
        unlock_invalid: unlock::invalid(grant),
        unlock_expired: unlock::expired(grant, seen.signed_files_now, reducing),
        unlock_scope: asked
            .map_or(Answer::Unknown, |asked| unlock::scope(grant, posture.execution_mode, asked.order.underlying)),
        build_mismatch: unlock::build_mismatch(grant, &posture.build),
        marketdata_missing: marketdata::missing(market),
        marketdata_stale: marketdata::stale(market),
        market_closed: marketdata::closed(market),
        signature_invalid: sender::signature_invalid(seen.origin),
        agent_unknown: sender::agent_unknown(seen.origin),
        proposal_malformed: Answer::of(order.is_none()),
        proposal_expired: controls::proposal::expired(proposal, seen),
        proposal_duplicate: controls::proposal::duplicate(seen),
        approval_missing: controls::approval::missing(approval, delegated),
        approval_invalid: asked.map_or(Answer::Unknown, |asked| {
            controls::approval::invalid(approval, delegated, &Binding::of(proposal, asked))
        }),
        symbol_not_allowed: of_order(symbol::not_allowed),
        symbol_restricted: of_order(symbol::restricted),
        symbol_halted: of_order(symbol::halted),
        expiry_cutoff: of_order(symbol::expiry_cutoff),
        symbol_unreconciled: controls::account::symbol_unreconciled(account),
        account_restricted: controls::account::restricted(account),
        order_qty: answer(&order_qty),
        order_notional: answer(&order_notional),
        price_collar: answer(&collar).or(answer(&spread)),
        order_duplicate: answer(&order_duplicate),
        position_limit: answer(&position_limit),
        concentration: answer(&concentration),
        gross_exposure: answer(&gross_exposure),
        open_orders: answer(&open_orders),
        order_rate: answer(&second).or(answer(&minute)),
        repeat_execution,
        daily_orders: answer(&daily_orders),
        daily_notional: answer(&daily_notional),
        daily_loss,
        drawdown,
        self_trade: of_order(self_trade),
        buying_power: answer(&buying_power),
        volatility_guard,
        audit_unavailable: posture::audit_unavailable(seen.log),
        limits: [
            order_qty,
            order_notional,
            collar,
            spread,
            order_duplicate,
            position_limit,
            concentration,
            gross_exposure,
            open_orders,
            second,
            minute,
            repeats,
            daily_orders,
            daily_notional,
            loss,
            fall,
            buying_power,
        ]
        .into_iter()
        .chain(guard)
        .collect(),
        delegation,
    }
}
