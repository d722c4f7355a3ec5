//! Which fields a kustomization may have, and which of them are carried out here.

use super::build::{At, Build, Spec};
use super::edit;

/// Fields that are carried out.
const RENDERED: [&str; 26] = [
    "apiVersion",
    "bases",
    "commonAnnotations",
    "commonLabels",
    "components",
    "configMapGenerator",
    "generatorOptions",
    "imageTags",
    "images",
    "kind",
    "labels",
    "metadata",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "replicas",
    "resources",
    "secretGenerator",
    "sortOptions",
    // It notes in annotations where things come from.
    "buildMetadata",
    // Below: without effect when empty, which is how they are allowed.
    "openapi",
    "vars",
];

/// Fields that bring or change objects in ways that are not carried out here.
pub const NOT_RENDERED: [&str; 11] = [
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "inventory",
    "openapi",
    "transformers",
    "validators",
    "vars",
];

/// Whether kustomize knows a field of this name.
pub fn is_known(field: &str) -> bool {
    RENDERED.contains(&field) || NOT_RENDERED.contains(&field)
}

impl Build<'_> {
    /// Says which fields of a kustomization are unknown or not rendered, and whether it is one at all.
    pub(super) fn check_fields(&mut self, spec: &Spec, component: bool) {
        for (key, value) in spec.node.entries() {
            let Some(field) = key.text() else { continue };
            let at = At::of(&spec.file, value, field);
            if !is_known(field) {
                self.refuse(
                    &At { line: key.line, ..at },
                    format!("a kustomization has no field `{field}`"),
                    "take it out, or correct its name (names are compared with their case)",
                );
            } else if NOT_RENDERED.contains(&field) && !is_empty(value) {
                self.refuse(
                    &At { line: key.line, ..at },
                    format!("what `{field}` brings or changes is not rendered by the policy, so it cannot be judged"),
                    "write the objects out as files of the tree and name them in `resources`",
                );
            }
        }
        let kind = spec.get("kind").and_then(|node| node.text()).unwrap_or("Kustomization");
        let version = spec.get("apiVersion").and_then(|node| node.text());
        let (wanted, versions): (&str, &[&str]) = if component {
            ("Component", &["kustomize.config.k8s.io/v1alpha1"])
        } else {
            ("Kustomization", &["kustomize.config.k8s.io/v1beta1"])
        };
        if kind != wanted || version.is_some_and(|version| !versions.contains(&version)) {
            let at = At { file: spec.file.clone(), line: spec.node.line, field: Some("kind"), value: Some(kind) };
            self.refuse(
                &at,
                format!("here stands a `{kind}` of `{}`, where a `{wanted}` is needed", version.unwrap_or_default()),
                "correct `kind` and `apiVersion`, or name it in the field for its kind (`resources`, `components`)",
            );
        }
    }
}

fn is_empty(node: &crate::yaml::node::Node) -> bool {
    use crate::yaml::node::Value;
    edit::is_null(node)
        || match &node.value {
            Value::Scalar(scalar) => scalar.text.is_empty(),
            Value::Sequence(items) => items.is_empty(),
            Value::Mapping(entries) => entries.is_empty(),
        }
}
