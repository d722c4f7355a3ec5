//! Whether a text that a shell may run starts our binary's `execution` subcommand.

use crate::values::Values;

/// Global flags of the binary that take the next word.
const FLAGS: [&str; 5] = ["--data-dir", "--config", "--log-format", "--bind", "--port-base"];

/// Whether a word is our binary, by whatever path.
pub fn is_binary(word: &str) -> bool {
    word.rsplit('/').next() == Some("agenttrader")
}

/// Whether a word is nothing but a variable's value.
pub fn is_variable(word: &str) -> bool {
    word.starts_with('$') && !word.contains(char::is_whitespace)
}

/// Stands for a word that the container's environment gives and nobody knows.
const UNKNOWN: &str = "\u{1}";

/// Words before a command that run it.
const BEFORE: [&str; 8] = ["exec", "env", "nohup", "time", "sudo", "command", "then", "do"];

/// Whether a script's text runs `agenttrader … execution`, or may: what the container's environment gives is looked up.
pub fn starts_execution(text: &str, variable: &dyn Fn(&str) -> Values) -> bool {
    let joined = text.replace("\\\n", " ");
    joined.split(['\n', ';', '|', '&', '(', ')', '`']).any(|command| {
        let words: Vec<String> =
            command.split_whitespace().flat_map(|word| expanded(&unquoted(word), variable)).collect();
        let words = words.split(|word| word.starts_with('#')).next().unwrap_or_default();
        let begins = words.iter().find(|word| !BEFORE.contains(&word.as_str()) && !word.contains('='));
        let binaries = words.iter().enumerate().filter(|(_, word)| is_binary(word));
        begins.is_some_and(|word| word == UNKNOWN)
            || binaries.into_iter().any(|(at, _)| runs_execution(words.get(at.saturating_add(1)..).unwrap_or_default()))
    })
}

/// Whether the first word that is no flag of the binary is `execution`, or may be: of a flag that is not known the next word may be
/// the value.
fn runs_execution(words: &[String]) -> bool {
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if FLAGS.contains(&word.as_str()) {
            words.next();
        } else if word.starts_with("--") && !word.contains('=') {
            let mut ahead = words.clone();
            let value = ahead.next_if(|next| !next.starts_with('-') && *next != "execution");
            if value.is_some() && ahead.peek().is_some_and(|next| *next == "execution") {
                return true;
            }
        } else if !word.starts_with('-') {
            return word == "execution" || word == UNKNOWN || word.contains('$');
        }
    }
    false
}

/// The words that a word is after expansion.
fn expanded(word: &str, variable: &dyn Fn(&str) -> Values) -> Vec<String> {
    let Some(value) = value(word, variable) else { return vec![word.to_owned()] };
    match value.only() {
        Some(text) => text.split_whitespace().map(str::to_owned).collect(),
        None => vec![UNKNOWN.to_owned()],
    }
}

/// What a word like `$X` or `${X}` is, where the container's environment sets it.
fn value(word: &str, variable: &dyn Fn(&str) -> Values) -> Option<Values> {
    let name = word.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(name);
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = plain.then(|| variable(name))?;
    (!value.is_absent()).then_some(value)
}

/// A word as the shell sees it: `exec""ution` and `exe\cution` are one word.
pub fn unquoted(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> bool {
        starts_execution(text, &|name| match name {
            "SUB" => Values::known("execution"),
            "BIN" => Values::known("/bin/agenttrader"),
            "ALL" => Values::known("/bin/agenttrader execution"),
            "SAFE" => Values::known("strategy"),
            "SECRET" => Values::unknown("a secret"),
            _ => Values::default(),
        })
    }

    #[test]
    fn the_subcommand_is_found_however_it_is_spelled() {
        for text in [
            "agenttrader execution",
            "exec /usr/bin/agenttrader --config x.toml execution",
            "cd /x && agenttrader --json execution",
            "agenttrader exec\"\"ution",
            "agenttrader \\\n  execution",
            "set -e\nagenttrader $SUB",
            "agenttrader ${SUB} --x",
            "agenttrader $SECRET",
            "X=execu\nagenttrader ${X}tion",
            "$BIN execution",
            "$SECRET --now",
            "exec $ALL",
            "agenttrader $UNSET",
            "agenttrader --log json execution",
        ] {
            assert!(runs(text), "{text}");
        }
    }

    #[test]
    fn other_subcommands_and_words_are_not_it() {
        for text in [
            "agenttrader strategy execution.toml",
            "agenttrader --config execution strategy",
            "echo execution",
            "# agenttrader execution",
            "agenttrader $SAFE",
            "agenttrader --data-dir $DIR strategy",
            "agenttrader strategy; echo execution",
            "execution",
            "$SAFE execution",
            "curl -H $SECRET http://x",
            "if true; then $UNSET; fi",
        ] {
            assert!(!runs(text), "{text}");
        }
    }
}
