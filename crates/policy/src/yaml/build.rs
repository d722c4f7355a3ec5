//! Parser events to nodes: aliases expanded within a budget, merge keys applied, keys that stand twice found.

use super::node::{Node, Scalar, Value};
use super::scalar::key_readings;
use base64::Engine;
use granit_parser::{Event, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Mappings and lists inside one another, after expansion.
pub const DEPTH: usize = 64;

/// Documents in a file.
pub const DOCUMENTS: usize = 10_000;

/// What anchors and aliases may copy in a file: a node costs one, its text one per [`TEXT_UNIT`] bytes. A bomb needs
/// billions; a manifest with anchors a few hundred.
const COPIES: usize = 200_000;

/// Bytes of text that cost as much as a node.
const TEXT_UNIT: usize = 64;

/// Refusals listed for a file; the first are enough to act on.
const REFUSALS: usize = 50;

/// Which value stands for a key that readers take differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wins {
    /// What is written later, merge keys too.
    Last,
    /// What is written first; a key that is spelled out over a merged one.
    First,
}

/// Why the rest of a text cannot be read.
pub struct Stop {
    /// On which line, of the text.
    pub line: u32,
    /// What is wrong.
    pub what: String,
}

/// What stands twice, is tagged or refers to itself.
pub struct Refusal {
    /// On which line, of the text.
    pub line: u32,
    /// What is wrong.
    pub what: String,
}

/// Builds documents out of one text's events.
pub struct Builder {
    wins: Wins,
    /// Finished documents that are not empty.
    pub documents: Vec<Node>,
    /// What is refused.
    pub refusals: Vec<Refusal>,
    /// Whether another [`Wins`] would give other documents.
    pub differs: bool,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Option<(Node, usize)>>,
    started: usize,
    copied: usize,
}

struct Frame {
    line: u32,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Node, Node)>, key: Option<Node>, merges: Vec<(usize, Node)>, seen: HashMap<String, usize> },
}

impl Builder {
    /// A builder that has seen nothing.
    pub fn new(wins: Wins) -> Self {
        Self {
            wins,
            documents: Vec::new(),
            refusals: Vec::new(),
            differs: false,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            started: 0,
            copied: 0,
        }
    }

