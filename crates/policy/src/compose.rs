//! Compose files: services with their images, environments and commands.
//!
//! The lock contract, rules `no-latest` and `no-execute`. What is put in from the environment of whoever starts it
//! (`${X}`, a key without a value) is not decided by the tree.

use crate::found::{Found, Key, Said};
use crate::yaml::node::{Node, Value};
use crate::{dockerfile, keyed, script};

/// Reads a compose file's documents.
pub fn read(documents: &[Node]) -> Found {
    let mut found = keyed::documents(documents);
    // Images are told by service, below, whether or not they have a tag.
    found.images.clear();
    for document in documents {
        for file in document.get("include").map(Node::items).unwrap_or_default() {
            let paths = file.get("path").unwrap_or(file);
            for path in std::iter::once(paths).chain(paths.items()) {
                found.compose_files.extend(path.text().map(|text| (text.to_owned(), path.line)));
            }
            let variables =
                file.get("env_file").into_iter().flat_map(|files| std::iter::once(files).chain(files.items()));
            found.env_files.extend(variables.filter_map(|file| Some((file.text()?.to_owned(), file.line))));
        }
        for holder in ["configs", "secrets"].into_iter().filter_map(|key| document.get(key)) {
            for (name, config) in holder.entries() {
                if let Some((content, text)) = config.get("content").and_then(|node| Some((node, node.scalar()?))) {
                    found.absorb(keyed::read(name.text().unwrap_or_default(), &text.text), content.line);
                }
            }
        }
        for (name, service) in document.get("services").map(Node::entries).unwrap_or_default() {
            self::service(&mut found, name.text().unwrap_or_default(), service);
        }
    }
    found.sorted()
}

fn service(found: &mut Found, name: &str, service: &Node) {
    if let Some(image) = service.get("image").filter(|image| image.text().is_some()) {
        let text = image.text().unwrap_or_default();
        found.image(format!("services.{name}.image"), said(text), image.line);
    }
    for place in [service.get("environment"), service.at(&["build", "args"])].into_iter().flatten() {
        environment(found, place);
    }
    if let Some(text) =
        service.at(&["build", "dockerfile_inline"]).and_then(|node| node.scalar().map(|s| (s, node.line)))
    {
        found.absorb(dockerfile::read(&text.0.text), text.1);
    }
    for file in service.get("env_file").into_iter().flat_map(|files| std::iter::once(files).chain(files.items())) {
        if let Some(path) = file.text().or_else(|| file.get("path").and_then(Node::text)) {
            found.env_files.push((path.to_owned(), file.line));
        }
    }
    if let Some([shell, test]) = service.at(&["healthcheck", "test"]).map(Node::items)
        && shell.text() == Some("CMD-SHELL")
    {
        let text = test.text().unwrap_or_default().replace("$$", "$");
        found.absorb(script::read("", &text), test.line);
    }
    let extended = service.at(&["extends", "file"]).and_then(|file| Some((file.text()?.to_owned(), file.line)));
    found.compose_files.extend(extended);
    for key in ["command", "entrypoint"] {
        if let Some(Value::Scalar(scalar)) = service.get(key).map(|node| &node.value) {
            let line = service.get(key).map_or(1, |node| node.line);
            found.absorb(script::read("", &scalar.text.replace("$$", "$")), line);
        }
    }
}

/// A key without a value takes over that of whoever starts it.
fn environment(found: &mut Found, environment: &Node) {
    let taken_over = |key: Key| Said::Unknown(format!("`{}` is taken over from whoever starts it", key.name()));
    for (name, value) in environment.entries() {
        if let (Some(key), true) =
            (name.text().and_then(Key::of_variable), value.scalar().is_some_and(|scalar| scalar.is_null()))
        {
            found.assignments.retain(|assignment| assignment.line != value.line || assignment.key != key);
            found.assign(key, key.name(), taken_over(key), false, value.line);
        }
    }
    for item in environment.items() {
        if let Some(key) = item.text().and_then(|text| Key::of_variable(text.trim())) {
            found.assign(key, key.name(), taken_over(key), false, item.line);
        }
    }
}

/// `$$` is a dollar sign.
fn said(text: &str) -> Said {
    let plain = text.replace("$$", "");
    if plain.contains('$') { Said::of_configuration(&text.replace('$', "${")) } else { Said::of_configuration(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        read(&crate::yaml::read::read("compose.yaml", text.as_bytes()).documents)
    }

    #[test]
    fn the_environment_counts_as_a_mapping_as_a_list_and_through_anchors() {
        for text in [
            "services:\n  a:\n    environment: {AGENT_MODE: EXECUTE}\n",
            "services:\n  a:\n    environment: [AGENT_MODE=EXECUTE]\n",
            "services:\n  a:\n    environment: &e {AGENT_MODE: EXECUTE}\n",
            "services:\n  a:\n    command: agenttrader --agent-mode EXECUTE\n",
            "services:\n  a:\n    build: {args: {AGENT_MODE: EXECUTE}}\n",
        ] {
            let found = found(text);
            assert_eq!(found.assignments.first().and_then(|a| a.value.known()), Some("EXECUTE"), "{text}");
            assert_eq!(found.assignments.first().map(|a| a.line), Some(3), "{text}");
        }
    }

    #[test]
    fn what_whoever_starts_it_decides_is_unknown() {
        for text in [
            "services:\n  a:\n    environment: {AGENT_MODE: }\n",
            "services:\n  a:\n    environment: [AGENT_MODE]\n",
            "services:\n  a:\n    environment: {AGENT_MODE: '${AGENT_MODE:-OBSERVE}'}\n",
        ] {
            let found = found(text);
            assert_eq!(found.assignments.iter().map(|a| a.value.known()).collect::<Vec<_>>(), [None], "{text}");
        }
    }

    #[test]
    fn a_services_image_and_files_are_told() {
        let found = found("services:\n  a:\n    image: x/y\n    env_file: [a.env, {path: b.env}]\n");
        assert_eq!(found.images.first().and_then(|image| image.reference.known()), Some("x/y"));
        assert_eq!(found.env_files, [("a.env".to_owned(), 4), ("b.env".to_owned(), 4)]);
    }
}
