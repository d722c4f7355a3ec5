//! What a desk is, beside its configuration, and why a configuration gives none.

use crate::risk::RiskError;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_core::identity::{AgentIdentity, Build};
use agenttrader_core::time::UnixNanos;

/// What a desk is, beside its configuration.
#[derive(Clone, Debug)]
pub struct DeskSettings {
    /// Who decides: the shadow gate, or the execution agent.
    pub decider: AgentIdentity,
    /// The compiled-in build.
    pub build: Build,
    /// The people whom the build trusts.
    pub trust_root: TrustRoot,
    /// The last time in the decider's own log, from the recording's head: signed files expire by it too.
    pub log_last_time: UnixNanos,
}

/// Why a configuration gives no desk.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is not part of the configuration.
    #[error("configs/{name} is missing")]
    Missing {
        /// Which.
        name: &'static str,
    },
    /// The limits are refused.
    #[error(transparent)]
    Risk(#[from] RiskError),
    /// The fees cannot be read.
    #[error("fees.toml cannot be read")]
    Fees(#[source] Box<toml::de::Error>),
    /// A fee is below zero.
    #[error("fees.toml: a fee is below zero")]
    NegativeFee,
}
