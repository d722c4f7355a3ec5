//! Permits, over accepted orders that are made by hand and receipts that a log gives.

use super::*;
use crate::interlock::{Interlock, Shut};
use crate::kill_switch::{KillSwitch, Sources};
use crate::permit::{ExecutionPermit, Expired, PermitRefused, permit};
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::{Entry, IntentType, Log, Outcome as Recorded, Receipt};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

struct Desk {
    dir: TempDir,
    log: Log,
    interlock: Interlock,
    switch: KillSwitch,
}

fn switch_file(dir: &Path) -> PathBuf {
    dir.join("EXECUTION_HALTED")
}

fn log(dir: &Path, agent_name: &str) -> Log {
    let agent_name = agent_name.to_owned();
    let identity = AgentIdentity { agent_name, agent_role: AgentRole::Execution, agent_mode: AgentMode::Execute };
    let build = Build { git_sha: "unknown".to_owned(), build_id: "unknown".to_owned() };
    let origin = agenttrader_audit::log::origin(REPO_ID, &identity.agent_name);
    let key = NoteSigner::log(&origin, ed25519_dalek::SigningKey::from_bytes(&[7; 32]));
    Log::open(dir, identity, REPO_ID, build, key).unwrap()
}

fn receipt(log: &Log, payload: Value) -> Receipt {
    let entry = Entry::new(now(), IntentType::OrderIntent, Recorded::Started, "sends an order", payload);
    log.append(entry).durable().unwrap()
}

impl Desk {
    /// The switch releases, nothing is halted.
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(switch_file(dir.path()), "0").unwrap();
        let sources = Sources { files: vec![switch_file(dir.path())], variable: None, latch: dir.path().join("LATCH") };
        let log = log(dir.path(), "execution-agent");
        Self { dir, log, interlock: Interlock::new(), switch: KillSwitch::new(sources) }
    }

    fn receipt(&self, accepted: &Accepted) -> Receipt {
        receipt(&self.log, accepted.intent())
    }

    fn permit(&self, accepted: Accepted, now: UnixNanos) -> Result<ExecutionPermit<'_>, PermitRefused> {
        let receipt = self.receipt(&accepted);
        permit(accepted, receipt, &self.interlock, &self.switch, now)
    }
}

/// Accepted by hand: these fields are private to the gate.
fn accepted() -> Accepted {
    accepted_at(now())
}

fn accepted_at(at: UnixNanos) -> Accepted {
    Accepted {
        order: World::shares().proposal.order().unwrap(),
        decision_id: Uuid::from_u128(8),
        correlation_id: Uuid::from_u128(2),
        log_origin: format!("agenttrader/{REPO_ID}/execution-agent"),
        accepted_at: at,
        until: at.plus(SEND_DEADLINE),
    }
}

fn after_ms(millis: i64) -> UnixNanos {
    now().plus(Span::from_millis(millis))
}

#[test]
fn an_accepted_order_whose_intent_is_durable_gets_out_once() {
    let desk = Desk::open();
    let permit = desk.permit(accepted(), after_ms(10)).unwrap();
    let (order, sending) = permit.redeem(after_ms(20)).unwrap();
    assert_eq!(order, World::shares().proposal.order().unwrap());
    drop(sending);
    assert!(!desk.interlock.is_halted());
}

#[test]
fn a_receipt_of_another_record_permits_nothing() {
    let desk = Desk::open();
    let mut other = accepted();
    other.decision_id = Uuid::from_u128(9);
    let wrong = desk.receipt(&other);
    let refused = permit(accepted(), wrong, &desk.interlock, &desk.switch, now()).unwrap_err();
    assert!(matches!(refused, PermitRefused::OtherIntent { .. }), "{refused}");
    let plain = receipt(&desk.log, json!({}));
    assert!(matches!(
        permit(accepted(), plain, &desk.interlock, &desk.switch, now()),
        Err(PermitRefused::OtherIntent { .. })
    ));
}

#[test]
fn a_receipt_of_another_agents_log_permits_nothing() {
    let desk = Desk::open();
    let elsewhere = log(desk.dir.path(), "gamma-strategy");
    let wrong = receipt(&elsewhere, accepted().intent());
    let refused = permit(accepted(), wrong, &desk.interlock, &desk.switch, now()).unwrap_err();
    assert!(matches!(refused, PermitRefused::OtherLog { .. }), "{refused}");
}

#[test]
fn the_intent_names_all_that_is_sent() {
    let intent = accepted().intent();
    let digest = |intent: &Value| agenttrader_audit::payload_digest(intent).unwrap();
    let mut larger = accepted();
    larger.order.quantity = crate::tests::fixture::quantity(101);
    assert_ne!(digest(&larger.intent()), digest(&intent));
    assert_eq!(digest(&accepted().intent()), digest(&intent));
    assert_eq!(intent["client_order_id"], accepted().order.client_order_id);
}

