//! Texts in which something may be set or run: files that are no objects, commands of containers, files in ConfigMaps.

use crate::environment::command_line;
use crate::found::{Found, Key, Said};
use crate::judged::{self, Form};
use crate::object::Object;
use crate::place::Place;
use crate::pod::{Container, Pod};
use crate::resolve::unpacked;
use crate::sources::{File, join};
use crate::tree::Tree;
use crate::values::Values;
use crate::yaml::bytes;
use crate::yaml::node::{Node, Value};
use crate::{compose, dockerfile, keyed, scan, script};
use std::collections::BTreeSet;

/// A text and what its reader found.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// The form of its file; none of a text inside an object.
    pub form: Option<Form>,
    /// Where it begins.
    pub place: Place<'a>,
    /// Whether its values have types, so that an unquoted one may be something else than a text.
    pub typed: bool,
    /// What stands in it; lines count from the place's.
    pub found: Found,
}

impl<'a> Text<'a> {
    /// The place of one of its lines.
    pub fn at(&self, line: u32) -> Place<'a> {
        self.place.below(line.saturating_sub(1))
    }
}

/// What a file that is no object says.
pub fn of_file<'a>(file: &'a File<'a>) -> Vec<Text<'a>> {
    let text = || bytes::text(file.bytes);
    let strangers = |documents: &[Node]| {
        documents.iter().filter(|node| !crate::object::is_object(node)).cloned().collect::<Vec<_>>()
    };
    let mut all = match file.form {
        Form::Documents if file.is_kustomization() => Vec::new(),
        Form::Documents => [&file.documents, &file.alternatives]
            .into_iter()
            .map(|documents| {
                let documents = strangers(documents);
                let mut found = keyed::documents(&documents);
                documents.iter().for_each(|node| flags(node, &mut found));
                documents.iter().for_each(|node| carried(file.path, node, &mut found));
                if file.path.to_ascii_lowercase().ends_with(".tf.json") {
                    found.orders.extend(script::plan(&documents));
                }
                found.sorted()
            })
            .collect(),
        Form::Compose => {
            [&file.documents, &file.alternatives].into_iter().map(|documents| compose::read(documents)).collect()
        }
        Form::Dockerfile => vec![dockerfile::read(&text())],
        Form::Script if judged::is_unit(file.path) => vec![units(&text())],
        Form::Script => {
            let by_tokens = judged::is_program(file.path) && !script::has_own_reader(file.path);
            vec![script::read(if by_tokens { "program.hcl" } else { file.path }, &text())]
        }
        Form::Settings => vec![keyed::read(file.path, &text())],
        Form::Other => Vec::new(),
    };
    all.retain(|found| *found != Found::default());
    let typed =
        matches!(file.form, Form::Documents | Form::Compose) || file.path.to_ascii_lowercase().ends_with(".toml");
    let place = Place::of_file(file.path, 1);
    all.into_iter().map(|found| Text { form: Some(file.form), place: place.clone(), typed, found }).collect()
}

/// Flags that carry variables for another program: `--set-env-vars=A=b,AGENT_MODE=OFF`.
fn flags(node: &Node, found: &mut Found) {
    if let Some(text) = node.text().filter(|text| text.starts_with('-') && text.contains('=')) {
        for hit in scan::assignments(text) {
            let known = found.assignments.iter().any(|known| known.key == hit.key && known.line == node.line);
            if !known && !hit.spelled.starts_with('-') {
                found.assign(hit.key, hit.spelled, hit.value, false, node.line);
            }
        }
    }
    node.items().iter().for_each(|item| flags(item, found));
    for (key, value) in node.entries() {
        // A file of flags: `--update-env-vars: AGENT_MODE=OFF`.
        if let Some(text) = value.text().filter(|_| key.text().is_some_and(|key| key.starts_with("--"))) {
            for hit in scan::assignments(text) {
                found.assign(hit.key, hit.spelled, hit.value, false, value.line);
            }
        }
        flags(value, found);
    }
}

