//! Why a floor, or an agent alone, does not start.

use crate::configuration::ConfigurationError;
use crate::engine::EngineError;
use crate::market::MarketError;
use crate::ports::PortError;
use agenttrader_agent::entropy::EntropyError;
use agenttrader_agent::keys::KeyError;
use agenttrader_audit::log::OpenError;
use agenttrader_authority::trust_root::AgentTrusted;
use agenttrader_mission_control::access::BindRefused;
use agenttrader_mission_control::inventory::InventoryError;
use agenttrader_mission_control::witness::WitnessError;
use std::path::PathBuf;

/// Why a floor does not start.
#[derive(Debug, thiserror::Error)]
pub enum FloorError {
    /// A folder or file cannot be made.
    #[error("cannot make `{path}`")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// A port is taken.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The market.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// The configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The configuration gives no engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The inventory.
    #[error("agents.yaml is refused")]
    Inventory(#[from] InventoryError),
    /// Mission control would be open to anyone.
    #[error(transparent)]
    Access(#[from] BindRefused),
    /// A log.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The build would take an agent for a person.
    #[error("this build's ops/trust/ is refused")]
    Trust(#[from] AgentTrusted),
    /// The witness that follows the agents' logs.
    #[error("cannot follow the agents' logs")]
    Witness(#[from] WitnessError),
    /// No randomness for a recording's id.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The client that polls agents.
    #[error("cannot set up the poller: {why}")]
    Poller {
        /// Why.
        why: String,
    },
}
