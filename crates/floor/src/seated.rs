//! An agent that has its seat in this process.

use agenttrader_agent::health::StatusBoard;
use agenttrader_agent::start::Identity;
use agenttrader_audit::log::Log;
use std::sync::Arc;

/// An agent of this process, as its status needs it.
#[derive(Debug)]
pub struct Seated {
    /// Who it is.
    pub identity: Identity,
    /// Its log.
    pub log: Arc<Log>,
    /// Its status board.
    pub board: Arc<StatusBoard>,
}