/// The objects that values carry as a text, for a chart to put into what it renders.
fn carried(path: &str, node: &Node, found: &mut Found) {
    if let Some(text) = node.text().filter(|text| is_manifest(text)) {
        let read = crate::yaml::read::read(path, text.as_bytes());
        found.absorb(keyed::documents(&read.documents), node.line);
        found.absorb(keyed::documents(&read.alternatives), node.line);
    }
    node.items().iter().for_each(|item| carried(path, item, found));
    node.entries().iter().filter(|(key, _)| !is_prose(key)).for_each(|(_, value)| carried(path, value, found));
}

/// Assignments, line by line, outside comments.
fn units(text: &str) -> Found {
    let mut found = Found::default();
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim_start().starts_with(['#', ';', '/']));
    for (line, number) in lines {
        for hit in scan::assignments(line) {
            found.assign(hit.key, hit.spelled, hit.value, hit.plain, number);
        }
        // What a unit runs; the marks before the program say how.
        let runs = line.trim().split_once('=').filter(|(key, _)| key.starts_with("Exec"));
        if let Some((_, command)) = runs {
            let mut inner = script::read("", command.trim_start_matches(['-', '@', ':', '+', '!']));
            inner.assignments.clear();
            found.absorb(inner, number);
        }
        // A unit may name another that pulls or builds.
        let image = line.trim().strip_prefix("Image=").map(str::trim);
        if let Some(image) = image.filter(|image| !image.ends_with(".image") && !image.ends_with(".build")) {
            found.image("Image", Said::of_configuration(image), number);
        }
    }
    found
}

/// What the compose files say that these texts take services from, where nobody else reads them.
pub fn of_compose_files<'a>(tree: &'a Tree, files: &'a [File<'a>], texts: &[Text<'a>]) -> Vec<Text<'a>> {
    let named = texts.iter().flat_map(|text| {
        let folder = text.place.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        text.found.compose_files.iter().filter_map(move |(path, _)| join(folder, path))
    });
    let paths: BTreeSet<String> = named.collect();
    let others =
        paths.into_iter().filter(|path| !files.iter().any(|file| file.path == path && file.form == Form::Compose));
    others
        .filter_map(|path| {
            let read = crate::yaml::read::read(&path, tree.file(&path)?);
            let mut found = compose::read(&read.documents);
            found.absorb(compose::read(&read.alternatives), 1);
            let bad = read.findings.into_iter().map(|finding| (finding.message, finding.line.unwrap_or(1)));
            found.unreadable.extend(bad);
            Some(Text {
                form: Some(Form::Compose),
                place: Place::of_file(&path, 1),
                typed: true,
                found: found.sorted(),
            })
        })
        .collect()
}

/// What the files say that these texts read into a process's environment, where no other reader has them.
pub fn of_env_files<'a>(tree: &'a Tree, files: &'a [File<'a>], texts: &[Text<'a>]) -> Vec<Text<'a>> {
    let named = texts.iter().filter(|text| text.form.is_some()).flat_map(|text| {
        let folder = text.place.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        text.found.env_files.iter().filter_map(move |(path, _)| join(folder, path))
    });
    let paths: BTreeSet<String> = named.collect();
    let others =
        paths.into_iter().filter(|path| !files.iter().any(|file| file.path == path && file.form == Form::Settings));
    others
        .filter_map(|path| {
            let found = keyed::env(&bytes::text(tree.file(&path)?));
            Some(Text { form: Some(Form::Settings), place: Place::of_file(&path, 1), typed: false, found })
        })
        .collect()
}

/// What the texts inside a scope's objects say.
pub fn of_objects<'a>(objects: &[Object<'a>], pods: &[Pod<'a>]) -> Vec<Text<'a>> {
    let mut texts = Vec::new();
    for object in objects {
        of_data(*object, &mut texts);
        // What a kustomization's patches come to is judged where they are rendered.
        let others = matches!(object.kind, "ConfigMap" | "Secret" | "CustomResourceDefinition");
        if !others && !object.is_of_group("kustomize.config.k8s.io") {
            of_fields(*object, object.node, "", &mut texts);
        }
        if object.is_of_group("argoproj.io") {
            of_workflow(*object, object.node, "", &mut texts);
        }
    }
    for pod in pods {
        for container in &pod.containers {
            of_container(pod, container, &mut texts);
        }
    }
    texts.retain(|text| text.found != Found::default());
    texts
}

/// Whether a key's value is for people, or no object by itself.
pub fn is_prose(key: &Node) -> bool {
    key.text().is_some_and(|key| matches!(key, "annotations" | "labels" | "description" | "message" | "patch"))
}

/// Whether a text of an object is objects that something applies.
pub fn is_manifest(text: &str) -> bool {
    text.contains("kind") && text.contains("apiVersion") && (text.contains('\n') || text.trim_start().starts_with('{'))
}

/// What a custom object runs, `exec: {command: […]}` outside a container, and the objects that it carries as a text.
fn of_fields<'a>(object: Object<'a>, node: &'a Node, field: &str, texts: &mut Vec<Text<'a>>) {
    let mut push = |at: &'a Node, field: String, found: Found| {
        texts.push(Text { form: None, place: Place::of_object(object, at, field), typed: false, found });
    };
    if let Some(text) = node.text().filter(|text| is_manifest(text)) {
        let read = crate::yaml::read::read(object.file(node), text.as_bytes());
        push(node, field.to_owned(), keyed::documents(&read.documents));
        push(node, field.to_owned(), keyed::documents(&read.alternatives));
    }
    for (index, item) in node.items().iter().enumerate() {
        of_fields(object, item, &format!("{field}[{index}]"), texts);
    }
    for (key, value) in node.entries().iter().filter(|(key, _)| !is_prose(key) && !object.is_pattern(key)) {
        let name = key.text().unwrap_or("");
        let inside = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
        let words = value.items();
        let runs = matches!(name, "command" | "cmd" | "exec") && words.iter().all(|word| word.scalar().is_some());
        if let Some(first) = words.first().filter(|_| runs) {
            let said = words.iter().filter_map(Node::scalar).map(|scalar| Said::Known(scalar.text.clone()));
            let said: Vec<Said> = said.collect();
            let place = Place::of_object(object, first, inside.clone());
            texts.push(Text { form: None, place, typed: false, found: script::command(&said, 1) });
        }
        of_fields(object, value, &inside, texts);
    }
}

