//! Whether a pod comes from what has the shape of one: in a custom kind an image beside other fields may be a setting of its operator.

use crate::object::Object;
use crate::pod::{Container, Pod, Position};
use crate::world::World;

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
