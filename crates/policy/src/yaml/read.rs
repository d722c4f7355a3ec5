//! The lock contract, rule `parse`: a file that can be read in one way only, or refusals.
//!
//! What is refused is judged besides, as far as it can be read: where readers would differ, every reading is given.

use super::build::{Builder, DEPTH, Stop, Wins};
use super::bytes;
use super::node::Node;
use crate::finding::{Finding, Rule};
use granit_parser::{ErrorKind, Parser};

/// How often reading goes on at the next `---` after something unreadable. A bound, so that a hostile file costs no more
/// than this many times its size.
const RESUMES: usize = 32;

/// A file as its documents.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The documents that are not empty; what is written later wins.
    pub documents: Vec<Node>,
    /// The documents as another reader takes them, where readers differ; empty otherwise.
    pub alternatives: Vec<Node>,
    /// What is refused.
    pub findings: Vec<Finding>,
}

/// Reads a file of YAML or JSON.
pub fn read(path: &str, bytes: &[u8]) -> Read {
    let decoded = bytes::decode(path, bytes);
    let mut read = Read { findings: decoded.findings, ..Read::default() };
    let last = documents(&decoded.text, Wins::Last);
    if is_json(path) {
        read.findings.extend(last.documents.iter().find_map(bare_word).map(|(line, word)| {
            let what = format!("`{word}` is no JSON: a comment for some readers, a text for others");
            refused(path, line, &what)
        }));
    }
    read.findings.extend(last.refusals.iter().map(|(line, what)| refused(path, *line, what)));
    if last.differs {
        read.alternatives = documents(&decoded.text, Wins::First).documents;
    }
    if let Some(broken) = decoded.broken {
        read.alternatives.extend(documents(&broken, Wins::Last).documents);
    }
    if is_json(path) && !read.findings.is_empty() {
        // Who reads comments sees what stands behind them.
        read.alternatives.extend(documents(&without_comments(&decoded.text), Wins::Last).documents);
    }
    read.documents = last.documents;
    read
}

/// JSON with blanks where comments stood; lines stay what they are.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let (mut quoted, mut escaped) = (false, false);
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('/', Some('/')) if !quoted => while chars.next_if(|c| *c != '\n').is_some() {},
            ('/', Some('*')) if !quoted => {
                let mut last = ' ';
                for c in chars.by_ref().skip(1) {
                    if c == '\n' {
                        out.push(c);
                    }
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            _ => {
                quoted ^= c == '"' && !escaped;
                escaped = c == '\\' && quoted && !escaped;
                out.push(c);
            }
        }
    }
    out
}

fn refused(path: &str, line: u32, what: &str) -> Finding {
    Finding::fail(Rule::Parse, path, what, "write it so that every reader takes it the same way").line(line)
}

/// Whether a file is JSON by its name.
fn is_json(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    [".json", ".jsonc", ".json5", ".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending))
}

/// The first scalar that is neither quoted nor a literal of JSON.
fn bare_word(node: &Node) -> Option<(u32, String)> {
    let inside = || {
        let items = node.items().iter().find_map(bare_word);
        items.or_else(|| node.entries().iter().find_map(|(key, value)| bare_word(key).or_else(|| bare_word(value))))
    };
    match node.scalar() {
        Some(scalar) if scalar.plain && scalar.is_string() => Some((node.line, scalar.text.clone())),
        _ => inside(),
    }
}

#[derive(Default)]
struct Documents {
    documents: Vec<Node>,
    refusals: Vec<(u32, String)>,
    differs: bool,
}

fn documents(text: &str, wins: Wins) -> Documents {
    let mut all = Documents::default();
    let mut rest = text;
    let mut before: u32 = 0;
    for _ in 0..=RESUMES {
        let mut builder = Builder::new(wins);
        let stopped = build(&mut builder, rest);
        let here = |line: u32| line.saturating_add(before);
        all.documents.extend(builder.documents.into_iter().map(|node| shifted(node, before)));
        all.refusals.extend(builder.refusals.into_iter().map(|refusal| (here(refusal.line), refusal.what)));
        all.differs |= builder.differs;
        let Err(stop) = stopped else { return all };
        all.refusals.push((here(stop.line), stop.what));
        let Some((skipped, next)) = next_document(rest, stop.line) else { return all };
        before = here(skipped);
        rest = next;
    }
    all
}

fn build(builder: &mut Builder, text: &str) -> Result<(), Stop> {
    // Deeper than the limit of our own, which says it in our words.
    let limit = DEPTH.saturating_mul(2);
    let options = granit_parser::options! { flow_nesting_limit: limit, block_nesting_limit: limit };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => builder.take(event, &span)?,
            Err(error) => {
                let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
                let what = match error.kind() {
                    ErrorKind::RecursionLimitExceeded => {
                        format!("values stand more than {DEPTH} deep inside one another")
                    }
                    _ => format!("the file does not parse: {}", error.info()),
                };
                return Err(Stop { line, what });
            }
        }
    }
    Ok(())
}