#[test]
fn the_switch_is_read_again_for_the_permit() {
    let desk = Desk::open();
    let accepted = accepted();
    let receipt = desk.receipt(&accepted);
    fs::write(switch_file(desk.dir.path()), "1").unwrap();
    let refused = permit(accepted, receipt, &desk.interlock, &desk.switch, now()).unwrap_err();
    assert!(matches!(&refused, PermitRefused::Switch(reading) if reading.halted), "{refused}");
    assert!(refused.to_string().ends_with(r#"contains "1""#), "{refused}");
}

#[test]
fn after_the_halting_transition_there_is_no_permit() {
    let desk = Desk::open();
    desk.interlock.halt();
    assert!(matches!(desk.permit(accepted(), now()), Err(PermitRefused::Shut(Shut::Halted))));
}

#[test]
fn a_permit_is_for_a_quarter_of_a_second_from_the_accept() {
    let desk = Desk::open();
    let last = UnixNanos::from_nanos(after_ms(250).nanos() - 1);
    assert!(desk.permit(accepted(), last).unwrap().redeem(last).is_ok());
    let expired = Expired { now: after_ms(250), from: now(), until: after_ms(250) };
    let refused = desk.permit(accepted(), after_ms(250)).unwrap_err();
    assert!(matches!(refused, PermitRefused::Expired(why) if why == expired));
    assert_eq!(desk.permit(accepted(), last).unwrap().redeem(after_ms(250)).unwrap_err().until, after_ms(250));
}

#[test]
fn a_clock_that_goes_back_permits_nothing() {
    let desk = Desk::open();
    assert!(matches!(desk.permit(accepted(), after_ms(-1)), Err(PermitRefused::Expired(_))));
    let permit = desk.permit(accepted(), after_ms(20)).unwrap();
    assert!(permit.redeem(after_ms(19)).is_err());
}

#[test]
fn a_permit_that_is_dropped_lets_the_next_one_in() {
    let desk = Desk::open();
    drop(desk.permit(accepted(), now()).unwrap());
    assert!(desk.permit(accepted(), after_ms(300)).is_err());
    assert!(desk.permit(accepted(), now()).is_ok());
}

#[test]
fn a_halt_waits_for_the_send_in_flight() {
    let desk = Desk::open();
    let (order, sending) = desk.permit(accepted(), now()).unwrap().redeem(now()).unwrap();
    let halted = AtomicBool::new(false);
    thread::scope(|scope| {
        let (begun, begins) = mpsc::channel();
        let (interlock, halted) = (&desk.interlock, &halted);
        scope.spawn(move || {
            begun.send(()).unwrap();
            interlock.halt();
            halted.store(true, Ordering::SeqCst);
        });
        begins.recv_timeout(Duration::from_secs(60)).unwrap();
        // The halt can only be waiting: the send holds the interlock.
        assert!(!halted.load(Ordering::SeqCst));
        drop(sending);
    });
    assert!(halted.load(Ordering::SeqCst) && desk.interlock.is_halted());
    assert_eq!(order.client_order_id.len(), 35);
}

#[test]
fn a_sender_that_panics_with_a_permit_halts_all_that_follow() {
    let desk = Desk::open();
    let died = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let _permit = desk.permit(accepted(), now()).unwrap();
            panic!("the sender dies with its permit");
        });
        sender.join()
    });
    assert!(died.is_err());
    assert!(matches!(desk.permit(accepted(), now()), Err(PermitRefused::Shut(Shut::Poisoned))));
}

/// Senders ask for permits as fast as they can; at some moment the transition to HALTED is made. No send may begin once it has returned.
#[test]
fn no_send_begins_after_the_halting_transition_has_returned() {
    for round in 0..20 {
        let desk = Arc::new(Desk::open());
        let receipts: Vec<(Accepted, Receipt)> = (0..60)
            .map(|_| {
                let accepted = accepted();
                let receipt = desk.receipt(&accepted);
                (accepted, receipt)
            })
            .collect();
        let halted = AtomicBool::new(false);
        let begun = AtomicUsize::new(0);
        let late = AtomicUsize::new(0);
        let mut shares: Vec<Vec<(Accepted, Receipt)>> = (0..3).map(|_| Vec::new()).collect();
        for (index, pair) in receipts.into_iter().enumerate() {
            shares[index % 3].push(pair);
        }
        thread::scope(|scope| {
            for share in shares {
                scope.spawn(|| {
                    for (accepted, receipt) in share {
                        if let Ok(permit) = permit(accepted, receipt, &desk.interlock, &desk.switch, now()) {
                            let (_order, _sending) = permit.redeem(now()).unwrap();
                            // Under the interlock: a halt that has returned is seen here.
                            if halted.load(Ordering::SeqCst) {
                                late.fetch_add(1, Ordering::SeqCst);
                            }
                            begun.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
            let halt_after = round * 3;
            while begun.load(Ordering::SeqCst) < halt_after.min(50) {
                thread::yield_now();
            }
            desk.interlock.halt();
            halted.store(true, Ordering::SeqCst);
        });
        assert_eq!(late.load(Ordering::SeqCst), 0);
        assert!(desk.interlock.is_halted());
    }
}
