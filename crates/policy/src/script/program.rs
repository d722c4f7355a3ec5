//! Scripts in other languages, read by their tokens: strings, names, marks; comments are left out.
//!
//! Understood are a watched key that is given a value (`environ["AGENT_MODE"] = x`, `{"AGENT_MODE": x}`,
//! `setenv("AGENT_MODE", x)`, `AGENT_MODE = x`), the arguments and texts handed to a shell, and the switch opened for writing.

use super::runner::{Place, Runner, is_switch};
use super::tokens::{CALL_MOST, Constants, Kind, Token, constants, is_end, settle, tokens};
use super::{clients, plans};
use crate::found::{Effect, Found, Key, Said};
use crate::hole::HOLE;
use crate::scan::{self, said};

/// Calls that run what they are given.
const RUNS: [&str; 28] = [
    "Command",
    "split",
    "system",
    "popen",
    "run",
    "call",
    "check_call",
    "check_output",
    "Popen",
    "getoutput",
    "exec",
    "execSync",
    "execFile",
    "execFileSync",
    "spawn",
    "spawnSync",
    "execvp",
    "execv",
    "sh",
    "create_subprocess_exec",
    "create_subprocess_shell",
    "capture2",
    "capture2e",
    "capture3",
    "execute",
    "shell_exec",
    "passthru",
    "proc_open",
];
/// Tokens before a key that are looked at for what it stands in; of what begins before them nothing is known.
const LOOKED_BACK: usize = 512;

/// What takes a variable out of the environment.
const TAKES: [&str; 6] = ["pop", "unsetenv", "Unsetenv", "remove_var", "del", "delete"];
/// Calls that put a variable into the environment.
const PUTS: [&str; 11] = [
    "put",
    "put_env",
    "store",
    "putenv",
    "setenv",
    "set_var",
    "setdefault",
    "setEnvironmentVariable",
    "SetEnvironmentVariable",
    "Setenv",
    "env",
];

/// Reads a program.
pub(super) fn read(text: &str, depth: usize) -> Found {
    let first = tokens(text, &Constants::new());
    let constants = constants(&first);
    let mut tokens = if constants.is_empty() { first } else { tokens(text, &constants) };
    settle(&mut tokens, &constants);
    let mut runner = Runner::default();
    let elsewhere = clients::replicas(&tokens);
    let paths = paths(&tokens);
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at..).unwrap_or_default();
        let before = tokens.get(..at).unwrap_or_default();
        let opened = token.kind == Kind::Name && paths.contains(&token.text.as_str());
        if opened && writes(rest) && !rest.get(1).is_some_and(|next| next.is("=")) {
            writes_switch(&mut runner, token, rest);
        }
        named(&mut runner, token, before, rest);
        match token.kind {
            Kind::Text => text_token(&mut runner, token, before, rest),
            Kind::Name => {
                name_token(&mut runner, token, before, rest, depth, &constants);
                plans::read(&mut runner, rest);
                plans::variable(&mut runner, rest);
                plans::image(&mut runner, rest);
                clients::read(&mut runner, rest, elsewhere, &constants);
            }
            Kind::Mark => {
                if token.is("[") && !before.last().is_some_and(|token| token.kind != Kind::Mark) {
                    list(&mut runner, rest, depth, &constants);
                }
            }
        }
    }
    runner.found.sorted()
}

