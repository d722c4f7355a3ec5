//! Other people's verifiers of a log's files (c2sp.org/tlog-tiles): Go's own packages, and `aics-tlog` in Python.
//!
//! Both find with `find()`, which skips the test aloud where they are not there. What they refuse is an `Err` in their own
//! words; that one of them breaks instead of refusing is a panic, so that no test takes a crash for a refusal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{broken, go, python};

/// The tree a verifier found under a good signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// In entries.
    pub size: u64,
    /// In base64, as checkpoints have it.
    pub root: String,
}

/// A proof a verifier made from the tiles, and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The tree of the log's checkpoint.
    pub head: Head,
    /// In base64, in the order of RFC 6962.
    pub hashes: Vec<String>,
}

/// `golang.org/x/mod/sumdb`, where tiled logs and signed notes come from, through `testing/outside/go/tlogcheck`.
#[derive(Debug, Clone)]
pub struct GoVerifier {
    program: PathBuf,
}

impl GoVerifier {
    /// The verifier, if `cargo xtask tools` built it; else the test is skipped, and that was said.
    pub fn find() -> Option<Self> {
        go().map(|program| Self { program })
    }

    /// Verifies a checkpoint: the signature of the log whose verifier key this is, and a cosignature of each of the witnesses.
    pub fn checkpoint(&self, vkey: &str, file: &Path, witnesses: &[&str]) -> Result<Head, String> {
        let mut arguments = vec![OsStr::new("checkpoint"), OsStr::new(vkey), file.as_os_str()];
        arguments.extend(witnesses.iter().map(OsStr::new));
        self.head(&arguments)
    }

    /// Recomputes the whole log at rest: checkpoint, all entries, every tile, and no file besides.
    pub fn audit(&self, dir: &Path, vkey: &str) -> Result<Head, String> {
        self.head(&[OsStr::new("audit"), dir.as_os_str(), OsStr::new(vkey)])
    }

    /// Proves from the tiles that the entry at the index is in the tree of the checkpoint.
    pub fn inclusion(&self, dir: &Path, vkey: &str, index: u64) -> Result<Proof, String> {
        let index = index.to_string();
        self.proof(&[OsStr::new("inclusion"), dir.as_os_str(), OsStr::new(vkey), OsStr::new(&index)])
    }

    /// Proves from the tiles that the tree of the checkpoint extends the older one.
    pub fn consistency(&self, dir: &Path, vkey: &str, old: &Head) -> Result<Proof, String> {
        let size = old.size.to_string();
        let arguments = ["consistency".as_ref(), dir.as_os_str(), vkey.as_ref(), size.as_ref(), old.root.as_ref()];
        self.proof(&arguments)
    }

    /// Checks a receipt (c2sp.org/tlog-proof@v1) of the entry.
    pub fn receipt(&self, vkey: &str, receipt: &Path, entry: &Path) -> Result<Head, String> {
        self.head(&[OsStr::new("proof"), OsStr::new(vkey), receipt.as_os_str(), entry.as_os_str()])
    }

    /// Writes a log of that many entries, `entry-<index>\n` each, and returns its tree. Its key is that of [`Self::vectors`].
    pub fn example(&self, dir: &Path, size: u64) -> Head {
        let size = size.to_string();
        let made = self.head(&[OsStr::new("example"), dir.as_os_str(), OsStr::new(&size)]);
        made.unwrap_or_else(|error| broken(&error))
    }

    /// Roots, checkpoints and proofs over such entries: `vkey`, `skey`, `origin`, `trees` (`size`, `root`, `checkpoint`),
    /// `inclusion` (`index`, `size`, `root`, `hashes`), `consistency` (`old_size`, `size`, `root`, `hashes`).
    pub fn vectors(&self) -> Value {
        let text = self.run(&[OsStr::new("vectors")]).unwrap_or_else(|error| broken(&error));
        serde_json::from_str(&text).unwrap_or_else(|error| broken(&format!("tlogcheck vectors: {error}")))
    }

    fn head(&self, arguments: &[&OsStr]) -> Result<Head, String> {
        self.proof(arguments).map(|proof| proof.head)
    }

    fn proof(&self, arguments: &[&OsStr]) -> Result<Proof, String> {
        let text = self.run(arguments)?;
        let mut lines = text.lines();
        let head = lines.next().and_then(|line| line.split_once(' '));
        let head = head.and_then(|(size, root)| Some(Head { size: size.parse().ok()?, root: root.to_owned() }));
        let head = head.unwrap_or_else(|| broken(&format!("tlogcheck printed {text:?}")));
        Ok(Proof { head, hashes: lines.map(str::to_owned).collect() })
    }

    fn run(&self, arguments: &[&OsStr]) -> Result<String, String> {
        let output = run(Command::new(&self.program).args(arguments));
        match output.status.code() {
            Some(0) => Ok(text(output.stdout)),
            Some(1) => Err(text(output.stderr).trim_end().to_owned()),
            _ => broken(&format!("tlogcheck broke: {}", text(output.stderr))),
        }
    }
}

