//! Tells the binary which commit it is: the only place where a build looks at the repository.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(["--no-replace-objects"]).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn main() {
    let sha = git(&["rev-parse", "HEAD"]).filter(|sha| sha.len() == 40);
    let dirty = git(&["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty());
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
