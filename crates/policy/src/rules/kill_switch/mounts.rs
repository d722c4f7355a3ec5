//! What is mounted where the switch stands, and where the switch is mounted.

use crate::finding::{Finding, Rule};
use crate::pod::{Container, Pod};
use crate::switch::{FOLDER, Mount, is_within, mounts};
use crate::world::World;
use crate::yaml::node::Node;

const REMEDY: &str =
    "mount the ConfigMap `agenttrader-kill-switch`, whole, at /etc/agenttrader/kill-switch, and nothing else there";

/// Every mount that hides, fakes or moves the switch, in any workload.
pub fn judge(world: &World<'_>, findings: &mut Vec<Finding>) {
    for pod in world.scopes.iter().flat_map(|scope| &scope.pods) {
        for container in &pod.containers {
            of_container(pod, container, findings);
        }
    }
}

fn of_container(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Vec<Finding>) {
    let all = mounts(pod, container);
    let real = all.iter().any(|mount| mount.path == FOLDER && mount.is_of_switch() && mount.partial().is_none());
    let reads = !container.environment.value("EXECUTION_HALTED_FILE").is_absent();
    let mut at_folder: usize = 0;
    for mount in &all {
        let there = is_within(&mount.path, FOLDER);
        at_folder = at_folder.saturating_add(usize::from(mount.path == FOLDER));
        let what = match () {
            // A change to another object may leave the volumes to that object.
            () if pod.object.patch && mount.volume.is_none() && mount.node.get("subPath").is_none() => None,
            () if there && !mount.is_of_switch() => {
                Some("something else than the kill switch is mounted over it".to_owned())
            }
            () if mount.is_of_switch() && mount.path != FOLDER => {
                Some(format!("the kill switch is mounted at `{}`", mount.path))
            }
            () if mount.is_of_switch() => mount.partial().map(str::to_owned),
            () if is_within(FOLDER, &mount.path) && !real && (reads || makes_folder(mount)) => {
                Some(format!("what is mounted at `{}` may hold a switch of its own", mount.path))
            }
            () => None,
        };
        let twice = || {
            (at_folder > 1 && mount.path == FOLDER).then(|| "two volumes are mounted over the kill switch".to_owned())
        };
        if let Some(what) = what.or_else(twice) {
            findings.push(pod.object.fail(Rule::KillSwitch, mount.node, &mount.field, what, REMEDY));
        }
    }
}

/// Whether a volume's items make a folder of the switch's name.
fn makes_folder(mount: &Mount<'_>) -> bool {
    fn any(node: &Node) -> bool {
        let here = node.get("path").and_then(Node::text).is_some_and(|path| path.contains("kill-switch/"));
        here || node.items().iter().any(any) || node.entries().iter().any(|(_, value)| any(value))
    }
    mount.volume.is_some_and(any)
}
