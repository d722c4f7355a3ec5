//! What must not stand in the project: leftovers, one machine's paths, and numbers that mean nothing to a reader.

use super::Finding;
use super::mask;
use super::tree::Tree;

/// Marks of work to do, put together here so that this file does not hold them.
const MARKS: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];

/// Calls that stand for code that is not there.
const STUBS: [&str; 2] = ["todo!", "unimplemented!"];

/// Directories of one machine; another has them nowhere, or somewhere else.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/t", "mp/")];

pub fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for (path, text) in tree.files() {
        if path == "Cargo.lock" || path == "LICENSE" {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            check_line(path, index + 1, line, findings);
        }
        if path.ends_with(".rs") {
            for (index, line) in mask::code_lines(text).iter().enumerate() {
                for stub in STUBS.iter().filter(|stub| mask::has(line, stub)) {
                    findings.push(Finding::new(
                        path,
                        index + 1,
                        format!("{stub} stands for code that is not there"),
                        "write it, or leave it out",
                    ));
                }
            }
        }
    }
}

fn check_line(path: &str, number: usize, line: &str, findings: &mut Vec<Finding>) {
    let mut say = |what: String, remedy: &str| findings.push(Finding::new(path, number, what, remedy));
    for mark in MARKS.iter().filter(|mark| mask::has(line, mark)) {
        say(format!("{mark} is left"), "do it now, or put it into an issue");
    }
    for machine in MACHINE_PATHS.iter().filter(|machine| stands_alone(line, machine)) {
        say(format!("{machine} is a path of one machine"), "name it from the project's root, or through an argument");
    }
    for issue in ["issue", "Issue"].iter().filter(|issue| followed_by_number(line, issue, &[" ", " #"])) {
        say(
            format!("an {} is named by its number", issue.to_lowercase()),
            "say what it is about; the number says nothing in a year",
        );
    }
}

/// Whether a path begins here, and not inside a longer one (`docs/home/`).
fn stands_alone(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || ['_', '-', '.', '/', '}', '$'].contains(&before))
    })
}

/// Whether `word` as a whole, one of `gaps`, and a digit stand here.
fn followed_by_number(line: &str, word: &str, gaps: &[&str]) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let begins = !line.get(..at).and_then(|text| text.chars().next_back()).is_some_and(char::is_alphanumeric);
        let rest = line.get(at + word.len()..).unwrap_or_default();
        let number = |gap: &&str| {
            rest.strip_prefix(*gap).is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
        };
        begins && gaps.iter().any(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        check(&Tree::of(&[(path, text)]), &mut findings);
        findings
    }

    #[test]
    fn leftovers_are_found_in_every_file() {
        for mark in MARKS {
            assert_eq!(findings("docs/a.md", &format!("fine\n{mark}: later")).len(), 1, "{mark}");
        }
        for stub in STUBS {
            assert_eq!(findings("a.rs", &format!("fn f() {{ {stub}() }}")).len(), 1, "{stub}");
            assert_eq!(findings("a.rs", &format!("// never {stub}")).len(), 0, "{stub}");
        }
        assert_eq!(findings("a.rs", "const PREFIX: &str = \"0xXXXX\";").len(), 0);
    }

    #[test]
    fn paths_of_one_machine_are_found_and_parts_of_longer_ones_are_not() {
        for path in MACHINE_PATHS {
            assert_eq!(findings("a.md", &format!("see `{path}x`")).len(), 1, "{path}");
        }
        assert_eq!(findings("a.md", concat!("docs/ho", "me/x and $DATA_DIR/t", "mp/x")).len(), 0);
    }

    #[test]
    fn numbers_of_issues_are_found() {
        for text in [concat!("iss", "ue 3"), concat!("Iss", "ue #12")] {
            assert_eq!(findings("a.md", text).len(), 1, "{text}");
        }
        assert_eq!(findings("a.md", "an issue in 3 parts; tissue 3").len(), 0);
    }
}
