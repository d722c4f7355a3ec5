//! Batch files of Windows, as a shell would read them: line for line, so that lines stay what they are.
//!
//! Every word is quoted again, so that what is a mark to a shell and none to `cmd` (an apostrophe, a backslash, a dollar) stays a
//! letter. Conditions are left out: whatever they choose counts. Names of variables know no case.

/// Whether a file is one, by its name.
pub fn is_batch(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".bat", ".cmd"].iter().any(|ending| name.ends_with(ending))
}

/// Commands as commands, `set` as an export, `%NAME%` and `!NAME!` as `${NAME}`.
pub fn as_shell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut joined = line.trim_end().to_owned();
        let mut below = 0_usize;
        // A caret at the end of a line continues it.
        while joined.ends_with('^') {
            joined.pop();
            below = below.saturating_add(1);
            let Some(next) = lines.next() else { break };
            joined.push_str(next.trim_end());
        }
        out.push_str(&statement(&joined, 0));
        out.extend(std::iter::repeat_n('\n', below.saturating_add(1)));
    }
    out
}

/// Words that stand before a command and change nothing that counts.
const BEFORE: [&str; 6] = ["call", "start", "@call", "do", "else", "("];

/// How many commands deep a line is read; deeper ones are words.
const DEPTH_MOST: usize = 16;

fn statement(line: &str, depth: usize) -> String {
    let deeper = depth.saturating_add(1);
    let line = line.trim_start_matches(['@', '(', ')', ' ', '\t']);
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let first = first.to_ascii_lowercase();
    let rest = rest.trim();
    match first.as_str() {
        _ if line.is_empty() || line.starts_with(':') => String::new(),
        _ if depth > DEPTH_MOST => command(line),
        "rem" | "goto" => String::new(),
        "set" => set(rest, deeper),
        "setx" => {
            let mut words = words(rest).into_iter();
            let name = words.next().unwrap_or_default();
            export(&name, &words.next().unwrap_or_default())
        }
        "if" => conditional(rest, deeper),
        "for" => looped(rest, deeper),
        "cmd" | "cmd.exe" => {
            let command = rest.split_once(char::is_whitespace).filter(|(flag, _)| flag.starts_with('/'));
            command.map_or_else(String::new, |(_, command)| statement(command.trim_matches('"'), deeper))
        }
        first if BEFORE.contains(&first) => statement(rest, deeper),
        _ => command(line),
    }
}

/// `NAME=value`, `"NAME=value"`; what is asked for or computed is decided when it runs.
fn set(rest: &str, depth: usize) -> String {
    let asked = rest.get(..2).is_some_and(|flag| flag.eq_ignore_ascii_case("/p") || flag.eq_ignore_ascii_case("/a"));
    let rest = if asked { rest.get(2..).unwrap_or_default().trim() } else { rest };
    // Behind the quotes, and behind a mark, the next command begins.
    let (own, behind) = match rest.strip_prefix('"') {
        Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
        None => rest.find(['&', '|']).map_or((rest, ""), |at| rest.split_at(at)),
    };
    let Some((name, value)) = own.split_once('=') else { return String::new() };
    let set = if asked { format!("read -r {}", name.trim()) } else { export(name.trim(), value) };
    let next = behind.trim_start_matches(['&', '|', ' ', ')']);
    if next.is_empty() { set } else { format!("{set}; {}", statement(next, depth)) }
}

fn export(name: &str, value: &str) -> String {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || !is_name {
        return String::new();
    }
    format!("export {}={}", name.to_ascii_uppercase(), quoted(value))
}

/// `[/i] [not] A==B command`, `exist FILE command`, `defined NAME command`, `errorlevel N command`.
fn conditional(rest: &str, depth: usize) -> String {
    let mut rest = rest;
    loop {
        let (word, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        match word.to_ascii_lowercase().as_str() {
            "/i" | "not" => rest = behind.trim_start(),
            "exist" | "defined" | "errorlevel" => {
                let (_, command) = word_and_rest(behind.trim_start());
                return statement(command, depth);
            }
            _ => break,
        }
    }
    let (left, behind) = word_and_rest(rest);
    // `A==B`, `A == B`, `A equ B`.
    let command = if left.contains("==") && !left.ends_with("==") {
        behind
    } else {
        let (_, behind) = if left.ends_with("==") { ("", behind) } else { word_and_rest(behind) };
        word_and_rest(behind).1
    };
    statement(command, depth)
}

/// `%%i in (a b) do command`: what a list spells out is gone through.
fn looped(rest: &str, depth: usize) -> String {
    let Some(at) = rest.to_ascii_lowercase().find(" do ") else { return String::new() };
    let (head, command) = rest.split_at(at);
    let command = statement(command.get(" do ".len()..).unwrap_or_default(), depth);
    let letter = head.split("%%").nth(1).and_then(|name| name.chars().next()).filter(char::is_ascii_alphabetic);
    let list = head.split_once('(').filter(|(before, _)| !before.trim_start().starts_with('/'));
    match (letter, list) {
        (Some(letter), Some((_, list))) if !command.is_empty() => {
            let list: Vec<String> = words(list.trim_end_matches([' ', ')'])).iter().map(|word| quoted(word)).collect();
            format!("for LOOP_{letter} in {}; do {command}; done", list.join(" "))
        }
        _ => command,
    }
}

/// A word, with its quotes, and what follows it.
fn word_and_rest(text: &str) -> (&str, &str) {
    let mut inside = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => inside = !inside,
            c if c.is_whitespace() && !inside => {
                let (word, rest) = text.split_at(at);
                return (word, rest.trim_start());
            }
            _ => {}
        }
    }
    (text, "")
}

