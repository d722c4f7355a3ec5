//! A parsed document: nodes with the line they stand on.

use std::sync::Arc;

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Line in its file, from 1. Of what an alias or a merge key brought: the line where it is used.
    pub line: u32,
    /// The file it came from, where that is not its document's: what a rendered kustomization took from another file.
    pub file: Option<Arc<str>>,
    /// What it is.
    pub value: Value,
}

/// The three shapes of YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text with the way it was written.
    Scalar(Scalar),
    /// Values in order.
    Sequence(Vec<Node>),
    /// Keys and values in order; merge keys are applied, no key stands twice.
    Mapping(Vec<(Node, Node)>),
}

/// A scalar as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Its text after escapes; of `!!binary` the decoded bytes, where they are UTF-8.
    pub text: String,
    /// Written without quotes and without `!!str`: its type follows from its text.
    pub plain: bool,
}

impl Scalar {
    /// Whether every reader takes it for nothing at all: plain and empty, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// A value of the document's own file.
    pub const fn new(line: u32, value: Value) -> Self {
        Self { line, file: None, value }
    }

    /// The file it came from: its own, or that of its document.
    pub fn file<'a>(&'a self, document: &'a str) -> &'a str {
        self.file.as_deref().unwrap_or(document)
    }

    /// The value of a key, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Keys and values of a mapping; nothing of any other shape.
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Values of a sequence; nothing of any other shape.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The scalar, where it is one.
    pub const fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// A scalar's text, whatever its type; none of a null.
    pub fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| !scalar.is_null()).map(|scalar| scalar.text.as_str())
    }

    /// Gives each value another line.
    pub fn each_line(&mut self, line: &mut impl FnMut(u32) -> u32) {
        self.line = line(self.line);
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter_mut().for_each(|item| item.each_line(line)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|(key, value)| {
                key.each_line(line);
                value.each_line(line);
            }),
        }
    }
}
