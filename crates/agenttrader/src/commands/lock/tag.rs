//! `agenttrader lock tag`: a signed tag of a lock that was judged.

use super::recorded::recorded;
use super::{repository, signer, unwritten};
use crate::cli::lock::SignArgs;
use crate::output::{Done, Exit, data, json};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_core::identity::Build;
use agenttrader_governance::lock::later::{Tagged, tag};
use agenttrader_governance::lock::validate::Asked;
use serde_json::json;

/// Judges, then tags.
pub fn run(settings: &Settings, arguments: &SignArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let signer = signer(settings, arguments)?;
    let act = || {
        let asked = Asked { data_dir: Some(&settings.data_dir), root: None, now: clock::wall() };
        tag(&repository, &signer, &asked).map_err(unwritten)
    };
    let tell = |tagged: &Tagged| {
        let payload =
            json!({"report": "lock_tag", "tag": tagged.name, "commit": tagged.commit, "principal": signer.principal});
        (format!("tag {} of {}", tagged.name, tagged.commit), payload)
    };
    let tagged = recorded(settings, build, IntentType::LockValidated, act, tell)?;
    if arguments.json {
        json(&json!({"tag": tagged.name, "object": tagged.id, "commit": tagged.commit}));
    } else {
        data(&format!("tag        {}", tagged.name));
        data(&format!("commit     {}", tagged.commit));
    }
    Ok(Exit::Good)
}
