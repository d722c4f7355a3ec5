//! The approval's codes.

use agenttrader_authority::approval::Approval;
use agenttrader_authority::presented::Shown;
use agenttrader_core::time::{Span, UnixNanos};

/// Longest an approval binds after it was signed: what the person looked at is another market then.
pub const APPROVAL_AGE_MAX: Span = Span::from_seconds(60);

/// First instant at which the approval no longer binds; without one, the beginning of time.
pub(crate) fn ends(approval: Shown<'_, Approval>) -> UnixNanos {
    match approval {
        Shown::Good(approval) => approval.expires_at.min(approval.signed_at.plus(APPROVAL_AGE_MAX).plus(Span::from_nanos(1))),
        Shown::Missing | Shown::Unknown | Shown::Unusable => UnixNanos::from_nanos(i64::MIN),
    }
}
