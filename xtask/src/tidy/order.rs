//! Who may depend on whom, and on what from outside.

use super::Finding;
use super::tree::Tree;
use crate::workspace::Package;

/// The crates from top to bottom: each depends only on crates above it.
const ORDER: [&str; 19] = [
    "core",
    "options",
    "policy",
    "authority",
    "audit",
    "safety",
    "sequence",
    "alpaca",
    "venue",
    "marketdata",
    "strategy",
    "execution",
    "agent",
    "ops-ui",
    "mission-control",
    "mcp",
    "governance",
    "floor",
    "agenttrader",
];

/// The crates that may talk to the network, and so know async and HTTP. In `marketdata` only the feed does.
const ASYNC: [&str; 9] =
    ["alpaca", "venue", "marketdata", "agent", "mission-control", "mcp", "governance", "floor", "agenttrader"];

/// Async runtimes and what comes with them.
const ASYNC_CRATES: [&str; 12] = [
    "tokio",
    "tokio-tungstenite",
    "tokio-util",
    "axum",
    "hyper",
    "hyper-util",
    "reqwest",
    "tower",
    "tower-http",
    "async-std",
    "smol",
    "futures-util",
];

/// Sources of randomness; keys are made where they are kept.
const RANDOM_CRATES: [&str; 4] = ["getrandom", "rand", "rand_core", "fastrand"];
const RANDOM: [&str; 5] = ["audit", "agent", "governance", "floor", "agenttrader"];

/// All that the chores may depend on, so that they start within seconds of a fresh clone.
const XTASK: [&str; 1] = ["serde_json"];

pub fn check(tree: &Tree, packages: &[Package], findings: &mut Vec<Finding>) {
    for package in packages {
        if package.name == "xtask" {
            check_xtask(tree, package, findings);
        } else if let Some(name) = crate_name(package) {
            check_crate(tree, package, name, findings);
        }
    }
}

/// `core` for `crates/core`; nothing for what lies elsewhere (`testing/` may use every crate).
pub fn crate_name(package: &Package) -> Option<&str> {
    package.dir.strip_prefix("crates/")
}

fn check_crate(tree: &Tree, package: &Package, name: &str, findings: &mut Vec<Finding>) {
    let manifest = format!("{}/Cargo.toml", package.dir);
    let Some(place) = place(name) else {
        let remedy = "add it to the order in xtask/src/tidy/order.rs and to ARCHITECTURE.md";
        findings.push(Finding::new(&manifest, 1, format!("the crate {name} has no place in the order"), remedy));
        return;
    };
    for dependency in &package.dependencies {
        let line = line_of(tree, &manifest, &dependency.name);
        let wanted = &dependency.name;
        let mut say = |what: String, remedy: &str| findings.push(Finding::new(&manifest, line, what, remedy));
        if let Some(other) = our_crate(wanted) {
            match self::place(other) {
                Some(above) if above < place => {}
                Some(_) if other == name => say(
                    format!("{} depends on itself", package.name),
                    "a test that needs it from outside belongs in tests/",
                ),
                Some(_) => say(
                    format!("{} depends on {wanted}, which is below it", package.name),
                    "move what is needed up into a crate above both",
                ),
                None if dependency.dev => {} // testing/*, which checks crates and is checked by none
                None => say(format!("{} ships {wanted}, which is for tests", package.name), "make it a dev-dependency"),
            }
        }
        let is = |list: &[&str]| list.contains(&wanted.as_str());
        if is(&ASYNC_CRATES) && !ASYNC.contains(&name) && !dependency.dev {
            say(
                format!("the crate {name} does no async and no network, yet depends on {wanted}"),
                "let a caller below do the I/O",
            );
        }
        if is(&RANDOM_CRATES) && !RANDOM.contains(&name) && !dependency.dev {
            say(
                format!("the crate {name} draws no randomness, yet depends on {wanted}"),
                "take the random bytes as a value",
            );
        }
    }
}

