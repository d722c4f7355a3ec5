//! A token of the cluster's is where somebody uses it.

use super::{account, is_binding, reaches};
use crate::finding::{Finding, Rule};
use crate::object::Object;
use crate::pod::Pod;
use crate::rules::workload::is_cloud_run;
use crate::world::{Scope, World};
use crate::yaml::node::Node;

const REMEDY: &str = "set `automountServiceAccountToken: false` in the pod's specification";

pub(super) fn judge(world: &World<'_>, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    for pod in scope.pods.iter().filter(|pod| !pod.object.patch && !is_cloud_run(pod) && is_pod(pod)) {
        if !is_used(world, pod) {
            findings.extend(mounted(world, pod));
            findings.extend(projected(pod));
        }
    }
    for secret in scope.objects.iter().filter(|object| object.kind == "Secret") {
        let kind = secret.node.get("type");
        if kind.and_then(Node::text) == Some("kubernetes.io/service-account-token") {
            let what = "a token of a service account that never ends";
            findings.push(secret.fail(
                Rule::Rbac,
                kind.unwrap_or(secret.node),
                "type",
                what,
                "remove it; a pod that needs a token gets one",
            ));
        }
    }
}

/// Whether it is a pod as clusters know them: a custom kind's steps have no account.
fn is_pod(pod: &Pod<'_>) -> bool {
    pod.spec.get("containers").is_some()
}

/// Whether a binding reaches its account: then it has something to look at.
fn is_used(world: &World<'_>, pod: &Pod<'_>) -> bool {
    let own = (pod.object.namespace, account(pod));
    let mut bindings = world.objects().filter(|object| is_binding(object));
    bindings.any(|binding| {
        let subjects = binding.node.get("subjects").map(Node::items).unwrap_or_default();
        let by_name = subjects.iter().filter(|subject| subject.get("kind").and_then(Node::text) != Some("Group"));
        by_name.into_iter().any(|subject| reaches(binding, subject, own))
    })
}

fn mounted(world: &World<'_>, pod: &Pod<'_>) -> Option<Finding> {
    let says = |node: &Node| node.get("automountServiceAccountToken").and_then(Node::text) == Some("false");
    let own = pod.spec.get("automountServiceAccountToken");
    let of_account = || {
        let named = |object: &&Object<'_>| {
            object.is_named("ServiceAccount", pod.object.namespace, account(pod)) && !object.patch
        };
        let mut accounts = world.objects().filter(named).peekable();
        accounts.peek().is_some() && accounts.all(|account| says(account.node))
    };
    let off = if own.is_some_and(|own| own.text().is_some()) { says(pod.spec) } else { of_account() };
    (!off).then(|| {
        let field = pod.place("automountServiceAccountToken");
        let what =
            format!("the token of `{}` is mounted, and no binding in the tree gives it anything to do", account(pod));
        pod.object.fail(Rule::Rbac, own.unwrap_or(pod.spec), &field, what, REMEDY)
    })
}

/// A token that a volume brings. One for another audience is of no use to the cluster.
fn projected(pod: &Pod<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, volume) in pod.volumes().iter().enumerate() {
        for source in volume.at(&["projected", "sources"]).map(Node::items).unwrap_or_default() {
            let Some(token) = source.get("serviceAccountToken") else { continue };
            let audience = token.get("audience").and_then(Node::text).unwrap_or("kubernetes");
            if audience.contains("kubernetes") || audience == "api" {
                let field = pod.place(&format!("volumes[{index}].projected"));
                let what = "a volume brings the token of an account that has nothing to do";
                findings.push(pod.object.fail(Rule::Rbac, token, &field, what, "remove the volume"));
            }
        }
    }
    findings
}
