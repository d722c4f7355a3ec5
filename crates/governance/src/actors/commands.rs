//! Commands that approve, enrol a key or tag a lock, in scripts and in files that carry commands. The manifest policy has no reader of
//! these; a command counts wherever its words stand in a line that is not a comment.

use crate::actors::offence::Kind;
use agenttrader_policy::shell::is_binary;

/// What our own binary does for people alone, by its subcommands.
const OWN: [(&[&str], Kind); 12] = [
    (&["approve"], Kind::Approve),
    (&["resume"], Kind::KillSwitch),
    (&["unlock", "approve"], Kind::Approve),
    (&["unlock", "apply"], Kind::Approve),
    (&["unlock", "grant"], Kind::Approve),
    (&["lock", "init"], Kind::Enrol),
    (&["lock", "sign"], Kind::Approve),
    (&["lock", "generate"], Kind::Tag),
    (&["lock", "tag"], Kind::Tag),
    (&["lkg", "restore"], Kind::Deploy),
    (&["execution"], Kind::Scale),
    (&["flatten"], Kind::Deploy),
];

/// Words that only show what stands behind them.
const SHOWS: [&str; 4] = ["echo", "printf", "#", "//"];

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What it does.
    pub kind: Kind,
    /// Its words.
    pub words: String,
    /// Line, from 1.
    pub line: u32,
}

/// Every such command of a text.
pub fn find(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    let mut held = String::new();
    for (line, number) in text.lines().zip(1_u32..) {
        if let Some(more) = line.strip_suffix('\\') {
            held.push_str(more);
            held.push(' ');
            continue;
        }
        held.push_str(line);
        for part in held.split([';', '|', '&', '`', '(', ')']) {
            let words: Vec<String> =
                part.split([' ', '\t', ',', '[', ']', '{', '}']).map(plain).filter(|word| !word.is_empty()).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).take_while(|word| !word.starts_with('#')).collect();
            let shows =
                words.iter().find(|word| !matches!(**word, "-" | "run:")).is_some_and(|word| SHOWS.contains(word));
            if let Some(kind) = kind(&words).filter(|_| !shows) {
                found.push(Command { kind, words: words.join(" ").chars().take(200).collect(), line: number });
            }
        }
        held.clear();
    }
    found
}

fn plain(word: &str) -> String {
    word.chars().filter(|letter| !matches!(letter, '"' | '\'' | '\\')).collect()
}

fn kind(words: &[&str]) -> Option<Kind> {
    words.iter().enumerate().find_map(|(at, word)| {
        let rest = words.get(at.saturating_add(1)..).unwrap_or_default();
        match word.rsplit('/').next().unwrap_or(word) {
            _ if is_binary(word) => own(rest),
            "git" if rest.contains(&"tag") && rest.iter().any(|word| word.contains("v2-lock-")) => Some(Kind::Tag),
            "git" if rest.contains(&"push") && rest.iter().any(|word| word.contains("v2-lock-")) => Some(Kind::Tag),
            "ssh-keygen" if rest.contains(&"sign") && rest.iter().any(|word| word.ends_with("@agenttrader")) => {
                Some(Kind::Approve)
            }
            "gh" if rest.contains(&"review") && rest.iter().any(|word| matches!(*word, "--approve" | "-a")) => {
                Some(Kind::Approve)
            }
            "tee" | "cp" | "mv" | "install" if rest.iter().any(|word| is_of_keys(word)) => Some(Kind::Enrol),
            ">" | ">>" if rest.first().is_some_and(|word| is_of_keys(word)) => Some(Kind::Enrol),
            redirected if redirected.starts_with('>') && is_of_keys(redirected) => Some(Kind::Enrol),
            _ => None,
        }
    })
}

/// The words of our own binary's command: flags may stand between, and some take the next word.
fn own(rest: &[&str]) -> Option<Kind> {
    let mut words = Vec::new();
    let mut left = rest.iter();
    while let Some(word) = left.next() {
        match *word {
            "--data-dir" | "--config" | "--log-format" | "--bind" | "--port-base" => drop(left.next()),
            "--help" | "-h" | "--version" => return None,
            flag if flag.starts_with('-') => {}
            word => words.push(word),
        }
    }
    OWN.iter().find(|(command, _)| words.starts_with(command)).map(|(_, kind)| *kind)
}

fn is_of_keys(word: &str) -> bool {
    ["allowed_signers", "authorized_keys", "ops/trust/"].iter().any(|part| word.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_for_people_are_found_in_several_forms() {
        for (text, kind) in [
            ("agenttrader unlock approve --principal olga --key k", Kind::Approve),
            ("set -e\n/usr/bin/agenttrader --data-dir d approve 0f8e", Kind::Approve),
            ("agenttrader \\\n  lock \\\n  tag --principal x", Kind::Tag),
            ("  - run: agenttrader lock tag", Kind::Tag),
            ("command: [\"agenttrader\", \"lock\", \"sign\"]", Kind::Approve),
            ("true && agenttrader lo\"\"ck init --operator a=b", Kind::Enrol),
            ("git tag -s v2-lock-20261201-1200", Kind::Tag),
            ("ssh-keygen -Y sign -n unlock-operator@agenttrader -f k x", Kind::Approve),
            ("cat new.pub >> ops/trust/allowed_signers", Kind::Enrol),
            ("cp new ~/.ssh/authorized_keys", Kind::Enrol),
            ("gh pr review --approve 7", Kind::Approve),
            ("agenttrader resume --agent a", Kind::KillSwitch),
        ] {
            let found: Vec<_> = find(text).into_iter().map(|found| found.kind).collect();
            assert_eq!(found, [kind], "{text}");
        }
    }

    #[test]
    fn what_agents_may_run_and_what_is_only_shown_is_no_such_command() {
        for text in [
            "agenttrader halt --reason drill",
            "agenttrader lock validate --static",
            "agenttrader unlock verify",
            "agenttrader lock tag --help",
            "# agenttrader lock tag",
            "echo agenttrader approve",
            "git tag v1.2.3",
            "cat ops/trust/allowed_signers",
            "ssh-keygen -Y verify -n unlock-operator@agenttrader",
            "agenttrader policy check --actor a",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }
}
