//! The form people fill in: `docs/approval_template.md` of the lock before, with what is to be approved in the places of its `{{names}}`.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::unlock::refused::{Reason, Refused};
use crate::words::is_hidden;

/// The template.
pub const TEMPLATE_PATH: &str = "docs/approval_template.md";

/// Where a lock holds no template. Never changed: approvals that were given on it are judged by it.
const PLAIN: &str = "# Approval of unlock {{unlock_id}}\n\n\
    Why, in the words of who asks:\n\n{{reason}}\n\n\
    - Repository: {{repo_id}}\n\
    - Because of: {{trigger}}\n\
    - Lock before: {{base_lock_sha256}}, commit {{base_commit}}\n\
    - Development commit: {{change_commit}}\n\
    - Change manifest: {{change_sha256}}\n\
    - Request and evidence: {{request_commit}}, {{evidence_commit}}\n\
    - Readiness: {{readiness}}\n\
    - Deploy report: {{deploy_report}}\n\
    - Audit index: {{audit_index_sha256}}\n\
    - Needs: 1 operator, {{reviewers_required}}\n\
    - Valid: {{not_before}} to {{expires}}\n\
    - Rollback: {{rollback}}\n\n\
    {{change_files}}\n\nNot as it should be:\n\n{{checks}}\n\nWaived:\n\n{{waives}}\n\n{{signers}}\n";

/// The template of a commit.
///
/// # Errors
/// [`GitError`], also where it is no text.
pub fn template(repository: &Repository, base: Id) -> Result<String, GitError> {
    match repository.file_at(base, TEMPLATE_PATH)? {
        None => Ok(PLAIN.to_owned()),
        Some(bytes) => String::from_utf8(bytes)
            .map(|text| without_comment(&text).to_owned())
            .map_err(|_| GitError::malformed(TEMPLATE_PATH, "it is not UTF-8")),
    }
}

/// What follows the comment that a template begins with: it is for those who change the template.
fn without_comment(text: &str) -> &str {
    let rest = text.strip_prefix("<!--").and_then(|rest| rest.split_once("-->"));
    rest.map_or(text, |(_, rest)| rest.trim_start())
}

/// The template with each name replaced by its value. What a value holds is not read again.
///
/// # Errors
/// [`Refused`] for a name that there is no value of.
pub fn fill(template: &str, fields: &[(&'static str, String)]) -> Result<String, Refused> {
    let refused = |why: String| Refused::new(Reason::ApprovalMalformed, TEMPLATE_PATH, why);
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, after) = after.split_once("}}").ok_or_else(|| refused("a `{{` has no end".to_owned()))?;
        let value = fields.iter().find(|(field, _)| *field == name.trim()).map(|(_, value)| value);
        out.push_str(value.ok_or_else(|| refused(format!("it asks for `{}`, which is not known", plain(name))))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A text with what is not shown escaped, and with no mark that begins other text.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            letter if is_hidden(letter) => out.extend(letter.escape_default()),
            '`' | '<' | '>' | '|' => out.extend(['\\', letter]),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_values_are_not_read_again() {
        let fields = [("a", "{{b}}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(fill("1 {{a}} 2 {{ b }} 3", &fields).unwrap(), "1 {{b}} 2 x 3");
        assert!(fill("{{c}}", &fields).is_err() && fill("{{a", &fields).is_err());
        assert_eq!(fill("no names", &fields).unwrap(), "no names");
    }

    #[test]
    fn the_comment_at_its_beginning_is_no_part_of_a_form() {
        assert_eq!(without_comment("<!--\na\n-->\n# b <!-- c -->"), "# b <!-- c -->");
        assert_eq!(without_comment("# b"), "# b");
    }

    #[test]
    fn what_nobody_sees_is_escaped() {
        assert_eq!(plain("a\u{202e}b\n`"), "a\\u{202e}b\\n\\`");
    }
}