/// `name = "AGENT_MODE"` beside `value = …`: how plans and clients write a variable of a container.
fn named(runner: &mut Runner, token: &Token, before: &[Token], rest: &[Token]) {
    const BESIDE: usize = 8;
    let is_name = token.kind != Kind::Mark && matches!(token.text.as_str(), "name" | "Name" | "key" | "variable");
    let key = rest.get(2).filter(|key| key.is_text() && rest.get(1).is_some_and(|mark| mark.is("=") || mark.is(":")));
    let Some(spelled) = key.filter(|_| is_name).map(|key| key.text.as_str()) else { return };
    let Some(key) = Key::of_configuration(spelled) else { return };
    let is_value = |token: &Token| token.kind != Kind::Mark && matches!(token.text.as_str(), "value" | "Value");
    let ends = |token: &&Token| !(token.is("}") || token.is("{"));
    let behind = rest.iter().skip(3).take(BESIDE).take_while(ends).position(is_value);
    let behind = behind.and_then(|at| rest.get(at.saturating_add(4)..));
    let ahead = || {
        let back = before.iter().rev().take(BESIDE).take_while(ends).position(is_value)?;
        before.get(before.len().checked_sub(back)?..)
    };
    let value = behind.or_else(ahead).and_then(|value| given(value, false));
    // Others use the configuration's spellings for something else.
    let counts = |value: &Said| Key::of_variable(spelled).is_some() || value.known() == Some("EXECUTE");
    if let Some(value) = value.filter(counts) {
        runner.found.assign(key, key.name(), value, false, token.line);
    }
}

/// The names that are given the switch's path: `PATH = Path("…/EXECUTION_HALTED")`.
fn paths(tokens: &[Token]) -> Vec<&str> {
    let is_path = |token: &Token| token.kind == Kind::Text && is_switch(&token.text) && token.text.contains('/');
    let lines: Vec<u32> = tokens.iter().filter(|token| is_path(token)).map(|token| token.line).collect();
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let given =
        pairs.filter(|(name, mark)| name.kind == Kind::Name && mark.is("=") && lines.binary_search(&name.line).is_ok());
    given.map(|(name, _)| name.text.as_str()).take(16).collect()
}

/// Notes that the switch is written where a token names it.
fn writes_switch(runner: &mut Runner, token: &Token, rest: &[Token]) {
    let near = rest.iter().skip(1).take(24).skip_while(|token| !is_write(token));
    let value = near.into_iter().find(|token| token.kind == Kind::Text && !is_open_mode(&token.text));
    let unknown = || Said::Unknown("what is written there".to_owned());
    let value = value.map_or_else(unknown, |token| said(token.text.trim_end()));
    let place = Place { line: token.line, ..Place::default() };
    runner.order(Effect::WriteSwitch(value), "", std::slice::from_ref(&token.text), &place);
}

/// A string: a watched key in it may be given a value by what stands around; the switch's path may be opened for writing.
fn text_token(runner: &mut Runner, token: &Token, before: &[Token], rest: &[Token]) {
    if let Some(key) = Key::of_variable(&token.text) {
        let put = before.last().is_some_and(|t| t.is("("))
            && before.iter().rev().nth(1).is_some_and(|t| t.kind == Kind::Name && PUTS.contains(&t.text.as_str()));
        if !is_compared(before)
            && !is_type(before)
            && !is_arm(before, rest)
            && let Some(value) = given(rest.get(1..).unwrap_or_default(), put)
        {
            runner.found.assign(key, token.text.as_str(), value, false, token.line);
        }
    }
    if token.text.contains('=') && !token.text.contains(' ') {
        // `["env", "AGENT_MODE=EXECUTE"]` is an argument, `print("AGENT_MODE=EXECUTE")` is none.
        let in_list = before.last().is_some_and(|t| t.is("[") || t.is(","))
            && rest.get(1).is_some_and(|t| t.is(",") || t.is("]"));
        for hit in scan::assignments(&token.text).into_iter().filter(|_| in_list) {
            runner.found.assign(hit.key, hit.spelled, hit.value, false, token.line);
        }
    }
    // `(d / "LATCH").unlink()`, `os.remove("…/LATCH")`.
    let removes =
        |t: &Token| t.kind == Kind::Name && matches!(t.text.as_str(), "unlink" | "remove" | "unlinkSync" | "rmSync");
    let around = before.iter().rev().take(6).chain(rest.iter().take(6)).filter(|t| t.line == token.line);
    if super::commands::base(&token.text) == "LATCH" && around.into_iter().any(removes) {
        let place = Place { line: token.line, ..Place::default() };
        runner.order(Effect::RemoveLatch, "", std::slice::from_ref(&token.text), &place);
    }
    // `environ.pop("EXECUTION_HALTED")`, `del environ["EXECUTION_HALTED"]`.
    let taken = Key::of_variable(&token.text).filter(|key| *key != Key::AgentMode);
    let near = before.iter().rev().take(6).take_while(|t| t.line == token.line);
    if let Some(key) =
        taken.filter(|_| near.into_iter().any(|t| t.kind == Kind::Name && TAKES.contains(&t.text.as_str())))
    {
        runner.found.assign(key, token.text.as_str(), Said::Known(String::new()), false, token.line);
    }
    // `"/d/kill-switch/EXECUTION_HALTED"`, `d / "EXECUTION_HALTED"`, `environ["EXECUTION_HALTED_FILE"]`.
    let joined = before.last().is_some_and(|t| t.is("/") || t.is(","));
    let is_path = is_switch(&token.text) && (token.text.contains('/') || joined);
    if (is_path || token.text == Key::ExecutionHaltedFile.name()) && writes(rest) {
        writes_switch(runner, token, rest);
    }
}

