//! `agenttrader lock pin`: an image's digest into the manifests.

use super::repository;
use crate::cli::lock::PinArgs;
use crate::output::{Done, Exit, Failure, counted, data, json, talk};
use crate::settings::Settings;
use agenttrader_governance::disk::Disk;
use agenttrader_governance::lock::manifests::Judged;
use agenttrader_governance::lock::pin::{Pin, pin};
use serde_json::json;

/// Writes it.
pub fn run(settings: &Settings, arguments: &PinArgs) -> Done {
    let wanted = Pin::parse(&arguments.image).map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    let repository = repository(settings)?;
    let could_not = |error: &dyn std::error::Error| Failure::of(Exit::CouldNot, error);
    let disk = Disk::walk(repository.root(), Some(&settings.data_dir)).map_err(|error| could_not(&error))?;
    let judged = Judged::new().map_err(|error| could_not(&error))?;
    let written = pin(&disk, &judged, &wanted).map_err(|error| could_not(&error))?;
    if written.is_empty() {
        return Err(Failure::new(Exit::Bad, "no manifest names this image with another reference")
            .hint("`agenttrader lock manifests .` lists images without a digest"));
    }
    let lines: usize = written.iter().map(|(_, lines)| lines).sum();
    if arguments.json {
        let files: Vec<_> =
            written.iter().map(|(path, lines)| json!({"path": path.to_string(), "lines": lines})).collect();
        json(&json!({"image": arguments.image, "files": files}));
    } else {
        written.iter().for_each(|(path, lines)| data(&format!("{path}: {lines}")));
        talk(&format!(
            "{} in {}: a change like any other, which people approve",
            counted(lines, "reference"),
            counted(written.len(), "file")
        ));
    }
    Ok(Exit::Good)
}