fn check_xtask(tree: &Tree, package: &Package, findings: &mut Vec<Finding>) {
    for dependency in package.dependencies.iter().filter(|dependency| !dependency.dev) {
        if !XTASK.contains(&dependency.name.as_str()) {
            let line = line_of(tree, "xtask/Cargo.toml", &dependency.name);
            let what = format!("xtask depends on {}", dependency.name);
            findings.push(Finding::new(
                "xtask/Cargo.toml",
                line,
                what,
                "keep the chores to serde_json, so that they start at once",
            ));
        }
    }
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

/// `core` for `agenttrader-core`.
fn our_crate(package: &str) -> Option<&str> {
    if package == "agenttrader" { Some(package) } else { package.strip_prefix("agenttrader-") }
}

/// The line of a manifest that names a dependency.
fn line_of(tree: &Tree, manifest: &str, dependency: &str) -> usize {
    let names =
        |line: &str| line.trim().strip_prefix(dependency).is_some_and(|rest| rest.trim_start().starts_with(['.', '=']));
    tree.text(manifest).and_then(|text| text.lines().position(names)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{package, said};
    use super::*;

    fn findings(packages: &[Package]) -> Vec<String> {
        let manifest = "[package]\n\n[dependencies]\nagenttrader-safety.workspace = true\ntokio.workspace = true\n";
        let tree = Tree::of(&[("crates/core/Cargo.toml", manifest)]);
        let mut findings = Vec::new();
        check(&tree, packages, &mut findings);
        said(&findings)
    }

    #[test]
    fn the_order_downwards_is_fine() {
        let packages = [
            package("agenttrader-safety", &["agenttrader-core", "thiserror", "dev:agenttrader-outside"]),
            package("agenttrader", &["agenttrader-floor", "tokio", "clap"]),
            package("agenttrader-marketdata", &["tokio", "agenttrader-alpaca"]),
            package("agenttrader-whole", &["agenttrader-floor", "agenttrader-core", "tokio", "rand"]),
            package("xtask", &["serde_json", "dev:tempfile"]),
        ];
        assert_eq!(findings(&packages), Vec::<String>::new());
    }

    #[test]
    fn an_edge_against_the_order_is_found_at_its_line() {
        let expected = "crates/core/Cargo.toml:4: agenttrader-core depends on agenttrader-safety, which is below it; \
                        move what is needed up into a crate above both";
        assert_eq!(findings(&[package("agenttrader-core", &["agenttrader-safety"])]), [expected]);
        assert_eq!(findings(&[package("agenttrader-core", &["dev:agenttrader-safety"])]), [expected]);
    }

    #[test]
    fn every_pair_of_crates_is_allowed_one_way_only() {
        for (above, upper) in ORDER.iter().enumerate() {
            for (below, lower) in ORDER.iter().enumerate() {
                let name = |short: &str| {
                    if short == "agenttrader" { short.to_owned() } else { format!("agenttrader-{short}") }
                };
                let found = findings(&[package(&name(lower), &[&name(upper)])]);
                assert_eq!(found.is_empty(), above < below, "{lower} on {upper}: {found:?}");
            }
        }
    }

    #[test]
    fn async_randomness_and_test_crates_are_found_where_they_do_not_belong() {
        let expected = "crates/core/Cargo.toml:5: the crate core does no async and no network, yet depends on tokio; \
                        let a caller below do the I/O";
        assert_eq!(findings(&[package("agenttrader-core", &["tokio"])]), [expected]);
        assert_eq!(findings(&[package("agenttrader-audit", &["axum"])]).len(), 1);
        assert_eq!(findings(&[package("agenttrader-sequence", &["hyper"])]).len(), 1);
        assert_eq!(findings(&[package("agenttrader-safety", &["getrandom"])]).len(), 1);
        assert_eq!(findings(&[package("agenttrader-core", &["agenttrader-outside"])]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_and_a_heavy_chore_are_found() {
        assert_eq!(findings(&[package("agenttrader-misc", &[])]).len(), 1);
        assert_eq!(findings(&[package("xtask", &["clap"])]).len(), 1);
    }
}
