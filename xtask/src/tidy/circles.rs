//! No circle of modules: files of a crate that name one another in a loop cannot be read one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::mask;
use super::modules::Modules;
use super::tree::Tree;
use crate::workspace::Package;

/// A module's path in its crate; of the crate itself it is empty.
type Module = Vec<String>;

/// Names one file of each circle.
pub fn check(tree: &Tree, packages: &[Package], modules: &Modules, findings: &mut Vec<Finding>) {
    for package in packages {
        let src = format!("{}/src/", package.dir);
        let files: BTreeMap<Module, (&str, &str)> = tree
            .rust(&src)
            .filter(|(path, _)| !modules.is_test(path))
            .map(|file| (module_of(file.0.trim_start_matches(src.as_str())), file))
            .collect();
        let names = files.iter().map(|(module, (_, text))| (module, named(module, text, &files)));
        for circle in circles(&names.collect()) {
            let paths: Vec<&str> = circle.iter().filter_map(|module| Some(files.get(module)?.0)).collect();
            let Some((first, others)) = paths.split_first() else { continue };
            findings.push(Finding::new(
                first,
                1,
                format!("in a circle of modules with {}", others.join(", ")),
                "move what both sides need into a file of its own",
            ));
        }
    }
}

fn module_of(path: &str) -> Module {
    let mut module: Module = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    module.pop_if(|last| matches!(last.as_str(), "lib" | "main" | "mod"));
    module
}

/// The modules that a file names after `crate`, `self` or `super`. A module may name its own children by themselves: they are a part of it.
fn named(module: &Module, text: &str, files: &BTreeMap<Module, (&str, &str)>) -> BTreeSet<Module> {
    let mut code = mask::code(text);
    for item in mask::test_items(&code) {
        code.get_mut(item).unwrap_or_default().fill(' ');
    }
    let code: String = code.into_iter().collect();
    let mut found = BTreeSet::new();
    for statement in code.split(';') {
        // Behind the last attribute or block stands a declaration, if there is one.
        let used = statement.rsplit_once("use ").filter(|(before, _)| before.is_empty() || before.ends_with(is_break));
        let paths =
            used.map_or_else(|| paths_in(statement), |(before, used)| [paths_in(before), spread(used)].concat());
        found.extend(paths.iter().filter_map(|path| resolve(module, path, files)));
    }
    found.remove(module);
    found
}

fn is_break(character: char) -> bool {
    character.is_whitespace() || matches!(character, '}' | '{' | ']' | ')')
}

/// `crate::…` and the like in an expression or a type.
fn paths_in(code: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | ':');
    let words = code.split(|character| !is_part(character));
    let rooted = words.filter(|word| ["crate::", "self::", "super::"].iter().any(|root| word.starts_with(root)));
    rooted.map(str::to_owned).collect()
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn spread(used: &str) -> Vec<String> {
    let Some((before, inner)) = used.split_once('{') else { return vec![used.trim().to_owned()] };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for character in inner.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().into_iter().for_each(|part| part.push(character));
    }
    parts.iter().flat_map(|part| spread(part.trim())).map(|part| format!("{}{part}", before.trim())).collect()
}

/// The file that a path leads into.
fn resolve(from: &Module, path: &str, files: &BTreeMap<Module, (&str, &str)>) -> Option<Module> {
    let mut parts = path.split(" as ").next()?.split("::").map(str::trim).peekable();
    let mut base = match *parts.peek()? {
        "crate" => Module::new(),
        "self" | "super" => from.clone(),
        _ => return None,
    };
    parts.next_if(|first| matches!(*first, "crate" | "self"));
    while parts.next_if_eq(&"super").is_some() {
        base.pop();
    }
    base.extend(parts.map(str::to_owned));
    while !files.contains_key(&base) {
        base.pop()?;
    }
    Some(base)
}

/// The sets of modules that reach one another.
fn circles(names: &BTreeMap<&Module, BTreeSet<Module>>) -> BTreeSet<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = left.pop() {
            let next = names.get(&module).into_iter().flatten().cloned();
            left.extend(next.filter(|next| seen.insert(next.clone())));
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<Module>> = names.keys().map(|module| (*module, reached(module))).collect();
    let circle = |(module, seen): (&&Module, &BTreeSet<Module>)| {
        let back = |other: &&Module| reach.get(*other).is_some_and(|seen| seen.contains(*module));
        seen.contains(*module).then(|| seen.iter().filter(back).cloned().collect())
    };
    reach.iter().filter_map(circle).collect()
}

#[cfg(test)]
mod tests {
    use super::super::modules;
    use super::super::tests::package;
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(files);
        let packages = [package("agenttrader-core", &[])];
        let mut findings = Vec::new();
        check(&tree, &packages, &modules::walk(&tree, &packages), &mut findings);
        findings.into_iter().map(|finding| format!("{} {}", finding.path, finding.what)).collect()
    }

    const LIB: (&str, &str) = ("crates/core/src/lib.rs", "mod a;\nmod b;\nmod c;\n");

    #[test]
    fn files_that_name_one_another_in_a_loop_are_found_however_they_name_it() {
        for (a, b, c) in [
            ("use crate::b::B;", "fn f() { crate::c::g() }", "use super::a::{self, A};"),
            ("use super::{b::{B, self}, c};", "use crate::{a::A as Other, x::Y};", ""),
            ("pub(crate) use crate::b::B;", "type T = Vec<super::a::A>;", ""),
        ] {
            let found =
                found(&[LIB, ("crates/core/src/a.rs", a), ("crates/core/src/b.rs", b), ("crates/core/src/c.rs", c)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("crates/core/src/a.rs in a circle of modules with crates/core/src/b.rs"));
        }
    }

    #[test]
    fn a_module_hands_on_what_its_own_children_make() {
        let files = [
            LIB,
            ("crates/core/src/a.rs", "mod deep;\nuse deep::Deep;\npub struct A;\n"),
            ("crates/core/src/a/deep.rs", "use super::A;"),
            ("crates/core/src/b.rs", ""),
            ("crates/core/src/c.rs", ""),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }

    #[test]
    fn what_only_comments_tests_and_texts_name_is_no_circle() {
        let a = "use crate::b::B;\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::c::C;\n}\n";
        let files = [
            LIB,
            ("crates/core/src/a.rs", a),
            (
                "crates/core/src/b.rs",
                "// use crate::a::A;\nconst T: &str = \"use crate::a::A;\";\n/// [`crate::a::A`]\nfn b() {}",
            ),
            ("crates/core/src/c.rs", "use crate::{a::A, b::B};"),
        ];
        assert_eq!(found(&files), Vec::<String>::new());
    }
}
