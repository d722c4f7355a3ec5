//! The lock contract, rule `hardening`: a process has no more than it needs, and an agent with a log is there once.
//!
//! Of every container, init and ephemeral ones too: not root, a root file system that cannot be written, all capabilities
//! dropped, no way to more privileges, limits, nothing of the host. What stands at the container counts before what stands at
//! the pod. `NET_BIND_SERVICE` may be added. A memory limit is a duty; without one for the processor, or without a
//! seccomp profile, it is a warning. Cloud Run's sandbox brings its own file system and capabilities: there the limits
//! count, and nothing may be taken back.
//!
//! An agent writes a log of its own, so two of it would write one history twice: `Recreate`, one replica, no `DaemonSet`, no
//! autoscaler beyond one. Of a `StatefulSet` the name already holds the second back.

mod number;

use super::workload::is_cloud_run;
use crate::finding::{Finding, Rule};
use crate::pod::{Container, Pod, Position};
use crate::world::World;
use crate::yaml::node::Node;

/// What has more than it needs.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for scope in &world.scopes {
        for pod in &scope.pods {
            host(pod, &mut findings);
            for container in &pod.containers {
                taken(pod, container, &mut findings);
                if !pod.object.patch && container.position != Position::Other {
                    given(pod, container, &mut findings);
                }
            }
        }
        number::judge(scope, &mut findings);
    }
    findings
}

fn is(node: Option<&Node>, text: &str) -> bool {
    node.and_then(Node::text).is_some_and(|own| own.eq_ignore_ascii_case(text))
}

/// Whether a value is a word, or what YAML 1.1 takes for it.
fn says(node: &Node, word: &str) -> bool {
    let others: &[&str] = match word {
        "true" => &["yes", "on", "y"],
        "false" => &["no", "off", "n"],
        _ => &[],
    };
    is(Some(node), word) || others.iter().any(|other| is(Some(node), other))
}

/// Zero in any of its spellings: `0`, `00`, `0x0`, `-0`.
fn is_zero(node: &Node) -> bool {
    let text = node.text().unwrap_or_default();
    let digits = text.trim_start_matches(['+', '-']);
    let digits = ["0x", "0o", "0b"].iter().find_map(|prefix| digits.strip_prefix(prefix)).unwrap_or(digits);
    !digits.is_empty() && digits.chars().all(|c| matches!(c, '0' | '_' | '.'))
}

/// What a pod has of its host.
fn host(pod: &Pod<'_>, findings: &mut Vec<Finding>) {
    for key in ["hostNetwork", "hostPID", "hostIPC"] {
        let set = pod.spec.get(key).filter(|value| value.text().is_some() && !is(Some(value), "false"));
        findings.extend(set.map(|at| {
            fail(pod, at, &pod.place(key), format!("`{key}`: the pod has the host's"), format!("remove `{key}`"))
        }));
    }
    for (index, volume) in pod.volumes().iter().enumerate() {
        if let Some(path) = volume.get("hostPath") {
            let field = pod.place(&format!("volumes[{index}].hostPath"));
            let what = "a folder of the host is mounted".to_owned();
            findings.push(fail(pod, path, &field, what, "use a volume of its own: a claim, an `emptyDir`"));
        }
    }
    if let Some(context) = pod.spec.get("securityContext") {
        forbidden(pod, context, &pod.place("securityContext"), findings);
    }
}

/// What a container has taken back or added.
fn taken(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Vec<Finding>) {
    for (index, port) in container.node.get("ports").map(Node::items).unwrap_or_default().iter().enumerate() {
        if let Some(host) = port.get("hostPort").filter(|host| !is(Some(host), "0")) {
            let field = format!("{}.ports[{index}].hostPort", container.field);
            findings.push(fail(
                pod,
                host,
                &field,
                "a port of the host is taken".to_owned(),
                "remove `hostPort`; use a Service",
            ));
        }
    }
    if let Some(context) = container.node.get("securityContext") {
        forbidden(pod, context, &format!("{}.securityContext", container.field), findings);
    }
}