/// The scripts of a workflow's steps: `script: {image: …, source: …}`.
fn of_workflow<'a>(object: Object<'a>, node: &'a Node, field: &str, texts: &mut Vec<Text<'a>>) {
    let source = node.get("source").filter(|_| node.get("image").is_some() || node.get("command").is_some());
    if let Some((at, text)) = source.and_then(|at| Some((at, at.text()?))) {
        let python = node
            .get("command")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .any(|word| word.text().is_some_and(|word| word.contains("python") || word.contains("node")));
        let found = script::read(if python { "source.py" } else { "source" }, text);
        let place = Place::of_object(object, at, format!("{field}.source"));
        texts.push(Text { form: None, place, typed: false, found });
    }
    if let (Some(at), Some(action)) = (node.get("flags"), node.get("action").and_then(Node::text)) {
        let words = ["kubectl", action].into_iter().chain(at.items().iter().filter_map(Node::text));
        let said: Vec<Said> = words.map(|word| Said::Known(word.to_owned())).collect();
        let place = Place::of_object(object, at, format!("{field}.flags"));
        texts.push(Text { form: None, place, typed: false, found: script::command(&said, 1) });
    }
    for (index, item) in node.items().iter().enumerate() {
        of_workflow(object, item, &format!("{field}[{index}]"), texts);
    }
    for (key, value) in node.entries() {
        let key = key.text().unwrap_or("");
        let inside = if field.is_empty() { key.to_owned() } else { format!("{field}.{key}") };
        of_workflow(object, value, &inside, texts);
    }
}

