//! Whether the proposal is its agent's own: SIGNATURE_INVALID, AGENT_UNKNOWN.

use crate::facts::Answer;
use crate::seen::Origin;

/// SIGNATURE_INVALID: cannot be known without the agent's key.
pub(crate) fn signature_invalid(origin: Origin) -> Answer {
    match origin {
        Origin::Sequence | Origin::SignatureGood => Answer::DoesNotHold,
        Origin::SignatureBad => Answer::Holds,
        Origin::AgentUnknown | Origin::Unknown => Answer::Unknown,
    }
}

/// AGENT_UNKNOWN.
pub(crate) fn agent_unknown(origin: Origin) -> Answer {
    match origin {
        Origin::Sequence | Origin::SignatureGood | Origin::SignatureBad => Answer::DoesNotHold,
        Origin::AgentUnknown => Answer::Holds,
        Origin::Unknown => Answer::Unknown,
    }
}
