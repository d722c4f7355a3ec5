//! `agenttrader lock status`: how the repository stands to its lock.

use super::{repository, unread};
use crate::cli::lock::StatusArgs;
use crate::output::{Done, Exit, counted, data, json};
use crate::settings::Settings;
use agenttrader_floor::plain::plain;
use agenttrader_governance::change::Change;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::lock::status::{Draft, LockedStatus, Status, status};
use serde_json::{Value, json};

/// Says it. An unclear lock is bad; a draft and a lock with changes since are states like any other.
pub fn run(settings: &Settings, arguments: &StatusArgs) -> Done {
    let (head, status) = status(&repository(settings)?).map_err(|error| unread(&error))?;
    if arguments.json {
        json(&as_json(head, &status));
    } else {
        show(head, &status);
    }
    Ok(if matches!(status, Status::Unclear(_)) { Exit::Bad } else { Exit::Good })
}

const fn what(change: &Change) -> &'static str {
    match (change.old, change.new) {
        (None, _) => "added",
        (_, None) => "removed",
        (Some(_), Some(_)) => "changed",
    }
}

fn as_json(head: Id, status: &Status) -> Value {
    match status {
        Status::Draft(draft) => {
            let (people, why) = match draft {
                Draft::Unbegun => (Value::Null, Value::Null),
                Draft::Unsigned(missing) => (json!(missing), Value::Null),
                Draft::Stuck(why) => (Value::Null, json!(why)),
            };
            json!({"head": head, "state": "draft", "to_sign": people, "why": why})
        }
        Status::Unclear(why) => json!({"head": head, "state": "unknown", "why": why}),
        Status::Locked(is) => {
            let since: Vec<_> = is
                .since
                .changes
                .iter()
                .map(|change| json!({"path": change.path.to_string(), "what": what(change)}))
                .collect();
            json!({
                "head": head,
                "state": "locked",
                "lock_sha256": is.lock.sha256,
                "lock_commit": is.lock.commit,
                "timestamp": is.lock.lock.locked().map(|locked| locked.timestamp),
                "locks_before": is.before,
                "tags": is.tags.good,
                "tags_of_no_use": is.tags.odd.iter().map(|(name, why)| json!({"tag": name, "why": why})).collect::<Vec<_>>(),
                "since": since,
                "change_manifest_sha256": is.since.digest(),
                "uncommitted": is.uncommitted,
            })
        }
    }
}

fn show(head: Id, status: &Status) {
    match status {
        Status::Draft(draft) => {
            data(&format!("DRAFT       not locked, nothing can be unlocked\nhead        {head}"));
            match draft {
                Draft::Unbegun => {}
                Draft::Unsigned(missing) => {
                    let names = missing.iter().cloned().collect::<Vec<_>>().join(", ");
                    data(&format!("first lock  on disk, to be signed by {}", plain(&names)));
                }
                Draft::Stuck(why) => data(&format!("first lock  people are named, and {}", plain(why))),
            }
        }
        Status::Unclear(why) => data(&format!("UNKNOWN     {}\nhead        {head}", plain(why))),
        Status::Locked(is) => show_locked(head, is),
    }
}

fn show_locked(head: Id, is: &LockedStatus) {
    let at = is.lock.lock.locked().map(|locked| locked.timestamp.to_string()).unwrap_or_default();
    data(&format!("LOCKED      {at}, SHA-256 {}", is.lock.sha256));
    data(&format!("commit      {}", is.lock.commit));
    match is.before {
        Some(0) => data("before it   nothing: the first lock"),
        Some(before) => data(&format!("before it   {}", counted(before, "lock"))),
        None => data("before it   a chain that does not hold: `agenttrader lock validate` says why"),
    }
    let tags = &is.tags;
    data(&format!(
        "tags        {}",
        if tags.good.is_empty() { "none".to_owned() } else { plain(&tags.good.join(", ")) }
    ));
    tags.odd.iter().for_each(|(name, why)| data(&format!("            of no use: {}: {}", plain(name), plain(why))));
    data(&format!("head        {head}"));
    data(&format!(
        "since       {} locked files differ in HEAD, {} on disk",
        is.since.changes.len(),
        is.uncommitted.len()
    ));
    for change in &is.since.changes {
        data(&format!("  {:9} {}", what(change), change.path));
    }
    for refusal in &is.since.refused {
        data(&format!("  refused   {}: {}", refusal.path, plain(&refusal.why)));
    }
    for path in &is.uncommitted {
        data(&format!("  on disk   {path}"));
    }
}
