//! Lines one can read, files one can read in a sitting.

use super::Finding;
use super::tree::Tree;

/// A wider line is cut in reviews and side by side.
const MAX_COLUMNS: usize = 160;

/// A longer file holds more than one noun.
const MAX_LINES: usize = 600;

/// The files that are over it, `path lines`; an entry may shrink or go, none may grow or come.
const LARGE_FILES: &str = "xtask/tidy-large-files.txt";

pub fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for (path, text) in
        tree.files().filter(|(path, _)| [".rs", ".toml", ".sh", ".py"].iter().any(|end| path.ends_with(end)))
    {
        for (index, line) in text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > MAX_COLUMNS {
                let what = format!("{columns} columns");
                findings.push(Finding::new(
                    path,
                    index + 1,
                    what,
                    format!("break the line; {MAX_COLUMNS} is the limit"),
                ));
            }
        }
    }
    let known = known(tree, findings);
    for (path, text) in tree.rust("") {
        let lines = text.lines().count();
        match known.iter().find(|(known, _)| *known == path) {
            None if lines > MAX_LINES => {
                let what = format!("{lines} lines, over {MAX_LINES}");
                findings.push(Finding::new(path, MAX_LINES + 1, what, "split it by noun"));
            }
            Some((_, allowed)) if lines > *allowed => {
                let what = format!("{lines} lines, and {LARGE_FILES} allows {allowed}");
                findings.push(Finding::new(path, *allowed + 1, what, "split it by noun; the list may only shrink"));
            }
            _ => {}
        }
    }
}

/// The list's entries; those that say nothing true any more are findings.
fn known<'a>(tree: &'a Tree, findings: &mut Vec<Finding>) -> Vec<(&'a str, usize)> {
    let mut known = Vec::new();
    for (index, line) in tree.text(LARGE_FILES).unwrap_or_default().lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut say = |what: String, remedy: &str| findings.push(Finding::new(LARGE_FILES, index + 1, what, remedy));
        let entry = line.split_once(' ').and_then(|(path, lines)| Some((path, lines.trim().parse::<usize>().ok()?)));
        let Some((path, allowed)) = entry else {
            say(format!("`{line}` is no `path lines`"), "write the path, a space, and the number of its lines");
            continue;
        };
        match tree.text(path).map(|text| text.lines().count()) {
            None => say(format!("there is no {path}"), "take the line out"),
            Some(lines) if lines <= MAX_LINES => {
                say(format!("{path} has {lines} lines, which is fine"), "take the line out")
            }
            Some(lines) if lines < allowed => {
                say(format!("{path} has shrunk to {lines} lines"), "write that number here")
            }
            Some(_) => known.push((path, allowed)),
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let mut findings = Vec::new();
        check(&Tree::of(files), &mut findings);
        said(&findings)
    }

    #[test]
    fn a_line_may_have_160_columns_and_not_161() {
        assert_eq!(findings(&[("a.rs", &"ä".repeat(160))]), Vec::<String>::new());
        assert_eq!(
            findings(&[("a.rs", &format!("\n{}", "x".repeat(161)))]),
            ["a.rs:2: 161 columns; break the line; 160 is the limit"]
        );
        assert_eq!(findings(&[("a.md", &"x".repeat(200))]), Vec::<String>::new());
    }

    #[test]
    fn a_file_may_have_600_lines_and_not_601() {
        assert_eq!(findings(&[("a.rs", &"\n".repeat(600))]), Vec::<String>::new());
        assert_eq!(findings(&[("a.rs", &"\n".repeat(601))]), ["a.rs:601: 601 lines, over 600; split it by noun"]);
    }

    #[test]
    fn the_list_of_large_files_may_only_shrink() {
        let with = |list: &str, lines: usize| findings(&[(LARGE_FILES, list), ("a.rs", &"\n".repeat(lines))]);
        assert_eq!(with("# why\na.rs 700\n", 700), Vec::<String>::new());
        assert_eq!(
            with("a.rs 700\n", 701),
            [
                "a.rs:701: 701 lines, and xtask/tidy-large-files.txt allows 700; split it by noun; the list may only shrink"
            ]
        );
        for (list, lines, what) in [
            ("a.rs 700\n", 600, "which is fine"),
            ("a.rs 700\n", 650, "has shrunk"),
            ("b.rs 700\n", 1, "there is no"),
            ("a.rs\n", 1, "is no"),
        ] {
            let found = with(list, lines);
            assert!(
                found.iter().any(|line| line.starts_with("xtask/tidy-large-files.txt:1: ") && line.contains(what)),
                "{found:?}"
            );
        }
    }
}
