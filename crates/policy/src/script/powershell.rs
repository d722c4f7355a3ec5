//! PowerShell's commands as a shell would read them, line for line: for what they run. What they set is read by the tokens.

/// Whether a script is in it, by its name.
pub fn is_powershell(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".ps1", ".psm1"].iter().any(|ending| name.ends_with(ending))
}

/// Variables as assignments, commands as commands, what writes to the screen as `echo`.
pub fn as_shell(text: &str) -> String {
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
    if line.get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("write-")) {
        return format!("echo {line}{end}");
    }
    format!("{line}{end}")
}

#[cfg(test)]
mod tests {
    use super::as_shell;

    #[test]
    fn commands_and_variables_read_as_a_shells() {
        for (text, shell) in [
            ("$name = \"a\"\n& kubectl get $name", "name=\"a\"\nkubectl get $name"),
            ("kubectl get `\n  pods", "kubectl get \\\npods"),
            ("$x = kubectl get pods", "x=$(kubectl get pods)"),
            ("Write-Host \"no\"", "echo Write-Host \"no\""),
            ("<# kubectl\nget #>\npwd", "\n\npwd"),
        ] {
            assert_eq!(as_shell(text).trim_end_matches('\n'), shell, "{text}");
        }
    }
}