/// Whether the text that follows is one that something is compared with: `x == "KEY":`, `case "KEY":`, `for x in ["KEY"]:`. The colon behind
/// it opens what is done then.
fn is_compared(before: &[Token]) -> bool {
    let is_comparison = |token: &Token| {
        ["==", "===", "!=", "!=="].iter().any(|mark| token.is(mark))
            || (token.kind == Kind::Name && matches!(token.text.as_str(), "case" | "in" | "is" | "not" | "when"))
    };
    // Others of a list may stand before it.
    let mut list =
        before.iter().rev().take(LOOKED_BACK).skip_while(|token| token.is_text() || token.is(",") || token.is("|"));
    let opened = list.clone().next().is_some_and(|token| token.is("["));
    before.last().is_some_and(is_comparison) || list.nth(usize::from(opened)).is_some_and(is_comparison)
}

/// Whether what stands here is a member of a declared type: `interface Env { KEY: string }`, `type Env = { KEY: string }`.
fn is_type(before: &[Token]) -> bool {
    let declared = opening(before).and_then(|at| before.get(at.saturating_sub(6)..at)).unwrap_or_default();
    match declared {
        [.., word, name, mark] if is_word(word, "type") && mark.is("=") => name.kind == Kind::Name,
        _ => {
            let named = declared.iter().rev().take_while(|token| token.kind == Kind::Name || token.is(","));
            named.into_iter().any(|token| is_word(token, "interface"))
        }
    }
}

/// Whether what stands here is a pattern: `match name { "KEY" => … }`.
fn is_arm(before: &[Token], rest: &[Token]) -> bool {
    let matched = opening(before).and_then(|at| before.get(at.saturating_sub(12)..at)).unwrap_or_default();
    let Some(at) = matched.iter().rposition(|token| is_word(token, "match")) else { return false };
    let is_call = at.checked_sub(1).and_then(|at| matched.get(at)).is_some_and(|token| token.is("."));
    let subject = matched.get(at.saturating_add(1)..).unwrap_or_default();
    let count = |mark: &str| subject.iter().filter(|token| token.is(mark)).count();
    let is_whole = count("(") == count(")") && [",", ";", "{", "}", "=>"].iter().all(|mark| count(mark) == 0);
    !is_call && is_whole && rest.get(1).is_some_and(|mark| mark.is("=>"))
}

/// Where the block begins that these tokens end in.
fn opening(before: &[Token]) -> Option<usize> {
    let mut closed = 0_usize;
    let from = before.len().saturating_sub(LOOKED_BACK);
    let at = before.get(from..)?.iter().rposition(|token| {
        if token.is("}") {
            closed = closed.saturating_add(1);
        } else if token.is("{") {
            if closed == 0 {
                return true;
            }
            closed = closed.saturating_sub(1);
        }
        false
    })?;
    from.checked_add(at)
}

