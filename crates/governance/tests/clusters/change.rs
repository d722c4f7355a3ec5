//! A saved cluster with values changed.

use agenttrader_governance::cluster::saved::Saved;
use serde_json::Value;
use std::path::Path;

/// One value: the kind and the beginning of the name of its object, a JSON pointer in it, and the value as JSON.
pub type Change<'a> = ((&'a str, &'a str), &'a str, &'a str);

/// The cluster of a folder, with other values in the first object that each change names.
pub fn changed(folder: &Path, changes: &[Change<'_>]) -> Saved {
    let mut saved = Saved::default();
    let mut done = 0;
    for file in ["workloads.json", "pods.json", "rest.json"] {
        let mut list: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        let items = list["items"].as_array_mut().unwrap();
        for ((kind, name), pointer, value) in changes {
            let is_it =
                |it: &&mut Value| it["kind"] == *kind && it["metadata"]["name"].as_str().unwrap().starts_with(name);
            if let Some(it) = items.iter_mut().find(is_it) {
                *it.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in {kind} {name}")) =
                    serde_json::from_str(value).unwrap();
                done += 1;
            }
        }
        saved.insert(file, list.to_string().into_bytes());
    }
    assert_eq!(done, changes.len(), "an object is missing");
    saved
}
