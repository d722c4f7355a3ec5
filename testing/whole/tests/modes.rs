//! A mode of OFF: agents serve health and records, and nothing is evaluated.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it must be")]

use agenttrader_agent::start;
use agenttrader_audit::record::IntentType;
use agenttrader_core::identity::AgentMode;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_floor::ports::Service;
use agenttrader_sequence::read::Recording;
use agenttrader_whole::live::{Hall, LONG, Wanted, run, until};

/// Of the market, in which a floor in `OBSERVE` has proposed many times.
const SPAN: Span = Span::from_minutes(10);

#[test]
fn strategies_that_are_off_propose_nothing_and_say_why() {
    run(async {
        let hall = Hall::open(Wanted { mode: AgentMode::Off, ..Wanted::simulated(8, 120.0) }).await;
        let now = async || {
            let (_, status) = hall.get(Service::Marketdata, "/ops/status").await;
            serde_json::from_value::<UnixNanos>(status["marketdata"]["last_tick_utc"].clone()).ok()
        };
        let begun = until("the market is there", LONG, now).await;
        until("ten minutes of the market have passed", LONG, async || (now().await?.since(begun) > SPAN).then_some(()))
            .await;
        for service in [Service::Gamma, Service::Whale] {
            let (code, ready) = hall.get(service, "/readyz").await;
            assert_eq!(code, 503);
            assert!(
                ready["reason_codes"].as_array().unwrap().iter().any(|reason| reason == "AGENT_MODE_OFF"),
                "{ready}"
            );
            // At that speed a machine that stands still for a quarter of a second has let the market grow stale: for a moment.
            let status = until("its health is its own", LONG, async || {
                let (code, status) = hall.get(service, "/ops/status").await;
                (code == 200 && status["status"]["state"] == "OK").then_some(status)
            })
            .await;
            assert_eq!(status["agent_identity"]["agent_mode"], "OFF");
            assert_eq!(status["safety"]["safe_to_run_strategies"], false);
        }
        until("market data is fresh", LONG, async || {
            (hall.get(Service::Marketdata, "/healthz").await.0 == 200).then_some(())
        })
        .await;
        let (ended, closed) = hall.close().await;
        for name in [start::GAMMA, start::WHALE] {
            for record in closed.journal(name) {
                assert_eq!(record.agent_mode, AgentMode::Off);
                assert!(!matches!(record.intent_type, IntentType::OrderProposal | IntentType::Signal), "{record:?}");
            }
        }
        assert!(
            closed.journal(start::SHADOW_GATE).iter().all(|record| record.intent_type != IntentType::ExecutionDecision)
        );
        let mut reading = Recording::open(&ended.recording.unwrap().0).unwrap();
        let mut inputs = 0_u64;
        while reading.next_input().unwrap().is_some() {
            inputs += 1;
        }
        assert!(inputs > 10_000, "the market was there: {inputs} inputs");
    });
}
