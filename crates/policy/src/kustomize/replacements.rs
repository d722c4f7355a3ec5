//! `replacements`: values copied from one object into others.

use std::sync::Arc;

use crate::yaml::node::{Node, Scalar, Value};

use super::build::{At, Build, Resources, Spec, is_typed};
use super::edit::{self, Place};
use super::resource::Resource;

impl Build<'_> {
    /// Carries out `replacements`.
    pub(super) fn replace(&mut self, spec: &Spec, resources: &mut Resources) {
        for entry in spec.list(self, "replacements") {
            self.only(spec, entry, "replacements", &["path", "source", "targets"]);
            let at = At { value: None, ..At::of(&spec.file, entry, "replacements") };
            match entry.get("path").and_then(Node::text) {
                None => self.replace_one(spec, entry, resources),
                Some(path) => {
                    let Some(path) = self.locate_file(&spec.folder, path, &at) else { continue };
                    for document in self.documents(&path) {
                        let part = Spec { file: Arc::from(path.as_str()), ..spec.clone() };
                        let entries = match &document.value {
                            Value::Sequence(entries) => entries.as_slice(),
                            _ => std::slice::from_ref(&document),
                        };
                        for entry in entries {
                            self.only(&part, entry, "replacements", &["source", "targets"]);
                            self.replace_one(&part, entry, resources);
                        }
                    }
                }
            }
        }
    }

    fn replace_one(&mut self, spec: &Spec, entry: &Node, resources: &mut Resources) {
        let at = At { value: None, ..At::of(&spec.file, entry, "replacements") };
        let targets = entry.get("targets").map(Node::items).unwrap_or_default();
        let cost = resources.len().saturating_mul(targets.len().saturating_add(1));
        if !self.affords(cost, &at) {
            return;
        }
        let Some(value) = self.source(spec, entry, resources) else { return };
        if targets.is_empty() {
            self.refuse(&at, "a replacement has no `targets`", "say where the value goes");
        }
        for target in targets {
            self.only(spec, target, "replacements.targets", &["select", "reject", "fieldPaths", "options"]);
            let at = At { value: None, ..At::of(&spec.file, target, "replacements.targets") };
            let Some(select) = target.get("select") else {
                self.refuse(&at, "a target has no `select`", "say which objects the value goes to");
                continue;
            };
            let Some(chosen) = self.choose(spec, select, resources) else { continue };
            let rejects = target.get("reject").map(Node::items).unwrap_or_default();
            let mut rejected = Vec::new();
            for reject in rejects {
                rejected.extend(self.choose(spec, reject, resources).unwrap_or_default());
            }
            let Some(options) = self.field_options(spec, target) else { continue };
            let paths = target.get("fieldPaths").map(Node::items).unwrap_or_default();
            let paths: Vec<&str> =
                if paths.is_empty() { vec!["metadata.name"] } else { paths.iter().filter_map(Node::text).collect() };
            for index in chosen.into_iter().filter(|index| !rejected.contains(index)) {
                let Some(resource) = resources.get_mut(index) else { continue };
                for path in &paths {
                    if !self.affords(edit::size(&resource.node).saturating_add(edit::size(&value)), &at) {
                        return;
                    }
                    if let Err(problem) = put(resource, path, &value, &options) {
                        let id = resource.id();
                        let message = format!("`{path}` of {} `{}` cannot be replaced: {problem}", id.kind, id.name);
                        self.refuse(&at, message, "correct the path, or write the value into the object itself");
                    }
                }
            }
        }
    }

    /// The value that is copied.
    fn source(&mut self, spec: &Spec, entry: &Node, resources: &Resources) -> Option<Node> {
        let at = At { value: None, ..At::of(&spec.file, entry, "replacements.source") };
        let Some(source) = entry.get("source") else {
            self.refuse(&at, "a replacement has no `source`", "say which field of which object is copied");
            return None;
        };
        const FIELDS: [&str; 7] = ["group", "version", "kind", "name", "namespace", "fieldPath", "options"];
        self.only(spec, source, "replacements.source", &FIELDS);
        let chosen: Vec<&Resource> = resources.iter().filter(|resource| is_chosen(resource, source)).collect();
        let [only] = chosen.as_slice() else {
            self.refuse(&at, format!("the source is one object, and {} fit", chosen.len()), "name the object exactly");
            return None;
        };
        let path = source.get("fieldPath").and_then(Node::text).unwrap_or("metadata.name");
        let mut node = only.node.clone();
        let mut found = Vec::new();
        let result = walk(&mut node, &steps(path), None, &mut |value| found.push(value.clone()));
        let options = self.field_options(spec, source)?;
        match (result, found.as_slice()) {
            (Ok(()), [value]) if !edit::is_null(value) => match &options.delimiter {
                None => Some(value.clone()),
                Some(delimiter) => {
                    let text = value.text().unwrap_or_default();
                    let index = usize::try_from(options.index).ok();
                    let part = index.and_then(|index| text.split(delimiter.as_str()).nth(index));
                    if part.is_none() {
                        self.refuse(&at, format!("`{path}` has no such part"), "correct `index`");
                    }
                    let plain = value.scalar().is_some_and(|scalar| scalar.plain);
                    part.map(|part| Node {
                        value: Value::Scalar(Scalar { text: part.to_owned(), plain }),
                        ..value.clone()
                    })
                }
            },
            _ => {
                self.refuse(&at, format!("the source has no one value at `{path}`"), "correct `fieldPath`");
                None
            }
        }
    }

    fn field_options(&mut self, spec: &Spec, part: &Node) -> Option<Options> {
        let Some(node) = part.get("options").filter(|node| !edit::is_null(node)) else {
            return Some(Options::default());
        };
        self.only(spec, node, "replacements.options", &["delimiter", "index", "create"]);
        let delimiter = node.get("delimiter").and_then(Node::text).filter(|text| !text.is_empty()).map(str::to_owned);
        let index = node.get("index").and_then(Node::text).map_or(Some(0), |text| text.parse().ok());
        let Some(index) = index else {
            self.refuse(
                &At::of(&spec.file, node, "replacements.options"),
                "`index` is no whole number",
                "write a number",
            );
            return None;
        };
        Some(Options { delimiter, index, create: self.flag(spec, node, "create") })
    }

    /// The objects that a selector of replacements means, by their places.
    fn choose(&mut self, spec: &Spec, select: &Node, resources: &Resources) -> Option<Vec<usize>> {
        // What it says of names is exact; of labels and annotations it is as in a patch's target.
        let mut by_labels = select.clone();
        for key in ["group", "version", "kind", "name", "namespace"] {
            edit::remove(&mut by_labels, key);
        }
        let selector = self.selector(spec, &by_labels, "replacements.targets.select")?;
        let chosen = resources.iter().enumerate();
        Some(
            chosen
                .filter(|(_, resource)| is_chosen(resource, select) && selector.selects(resource))
                .map(|(index, _)| index)
                .collect(),
        )
    }
}

