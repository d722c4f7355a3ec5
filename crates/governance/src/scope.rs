//! Which files a lock holds: patterns over paths. The lock contract, `scope`.
//!
//! A pattern names whole paths from the root. `*` stands for any run of characters inside one part, `**` as a part for any number of parts:
//! `k8s/**` is everything under `k8s`, and `k8s` itself should it be no folder; `Dockerfile*` is files of the root alone.

use crate::git::path::RepoPath;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// What a lock holds unless its people say otherwise.
pub const USUAL: [&str; 20] = [
    "k8s/**",
    "infra/**",
    "config/**",
    "configs/**",
    "crates/**",
    "frontend/**",
    "xtask/**",
    "scripts/**",
    "docs/**",
    "Dockerfile*",
    "compose*",
    "Cargo.*",
    "rust-toolchain*",
    "deny.toml",
    "clippy.toml",
    ".cargo/**",
    ".ci/**",
    ".gitattributes",
    ".gitmodules",
    "ops/trust/**",
];

/// In every scope, whether its patterns say so or not: who may sign, what judges, and what makes git show other bytes.
const ALWAYS: [&str; 4] = [".gitmodules", ".gitattributes", ".ci/**", "ops/trust/**"];

/// In no scope: what unlocking itself writes.
const NEVER: [&str; 5] =
    ["ops/unlock/**", "ops/lkg/**", "ops/proposals/**", "ops/production-lock.json", "ops/PRODUCTION_LOCK.md"];

/// Most patterns of a scope.
const PATTERNS_MOST: usize = 256;

/// Longest pattern.
const PATTERN_BYTES_MOST: usize = 256;

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    parts: Vec<String>,
}

/// Patterns, as a lock lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    patterns: Vec<Pattern>,
    always: Vec<Pattern>,
    never: Vec<Pattern>,
}

/// Why a text is no pattern, or a list no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A part that no path has, or that means more than it seems to.
    #[error("`{pattern}` is no pattern: {why}")]
    Pattern {
        /// The text.
        pattern: String,
        /// Why.
        why: &'static str,
    },
    /// The same pattern twice.
    #[error("`{pattern}` stands in the scope twice")]
    Twice {
        /// The pattern.
        pattern: String,
    },
    /// None, or more than anybody needs.
    #[error("a scope has 1 to {PATTERNS_MOST} patterns, this one has {found}")]
    Count {
        /// How many.
        found: usize,
    },
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let refused = |why| PatternError::Pattern { pattern: text.chars().take(PATTERN_BYTES_MOST).collect(), why };
        if text.len() > PATTERN_BYTES_MOST {
            return Err(refused("it is too long"));
        }
        let plain = |letter: char| letter.is_ascii_graphic() && !"?[]{}!\\\"'".contains(letter);
        if !text.chars().all(plain) {
            return Err(refused("only letters, digits, `*` and plain signs stand in one"));
        }
        for part in text.split('/') {
            if matches!(part, "" | "." | "..") {
                return Err(refused("an empty part, `.` and `..` are in no path"));
            }
            if part.contains("**") && part != "**" {
                return Err(refused("`**` is a part of its own"));
            }
        }
        if text.split('/').filter(|part| *part == "**").count() > 1 {
            return Err(refused("`**` stands in it once at most"));
        }
        Ok(Self { parts: text.split('/').map(str::to_owned).collect() })
    }

    /// Whether a path is one of those meant.
    pub fn covers(&self, path: &RepoPath) -> bool {
        let parts: Vec<&[u8]> = path.parts().collect();
        match self.parts.iter().position(|part| part == "**") {
            None => self.parts.len() == parts.len() && all_match(&self.parts, &parts),
            Some(at) => {
                let (before, after) =
                    (self.parts.get(..at).unwrap_or_default(), self.parts.get(at + 1..).unwrap_or_default());
                let (Some(start), Some(rest)) = (parts.get(..before.len()), parts.get(before.len()..)) else {
                    return false;
                };
                let Some(end) = rest.len().checked_sub(after.len()).and_then(|from| rest.get(from..)) else {
                    return false;
                };
                all_match(before, start) && all_match(after, end)
            }
        }
    }
}

fn all_match(patterns: &[String], parts: &[&[u8]]) -> bool {
    patterns.iter().zip(parts).all(|(pattern, part)| part_matches(pattern.as_bytes(), part))
}

/// Whether one part matches, `*` standing for any run of bytes. Linear but for the last `*`, to which it goes back.
pub(crate) fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < part.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(byte) if part.get(seen) == Some(byte) => {
                at += 1;
                seen += 1;
            }
            _ => match star.as_mut() {
                Some((back, from)) => {
                    *from += 1;
                    (at, seen) = (*back + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.parts.join("/"))
    }
}

