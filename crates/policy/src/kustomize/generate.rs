//! ConfigMaps and Secrets that a kustomization makes, and the digests that their names end in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::yaml::node::{Node, Scalar, Value};

use super::build::{At, Build, Resources, Spec};
use super::edit::{self, Place};
use super::resource::Resource;

/// Longer lines of an env file end kustomize's reading of it, without a word.
const ENV_LINE: usize = 60_000;

/// What generators share and may say each for itself.
#[derive(Default)]
struct Options {
    labels: Vec<(String, Node)>,
    annotations: Vec<(String, Node)>,
    no_digest: bool,
    immutable: bool,
}

/// A key, its bytes, and where they come from.
type Datum = (String, Vec<u8>, Place);

impl Build<'_> {
    /// Carries out `configMapGenerator` and `secretGenerator`.
    pub(super) fn generate(&mut self, spec: &Spec, resources: &mut Resources) {
        for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for generator in spec.list(self, field) {
                let at = At::of(&spec.file, generator, field);
                if !self.affords(resources.len(), &at) {
                    return;
                }
                if let Some(made) = self.make(spec, generator, field, kind) {
                    let behavior = generator.get("behavior").and_then(Node::text).unwrap_or("create");
                    self.absorb(resources, made, behavior, &at);
                }
            }
        }
    }

    fn make(&mut self, spec: &Spec, generator: &Node, field: &str, kind: &str) -> Option<Resource> {
        const FIELDS: [&str; 9] =
            ["name", "namespace", "behavior", "literals", "files", "envs", "env", "options", "type"];
        let at = At::of(&spec.file, generator, field);
        let place = Place::of(generator, &spec.file);
        self.only(spec, generator, field, &FIELDS);
        let part = Spec { file: Arc::clone(&spec.file), folder: spec.folder.clone(), node: generator.clone() };
        let Some(name) = part.text(self, "name") else {
            self.refuse(&at, "a generator has no `name`", "name what it makes");
            return None;
        };
        let options = self.options(spec, generator);
        let mut metadata = vec![("name", place.text(name))];
        if let Some(namespace) = part.text(self, "namespace") {
            metadata.push(("namespace", place.text(namespace)));
        }
        for (key, pairs) in [("labels", options.labels), ("annotations", options.annotations)] {
            if !pairs.is_empty() {
                let entries = pairs.into_iter().map(|(key, value)| (place.text(key), value)).collect();
                metadata.push((key, place.node(Value::Mapping(entries))));
            }
        }
        let mut node = place.mapping(vec![
            ("apiVersion", place.text("v1")),
            ("kind", place.text(kind)),
            ("metadata", place.mapping(metadata)),
        ]);
        if kind == "Secret" {
            let secret_type = part.text(self, "type").unwrap_or_else(|| "Opaque".to_owned());
            edit::set(&mut node, "type", place.text(secret_type));
        }
        if options.immutable {
            edit::set(&mut node, "immutable", place.plain("true"));
        }
        let data = self.data(&part);
        self.fill(&mut node, data, kind, &at);
        let mut made = Resource::new(node);
        made.hashed = !options.no_digest;
        Some(made)
    }

    /// Says which fields of a part are not known.
    pub(super) fn only(&mut self, spec: &Spec, part: &Node, field: &str, known: &[&str]) {
        for (key, value) in part.entries() {
            if key.text().is_none_or(|key| !known.contains(&key)) {
                let at = At { line: key.line, ..At::of(&spec.file, value, field) };
                let name = key.text().unwrap_or_default();
                self.refuse(
                    &at,
                    format!("an item of `{field}` has no field `{name}`"),
                    "take it out, or correct its name",
                );
            }
        }
    }

    fn options(&mut self, spec: &Spec, generator: &Node) -> Options {
        let mut options = Options::default();
        for node in [generator.get("options"), spec.get("generatorOptions")].into_iter().flatten() {
            const FIELDS: [&str; 4] = ["labels", "annotations", "disableNameSuffixHash", "immutable"];
            self.only(spec, node, "generatorOptions", &FIELDS);
            for (key, pairs) in [("labels", &mut options.labels), ("annotations", &mut options.annotations)] {
                for (name, value) in spec.pairs(self, node.get(key), key) {
                    if !pairs.iter().any(|(held, _)| *held == name) {
                        pairs.push((name, value));
                    }
                }
            }
            options.no_digest |= self.flag(spec, node, "disableNameSuffixHash");
            options.immutable |= self.flag(spec, node, "immutable");
        }
        options
    }

    /// A truth value; a finding where it is none.
    pub(super) fn flag(&mut self, spec: &Spec, node: &Node, field: &str) -> bool {
        let Some(value) = node.get(field).filter(|value| !edit::is_null(value)) else { return false };
        match value.scalar().filter(|scalar| scalar.plain).map(|scalar| scalar.text.as_str()) {
            Some("true") => true,
            Some("false") => false,
            _ => {
                let at = At::of(&spec.file, value, field);
                self.refuse(&at, format!("`{field}` is neither true nor false"), "write true or false, without quotes");
                false
            }
        }
    }

    /// What a generator's files, env files and literals hold, in kustomize's order.
    fn data(&mut self, part: &Spec) -> Vec<Datum> {
        let mut data = Vec::new();
        for (node, source) in part.texts(self, "files") {
            let at = At::of(&part.file, node, "files");
            let (key, path) = source.split_once('=').unwrap_or_else(|| (last_part(&source), &source));
            if key.is_empty() || path.is_empty() || path.contains('=') {
                self.refuse(&at, format!("`{source}` is neither a path nor a key and a path"), "write `key=path`");
            } else if let Some(path) = self.locate_file(&part.folder, path, &at) {
                let bytes = self.tree.file(&path).unwrap_or_default().to_vec();
                data.push((key.to_owned(), bytes, Place { file: Arc::from(path), line: 1 }));
            }
        }
        let mut sources = part.texts(self, "envs");
        if let (Some(node), Some(path)) = (part.get("env"), part.text(self, "env")) {
            sources.push((node, path));
        }
        for (node, path) in sources {
            let at = At::of(&part.file, node, "envs");
            if let Some(path) = self.locate_file(&part.folder, &path, &at) {
                self.env_file(&path, &mut data);
            }
        }
        for (node, literal) in part.texts(self, "literals") {
            match literal.split_once('=').filter(|(key, _)| !key.is_empty()) {
                Some((key, value)) => {
                    let value = value.trim_matches(['"', '\'']);
                    data.push((key.to_owned(), value.as_bytes().to_vec(), Place::of(node, &part.file)));
                }
                None => {
                    let at = At::of(&part.file, node, "literals");
                    self.refuse(&at, "a literal is `key=value`", "write a key, `=` and a value");
                }
            }
        }
        data
    }

    fn env_file(&mut self, path: &str, data: &mut Vec<Datum>) {
        let file: Arc<str> = Arc::from(path);
        let bytes = self.tree.file(path).unwrap_or_default();
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut line = 0_u32;
        for raw in text.split(|byte| *byte == b'\n') {
            line = line.saturating_add(1);
            let at = At { file: Arc::clone(&file), line, field: None, value: None };
            let Some(text) = std::str::from_utf8(raw).ok().filter(|text| text.len() < ENV_LINE) else {
                self.refuse(&at, "a line of an env file is too long, or no UTF-8", "write `NAME=value` lines in UTF-8");
                return;
            };
            let text = text.strip_suffix('\r').unwrap_or(text).trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match text.split_once('=') {
                // A value without a name is passed over.
                Some(("", _)) => {}
                Some((key, value)) => {
                    data.push((key.to_owned(), value.as_bytes().to_vec(), Place { file: Arc::clone(&file), line }));
                }
                None => self.refuse(
                    &at,
                    format!("`{text}` has no value: kustomize would take it from the environment of whoever renders"),
                    "write the value into the file",
                ),
            }
        }
    }

    fn fill(&mut self, node: &mut Node, data: Vec<Datum>, kind: &str, at: &At<'_>) {
        let mut seen = BTreeSet::new();
        for (key, bytes, place) in data {
            if !seen.insert(key.clone()) {
                self.refuse(at, format!("the generator sets `{key}` twice"), "set it once");
                continue;
            }
            if !self.affords(1, at) {
                return;
            }
            let (field, text) = match String::from_utf8(bytes) {
                Ok(text) if kind == "ConfigMap" => ("data", text),
                Ok(text) => ("data", STANDARD.encode(text)),
                Err(bytes) if kind == "ConfigMap" => ("binaryData", STANDARD.encode(bytes.as_bytes())),
                Err(bytes) => ("data", STANDARD.encode(bytes.as_bytes())),
            };
            let mapping = edit::at_or_made(node, &[field], &place);
            // The key is new: it was looked up above.
            if let Some(Node { value: Value::Mapping(entries), .. }) = mapping {
                entries.push((place.text(key), place.text(text)));
            }
        }
    }

    /// Adds what was made, or lays it over what is there, as `behavior` says.
    fn absorb(&mut self, resources: &mut Resources, mut made: Resource, behavior: &str, at: &At<'_>) {
        let id = made.id();
        let there: Vec<usize> = resources
            .iter()
            .enumerate()
            .filter(|(_, held)| held.ids().any(|other| other == id))
            .map(|(at, _)| at)
            .collect();
        let (held, problem) = match (behavior, there.as_slice()) {
            ("create", []) => {
                resources.push(made);
                return;
            }
            ("create", _) => (None, "makes what is there already"),
            ("merge" | "replace", []) => (None, "changes what is not there"),
            ("merge" | "replace", [only]) => (resources.get_mut(*only), ""),
            ("merge" | "replace", _) => (None, "changes one of several, which of them cannot be told"),
            _ => (None, "has a `behavior` that is none of create, merge and replace"),
        };
        let Some(held) = held else {
            self.refuse(at, format!("the generator of `{}` {problem}", id.name), "correct its `name` and `behavior`");
            return;
        };
        made.node = laid_over(&held.node, made.node, behavior == "merge");
        let Resource { previous, prefixes, suffixes, hashed, .. } = held.clone();
        *held = Resource { node: made.node, hashed: hashed && made.hashed, previous, prefixes, suffixes };
    }

    /// Lets names end in a digest of the content where a generator says so.
    pub(super) fn add_digests(&mut self, resources: &mut Resources) {
        for resource in resources.iter_mut().filter(|resource| resource.hashed) {
            let name = format!("{}-{}", resource.name(), digest(&resource.node));
            resource.remember();
            resource.set_name(&name);
        }
    }
}