/// `aics-tlog`, a second verifier by other people, in Python.
#[derive(Debug, Clone)]
pub struct Aics {
    python: PathBuf,
}

impl Aics {
    /// The verifier, if `cargo xtask tools` fetched it; else the test is skipped, and that was said.
    pub fn find() -> Option<Self> {
        python("aics_tlog.cli").map(|python| Self { python })
    }

    /// Verifies a checkpoint: the log's signature, and a cosignature of each of the witnesses.
    pub fn verify_checkpoint(&self, vkey: &str, file: &Path, witnesses: &[&str]) -> Result<Head, String> {
        let quorum = witnesses.len().to_string();
        let mut arguments = vec!["--note".as_ref(), file.as_os_str(), "--quorum".as_ref(), quorum.as_ref()];
        for witness in witnesses {
            arguments.extend([OsStr::new("--witness-key"), OsStr::new(witness)]);
        }
        self.verify("verify-checkpoint", vkey, &arguments)
    }

    /// Verifies that the entry at the index is in the tree of the directory's checkpoint.
    pub fn verify_inclusion(&self, dir: &Path, vkey: &str, index: u64) -> Result<Head, String> {
        let index = index.to_string();
        self.verify(
            "verify-inclusion",
            vkey,
            &["--tiles".as_ref(), dir.as_os_str(), "--index".as_ref(), index.as_ref()],
        )
    }

    /// Verifies that the tree of the directory's checkpoint extends that of the older checkpoint.
    pub fn verify_consistency(&self, dir: &Path, vkey: &str, old_checkpoint: &Path) -> Result<Head, String> {
        let arguments = ["--tiles".as_ref(), dir.as_os_str(), "--old-checkpoint".as_ref(), old_checkpoint.as_os_str()];
        self.verify("verify-consistency", vkey, &arguments)
    }

    /// Recomputes every tile and every entry of the directory against its checkpoint.
    pub fn audit(&self, dir: &Path, vkey: &str) -> Result<Head, String> {
        let head = self.verify("verify-checkpoint", vkey, &["--tiles".as_ref(), dir.as_os_str()])?;
        let mut command = Command::new(&self.python);
        command.args(["-c", include_str!("../python/audit.py")]).arg(dir);
        answer(command.args([head.size.to_string(), head.root]))
    }

    fn verify(&self, what: &str, vkey: &str, arguments: &[&OsStr]) -> Result<Head, String> {
        let mut command = Command::new(&self.python);
        answer(command.args(["-m", "aics_tlog", what, "--log-key", vkey]).args(arguments))
    }
}

/// Runs it and reads the one JSON object that it answers with.
fn answer(command: &mut Command) -> Result<Head, String> {
    let output = run(command);
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| broken(&format!("aics-tlog broke: {}", text(output.stderr.clone()))));
    let size = || answer.get(if answer.get("new_size").is_some() { "new_size" } else { "size" })?.as_u64();
    let root = || Some(answer.get("root")?.as_str()?.to_owned());
    match (output.status.code(), answer.get("ok").and_then(Value::as_bool), size(), root()) {
        (Some(0), Some(true), Some(size), Some(root)) => Ok(Head { size, root }),
        (Some(1), Some(false), ..) => {
            let error = answer.get("error").and_then(Value::as_str);
            Err(error.map_or_else(|| answer.to_string(), str::to_owned))
        }
        _ => broken(&format!("aics-tlog answered {answer} ({})", output.status)),
    }
}

pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| broken(&format!("cannot start {}: {error}", command.get_program().display())))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| broken(&format!("a tool printed what is not UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT_3: &str = "o15GqQWzxogs8Zo5iJJ/0GcoapuLZGHFQJEmfP6fJr4=";

    /// A log of Go's making, its tree and its key.
    fn example(go: &GoVerifier, size: u64) -> (tempfile::TempDir, Head, String) {
        let dir = tempfile::tempdir().unwrap();
        let head = go.example(dir.path(), size);
        let vkey = go.vectors()["vkey"].as_str().unwrap().to_owned();
        (dir, head, vkey)
    }

    #[test]
    fn both_verifiers_agree_on_a_log_that_holds() {
        let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
        let (dir, head, vkey) = example(&go, 300);
        let (old_dir, old, _) = example(&go, 3);
        assert_eq!(old, Head { size: 3, root: ROOT_3.to_owned() });
        let (checkpoint, old_checkpoint) = (dir.path().join("checkpoint"), old_dir.path().join("checkpoint"));

        assert_eq!(go.checkpoint(&vkey, &checkpoint, &[]), Ok(head.clone()));
        assert_eq!(aics.verify_checkpoint(&vkey, &checkpoint, &[]), Ok(head.clone()));
        assert_eq!(go.audit(dir.path(), &vkey), Ok(head.clone()));
        assert_eq!(aics.audit(dir.path(), &vkey), Ok(head.clone()));
        assert_eq!(go.inclusion(dir.path(), &vkey, 299).unwrap().hashes.len(), 5);
        assert_eq!(aics.verify_inclusion(dir.path(), &vkey, 299), Ok(head.clone()));
        assert_eq!(go.consistency(dir.path(), &vkey, &old).unwrap().head, head);
        assert_eq!(aics.verify_consistency(dir.path(), &vkey, &old_checkpoint), Ok(head.clone()));

        let (empty, head, _) = example(&go, 0);
        assert_eq!(go.audit(empty.path(), &vkey), Ok(head));
    }

    #[test]
    fn both_verifiers_refuse_what_does_not_hold_in_words() {
        let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
        let (dir, head, vkey) = example(&go, 300);
        let other_root = Head { size: 3, root: head.root };
        assert!(go.consistency(dir.path(), &vkey, &other_root).unwrap_err().contains("invalid transparency proof"));
        assert!(go.inclusion(dir.path(), &vkey, 300).unwrap_err().contains("invalid inputs"));
        assert!(aics.verify_inclusion(dir.path(), &vkey, 300).unwrap_err().contains("not below"));

        let checkpoint = dir.path().join("checkpoint");
        let cosigner = "witness.example/w1+cf810b3c+BCnlgzqRWmQppOOnlIR1wzjvQ264K+ickvBZcEQD251V";
        assert!(
            go.checkpoint(&vkey, &checkpoint, &[cosigner]).unwrap_err().contains("not signed by witness.example/w1")
        );
        assert!(aics.verify_checkpoint(&vkey, &checkpoint, &[cosigner]).is_err());

        let signed = std::fs::read_to_string(&checkpoint).unwrap();
        std::fs::write(&checkpoint, signed.replace("\n300\n", "\n299\n")).unwrap();
        assert!(go.checkpoint(&vkey, &checkpoint, &[]).unwrap_err().contains("invalid signature"));
        assert!(aics.verify_checkpoint(&vkey, &checkpoint, &[]).is_err());
    }

    #[test]
    fn every_changed_file_of_a_log_is_found() {
        let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
        let (dir, head, vkey) = example(&go, 300);
        for file in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"] {
            let path = dir.path().join(file);
            let good = std::fs::read(&path).unwrap();
            let mut bad = good.clone();
            *bad.last_mut().unwrap() ^= 1;
            std::fs::write(&path, bad).unwrap();
            assert!(go.audit(dir.path(), &vkey).is_err(), "{file}");
            assert!(aics.audit(dir.path(), &vkey).is_err(), "{file}");
            std::fs::remove_file(&path).unwrap();
            assert!(go.audit(dir.path(), &vkey).is_err(), "no {file}");
            assert!(aics.audit(dir.path(), &vkey).is_err(), "no {file}");
            std::fs::write(&path, good).unwrap();
        }
        assert_eq!(go.audit(dir.path(), &vkey), Ok(head));
    }

    #[test]
    fn a_file_that_the_size_does_not_imply_is_found_unless_it_begins_its_successor() {
        let Some(go) = GoVerifier::find() else { return };
        let (dir, head, vkey) = example(&go, 300);
        let whole = std::fs::read(dir.path().join("tile/0/001.p/44")).unwrap();
        let older = dir.path().join("tile/0/001.p/43");
        std::fs::write(&older, &whole[..43 * 32]).unwrap();
        assert_eq!(go.audit(dir.path(), &vkey), Ok(head));
        std::fs::write(&older, &whole[32..]).unwrap();
        assert!(go.audit(dir.path(), &vkey).unwrap_err().contains("is not the beginning of"));
        std::fs::remove_file(&older).unwrap();

        for other in ["tile/0/001.p/45", "tile/0/002.p/1", "tile/0/01", "tile/8/0/000", "head"] {
            let path = dir.path().join(other);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &whole).unwrap();
            assert!(go.audit(dir.path(), &vkey).is_err(), "{other}");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_receipt_holds_for_its_entry_alone() {
        let Some(go) = GoVerifier::find() else { return };
        let (dir, head, vkey) = example(&go, 300);
        let proof = go.inclusion(dir.path(), &vkey, 7).unwrap();
        let checkpoint = std::fs::read_to_string(dir.path().join("checkpoint")).unwrap();
        let receipt = format!("c2sp.org/tlog-proof@v1\nindex 7\n{}\n\n{checkpoint}", proof.hashes.join("\n"));
        let (file, entry) = (dir.path().join("receipt"), dir.path().join("entry"));
        std::fs::write(&entry, "entry-7\n").unwrap();
        for (text, good) in [
            (receipt.clone(), true),
            (receipt.replacen("index", "extra AA==\nindex", 1), true),
            (receipt.replacen("index 7", "index 8", 1), false),
            (receipt.replacen("index 7", "index 07", 1), false),
            (receipt.replacen("@v1", "@v2", 1), false),
            (receipt.replacen(&proof.hashes[0], &head.root, 1), false),
            (receipt.replacen("\n\n", &format!("\n{}\n\n", head.root), 1), false),
        ] {
            std::fs::write(&file, &text).unwrap();
            assert_eq!(go.receipt(&vkey, &file, &entry).is_ok(), good, "{text}");
        }
        std::fs::write(&file, receipt).unwrap();
        std::fs::write(&entry, "entry-8\n").unwrap();
        assert!(go.receipt(&vkey, &file, &entry).is_err());
    }
}
