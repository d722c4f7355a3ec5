//! The configuration snapshot: the safety controls as they are, and as they would be.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::Mode;
use crate::lock::manifests::Judged;
use crate::workload::manifests::Manifests;
use agenttrader_core::digest::Digest;
use serde_json::{Value, json};

/// What sets a safety control, wherever it stands.
const WORDS: [&str; 5] =
    ["AGENT_MODE", "EXECUTION_HALTED", "EXECUTION_AGENT_ENABLED", "BROKER_EXECUTION_ENABLED", "replicas"];

/// Files that are controls as a whole.
const FILES: [&str; 2] = ["configs/", "ops/trust/"];

/// Most lines that are shown of one file.
const LINES_MOST: usize = 100;

/// Most characters of a line that are shown.
const LINE_LONGEST: usize = 200;

/// The snapshot of two commits.
///
/// # Errors
/// [`GitError`].
pub fn controls(repository: &Repository, base: Id, change: Id) -> Result<Value, GitError> {
    Ok(json!({"snapshot": "safety_controls", "base": of(repository, base)?, "change": of(repository, change)?}))
}

fn of(repository: &Repository, commit: Id) -> Result<Value, GitError> {
    let judged = Judged::new().map_err(|error| GitError::malformed("the judged folders", error.to_string()))?;
    let mut files = Vec::new();
    for (path, leaf) in &repository.files(commit)? {
        let Some(name) = path.as_str() else { continue };
        let whole = FILES.iter().any(|folder| name.starts_with(folder));
        if !matches!(leaf.mode, Mode::File | Mode::Executable) || !(whole || judged.is(path)) {
            continue;
        }
        let bytes = repository.blob(leaf.id)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().enumerate().filter(|(_, line)| WORDS.iter().any(|word| line.contains(word)));
        let lines: Vec<_> = lines
            .take(LINES_MOST)
            .map(|(at, line)| {
                let shown: String = line.trim().chars().take(LINE_LONGEST).collect();
                json!({"line": at.saturating_add(1), "text": shown})
            })
            .collect();
        if whole || !lines.is_empty() {
            files.push(json!({"path": name, "sha256": Digest::of(&bytes), "lines": lines}));
        }
    }
    let placing: Vec<_> = Manifests::of(repository, commit)?.placing().collect();
    Ok(json!({"commit": commit, "can_place_orders": placing, "files": files}))
}
