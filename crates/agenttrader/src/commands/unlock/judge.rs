//! `agenttrader unlock verify` and `status`: they write nothing.

use super::{repository, unwritten};
use crate::cli::unlock::OutputArgs;
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_authority::grant::Grant;
use agenttrader_authority::presented::Presented;
use agenttrader_floor::plain::plain;
use agenttrader_governance::unlock::status::{Status, Unlock, status};
use serde_json::{Value, json};

fn now(settings: &Settings) -> Result<Status, Failure> {
    status(&repository(settings)?, clock::wall()).map_err(unwritten)
}

/// `unlock verify`.
pub fn verified(settings: &Settings, arguments: &OutputArgs) -> Done {
    let repository = repository(settings)?;
    // Where there is no lock to begin at, no unlock can be judged: that is no verdict on one.
    let could_not = |error| Failure { exit: Exit::CouldNot, ..unwritten(error) };
    let status = status(&repository, clock::wall()).map_err(could_not)?;
    let Some(unlock) = &status.unlock else {
        let what = "there is no unlock to judge: HEAD's lock is the first, and no unlock's branch is checked out";
        return Err(Failure::new(Exit::CouldNot, what)
            .hint("`git switch unlock/ID` goes to one that is under way, `agenttrader unlock open` begins one"));
    };
    if arguments.json {
        json(&json!({
            "head": status.head, "unlock_id": unlock.unlock_id, "verdict": if unlock.refused.is_none() { "PASS" } else { "FAIL" },
            "refused": unlock.refused, "remedy": unlock.refused.as_ref().map(|refused| refused.reason.remedy()),
        }));
    } else {
        data(&verdict(unlock));
    }
    Ok(if unlock.refused.is_none() { Exit::Good } else { Exit::Bad })
}

fn verdict(unlock: &Unlock) -> String {
    match &unlock.refused {
        None => format!("PASS       unlock {}: asked for, looked at, approved and made", unlock.unlock_id),
        Some(refused) => {
            let place =
                if refused.path.is_empty() { String::new() } else { format!("\n           {}", plain(&refused.path)) };
            let (line, remedy) = (plain(&refused.line()), refused.reason.remedy());
            format!("FAIL       unlock {}: {line}{place}\n           do: {remedy}", unlock.unlock_id)
        }
    }
}

/// `unlock status`.
pub fn told(settings: &Settings, arguments: &OutputArgs) -> Done {
    let status = now(settings)?;
    if arguments.json {
        json(&json!({
            "head": status.head, "lock_sha256": status.lock.sha256, "lock_commit": status.lock.commit,
            "unlock": status.unlock.as_ref().map(as_json),
        }));
        return Ok(Exit::Good);
    }
    data(&format!("lock       {}, commit {}", status.lock.sha256, status.lock.commit));
    let Some(unlock) = &status.unlock else {
        data("unlock     none");
        return Ok(Exit::Good);
    };
    data(&format!("unlock     {}{}", unlock.unlock_id, if unlock.is_locked { ", locked" } else { ", under way" }));
    if let Some(request) = &unlock.request {
        data(&format!("reason     \"{}\"", plain(&request.reason)));
    }
    data(&format!(
        "signed by  {}",
        if unlock.approvals.is_empty() { "nobody".to_owned() } else { unlock.approvals.join(", ") }
    ));
    data(&verdict(unlock));
    data(&format!("grant      {}", plain(&grant(&unlock.grant))));
    Ok(Exit::Good)
}

fn grant(standing: &Presented<Grant>) -> String {
    match standing {
        Presented::Missing => "none".to_owned(),
        Presented::Unknown => "cannot be told".to_owned(),
        Presented::Unusable { why, .. } => format!("of no use: {}", why.reason()),
        Presented::Good(grant) => {
            let grant = grant.get();
            let (from, until) = (grant.terms.not_before, grant.terms.not_after);
            let modes: Vec<_> = grant.terms.modes.iter().map(|mode| json!(mode)).collect();
            let modes: Vec<_> = modes.iter().filter_map(Value::as_str).collect();
            let symbols: Vec<_> = grant.terms.symbols.iter().map(ToString::to_string).collect();
            format!(
                "{}: {} of {} from {from} until {until}, signed by {}",
                grant.sha256,
                modes.join(", "),
                symbols.join(", "),
                grant.signed_by.join(", ")
            )
        }
    }
}

fn as_json(unlock: &Unlock) -> Value {
    json!({
        "unlock_id": unlock.unlock_id, "is_locked": unlock.is_locked, "request": unlock.request, "approvals": unlock.approvals,
        "refused": unlock.refused, "grant": {"standing": unlock.grant.word(), "says": grant(&unlock.grant)},
    })
}