impl Scope {
    /// The scope of a list of patterns.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> Result<Self, PatternError> {
        if texts.is_empty() || texts.len() > PATTERNS_MOST {
            return Err(PatternError::Count { found: texts.len() });
        }
        let mut patterns: Vec<Pattern> = Vec::new();
        for text in texts {
            let pattern = Pattern::parse(text.as_ref())?;
            if patterns.contains(&pattern) {
                return Err(PatternError::Twice { pattern: pattern.to_string() });
            }
            patterns.push(pattern);
        }
        let own = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>();
        Ok(Self { patterns, always: own(&ALWAYS)?, never: own(&NEVER)? })
    }

    /// The usual one.
    ///
    /// # Errors
    /// Never; the patterns are read like any others.
    pub fn usual() -> Result<Self, PatternError> {
        Self::parse(&USUAL)
    }

    /// Whether a lock with this scope holds the path.
    pub fn holds(&self, path: &RepoPath) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.covers(path));
        !any(&self.never) && (any(&self.always) || any(&self.patterns))
    }

    /// What this one holds, and what another does.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let more = other.patterns.iter().filter(|pattern| !self.patterns.contains(pattern));
        Self { patterns: self.patterns.iter().chain(more).cloned().collect(), ..self.clone() }
    }

    /// Its patterns, in the order in which they are listed.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.patterns.iter().map(Pattern::to_string))
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&Vec::<String>::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().covers(&RepoPath::from(path))
    }

    #[test]
    fn a_star_stays_in_its_part_and_two_stars_cross_parts() {
        for (pattern, path, is) in [
            ("k8s/**", "k8s/a.yaml", true),
            ("k8s/**", "k8s/a/.hidden/b", true),
            ("k8s/**", "k8s", true),
            ("k8s/**", "k8s2/a", false),
            ("k8s/**", "x/k8s/a", false),
            ("Dockerfile*", "Dockerfile", true),
            ("Dockerfile*", "Dockerfile.agent", true),
            ("Dockerfile*", "sub/Dockerfile", false),
            ("Dockerfile*", "Dockerfiles/x", false),
            ("**/Dockerfile", "Dockerfile", true),
            ("**/Dockerfile", "a/b/Dockerfile", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "a/b/c", false),
            ("a/**/a", "a", false),
            ("Cargo.*", "Cargo.toml", true),
            ("Cargo.*", "Cargo", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            (".gitattributes", ".gitattributes", true),
            ("deny.toml", "deny_toml", false),
        ] {
            assert_eq!(covers(pattern, path), is, "{pattern} {path}");
        }
    }

    #[test]
    fn a_part_of_many_stars_is_matched_in_bounded_work() {
        let pattern = "*a".repeat(60);
        assert!(!covers(&pattern, &"a".repeat(59)));
        assert!(covers(&pattern, &"a".repeat(2000)));
        assert!(!covers(&format!("{pattern}b"), &"a".repeat(20_000)));
    }

    #[test]
    fn who_may_sign_and_what_judges_are_in_every_scope_and_what_unlocking_writes_in_none() {
        let scope = Scope::parse(&["**"]).unwrap();
        let small = Scope::parse(&["k8s/**"]).unwrap();
        for path in [".gitmodules", ".gitattributes", ".ci/run", "ops/trust/allowed_signers"] {
            assert!(small.holds(&path.into()) && scope.holds(&path.into()), "{path}");
        }
        for path in
            ["ops/unlock/1/x", "ops/production-lock.json", "ops/PRODUCTION_LOCK.md", "ops/lkg/a", "ops/proposals/p/x"]
        {
            assert!(!small.holds(&path.into()) && !scope.holds(&path.into()), "{path}");
        }
        assert!(scope.holds(&"README.md".into()) && !small.holds(&"README.md".into()));
    }

    #[test]
    fn texts_that_could_be_read_in_two_ways_are_no_patterns() {
        for bad in
            ["", "/k8s", "k8s/", "a//b", "../x", "./x", "k8s**", "a/**/b/**", "k8s/[ab]", "k8s/?", "!k8s", "k8s x", "ä"]
        {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        assert!(Scope::parse::<&str>(&[]).is_err());
        assert_eq!(Scope::parse(&["a", "a"]), Err(PatternError::Twice { pattern: "a".to_owned() }));
    }

    #[test]
    fn a_scope_is_read_back_as_it_was_written() {
        let usual = Scope::usual().unwrap();
        let text = serde_json::to_string(&usual).unwrap();
        assert!(text.starts_with("[\"k8s/**\",\"infra/**\""));
        assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), usual);
        assert!(serde_json::from_str::<Scope>("[\"a\",3]").is_err());
    }
}