fn is_word(token: &Token, word: &str) -> bool {
    token.kind == Kind::Name && token.text == word
}

fn is_open_mode(text: &str) -> bool {
    matches!(text, "w" | "a" | "x" | "r+" | "w+" | "wb" | "wt" | "ab")
}

fn is_write(token: &Token) -> bool {
    matches!(
        token.text.as_str(),
        "write"
            | "write_text"
            | "write_bytes"
            | "writeFileSync"
            | "writeFile"
            | "w"
            | "a"
            | "r+"
            | "w+"
            | "wb"
            | "wt"
            | ","
    )
}

/// Whether a path that stands here is opened to be written, in the same statement.
fn writes(rest: &[Token]) -> bool {
    let line = rest.first().map_or(0, |token| token.line);
    rest.iter().skip(1).take_while(|token| token.line <= line.saturating_add(1)).take(24).any(|token| {
        (token.kind == Kind::Text && is_open_mode(&token.text))
            || (token.kind == Kind::Name
                && matches!(
                    token.text.as_str(),
                    "write" | "write_text" | "write_bytes" | "writeFileSync" | "writeFile"
                ))
    })
}

/// A name: a watched key that is assigned, or a call that runs something.
fn name_token(
    runner: &mut Runner,
    token: &Token,
    before: &[Token],
    rest: &[Token],
    depth: usize,
    constants: &Constants,
) {
    if let Some(key) = Key::of_variable(&token.text)
        && !is_type(before)
        && let Some(value) = given(rest.get(1..).unwrap_or_default(), false)
    {
        runner.found.assign(key, token.text.as_str(), value, false, token.line);
    }
    // `set env(AGENT_MODE) "EXECUTE"`
    if let (Some(key), Some(value)) = (Key::of_variable(&token.text), rest.get(2))
        && rest.get(1).is_some_and(|t| t.is(")"))
        && value.is_text()
        && value.line == token.line
    {
        runner.found.assign(key, token.text.as_str(), said(&value.text), false, token.line);
    }
    if matches!(token.text.as_str(), "writeFileSync" | "writeFile") && rest.get(1).is_some_and(|t| t.is("(")) {
        let path = rest.get(2).filter(|t| t.kind == Kind::Text && is_switch(&t.text));
        if let (Some(path), Some(value)) = (path, rest.get(4)) {
            let value =
                if value.kind == Kind::Text { said(value.text.trim_end()) } else { Said::Unknown(value.text.clone()) };
            let place = Place { line: path.line, ..Place::default() };
            runner.order(Effect::WriteSwitch(value), "", std::slice::from_ref(&path.text), &place);
        }
    }
    if token.text == "Command" && rest.get(1).is_some_and(|t| t.is("::")) {
        // `Command::new("kubectl").args([…])`: every text of the statement.
        let statement = rest.iter().take(CALL_MOST).take_while(|t| !t.is(";"));
        let words: Vec<String> = statement.filter(|t| t.is_text()).map(|t| t.text.clone()).collect();
        runner.argv(&words, &Place { line: token.line, ..Place::default() });
    }
    if token.text == "open" && rest.get(1).is_some_and(|t| t.is("(")) {
        // `open(my $out, '-|', 'kubectl', …)`
        let piped = rest.iter().take(8).position(|t| t.is_text() && matches!(t.text.as_str(), "-|" | "|-"));
        let behind = piped.and_then(|at| rest.get(at.saturating_add(1)..)).unwrap_or_default();
        match words(behind, constants).as_slice() {
            [line] if line.contains(' ') && depth < 6 => runner.found.absorb(Runner::shell(line), token.line),
            words => runner.argv(words, &Place { line: token.line, ..Place::default() }),
        }
    }
    if RUNS.contains(&token.text.as_str()) && rest.get(1).is_some_and(|t| t.is("(") || t.kind == Kind::Text) {
        let first = rest.iter().skip(1).find(|t| !t.is("("));
        let line = first.and_then(|t| constants.get(&t.text)).filter(|text| text.contains(' '));
        if let Some(text) = line.filter(|_| depth < 6 && first.is_some_and(|t| t.kind == Kind::Name)) {
            runner.found.absorb(Runner::shell(text), token.line);
        } else if let Some(text) = first.filter(|t| t.kind == Kind::Text && t.text.contains(' ')) {
            if depth < 6 {
                runner.found.absorb(Runner::shell(&text.text), text.line);
            }
        } else if let Some(text) = first.filter(|t| t.kind == Kind::Text) {
            // `execFile("kubectl", ["scale", …])`
            let words = words(rest.get(2..).unwrap_or_default(), constants);
            runner.argv(&words, &Place { line: text.line, ..Place::default() });
        }
    }
}

