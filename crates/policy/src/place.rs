//! Where something stands, for people.

use crate::finding::{Finding, Rule};
use crate::object::Object;

/// A line of a file, and the object and field it is part of.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The file.
    pub path: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// The object it is part of.
    pub object: Option<Object<'a>>,
    /// Where in the object or document.
    pub field: Option<String>,
}

impl<'a> Place<'a> {
    /// A line of a file that is no object.
    pub fn of_file(path: &str, line: u32) -> Self {
        Self { path: path.to_owned(), line: Some(line), object: None, field: None }
    }

    /// A node of an object.
    pub fn of_object(object: Object<'a>, at: &'a crate::yaml::node::Node, field: impl Into<String>) -> Self {
        Self { path: object.file(at).to_owned(), line: Some(at.line), object: Some(object), field: Some(field.into()) }
    }

    /// The same place, some lines further down.
    #[must_use]
    pub fn below(&self, lines: u32) -> Self {
        Self { line: self.line.map(|line| line.saturating_add(lines)), ..self.clone() }
    }

    /// A failure there.
    pub fn fail(&self, rule: Rule, value: &str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        let message = message.into();
        let message = self.object.map_or_else(|| message.clone(), |object| object.seen_by(message.clone()));
        let finding = Finding::fail(rule, &self.path, message, remedy).value(value);
        Finding {
            line: self.line,
            object: self.object.map(|object| object.label()),
            field: self.field.clone(),
            ..finding
        }
    }
}
