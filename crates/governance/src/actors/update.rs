//! The refs of a push, as git tells a pre-receive hook of them.

use crate::actors::error::PolicyError;
use crate::git::id::Id;

/// Most refs of one push.
const REFS_MOST: usize = 1_000;

/// A ref that is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// What it names; none where it is new.
    pub old: Option<Id>,
    /// What it shall name; none where it is deleted.
    pub new: Option<Id>,
    /// The ref.
    pub name: String,
}

/// Reads `OLD NEW REF`, a line each.
///
/// # Errors
/// [`PolicyError`].
pub fn updates(told: &[u8]) -> Result<Vec<Update>, PolicyError> {
    let mut found = Vec::new();
    let lines = told.strip_suffix(b"\n").unwrap_or(told).split(|byte| *byte == b'\n');
    for (line, number) in lines.zip(1..).filter(|_| !told.is_empty()) {
        if number > REFS_MOST {
            return Err(PolicyError::TooMany { what: "refs of one push", limit: REFS_MOST });
        }
        found.push(update(line).ok_or(PolicyError::Line { line: number })?);
    }
    if found.is_empty() { Err(PolicyError::Nothing) } else { Ok(found) }
}

fn update(line: &[u8]) -> Option<Update> {
    let text = std::str::from_utf8(line).ok()?;
    let mut words = text.split(' ');
    let (old, new, name) = (Id::parse(words.next()?)?, Id::parse(words.next()?)?, words.next()?);
    let some = |id: Id| (id != Id::from_bytes([0; 20])).then_some(id);
    let whole = words.next().is_none() && name.starts_with("refs/") && !name.chars().any(char::is_control);
    whole.then(|| Update { old: some(old), new: some(new), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn refs_are_read_as_git_tells_them() {
        let told = format!("{ZERO} {A} refs/heads/x\n{A} {ZERO} refs/tags/y\n");
        let found = updates(told.as_bytes()).unwrap();
        let a = Id::parse(A).unwrap();
        assert_eq!(
            found,
            [
                Update { old: None, new: Some(a), name: "refs/heads/x".to_owned() },
                Update { old: Some(a), new: None, name: "refs/tags/y".to_owned() },
            ]
        );
    }

    #[test]
    fn what_git_would_not_say_is_not_judged() {
        for bad in [
            String::new(),
            "\n".to_owned(),
            format!("{A} {A}"),
            format!("{A} {A} refs/heads/x more"),
            format!("{A} {A} heads/x"),
            format!("{A}  {A} refs/heads/x"),
            format!("{} {A} refs/heads/x", A.to_uppercase()),
            format!("{A} {A} refs/heads/x\n\n{A} {A} refs/heads/y"),
            format!("{A} {A} refs/heads/x\r"),
            format!("{A} {A} refs/heads/x\n").repeat(1001),
        ] {
            assert!(updates(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(updates(b"\xff\xff").is_err());
    }
}
