//! The table of fields, read from `fields.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

static TABLE: LazyLock<BTreeMap<&'static str, Type>> = LazyLock::new(|| read(include_str!("fields.txt")));

/// A mapping with known fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Type {
    parent: Option<&'static str>,
    fields: BTreeMap<&'static str, Field>,
}

/// A field: what it holds, and whether it must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A number or a text, as in `cpu: 1` and `cpu: 100m`.
    NumberOrText,
    /// A list of values alike.
    List(Box<Self>),
    /// A mapping of values alike, under any names.
    Pairs(Box<Self>),
    /// A mapping with known fields.
    Of(&'static str),
}

/// A type of the table.
pub fn of(name: &str) -> Option<&'static Type> {
    TABLE.get(name)
}

impl Type {
    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name).or_else(|| self.parent.and_then(of).and_then(|parent| parent.fields.get(name)))
    }

    /// The fields that must be there.
    pub fn required(&self) -> impl Iterator<Item = &'static str> + '_ {
        let inherited = self.parent.and_then(of).into_iter().flat_map(|parent| &parent.fields);
        let inherited = inherited.filter(|(name, _)| !self.fields.contains_key(*name));
        self.fields.iter().chain(inherited).filter(|(_, field)| field.required).map(|(name, _)| *name)
    }
}

fn read(text: &'static str) -> BTreeMap<&'static str, Type> {
    let mut table = BTreeMap::new();
    let mut name = "";
    let mut shape = Shape::Any;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words = match line.split_once(" = ") {
            Some((head, words)) => {
                let (own, parent) = head.split_once(" < ").map_or((head, None), |(own, parent)| (own, Some(parent)));
                name = own;
                table.insert(name, Type { parent, ..Type::default() });
                words
            }
            None => line,
        };
        for word in words.split_whitespace() {
            if let Some(of) = word.strip_suffix(':') {
                shape = shape_of(of);
                continue;
            }
            let (field, required) = word.strip_suffix('!').map_or((word, false), |field| (field, true));
            if let Some(entry) = table.get_mut(name) {
                entry.fields.insert(field, Field { shape: shape.clone(), required });
            }
        }
    }
    table
}

fn shape_of(word: &'static str) -> Shape {
    let inside = |open: char, close: char| word.strip_prefix(open).and_then(|word| word.strip_suffix(close));
    if let Some(item) = inside('[', ']') {
        return Shape::List(Box::new(shape_of(item)));
    }
    if let Some(value) = inside('{', '}') {
        return Shape::Pairs(Box::new(shape_of(value)));
    }
    match word {
        "any" => Shape::Any,
        "text" => Shape::Text,
        "number" => Shape::Number,
        "bool" => Shape::Bool,
        "number-or-text" => Shape::NumberOrText,
        name => Shape::Of(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(shape: &Shape) -> Option<&'static str> {
        match shape {
            Shape::List(inner) | Shape::Pairs(inner) => named(inner),
            Shape::Of(name) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn every_name_in_the_table_stands_in_it() {
        assert!(TABLE.len() > 80, "{}", TABLE.len());
        for (name, own) in TABLE.iter() {
            assert!(!own.fields.is_empty(), "{name}");
            assert!(own.parent.is_none_or(|parent| of(parent).is_some()), "{name}");
            for (field, held) in &own.fields {
                assert!(named(&held.shape).is_none_or(|inner| of(inner).is_some()), "{name}.{field}");
            }
        }
    }

    #[test]
    fn fields_of_a_parent_are_inherited_and_may_be_changed() {
        let container = of("RevisionContainer").unwrap();
        assert!(container.field("livenessProbe").is_some() && container.field("nothing").is_none());
        assert_eq!(container.required().collect::<Vec<_>>(), ["image"]);
        assert!(of("Container").unwrap().required().eq(["image", "name"]));
    }
}
