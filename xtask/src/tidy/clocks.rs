//! Where the machine may be touched: clocks, files, sockets, async code, and the terminal.

use std::collections::BTreeSet;

use super::Finding;
use super::mask;
use super::modules::Modules;
use super::order::crate_name;
use super::tree::Tree;
use crate::workspace::Package;

/// What a crate's sources may do besides computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct May {
    files: bool,
    sockets: bool,
    asynchronous: bool,
    /// The monotonic clock, which only measures how long something took. The wall clock has its own rule.
    stopwatch: bool,
}

const NOTHING: May = May { files: false, sockets: false, asynchronous: false, stopwatch: false };
const EVERYTHING: May = May { files: true, sockets: true, asynchronous: true, stopwatch: true };

/// The only files that read the wall clock: where inputs get their number, and the simulator's own.
const WALL_CLOCK_FILES: [&str; 2] = ["crates/agent/src/clock.rs", "crates/venue/src/clock.rs"];

/// The only files that print.
const OUTPUT_FILES: [&str; 2] = ["crates/agenttrader/src/output.rs", "crates/floor/src/terminal.rs"];

const WALL_CLOCK: [&str; 5] = ["SystemTime::now", "UNIX_EPOCH.elapsed", "Timestamp::now", "Zoned::now", "Utc::now"];
const PRINTING: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// One line a crate: what its sources may do.
fn may(name: &str, path: &str) -> May {
    match name {
        "audit" => May { files: true, stopwatch: true, ..NOTHING },
        "sequence" => May { files: true, ..NOTHING },
        "safety" if path == "crates/safety/src/kill_switch.rs" => May { files: true, ..NOTHING },
        "marketdata" if is_feed(path) => EVERYTHING,
        "core" | "options" | "authority" | "safety" | "marketdata" | "strategy" | "execution" | "ops-ui" => NOTHING,
        _ => EVERYTHING,
    }
}

fn is_feed(path: &str) -> bool {
    let inside = path.strip_prefix("crates/marketdata/src/").unwrap_or_default();
    inside.starts_with("feed/") || (inside.starts_with("feed") && !inside.contains('/'))
}

pub fn check(tree: &Tree, packages: &[Package], modules: &Modules, findings: &mut Vec<Finding>) {
    for package in packages {
        let Some(name) = crate_name(package) else { continue };
        let sources = format!("{}/src/", package.dir);
        for (path, text) in tree.rust(&sources).filter(|(path, _)| !modules.is_test(path)) {
            check_file(name, path, text, findings);
        }
    }
}