#[derive(Default)]
struct Options {
    delimiter: Option<String>,
    index: i64,
    create: bool,
}

/// Whether an object has, or had, what is given of group, version, kind, name and namespace.
fn is_chosen(resource: &Resource, selector: &Node) -> bool {
    let given = |key: &str| selector.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    let fits = |key: &str, held: &str| given(key).is_none_or(|wanted| wanted == held);
    resource.ids().any(|id| {
        fits("group", &id.group)
            && fits("version", &id.version)
            && fits("kind", &id.kind)
            && fits("name", &id.name)
            && fits("namespace", &id.namespace)
    })
}

/// One step of a path.
enum Step {
    Key(String),
    Item(String, String),
    All,
}

/// The steps of `spec.template.spec.containers.[name=a].env.0`; a dot in brackets or after a backslash is no step.
fn steps(path: &str) -> Vec<Step> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    let mut letters = path.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '.' if depth == 0 => parts.push(String::new()),
            letter => {
                match letter {
                    '[' => depth = depth.saturating_add(1),
                    ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                let kept = if letter == '\\' && letters.peek() == Some(&'.') { letters.next() } else { Some(letter) };
                if let Some(last) = parts.last_mut() {
                    last.extend(kept);
                }
            }
        }
    }
    let step = |part: String| match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
        Some(inner) => match inner.split_once('=') {
            Some((key, value)) => Step::Item(key.to_owned(), value.to_owned()),
            None => Step::Key(inner.to_owned()),
        },
        None if part == "*" => Step::All,
        None => Step::Key(part),
    };
    parts.into_iter().filter(|part| !part.is_empty()).map(step).collect()
}

