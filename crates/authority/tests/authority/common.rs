//! Stock ssh-keygen and git, as the second opinion.

use agenttrader_core::time::UnixNanos;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An instant at which every test's key is good.
pub fn at() -> UnixNanos {
    UnixNanos::parse("2026-01-05T15:00:00Z").unwrap()
}

/// Stock ssh-keygen with a folder of its own.
pub struct SshKeygen {
    pub program: PathBuf,
    pub folder: tempfile::TempDir,
}

impl SshKeygen {
    /// `None` where the machine has none, and that was said.
    pub fn find() -> Option<Self> {
        let program = agenttrader_outside::command("ssh-keygen")?;
        Some(Self { program, folder: tempfile::tempdir().unwrap() })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        run(Command::new(&self.program).args(arguments).current_dir(self.folder.path()), input)
    }

    /// A new key pair; the public half as it stands in its file.
    pub fn make_key(&self, name: &str) -> String {
        let made = self.run(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], b"");
        assert!(made.status.success(), "{made:?}");
        std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap().trim_end().to_owned()
    }

    pub fn sign(&self, key: &str, namespace: &str, hash: &str, message: &[u8]) -> Vec<u8> {
        let option = format!("hashalg={hash}");
        let signed = self.run(&["-Y", "sign", "-f", key, "-n", namespace, "-O", &option], message);
        assert!(signed.status.success(), "{signed:?}");
        signed.stdout
    }

    /// Whether it says that the person signed the message for that.
    pub fn verifies(&self, signers: &str, principal: &str, namespace: &str, signature: &[u8], message: &[u8]) -> bool {
        std::fs::write(self.path("signers"), signers).unwrap();
        std::fs::write(self.path("signature"), signature).unwrap();
        let time = "-Overify-time=20260105150000Z";
        let arguments = ["-Y", "verify", "-f", "signers", "-I", principal, "-n", namespace, "-s", "signature", time];
        self.run(&arguments, message).status.success()
    }
}

/// Stock git in a repository of its own, without the machine's configuration.
pub struct Git {
    program: PathBuf,
    folder: PathBuf,
}

impl Git {
    /// `None` where the machine has none, and that was said.
    pub fn init(folder: &Path) -> Option<Self> {
        let program = agenttrader_outside::command("git")?;
        let git = Self { program, folder: folder.to_owned() };
        git.ok(&["init", "-q", "-b", "main"], b"");
        Some(git)
    }

    pub fn ok(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        output.stdout
    }

    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", &self.folder);
        run(command.args(arguments).current_dir(&self.folder), input)
    }
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that refuses before it reads closes its end: that is its answer, not our failure.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}
