//! The workspace as cargo sees it: packages, their direct dependencies, their targets.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shell;

/// A package of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// `agenttrader-core`.
    pub name: String,
    /// From the root, with `/`: `crates/core`.
    pub dir: String,
    /// Direct dependencies of every kind.
    pub dependencies: Vec<Dependency>,
    /// Libraries, binaries, tests, benches, examples, build scripts.
    pub targets: Vec<Target>,
}

/// A direct dependency.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The package it names, whatever it is renamed to.
    pub name: String,
    /// Needed by tests and benches only.
    pub dev: bool,
}

/// One thing cargo builds of a package.
#[derive(Debug, Clone)]
pub struct Target {
    /// `gate` for `benches/gate.rs`.
    pub name: String,
    /// `lib`, `bin`, `test`, `bench`, `example`, `custom-build`, `proc-macro`.
    pub kind: String,
    /// Its root file from the workspace's root, with `/`.
    pub root_file: String,
}

/// The root of the checkout this xtask belongs to.
pub fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf)
}

/// Asks cargo for the packages under `root`; nothing is resolved or fetched.
pub fn packages(root: &Path) -> Result<Vec<Package>, String> {
    let mut cargo = shell::cargo(root);
    let text = shell::output(cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let root = metadata.get("workspace_root").and_then(Value::as_str).unwrap_or_default();
    let mut packages: Vec<Package> = array(&metadata, "packages").iter().map(|package| read(package, root)).collect();
    packages.sort_by(|left, right| left.dir.cmp(&right.dir));
    Ok(packages)
}

fn read(package: &Value, root: &str) -> Package {
    let dependencies = array(package, "dependencies")
        .iter()
        .map(|dependency| Dependency { name: text(dependency, "name"), dev: text(dependency, "kind") == "dev" });
    let targets = array(package, "targets").iter().map(|target| Target {
        name: text(target, "name"),
        kind: array(target, "kind").first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        root_file: below(root, &text(target, "src_path")),
    });
    let manifest = below(root, &text(package, "manifest_path"));
    Package {
        name: text(package, "name"),
        dir: manifest.strip_suffix("/Cargo.toml").unwrap_or_default().to_owned(),
        dependencies: dependencies.collect(),
        targets: targets.collect(),
    }
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn below(root: &str, path: &str) -> String {
    path.strip_prefix(root).unwrap_or(path).trim_start_matches(['/', '\\']).replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_knows_this_package_its_dependency_and_its_target() {
        let packages = packages(&root()).unwrap();
        let xtask = packages.iter().find(|package| package.name == "xtask").unwrap();
        assert_eq!(xtask.dir, "xtask");
        assert!(xtask.dependencies.iter().any(|dependency| dependency.name == "serde_json" && !dependency.dev));
        assert!(xtask.dependencies.iter().any(|dependency| dependency.name == "tempfile" && dependency.dev));
        assert!(xtask.targets.iter().any(|target| target.kind == "bin" && target.root_file == "xtask/src/main.rs"));
    }
}
