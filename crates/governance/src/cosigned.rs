//! Checkpoints that a witness cosigned, as mission control keeps them beside its own log.

use crate::place::PlacedLog;
use agenttrader_audit::checkpoint::{CheckpointError, SignedCheckpoint};
use agenttrader_audit::note::{NOTE_BYTES_MOST, VerifierKey};
use agenttrader_audit::source::{Directory, LogFiles as _, SourceError};
use agenttrader_audit::witnessed::cosigned_dir;

/// Why a cosigned checkpoint cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CosignedError {
    /// The file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is no checkpoint of that log, signed by it.
    #[error("the cosigned checkpoint of {agent_name}")]
    Checkpoint {
        /// The log's agent.
        agent_name: String,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
}

/// The latest checkpoint of a log that a witness cosigned; `None` where none did. The log's own signature is verified, the witnesses' are not.
///
/// # Errors
/// [`CosignedError`].
pub fn cosigned(
    log: &PlacedLog,
    agent_name: &str,
    key: &VerifierKey,
) -> Result<Option<SignedCheckpoint>, CosignedError> {
    let bytes = match (&log.data_dir, &log.pack) {
        (Some(data_dir), _) => Directory::new(cosigned_dir(data_dir)).read(agent_name, NOTE_BYTES_MOST)?,
        (None, Some(pack)) => pack.cosigned().read(agent_name, NOTE_BYTES_MOST)?,
        (None, None) => None,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let wrong = |source| CosignedError::Checkpoint { agent_name: agent_name.to_owned(), source };
    let signed = SignedCheckpoint::parse(&bytes).map_err(wrong)?;
    signed.verify(key).map_err(wrong)?;
    Ok(Some(signed))
}
