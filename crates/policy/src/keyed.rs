//! Configuration that is no Kubernetes object: keys, values and arguments of YAML, JSON, TOML, `.env` and `.properties`.
//!
//! The lock contract, "Judged files". `agentMode`, `agent_mode` and `agent-mode` are read as `AGENT_MODE`, a list of
//! words as arguments, an `image` mapping's `tag` as a tag, a command's text as a script.

mod lines;
mod variables;
mod xml;

pub use lines::{env, properties};

use crate::found::{Effect, Found, Key, Lines, Order, Said};
use crate::script;
use crate::yaml::node::{Node, Scalar, Value};

/// Keys whose text is a command.
pub const COMMANDS: [&str; 17] = [
    "args",
    "arg",
    "command",
    "cmd",
    "entrypoint",
    "run",
    "exec",
    "script",
    "arguments",
    "test",
    "before_script",
    "after_script",
    "cmds",
    "commands",
    "shell",
    "ansible.builtin.shell",
    "ansible.builtin.command",
];

/// Keys of lists whose every text is a script of its own.
const SCRIPTS: [&str; 6] = ["script", "before_script", "after_script", "cmds", "commands", "run"];

/// Reads a text by its name: a file, or a ConfigMap's value by its key. What has no ending that is known is a script.
pub fn read(name: &str, text: &str) -> Found {
    let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let ending = base.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "yaml" | "yml" | "json" | "jsonc" | "json5" => {
            let read = crate::yaml::read::read(name, text.as_bytes());
            let mut found = documents(&read.documents);
            found.absorb(documents(&read.alternatives), 1);
            found
                .unreadable
                .extend(read.findings.into_iter().map(|finding| (finding.message, finding.line.unwrap_or(1))));
            found.sorted()
        }
        "toml" => toml(text),
        "env" => env(text),
        "properties" | "ini" | "cfg" | "conf" => properties(text),
        "plist" | "xml" => xml::read(text),
        _ if base == "env" || base == ".env" || base.starts_with(".env.") || base.starts_with("env.") => env(text),
        _ if text.starts_with("#!") || !ending.is_empty() => script::read(name, text),
        _ => {
            // Nobody says what it is: whoever reads it may take it for a mapping.
            let mut found = script::read(name, text);
            found.absorb(documents(&crate::yaml::read::read(name, text.as_bytes()).documents), 1);
            found.sorted()
        }
    }
}

/// Reads documents of YAML or JSON.
pub fn documents(documents: &[Node]) -> Found {
    let mut found = Found::default();
    for document in documents {
        walk(&mut found, document, "", None);
        found.orders.extend(variables::filled_commands(document));
    }
    found.sorted()
}

/// Reads TOML.
pub fn toml(text: &str) -> Found {
    let lines = Lines::of(text);
    match toml::de::DeTable::parse(text) {
        Ok(table) => {
            let node = of_table(&lines, table.span().start, table.get_ref());
            documents(std::slice::from_ref(&node))
        }
        Err(error) => {
            let mut found = Found::default();
            let line = error.span().map_or(1, |span| lines.at(span.start));
            found.unreadable.push((format!("no TOML: {}", error.message()), line));
            found
        }
    }
}

fn of_table(lines: &Lines, at: usize, table: &toml::de::DeTable<'_>) -> Node {
    let text =
        |line: u32, text: &str, plain: bool| Node::new(line, Value::Scalar(Scalar { text: text.to_owned(), plain }));
    let entries = table.iter().map(|(key, value)| {
        let line = lines.at(key.span().start);
        (text(line, key.get_ref(), false), of_value(lines, value))
    });
    Node::new(lines.at(at), Value::Mapping(entries.collect()))
}

fn of_value(lines: &Lines, value: &toml::Spanned<toml::de::DeValue<'_>>) -> Node {
    use toml::de::DeValue;
    let line = lines.at(value.span().start);
    let scalar = |text: String, plain: bool| Node::new(line, Value::Scalar(Scalar { text, plain }));
    match value.get_ref() {
        DeValue::String(text) => scalar(text.to_string(), false),
        DeValue::Integer(number) => scalar(number.to_string(), true),
        DeValue::Float(number) => scalar(number.to_string(), true),
        DeValue::Boolean(word) => scalar(word.to_string(), true),
        DeValue::Datetime(time) => scalar(time.to_string(), true),
        DeValue::Array(items) => {
            Node::new(line, Value::Sequence(items.iter().map(|item| of_value(lines, item)).collect()))
        }
        DeValue::Table(table) => of_table(lines, value.span().start, table),
    }
}

