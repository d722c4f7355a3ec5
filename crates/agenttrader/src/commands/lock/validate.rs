//! `agenttrader lock validate`: every rule over the repository.

use super::{report, repository, unjudged};
use crate::cli::lock::ValidateArgs;
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_core::digest::Digest;
use agenttrader_governance::lock::validate::{Asked, Judgement, Standing, baseline, fails, statically};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Judges, and says what was found.
pub fn run(settings: &Settings, arguments: &ValidateArgs) -> Done {
    if arguments.is_static {
        return on_disk(settings, arguments.json);
    }
    let root = match &arguments.root {
        None => None,
        Some(text) => {
            let wrong = || {
                Failure::new(Exit::CouldNot, format!("`{text}` is no SHA-256"))
                    .hint("64 lower-case hex digits: sha256sum of the first lock")
            };
            Some(Digest::parse(text).ok_or_else(wrong)?)
        }
    };
    let asked = Asked { data_dir: Some(&settings.data_dir), root, now: clock::wall() };
    let judged = baseline(&repository(settings)?, &asked).map_err(|error| unjudged(&error))?;
    let bad = fails(&judged.findings) || arguments.require_locked && judged.standing == Standing::Draft;
    if arguments.json {
        let standing = match &judged.standing {
            Standing::Draft => json!({"state": "draft"}),
            Standing::Unknown => json!({"state": "unknown"}),
            Standing::Locked(lock) => json!({
                "state": "locked",
                "lock_sha256": lock.sha256,
                "lock_commit": lock.commit,
                "root": if judged.root_pinned { "pinned" } else { "self-consistent, root not pinned" },
            }),
        };
        let more =
            json!({"head": judged.head, "lock": standing, "require_locked": arguments.require_locked, "ok": !bad});
        json(&report::as_json(&judged.findings, more));
    } else {
        report::show(&judged.findings);
        data(&report::summary(&judged.findings));
        data(&conclusion(&judged));
    }
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

fn conclusion(judged: &Judgement) -> String {
    match &judged.standing {
        Standing::Draft => "DRAFT: not locked, nothing can be unlocked".to_owned(),
        Standing::Unknown => format!("UNKNOWN: the lock of {} cannot be followed", judged.head),
        Standing::Locked(lock) => {
            let root = if judged.root_pinned { "root pinned" } else { "self-consistent, root not pinned" };
            format!("LOCKED: {} at commit {} ({root})", lock.sha256, lock.commit)
        }
    }
}

fn on_disk(settings: &Settings, as_json: bool) -> Done {
    let root = root();
    let findings = statically(&root, Some(&settings.data_dir)).map_err(|error| unjudged(&error))?;
    if as_json {
        json(&report::as_json(&findings, json!({"static": true})));
    } else {
        report::show(&findings);
        data(&report::summary(&findings));
    }
    Ok(if fails(&findings) { Exit::Bad } else { Exit::Good })
}

/// The top of the repository around the working directory; the working directory where there is none. Git is not asked.
fn root() -> PathBuf {
    let here = std::fs::canonicalize(".").unwrap_or_else(|_| PathBuf::from("."));
    here.ancestors().find(|folder| folder.join(".git").exists()).map_or_else(|| here.clone(), Path::to_owned)
}
