//! `agenttrader lkg`: what was last known to be good, kept, compared, and planned back.

use super::{cluster, objects, parsed, seen, written};
use crate::cli::evidence::{CaptureArgs, DiffArgs, LkgCommand, RestoreArgs};
use crate::output::{Done, Exit, Failure, data, json, raw, talk};
use crate::settings::Settings;
use agenttrader_core::identity::Build;
use agenttrader_floor::plain::plain;
use agenttrader_governance::lkg::capture::{Captured, capture};
use agenttrader_governance::lkg::diff::diff;
use agenttrader_governance::lkg::restore::{Kept, KeptError};
use serde_json::json;

/// Runs the command.
pub fn run(settings: &Settings, command: LkgCommand, build: &Build) -> Done {
    match command {
        LkgCommand::Capture(arguments) => keep(settings, &arguments, build),
        LkgCommand::Diff(arguments) => compare(settings, &arguments),
        LkgCommand::Restore(arguments) => plan(&arguments),
    }
}

fn keep(settings: &Settings, arguments: &CaptureArgs, build: &Build) -> Done {
    let (saved, _) = objects(settings, Some(&arguments.from))?;
    let parsed = parsed(&saved)?;
    let captured = Captured {
        at: seen(arguments.at.as_deref())?,
        build,
        cluster: arguments.cluster.as_deref(),
        context: arguments.context.as_deref(),
    };
    let lkg = capture(&cluster(&parsed)?, captured).map_err(|error| {
        Failure::of(Exit::Bad, &error).hint("`agenttrader report deploy --from …` shows the whole cluster")
    })?;
    let about = json!({"components": lkg.metadata.components.len(), "safety_posture": lkg.metadata.safety_posture});
    let files = written(settings, build, "lkg capture", &arguments.out, &lkg.files(), about)?;
    if arguments.json {
        json(&lkg.metadata);
    } else {
        for component in &lkg.metadata.components {
            let rests = if component.can_place_orders { ", at zero: it can place orders" } else { "" };
            data(&plain(&format!("kept      {}{rests}", component.workload)));
        }
        for left in &lkg.metadata.left_out {
            data(&plain(&format!("left out  {}: {}", left.object, left.why)));
        }
        files.iter().for_each(|file| talk(&format!("written: {}", file.path.display())));
    }
    Ok(Exit::Good)
}

fn unread(error: &KeptError) -> Failure {
    match error {
        KeptError::Read { .. } => Failure::of(Exit::CouldNot, error).hint("`agenttrader lkg capture` makes it"),
        KeptError::Refused { .. } => Failure::of(Exit::Bad, error).hint("take it from the history, or capture anew"),
    }
}

fn compare(settings: &Settings, arguments: &DiffArgs) -> Done {
    let kept = Kept::read(&arguments.lkg).map_err(|error| unread(&error))?;
    let (saved, _) = objects(settings, Some(&arguments.from))?;
    let parsed = parsed(&saved)?;
    let differences = diff(&kept.manifest, &cluster(&parsed)?);
    if arguments.json {
        json(&json!({"differences": differences}));
    } else {
        for it in &differences {
            let said = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
            data(&plain(&format!("{} {}: kept {}, now {}", it.object, it.field, said(&it.kept), said(&it.now))));
        }
        data(&format!("{} differences", differences.len()));
    }
    Ok(if differences.is_empty() { Exit::Good } else { Exit::Bad })
}

fn plan(arguments: &RestoreArgs) -> Done {
    let kept = Kept::read(&arguments.lkg).map_err(|error| unread(&error))?;
    let plan = kept.plan(&arguments.lkg.to_string_lossy()).map_err(|error| unread(&error))?;
    raw(plan.as_bytes());
    talk("nothing was run: a person runs these, one step at a time");
    Ok(Exit::Good)
}
