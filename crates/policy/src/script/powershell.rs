//! PowerShell's commands as a shell would read them, line for line: for what they run. What they set is read by the tokens.

use super::program;
use super::runner::Runner;
use crate::found::Found;

/// Reads a script.
pub(super) fn read(text: &str, depth: usize) -> Found {
    let text = plain(text);
    let mut found = program::read(&text, depth);
    let mut runner = Runner::default();
    runner.script(&as_shell(&text), 1, depth);
    found.orders.extend(runner.found.orders);
    found.sorted()
}

/// Whether a script is in it, by its name.
pub fn is_powershell(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".ps1", ".psm1"].iter().any(|ending| name.ends_with(ending))
}

/// Variables as assignments, commands as commands, what writes to the screen as `echo`.
fn as_shell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut comment = false;
    for line in text.lines() {
        let line = line.trim();
        comment |= line.starts_with("<#");
        if !comment {
            out.push_str(&statement(line));
        }
        comment &= !line.contains("#>");
        out.push('\n');
    }
    out
}

/// The script without its comments of several lines, with names of environment variables in capitals, and with what a cmdlet puts
/// into the environment as an assignment.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<#") {
        let (inside, after) = comment.split_once("#>").unwrap_or((comment, ""));
        out.push_str(before);
        out.extend(inside.matches('\n'));
        rest = after;
    }
    out.push_str(rest);
    out.lines().map(|line| format!("{}\n", environment(&put(line)))).collect()
}

/// `$env:name` as `$env:NAME`: names of variables know no case there.
fn environment(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut out = String::with_capacity(line.len());
    let mut done = 0_usize;
    for (at, mark) in lower.match_indices("env:") {
        let from = at.saturating_add(mark.len());
        let name = line.get(from..).unwrap_or_default();
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
        out.push_str(line.get(done..from).unwrap_or_default());
        out.push_str(&name.get(..end).unwrap_or_default().to_ascii_uppercase());
        done = from.saturating_add(end);
    }
    out.push_str(line.get(done..).unwrap_or_default());
    out
}

/// `Set-Item -Path Env:NAME -Value x` as `$env:NAME = x`.
fn put(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((verb, rest)) = words.split_first() else { return line.to_owned() };
    let puts = ["set-item", "new-item", "set-content", "si", "ni"];
    if !puts.contains(&verb.to_ascii_lowercase().as_str()) {
        return line.to_owned();
    }
    let mut own = rest.iter().filter(|word| !word.starts_with('-')).map(|word| word.trim_matches(['"', '\'']));
    let named = own.next().and_then(|path| path.get(..4).zip(path.get(4..)));
    let name = named.filter(|(drive, _)| drive.eq_ignore_ascii_case("env:")).map(|(_, name)| name);
    match (name.map(|name| name.trim_start_matches(['\\', '/'])), own.next()) {
        (Some(name), Some(value)) if value.starts_with('$') => format!("$env:{name} = {value}"),
        (Some(name), Some(value)) => format!("$env:{name} = \"{value}\""),
        _ => line.to_owned(),
    }
}

fn statement(line: &str) -> String {
    let (line, end) = line.strip_suffix('`').map_or((line, ""), |line| (line, "\\"));
    let line = line.strip_prefix("& ").unwrap_or(line);
    let given = line.strip_prefix('$').and_then(|line| line.split_once('='));
    let given = given.map(|(name, value)| (name.trim(), value.trim()));
    if let Some((name, value)) = given.filter(|(name, _)| super::syntax::is_name(name)) {
        let is_text = value.starts_with(['"', '\'']);
        let value = value.strip_prefix("& ").unwrap_or(value);
        return if is_text { format!("{name}={value}{end}") } else { format!("{name}=$({value}){end}") };
    }
    let started = line.split_once(' ').filter(|(verb, _)| verb.eq_ignore_ascii_case("start-process"));
    if let Some((_, rest)) = started {
        let words: Vec<&str> = rest
            .split([' ', ','])
            .map(|word| word.trim_matches(['"', '\'', '@', '(', ')']))
            .filter(|word| !word.is_empty() && !is_flag(word))
            .collect();
        return format!("{}{end}", words.join(" "));
    }
    if line.get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("write-")) {
        return format!("echo {line}{end}");
    }
    format!("{line}{end}")
}

/// A flag of the cmdlet itself, which the program never sees.
fn is_flag(word: &str) -> bool {
    ["-filepath", "-argumentlist", "-args", "-wait", "-nonewwindow", "-passthru"]
        .contains(&word.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{as_shell, plain};

    #[test]
    fn the_environment_is_one_whatever_sets_it() {
        for (text, expected) in [
            ("$Env:agent_mode = \"a\"", "$Env:AGENT_MODE = \"a\""),
            ("Set-Item -Path Env:A -Value b", "$env:A = \"b\""),
            ("si 'env:\\A' $b", "$env:A = $b"),
            ("Set-Item -Path x -Value b", "Set-Item -Path x -Value b"),
            ("a <# b\nc #> d", "a \n d"),
            ("<#", ""),
        ] {
            assert_eq!(plain(text).trim_end_matches('\n'), expected, "{text}");
        }
    }

    #[test]
    fn commands_and_variables_read_as_a_shells() {
        for (text, shell) in [
            ("$name = \"a\"\n& kubectl get $name", "name=\"a\"\nkubectl get $name"),
            ("kubectl get `\n  pods", "kubectl get \\\npods"),
            ("$x = kubectl get pods", "x=$(kubectl get pods)"),
            ("Start-Process kubectl -ArgumentList \"get\",\"pods\"", "kubectl get pods"),
            ("Write-Host \"no\"", "echo Write-Host \"no\""),
            ("<# kubectl\nget #>\npwd", "\n\npwd"),
        ] {
            assert_eq!(as_shell(text).trim_end_matches('\n'), shell, "{text}");
        }
    }
}
