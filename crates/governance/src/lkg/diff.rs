//! Comparing what was kept with what a cluster has now, object by object and field by field.
//!
//! The cluster is taken as it is seen: a switch that is released and an execution above zero are differences.

use crate::cluster::Cluster;
use crate::lkg::keep::{Rest, keep};
use crate::lkg::yaml::value;
use agenttrader_policy::yaml::read::read;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// `Kind/namespace/name`.
    pub object: String,
    /// Where in the object; empty for the object as a whole.
    pub field: String,
    /// What was kept; null where it was not there.
    pub kept: Option<String>,
    /// What there is; null where it is not there.
    pub now: Option<String>,
}

/// Every difference, by object and field.
pub fn diff(manifest: &[u8], cluster: &Cluster<'_>) -> Vec<Difference> {
    let kept = read("lkg_manifest.yaml", manifest).documents;
    let kept = by_label(kept.iter().map(value));
    let now = by_label(keep(cluster, &cluster.workloads(), Rest::Seen).objects.into_iter());
    let labels: BTreeSet<&String> = kept.keys().chain(now.keys()).collect();
    let mut found = Vec::new();
    for label in labels {
        let there = |side: &BTreeMap<String, Value>| side.get(label).map(|_| "the object".to_owned());
        match (kept.get(label), now.get(label)) {
            (Some(kept), Some(now)) => fields(label, String::new(), Some(kept), Some(now), &mut found),
            _ => found.push(Difference {
                object: label.clone(),
                field: String::new(),
                kept: there(&kept),
                now: there(&now),
            }),
        }
    }
    found
}

fn by_label(objects: impl Iterator<Item = Value>) -> BTreeMap<String, Value> {
    let label = |object: &Value| {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
        format!("{}/{}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
    };
    objects.map(|object| (label(&object), object)).collect()
}

fn fields(label: &str, field: String, kept: Option<&Value>, now: Option<&Value>, found: &mut Vec<Difference>) {
    if kept == now {
        return;
    }
    match (kept, now) {
        (Some(Value::Object(one)), Some(Value::Object(two))) => {
            for key in one.keys().chain(two.keys()).collect::<BTreeSet<_>>() {
                let inner = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                fields(label, inner, one.get(key), two.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(two))) => {
            for index in 0..one.len().max(two.len()) {
                fields(label, format!("{field}[{index}]"), one.get(index), two.get(index), found);
            }
        }
        (kept, now) => {
            let said = |value: &Value| value.to_string();
            found.push(Difference { object: label.to_owned(), field, kept: kept.map(said), now: now.map(said) });
        }
    }
}
