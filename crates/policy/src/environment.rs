//! What a container's process finds in its environment: every setting, with where it stands.

use crate::values::{Values, expand};
use crate::yaml::node::{Node, Value};

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// Spelled out in `env`.
    Literal,
    /// One key of a ConfigMap.
    ConfigMapKey {
        /// The ConfigMap.
        name: &'a str,
        /// The key.
        key: &'a str,
        /// Whether the container starts without it.
        optional: bool,
    },
    /// All of a ConfigMap or Secret.
    EnvFrom,
    /// Something else: a Secret's key, a field of the pod.
    Other,
}

/// One setting of a variable.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub values: Values,
    /// Where that comes from.
    pub source: Source<'a>,
    /// The value as it is spelled, or the entry that names its source.
    pub at: &'a Node,
    /// Where that stands in the object.
    pub field: String,
}

/// Something that may set variables nobody can list.
#[derive(Clone, Debug)]
pub struct Open<'a> {
    /// What their names begin with.
    pub prefix: String,
    /// Why nobody can list them.
    pub why: String,
    /// The entry.
    pub at: &'a Node,
    /// Where it stands in the object.
    pub field: String,
}

/// What a container's process finds in its environment.
#[derive(Clone, Debug, Default)]
pub struct Environment<'a> {
    /// Every setting in the order in which they are made: the last of a name wins.
    pub variables: Vec<Variable<'a>>,
    /// What may set more of them, before any of `env`.
    pub open: Vec<Open<'a>>,
}

impl<'a> Environment<'a> {
    /// Every setting of a variable.
    pub fn of<'s>(&'s self, name: &'s str) -> impl DoubleEndedIterator<Item = &'s Variable<'a>> {
        self.variables.iter().filter(move |variable| variable.name == name)
    }

    /// What a variable may be.
    pub fn value(&self, name: &str) -> Values {
        let last = self.of(name).next_back();
        let value = last.map(|variable| variable.values.clone()).unwrap_or_default();
        let fixed = last.is_some_and(|variable| variable.source != Source::EnvFrom);
        match self.open.iter().find(|open| name.starts_with(&open.prefix)) {
            Some(open) if !fixed => value.or(Values::unknown(open.why.clone())),
            _ => value,
        }
    }

    /// A variable as `$(NAME)` gives it: the kubelet adds those of services.
    pub fn reference(&self, name: &str) -> Values {
        let value = self.value(name);
        let of_service = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains("_PORT");
        if value.is_absent() && of_service {
            return Values::unknown(format!("`{name}` may be set for a service"));
        }
        value
    }
}

/// A command line's words with `$(NAME)` expanded: `command`, then `args`.
pub fn command_line<'a>(container: &'a Node, environment: &Environment<'a>) -> Vec<(&'a Node, Values)> {
    let words =
        ["command", "args"].into_iter().filter_map(|key| container.get(key)).flat_map(|list| match &list.value {
            Value::Scalar(_) => std::slice::from_ref(list),
            _ => list.items(),
        });
    words
        .map(|word| {
            let text = word.scalar().map(|scalar| scalar.text.as_str());
            (
                word,
                text.map_or_else(
                    || Values::unknown("it is no text"),
                    |text| expand(text, &|name| environment.reference(name)),
                ),
            )
        })
        .collect()
}
