//! Every source file belongs to its crate.

use std::collections::BTreeSet;

use super::Finding;
use super::mask;
use super::tree::Tree;
use crate::workspace::Package;

/// Which files are compiled, and which of them for tests alone.
#[derive(Debug, Default)]
pub struct Modules {
    shipped: BTreeSet<String>,
    tested: BTreeSet<String>,
}

impl Modules {
    /// Whether only tests, benches or examples compile this file.
    pub fn is_test(&self, path: &str) -> bool {
        !self.shipped.contains(path) && self.tested.contains(path)
    }

    fn is_known(&self, path: &str) -> bool {
        self.shipped.contains(path) || self.tested.contains(path)
    }
}

/// Follows `mod` from each target's root file.
pub fn walk(tree: &Tree, packages: &[Package]) -> Modules {
    let mut modules = Modules::default();
    let mut left: Vec<(String, bool, bool)> = Vec::new();
    for target in packages.iter().flat_map(|package| &package.targets) {
        let shipped = ["lib", "bin", "proc-macro", "custom-build"].contains(&target.kind.as_str());
        left.push((target.root_file.clone(), shipped, true));
    }
    while let Some((path, shipped, is_root)) = left.pop() {
        let Some(text) = tree.text(&path) else { continue };
        let seen = if shipped { &mut modules.shipped } else { &mut modules.tested };
        if !seen.insert(path.clone()) {
            continue;
        }
        for declared in declared(text) {
            let files = files_of(&path, is_root, &declared);
            left.extend(files.into_iter().map(|file| (file, shipped && !declared.test, false)));
        }
    }
    modules
}

/// Says which files under `src` no target reaches.
pub fn check(packages: &[Package], tree: &Tree, modules: &Modules, findings: &mut Vec<Finding>) {
    for package in packages {
        for (path, _) in tree.rust(&format!("{}/src/", package.dir)) {
            if !modules.is_known(path) {
                findings.push(Finding::new(path, 1, "no module of its crate", "declare it with `mod`, or delete it"));
            }
        }
    }
}

/// A `mod name;`, or a file that is included.
#[derive(Debug, PartialEq, Eq)]
struct Declared {
    /// The inline modules around it.
    around: Vec<String>,
    name: String,
    /// From `#[path = "…"]` or `include!("…")`.
    path: Option<String>,
    test: bool,
}

fn declared(source: &str) -> Vec<Declared> {
    let code = mask::code(source);
    let tests = mask::test_items(&code);
    let source: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let mut around: Vec<Option<String>> = Vec::new();
    let mut index = 0;
    while let Some(character) = code.get(index) {
        let test = tests.iter().any(|item| item.contains(&index));
        let after_word =
            index.checked_sub(1).and_then(|before| code.get(before)).is_some_and(|before| is_name(*before));
        match character {
            '{' => around.push(None),
            '}' => {
                around.pop();
            }
            'm' if !after_word && mask::starts_with(&code, index, "mod ") => {
                let (name, end) = name_at(&code, index + 4);
                match code.get(end) {
                    Some(';') => found.push(Declared {
                        around: around.iter().flatten().cloned().collect(),
                        path: path_above(&source, index),
                        name,
                        test,
                    }),
                    Some('{') => around.push(Some(name)),
                    _ => {}
                }
                index = end;
            }
            'i' if !after_word && mask::starts_with(&code, index, "include!(") => {
                if let Some(path) = quoted(&source, index) {
                    found.push(Declared { around: Vec::new(), name: String::new(), path: Some(path), test });
                }
            }
            _ => {}
        }
        index += 1;
    }
    found
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The name at `from`, and where what follows it begins.
fn name_at(code: &[char], from: usize) -> (String, usize) {
    let rest = code.get(from..).unwrap_or_default();
    let space = rest.iter().take_while(|character| character.is_whitespace()).count();
    let name: String =
        rest.iter().skip(space).take_while(|character| is_name(**character) || **character == '#').collect();
    let used = space + name.chars().count();
    let gap = rest.iter().skip(used).take_while(|character| character.is_whitespace()).count();
    (name.trim_start_matches("r#").to_owned(), from + used + gap)
}

/// The path in the attributes right above the declaration at `index`.
fn path_above(source: &[char], index: usize) -> Option<String> {
    let before: String = source.get(..index)?.iter().collect();
    let attributes = before.rsplit([';', '}']).next()?;
    let (_, path) = attributes.rsplit_once("#[path")?;
    path.split('"').nth(1).map(str::to_owned)
}

/// The first string after `from` in its line.
fn quoted(source: &[char], from: usize) -> Option<String> {
    let line: String = source.get(from..)?.iter().take_while(|character| **character != '\n').collect();
    line.split('"').nth(1).map(str::to_owned)
}

/// Where the declaration's file may stand.
fn files_of(path: &str, is_root: bool, declared: &Declared) -> Vec<String> {
    let (parent, file) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(path) = &declared.path {
        return vec![plain(&format!("{parent}/{path}"))];
    }
    let mut dir = parent.to_owned();
    let stem = file.trim_end_matches(".rs");
    if !is_root && stem != "mod" {
        dir = format!("{dir}/{stem}");
    }
    for module in &declared.around {
        dir = format!("{dir}/{module}");
    }
    vec![format!("{dir}/{}.rs", declared.name), format!("{dir}/{}/mod.rs", declared.name)]
}

/// Without `.` and `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::package;
    use super::*;

    fn unknown(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(files);
        let packages = [package("agenttrader-core", &[])];
        let mut findings = Vec::new();
        check(&packages, &tree, &walk(&tree, &packages), &mut findings);
        findings.into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_file_that_no_module_declares_is_found() {
        let files = [
            ("crates/core/src/lib.rs", "pub mod price;\n// mod commented;\n"),
            ("crates/core/src/price.rs", ""),
            ("crates/core/src/commented.rs", ""),
            ("crates/core/src/price/orphan.rs", ""),
            ("crates/core/tests/data.rs", ""),
        ];
        assert_eq!(unknown(&files), ["crates/core/src/commented.rs", "crates/core/src/price/orphan.rs"]);
    }

    #[test]
    fn every_way_to_declare_a_module_is_followed() {
        let lib = "pub(crate) mod a;\nmod b;\n#[path = \"odd/place.rs\"]\nmod c;\nmod d {\n    pub mod e;\n}\n\
                   #[cfg(test)]\nmod tests;\ninclude!(\"f.rs\");\nmod r#type;\n";
        let files = [
            ("crates/core/src/lib.rs", lib),
            ("crates/core/src/a.rs", "mod deep;"),
            ("crates/core/src/a/deep.rs", ""),
            ("crates/core/src/b/mod.rs", "mod deep;"),
            ("crates/core/src/b/deep.rs", ""),
            ("crates/core/src/odd/place.rs", ""),
            ("crates/core/src/d/e.rs", ""),
            ("crates/core/src/tests.rs", ""),
            ("crates/core/src/f.rs", ""),
            ("crates/core/src/type.rs", ""),
        ];
        assert_eq!(unknown(&files), Vec::<String>::new());
        let tree = Tree::of(&files);
        let modules = walk(&tree, &[package("agenttrader-core", &[])]);
        assert!(modules.is_test("crates/core/src/tests.rs"));
        assert!(!modules.is_test("crates/core/src/a/deep.rs"));
    }
}
