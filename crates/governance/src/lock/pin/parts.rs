//! An image named in parts: an entry of a kustomization's `images`, and a mapping `image` with repository and tag.
//!
//! What is to change is found in the document as it is read; it is written into the lines as they stand, so that comments and order stay.
//! What was written is read again: where it does not say what it should, nobody's file is touched.

use super::{Pin, PinError};
use agenttrader_policy::judged;
use agenttrader_policy::yaml::node::{Node, Value};
use agenttrader_policy::yaml::read::read;

/// The keys of one mapping that names the image.
#[derive(Debug)]
struct Parts<'a> {
    /// The mapping.
    node: &'a Node,
    /// The key that holds the name.
    name: &'static str,
    /// The key that holds a tag, where there is one.
    tag: Option<&'static str>,
}

/// A file with the digest in every mapping that names the image, and in how many it was not before.
///
/// # Errors
/// [`PinError::ByHand`].
pub(super) fn pinned(pin: &Pin, path: &str, text: String) -> Result<(String, usize), PinError> {
    if !text.contains(&pin.name) {
        return Ok((text, 0));
    }
    let documents = read(path, text.as_bytes()).documents;
    let found = parts(pin, path, &documents);
    let open: Vec<&Parts<'_>> = found.iter().filter(|it| !it.is_pinned(pin)).collect();
    let Some(first) = open.first() else { return Ok((text, 0)) };
    let by_hand =
        |it: &Parts<'_>| PinError::ByHand { path: path.to_owned(), line: it.node.line, digest: pin.digest.clone() };
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for it in &open {
        it.write(pin, &mut lines).ok_or_else(|| by_hand(it))?;
    }
    let new = lines.concat();
    let again = read(path, new.as_bytes()).documents;
    let held = parts(pin, path, &again);
    match held.iter().find(|it| !it.is_pinned(pin)) {
        Some(it) => Err(by_hand(it)),
        None if held.len() != found.len() || again.len() != documents.len() => Err(by_hand(first)),
        None => Ok((new, open.len())),
    }
}

/// Every mapping of a file that names the image.
fn parts<'a>(pin: &Pin, path: &str, documents: &'a [Node]) -> Vec<Parts<'a>> {
    let mut found = Vec::new();
    for document in documents {
        let group = document.get("apiVersion").and_then(Node::text).unwrap_or("");
        if judged::is_kustomization(path) || group.starts_with("kustomize.config.k8s.io/") {
            let entries =
                ["images", "imageTags"].into_iter().filter_map(|field| document.get(field)).flat_map(Node::items);
            found.extend(entries.filter_map(|entry| entry_of(pin, entry)));
        }
        walk(pin, document, &mut found);
    }
    found
}

/// An entry that puts the image in. One that has a name alone changes nothing.
fn entry_of<'a>(pin: &Pin, node: &'a Node) -> Option<Parts<'a>> {
    let has = |key: &str| node.get(key).and_then(Node::text).is_some_and(|text| !text.is_empty());
    let name = if has("newName") { "newName" } else { "name" };
    let puts = has("newName") || has("newTag") || has("digest");
    let tag = has("newTag").then_some("newTag");
    (puts && node.get(name).and_then(Node::text) == Some(&*pin.name)).then_some(Parts { node, name, tag })
}

fn walk<'a>(pin: &Pin, node: &'a Node, found: &mut Vec<Parts<'a>>) {
    for (key, value) in node.entries() {
        let is_image = key.text() == Some("image") && matches!(value.value, Value::Mapping(_));
        if let Some(tag) = value.get("tag").filter(|_| is_image) {
            let name = if value.get("repository").is_some() { "repository" } else { "name" };
            if value.get(name).and_then(Node::text) == Some(&*pin.name) {
                found.push(Parts { node: value, name, tag: tag.text().is_some().then_some("tag") });
            }
        }
        walk(pin, value, found);
    }
    node.items().iter().for_each(|item| walk(pin, item, found));
}

