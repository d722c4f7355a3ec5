//! `agenttrader lock sign`: a person agrees to the first lock.

use super::recorded::recorded;
use super::{repository, signer, unwritten};
use crate::cli::lock::SignArgs;
use crate::output::{Done, Exit, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_core::identity::Build;
use agenttrader_floor::plain::plain;
use agenttrader_governance::lock::genesis::{Signed, sign_this, to_sign};
use serde_json::json;

/// Signs.
pub fn run(settings: &Settings, arguments: &SignArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let signer = signer(settings, arguments)?;
    let (lock, text) = to_sign(&repository).map_err(unwritten)?;
    talk("what you sign, from its own bytes:");
    text.lines().for_each(|line| talk(&plain(line)));
    talk(&format!("SHA-256 of it: {}", lock.sha256()));
    let act = || sign_this(&repository, &lock, &signer, clock::wall()).map_err(unwritten);
    let tell = |signed: &Signed| {
        let payload = json!({
            "report": "lock_sign", "principal": signer.principal, "path": signed.path, "missing": signed.missing, "commit": signed.commit,
        });
        (format!("first lock signed by {}", signer.principal), payload)
    };
    let signed = recorded(settings, build, IntentType::Approval, act, tell)?;
    if arguments.json {
        json(&json!({"path": signed.path, "missing": signed.missing, "commit": signed.commit}));
        return Ok(Exit::Good);
    }
    data(&format!("signed     {}", plain(&signed.path)));
    match signed.commit {
        Some(commit) => {
            data(&format!("locked     commit {commit}"));
            talk(
                "next: agenttrader lock validate, then agenttrader lock tag; keep the lock's SHA-256 elsewhere, for --root",
            );
        }
        None => data(&format!("missing    {}", signed.missing.into_iter().collect::<Vec<_>>().join(", "))),
    }
    Ok(Exit::Good)
}