    /// Takes one event.
    pub fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Stop> {
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        match event {
            Event::DocumentStart(..) => {
                self.anchors.clear();
                self.started = self.started.saturating_add(1);
                if self.started > DOCUMENTS {
                    return Err(Stop { line, what: format!("the file holds more than {DOCUMENTS} documents") });
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text, style, tag.as_deref(), line);
                let node = Node::new(line, Value::Scalar(scalar));
                self.finish(node, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.collection(tag.as_deref(), "seq", line);
                self.start(Frame { line, anchor, kind: Kind::Sequence(Vec::new()) })?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection(tag.as_deref(), "map", line);
                let kind = Kind::Mapping { entries: Vec::new(), key: None, merges: Vec::new(), seen: HashMap::new() };
                self.start(Frame { line, anchor, kind })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(frame) = self.open.pop() {
                    let value = match frame.kind {
                        Kind::Sequence(items) => Value::Sequence(items),
                        Kind::Mapping { entries, merges, seen, .. } => {
                            Value::Mapping(self.merge(entries, merges, seen))
                        }
                    };
                    self.finish(Node::new(frame.line, value), frame.anchor)?;
                }
            }
            Event::Alias(id) => {
                let node = self.alias(id, line)?;
                self.finish(node, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn refuse(&mut self, line: u32, what: impl Into<String>) {
        if self.refusals.len() < REFUSALS {
            self.refusals.push(Refusal { line, what: what.into() });
        }
    }

    fn start(&mut self, frame: Frame) -> Result<(), Stop> {
        let line = frame.line;
        if frame.anchor != 0 {
            self.anchors.insert(frame.anchor, None);
        }
        self.open.push(frame);
        if self.open.len() > DEPTH { Err(too_deep(line)) } else { Ok(()) }
    }

    /// Puts a finished node where it belongs: under its key, into its list, or among the documents.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            let depth = depth(&node);
            self.copy(&node, node.line)?;
            self.anchors.insert(anchor, Some((node.clone(), depth)));
        }
        let Some(Frame { kind, .. }) = self.open.last_mut() else {
            if node.scalar().is_none_or(|scalar| !scalar.is_null()) {
                self.documents.push(node);
            }
            return Ok(());
        };
        match kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping { entries, key, merges, seen } => match key.take() {
                None => *key = Some(node),
                Some(name) => {
                    let twice = entry(entries, merges, seen, name, node, self.wins);
                    if let Some((line, what)) = twice {
                        self.differs = true;
                        self.refuse(line, what);
                    }
                }
            },
        }
        Ok(())
    }

    fn copy(&mut self, node: &Node, line: u32) -> Result<(), Stop> {
        self.copied = self.copied.saturating_add(cost(node, COPIES.saturating_sub(self.copied)));
        if self.copied > COPIES {
            return Err(Stop { line, what: "its anchors and aliases expand beyond every use".to_owned() });
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, line: u32) -> Result<Node, Stop> {
        match self.anchors.get(&id).cloned() {
            Some(Some((mut node, depth))) => {
                self.copy(&node, line)?;
                if self.open.len().saturating_add(depth) > DEPTH {
                    return Err(too_deep(line));
                }
                node.each_line(&mut |_| line);
                Ok(node)
            }
            _ => Err(Stop { line, what: "an alias refers to what holds it".to_owned() }),
        }
    }

    fn collection(&mut self, tag: Option<&Tag>, own: &str, line: u32) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix() != Some(own)) {
            self.refuse(line, format!("the tag `{}` is not one that manifests need", spelled(tag)));
        }
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, line: u32) -> Scalar {
        let plain = style == ScalarStyle::Plain;
        let scalar = Scalar { text: text.into_owned(), plain };
        let Some(tag) = tag else { return scalar };
        let of_core = tag.suffix_in_namespace("tag:yaml.org,2002:");
        let typed = Scalar { plain: true, ..scalar.clone() };
        let fits = match of_core.as_deref() {
            Some("str") => return Scalar { plain: false, ..scalar },
            Some("binary") => {
                let packed: String = scalar.text.split_ascii_whitespace().collect();
                match base64::engine::general_purpose::STANDARD.decode(packed) {
                    Ok(bytes) => return Scalar { text: String::from_utf8_lossy(&bytes).into_owned(), plain: false },
                    Err(_) => false,
                }
            }
            Some("merge") => return typed,
            Some("null") => typed.is_null(),
            Some("bool") => matches!(typed.text.to_ascii_lowercase().as_str(), "true" | "false"),
            Some("int" | "float") => !typed.is_string() && !typed.is_ambiguous() && !typed.is_null(),
            _ => {
                self.refuse(line, format!("the tag `{}` is not one that manifests need", spelled(tag)));
                return scalar;
            }
        };
        if !fits {
            self.refuse(line, format!("the value is not what its tag `{}` says", spelled(tag)));
        }
        typed
    }

    /// Adds what merge keys bring to what is spelled out.
    fn merge(
        &mut self,
        mut entries: Vec<(Node, Node)>,
        merges: Vec<(usize, Node)>,
        mut seen: HashMap<String, usize>,
    ) -> Vec<(Node, Node)> {
        for (position, source) in merges {
            let line = source.line;
            let sources = match source.value {
                Value::Sequence(items) => items,
                _ => vec![source],
            };
            let spelled_out = entries.len();
            for source in sources {
                let Value::Mapping(brought) = source.value else {
                    self.refuse(line, "a merge key (`<<`) brings something that is no mapping");
                    continue;
                };
                for (key, value) in brought {
                    let readings = key.scalar().map(key_readings).unwrap_or_default();
                    match readings.iter().find_map(|reading| seen.get(reading)).copied() {
                        None => {
                            for reading in readings {
                                seen.insert(reading, entries.len());
                            }
                            entries.push((key, value));
                        }
                        // Spelled out before the merge key: some readers let the merged value win.
                        Some(at) if at < position && at < spelled_out => {
                            if let Some((_, there)) = entries.get_mut(at).filter(|(_, there)| !same(there, &value)) {
                                self.differs = true;
                                if self.wins == Wins::Last {
                                    *there = value;
                                }
                            }
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        entries
    }
}

/// Puts a key and its value; says so where the key stands already.
fn entry(
    entries: &mut Vec<(Node, Node)>,
    merges: &mut Vec<(usize, Node)>,
    seen: &mut HashMap<String, usize>,
    key: Node,
    value: Node,
    wins: Wins,
) -> Option<(u32, String)> {
    let line = key.line;
    let Some(scalar) = key.scalar() else {
        entries.push((key, value));
        return Some((line, "a key is a list or a mapping: no object has such".to_owned()));
    };
    if scalar.text == "<<" {
        let wrong = match (scalar.plain, merges.is_empty()) {
            (_, false) => Some((line, "the merge key (`<<`) stands twice".to_owned())),
            (false, true) => Some((line, "a quoted `<<` is a merge key for some readers".to_owned())),
            (true, true) => None,
        };
        merges.push((entries.len(), value));
        return wrong;
    }
    let readings = key_readings(scalar);
    if let Some(at) = readings.iter().find_map(|reading| seen.get(reading)).copied() {
        let first = entries.get(at).map_or(0, |(key, _)| key.line);
        let what = format!("the key `{}` stands twice, first on line {first}", scalar.text);
        if let Some(there) = entries.get_mut(at).filter(|_| wins == Wins::Last) {
            *there = (key, value);
        }
        return Some((line, what));
    }
    for reading in readings {
        seen.insert(reading, entries.len());
    }
    entries.push((key, value));
    None
}

fn too_deep(line: u32) -> Stop {
    Stop { line, what: format!("values stand more than {DEPTH} deep inside one another") }
}

fn spelled(tag: &Tag) -> String {
    format!("{}{}", tag.original_handle(), tag.suffix())
}

/// What copying a node costs, counted no further than to a limit.
fn cost(node: &Node, limit: usize) -> usize {
    let mut total: usize = 0;
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        total = total.saturating_add(1);
        match &node.value {
            Value::Scalar(scalar) => total = total.saturating_add(scalar.text.len() / TEXT_UNIT),
            Value::Sequence(items) => waiting.extend(items),
            Value::Mapping(entries) => waiting.extend(entries.iter().flat_map(|(key, value)| [key, value])),
        }
        if total > limit {
            break;
        }
    }
    total
}

/// How deep a node is; it has been built, so it is no deeper than [`DEPTH`].
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(depth).max().unwrap_or(0).saturating_add(1),
        Value::Mapping(entries) => {
            entries.iter().map(|(key, value)| depth(key).max(depth(value))).max().unwrap_or(0).saturating_add(1)
        }
    }
}

/// Whether two nodes mean the same, wherever they stand.
fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Scalar(one), Value::Scalar(other)) => one == other,
        (Value::Sequence(one), Value::Sequence(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Mapping(one), Value::Mapping(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((key, value), (name, there))| same(key, name) && same(value, there))
        }
        _ => false,
    }
}
