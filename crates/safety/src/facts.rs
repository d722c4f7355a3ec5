//! What is true of one proposal in one moment: a three-valued answer a code, a measure a limit.

use crate::seen::Seen;
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::reason::Reason;

/// Whether a reason to refuse holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds: refuse.
    Holds,
    /// It is known not to hold. The only answer that lets an order pass.
    DoesNotHold,
    /// It cannot be known: counts as holding.
    Unknown,
}

impl Answer {
    /// `Holds` or `DoesNotHold`.
    pub const fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::DoesNotHold }
    }

    /// As [`Answer::of`]; `Unknown` without a value.
    pub const fn known(holds: Option<bool>) -> Self {
        match holds {
            Some(holds) => Self::of(holds),
            None => Self::Unknown,
        }
    }

    /// Whether it stands against the order.
    pub const fn refuses(self) -> bool {
        !matches!(self, Self::DoesNotHold)
    }

    /// The answer of two causes of one code: holds if either does, else unknown if either is.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Holds, _) | (_, Self::Holds) => Self::Holds,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::DoesNotHold, Self::DoesNotHold) => Self::DoesNotHold,
        }
    }
}

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

/// What is true of `proposal` in the world as `seen`. Pure: the same two give the same facts.
pub fn facts(proposal: &Proposal, seen: &Seen) -> Facts {
    let _ = (proposal, seen);
    Facts {
        execution_disabled: Answer::Unknown,
        agent_mode_not_execute: Answer::Unknown,
        kill_switch: Answer::Unknown,
        state_not_ready: Answer::Unknown,
        unlock_missing: Answer::Unknown,
        unlock_invalid: Answer::Unknown,
        unlock_expired: Answer::Unknown,
        unlock_scope: Answer::Unknown,
        build_mismatch: Answer::Unknown,
        marketdata_missing: Answer::Unknown,
        marketdata_stale: Answer::Unknown,
        market_closed: Answer::Unknown,
        signature_invalid: Answer::Unknown,
        agent_unknown: Answer::Unknown,
        proposal_malformed: Answer::Unknown,
        proposal_expired: Answer::Unknown,
        proposal_duplicate: Answer::Unknown,
        approval_missing: Answer::Unknown,
        approval_invalid: Answer::Unknown,
        symbol_not_allowed: Answer::Unknown,
        symbol_restricted: Answer::Unknown,
        symbol_halted: Answer::Unknown,
        expiry_cutoff: Answer::Unknown,
        symbol_unreconciled: Answer::Unknown,
        account_restricted: Answer::Unknown,
        order_qty: Answer::Unknown,
        order_notional: Answer::Unknown,
        price_collar: Answer::Unknown,
        order_duplicate: Answer::Unknown,
        position_limit: Answer::Unknown,
        concentration: Answer::Unknown,
        gross_exposure: Answer::Unknown,
        open_orders: Answer::Unknown,
        order_rate: Answer::Unknown,
        repeat_execution: Answer::Unknown,
        daily_orders: Answer::Unknown,
        daily_notional: Answer::Unknown,
        daily_loss: Answer::Unknown,
        drawdown: Answer::Unknown,
        self_trade: Answer::Unknown,
        buying_power: Answer::Unknown,
        volatility_guard: Answer::Unknown,
        audit_unavailable: Answer::Unknown,
        limits: Vec::new(),
    }
}
