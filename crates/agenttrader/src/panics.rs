//! What a panic says, with secrets taken out: its message may quote anything that was at hand.

use agenttrader_audit::redact::Redactor;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;

/// From now on a panic's message goes to standard error through the redactor. `RUST_BACKTRACE` adds the frames, which hold no values.
pub fn redact(redactor: Arc<Redactor>) {
    panic::set_hook(Box::new(move |info| {
        let backtrace = Backtrace::capture();
        eprintln!("{}", told(&redactor, info));
        if backtrace.status() == BacktraceStatus::Captured {
            eprintln!("{backtrace}");
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
    use agenttrader_core::secret::Secret;
    use std::process::Command;

    /// Set for the child process that panics: a hook is the whole process's.
    const CHILD: &str = "AGENTTRADER_TEST_PANICS";
    const SECRET: &str = "correct-horse-battery";

    #[test]
    fn a_panic_tells_where_and_why_and_no_secret() {
        if std::env::var_os(CHILD).is_some() {
            redact(Arc::new(Redactor::new([Secret::new(SECRET.to_owned())])));
            let quoting = std::thread::Builder::new().name("feed".into()).spawn(|| {
                let sent = format!("sent {SECRET} and Authorization: Bearer abc.def");
                Err::<(), String>(sent).unwrap();
            });
            assert!(quoting.unwrap().join().is_err());
            return;
        }
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &test])
            .env(CHILD, "1")
            .env("RUST_BACKTRACE", "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{told}");
        assert!(told.contains("internal error in thread `feed` at ") && told.contains("panics.rs:"), "{told}");
        assert!(told.contains("sent [redacted]") && told.contains("Bearer [redacted]"), "{told}");
        assert!(!told.contains(SECRET) && !told.contains("abc.def"), "{told}");
    }
}
