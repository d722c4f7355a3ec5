//! The script reader beside a shell: whatever ends with `AGENT_MODE` at `EXECUTE` when bash runs it was told by the reader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_policy::found::Key;
use agenttrader_policy::script;
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;

/// A piece of a word in some quoting; `index` names a variable of its own where it takes one.
fn quoted(piece: &str, how: u8, index: usize) -> (String, String) {
    let none = String::new();
    let octal: String = piece.bytes().map(|b| format!("\\{b:03o}")).collect();
    match how {
        0 => (none, piece.to_owned()),
        1 => (none, format!("'{piece}'")),
        2 => (none, format!("\"{piece}\"")),
        3 => (none, piece.chars().map(|c| format!("\\{c}")).collect()),
        4 => (none, format!("$'{octal}'")),
        5 => (format!("V{index}={piece}\n"), format!("$V{index}")),
        6 => (format!("V{index}='{piece}'\n"), format!("\"${{V{index}}}\"")),
        7 => (none, format!("${{UNSET{index}:-{piece}}}")),
        8 => (none, format!("$(echo {piece})")),
        9 => (none, format!("`printf %s {piece}`")),
        10 => (none, format!("\"${{UNSET{index}-\"{piece}\"}}\"")),
        11 => (format!("V{index}={}\n", piece.to_lowercase()), format!("${{V{index}^^}}")),
        12 => (format!("printf -v V{index} '{octal}'\n"), format!("$V{index}")),
        13 => (format!("read -r V{index} <<END\n{piece}\nEND\n"), format!("$V{index}")),
        14 => {
            (format!("L{index}=(x {piece})\nfor V{index} in \"${{L{index}[@]}}\"; do :; done\n"), format!("$V{index}"))
        }
        _ => (none, format!("{piece}\\\n")),
    }
}

/// A way to give the mode the word, by number.
fn assigned(word: &str, how: u8) -> String {
    match how {
        0 => format!("AGENT_MODE={word}\n"),
        1 => format!("export AGENT_MODE={word}\n"),
        2 => format!("declare -x AGENT_MODE={word}; true\n"),
        3 => format!("if true; then AGENT_MODE={word}; else AGENT_MODE=OFF; fi\n"),
        4 => format!("case x in y) ;; x | z) AGENT_MODE={word} ;; esac\n"),
        5 => format!("set_it() {{ AGENT_MODE={word}; }}; set_it\n"),
        6 => format!("for AGENT_MODE in OFF {word}; do :; done\n"),
        7 => format!("[[ -n x && ( a < b ) ]] && AGENT_MODE={word} # it's set\n"),
        8 => format!("K=AGENT_MODE; export \"$K\"={word}\n"),
        9 => format!(": \"${{AGENT_MODE:={word}}}\"\n"),
        10 => format!("eval \"AGENT_MODE={}\"\n", word.replace(['\\', '"', '$', '`'], "")),
        11 => format!("while :; do {{ AGENT_MODE={word}; }}; break; done >/dev/null\n"),
        12 => format!("x=$((1 + (2)))\nAGENT_MODE={word}\n"),
        13 => format!(": <<'A' <<B\nAGENT_MODE=it's not\nA\n\"$(true)\nB\nAGENT_MODE={word}\n"),
        14 => format!("printf -v AGENT_MODE %s {word}\n"),
        _ => format!("x='a # b' y=\"c 'd\" ; AGENT_MODE={word}\n"),
    }
}

fn mode_after(bash: &Path, text: &str) -> String {
    let script = format!("{text}\nbuiltin printf '<%s>' \"$AGENT_MODE\"");
    // No program can be found: nothing but the shell itself runs.
    let output = Command::new(bash)
        .args(["--noprofile", "--norc", "-c", &script])
        .env_clear()
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_a_shell_would_end_with_is_told() {
    let Some(bash) = agenttrader_outside::command("bash") else { return };
    let mut config = ProptestConfig::with_cases(200);
    config.failure_persistence = None;
    let pieces = prop::collection::vec((1..4_usize, 0..16_u8), 1..6);
    let executed = std::cell::Cell::new(0);
    proptest!(config, |(pieces in pieces, how in 0..16_u8)| {
        let (mut rest, mut before, mut word) = ("EXECUTE", String::new(), String::new());
        for (index, (width, quoting)) in pieces.iter().enumerate() {
            let last = index + 1 == pieces.len();
            let (piece, behind) = rest.split_at(if last { rest.len() } else { (*width).min(rest.len()) });
            rest = behind;
            if !piece.is_empty() {
                let (set, text) = quoted(piece, *quoting, index);
                before.push_str(&set);
                word.push_str(&text);
            }
        }
        let text = before + &assigned(&word, how);
        if mode_after(&bash, &text) == "<EXECUTE>" {
            executed.set(executed.get() + 1);
            let found = script::read("x.sh", &text);
            let told = found.assignments.iter().filter(|a| a.key == Key::AgentMode).any(|a| a.value.known().is_none_or(|value| value == "EXECUTE"));
            prop_assert!(told, "{text}\n{found:#?}");
        }
    });
    assert!(executed.get() >= 80, "the shell ran too few of them to the end: {}", executed.get());
}
