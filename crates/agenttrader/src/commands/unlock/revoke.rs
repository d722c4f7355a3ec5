//! `agenttrader unlock revoke`: a file beside a grant, which anyone may write.

use super::recorded;
use crate::cli::unlock::RevokeArgs;
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_audit::record::IntentType;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_governance::unlock::install::{folder, revoke};
use serde_json::json;

/// Revokes first and records it then: a log that another command holds keeps nobody from it.
pub fn run(settings: &Settings, arguments: &RevokeArgs, build: &Build) -> Done {
    let grants = match &arguments.grant {
        Some(text) => {
            let wrong =
                || Failure::new(Exit::CouldNot, format!("`{text}` is no SHA-256")).hint("64 lower-case hex digits");
            vec![Digest::parse(text).ok_or_else(wrong)?]
        }
        None => lying_there(settings)?,
    };
    for grant in &grants {
        revoke(*grant, &arguments.reason, &settings.data_dir).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    }
    let tell = |(): &()| {
        let payload = json!({"report": "unlock_revoke", "grants": grants, "reason": arguments.reason});
        (format!("{} grants revoked", grants.len()), payload)
    };
    let noted = recorded(settings, build, IntentType::ReportGenerated, || Ok(()), tell);
    if arguments.json {
        json(&json!({"revoked": grants}));
    } else {
        grants.iter().for_each(|grant| data(&format!("revoked    {grant}")));
    }
    noted.map(|()| Exit::Good)
}

fn lying_there(settings: &Settings) -> Result<Vec<Digest>, Failure> {
    let folder = folder(&settings.data_dir);
    let none = |why: String| {
        Failure::new(Exit::Bad, format!("no grant lies in {}{why}", folder.display()))
            .hint("name it: agenttrader unlock revoke SHA256")
    };
    let listed = std::fs::read_dir(&folder).map_err(|error| none(format!(": {error}")))?;
    let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let grants: Vec<_> = names.filter_map(|name| Digest::parse(name.strip_suffix(".json")?)).collect();
    if grants.is_empty() { Err(none(String::new())) } else { Ok(grants) }
}
