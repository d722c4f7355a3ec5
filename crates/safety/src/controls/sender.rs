//! Whether the proposal is its agent's own: SIGNATURE_INVALID, AGENT_UNKNOWN.

use crate::answer::Answer;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::World;
    use agenttrader_core::reason::Reason;

    #[test]
    fn only_the_sequence_itself_and_good_signatures_of_known_agents_pass() {
        World::shares().with(|seen| seen.origin = Origin::SignatureGood).passes();
        World::shares().with(|seen| seen.origin = Origin::SignatureBad).refused_for(Reason::SignatureInvalid);
        let both = [Reason::SignatureInvalid, Reason::AgentUnknown];
        for (origin, agent) in [(Origin::AgentUnknown, Answer::Holds), (Origin::Unknown, Answer::Unknown)] {
            let world = World::shares().with(|seen| seen.origin = origin);
            assert_eq!(world.other_reasons(), both);
            assert_eq!(both.map(|reason| world.answer(reason)), [Answer::Unknown, agent]);
        }
    }
}
