//! Versions stand once, and the steps share their bans.

use super::Finding;
use super::tree::Tree;
use crate::workspace::Package;

/// The crates whose code runs in replays: the same input must give the same bytes.
pub const STEPS: [&str; 8] =
    ["core", "options", "authority", "safety", "sequence", "marketdata", "strategy", "execution"];

/// What a dependency must not say itself, and how that reads.
const OWN_SOURCES: [(&str, &str); 4] =
    [("version", "a version"), ("path", "a path"), ("git", "a git repository"), ("registry", "a registry")];

pub fn check(tree: &Tree, packages: &[Package], findings: &mut Vec<Finding>) {
    for package in packages {
        let manifest = format!("{}/Cargo.toml", package.dir);
        if let Some(text) = tree.text(&manifest) {
            check_versions(&manifest, text, findings);
        }
    }
    check_bans(tree, packages, findings);
}

fn check_versions(manifest: &str, text: &str, findings: &mut Vec<Finding>) {
    let mut dependencies = false;
    let mut table = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']').trim();
            let (parent, last) = section.rsplit_once('.').unwrap_or(("", section));
            dependencies = last.ends_with("dependencies");
            table = parent.ends_with("dependencies").then_some(last);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let (key, value) = (key.trim(), value.trim());
        let (name, own) = match table {
            Some(name) => (name, OWN_SOURCES.iter().find(|(source, _)| *source == key)),
            None if dependencies => (key, own_source(key, value)),
            None => continue,
        };
        if let Some((_, own)) = own {
            let name = name.split('.').next().unwrap_or(name);
            let remedy =
                format!("put it into [workspace.dependencies] of the root and write `{name}.workspace = true`");
            findings.push(Finding::new(manifest, index + 1, format!("{name} is named with {own}"), remedy));
        }
    }
}

/// In `name = "1"`, `name.version = "1"` and `name = { version = "1", … }`.
fn own_source(key: &str, value: &str) -> Option<&'static (&'static str, &'static str)> {
    if value.starts_with('"') && !key.contains('.') {
        return OWN_SOURCES.first();
    }
    let dotted = key.rsplit_once('.').map(|(_, last)| last);
    let inline =
        value.trim_start_matches('{').split(',').filter_map(|part| part.split_once('=')).map(|(key, _)| key.trim());
    let mut keys = dotted.into_iter().chain(inline);
    keys.find_map(|key| OWN_SOURCES.iter().find(|(source, _)| *source == key))
}

/// Clippy reads the nearest clippy.toml alone, so each step's crate holds the whole list, and they must not part.
fn check_bans(tree: &Tree, packages: &[Package], findings: &mut Vec<Finding>) {
    let mut first: Option<(String, &str)> = None;
    for name in STEPS {
        let dir = format!("crates/{name}");
        if !packages.iter().any(|package| package.dir == dir) {
            continue;
        }
        let path = format!("{dir}/clippy.toml");
        match (tree.text(&path), &first) {
            (Some(text), None) => first = Some((path, text)),
            (Some(text), Some((model, bans))) if text != *bans => {
                let different = text.lines().zip(bans.lines()).take_while(|(ours, theirs)| ours == theirs).count();
                findings.push(Finding::new(
                    &path,
                    different + 1,
                    format!("differs from {model}"),
                    "make the eight of the steps the same",
                ));
            }
            (Some(_), Some(_)) => {}
            (None, _) => {
                let remedy = "copy it from crates/core: HashMap, std's exp and ln, and clocks are banned in the steps";
                findings.push(Finding::new(&path, 1, "is missing", remedy));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{package, said};
    use super::*;

    fn findings(manifest: &str, bans: &[(&str, &str)]) -> Vec<String> {
        let mut files = vec![("crates/venue/Cargo.toml", manifest)];
        files.extend_from_slice(bans);
        let mut packages = vec![package("agenttrader-venue", &[])];
        packages.extend(bans.iter().map(|(path, _)| package(path.split('/').nth(1).unwrap(), &[])));
        let mut findings = Vec::new();
        check(&Tree::of(&files), &packages, &mut findings);
        said(&findings)
    }

    #[test]
    fn what_the_workspace_says_is_fine() {
        let manifest = "[package]\nversion = \"1\"\n[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }\n\
                        [dependencies.c]\nworkspace = true\n[features]\nd = []\n[[bench]]\nname = \"e\"\npath = \"f.rs\"\n";
        assert_eq!(findings(manifest, &[]), Vec::<String>::new());
    }

    #[test]
    fn every_way_to_name_a_version_or_a_place_is_found() {
        for (manifest, start) in [
            ("[dependencies]\na = \"1\"\n", "crates/venue/Cargo.toml:2: a is named with a version;"),
            ("[dev-dependencies]\na = { version = \"1\" }\n", "crates/venue/Cargo.toml:2: a is named with a version;"),
            ("[build-dependencies]\na.version = \"1\"\n", "crates/venue/Cargo.toml:2: a is named with a version;"),
            ("[dependencies.a]\nversion = \"1\"\n", "crates/venue/Cargo.toml:2: a is named with a version;"),
            (
                "[target.'cfg(unix)'.dependencies]\na = { path = \"../a\" }\n",
                "crates/venue/Cargo.toml:2: a is named with a path;",
            ),
            ("[dependencies]\na = { git = \"x\" }\n", "crates/venue/Cargo.toml:2: a is named with a git repository;"),
        ] {
            let found = findings(manifest, &[]);
            assert!(found.len() == 1 && found[0].starts_with(start), "{manifest}: {found:?}");
        }
    }

    #[test]
    fn the_steps_bans_may_not_part_nor_be_missing() {
        let same = [("crates/core/clippy.toml", "a\nb\n"), ("crates/safety/clippy.toml", "a\nb\n")];
        assert_eq!(findings("", &same), Vec::<String>::new());
        let parted = [("crates/core/clippy.toml", "a\nb\n"), ("crates/safety/clippy.toml", "a\nc\n")];
        assert!(
            findings("", &parted)[0].starts_with("crates/safety/clippy.toml:2: differs from crates/core/clippy.toml;")
        );
        let missing = [("crates/core/clippy.toml", "a\n"), ("crates/safety/other.toml", "a\n")];
        assert!(findings("", &missing)[0].starts_with("crates/safety/clippy.toml:1: is missing;"));
    }
}