/// What no security context may say.
fn forbidden(pod: &Pod<'_>, context: &Node, field: &str, findings: &mut Vec<Finding>) {
    for (path, bad, remedy) in [
        (["privileged"].as_slice(), "true", "remove `privileged`"),
        (&["allowPrivilegeEscalation"], "true", "set `allowPrivilegeEscalation: false`"),
        (&["runAsNonRoot"], "false", "set `runAsNonRoot: true`"),
        (&["runAsUser"], "0", "run as a user of its own, not 0"),
        (&["readOnlyRootFilesystem"], "false", "set `readOnlyRootFilesystem: true` and mount what is written"),
        (&["seccompProfile", "type"], "Unconfined", "set `seccompProfile.type: RuntimeDefault`"),
        (&["appArmorProfile", "type"], "Unconfined", "remove `appArmorProfile`"),
        (&["procMount"], "Unmasked", "remove `procMount`"),
        (&["windowsOptions", "hostProcess"], "true", "remove `hostProcess`"),
    ] {
        if let Some(at) = context.at(path).filter(|at| says(at, bad) || bad == "0" && is_zero(at)) {
            let name = path.join(".");
            findings.push(fail(pod, at, &format!("{field}.{name}"), format!("`{name}` is `{bad}`"), remedy));
        }
    }
    let added = context.at(&["capabilities", "add"]);
    let added = added.map(|list| if list.items().is_empty() { std::slice::from_ref(list) } else { list.items() });
    for at in added.unwrap_or_default().iter().filter(|at| at.text().is_some_and(|name| name != "NET_BIND_SERVICE")) {
        let what = format!("the capability `{}` is added", at.text().unwrap_or_default());
        findings.push(fail(pod, at, &format!("{field}.capabilities.add"), what, "remove it"));
    }
}

/// What a container has to say.
fn given(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Vec<Finding>) {
    let own = container.node.get("securityContext");
    let of_pod = pod.spec.get("securityContext");
    let field = format!("{}.securityContext", container.field);
    let mut missing = |holds: bool, what: &str, remedy: &str| {
        if !holds {
            let at = own.unwrap_or(container.node);
            findings.push(fail(pod, at, &field, what.to_owned(), remedy));
        }
    };
    let either = |path: &[&str]| {
        own.and_then(|context| context.at(path)).or_else(|| of_pod.and_then(|context| context.at(path)))
    };
    let at_container = |path: &[&str]| own.and_then(|context| context.at(path));
    if !is_cloud_run(pod) {
        let not_root = either(&["runAsNonRoot"]);
        missing(
            is(not_root, "true") || is(not_root, "false"),
            "nothing says that it does not run as root",
            "set `runAsNonRoot: true` in its `securityContext`, or the pod's",
        );
        let read_only = at_container(&["readOnlyRootFilesystem"]);
        missing(
            is(read_only, "true") || is(read_only, "false"),
            "its root file system can be written",
            "set `readOnlyRootFilesystem: true` and mount what is written",
        );
        let dropped = at_container(&["capabilities", "drop"]).map(Node::items).unwrap_or_default();
        missing(
            dropped.iter().any(|name| is(Some(name), "ALL")),
            "its capabilities are not all dropped",
            "set `capabilities: {drop: [ALL]}` in its `securityContext`",
        );
        let escalation = at_container(&["allowPrivilegeEscalation"]);
        missing(
            is(escalation, "true") || is(escalation, "false"),
            "a program in it may gain privileges",
            "set `allowPrivilegeEscalation: false` in its `securityContext`",
        );
        if either(&["seccompProfile", "type"]).is_none() {
            let what = "no seccomp profile";
            findings.push(warn(
                pod,
                own.unwrap_or(container.node),
                &field,
                what,
                "set `seccompProfile: {type: RuntimeDefault}`",
            ));
        }
    }
    limits(pod, container, findings);
}

fn limits(pod: &Pod<'_>, container: &Container<'_>, findings: &mut Vec<Finding>) {
    // An ephemeral container has no resources of its own.
    if container.position == Position::Ephemeral {
        return;
    }
    let field = format!("{}.resources.limits", container.field);
    let limit = |name: &str| {
        let own = container.node.at(&["resources", "limits", name]);
        own.or_else(|| pod.spec.at(&["resources", "limits", name])).filter(|limit| {
            // A limit of nothing is no limit.
            limit.text().is_some_and(|text| text.contains(|c: char| matches!(c, '1'..='9')))
        })
    };
    let at = container.node.get("resources").unwrap_or(container.node);
    let remedy = "set `resources.limits` for `cpu` and `memory`";
    if limit("memory").is_none() {
        findings.push(fail(pod, at, &field, "no limit for its memory: one leak takes the node".to_owned(), remedy));
    } else if limit("cpu").is_none() {
        findings.push(warn(pod, at, &field, "no limit for its processor time", remedy));
    }
}

fn fail(pod: &Pod<'_>, at: &Node, field: &str, what: String, remedy: impl Into<String>) -> Finding {
    pod.object.fail(Rule::Hardening, at, field, what, remedy)
}

fn warn(pod: &Pod<'_>, at: &Node, field: &str, what: &str, remedy: &str) -> Finding {
    Finding { verdict: crate::finding::Verdict::Warn, ..fail(pod, at, field, what.to_owned(), remedy) }
}