/// `["kubectl", "scale", …]`.
fn list(runner: &mut Runner, rest: &[Token], depth: usize, constants: &Constants) {
    let words = words(rest.get(1..).unwrap_or_default(), constants);
    if depth < 6 && words.len() > 1 {
        let place = Place { line: rest.first().map_or(1, |token| token.line), ..Place::default() };
        let known = [
            "kubectl",
            "oc",
            "gcloud",
            "docker",
            "podman",
            "helm",
            "sh",
            "bash",
            "env",
            "sudo",
            "agenttrader",
            "systemctl",
            "argocd",
            "flux",
        ];
        if words.first().is_some_and(|word| known.contains(&word.rsplit('/').next().unwrap_or_default())) {
            runner.argv(&words, &place);
        } else {
            runner.mode_arguments(&words, &place);
        }
    }
}

/// Strings with commas between; anything else among them is a hole.
fn words(tokens: &[Token], constants: &Constants) -> Vec<String> {
    let mut words = Vec::new();
    let mut fresh = true;
    for token in tokens.iter().take(256) {
        match token.kind {
            Kind::Mark if matches!(token.text.as_str(), "]" | ")") => break,
            Kind::Mark if token.text == "," => fresh = true,
            Kind::Text if fresh => {
                words.push(token.text.clone());
                fresh = false;
            }
            Kind::Name if fresh => {
                words.push(constants.get(&token.text).cloned().unwrap_or_else(|| HOLE.to_string()));
                fresh = false;
            }
            _ => {}
        }
    }
    words
}

/// The value behind a key: `] = v`, `: v`, `=> v`, and of a call that puts it `, v`.
fn given(rest: &[Token], put: bool) -> Option<Said> {
    let mut rest = rest.iter().peekable();
    while rest.next_if(|token| token.is("]") || token.is("}")).is_some() {}
    let mark = rest.next()?;
    let gives = ["=", ":", "=>", ":=", "||=", "??=", "+="].iter().any(|text| mark.is(text)) || (put && mark.is(","));
    if !gives {
        return None;
    }
    // `AGENT_MODE: str = "OFF"`, `KEY: &str = "…"`.
    if mark.is(":") {
        let mut ahead = rest.clone();
        while ahead.next_if(|token| token.kind == Kind::Name || token.is("&") || token.is("'")).is_some() {}
        if ahead.peek().is_some_and(|token| token.is("=")) {
            rest = ahead;
            rest.next();
        }
    }
    // A variable's mark, where a language has one.
    while rest.next_if(|token| token.is("$")).is_some() {}
    let value = rest.next()?;
    // A table from a key to several words gives it none of them.
    if mark.is(":") && (value.is("[") || value.is("{")) {
        return None;
    }
    let behind: Vec<Token> = rest.take(16).cloned().collect();
    let ends = is_end(&behind, value.line);
    Some(match value.kind {
        Kind::Text if ends => said(&value.text),
        Kind::Name if ends && value.text.bytes().all(|b| b.is_ascii_digit()) => Said::Known(value.text.clone()),
        _ => Said::Unknown(format!("`{}` is decided when the program runs", crate::hole::shown(&value.text))),
    })
}