impl Parts<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.node.get(key).and_then(Node::text)
    }

    fn is_pinned(&self, pin: &Pin) -> bool {
        let tag = self.tag.and_then(|tag| self.text(tag));
        self.text("digest") == Some(&*pin.digest) && (tag.is_none() || pin.tag.is_none() || tag == pin.tag.as_deref())
    }

    /// Writes it into the lines; none where the lines are not as simple as that.
    fn write(&self, pin: &Pin, lines: &mut [String]) -> Option<()> {
        match self.node.get("digest") {
            Some(_) => self.replace("digest", &pin.digest, lines)?,
            None => self.insert(&pin.digest, lines)?,
        }
        match self.tag.zip(pin.tag.as_deref()) {
            Some((key, tag)) => self.replace(key, &format!("\"{tag}\""), lines),
            None => Some(()),
        }
    }

    /// A digest after the tag, or after the name.
    fn insert(&self, digest: &str, lines: &mut [String]) -> Option<()> {
        let (line, start, end) = self.place(self.tag.unwrap_or(self.name), lines)?;
        let before = line.get(..start)?;
        if before.chars().all(|letter| matches!(letter, ' ' | '-')) {
            let ending = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            let whole = line.trim_end_matches(['\r', '\n']);
            *line = format!("{whole}{ending}{}digest: {digest}{ending}", " ".repeat(before.len()));
        } else {
            line.insert_str(end, &format!(", \"digest\": \"{digest}\""));
        }
        Some(())
    }

    fn replace(&self, key: &str, new: &str, lines: &mut [String]) -> Option<()> {
        let (line, start, end) = self.place(key, lines)?;
        let key_and_value = line.get(start..end)?;
        let value = key_and_value.find(':').map(|at| start + at + 1)?;
        line.replace_range(value..end, &format!(" {new}"));
        Some(())
    }

    /// The line of a key, where the key begins in it, and where its value ends.
    fn place<'l>(&self, key: &str, lines: &'l mut [String]) -> Option<(&'l mut String, usize, usize)> {
        let (at, value) = self.node.entries().iter().find(|(name, _)| name.text() == Some(key))?;
        if at.line != value.line {
            return None;
        }
        let line = lines.get_mut(usize::try_from(at.line).ok()?.checked_sub(1)?)?;
        let (start, spelled) = [format!("\"{key}\":"), format!("'{key}':"), format!("{key}:")]
            .into_iter()
            .find_map(|spelled| Some((line.find(&spelled)?, spelled)))?;
        let after = start + spelled.len();
        let rest = line.get(after..)?;
        let blank = rest.len() - rest.trim_start().len();
        let held = rest.get(blank..)?;
        let text = value.text().unwrap_or("");
        let end = match held.chars().next() {
            Some(quote @ ('"' | '\'')) => held.get(1..)?.find(quote)? + 2,
            _ => text.len(),
        };
        held.get(..end)?.contains(text).then_some(())?;
        Some((line, start, after + blank + end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_get_the_digest_and_keep_their_lines() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let pin = Pin::parse(&format!("r.example/a@{digest}")).unwrap();
        let tagged = Pin::parse(&format!("r.example/a:1.10@{digest}")).unwrap();
        for (pin, path, text, wanted) in [
            (
                &pin,
                "k8s/kustomization.yaml",
                "images:\n- name: r.example/a\n  newTag: v1\n",
                "images:\n- name: r.example/a\n  newTag: v1\n  digest: PINNED\n",
            ),
            (
                &pin,
                "k8s/kustomization.yaml",
                "images:\n- newName: r.example/a\n  name: b # why\n",
                "images:\n- newName: r.example/a\n  digest: PINNED\n  name: b # why\n",
            ),
            (
                &pin,
                "k8s/kustomization.yaml",
                "images:\n- name: r.example/a\n  digest: \"sha256:00\" # old\n",
                "images:\n- name: r.example/a\n  digest: PINNED # old\n",
            ),
            (
                &pin,
                "k8s/kustomization.yaml",
                "images:\n- {name: r.example/a, newTag: v1}",
                "images:\n- {name: r.example/a, newTag: v1, \"digest\": \"PINNED\"}",
            ),
            (
                &tagged,
                "k8s/kustomization.yaml",
                "images:\n- name: r.example/a\n  newTag: v1\n",
                "images:\n- name: r.example/a\n  newTag: \"1.10\"\n  digest: PINNED\n",
            ),
            (
                &tagged,
                "k8s/a.json",
                "{\"kind\":\"Kustomization\",\"apiVersion\":\"kustomize.config.k8s.io/v1beta1\",\
                 \"images\":[{\"name\":\"r.example/a\",\"newTag\":\"v1\"}]}",
                "{\"kind\":\"Kustomization\",\"apiVersion\":\"kustomize.config.k8s.io/v1beta1\",\
                 \"images\":[{\"name\":\"r.example/a\",\"newTag\": \"1.10\", \"digest\": \"PINNED\"}]}",
            ),
            (
                &pin,
                "config/values.yaml",
                "image:\n  repository: r.example/a\n  tag: v1\n",
                "image:\n  repository: r.example/a\n  tag: v1\n  digest: PINNED\n",
            ),
            // Another image, one that is renamed to another, one that changes nothing, and no kustomization.
            (&pin, "k8s/kustomization.yaml", "images:\n- name: r.example/ab\n  newTag: v1\n", ""),
            (&pin, "k8s/kustomization.yaml", "images:\n- name: r.example/a\n  newName: b\n", ""),
            (&pin, "k8s/kustomization.yaml", "images:\n- name: r.example/a\n", ""),
            (&pin, "config/a.yaml", "images:\n- name: r.example/a\n  newTag: v1\n", ""),
        ] {
            let wanted = if wanted.is_empty() { text.to_owned() } else { wanted.replace("PINNED", &digest) };
            let (new, times) = pinned(pin, path, text.to_owned()).unwrap();
            assert_eq!((&new, times), (&wanted, usize::from(wanted != text)), "{text}");
            assert_eq!(pinned(pin, path, new.clone()).unwrap(), (new, 0), "{text}");
        }
    }

    #[test]
    fn what_stands_elsewhere_than_it_is_used_is_left_to_people() {
        let pin = Pin::parse(&format!("a@sha256:{}", "ab".repeat(32))).unwrap();
        for text in [
            "x: &x {name: a, newTag: v1}\nimages: [*x]\n",
            "images: [{name: a, newTag: v1}, {name: a, newTag: v2}]\n",
            "images:\n- name: a\n  newTag:\n    v1\n",
        ] {
            assert!(
                matches!(pinned(&pin, "k8s/kustomization.yaml", text.to_owned()), Err(PinError::ByHand { .. })),
                "{text}"
            );
        }
    }
}
