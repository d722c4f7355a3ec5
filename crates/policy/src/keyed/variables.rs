//! Commands of a document with the variables that the document itself gives: `env`, `vars` and `variables` of workflows,
//! pipelines and task files, as `$NAME`, `${NAME}`, `${{ env.NAME }}`, `{{.NAME}}`.

use super::COMMANDS;
use crate::found::Order;
use crate::script;
use crate::yaml::node::Node;
use std::collections::BTreeMap;

/// Keys of mappings that give variables.
const GIVES: [&str; 4] = ["env", "vars", "variables", "environment"];

/// Values that one name may have; where there are more, none is put in.
const VALUES_MOST: usize = 4;

/// Names that are put in: each is looked for in each command.
const NAMES_MOST: usize = 256;

/// The names and every value that the document gives each.
type Variables = BTreeMap<String, Vec<String>>;

/// What the commands of a document do once its variables are put in. What they do as they stand is read elsewhere.
pub fn filled_commands(document: &Node) -> Vec<Order> {
    let mut variables = Variables::new();
    collect(document, &mut variables);
    variables.retain(|_, values| values.len() <= VALUES_MOST);
    let mut orders = Vec::new();
    if !variables.is_empty() {
        walk(document, &variables, &mut orders);
    }
    orders
}

fn collect(node: &Node, variables: &mut Variables) {
    node.items().iter().for_each(|item| collect(item, variables));
    for (key, value) in node.entries() {
        let gives = key.text().is_some_and(|key| GIVES.contains(&key));
        for (name, value) in value.entries().iter().filter(|_| gives) {
            if let (Some(name), Some(value)) = (name.text(), value.text().filter(|value| is_plain(value))) {
                if variables.len() >= NAMES_MOST && !variables.contains_key(name) {
                    continue;
                }
                let values = variables.entry(name.to_owned()).or_default();
                if values.len() <= VALUES_MOST && !values.iter().any(|known| known == value) {
                    values.push(value.to_owned());
                }
            }
        }
        collect(value, variables);
    }
}

/// Whether a value is a word, in which nothing is left to put in.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:=".contains(&byte))
}

fn walk(node: &Node, variables: &Variables, orders: &mut Vec<Order>) {
    for item in node.items() {
        walk(item, variables, orders);
    }
    for (key, value) in node.entries() {
        let is_command = key.text().is_some_and(|key| COMMANDS.contains(&key.to_ascii_lowercase().as_str()));
        for text in std::iter::once(value).chain(value.items()).filter(|_| is_command) {
            for filled in text.text().map(|text| filled(text, variables)).unwrap_or_default() {
                let read = script::read("", &filled).orders.into_iter();
                let above = text.line.saturating_sub(1);
                orders.extend(read.map(|order| Order { line: order.line.saturating_add(above), ..order }));
            }
        }
        walk(value, variables, orders);
    }
}

/// A text once for each place among a name's values; nothing where no name stands in it.
fn filled(text: &str, variables: &Variables) -> Vec<String> {
    let named = variables.iter().filter(|(name, _)| text.contains(name.as_str()));
    let named: Vec<(&String, &Vec<String>)> = named.collect();
    let most = named.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let fill = |place: usize| {
        named.iter().fold(text.to_owned(), |text, (name, values)| match values.get(place).or_else(|| values.last()) {
            Some(value) => put(&text, name, value),
            None => text,
        })
    };
    (0..most).map(fill).filter(|filled| filled != text).collect()
}

fn put(text: &str, name: &str, value: &str) -> String {
    let mut text = text.to_owned();
    for form in [format!("${{{{ env.{name} }}}}"), format!("${{{{env.{name}}}}}"), format!("{{{{.{name}}}}}")] {
        text = text.replace(&form, value);
    }
    for form in
        [format!("{{{{ .{name} }}}}"), format!("${{{name}}}"), format!("$({name})"), format!("{{{{ {name} }}}}")]
    {
        text = text.replace(&form, value);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // `$NAME`, and not the beginning of a longer name.
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let after = behind.strip_prefix(name);
        match after.filter(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')) {
            Some(after) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('$');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::filled_commands;
    use crate::yaml::read::read;

    #[test]
    fn a_documents_variables_stand_in_its_commands() {
        for command in [
            "kubectl scale deploy/$T --replicas=1",
            "kubectl scale deploy/${T} --replicas=1",
            "kubectl scale deploy/${{ env.T }} --replicas=1",
            "kubectl scale deploy/{{.T}} --replicas=1",
        ] {
            let text = format!("env: {{T: a}}\nsteps:\n- run: '{command}'\n");
            let orders = filled_commands(&read("a", text.as_bytes()).documents[0]);
            assert_eq!(orders.len(), 1, "{command}");
            assert!(orders[0].names.iter().any(|name| name == "a") && orders[0].line == 3, "{orders:?}");
        }
    }

    #[test]
    fn each_of_a_names_values_is_put_in() {
        let text = "env: {T: a}\njobs: [{env: {T: b}, run: kubectl scale deploy/$T --replicas=1}]\n";
        let orders = filled_commands(&read("a", text.as_bytes()).documents[0]);
        let named = |name: &str| orders.iter().any(|order| order.names.iter().any(|known| known == name));
        assert!(named("a") && named("b"));
        assert!(filled_commands(&read("a", b"env: {T: a}\nrun: echo $TT").documents[0]).is_empty());
    }
}
