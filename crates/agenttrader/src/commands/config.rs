//! `agenttrader config show`.

use crate::cli::OutputArgs;
use crate::output::{Done, Exit, data, json};
use crate::settings::{Origin, Settings};

/// Prints the effective values and where each came from.
pub fn show(settings: &Settings, arguments: &OutputArgs) -> Done {
    if arguments.json {
        json(&settings.shown);
        return Ok(Exit::Good);
    }
    let width = settings.shown.iter().map(|shown| shown.name.len()).max().unwrap_or(0);
    for shown in &settings.shown {
        let origin = match shown.origin {
            Origin::Flag => "flag",
            Origin::Environment => "environment",
            Origin::File => "file",
            Origin::Default => "default",
        };
        data(&format!("{:<width$}  {}  ({origin})", shown.name, shown.value));
    }
    Ok(Exit::Good)
}