fn walk(found: &mut Found, node: &Node, path: &str, key: Option<&str>) {
    match &node.value {
        Value::Scalar(scalar) => text(found, scalar, node.line, key),
        Value::Sequence(items) => {
            arguments(found, items, node.line, key);
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                if let Some(image) = item.get("image").filter(|image| image.text().is_some()) {
                    found.image(format!("{path}.image"), said(image), image.line);
                }
                walk(found, item, &path, None);
            }
        }
        Value::Mapping(entries) => {
            pair(found, node);
            step(found, node);
            numbered(found, node);
            for (name, value) in entries {
                let Some(spelled) = name.scalar().map(|scalar| scalar.text.as_str()) else { continue };
                let path = if path.is_empty() { spelled.to_owned() } else { format!("{path}.{spelled}") };
                let given = if is_schema(value) { value.get("const").or(value.get("default")) } else { Some(value) };
                if let Some((key, value)) = Key::of_configuration(spelled).zip(given) {
                    let plain = value.scalar().is_none_or(|scalar| scalar.plain);
                    found.assign(key, path.as_str(), said(value), plain, value.line);
                }
                if spelled.eq_ignore_ascii_case("image") {
                    image(found, value, &path);
                }
                // `scripts` of a package: names of commands.
                for (_, command) in value.entries().iter().filter(|_| spelled == "scripts") {
                    found.absorb(script::read("", command.text().unwrap_or_default()), command.line);
                }
                walk(found, value, &path, Some(spelled));
            }
        }
    }
}

/// `{name: …, replicas: 1}`: whoever reads it brings up what it names.
fn numbered(found: &mut Found, node: &Node) {
    let (Some(name), Some(replicas)) = (node.get("name").and_then(Node::text), node.get("replicas")) else { return };
    if let Some(number) = replicas.scalar().filter(|number| number.text != "0") {
        found.orders.push(Order {
            effect: Effect::Scale(Said::of_configuration(&number.text)),
            names: vec![name.to_owned()],
            all: false,
            command: format!("replicas of {name}"),
            line: replicas.line,
        });
    }
}

/// `{name: IMAGE, entrypoint: gcloud, args: […]}`: a step whose program and arguments stand apart.
fn step(found: &mut Found, node: &Node) {
    let Some(args) = node.get("args").filter(|args| args.items().iter().all(|item| item.scalar().is_some())) else {
        return;
    };
    let own = node.get("entrypoint").and_then(Node::text).filter(|own| !own.contains(char::is_whitespace));
    let of_image = || {
        let image = node.get("image").or_else(|| node.get("name")).and_then(Node::text)?;
        script::tool_of_image(crate::placing::base_name(image))
    };
    if let Some(program) = own.or_else(of_image) {
        let words: Vec<Said> =
            std::iter::once(Said::Known(program.to_owned())).chain(args.items().iter().map(said)).collect();
        found.orders.extend(script::command(&words, args.line).orders);
    }
}

/// Whether a mapping says what a value may be, and is none: a property of a JSON schema.
fn is_schema(node: &Node) -> bool {
    const WORDS: [&str; 18] = [
        "type",
        "enum",
        "const",
        "default",
        "title",
        "description",
        "examples",
        "example",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "nullable",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$comment",
        "$ref",
    ];
    let typed = ["type", "enum", "$ref"].iter().any(|key| node.get(key).is_some());
    typed && node.entries().iter().all(|(key, _)| key.text().is_some_and(|key| WORDS.contains(&key)))
}

/// A node as a value: unknown where it is no text.
fn said(node: &Node) -> Said {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_null() => Said::Known(String::new()),
        Value::Scalar(scalar) => Said::of_configuration(&scalar.text),
        Value::Sequence(_) => Said::Unknown("a list: which of it counts is decided elsewhere".to_owned()),
        Value::Mapping(_) => Said::Unknown("a mapping: what becomes of it is decided elsewhere".to_owned()),
    }
}

/// `{name: AGENT_MODE, value: …}`.
fn pair(found: &mut Found, node: &Node) {
    let name = ["name", "key", "Name", "Key"].iter().find_map(|key| node.get(key));
    let spelled = name.and_then(Node::text).unwrap_or_default();
    let Some(key) = Key::of_configuration(spelled) else { return };
    // Others use the configuration's spellings for something else; only a value that would trade is a mode.
    let is_execute = || node.get("value").and_then(Node::text) == Some("EXECUTE");
    if Key::of_variable(spelled).is_none() && !is_execute() {
        return;
    }
    let value = ["value", "Value"].iter().find_map(|key| node.get(key));
    let from = ["valueFrom", "value_from", "secret", "secretKeyRef"].iter().find_map(|key| node.get(key));
    match (value, from) {
        (Some(value), _) => {
            found.assign(key, key.name(), said(value), value.scalar().is_none_or(|s| s.plain), value.line)
        }
        (None, Some(from)) => {
            found.assign(key, key.name(), Said::Unknown("taken from another object".to_owned()), false, from.line)
        }
        (None, None) => {}
    }
}