fn check_file(name: &str, path: &str, text: &str, findings: &mut Vec<Finding>) {
    let may = may(name, path);
    let lines = mask::shipped_lines(text);
    let imported = imported_modules(&lines);
    for (index, line) in lines.iter().enumerate() {
        let has = |patterns: &[&'static str]| patterns.iter().copied().find(|pattern| mask::has(line, pattern));
        let imports = |module: &str| imported.contains(&(index, module.to_owned())).then_some("std");
        let mut say = |what: String, remedy: &str| findings.push(Finding::new(path, index + 1, what, remedy));
        if let Some(clock) = has(&WALL_CLOCK).filter(|_| !WALL_CLOCK_FILES.contains(&path)) {
            say(
                format!("the crate {name} reads a clock ({clock})"),
                "take the time as a value; the wall clock is read in crates/agent/src/clock.rs alone",
            );
        }
        if let Some(clock) = has(&["Instant::now"]).filter(|_| !may.stopwatch) {
            say(format!("the crate {name} reads a clock ({clock})"), "take the time as a value");
        }
        if !may.files && has(&["std::fs", "fs::", "File::open", "File::create"]).or(imports("fs")).is_some() {
            say(
                format!("the crate {name} touches files here"),
                "take the bytes as a value, or do it in the crate's I/O module",
            );
        }
        if !may.sockets
            && has(&["std::net", "net::", "TcpStream", "UdpSocket", "TcpListener"]).or(imports("net")).is_some()
        {
            say(format!("the crate {name} touches the network"), "let a crate that may do I/O hand in what arrived");
        }
        if !may.asynchronous && has(&["tokio", "async", ".await"]).is_some() {
            say(format!("the crate {name} is not async here"), "make it a plain function, called from a crate that is");
        }
        if let Some(printing) = has(&PRINTING).filter(|_| !OUTPUT_FILES.contains(&path)) {
            say(
                format!("{printing} outside the files that print"),
                "return what there is to say, or print it in crates/agenttrader/src/output.rs",
            );
        }
    }
}

/// The modules of std that grouped imports name (`use std::{fs, net::TcpStream};`), with the line each stands in.
fn imported_modules(lines: &[String]) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let mut inside = false;
    for (index, line) in lines.iter().enumerate() {
        let begins = line.find("use std::{");
        inside |= begins.is_some();
        if !inside {
            continue;
        }
        let part = begins.and_then(|at| line.get(at + "use std::{".len()..)).unwrap_or(line);
        let (part, ends) = part.split_once(';').map_or((part, false), |(part, _)| (part, true));
        for word in part.split(|character: char| !(character.is_alphanumeric() || character == '_')) {
            if ["fs", "net"].contains(&word) {
                found.insert((index, word.to_owned()));
            }
        }
        inside = !ends;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::modules;
    use super::super::tests::{package, said};
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let name = path.split('/').nth(1).unwrap();
        let root = format!("crates/{name}/src/lib.rs");
        let module = path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        let declared = format!("mod {module};");
        let mut files = vec![(path, text)];
        if path != root {
            files.push((&root, &declared));
        }
        let tree = Tree::of(&files);
        let packages = [package(&format!("agenttrader-{name}"), &[])];
        let mut findings = Vec::new();
        check(&tree, &packages, &modules::walk(&tree, &packages), &mut findings);
        said(&findings)
    }

    #[test]
    fn the_wall_clock_is_read_in_its_files_alone() {
        let source = "fn f() {\n    SystemTime::now();\n}\n";
        for path in ["crates/agent/src/clock.rs", "crates/venue/src/clock.rs"] {
            assert_eq!(findings(path, source), Vec::<String>::new());
        }
        for path in [
            "crates/agent/src/health.rs",
            "crates/floor/src/run.rs",
            "crates/audit/src/log.rs",
            "crates/core/src/clock.rs",
        ] {
            let found = findings(path, source);
            assert!(found.len() == 1 && found[0].starts_with(&format!("{path}:2: ")), "{found:?}");
        }
        assert_eq!(findings("crates/floor/src/run.rs", "jiff::Timestamp::now()").len(), 1);
    }

    #[test]
    fn files_sockets_stopwatches_and_async_are_found_where_they_do_not_belong() {
        for (path, source) in [
            ("crates/core/src/price.rs", "use std::fs::File;"),
            ("crates/core/src/price.rs", "use std::{\n    fs,\n    io,\n};"),
            ("crates/core/src/price.rs", "use std::{io, net::TcpStream};"),
            ("crates/strategy/src/step.rs", "let x = Instant::now();"),
            ("crates/sequence/src/number.rs", "let x = Instant::now();"),
            ("crates/audit/src/log.rs", "use std::net::IpAddr;"),
            ("crates/audit/src/log.rs", "async fn append() {}"),
            ("crates/safety/src/gate.rs", "std::fs::read(path)"),
            ("crates/marketdata/src/book.rs", "tokio::spawn(x)"),
            ("crates/marketdata/src/book/feed.rs", "x.await"),
        ] {
            assert_eq!(findings(path, source).len(), 1, "{path}: {source}");
        }
    }

    #[test]
    fn they_are_fine_where_they_belong_and_in_words_about_them() {
        for (path, source) in [
            ("crates/audit/src/disk.rs", "use std::fs::File; std::thread::spawn(f); Instant::now();"),
            ("crates/sequence/src/record.rs", "use std::{fs, io};"),
            ("crates/safety/src/kill_switch.rs", "std::fs::read(path)"),
            ("crates/marketdata/src/feed.rs", "async fn run() { tokio::spawn(x).await; Instant::now(); }"),
            ("crates/marketdata/src/feed/stream.rs", "async fn run() {}"),
            ("crates/venue/src/server.rs", "std::net::TcpListener::bind(x); std::fs::read(x);"),
            (
                "crates/core/src/price.rs",
                "/// Never calls SystemTime::now or std::fs.\nconst X: &str = \"println!(std::net)\";",
            ),
            ("crates/core/src/price.rs", "#[cfg(test)]\nmod tests {\n    fn f() { std::fs::read(x); println!(); }\n}"),
        ] {
            assert_eq!(findings(path, source), Vec::<String>::new(), "{path}: {source}");
        }
    }

    #[test]
    fn a_file_that_only_tests_compile_is_a_test() {
        let tree = Tree::of(&[
            ("crates/core/src/lib.rs", "#[cfg(test)]\nmod helpers;\nmod price;"),
            ("crates/core/src/helpers.rs", "fn f() { std::fs::read(x); }"),
            ("crates/core/src/price.rs", "fn f() { std::fs::read(x); }"),
        ]);
        let packages = [package("agenttrader-core", &[])];
        let mut findings = Vec::new();
        check(&tree, &packages, &modules::walk(&tree, &packages), &mut findings);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "crates/core/src/price.rs");
    }

    #[test]
    fn printing_is_found_outside_the_files_that_print() {
        for printing in ["println!(\"x\")", "eprintln!(\"x\")", "print!(\"x\")", "dbg!(x)"] {
            assert_eq!(findings("crates/floor/src/run.rs", printing).len(), 1, "{printing}");
            assert_eq!(findings("crates/floor/src/terminal.rs", printing).len(), 0, "{printing}");
        }
        assert_eq!(findings("crates/agenttrader/src/output.rs", "println!(\"x\")").len(), 0);
    }
}
