//! Rust source with what is no code blanked out, every character at its place.

use std::ops::Range;

/// The code alone: comments, strings and character literals become spaces, newlines stay.
pub fn code(source: &str) -> Vec<char> {
    let source: Vec<char> = source.chars().collect();
    let mut masked = source.clone();
    let at = |index: usize| source.get(index).copied().unwrap_or('\0');
    let mut index = 0;
    while index < source.len() {
        let end = match (at(index), at(index + 1)) {
            ('/', '/') => find(&source, index, |rest| rest.first() == Some(&'\n')),
            ('/', '*') => end_of_block_comment(&source, index),
            ('"', _) => end_of_quoted(&source, index, '"'),
            ('r', '"' | '#') if !is_word(&source, index) && raw_hashes(&source, index).is_some() => {
                end_of_raw(&source, index)
            }
            // A lifetime has no closing quote where a character has one.
            ('\'', '\\') => end_of_quoted(&source, index, '\''),
            ('\'', _) if at(index + 2) == '\'' => index + 3,
            _ => {
                index += 1;
                continue;
            }
        };
        let end = end.min(source.len());
        blank(&mut masked, index..end);
        index = end.max(index + 1);
    }
    masked
}

fn blank(code: &mut [char], range: Range<usize>) {
    for place in code.get_mut(range).unwrap_or_default() {
        if *place != '\n' {
            *place = ' ';
        }
    }
}

/// Whether the character before `index` makes it a part of a longer word.
fn is_word(source: &[char], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| source.get(before)).copied();
    before.is_some_and(|before| (before.is_alphanumeric() || before == '_') && before != 'b')
}

fn find(source: &[char], from: usize, here: impl Fn(&[char]) -> bool) -> usize {
    (from..source.len()).find(|index| here(source.get(*index..).unwrap_or_default())).unwrap_or(source.len())
}

fn end_of_block_comment(source: &[char], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = from;
    while index < source.len() {
        match source.get(index..index + 2) {
            Some(['/', '*']) => {
                depth += 1;
                index += 2;
            }
            Some(['*', '/']) => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => index += 1,
        }
    }
    index
}

fn end_of_quoted(source: &[char], from: usize, quote: char) -> usize {
    let mut index = from + 1;
    while let Some(&character) = source.get(index) {
        index += match character {
            '\\' => 2,
            _ if character == quote => return index + 1,
            _ => 1,
        };
    }
    index
}

/// How many `#` a raw string that begins here has; none if it is no raw string (`r#type` is a name).
fn raw_hashes(source: &[char], from: usize) -> Option<usize> {
    let after = source.get(from + 1..)?;
    let hashes = after.iter().take_while(|character| **character == '#').count();
    (after.get(hashes) == Some(&'"')).then_some(hashes)
}

fn end_of_raw(source: &[char], from: usize) -> usize {
    let hashes = raw_hashes(source, from).unwrap_or(0);
    let inside = from + hashes + 2;
    let closes = |rest: &[char]| {
        rest.first() == Some(&'"') && rest.iter().skip(1).take_while(|character| **character == '#').count() >= hashes
    };
    find(source, inside, closes) + 1 + hashes
}

/// Where the code is compiled for tests alone: each item behind `#[cfg(test)]` (or `#[cfg(all(test, …))]`, `#[test]`).
pub fn test_items(code: &[char]) -> Vec<Range<usize>> {
    const ATTRIBUTES: [&str; 4] = ["#[cfg(test)]", "#[cfg(all(test,", "#[cfg(any(test,", "#[test]"];
    let mut items: Vec<Range<usize>> = Vec::new();
    let mut index = 0;
    while index < code.len() {
        if ATTRIBUTES.iter().any(|attribute| starts_with(code, index, attribute)) {
            let end = end_of_item(code, index);
            items.push(index..end);
            index = end;
        } else {
            index += 1;
        }
    }
    items
}

/// Whether `text` stands at `index`.
pub fn starts_with(code: &[char], index: usize, text: &str) -> bool {
    text.chars().enumerate().all(|(offset, character)| code.get(index + offset) == Some(&character))
}

/// The end of the item whose first attribute begins at `from`: its `;`, or its closing brace, outside all brackets.
fn end_of_item(code: &[char], from: usize) -> usize {
    let mut depth = 0_usize;
    for (index, character) in code.iter().enumerate().skip(from) {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            ';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    code.len()
}

/// The lines of what ships: code without comments, strings and test items.
pub fn shipped_lines(source: &str) -> Vec<String> {
    let mut code = code(source);
    for item in test_items(&code) {
        blank(&mut code, item);
    }
    lines(&code)
}

/// The lines of what is code, tests included.
pub fn code_lines(source: &str) -> Vec<String> {
    lines(&code(source))
}

fn lines(code: &[char]) -> Vec<String> {
    code.split(|character| *character == '\n').map(|line| line.iter().collect()).collect()
}

/// Whether `line` holds `pattern` where no longer name does; patterns may end in `(` or `!` or `::`.
pub fn has(line: &str, pattern: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(pattern).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + pattern.len()..).and_then(|text| text.chars().next());
        let cut_before = pattern.chars().next().is_some_and(is_name) && before.is_some_and(is_name);
        let cut_after = pattern.chars().next_back().is_some_and(is_name) && after.is_some_and(is_name);
        !cut_before && !cut_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(source: &str) -> String {
        code(source).iter().collect()
    }

    #[test]
    fn comments_and_strings_are_blanked_and_the_rest_keeps_its_place() {
        let pairs = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x // y", 1)"#, "f(        , 1)"),
            (r#"f("\"x", 'y', '\'', b'z')"#, "f(     ,    ,     , b   )"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            (r###"f(r#"a "b" c"#, d)"###, "f(            , d)"),
            ("r#type = br\"x\" + 1", "r#type = b     + 1"),
        ];
        for (source, expected) in pairs {
            assert_eq!(masked(source), expected, "{source}");
        }
    }

    #[test]
    fn an_unclosed_literal_or_comment_ends_with_the_file() {
        for source in ["\"abc", "/* abc", "r#\"abc", "'\\", "// abc", "\"abc\\"] {
            assert_eq!(masked(source).chars().count(), source.chars().count());
        }
    }

    #[test]
    fn what_only_tests_compile_does_not_ship() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { if x { y } }\n}\nfn c() {}\n#[cfg(test)]\nuse d;\nfn e() {}";
        let shipped = shipped_lines(source).join("\n");
        for name in ["a", "c", "e"] {
            assert!(shipped.contains(&format!("fn {name}()")), "{shipped}");
        }
        assert!(!shipped.contains('b') && !shipped.contains("use d"), "{shipped}");
        assert_eq!(shipped.lines().count(), source.lines().count());
    }

    #[test]
    fn a_pattern_is_found_as_a_whole_name_only() {
        assert!(has("std::fs::read(x)", "fs::"));
        assert!(has("x.await", ".await"));
        assert!(!has("offs::read(x)", "fs::"));
        assert!(has("println!(\"\")", "println!"));
        assert!(!has("eprintln!(\"\")", "println!"));
        assert!(!has("Instant::nowhere()", "Instant::now"));
    }
}
