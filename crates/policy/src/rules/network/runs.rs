//! Whether a pod comes from what has the shape of one: in a custom kind an image beside other fields may be a setting of its operator.

use crate::object::Object;
use crate::placing::base_name;
use crate::pod::{Container, Pod, Position};
use crate::world::World;
use crate::yaml::node::Node;

/// The groups of Kubernetes that hold workloads, besides the core group.
const OWN: [&str; 5] = ["apps", "batch", "autoscaling", "policy", "extensions"];

/// What says how a process is run, and not only which: whoever writes one of these writes a pod.
const PROCESS: [&str; 6] = ["command", "args", "env", "envFrom", "volumeMounts", "script"];

/// Kinds of Tekton that run only when a run names them.
const TASKS: [&str; 4] = ["Task", "ClusterTask", "Pipeline", "StepAction"];

/// Whether something of a tree makes a pod of it.
pub fn is_run(world: &World<'_>, pod: &Pod<'_>) -> bool {
    if !is_custom(&pod.object) || pod.can_place_orders() || pod.containers.iter().any(|each| is_of_pod(each)) {
        return true;
    }
    if is_of_tekton(&pod.object) && TASKS.contains(&pod.object.kind) {
        return world.objects().any(|object| is_of_tekton(object) && object.kind.ends_with("Run"));
    }
    // Who has our image in a custom kind runs it, unless it is what builds it.
    let builds = pod.object.is_of_group("skaffold");
    if !builds && pod.containers.iter().any(has_our_image) {
        return true;
    }
    pod.containers.iter().any(|container| PROCESS.iter().any(|field| container.node.get(field).is_some()))
}

fn is_custom(object: &Object<'_>) -> bool {
    object.api_version.split_once('/').is_some_and(|(group, _)| !OWN.contains(&group))
}

fn is_of_tekton(object: &Object<'_>) -> bool {
    object.is_of_group("tekton.dev")
}

/// Whether a container stands where those of pods stand: in a pod's list, in a template, or alone under its name.
fn is_of_pod(container: &Container<'_>) -> bool {
    let field = container.field.to_ascii_lowercase();
    container.position != Position::Other || field.contains("template") || field.ends_with("container")
}

fn has_our_image(container: &Container<'_>) -> bool {
    let image = container.node.get("image").and_then(Node::text).unwrap_or_default();
    base_name(image).contains("agenttrader")
}