/// An `image` mapping's repository and tag; a text that has a tag.
fn image(found: &mut Found, value: &Node, path: &str) {
    if let Some(text) = value.text() {
        let last = text.rsplit('/').next().unwrap_or(text);
        if last.contains(':') && !text.contains("://") && !text.contains(char::is_whitespace) {
            found.image(path, said(value), value.line);
        }
        return;
    }
    let part = |name: &str| value.get(name).and_then(Node::text).filter(|text| !text.is_empty());
    let (tag, digest) = (part("tag"), part("digest"));
    let repository = part("repository").or_else(|| part("name"));
    if tag.is_none() && digest.is_none() && part("repository").is_none() {
        return;
    }
    let mut reference =
        part("registry").map(|registry| format!("{}/", registry.trim_end_matches('/'))).unwrap_or_default();
    reference.push_str(repository.unwrap_or("image"));
    reference.extend(tag.map(|tag| format!(":{tag}")));
    reference.extend(digest.map(|digest| format!("@{digest}")));
    let line = value.get("tag").or_else(|| value.get("digest")).map_or(value.line, |node| node.line);
    found.image(path, Said::of_configuration(&reference), line);
}

/// A list's words: arguments, `KEY=value`, a command with a shell in it.
fn arguments(found: &mut Found, items: &[Node], line: u32, key: Option<&str>) {
    let is_command = key.is_some_and(|key| COMMANDS.contains(&key.to_ascii_lowercase().as_str()));
    let mut told = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(word) = item.text() else { continue };
        let pair =
            word.split_once('=').and_then(|(name, value)| Some((Key::of_variable(name.trim())?, name.trim(), value)));
        if let Some((key, name, value)) =
            pair.filter(|(.., value)| !(is_command && value.contains(char::is_whitespace)))
        {
            found.assign(key, name, Said::of_configuration(value), false, item.line);
            told.push(name);
        }
        let Some(rest) = word.strip_prefix("--agent-mode").or_else(|| word.strip_prefix("--agent_mode")) else {
            continue;
        };
        let next = items.get(index.saturating_add(1));
        let value = match rest.strip_prefix('=') {
            Some(value) => Said::of_configuration(value),
            None if rest.is_empty() => next.map_or_else(|| Said::Known(String::new()), said),
            None => continue,
        };
        found.assign(Key::AgentMode, "--agent-mode", value, false, item.line);
        told.push("--agent-mode");
    }
    let scripts = key.is_some_and(|key| SCRIPTS.contains(&key.to_ascii_lowercase().as_str()));
    for (index, item) in items.iter().enumerate().filter(|_| is_command) {
        // A shell's text may stand apart from the shell: `entrypoint: bash`, `args: [-c, …]`.
        let before = index.checked_sub(1).and_then(|at| items.get(at)).and_then(Node::text);
        let shell = before.is_some_and(|flag| flag.starts_with('-') && flag.ends_with('c')) && index < 2;
        if let Some(text) = item.text().filter(|text| (scripts || shell) && text.contains(' ')) {
            found.absorb(script::read("", text), item.line);
        }
    }
    if is_command && !scripts && items.iter().all(|item| item.scalar().is_some()) {
        let words: Vec<Said> = items.iter().map(said).collect();
        let mut inner = script::command(&words, line);
        // What was told above is told on its own line.
        inner.assignments.retain(|assignment| !told.contains(&assignment.spelled.as_str()));
        found.absorb(inner, 1);
    }
}

