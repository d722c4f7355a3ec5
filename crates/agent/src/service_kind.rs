//! What kind of service an agent is: its role, as its status and its state tell it.

use agenttrader_core::identity::AgentRole;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of service an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Brings the market in.
    Marketdata,
    /// Evaluates strategies.
    Strategy,
    /// Executes orders.
    Execution,
    /// Brings the market in, as a scheduled service.
    Ingest,
    /// Watches, reports, judges in the shadow.
    Ops,
}

impl ServiceKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Marketdata, Self::Strategy, Self::Execution, Self::Ingest, Self::Ops];

    /// The kind of an agent's role.
    pub const fn of_role(role: AgentRole) -> Self {
        match role {
            AgentRole::Marketdata => Self::Marketdata,
            AgentRole::StrategyEval => Self::Strategy,
            AgentRole::Execution => Self::Execution,
            AgentRole::Ops => Self::Ops,
            AgentRole::Ingest => Self::Ingest,
        }
    }

    /// Whether the service itself brings the market in, and so answers for how fresh it is.
    pub const fn brings_marketdata(self) -> bool {
        matches!(self, Self::Marketdata | Self::Ingest)
    }
}
