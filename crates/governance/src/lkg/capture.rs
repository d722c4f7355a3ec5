//! Capturing: only a cluster that is well is good, and only what holds the lock's rules is kept.

use crate::cluster::Cluster;
use crate::cluster::switch::State;
use crate::json_file;
use crate::lkg::keep::{Kept, Rest, keep};
use crate::lkg::yaml::documents;
use crate::lkg::{FORMAT, MANIFEST, METADATA, Metadata, Posture, objections, said};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::switch::{KEY, NAMESPACE};

/// Of when, by whom, and of where a capture is.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// The time.
    pub at: UnixNanos,
    /// The build that captures.
    pub build: &'a Build,
    /// The cluster's name.
    pub cluster: Option<&'a str>,
    /// The context of kubectl.
    pub context: Option<&'a str>,
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lkg {
    /// The manifest.
    pub manifest: String,
    /// What is known about it.
    pub metadata: Metadata,
}

/// This is no state to come back to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this cluster is not known to be good: {}", .reasons.join("; "))]
pub struct NotGood {
    /// Every reason.
    pub reasons: Vec<String>,
}

/// Captures a cluster.
///
/// # Errors
/// [`NotGood`], with every reason. A workload that is rightly at zero is none, and neither is a switch that is released or an execution
/// that runs: they are kept at rest, and the metadata says what was seen.
pub fn capture(cluster: &Cluster<'_>, captured: Captured<'_>) -> Result<Lkg, NotGood> {
    let workloads = cluster.workloads();
    let Kept { objects, components, left_out, mut refusals } = keep(cluster, &workloads, Rest::Forced);
    let has = |kind: &str| objects.iter().any(|object| object.get("kind").is_some_and(|it| it == kind));
    for kind in ["Namespace", "ServiceAccount"] {
        if !has(kind) {
            refusals.push(format!("no {kind} of {NAMESPACE} among the objects: save that kind too"));
        }
    }
    let switch = cluster.switch();
    if switch.state == State::Unknown {
        refusals.push(switch.evidence.clone());
    }
    if components.is_empty() {
        refusals.push(format!("no workload of {NAMESPACE} among the objects"));
    }
    let manifest = documents(&objects);
    refusals.extend(said(&objections(manifest.as_bytes())));
    if !refusals.is_empty() {
        refusals.dedup();
        return Err(NotGood { reasons: refusals });
    }
    let running = workloads.iter().filter(|it| it.can_place_orders() && !it.allowed_to_run);
    let metadata = Metadata {
        format: FORMAT.to_owned(),
        at_utc: captured.at,
        git_sha: captured.build.git_sha.clone(),
        build_id: captured.build.build_id.clone(),
        cluster: captured.cluster.map(str::to_owned),
        context: captured.context.map(str::to_owned),
        namespace: NAMESPACE.to_owned(),
        manifest_sha256: Digest::of(manifest.as_bytes()),
        components,
        left_out,
        safety_posture: Posture {
            kill_switch_seen: switch.evidence,
            kill_switch_kept: format!("{KEY} is `1`"),
            execution_seen_running: running.map(|it| it.workload.clone()).collect(),
        },
    };
    Ok(Lkg { manifest, metadata })
}

impl Lkg {
    /// Both files by their names: the manifest first, so that metadata never speaks of one that is not there.
    pub fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![(MANIFEST, self.manifest.clone().into_bytes()), (METADATA, json_file::bytes(&self.metadata))]
    }
}
