//! Places in an object where something is still to be put in.
//!
//! A shell's own `${X}` in a command, a file in a ConfigMap and a text for people are none: nothing is put in before they reach
//! the cluster, or what is put in decides nothing here.

use crate::finding::{Finding, Rule};
use crate::object::Object;
use crate::yaml::node::Node;

/// Keys whose texts belong to a process or to people.
const OWN: [&str; 12] = [
    "command",
    "args",
    "script",
    "annotations",
    "data",
    "stringData",
    "binaryData",
    "description",
    "summary",
    "message",
    "expression",
    "expr",
];

/// Kinds of the cluster itself, all of whose fields mean something to it. Others have templates of their own.
const GROUPS: [&str; 14] = [
    "",
    "apps",
    "batch",
    "autoscaling",
    "policy",
    "rbac.authorization.k8s.io",
    "networking.k8s.io",
    "serving.knative.dev",
    "run.googleapis.com",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "keda.sh",
    "kustomize.config.k8s.io",
    "autoscaling.k8s.io",
];

/// Every placeholder in a field that the cluster reads.
pub fn judge(object: &Object<'_>, findings: &mut Vec<Finding>) {
    let group = object.api_version.split_once('/').map_or("", |(group, _)| group);
    let known = GROUPS.contains(&group) || is_placeholder(object.api_version);
    walk(object, object.node, "", known, findings);
}

fn walk(object: &Object<'_>, node: &Node, field: &str, known: bool, findings: &mut Vec<Finding>) {
    let scalar = node.scalar().filter(|scalar| is_placeholder(&scalar.text));
    if let Some(scalar) = scalar.filter(|_| known || always(field)) {
        let what = format!("a placeholder is still to be filled: `{}`", scalar.text);
        findings.push(object.fail(Rule::Unresolved, node, field, what, "write the value that is meant"));
    }
    for (index, item) in node.items().iter().enumerate() {
        walk(object, item, &format!("{field}[{index}]"), known, findings);
    }
    for (key, value) in node.entries() {
        let name = key.text().unwrap_or("");
        let inside = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
        if is_placeholder(name) && known && !field.ends_with("annotations") {
            findings.push(object.fail(
                Rule::Unresolved,
                key,
                &inside,
                format!("a key is a placeholder: `{name}`"),
                "write the key that is meant",
            ));
        }
        if !OWN.contains(&name) {
            walk(object, value, &inside, known, findings);
        }
    }
}

/// Fields that decide something whatever the kind.
fn always(field: &str) -> bool {
    let last = field.rsplit('.').next().unwrap_or(field);
    matches!(last, "image" | "replicas" | "serviceAccountName" | "kind" | "apiVersion")
        || field == "metadata.name"
        || field == "metadata.namespace"
}

/// Whether a text has a place that another program fills: `${X}`, `{{ x }}`, `<% x %>`, `@@X@@`, `%%X%%`, or is a lone `$X`.
pub fn is_placeholder(text: &str) -> bool {
    let lone = text.strip_prefix('$').is_some_and(|name| {
        let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        name.bytes().next().is_some_and(upper) && name.bytes().all(|byte| upper(byte) || byte.is_ascii_digit())
    });
    let pair = |mark: &str| text.matches(mark).count() >= 2;
    lone || text.contains("${") || text.contains("{{") || text.contains("<%") || pair("@@") || pair("%%")
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn what_another_program_fills_is_a_placeholder() {
        for text in ["${X}", "a-${X:-b}-c", "{{ .Values.x }}", "<%= x %>", "@@X@@", "$IMAGE", "%%X%%"] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["$(X)", "100%", "a@b", "$5", "$", "$x y", "{x}", "a@sha256:00", "50%%"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
