//! `agenttrader lock init`: the people of the first lock.

use super::recorded::recorded;
use super::{repository, unwritten};
use crate::cli::lock::InitArgs;
use crate::output::{Done, Exit, Failure, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_core::identity::Build;
use agenttrader_governance::lock::genesis::{Begun, Named, Role, init};
use agenttrader_governance::lock::validate::Asked;
use serde_json::json;
use std::fs;

/// Largest public key's file.
const KEY_BYTES_MOST: u64 = 16 * 1024;

/// Begins the first lock.
pub fn run(settings: &Settings, arguments: &InitArgs, build: &Build) -> Done {
    let mut named = Vec::new();
    for (texts, role) in [
        (&arguments.operator, Role::Operator),
        (&arguments.reviewer, Role::Reviewer),
        (&arguments.author, Role::Author),
    ] {
        for text in texts {
            named.push(person(text, role)?);
        }
    }
    let repository = repository(settings)?;
    let begin = || {
        let asked = Asked { data_dir: Some(&settings.data_dir), root: None, now: clock::wall() };
        init(&repository, &named, &build.build_id, &asked).map_err(unwritten)
    };
    let tell = |begun: &Begun| {
        let payload = json!({
            "report": "lock_init", "people": begun.people, "reports": begun.reports,
            "lock_sha256": begun.lock.sha256(), "signers": begun.signers,
        });
        (format!("first lock {} written, to be signed", begun.lock.sha256()), payload)
    };
    let begun = recorded(settings, build, IntentType::ReportGenerated, begin, tell)?;
    let names: Vec<_> = begun.signers.iter().cloned().collect();
    if arguments.json {
        json(
            &json!({"people": begun.people, "reports": begun.reports, "lock_sha256": begun.lock.sha256(), "signers": names}),
        );
    } else {
        data(&format!("people     commit {}", begun.people));
        data(&format!("reports    commit {}", begun.reports));
        data(&format!("lock       SHA-256 {}, on disk, not committed", begun.lock.sha256()));
        data(&format!("to sign    {}", names.join(", ")));
        talk("next: each of them runs agenttrader lock sign --principal NAME --key KEY");
    }
    Ok(Exit::Good)
}

fn person(text: &str, role: Role) -> Result<Named, Failure> {
    let wrong = || {
        Failure::new(Exit::CouldNot, format!("`{text}` is not NAME=PUB"))
            .hint("PUB is the file of a public key, as ssh-keygen writes it")
    };
    let (principal, path) =
        text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty()).ok_or_else(wrong)?;
    let unread = |why: String| Failure::new(Exit::CouldNot, format!("cannot read the public key {path}: {why}"));
    let size = fs::metadata(path).map_err(|error| unread(error.to_string()))?.len();
    if size > KEY_BYTES_MOST {
        return Err(unread(format!("it has {size} bytes, more than {KEY_BYTES_MOST}")));
    }
    let key = fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
    if key.contains("PRIVATE KEY") {
        return Err(unread("it holds a private key".to_owned()).hint("name the file that ends with .pub"));
    }
    Ok(Named { principal: principal.to_owned(), key, role })
}
