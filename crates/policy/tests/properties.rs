//! What holds for any bytes: a judgement ends, says something of every rule, and never passes what does not parse.

#![allow(clippy::unwrap_used, clippy::panic)]

use agenttrader_policy::finding::{Rule, Verdict};
use agenttrader_policy::judge;
use agenttrader_policy::tree::{Entry, Tree};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PATHS: [&str; 9] = [
    "k8s/a.yaml",
    "k8s/a.json",
    "k8s/kustomization.yaml",
    "k8s/a",
    "config/a.toml",
    "config/a.env",
    "scripts/a.sh",
    "Dockerfile",
    "compose.yaml",
];

fn base(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sets/base/k8s").join(file)).unwrap()
}

/// Judges bytes in every place where they mean something else.
fn everywhere(bytes: &[u8]) {
    let rules = |tree: &Tree| judge(tree, None).into_iter().map(|finding| finding.rule).collect::<BTreeSet<Rule>>();
    for path in PATHS {
        let mut tree = Tree::new();
        tree.insert(path, Entry::File(bytes.to_vec()));
        tree.insert("k8s/kill-switch.yaml", Entry::File(base("kill-switch.yaml")));
        assert_eq!(rules(&tree), rules(&Tree::new()), "{path}");
    }
}

/// Words that mean something to a reader or to a rule.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a: ",
            "\n",
            "  ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "&a ",
            "*a",
            "<<: ",
            "---\n",
            "\"",
            "'",
            "|\n",
            "!!binary ",
            "? ",
            "#",
            "kind: Deployment\n",
            "apiVersion: v1\n",
            "metadata:\n  name: execution-agent\n",
            "spec:\n",
            "containers:\n",
            "env:\n",
            "image: x\n",
            "name: AGENT_MODE\n",
            "value: EXECUTE\n",
            "$(A)",
            "${A}",
            "data:\n",
            "EXECUTION_HALTED: ",
            "kind: List\nitems:\n",
            "envFrom:\n",
            "valueFrom: {configMapKeyRef: {name: a, key: b}}\n",
            "replicas: ",
            "resources: [..]\n",
            "patches:\n",
            "volumes:\n",
            "kubectl ",
            "scale ",
            "FROM x\n",
            "ENV A=b\n",
            "=",
            "`",
            "\\",
            "\t",
            "\u{85}",
            "é",
            "\0",
            "$((",
            "<<E\n",
            "case x in\n",
            "fi\n",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_judged_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everywhere(&bytes);
    }

    #[test]
    fn any_words_are_judged_to_an_end(words in prop::collection::vec(word(), 0..60)) {
        everywhere(words.concat().as_bytes());
    }

    #[test]
    fn a_floor_with_bytes_changed_is_judged_to_an_end(
        file in prop::sample::select(vec!["execution-agent.yaml", "kill-switch.yaml", "network.yaml", "kustomization.yaml"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3usize), 1..6),
    ) {
        let mut bytes = base(file);
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        everywhere(&bytes);
    }

    #[test]
    fn what_does_not_parse_never_passes(
        words in prop::collection::vec(word(), 0..30),
        open in prop::sample::select(vec!["\na: [", "\na: {b: ", "\na: \"b", "\na: 'b"]),
    ) {
        let text = format!("a: b\n---\n{}{open}", words.concat());
        let mut tree = Tree::new();
        tree.insert("config/a.yaml", Entry::File(text.clone().into_bytes()));
        let findings = judge(&tree, Some(&[Rule::Parse]));
        // The words may have closed it, or opened a block that holds it: then it parses for everybody, and Python may say so.
        let failed = findings.iter().any(|finding| finding.rule == Rule::Parse && finding.verdict == Verdict::Fail);
        prop_assume!(!words.iter().any(|word| word.contains(['|', '>', '"', '\'', '#', '?', '&', '*', '!', '%', '@', '`'])));
        prop_assert!(failed, "passed: {text:?}");
    }
}

#[test]
fn work_grows_with_size_and_not_with_nesting_or_references() {
    // Each would take hours where work is quadratic in it, or worse.
    let many = 3_000;
    let pods: String = (0..many)
        .map(|index| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{index}}}\nspec: {{containers: [{{image: \"a:b\", envFrom: [{{configMapRef: \
                 {{name: c{index}}}}}]}}]}}\n"
            )
        })
        .collect();
    let aliases = format!("a: &a {{k: v}}\nb: [{}]\n", vec!["*a"; 20_000].join(","));
    let merges = format!(
        "a: &a {{k: v}}\n{}",
        (0..20_000).map(|index| format!("b{index}: {{<<: *a, x: y}}\n")).collect::<String>()
    );
    let keys: String = (0..50_000).map(|index| format!("k{index}: v\n")).collect();
    let quotes = "---\na: \"\n".repeat(20_000);
    let references = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{image: a, env: [{}]}}]}}\n",
        (0..2_000)
            .map(|index| format!("{{name: V{index}, value: \"$(V{})x\"}}", index + 1))
            .collect::<Vec<_>>()
            .join(",")
    );
    for text in [pods, aliases, merges, keys, quotes, references] {
        let mut tree = Tree::new();
        tree.insert("k8s/a.yaml", Entry::File(text.into_bytes()));
        assert!(!judge(&tree, None).is_empty());
    }
}
