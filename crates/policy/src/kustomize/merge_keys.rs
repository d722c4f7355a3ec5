//! Which lists a strategic merge merges item by item, and by which keys.
//!
//! Of the kinds that kustomize knows; of any other kind lists are replaced as a whole. The keys are those of the Kubernetes API
//! (`x-kubernetes-patch-merge-key` and `x-kubernetes-list-map-keys`).

use super::resource::Id;

/// What a merge knows of a mapping: the fields that are more than a value to be replaced.
#[derive(Debug)]
pub struct Shape {
    fields: &'static [(&'static str, Field)],
}

/// What a merge knows of a field.
#[derive(Debug)]
pub enum Field {
    /// A mapping with fields of its own.
    Mapping(&'static Shape),
    /// A list of mappings that are told apart by these keys.
    Items(&'static [&'static str], &'static Shape),
    /// A list of texts that is a set.
    Set,
}

impl Shape {
    /// What it knows of a field.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, field)| field)
    }
}

const fn shape(fields: &'static [(&'static str, Field)]) -> Shape {
    Shape { fields }
}

static PLAIN: Shape = shape(&[]);
static META: Shape = shape(&[("finalizers", Field::Set), ("ownerReferences", Field::Items(&["uid"], &PLAIN))]);
static OBJECT: Shape = shape(&[("metadata", Field::Mapping(&META))]);
static CONTAINER: Shape = shape(&[
    ("env", Field::Items(&["name"], &PLAIN)),
    ("ports", Field::Items(&["containerPort", "protocol"], &PLAIN)),
    ("volumeDevices", Field::Items(&["devicePath"], &PLAIN)),
    ("volumeMounts", Field::Items(&["mountPath"], &PLAIN)),
]);
static POD_SPEC: Shape = shape(&[
    ("containers", Field::Items(&["name"], &CONTAINER)),
    ("ephemeralContainers", Field::Items(&["name"], &CONTAINER)),
    ("hostAliases", Field::Items(&["ip"], &PLAIN)),
    ("imagePullSecrets", Field::Items(&["name"], &PLAIN)),
    ("initContainers", Field::Items(&["name"], &CONTAINER)),
    ("topologySpreadConstraints", Field::Items(&["topologyKey", "whenUnsatisfiable"], &PLAIN)),
    ("volumes", Field::Items(&["name"], &PLAIN)),
]);
static POD: Shape = shape(&[("metadata", Field::Mapping(&META)), ("spec", Field::Mapping(&POD_SPEC))]);
static POD_TEMPLATE: Shape = shape(&[("metadata", Field::Mapping(&META)), ("template", Field::Mapping(&POD))]);
static WORKLOAD_SPEC: Shape = shape(&[("template", Field::Mapping(&POD))]);
static WORKLOAD: Shape = shape(&[("metadata", Field::Mapping(&META)), ("spec", Field::Mapping(&WORKLOAD_SPEC))]);
static CRON_JOB_SPEC: Shape = shape(&[("jobTemplate", Field::Mapping(&WORKLOAD))]);
static CRON_JOB: Shape = shape(&[("metadata", Field::Mapping(&META)), ("spec", Field::Mapping(&CRON_JOB_SPEC))]);
static SERVICE_SPEC: Shape = shape(&[("ports", Field::Items(&["port", "protocol"], &PLAIN))]);
static SERVICE: Shape = shape(&[("metadata", Field::Mapping(&META)), ("spec", Field::Mapping(&SERVICE_SPEC))]);
static SERVICE_ACCOUNT: Shape =
    shape(&[("metadata", Field::Mapping(&META)), ("secrets", Field::Items(&["name"], &PLAIN))]);
static WEBHOOKS: Shape = shape(&[("metadata", Field::Mapping(&META)), ("webhooks", Field::Items(&["name"], &PLAIN))]);

/// What a merge knows of an object; nothing of a kind that is not Kubernetes' own.
pub fn shape_of(id: &Id) -> Option<&'static Shape> {
    Some(match (id.group.as_str(), id.version.as_str(), id.kind.as_str()) {
        ("", "v1", "Pod") => &POD,
        ("", "v1", "PodTemplate") => &POD_TEMPLATE,
        ("", "v1", "ReplicationController")
        | ("apps", "v1", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet")
        | ("batch", "v1", "Job") => &WORKLOAD,
        ("batch", "v1" | "v1beta1", "CronJob") => &CRON_JOB,
        ("", "v1", "Service") => &SERVICE,
        ("", "v1", "ServiceAccount") => &SERVICE_ACCOUNT,
        (
            "admissionregistration.k8s.io",
            "v1" | "v1beta1",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => &WEBHOOKS,
        (
            "",
            "v1",
            "ConfigMap"
            | "Endpoints"
            | "LimitRange"
            | "Namespace"
            | "Node"
            | "PersistentVolume"
            | "PersistentVolumeClaim"
            | "ResourceQuota"
            | "Secret",
        )
        | ("autoscaling", "v1" | "v2beta1" | "v2beta2", "HorizontalPodAutoscaler")
        | ("networking.k8s.io", "v1", "NetworkPolicy")
        | ("networking.k8s.io", "v1" | "v1beta1", "Ingress" | "IngressClass")
        | ("policy", "v1" | "v1beta1", "PodDisruptionBudget")
        | (
            "rbac.authorization.k8s.io",
            "v1" | "v1beta1",
            "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding",
        )
        | ("scheduling.k8s.io", "v1" | "v1beta1", "PriorityClass")
        | ("storage.k8s.io", "v1" | "v1beta1", "StorageClass") => &OBJECT,
        _ => return None,
    })
}
