//! Comparing what was kept with a cluster: nothing of what was kept is passed over.

use crate::lkg::captured;
use crate::{saved, shuffled};
use agenttrader_governance::cluster::Cluster;
use agenttrader_governance::lkg::diff::{Difference, diff};
use agenttrader_policy::yaml::node::{Node, Value as Yaml};
use agenttrader_policy::yaml::read::read;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The kept objects.
fn kept() -> Vec<Value> {
    let lkg = captured(&saved("healthy")).unwrap();
    read("lkg.yaml", lkg.manifest.as_bytes()).documents.iter().map(value).collect()
}

fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Scalar(scalar) if scalar.plain => {
            serde_json::from_str(&scalar.text).unwrap_or_else(|_| json!(scalar.text))
        }
        Yaml::Scalar(scalar) => json!(scalar.text),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => Value::Object(
            entries.iter().map(|(key, held)| (key.text().unwrap().to_owned(), value(held))).collect::<Map<_, _>>(),
        ),
    }
}

fn differences(objects: &[Value], cluster: &Cluster<'_>) -> Vec<Difference> {
    let manifest: Vec<String> = objects.iter().map(Value::to_string).collect();
    diff(manifest.join("\n---\n").as_bytes(), cluster)
}

/// Every value that is no list and no mapping: its JSON pointer, and its place as a difference names it.
fn leaves(value: &Value, pointer: &str, field: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let field = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                leaves(inner, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), &field, found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                leaves(inner, &format!("{pointer}/{index}"), &format!("{field}[{index}]"), found);
            }
        }
        _ => found.push((pointer.to_owned(), field.to_owned())),
    }
}

/// By these an object is found: another one is another object.
const NAMES: [&str; 3] = ["/kind", "/metadata/name", "/metadata/namespace"];

#[test]
fn every_value_that_was_kept_differs_where_the_cluster_has_another_one_and_nothing_else_does() {
    let (objects, saved) = (kept(), saved("healthy"));
    let parsed = saved.parsed().unwrap();
    let cluster = Cluster::of(&parsed).unwrap();
    assert_eq!(differences(&objects, &cluster), []);
    let mut tried = BTreeSet::new();
    for (at, object) in objects.iter().enumerate() {
        let mut found = Vec::new();
        leaves(object, "", "", &mut found);
        for (pointer, field) in found {
            // The same field of another element or object of the kind is the same claim.
            let digits = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
            let claim = (object["kind"].to_string(), field.chars().map(digits).collect::<String>());
            if NAMES.contains(&&*pointer) || !tried.insert(claim) {
                continue;
            }
            let mut other = objects.clone();
            *other[at].pointer_mut(&pointer).unwrap() = json!("something else");
            let differing = differences(&other, &cluster);
            assert_eq!(differing.len(), 1, "{pointer}: {differing:?}");
            assert_eq!((&*differing[0].field, differing[0].kept.as_deref()), (&*field, Some("\"something else\"")));
        }
    }
    let kinds: BTreeSet<&str> = objects.iter().filter_map(|it| it["kind"].as_str()).collect();
    assert!(tried.len() > 100 && kinds.len() > 5, "{} of {kinds:?}", tried.len());
}

#[test]
fn an_object_or_a_field_that_one_side_lacks_differs() {
    let (objects, saved) = (kept(), saved("healthy"));
    let parsed = saved.parsed().unwrap();
    let cluster = Cluster::of(&parsed).unwrap();
    for at in 0..objects.len() {
        let mut fewer = objects.clone();
        fewer.remove(at);
        let differing = differences(&fewer, &cluster);
        assert_eq!((differing.len(), &*differing[0].field, &differing[0].kept), (1, "", &None), "{differing:?}");
        assert_eq!(differing[0].now.as_deref(), Some("the object"));
        let mut more = objects.clone();
        more[at]["metadata"]["name"] = json!("gone-since");
        let gone = |it: &Difference| it.kept.as_deref() == Some("the object") && it.now.is_none();
        assert!(differences(&more, &cluster).iter().any(gone), "{}", objects[at]);
        let mut field = objects.clone();
        field[at]["more"] = json!({"than": ["there", "is"]});
        let differing = differences(&field, &cluster);
        assert_eq!((differing.len(), &*differing[0].field, &differing[0].now), (1, "more", &None), "{differing:?}");
    }
}

#[test]
fn differences_and_what_is_kept_repeat_whatever_the_order_of_what_was_saved() {
    let (one, other) = (captured(&saved("healthy")).unwrap(), captured(&shuffled("healthy")).unwrap());
    assert_eq!(one.files(), other.files());
    let [one, other] = [saved("alarming"), shuffled("alarming")].map(|saved| {
        let parsed = saved.parsed().unwrap();
        serde_json::to_vec(&differences(&kept(), &Cluster::of(&parsed).unwrap())).unwrap()
    });
    assert_eq!(one, other);
}
