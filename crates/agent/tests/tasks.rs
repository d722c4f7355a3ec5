//! Tasks end in order within a bound, and a panic is told. Signals end a process also where they were ignored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_agent::shutdown::Signals;
use agenttrader_agent::tasks::Tasks;
use agenttrader_agent::{clock, entropy};
use agenttrader_core::time::{Span, UnixNanos};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Longest wait for what must come: generous, since machines are shared.
const PATIENCE: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn all_that_were_started_end_when_they_are_asked_to() {
    runtime().block_on(async {
        let tasks = Tasks::new();
        let ended = Arc::new(Mutex::new(Vec::new()));
        for name in ["first", "second"] {
            let (mut stop, ended) = (tasks.stop(), Arc::clone(&ended));
            tasks.spawn(name, async move {
                stop.wait().await;
                ended.lock().unwrap().push(name);
            });
        }
        let told = Arc::clone(&ended);
        tasks
            .spawn_thread("thread", move |stop| {
                while !stop.is_set() {
                    std::thread::yield_now();
                }
                told.lock().unwrap().push("thread");
            })
            .unwrap();
        assert_eq!(tasks.shutdown(PATIENCE).await, []);
        let mut ended = ended.lock().unwrap().clone();
        ended.sort_unstable();
        assert_eq!(ended, ["first", "second", "thread"]);
        assert_eq!(tasks.shutdown(PATIENCE).await, []);
    });
}

#[test]
fn one_that_does_not_end_is_named_and_holds_up_no_other() {
    runtime().block_on(async {
        let tasks = Tasks::new();
        let (mut stop, (ended, end)) = (tasks.stop(), tokio::sync::oneshot::channel());
        tasks.spawn("sound", async move {
            stop.wait().await;
            ended.send(()).unwrap();
        });
        tasks.spawn("deaf", std::future::pending());
        // Asked before, so that a slow machine has the one that hears end within a bound that the other one uses up.
        tasks.ask_to_stop();
        tokio::time::timeout(PATIENCE, end).await.unwrap().unwrap();
        let left = tasks.shutdown(Duration::from_millis(200)).await;
        assert_eq!(left.iter().map(|left| left.name.as_str()).collect::<Vec<_>>(), ["deaf"]);
        assert_eq!(tasks.shutdown(PATIENCE).await, []);
    });
}

#[test]
fn a_panic_in_a_task_or_thread_is_told_by_name() {
    runtime().block_on(async {
        let tasks = Tasks::new();
        tasks.spawn("sound", async {});
        tasks.spawn_thread("broken", |_| panic!("as the test wants")).unwrap();
        assert_eq!(tokio::time::timeout(PATIENCE, tasks.failure()).await.unwrap(), "broken");
        let tasks = Tasks::new();
        tasks.spawn("broken task", async { panic!("as the test wants") });
        assert_eq!(tokio::time::timeout(PATIENCE, tasks.failure()).await.unwrap(), "broken task");
        assert_eq!(tasks.shutdown(PATIENCE).await, []);
    });
}

/// Not a test of its own: what the next one starts as a process.
#[test]
fn a_process_that_waits_for_a_signal() {
    if std::env::var_os("AGENTTRADER_TEST_WAITS").is_none() {
        return;
    }
    runtime().block_on(async {
        let mut signals = Signals::install().unwrap();
        println!("\nready");
        let name = tokio::time::timeout(PATIENCE, signals.next()).await.unwrap();
        println!("\ngot {name}");
    });
}

#[test]
fn both_signals_end_a_process_whose_parent_had_them_ignored() {
    for (signal, name) in [("INT", "SIGINT"), ("TERM", "SIGTERM")] {
        let mut child = Command::new("sh")
            .args(["-c", r#"trap '' INT TERM; exec "$0" "$@""#])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_that_waits_for_a_signal", "--nocapture"])
            .env("AGENTTRADER_TEST_WAITS", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "ready"));
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap().success());
        assert!(lines.any(|line| line == format!("got {name}")), "{name}");
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn the_clocks_go_forward_and_randomness_differs() {
    let (wall, monotonic) = (clock::wall(), clock::monotonic());
    assert!(wall > UnixNanos::parse("2024-01-01T00:00:00Z").unwrap());
    assert!(clock::elapsed(monotonic) >= Span::ZERO);
    assert_ne!(entropy::bytes::<16>().unwrap(), entropy::bytes::<16>().unwrap());
    assert_eq!(entropy::random_id().unwrap().get_version_num(), 4);
}
