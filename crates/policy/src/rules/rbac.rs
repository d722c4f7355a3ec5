//! The lock contract, rule `rbac`: the service accounts of workloads look, and touch nothing.
//!
//! Judged is what a workload's account may do by every binding in the tree that reaches it: by name, as a user, or through the
//! groups of service accounts and of everybody. It may `get`, `list` and `watch`; no Secrets; not `exec`, `attach`, `portforward`
//! and `proxy`, which act although they are asked with `get`. What a role allows that is not in the tree cannot be told; of the
//! built-in ones `view` only looks. `*`, `impersonate`, `bind`, `escalate` and the built-in administrators are refused
//! of any service account, and in any role that is not bound to people alone. A token is mounted only where its account may
//! look at something, and nowhere forever in a Secret.

mod token;

use crate::finding::{Finding, Rule};
use crate::object::Object;
use crate::pod::Pod;
use crate::rules::workload::is_cloud_run;
use crate::world::{Scope, World};
use crate::yaml::node::Node;
use std::collections::BTreeSet;

const LOOKS: [&str; 3] = ["get", "list", "watch"];
const DANGEROUS: [&str; 4] = ["*", "impersonate", "bind", "escalate"];
const ADMINISTRATORS: [&str; 3] = ["cluster-admin", "admin", "edit"];
/// Parts of resources that act whatever the verb.
const ACTING: [&str; 4] = ["exec", "attach", "portforward", "proxy"];
const REMEDY: &str = "give the account of a workload `get`, `list` and `watch` on what it reads, and nothing else";

/// An account of a workload: namespace and name.
type Account<'a> = (Option<&'a str>, &'a str);

/// What accounts may do beyond looking.
pub fn judge(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let accounts: BTreeSet<Account<'_>> = world.scopes.iter().flat_map(accounts).collect();
    for scope in &world.scopes {
        for binding in scope.objects.iter().filter(|object| is_binding(object)) {
            let subjects = binding.node.get("subjects").map(Node::items).unwrap_or_default();
            let reaches: Vec<&Node> = subjects
                .iter()
                .filter(|subject| accounts.iter().any(|account| reaches(binding, subject, *account)))
                .collect();
            let machine = subjects.iter().any(is_machine);
            if !reaches.is_empty() || machine {
                findings.extend(bound(world, scope, binding, !reaches.is_empty()));
            }
        }
        for role in scope.objects.iter().filter(|object| is_role(object) && !for_people(world, object)) {
            findings.extend(dangerous(role));
        }
        token::judge(world, scope, &mut findings);
    }
    findings
}

fn accounts<'s, 'a>(scope: &'s Scope<'a>) -> impl Iterator<Item = Account<'a>> + use<'s, 'a> {
    scope.pods.iter().filter(|pod| !is_cloud_run(pod)).map(|pod| (pod.object.namespace, account(pod)))
}

fn account<'a>(pod: &Pod<'a>) -> &'a str {
    pod.service_account().and_then(Node::text).unwrap_or("default")
}

fn is_binding(object: &Object<'_>) -> bool {
    matches!(object.kind, "RoleBinding" | "ClusterRoleBinding")
}

fn is_role(object: &Object<'_>) -> bool {
    matches!(object.kind, "Role" | "ClusterRole")
}

/// Whether a subject is or holds a workload's account.
fn reaches(binding: &Object<'_>, subject: &Node, (namespace, name): Account<'_>) -> bool {
    let text = |key: &str| subject.get(key).and_then(Node::text).unwrap_or_default();
    let subject_namespace = subject.get("namespace").and_then(Node::text).or(binding.namespace);
    // Who names no namespace may be of any.
    let same = |other: Option<&str>| namespace.is_none() || other.is_none() || other == namespace;
    match text("kind") {
        "ServiceAccount" => text("name") == name && same(subject_namespace),
        "User" => text("name")
            .strip_prefix("system:serviceaccount:")
            .and_then(|rest| rest.split_once(':'))
            .is_some_and(|(own_namespace, own)| own == name && same(Some(own_namespace))),
        "Group" => match text("name") {
            "system:serviceaccounts" | "system:authenticated" => true,
            group => group.strip_prefix("system:serviceaccounts:").is_some_and(|own| same(Some(own))),
        },
        _ => false,
    }
}

/// Whether a subject is no person: an account, or a group that holds accounts.
fn is_machine(subject: &Node) -> bool {
    let text = |key: &str| subject.get(key).and_then(Node::text).unwrap_or_default();
    let name = text("name");
    match text("kind") {
        "User" | "Group" => {
            ["system:serviceaccount", "system:authenticated", "system:unauthenticated", "system:anonymous"]
                .iter()
                .any(|own| name.starts_with(own))
        }
        _ => true,
    }
}