/// Calls `change` with each value that a path leads to; with a place, the last steps are made where they are missing.
fn walk(node: &mut Node, path: &[Step], made: Option<&Place>, change: &mut dyn FnMut(&mut Node)) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else {
        change(node);
        return Ok(());
    };
    match (step, &mut node.value) {
        (Step::All, Value::Sequence(items)) => items.iter_mut().try_for_each(|item| walk(item, rest, made, change)),
        (Step::Item(key, value), Value::Sequence(items)) => {
            let fits = |item: &&mut Node| {
                let held = if key.is_empty() { item.text() } else { item.get(key).and_then(Node::text) };
                held == Some(value)
            };
            let mut found = false;
            for item in items.iter_mut().filter(fits) {
                found = true;
                walk(item, rest, made, change)?;
            }
            if found { Ok(()) } else { Err(format!("there is no item whose `{key}` is `{value}`")) }
        }
        (Step::Key(key), Value::Sequence(items)) => {
            let index: Option<usize> = key.parse().ok();
            match index.and_then(|index| items.get_mut(index)) {
                Some(item) => walk(item, rest, made, change),
                None => Err(format!("there is no item `{key}`")),
            }
        }
        (Step::Key(key), _) => {
            let missing = edit::child_mut(node, key).is_none();
            if let Some(place) = made.filter(|_| missing) {
                let value = if rest.is_empty() { place.plain("") } else { place.node(Value::Mapping(Vec::new())) };
                edit::set(node, key, value);
            }
            match edit::child_mut(node, key) {
                Some(child) => walk(child, rest, made, change),
                None => Err(format!("there is no `{key}`")),
            }
        }
        _ => Err("it leads through something that is no list".to_owned()),
    }
}

fn put(resource: &mut Resource, path: &str, value: &Node, options: &Options) -> Result<(), String> {
    let place = Place { file: value.file.clone().unwrap_or_else(|| Arc::from("")), line: value.line };
    let mut changed = resource.node.clone();
    let mut problem = None;
    let mut found = false;
    let steps = steps(path);
    if steps.len() > edit::DEPTH {
        return Err(format!("it is more than {} steps long", edit::DEPTH));
    }
    walk(&mut changed, &steps, options.create.then_some(&place), &mut |target| {
        found = true;
        problem = problem.take().or_else(|| write(target, value, options).err());
    })?;
    match problem {
        Some(problem) => Err(problem),
        None if !found => Err("nothing is there".to_owned()),
        None if edit::depth(&changed) > edit::DEPTH => {
            Err(format!("the object becomes more than {} deep", edit::DEPTH))
        }
        None => {
            // A name that a replacement changes is found again by what it was.
            resource.remember();
            resource.node = changed;
            Ok(())
        }
    }
}

fn write(target: &mut Node, value: &Node, options: &Options) -> Result<(), String> {
    let Value::Scalar(held) = &target.value else {
        if options.delimiter.is_some() {
            return Err("`delimiter` is for texts".to_owned());
        }
        *target = value.clone();
        return Ok(());
    };
    let Some(new) = value.scalar() else {
        return Err("a list or a mapping is put in the place of a value".to_owned());
    };
    let text = match &options.delimiter {
        None => new.text.clone(),
        Some(delimiter) => {
            let mut parts: Vec<&str> = held.text.split(delimiter.as_str()).collect();
            match usize::try_from(options.index) {
                Err(_) => parts.insert(0, &new.text),
                Ok(index) => match parts.get_mut(index) {
                    Some(part) => *part = &new.text,
                    None => parts.push(&new.text),
                },
            }
            parts.join(delimiter)
        }
    };
    // A number stays a number and a text a text; what was made for the value is as the value was.
    let plain = if held.is_null() { new.plain } else { held.plain && is_typed(&held.text) };
    if plain && !held.is_null() && !is_typed(&text) {
        return Err(format!("`{text}` is no value of the type of `{}`", held.text));
    }
    target.value = Value::Scalar(Scalar { text, plain });
    target.line = value.line;
    target.file.clone_from(&value.file);
    Ok(())
}
