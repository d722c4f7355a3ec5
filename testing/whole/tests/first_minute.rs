//! A newcomer sees something within a minute: in the default scenario gamma and whale propose within 45 s, whatever the seed.

use agenttrader_core::reason::Reason;
use agenttrader_core::time::Span;
use agenttrader_whole::Drive;
use jiff::civil::date;

#[test]
fn gamma_and_whale_propose_within_45_seconds_over_100_seeds() {
    let mut late = Vec::new();
    for seed in 0..100 {
        let mut drive = Drive::new(seed, date(2026, 11, 24), &["gamma", "whale"]);
        drive.run_for(Span::from_seconds(45));
        for strategy in ["gamma", "whale"] {
            if !drive.proposals().any(|(_, proposal)| proposal.strategy_name == strategy) {
                late.push((seed, strategy));
            }
        }
        let posture = [
            Reason::ExecutionDisabled,
            Reason::AgentModeNotExecute,
            Reason::KillSwitch,
            Reason::StateNotReady,
            Reason::UnlockMissing,
            Reason::ApprovalMissing,
        ];
        for decision in drive.decisions() {
            assert_eq!(decision.reason_codes, posture, "seed {seed}: nothing but the posture stands in the way");
        }
    }
    assert!(late.is_empty(), "no proposal within 45 s: {late:?}");
}
