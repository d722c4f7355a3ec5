//! Completion scripts.

use crate::screen::Home;
use std::io::Read as _;
use std::process::{Command, Stdio};

#[test]
fn each_shell_gets_a_script_that_it_can_read() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completions", shell]).exits(0).stdout();
        for word in ["mission-control", "port-base", "import"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
        home.write("script", &script);
        // A shell that is not here cannot be asked.
        if let Ok(read) = Command::new(shell).arg("-n").arg(home.path("script")).status() {
            assert!(read.success(), "{shell} cannot read its script");
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let home = Home::new();
    let mut child =
        home.command(&["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}