/// A text: of a command's key a script, of a key that is a file's name that file.
fn text(found: &mut Found, scalar: &Scalar, line: u32, key: Option<&str>) {
    let Some(key) = key else { return };
    if scalar.is_null() {
        return;
    }
    let folded = key.to_ascii_lowercase();
    if COMMANDS.contains(&folded.as_str()) {
        found.absorb(script::read("", &scalar.text), line);
    } else if scalar.text.contains('\n') && folded.contains('.') {
        found.absorb(read(key, &scalar.text), line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, expected: &[(&str, Option<&str>, u32)]) {
        let found = read(name, text);
        let told: Vec<(&str, Option<&str>, u32)> =
            found.assignments.iter().map(|a| (a.key.name(), a.value.known(), a.line)).collect();
        assert_eq!(told, expected, "{name}:\n{text}\n{found:#?}");
    }

    #[test]
    fn a_watched_key_is_found_wherever_it_stands() {
        check("a.yaml", "gamma:\n  agentMode: EXECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check("a.yaml", "agent-mode: OFF\n", &[("AGENT_MODE", Some("OFF"), 1)]);
        check("a.yaml", "gamma.agent_mode: '{{ .Values.mode }}'\n", &[("AGENT_MODE", None, 1)]);
        check("a.yaml", "env:\n  - name: AGENT_MODE\n    value: EXECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 3)]);
        check("a.yaml", "env:\n  - AGENT_MODE=EXECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check("a.json", r#"{"a":[{"EXECUTION_HALTED":"0"}]}"#, &[("EXECUTION_HALTED", Some("0"), 1)]);
        check("a.toml", "[gamma]\nagent_mode = \"EXECUTE\"\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check("a.toml", "gamma.env.AGENT_MODE = 'EXECUTE'\n", &[("AGENT_MODE", Some("EXECUTE"), 1)]);
        check("a.properties", "! c\nfloor.agentMode : EXE\\\n   CUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check("a.properties", "AGENT_MODE=\\u0045XECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 1)]);
        check(".env", "# c\nexport AGENT_MODE=\"EXECUTE\"\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check(
            "x.env",
            "AGENT_MODE=${MODE}\nEXECUTION_HALTED='1'\n",
            &[("AGENT_MODE", None, 1), ("EXECUTION_HALTED", Some("1"), 2)],
        );
        check(".env.local", "AGENT_MODE\n", &[("AGENT_MODE", None, 1)]);
    }

    #[test]
    fn arguments_and_commands_are_read() {
        check("a.yaml", "args: [execution, --agent-mode, EXECUTE]\n", &[("AGENT_MODE", Some("EXECUTE"), 1)]);
        check("a.yaml", "x:\n  - --agent-mode=EXECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check("a.yaml", "run: |\n  true\n  export AGENT_MODE=EXECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 3)]);
        check(
            "a.yaml",
            "command: [sh, -c, 'AGENT_MODE=EXECUTE exec agenttrader']\n",
            &[("AGENT_MODE", Some("EXECUTE"), 1)],
        );
        check("settings", "a: b\nagentMode: EXECUTE\n", &[("AGENT_MODE", Some("EXECUTE"), 2)]);
        check("a.yaml", "data:\n  app.toml: |\n    agent_mode = 'EXECUTE'\n", &[("AGENT_MODE", Some("EXECUTE"), 3)]);
    }

    #[test]
    fn prose_and_other_keys_are_nothing() {
        for (name, text) in [
            ("a.yaml", "# AGENT_MODE: EXECUTE\ndescription: AGENT_MODE=EXECUTE is refused\n"),
            ("a.yaml", "modes: [OFF, OBSERVE, EXECUTE]\nagent_modes: EXECUTE\n"),
            ("a.toml", "# agent_mode = 'EXECUTE'\nnote = 'use --agent-mode EXECUTE never'\n"),
            (".env", "# AGENT_MODE=EXECUTE\nNOTE=AGENT_MODE=EXECUTE\n"),
            ("a.properties", "#AGENT_MODE=EXECUTE\nMY.AGENT_MODE_X=EXECUTE\n"),
        ] {
            check(name, text, &[]);
        }
    }

    #[test]
    fn images_of_values_are_references() {
        let images = |text: &str| -> Vec<Option<String>> {
            read("values.yaml", text)
                .images
                .into_iter()
                .map(|image| image.reference.known().map(str::to_owned))
                .collect()
        };
        assert_eq!(images("image:\n  repository: a/b\n  tag: latest\n"), [Some("a/b:latest".to_owned())]);
        assert_eq!(images("image: {tag: '1.2'}\n"), [Some("image:1.2".to_owned())]);
        assert_eq!(images("steps:\n  - image: a/b\n"), [Some("a/b".to_owned())]);
        assert_eq!(images("image: a:latest\n"), [Some("a:latest".to_owned())]);
        assert_eq!(images("image:\n  repository: a/b\n  tag: '{{ .Chart.AppVersion }}'\n"), [None]);
        assert_eq!(images("image: docs/floor.png\nlogo: {image: {width: 3}}\n"), []);
    }

    #[test]
    fn what_is_no_toml_is_said() {
        assert_eq!(read("a.toml", "a = 1\nb = = 2\n").unreadable.first().map(|(_, line)| *line), Some(2));
    }
}
