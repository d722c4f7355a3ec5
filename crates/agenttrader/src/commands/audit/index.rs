//! `agenttrader audit index`: every artefact of a folder, and who made it.

use crate::cli::audit::IndexArgs;
use crate::output::{Done, Exit, Failure, data, raw};
use crate::settings::Settings;
use agenttrader_governance::artefacts::{Producers, index, index_bytes};

/// Lists; writes nothing.
pub fn run(settings: &Settings, arguments: &IndexArgs) -> Done {
    let indexed = index(&arguments.dir, &Producers::of(&settings.data_dir))
        .map_err(|error| Failure::of(Exit::CouldNot, &error))?;
    if arguments.json {
        raw(&index_bytes(&indexed));
    } else {
        for it in &indexed {
            let by = it.producer.as_ref().map_or_else(
                || "not known".to_owned(),
                |by| {
                    let entry = by.entry.map(|entry| format!(" entry {entry}")).unwrap_or_default();
                    format!("{} ({}{entry})", by.command, by.agent_name)
                },
            );
            data(&format!("{}  {:>9}  {}  by {by}", it.sha256, it.size, agenttrader_floor::plain::plain(&it.path)));
        }
    }
    Ok(Exit::Good)
}
