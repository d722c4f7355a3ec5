//! Makefiles and justfiles, as a shell would read their recipes and variables: line for line, so that lines stay what they are.

/// Whether a file is one, by its name.
pub fn is_makefile(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    matches!(name.as_str(), "makefile" | "gnumakefile" | "justfile" | ".justfile")
        || [".mk", ".make", ".just"].iter().any(|ending| name.ends_with(ending))
}

/// The recipes as commands, the variables as assignments; what decides and includes is left out.
pub fn as_shell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // `define NAME` to `endef`: the name, until its first line is there.
    let mut defined: Option<String> = None;
    // What continues a line belongs to it.
    let mut recipe = false;
    let mut continued = false;
    for line in text.lines() {
        if let Some(name) = defined.take() {
            let ends = line.trim() == "endef";
            if !ends && !name.is_empty() {
                out.push_str(&variable(&format!("{name} = {line}")).unwrap_or_default());
            }
            defined = (!ends).then(String::new);
            out.push('\n');
            continue;
        }
        let define = line.trim_start().trim_start_matches("export ").strip_prefix("define ");
        if let Some(name) = define {
            defined = Some(name.trim_end_matches([' ', '=', ':', '?']).trim().to_owned());
            out.push('\n');
            continue;
        }
        if !continued {
            recipe = line.starts_with(['\t', ' ']) && !line.trim().is_empty();
        }
        let was_continued = std::mem::replace(&mut continued, line.ends_with('\\'));
        out.push_str(&match () {
            () if was_continued => parameters(line),
            () if recipe => parameters(line.trim_start().trim_start_matches(['@', '-', '+'])),
            () => statement(line),
        });
        out.push('\n');
    }
    out
}

/// A line that is no recipe: a variable, or a target.
fn statement(line: &str) -> String {
    if line.trim_start().starts_with('#') {
        return line.to_owned();
    }
    if let Some(assigned) = variable(line) {
        return assigned;
    }
    // A justfile's recipe may give its parameters defaults: `up name="gamma":`.
    let defaults = line.split_once("\":").map(|(head, _)| format!("{head}\""));
    if let Some(head) = defaults.filter(|head| head.contains("=\"") && !head.contains(['(', ';'])) {
        let defaults = head.split_whitespace().skip(1).map(|word| word.trim_start_matches(['$', '*', '+']));
        return defaults.collect::<Vec<_>>().join("; ");
    }
    // `target: X = y` sets it for that target, `target: ; command` is a recipe.
    let Some((_, behind)) = line.split_once(':') else { return String::new() };
    match (behind.split_once(';'), variable(behind)) {
        (Some((_, recipe)), _) => parameters(recipe.trim_start().trim_start_matches(['@', '-', '+'])),
        (None, assigned) => assigned.unwrap_or_default(),
    }
}

/// `export NAME ?= value` as the shell's `NAME="value"`.
fn variable(line: &str) -> Option<String> {
    let line = line.split_once(" #").map_or(line, |(line, _)| line);
    let (left, value) = line.split_once('=')?;
    let runs = left.trim_end().ends_with('!');
    let left = left.trim_end_matches([':', '?', '+', '!']).trim();
    let name =
        ["export ", "override ", "unexport "].iter().fold(left, |name, word| name.strip_prefix(word).unwrap_or(name));
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = parameters(value.trim());
    let quoted = value.starts_with(['"', '\'']) || value.ends_with('\\') || value.contains('"');
    if runs {
        return is_name.then(|| format!("{name}=$({value})"));
    }
    is_name.then(|| if quoted { format!("{name}={value}") } else { format!("{name}=\"{value}\"") })
}

/// `$(NAME)` and `{{NAME}}` as `${NAME}`, `$$` as `$`.
fn parameters(text: &str) -> String {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '{']) {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let named = [("$(", ")"), ("{{", "}}")].into_iter().find_map(|(open, close)| {
            let (name, after) = behind.strip_prefix(open)?.split_once(close)?;
            is_name(name.trim()).then(|| (name.trim(), after))
        });
        if let Some((name, after)) = named {
            out.push_str(&format!("${{{name}}}"));
            rest = after;
        } else if let Some(after) = behind.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else {
            let width = behind.chars().next().map_or(1, char::len_utf8);
            let (one, after) = behind.split_at(width);
            out.push_str(one);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_and_variables_read_as_a_shells() {
        for (make, shell) in [
            ("NAME ?= gamma", "NAME=\"gamma\""),
            ("export NAME := a $(B)", "NAME=\"a ${B}\""),
            ("up: down\n\t@echo $(NAME) $$HOME", "\necho ${NAME} $HOME"),
            ("up: NAME = x", "NAME=\"x\""),
            ("up: ; -run it", "run it"),
            ("up:\n    run {{ name }}", "\nrun ${name}"),
            ("up name=\"a\" *more=\"b\":\n    run", "name=\"a\"; more=\"b\"\nrun"),
            ("define A\nb\nc\nendef\nD=e", "\nA=\"b\"\n\n\nD=\"e\""),
            ("up $A=\"b\":\n    run", "A=\"b\"\nrun"),
            ("ifeq ($(A),b)\nendif", "\n"),
        ] {
            assert_eq!(as_shell(make).trim_end_matches('\n'), shell.trim_end_matches('\n'), "{make}");
        }
    }
}
