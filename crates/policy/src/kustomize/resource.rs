//! Objects on their way through a kustomization: what they are called, and what they were called before.

use std::sync::Arc;

use crate::yaml::node::Node;

use super::edit::{self, Place};

/// What tells objects apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// The group of its apiVersion; empty for the core group.
    pub group: String,
    /// The version of its apiVersion.
    pub version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace: `default` where it has none, empty where its kind knows none.
    pub namespace: String,
}

/// One object.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What it holds.
    pub node: Node,
    /// Its ids before each change of name or namespace, oldest first.
    pub previous: Vec<Id>,
    /// Name prefixes it was given, innermost first.
    pub prefixes: Vec<String>,
    /// Name suffixes it was given, innermost first.
    pub suffixes: Vec<String>,
    /// Whether its name ends in a digest of its content.
    pub hashed: bool,
}

/// Kinds without a namespace. All others, unknown ones too, are taken to have one, as kustomize does.
const CLUSTER_KINDS: [&str; 25] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "SelfSubjectAccessReview",
    "SelfSubjectRulesReview",
    "StorageClass",
    "SubjectAccessReview",
    "TokenReview",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Groups whose kinds the list above is about; a custom kind of one of these names has a namespace.
const KNOWN_GROUPS: [&str; 13] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
];

impl Id {
    /// Whether its kind has no namespace.
    pub fn is_cluster_scoped(&self) -> bool {
        CLUSTER_KINDS.contains(&self.kind.as_str())
            && (KNOWN_GROUPS.contains(&self.group.as_str()) || self.group == "storage.k8s.io")
    }
}

impl Resource {
    /// An object as it stands in a file.
    pub fn new(node: Node) -> Self {
        Self { node, previous: Vec::new(), prefixes: Vec::new(), suffixes: Vec::new(), hashed: false }
    }

    /// What it is called now.
    pub fn id(&self) -> Id {
        id_of(&self.node)
    }

    /// What it was called first.
    pub fn first_id(&self) -> Id {
        self.previous.first().cloned().unwrap_or_else(|| self.id())
    }

    /// All it was ever called.
    pub fn ids(&self) -> impl Iterator<Item = Id> + '_ {
        self.previous.iter().cloned().chain(std::iter::once(self.id()))
    }

    /// Keeps what it is called now, before that changes.
    pub fn remember(&mut self) {
        let id = self.id();
        self.previous.push(id);
    }

    /// Its name now.
    pub fn name(&self) -> &str {
        self.node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default()
    }

    /// Its namespace as written now; empty for none.
    pub fn namespace(&self) -> &str {
        self.node.at(&["metadata", "namespace"]).and_then(Node::text).unwrap_or_default()
    }

    /// Renames it.
    pub fn set_name(&mut self, name: &str) {
        if let Some(held) = edit::child_mut(&mut self.node, "metadata").and_then(|meta| edit::child_mut(meta, "name")) {
            let file = held.file.clone().unwrap_or_else(|| Arc::from(""));
            *held = Place { file, line: held.line }.text(name);
        }
    }
}

/// What an object is called.
pub fn id_of(node: &Node) -> Id {
    let text = |path: &[&str]| node.at(path).and_then(Node::text).unwrap_or_default().to_owned();
    let api_version = text(&["apiVersion"]);
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let mut id = Id {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: text(&["kind"]),
        name: text(&["metadata", "name"]),
        namespace: text(&["metadata", "namespace"]),
    };
    if id.is_cluster_scoped() {
        id.namespace.clear();
    } else if id.namespace.is_empty() {
        "default".clone_into(&mut id.namespace);
    }
    id
}