/// What a generator makes of an object that is there: the name is the old one, labels and annotations are joined, and so is the
/// data where it merges.
fn laid_over(held: &Node, made: Node, merges: bool) -> Node {
    let mut node = made;
    let place = Place { file: node.file.clone().unwrap_or_else(|| Arc::from("")), line: node.line };
    let mut joined: Vec<&[&str]> = vec![&["metadata", "labels"], &["metadata", "annotations"]];
    if merges {
        joined.extend([&["data"][..], &["binaryData"]]);
    }
    for path in joined {
        let Some(old) = held.at(path).filter(|old| !old.entries().is_empty()) else { continue };
        let Some(mapping) = edit::at_or_made(&mut node, path, &place) else { continue };
        let Value::Mapping(entries) = &mut mapping.value else { continue };
        let own: BTreeSet<String> = entries.iter().filter_map(|(key, _)| key.text().map(str::to_owned)).collect();
        let kept = old.entries().iter().filter(|(key, _)| key.text().is_some_and(|key| !own.contains(key)));
        entries.extend(kept.cloned());
    }
    if let Some(metadata) = edit::child_mut(&mut node, "metadata") {
        for key in ["name", "namespace"] {
            match held.at(&["metadata", key]) {
                Some(value) => {
                    edit::set(metadata, key, value.clone());
                }
                None => {
                    edit::remove(metadata, key);
                }
            }
        }
    }
    node
}

