//! What a panic says, with secrets taken out: its message may quote anything that was at hand.

use agenttrader_audit::redact::Redactor;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;

/// From now on a panic's message goes to standard error through the redactor. `RUST_BACKTRACE` adds the frames, which hold no values.
pub fn redact(redactor: Arc<Redactor>) {
    panic::set_hook(Box::new(move |info| {
        let backtrace = Backtrace::capture();
        let mut out = std::io::stderr().lock();
        // Nobody is left to hear that it could not be told.
        let _ = writeln!(out, "{}", told(&redactor, info));
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(out, "{backtrace}");
        }
    }));
}

fn told(redactor: &Redactor, info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("no message");
    format!(
        "agenttrader: internal error in thread `{}`{place}: {}; this is a defect of agenttrader, please report it",
        thread.name().unwrap_or("unnamed"),
        redactor.redact_text(message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use agenttrader_core::identity::{AgentMode, Build};
    use agenttrader_core::secret::Secret;
    use agenttrader_floor::configuration::RunSettings;
    use agenttrader_floor::market::MarketChoice;
    use agenttrader_floor::run::{Floor, FloorSettings};
    use std::collections::BTreeMap;
    use std::process::Command;
    use std::sync::mpsc::channel;

    /// Set for the child process that panics: a hook is the whole process's.
    const CHILD: &str = "AGENTTRADER_TEST_PANICS";
    const SECRET: &str = "correct-horse-battery";

    fn is_child() -> bool {
        std::env::var_os(CHILD).is_some()
    }

    /// Runs the test again in a process of its own, which must end well. What it said on standard error.
    fn told_by_the_child() -> String {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &test])
            .env(CHILD, "1")
            .env("RUST_BACKTRACE", "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stderr).into_owned();
        assert!(child.status.success(), "{told}");
        assert!(!told.contains(SECRET) && !told.contains("abc.def"), "{told}");
        told
    }

    #[test]
    fn a_panic_tells_where_and_why_and_no_secret() {
        if is_child() {
            redact(Arc::new(Redactor::new([Secret::new(SECRET.to_owned())])));
            let quoting = std::thread::Builder::new().name("feed".into()).spawn(|| {
                let sent = format!("sent {SECRET} and Authorization: Bearer abc.def");
                std::panic::panic_any(sent);
            });
            assert!(quoting.unwrap().join().is_err());
            return;
        }
        let told = told_by_the_child();
        assert!(told.contains("internal error in thread `feed` at ") && told.contains("panics.rs:"), "{told}");
        assert!(told.contains("sent [redacted]") && told.contains("Bearer [redacted]"), "{told}");
    }

    #[test]
    fn a_thread_of_a_floor_that_panics_tells_no_secret_and_the_floor_ends_in_order() {
        if !is_child() {
            let told = told_by_the_child();
            assert!(told.contains("internal error in thread `records` at "), "{told}");
            assert!(told.contains("cannot show [redacted], sent Y [redacted]"), "{told}");
            return;
        }
        let environment = BTreeMap::from([("AGENTTRADER_API_TOKEN".to_owned(), SECRET.to_owned())]);
        redact(agenttrader_floor::redactor(&environment));
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::gather(None, &BTreeMap::new(), environment).unwrap();
        let (panics, panicked) = channel::<()>();
        let watch = Box::new(move |_: &_| {
            let _ends = &panics;
            std::panic::panic_any(format!("cannot show {SECRET}, sent Y Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"));
        });
        let floor = Floor::start(
            FloorSettings {
                data_dir: folder.path().to_owned(),
                bind: settings.bind,
                port_base: 0,
                market: MarketChoice::Simulated { seed: Some(7), date: None, speed: 1.0, fresh: false },
                run: RunSettings {
                    configs: None,
                    strategies: settings.strategies,
                    strategy_mode: AgentMode::Observe,
                    environment: settings.environment,
                },
                symbols: None,
                trust_root: agenttrader_authority::trust_root::TrustRoot::draft(),
                build: Build { git_sha: "unknown".to_owned(), build_id: "unknown".to_owned() },
                poll_interval_seconds: None,
                witnesses: Vec::new(),
            },
            watch,
        );
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let ended = runtime.block_on(async {
            let floor = floor.await.unwrap();
            // The watcher's thread lets go of its end when it has panicked.
            let _ = tokio::task::spawn_blocking(move || panicked.recv()).await;
            floor.stop().await
        });
        assert_eq!(ended.problems, Vec::<String>::new());
    }
}
