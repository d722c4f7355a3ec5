//! What a value may be, as far as the tree decides it.

use std::collections::BTreeSet;

/// Beyond this many possible texts nobody decides anything any more.
const MOST: usize = 32;

/// Every text that a value may have, and why it may be another one besides. Nothing at all where it is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// The texts that the tree gives it.
    pub known: BTreeSet<String>,
    /// Why it may be any other text.
    pub unknown: Option<String>,
}

impl Values {
    /// One text.
    pub fn known(text: impl Into<String>) -> Self {
        Self { known: BTreeSet::from([text.into()]), unknown: None }
    }

    /// Any text, and why nobody can tell.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { known: BTreeSet::new(), unknown: Some(why.into()) }
    }

    /// Whether it is not set.
    pub fn is_absent(&self) -> bool {
        self.known.is_empty() && self.unknown.is_none()
    }

    /// Whether it is set to one of the texts, or may be.
    pub fn may_be(&self, any: impl Fn(&str) -> bool) -> bool {
        self.unknown.is_some() || self.known.iter().any(|text| any(text))
    }

    /// The one text that it has.
    pub fn only(&self) -> Option<&str> {
        match (self.unknown.is_none(), self.known.len(), self.known.first()) {
            (true, 1, Some(text)) => Some(text),
            _ => None,
        }
    }

    /// What it may be besides.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.known.extend(other.known);
        self.unknown = self.unknown.or(other.unknown);
        if self.known.len() > MOST {
            return Self::unknown(format!("it has more than {MOST} possible values"));
        }
        self
    }

    /// Each text with each of another value behind it.
    #[must_use]
    pub fn then(&self, other: &Self) -> Self {
        if let Some(why) = self.unknown.as_ref().or(other.unknown.as_ref()) {
            return Self::unknown(why.clone());
        }
        if self.known.len().saturating_mul(other.known.len()) > MOST {
            return Self::unknown(format!("it has more than {MOST} possible values"));
        }
        let joined = self.known.iter().flat_map(|one| other.known.iter().map(move |two| format!("{one}{two}")));
        Self { known: joined.collect(), unknown: None }
    }

    /// For people: the texts, or why there is none.
    pub fn said(&self) -> String {
        let known: Vec<String> = self.known.iter().map(|text| format!("`{text}`")).collect();
        match (&self.unknown, known.is_empty()) {
            (None, _) => known.join(" or "),
            (Some(why), true) => format!("unknown: {why}"),
            (Some(why), false) => format!("{}, or unknown: {why}", known.join(" or ")),
        }
    }
}

/// Puts values where a text names them as `$(NAME)`; `$$` is one `$`. What `lookup` does not have stays as it is written.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Values) -> Values {
    let mut whole = Values::known("");
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        whole = whole.then(&Values::known(before));
        let after = from.get(1..).unwrap_or_default();
        let name = after.strip_prefix('(').and_then(|inner| inner.split_once(')')).map(|(name, _)| name);
        if let Some(left) = after.strip_prefix('$') {
            whole = whole.then(&Values::known("$"));
            rest = left;
        } else if let Some(name) = name {
            let length = name.len().saturating_add(3);
            let (written, left) = from.split_at(length.min(from.len()));
            let value = lookup(name);
            whole = whole.then(&if value.is_absent() { Values::known(written) } else { value });
            rest = left;
        } else {
            whole = whole.then(&Values::known("$"));
            rest = after;
        }
    }
    whole.then(&Values::known(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Values {
        match name {
            "A" => Values::known("EXE"),
            "B" => Values::known("CUTE").or(Values::known("x")),
            "S" => Values::unknown("a secret"),
            _ => Values::default(),
        }
    }

    #[test]
    fn references_are_expanded_as_the_kubelet_does() {
        for (text, expected) in [
            ("$(A)CUTE", "`EXECUTE`"),
            ("$(A)$(B)", "`EXECUTE` or `EXEx`"),
            ("$$(A)", "`$(A)`"),
            ("$(NOBODY) $ $x $(", "`$(NOBODY) $ $x $(`"),
            ("é$(A)", "`éEXE`"),
            ("$(A)$(S)", "unknown: a secret"),
        ] {
            assert_eq!(expand(text, &lookup).said(), expected, "{text}");
        }
    }

    #[test]
    fn too_many_possibilities_are_unknown() {
        assert!(expand(&"$(B)".repeat(6), &lookup).unknown.is_some());
        assert!(expand(&"$(B)".repeat(1000), &lookup).unknown.is_some());
    }
}