/// Ten letters of the SHA-256 of the content, in an alphabet without vowels and their lookalikes.
fn digest(node: &Node) -> String {
    let text = |key: &[&str]| node.at(key).and_then(Node::text).unwrap_or_default().to_owned();
    let pairs = |key: &str| {
        node.get(key).map(|node| {
            let pair = |(key, value): &(Node, Node)| {
                let text = |node: &Node| node.text().unwrap_or_default().to_owned();
                (text(key), text(value))
            };
            node.entries().iter().map(pair).collect::<BTreeMap<_, _>>()
        })
    };
    let kind = text(&["kind"]);
    // kustomize hashes with an empty name.
    let mut content = BTreeMap::from([("kind", serde_json::json!(kind)), ("name", "".into()), ("data", "".into())]);
    if kind == "Secret" {
        content.insert("type", text(&["type"]).into());
    }
    for key in ["data", if kind == "Secret" { "stringData" } else { "binaryData" }] {
        if let Some(data) = pairs(key) {
            content.insert(key, serde_json::json!(data));
        }
    }
    let mut json = String::new();
    for letter in serde_json::json!(content).to_string().chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => _ = write!(json, "\\u{:04x}", u32::from(letter)),
            letter => json.push(letter),
        }
    }
    let hex = Sha256::digest(json.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    });
    let letter = |letter| match letter {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().take(10).map(letter).collect()
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a scalar is a text to kustomize's reader.
pub(super) fn is_text(node: &Node) -> bool {
    node.scalar().is_some_and(Scalar::is_string)
}
