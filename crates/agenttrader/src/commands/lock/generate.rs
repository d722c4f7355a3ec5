//! `agenttrader lock generate`: the lock after an unlock.

use super::recorded::recorded;
use super::{repository, signer, unwritten};
use crate::cli::lock::GenerateArgs;
use crate::output::{Done, Exit, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_core::identity::Build;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::lock::later::generate;
use agenttrader_governance::lock::model::Lock;
use agenttrader_governance::unlock::completed::completed;
use serde_json::json;

/// Commits it.
pub fn run(settings: &Settings, arguments: &GenerateArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let signer = signer(settings, &arguments.signer)?;
    let act = || {
        let now = clock::wall();
        // What people approved, and nothing else.
        let request = completed(&repository, &arguments.unlock, Some(&settings.data_dir), now).map_err(unwritten)?;
        generate(&repository, &arguments.unlock, Some(&request), &build.build_id, &signer, now).map_err(unwritten)
    };
    let tell = |(commit, lock): &(Id, Lock)| {
        let payload = json!({
            "report": "lock_generate", "unlock_id": arguments.unlock, "principal": signer.principal,
            "lock_sha256": lock.sha256(), "commit": commit,
        });
        (format!("lock {} after unlock {}", lock.sha256(), arguments.unlock), payload)
    };
    let (commit, lock) = recorded(settings, build, IntentType::ReportGenerated, act, tell)?;
    if arguments.signer.json {
        json(&json!({"lock_sha256": lock.sha256(), "commit": commit}));
    } else {
        data(&format!("lock       SHA-256 {}", lock.sha256()));
        data(&format!("locked     commit {commit}"));
        talk("next: agenttrader lock validate, then agenttrader lock tag");
    }
    Ok(Exit::Good)
}