/// The text from the first `---` after a line, and how many lines stand before it.
fn next_document(text: &str, line: u32) -> Option<(u32, &str)> {
    let mut at: usize = 0;
    for (number, each) in text.split_inclusive('\n').enumerate() {
        let number = u32::try_from(number).ok()?;
        if number >= line.max(1) && each.starts_with("---") {
            return text.get(at..).map(|rest| (number, rest));
        }
        at = at.saturating_add(each.len());
    }
    None
}

fn shifted(mut node: Node, lines: u32) -> Node {
    if lines > 0 {
        node.each_line(&mut |line| line.saturating_add(lines));
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::node::Value;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Scalar(scalar) => scalar.text.clone().into(),
            Value::Sequence(items) => items.iter().map(plain).collect(),
            Value::Mapping(entries) => {
                entries.iter().map(|(key, value)| (key.text().unwrap_or("").to_owned(), plain(value))).collect()
            }
        }
    }

    fn good(text: &str) -> serde_json::Value {
        let read = read("a.yaml", text.as_bytes());
        assert!(read.findings.is_empty(), "{text}: {:?}", read.findings);
        read.documents.iter().map(plain).collect()
    }

    fn bad(text: &str) -> Vec<(Option<u32>, String)> {
        let read = read("a.yaml", text.as_bytes());
        assert!(!read.findings.is_empty(), "accepted: {text}");
        assert!(read.findings.iter().all(|finding| finding.rule == Rule::Parse && finding.path == "a.yaml"));
        read.findings.into_iter().map(|finding| (finding.line, finding.message)).collect()
    }

    #[test]
    fn what_everyone_reads_alike_is_read() {
        assert_eq!(good(""), serde_json::json!([]));
        assert_eq!(good("# nothing\n---\n---\n~\n"), serde_json::json!([]));
        assert_eq!(
            good("\u{feff}a: 1\n---\nb: [x, {c: d}]\n"),
            serde_json::json!([{"a": "1"}, {"b": ["x", {"c": "d"}]}])
        );
        assert_eq!(
            good("{\n\t\"a\": [1, \"\\u0041\"],\n\t\"b\\/c\": {}\n}\n"),
            serde_json::json!([{"a": ["1", "A"], "b/c": {}}])
        );
        assert_eq!(good("a: |\n  x\n  --- y\nb: >-\n  c\n  d\n"), serde_json::json!([{"a": "x\n--- y\n", "b": "c d"}]));
        assert_eq!(
            good("a: !!str 1\nb: !!binary RVhFQ1VURQ==\nc: !!int \"0\""),
            serde_json::json!([{"a": "1", "b": "EXECUTE", "c": "0"}])
        );
        assert_eq!(good("a: &x {k: v}\nb: *x\n"), serde_json::json!([{"a": {"k": "v"}, "b": {"k": "v"}}]));
        assert_eq!(good("a: 1\r\nb: 2\r\n"), serde_json::json!([{"a": "1", "b": "2"}]));
    }

    #[test]
    fn a_line_end_is_what_the_cluster_takes_for_one() {
        assert_eq!(good("# note\ra: 1\n"), serde_json::json!([{"a": "1"}]));
    }

    #[test]
    fn merge_keys_are_applied_and_what_is_spelled_out_wins() {
        let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 5\n";
        assert_eq!(good(text)[0]["c"], serde_json::json!({"x": "5", "y": "2", "z": "4"}));
        assert_eq!(bad("a: {<<: 1}")[0].0, Some(1));
        assert_eq!(bad("a: {\"<<\": {b: 1}}").len(), 1);
        assert_eq!(bad("a: {<<: {b: 1}, <<: {c: 1}}").len(), 1);
    }

    #[test]
    fn a_merge_key_after_what_it_would_override_is_read_both_ways() {
        let read = read("a", b"a: 1\n<<: {a: 2, b: 3}\n");
        assert!(read.findings.is_empty());
        assert_eq!(plain(&read.documents[0]), serde_json::json!({"a": "2", "b": "3"}));
        assert_eq!(plain(&read.alternatives[0]), serde_json::json!({"a": "1", "b": "3"}));
    }

    #[test]
    fn a_key_that_any_reader_takes_for_another_stands_twice() {
        for text in [
            "a: 1\na: 2",
            "a: 1\n\"a\": 2",
            "{a: 1, 'a': 2}",
            "1: a\n\"1\": b",
            "0x1: a\n1: b",
            "yes: 1\ntrue: 2",
            "a: 1\n!!str a: 2",
            "a: 1\n!!binary YQ==: 2",
            "a: 1\n\"\\x61\": 2",
            "~: 1\nnull: 2",
            "a: 1\n? a\n: 2",
        ] {
            assert!(bad(text)[0].1.contains("twice"), "{text}");
        }
        let read = read("a", b"a: 1\nb: 2\na: 3\n");
        assert_eq!(read.findings[0].line, Some(3));
        assert_eq!(plain(&read.documents[0])["a"], "3");
        assert_eq!(plain(&read.alternatives[0])["a"], "1");
    }

    #[test]
    fn tags_that_no_manifest_needs_are_refused() {
        for text in [
            "a: !Ref b",
            "a: !!python/object:x b",
            "a: !!set {b}",
            "a: !!timestamp 2001-01-01",
            "a: ! b",
            "a: !!int x",
            "a: !!binary \"*\"",
            "a: !!bool on",
            "a: !!map [b]",
            "%TAG !! tag:example.com,2000:\n---\na: !!str b",
            "a: !<x> b",
        ] {
            assert_eq!(bad(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn bombs_recursion_and_depth_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = level - 1;
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 10].join(", "));
        }
        assert!(bad(&bomb)[0].1.contains("expand"));
        let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 10_000].join(", "));
        assert!(bad(&long)[0].1.contains("expand"));
        assert!(bad("a: &a [*a]")[0].1.contains("refers"));
        assert!(bad("a: *nobody")[0].1.contains("parse"));
        assert!(bad(&("[".repeat(65) + &"]".repeat(65)))[0].1.contains("deep"));
        assert!(bad(&"[".repeat(100_000))[0].1.contains("deep"));
        assert!(
            bad(&format!("a: &a {}x{}\nb: {}*a{}", "[".repeat(40), "]".repeat(40), "[".repeat(40), "]".repeat(40)))[0]
                .1
                .contains("deep")
        );
        good(&("[".repeat(64) + &"]".repeat(64)));
    }

    #[test]
    fn ten_thousand_documents_are_read_and_one_more_is_refused() {
        good(&"--- a\n".repeat(10_000));
        assert!(bad(&"--- a\n".repeat(10_001))[0].1.contains("documents"));
    }

    #[test]
    fn what_follows_something_unreadable_is_read_besides_with_its_lines() {
        let read = read("a", b"a: 1\n---\nb: [\n---\nc: 3\n---\nd: \"\n---\ne: 5\n");
        let found: Vec<_> = read.documents.iter().map(|node| (node.line, plain(node).to_string())).collect();
        assert_eq!(found, [(1, "{\"a\":\"1\"}".into()), (5, "{\"c\":\"3\"}".into()), (9, "{\"e\":\"5\"}".into())]);
        assert_eq!(read.findings.len(), 2);
    }

    #[test]
    fn json_with_comments_is_refused() {
        for text in ["{\n// note\n\"a\": 1\n}", "{ /* note */ \"a\": 1 }", "{\"a\": 1 // note\n}", "{a: 1}"] {
            assert_eq!(read("x.JSON", text.as_bytes()).findings.len(), 1, "{text}");
        }
        assert!(read("x.json", b"{\"a\": [1, -1.5e3, true, null, \"b\"]}").findings.is_empty());
    }

    #[test]
    fn a_value_brought_by_an_alias_stands_where_it_is_used() {
        let read = read("a", b"a: &x\n  k: v\nb: *x\n");
        assert_eq!(read.documents[0].at(&["b", "k"]).unwrap().line, 3);
    }
}