/// A command's words, quoted; `&`, `|` and `>` between them.
fn command(line: &str) -> String {
    let mut out = Vec::new();
    for word in words(line) {
        match word.as_str() {
            "&" | "&&" | "||" => out.push(";".to_owned()),
            "|" | ">" | ">>" | "<" => out.push(word),
            "(" | ")" => {}
            _ => out.push(quoted(word.trim_end_matches(')'))),
        }
    }
    out.join(" ")
}

/// The words of a line, without their quotes; a caret before a mark makes it a letter.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut any, mut inside) = (Vec::new(), String::new(), false, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                inside = !inside;
                any = true;
            }
            '^' if !inside => word.extend(chars.next()),
            c if c.is_whitespace() && !inside => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            // `2>&1`: a copy of a handle, and no file.
            '<' | '>' if !inside && chars.next_if_eq(&'&').is_some() => {
                while chars.next_if(char::is_ascii_digit).is_some() {}
                let is_handle = !any && word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_digit());
                if any || !(word.is_empty() || is_handle) {
                    words.push(word.clone());
                }
                word.clear();
                any = false;
            }
            '&' | '|' | '<' | '>' if !inside => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
                let doubled = chars.next_if_eq(&c);
                words.push(std::iter::once(c).chain(doubled).collect());
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words
}

/// A text in a shell's double quotes, with its variables.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        if let Some((name, after)) = variable(c, behind) {
            out.push_str(&format!("${{{name}}}"));
            rest = after;
            continue;
        }
        match c {
            // A path's mark.
            '\\' => out.push('/'),
            '"' | '$' | '`' => out.extend(['\\', c]),
            c => out.push(c),
        }
        rest = behind;
    }
    out.push('"');
    out
}

/// `NAME%` behind `%`, `NAME!` behind `!`; `%i` of a loop and a number are names too.
fn variable(mark: char, behind: &str) -> Option<(String, &str)> {
    if !matches!(mark, '%' | '!') {
        return None;
    }
    let looped = behind.strip_prefix('%').filter(|_| mark == '%');
    if let Some(letter) = looped.and_then(|rest| rest.trim_start_matches('~').chars().next()) {
        let rest = behind.trim_start_matches(['%', '~']).get(letter.len_utf8()..).unwrap_or_default();
        return letter.is_ascii_alphabetic().then(|| (format!("LOOP_{letter}"), rest));
    }
    if let Some(number) = behind.trim_start_matches('~').chars().next().filter(|c| mark == '%' && c.is_ascii_digit()) {
        return Some((number.to_string(), behind.trim_start_matches('~').get(1..).unwrap_or_default()));
    }
    let (name, after) = behind.split_once(mark)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name.to_ascii_uppercase(), after))
}

#[cfg(test)]
mod tests {
    use super::as_shell;

    #[test]
    fn commands_and_variables_read_as_a_shells() {
        for (batch, shell) in [
            ("@echo off\r\nrem set A=b\r\n:: set A=b", "\"echo\" \"off\""),
            ("set A=b c", "export A=\"b c\""),
            ("SET \"a=%b%\"", "export A=\"${B}\""),
            ("setx A \"b c\" /M", "export A=\"b c\""),
            ("set /p A=Which? ", "read -r A"),
            ("set A=b& kubectl get !a!", "export A=\"b\"; \"kubectl\" \"get\" \"${A}\""),
            ("kubectl ^\r\n get pods", "\"kubectl\" \"get\" \"pods\""),
            ("if not \"%A%\"==\"b c\" (call kubectl get pods)", "\"kubectl\" \"get\" \"pods\""),
            ("if exist \"a b\" kubectl get pods", "\"kubectl\" \"get\" \"pods\""),
            ("if %A% EQU b kubectl get pods", "\"kubectl\" \"get\" \"pods\""),
            (
                "for %%i in (a b) do kubectl get %%i",
                "for LOOP_i in \"a\" \"b\"; do \"kubectl\" \"get\" \"${LOOP_i}\"; done",
            ),
            ("for /f %%i in ('a') do kubectl get pods", "\"kubectl\" \"get\" \"pods\""),
            ("cmd /c \"kubectl get pods\"", "\"kubectl\" \"get\" \"pods\""),
            ("C:\\bin\\kubectl.exe get pods", "\"C:/bin/kubectl.exe\" \"get\" \"pods\""),
            ("echo A=b is refused 1>&2", "\"echo\" \"A=b\" \"is\" \"refused\""),
            ("kubectl get \"2\">&1", "\"kubectl\" \"get\" \"2\""),
            ("echo a>&2 b> c", "\"echo\" \"a\" \"b\" > \"c\""),
            ("echo don't pay $5 `now`", "\"echo\" \"don't\" \"pay\" \"\\$5\" \"\\`now\\`\""),
        ] {
            assert_eq!(as_shell(batch).trim_end_matches('\n'), shell, "{batch}");
        }
    }

    #[test]
    fn lines_stay_what_they_are() {
        assert_eq!(as_shell("kubectl ^\n get pods\nset A=b"), "\"kubectl\" \"get\" \"pods\"\n\nexport A=\"b\"\n");
        for odd in ["%", "!", "^", "\"", "if", "if not", "set", "set \"", "%%", "%~", "for", "cmd /c", "%%~é", "if a b"]
        {
            as_shell(odd);
        }
        for deep in ["if a==b ", "call ", "set a=b&", "for %%a in (b) do "] {
            assert!(as_shell(&format!("{}kubectl get pods", deep.repeat(20_000))).contains("kubectl"));
        }
    }
}
