//! The built-in strategies by name.

pub mod gamma;
pub mod naive_flow_trend;
pub mod whale;

use crate::config::{Common, ConfigError};
use crate::strategy::Strategy;
use agenttrader_sequence::input::Configuration;

/// Their names.
pub const NAMES: [&str; 3] = ["gamma", "whale", "naive_flow_trend"];

/// Makes the strategy of that name from its file.
///
/// # Errors
/// [`ConfigError`] for a name or a file that is not good.
pub fn strategy(name: &str, configuration: &Configuration) -> Result<(Box<dyn Strategy>, Common), ConfigError> {
    match name {
        "gamma" => gamma::Gamma::configured(configuration),
        "whale" => whale::Whale::configured(configuration),
        "naive_flow_trend" => naive_flow_trend::NaiveFlowTrend::configured(configuration),
        _ => Err(ConfigError::UnknownStrategy { name: name.to_owned(), known: NAMES.join(", ") }),
    }
}