/// The files in a ConfigMap or Secret.
fn of_data<'a>(object: Object<'a>, texts: &mut Vec<Text<'a>>) {
    if !matches!(object.kind, "ConfigMap" | "Secret") {
        return;
    }
    for field in ["data", "binaryData", "stringData"] {
        let packed = field == "binaryData" || field == "data" && object.kind == "Secret";
        for (key, value) in object.node.get(field).map(Node::entries).unwrap_or_default() {
            let name = key.scalar().map_or("", |key| key.text.as_str());
            let content = if packed {
                unpacked(value).only().map(str::to_owned)
            } else {
                value.scalar().map(|scalar| scalar.text.clone())
            };
            let Some(content) = content.filter(|content| is_file(name, content)) else { continue };
            let found = keyed::read(name, &content);
            let place = Place::of_object(object, value, format!("{field}[{name}]"));
            texts.push(Text { form: None, place, typed: is_typed(name), found });
        }
    }
}

/// Whether a value is a file: it has lines, or a name that ends like one.
fn is_file(name: &str, content: &str) -> bool {
    content.contains('\n') || name.contains('.') || content.starts_with("#!") || is_assignment(content)
}

/// Whether a value is nothing but a watched key and its value: a file of one line, whatever it is called.
fn is_assignment(content: &str) -> bool {
    let content = content.trim().strip_prefix("export ").unwrap_or(content.trim());
    content.split_once(['=', ':']).is_some_and(|(key, value)| {
        Key::of_variable(key.trim()).is_some() && !value.trim().contains(char::is_whitespace)
    })
}

fn is_typed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".yaml", ".yml", ".json", ".toml"].iter().any(|ending| name.ends_with(ending))
}

/// The commands of a container: its own, those of its probes and of its life cycle, and a custom kind's script.
fn of_container<'a>(pod: &Pod<'a>, container: &Container<'a>, texts: &mut Vec<Text<'a>>) {
    let words = command_line(container.node, &container.environment);
    if let Some((first, _)) = words.first() {
        let own = container.node.get("command").is_none().then(|| Said::Known(own_program(container.node)));
        let said: Vec<Said> = own.into_iter().chain(words.iter().map(|(_, values)| of_values(values))).collect();
        push(pod, first, format!("{}.command", container.field), script::command(&said, 1), texts);
    }
    commands(pod, container.node, &container.field, texts);
    if let Some(text) = container.node.get("script").and_then(|text| Some((text, text.text()?))) {
        push(pod, text.0, format!("{}.script", container.field), script::read("script", text.1), texts);
    }
}

/// What an image runs without a command: the tool that it is named after; else our binary, as far as anybody can tell.
fn own_program(container: &Node) -> String {
    let image = container.get("image").and_then(Node::text).map(crate::placing::base_name);
    script::tool_of_image(image.unwrap_or_default()).unwrap_or("agenttrader").to_owned()
}

fn push<'a>(pod: &Pod<'a>, at: &'a Node, field: String, found: Found, texts: &mut Vec<Text<'a>>) {
    let place = Place::of_object(pod.object, at, field);
    texts.push(Text { form: None, place, typed: false, found });
}

fn of_values(values: &Values) -> Said {
    match values.only() {
        Some(text) => Said::Known(text.to_owned()),
        None => Said::Unknown(values.said()),
    }
}

/// `exec: {command: […]}` anywhere in a container.
fn commands<'a>(pod: &Pod<'a>, node: &'a Node, field: &str, texts: &mut Vec<Text<'a>>) {
    for (key, value) in node.entries() {
        let inside = format!("{field}.{}", key.text().unwrap_or(""));
        if key.text() == Some("exec") {
            let list = value.get("command").map(Node::items).unwrap_or_default();
            let said: Vec<Said> = list
                .iter()
                .map(|word| Said::Known(word.scalar().map_or("", |scalar| &scalar.text).to_owned()))
                .collect();
            if let Some(first) = list.first() {
                push(pod, first, format!("{inside}.command"), script::command(&said, 1), texts);
            }
        }
        if matches!(value.value, Value::Mapping(_)) {
            commands(pod, value, &inside, texts);
        }
    }
}
