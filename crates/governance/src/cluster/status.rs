//! What a pod's status says: where it runs, which digests, what is wrong.

use crate::cluster::{number, text};
use crate::workload::{Problem, Trouble};
use agenttrader_policy::image::check_digest;
use agenttrader_policy::object::Object;
use agenttrader_policy::yaml::node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// The lists of containers' statuses.
const STATUSES: [&str; 3] = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];

/// Why an image is not there.
const PULL: [&str; 7] = [
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImageInspectError",
    "ImagePullBackOff",
    "InvalidImageName",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// Why a container that has its image does not start.
const START: [&str; 5] =
    ["CreateContainerConfigError", "CreateContainerError", "PostStartHookError", "RunContainerError", "StartError"];

/// From so many restarts on, a container that is not ready is taken to crash in a loop: between two crashes its state says that it
/// runs.
const RESTARTS_OF_A_LOOP: u64 = 3;

/// One pod as it runs.
#[derive(Clone, Debug, Default)]
pub struct Running {
    /// Whether it has ended for good.
    pub is_over: bool,
    /// Whether it says that it is ready.
    pub is_ready: bool,
    /// The node it is on.
    pub node: Option<String>,
    /// Restarts of all its containers.
    pub restarts: u64,
    /// Digests by container.
    pub digests: BTreeMap<String, BTreeSet<String>>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads a pod's status.
pub fn running(pod: &Object<'_>) -> Running {
    let phase = text(pod.node, &["status", "phase"]).unwrap_or("");
    let mut running = Running {
        is_over: matches!(phase, "Succeeded" | "Failed"),
        node: text(pod.node, &["spec", "nodeName"]).map(str::to_owned),
        ..Running::default()
    };
    let conditions = pod.at(&["status", "conditions"]).map(Node::items).unwrap_or_default();
    let condition = |kind: &str| conditions.iter().find(|condition| text(condition, &["type"]) == Some(kind));
    let is_true = |kind: &str| condition(kind).is_some_and(|condition| text(condition, &["status"]) == Some("True"));
    running.is_ready = is_true("Ready") && !running.is_over;
    let name = pod.name;
    let unscheduled = condition("PodScheduled").is_some_and(|it| text(it, &["reason"]) == Some("Unschedulable"));
    let mut problem = |trouble, what: String| running.problems.push(Problem { trouble, what });
    match phase {
        "Failed" => problem(Trouble::NotReady, format!("pod {name} has failed")),
        "Unknown" | "" => problem(Trouble::NotReady, format!("pod {name}: its node does not say how it is")),
        _ if unscheduled => problem(Trouble::NotReady, format!("pod {name}: no node has room for it")),
        _ => {}
    }
    for status in STATUSES.into_iter().flat_map(|list| pod.at(&["status", list]).map(Node::items).unwrap_or_default()) {
        container(name, status, &mut running);
    }
    running
}

fn container(pod: &str, status: &Node, running: &mut Running) {
    let name = text(status, &["name"]).unwrap_or("");
    let restarts = number(status, &["restartCount"]).unwrap_or(0);
    running.restarts = running.restarts.saturating_add(restarts);
    if let Some(digest) = text(status, &["imageID"]).and_then(digest) {
        running.digests.entry(name.to_owned()).or_default().insert(digest);
    }
    let times = |count: u64| if count == 1 { "1 restart".to_owned() } else { format!("{count} restarts") };
    let mut problem = |trouble, what: String| {
        running.problems.push(Problem { trouble, what: format!("pod {pod}, container {name}: {what}") });
    };
    let waiting = text(status, &["state", "waiting", "reason"]);
    let is_ready = text(status, &["ready"]) == Some("true");
    let is_between = status.at(&["state", "running"]).is_some() && !is_ready && restarts >= RESTARTS_OF_A_LOOP;
    match waiting {
        Some("CrashLoopBackOff") => problem(Trouble::CrashLoop, format!("crashes in a loop, {}", times(restarts))),
        Some(reason) if PULL.contains(&reason) => {
            problem(Trouble::ImagePull, format!("its image cannot be pulled ({reason})"));
        }
        Some(reason) if START.contains(&reason) => problem(Trouble::NotReady, format!("cannot start ({reason})")),
        _ if is_between => {
            problem(Trouble::CrashLoop, format!("is not ready after {}", times(restarts)));
        }
        _ => {}
    }
    if text(status, &["lastState", "terminated", "reason"]) == Some("OOMKilled") {
        problem(Trouble::Told, "was ended for want of memory".to_owned());
    }
}

/// The digest that a registry knows an image by, out of what the node says; the id of an image alone is none.
fn digest(image_id: &str) -> Option<String> {
    let (_, digest) = image_id.rsplit_once('@')?;
    check_digest(digest).ok().map(|()| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_registry_knows_an_image_by_is_its_digest() {
        let hex = "ab".repeat(32);
        for (id, found) in [
            (format!("docker.io/agenttrader/agenttrader@sha256:{hex}"), true),
            (format!("docker-pullable://registry.example:5000/a/b@sha256:{hex}"), true),
            (format!("sha256:{hex}"), false),
            (format!("a@sha256:{}", hex.to_uppercase()), false),
            ("a@sha256:abc".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(digest(&id).is_some(), found, "{id}");
        }
    }
}
