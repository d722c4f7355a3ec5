//! The one kill switch, and how containers come to it.

use crate::object::Object;
use crate::pod::{Container, Pod};
use crate::yaml::node::Node;

/// The ConfigMap's name.
pub const NAME: &str = "agenttrader-kill-switch";
/// Its namespace.
pub const NAMESPACE: &str = "trading-floor";
/// Its key, and the name of the file that it becomes.
pub const KEY: &str = "EXECUTION_HALTED";
/// Where it is mounted.
pub const FOLDER: &str = "/etc/agenttrader/kill-switch";
/// The file that agents read.
pub const FILE: &str = "/etc/agenttrader/kill-switch/EXECUTION_HALTED";

/// Whether an object is the switch, by name and namespace.
pub fn is_switch(object: &Object<'_>) -> bool {
    object.kind == "ConfigMap" && object.name == NAME && object.namespace == Some(NAMESPACE)
}

/// What a container mounts.
#[derive(Clone, Debug)]
pub struct Mount<'a> {
    /// The entry of `volumeMounts`.
    pub node: &'a Node,
    /// Where it stands in the object.
    pub field: String,
    /// Where it is mounted, with no `.`, `..` and doubled `/`.
    pub path: String,
    /// The volume of that name; none where the pod has none.
    pub volume: Option<&'a Node>,
}

/// Every mount of a container.
pub fn mounts<'a>(pod: &Pod<'a>, container: &Container<'a>) -> Vec<Mount<'a>> {
    let list = |key: &'static str| container.node.get(key).map(Node::items).unwrap_or_default().iter().enumerate();
    let mounts = list("volumeMounts").map(|(index, node)| (index, node, "volumeMounts", "mountPath"));
    let devices = list("volumeDevices").map(|(index, node)| (index, node, "volumeDevices", "devicePath"));
    let volume = |name: Option<&str>| {
        pod.volumes().iter().find(|volume| name.is_some() && volume.get("name").and_then(Node::text) == name)
    };
    mounts
        .chain(devices)
        .map(|(index, node, list, key)| Mount {
            node,
            field: format!("{}.{list}[{index}]", container.field),
            path: normal(node.get(key).and_then(Node::text).unwrap_or("")),
            volume: volume(node.get("name").and_then(Node::text)),
        })
        .collect()
}

impl Mount<'_> {
    /// Whether its volume is the switch's ConfigMap and nothing else.
    pub fn is_of_switch(&self) -> bool {
        self.config_map().is_some_and(|map| map.get("name").and_then(Node::text) == Some(NAME))
    }

    /// The ConfigMap that its volume is.
    pub fn config_map(&self) -> Option<&Node> {
        self.volume.and_then(|volume| volume.get("configMap"))
    }

    /// Why it is not the whole ConfigMap as a directory.
    pub fn partial(&self) -> Option<&'static str> {
        let items = self.config_map().and_then(|map| map.get("items")).map(Node::items).unwrap_or_default();
        let own = |item: &Node| ["key", "path"].iter().all(|name| item.get(name).and_then(Node::text) == Some(KEY));
        match () {
            () if self.node.get("subPath").is_some() || self.node.get("subPathExpr").is_some() => {
                Some("a subPath is never updated: what it shows is the switch as it was at the start")
            }
            () if !items.iter().all(own) => Some("its items give the key another name"),
            () => None,
        }
    }

    /// Whether the volume is missing without anybody noticing.
    pub fn is_optional(&self) -> bool {
        self.config_map().and_then(|map| map.get("optional")).is_some_and(|optional| optional.text() != Some("false"))
    }
}

/// A path from the root, with no `.`, `..` and doubled `/`.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a path is a folder or lies in it.
pub fn is_within(path: &str, folder: &str) -> bool {
    path == folder || folder == "/" || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_as_the_system_sees_them() {
        for path in [
            "/etc/agenttrader/kill-switch/",
            "/etc//agenttrader/./kill-switch",
            "/etc/x/../agenttrader/kill-switch",
            "etc/agenttrader/kill-switch",
        ] {
            assert_eq!(normal(path), FOLDER, "{path}");
        }
        assert!(is_within(FILE, FOLDER) && is_within(FOLDER, FOLDER) && is_within(FOLDER, "/"));
        assert!(!is_within("/etc/agenttrader/kill-switch-2", FOLDER));
    }
}
