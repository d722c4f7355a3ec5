//! A command's arguments: flags, their values, what stands alone, what stands behind `--`.

use crate::hole::HOLE;

/// Words that one pair of braces stands for.
const BRACED_MOST: usize = 64;

/// Arguments, sorted out.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// What is no flag, in order.
    pub words: Vec<String>,
    /// Flags without their dashes, with their values; a flag without one has none.
    pub flags: Vec<(String, Option<String>)>,
    /// What stands behind `--`.
    pub behind: Vec<String>,
}

impl Arguments {
    /// Sorts them out. `valued` are the flags that take the next word where no `=` follows.
    pub fn of(arguments: &[String], valued: &[&str]) -> Self {
        let mut sorted = Self::default();
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                sorted.behind = rest.cloned().collect();
                break;
            }
            let Some(flag) = word.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                sorted.words.push(word.clone());
                continue;
            };
            let long = flag.strip_prefix('-');
            let flag = long.unwrap_or(flag);
            if let (None, Some((name, value))) = (long, attached(flag, valued)) {
                sorted.flags.push((name.to_owned(), Some(value.to_owned())));
            } else if let Some((name, value)) = flag.split_once('=') {
                sorted.flags.push((name.to_owned(), Some(value.to_owned())));
            } else if valued.contains(&flag) {
                sorted.flags.push((flag.to_owned(), rest.next().cloned()));
            } else {
                sorted.flags.push((flag.to_owned(), None));
            }
        }
        sorted
    }

    /// The values of a flag, by any of its names.
    pub fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(|(name, _)| names.contains(&name.as_str())).filter_map(|(_, value)| value.as_deref())
    }

    /// Whether a flag stands there, by any of its names.
    pub fn has(&self, names: &[&str]) -> bool {
        self.flags.iter().any(|(name, value)| names.contains(&name.as_str()) && value.as_deref() != Some("false"))
    }

    /// A word by its place, empty where there is none.
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }

    /// The words from a place on.
    pub fn from(&self, place: usize) -> &[String] {
        self.words.get(place..).unwrap_or_default()
    }
}

/// `-pVALUE`: a flag of one letter with its value.
fn attached<'a>(flag: &'a str, valued: &[&str]) -> Option<(&'a str, &'a str)> {
    let width = flag.chars().next()?.len_utf8();
    let (name, value) = flag.split_at_checked(width)?;
    (valued.contains(&name) && !value.is_empty() && !value.starts_with('=')).then_some((name, value))
}

/// `execution-{agent,engine}` as its words; any other word as it is.
fn braces(word: &str) -> Vec<String> {
    let inside = word.split_once('{').and_then(|(before, rest)| {
        let (inner, behind) = rest.split_once('}')?;
        (!before.is_empty() && inner.contains(',')).then_some((before, inner, behind))
    });
    let Some((before, inner, behind)) = inside else { return vec![word.to_owned()] };
    inner.split(',').take(BRACED_MOST).map(|part| format!("{before}{part}{behind}")).collect()
}

/// The names in words: of `deployment/execution-agent`, `app=execution-agent`, `k8s/execution-agent.yaml` each part.
/// What holds a part that cannot be told is left out.
pub fn names<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names = Vec::new();
    for word in words.into_iter().flat_map(braces) {
        for part in word.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') || c == HOLE)) {
            if part.is_empty() || part.contains(HOLE) {
                continue;
            }
            names.push(part.to_owned());
            for end in [".yaml", ".yml", ".json"] {
                names.extend(part.strip_suffix(end).map(str::to_owned));
            }
        }
    }
    names.sort();
    names.dedup();
    names
}
