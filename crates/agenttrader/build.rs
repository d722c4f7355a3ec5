//! Tells the binary which commit it is, and whom that commit trusts: the only place where a build looks at the repository.

#![allow(clippy::expect_used, reason = "a build script that cannot write has nothing to build")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn git_bytes(arguments: &[&str]) -> Option<Vec<u8>> {
    let always = ["--no-replace-objects", "-c", "core.fsmonitor=false"];
    let output = Command::new("git").args(always).args(arguments).output().ok()?;
    output.status.success().then_some(output.stdout)
}

fn git(arguments: &[&str]) -> Option<String> {
    git_bytes(arguments).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The people whom the commit trusts, as it holds them: never as they lie on disk. Tells whether the disk says the same.
fn compile_in(top: Option<&Path>, name: &str) -> bool {
    let path = format!("ops/trust/{name}");
    let held = git_bytes(&["cat-file", "blob", &format!("HEAD:{path}")]).unwrap_or_default();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names the folder")).join(name);
    std::fs::write(&out, &held).expect("cargo's folder can be written");
    let Some(on_disk) = top.map(|top| top.join(path)) else { return held.is_empty() };
    if on_disk.exists() {
        println!("cargo::rerun-if-changed={}", on_disk.display());
    }
    // Compared here: index flags and filters can make git say that a changed file is clean.
    std::fs::read(&on_disk).unwrap_or_default() == held
}

fn main() {
    let sha = git(&["rev-parse", "HEAD"]).filter(|sha| sha.len() == 40);
    let top = git(&["rev-parse", "--show-toplevel"]).map(PathBuf::from);
    let same = ["allowed_signers", "revoked_keys"].map(|name| compile_in(top.as_deref(), name));
    let differs = git(&["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty());
    let dirty = differs || same.contains(&false);
    let shown = match sha {
        Some(sha) if dirty => format!("{sha}-dirty"),
        Some(sha) => sha,
        None => "unknown".to_owned(),
    };
    println!("cargo::rustc-env=AGENTTRADER_GIT_SHA={shown}");
    println!("cargo::rerun-if-env-changed=AGENTTRADER_BUILD_ID");
    // HEAD and the index move with every commit and every staged change.
    if let Some(folder) = git(&["rev-parse", "--absolute-git-dir"]) {
        println!("cargo::rerun-if-changed={folder}/HEAD");
        println!("cargo::rerun-if-changed={folder}/index");
        println!("cargo::rerun-if-changed={folder}/logs/HEAD");
    }
}
