//! `agenttrader lock manifests`: the manifest rules over any folder.

use super::report;
use crate::cli::lock::ManifestsArgs;
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_governance::disk::Disk;
use agenttrader_governance::lock::manifests::{Judged, judge};
use agenttrader_governance::lock::validate::fails;
use agenttrader_policy::finding::Rule;
use serde_json::json;

/// Judges, and says what was found.
pub fn run(settings: &Settings, arguments: &ManifestsArgs) -> Done {
    let only = arguments.only.as_deref().map(rules).transpose()?;
    let disk =
        Disk::walk(&arguments.dir, Some(&settings.data_dir)).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    let judged = Judged::new().map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    let findings = judge(&disk, &judged, only.as_deref()).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    if arguments.json {
        json(&report::as_json(&findings, json!({"folder": arguments.dir})));
    } else {
        report::show(&findings);
        data(&report::summary(&findings));
    }
    Ok(if fails(&findings) { Exit::Bad } else { Exit::Good })
}

fn rules(ids: &[String]) -> Result<Vec<Rule>, Failure> {
    let rule = |id: &String| Rule::of_id(id).filter(|rule| Rule::MANIFESTS.contains(rule));
    let wrong = |id: &String| {
        let known: Vec<_> = Rule::MANIFESTS.into_iter().map(Rule::id).collect();
        Failure::new(Exit::CouldNot, format!("`{id}` is no manifest rule"))
            .hint(format!("those are {}", known.join(", ")))
    };
    ids.iter().map(|id| rule(id).ok_or_else(|| wrong(id))).collect()
}
