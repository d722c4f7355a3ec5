//! The readers of files that are no objects hold against any bytes: no panic, and work that does not grow out of bounds.

use agenttrader_policy::yaml::read::read;
use agenttrader_policy::{compose, dockerfile, keyed, script};
use proptest::prelude::*;

/// What shells, programs and configuration are made of, so that the readers come far.
const PIECES: [&str; 58] = [
    "AGENT_MODE",
    "EXECUTION_HALTED",
    "=",
    "EXECUTE",
    "OBSERVE",
    "$",
    "${",
    "}",
    "$(",
    ")",
    "`",
    "'",
    "\"",
    "\\",
    "\n",
    " ",
    ";",
    "|",
    "&",
    ">",
    "<<EOF\n",
    "EOF\n",
    "<<<",
    "(",
    "((",
    "))",
    "[[",
    "]]",
    "{",
    "case x in",
    "esac",
    ";;",
    "for x in",
    "do",
    "done",
    "if",
    "fi",
    "function f",
    "export ",
    "echo ",
    "printf %s ",
    "kubectl scale ",
    "deploy/execution-agent",
    "--replicas=",
    "sed -i s/a/b/",
    "#",
    "$'",
    "\\x45",
    ":-",
    ":=",
    "FROM a\n",
    "ENV ",
    "ARG ",
    "- ",
    ": ",
    ",",
    "é",
    "\u{1}",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..80).prop_map(|pieces| pieces.concat())
}

fn read_all(text: &str) {
    for name in ["x.sh", "x.py", "x.js", "x.toml", ".env", "x.properties", "x.yaml", "x.json", "x"] {
        keyed::read(name, text);
    }
    script::read("x.sh", text);
    dockerfile::read(text);
    compose::read(&read("compose.yaml", text.as_bytes()).documents);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        read_all(&text);
    }

    #[test]
    fn any_text_of_what_they_know_is_read_without_a_panic(text in pieces()) {
        read_all(&text);
    }

    #[test]
    fn what_a_script_sets_is_heard_behind_anything_that_closes(before in "[a-z ;|&\n]{0,60}") {
        let text = format!("{before}\nexport AGENT_MODE=EXECUTE\n");
        let found = script::read("x.sh", &text);
        prop_assert!(found.assignments.iter().any(|a| a.value.known() == Some("EXECUTE")), "{text}");
    }
}

#[test]
fn hostile_repetition_is_read_to_its_end() {
    for piece in PIECES.iter().copied().chain([
        "$(echo ",
        "${a:-",
        "a() { ",
        "{ a; } >b ",
        "echo a | ",
        "X=$X$X; ",
        "((a",
        "${a[",
        "'a' ",
        "a=(",
        "if a; then ",
    ]) {
        read_all(&piece.repeat(1_000));
    }
    let doubled: String = (0..60).map(|n| format!("A{}=$A{n}$A{n}\n", n + 1)).collect();
    read_all(&format!("A0=aaaaaaaaaaaaaaaa\n{doubled}echo $A60 > x\n"));
}