/// Whether a role is bound, and to people alone.
fn for_people(world: &World<'_>, role: &Object<'_>) -> bool {
    let bindings = world.objects().filter(|object| is_binding(object));
    let mut own = bindings.filter(|binding| {
        let name = binding.at(&["roleRef", "name"]).and_then(Node::text);
        name == Some(role.name) && binding.at(&["roleRef", "kind"]).and_then(Node::text) == Some(role.kind)
    });
    let mut any = false;
    own.all(|binding| {
        any = true;
        !binding.node.get("subjects").map(Node::items).unwrap_or_default().iter().any(is_machine)
    }) && any
}

/// What a binding gives to accounts.
fn bound(world: &World<'_>, scope: &Scope<'_>, binding: &Object<'_>, workload: bool) -> Vec<Finding> {
    let reference = binding.node.get("roleRef").unwrap_or(binding.node);
    let text = |key: &str| reference.get(key).and_then(Node::text).unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    let fail = |what: String| binding.fail(Rule::Rbac, reference, "roleRef", what, REMEDY);
    if ADMINISTRATORS.contains(&name) && kind == "ClusterRole" {
        return vec![fail(format!("a service account has the built-in role `{name}`"))];
    }
    if !workload {
        return Vec::new();
    }
    let namespace = (kind == "Role").then_some(binding.namespace).flatten();
    let mut roles: Vec<&Object<'_>> = scope.named(kind, namespace, name).collect();
    if roles.is_empty() {
        roles = world.objects().filter(|object| object.is_named(kind, namespace, name) && !object.patch).collect();
    }
    if roles.is_empty() && !(kind == "ClusterRole" && name == "view") {
        return vec![fail(format!(
            "the account of a workload has {kind} `{name}`, which is not in the tree: what it allows cannot be told"
        ))];
    }
    if kind == "ClusterRole" && name == "view" {
        // What the tree adds to a built-in role goes to whoever has it.
        let adds = |object: &&Object<'_>| {
            let label = object.at(&["metadata", "labels", "rbac.authorization.k8s.io/aggregate-to-view"]);
            object.kind == "ClusterRole" && label.and_then(Node::text) == Some("true")
        };
        roles.extend(world.objects().filter(adds));
    }
    roles.into_iter().flat_map(beyond_looking).collect()
}

/// What a role allows beyond looking.
fn beyond_looking(role: &Object<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(rule) = role.node.get("aggregationRule").filter(|rule| !rule.entries().is_empty()) {
        let what = "the account of a workload has a role that a cluster fills: what it allows cannot be told";
        findings.push(role.fail(Rule::Rbac, rule, "aggregationRule", what, REMEDY));
    }
    each_rule(role, |rule, field| {
        for verb in list(rule, "verbs").filter(|verb| !LOOKS.contains(&verb.text().unwrap_or_default())) {
            let what = format!("the account of a workload may `{}`", verb.text().unwrap_or_default());
            findings.push(role.fail(Rule::Rbac, verb, &format!("{field}.verbs"), what, REMEDY));
        }
        for resource in list(rule, "resources") {
            let name = resource.text().unwrap_or_default();
            let (own, part) = name.split_once('/').unwrap_or((name, ""));
            let core = list(rule, "apiGroups")
                .any(|group| matches!(group.scalar().map(|g| g.text.as_str()), Some("" | "*")))
                || list(rule, "apiGroups").next().is_none();
            let what = match own {
                "secrets" | "*" if core => format!("the account of a workload may read Secrets: `{name}`"),
                _ if ACTING.contains(&part) || part == "*" => format!("`{name}` acts, whatever the verb"),
                _ => continue,
            };
            findings.push(role.fail(Rule::Rbac, resource, &format!("{field}.resources"), what, REMEDY));
        }
    });
    findings
}

/// What no role says.
fn dangerous(role: &Object<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_rule(role, |rule, field| {
        for verb in list(rule, "verbs").filter(|verb| DANGEROUS.contains(&verb.text().unwrap_or_default())) {
            let what = format!("the verb `{}`", verb.text().unwrap_or_default());
            findings.push(role.fail(
                Rule::Rbac,
                verb,
                &format!("{field}.verbs"),
                what,
                "name the verbs that are needed: `get`, `list`, `watch`",
            ));
        }
        for key in ["resources", "apiGroups", "nonResourceURLs"] {
            for all in list(rule, key).filter(|all| all.text() == Some("*")) {
                let what = format!("`*` among the {key}");
                findings.push(role.fail(Rule::Rbac, all, &format!("{field}.{key}"), what, "name what is needed"));
            }
        }
    });
    findings
}

fn each_rule<'a>(role: &Object<'a>, mut judge: impl FnMut(&'a Node, String)) {
    let rules = role.node.get("rules").map(Node::items).unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        judge(rule, format!("rules[{index}]"));
    }
}

fn list<'a>(rule: &'a Node, key: &str) -> impl Iterator<Item = &'a Node> + use<'a> {
    rule.get(key).map(Node::items).unwrap_or_default().iter()
}
