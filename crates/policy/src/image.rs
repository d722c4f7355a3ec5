//! Image references, by the grammar of the distribution project.

/// What a reference is fixed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// A digest: always the same bytes.
    Digest,
    /// A tag that is not `latest`: the same bytes as long as nobody moves it.
    Tag,
}

/// Why a reference does not say which image is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Nothing stands there.
    #[error("the image is empty")]
    Empty,
    /// A space, a tab or a line break.
    #[error("there is a space in the image reference, or around it")]
    Space,
    /// Something that is to be put in later.
    #[error("the image is a placeholder: what fills it is decided elsewhere")]
    Placeholder,
    /// No tag and no digest, which means `latest`.
    #[error("the image has neither tag nor digest, which means `latest`")]
    Bare,
    /// `latest`, in any case, with a digest or without.
    #[error("the image's tag is `latest`, which is another image tomorrow")]
    Latest,
    /// Not a reference.
    #[error("the image reference is malformed: {0}")]
    Malformed(&'static str),
}

/// Longest name that registries take.
const NAME: usize = 255;

/// Words that stand where a tag is to be put in.
const TAG_PLACEHOLDERS: [&str; 21] = [
    "build_id",
    "change-me",
    "change_me",
    "changeme",
    "commit",
    "digest",
    "fixme",
    "git_sha",
    "image_tag",
    "placeholder",
    "replace-me",
    "replace_me",
    "replaceme",
    "sha",
    "tag",
    "tbd",
    "todo",
    "version",
    "xxx",
    "your-tag",
    "your_tag",
];

/// Parts of a name that stand where one is to be put in.
const NAME_PLACEHOLDERS: [&str; 9] = [
    "change-me",
    "changeme",
    "placeholder",
    "project_id",
    "replace-me",
    "replace_me",
    "replaceme",
    "your-project",
    "your-registry",
];

/// What a reference is fixed by.
///
/// # Errors
///
/// When it is not fixed, is to be filled later, or is none.
pub fn check(reference: &str) -> Result<Fixed, ImageError> {
    if reference.is_empty() {
        return Err(ImageError::Empty);
    }
    if is_template(reference) {
        return Err(ImageError::Placeholder);
    }
    if reference.chars().any(char::is_whitespace) {
        return Err(ImageError::Space);
    }
    let (named, digest) = match reference.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (reference, None),
    };
    // A colon before the last slash is a registry's port.
    let from = named.rfind('/').map_or(0, |slash| slash.saturating_add(1));
    let (path, last) = named.split_at(from);
    let (last, tag) = match last.split_once(':') {
        Some((last, tag)) => (last, Some(tag)),
        None => (last, None),
    };
    if tag.is_some_and(|tag| tag.eq_ignore_ascii_case("latest")) {
        return Err(ImageError::Latest);
    }
    let is_placeholder = |words: &[&str], text: &str| {
        let text = text.to_ascii_lowercase();
        words.contains(&text.as_str()) || text.contains("placeholder")
    };
    let parts = path.split('/').chain(std::iter::once(last));
    if tag.is_some_and(|tag| is_placeholder(&TAG_PLACEHOLDERS, tag))
        || parts.into_iter().any(|part| is_placeholder(&NAME_PLACEHOLDERS, part))
    {
        return Err(ImageError::Placeholder);
    }
    check_name(&format!("{path}{last}"))?;
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    match (tag, digest) {
        (_, Some(digest)) => check_digest(digest).map(|()| Fixed::Digest),
        (Some(_), None) => Ok(Fixed::Tag),
        (None, None) => Err(ImageError::Bare),
    }
}

/// Whether something is still to be put in.
pub fn is_template(text: &str) -> bool {
    text.contains(['$', '{', '}', '<', '>', '%', '*', '[', ']'])
        || text.contains("@@")
        || text.contains("__")
            && text.split('/').any(|part| part.starts_with("__") && part.contains(|c: char| c.is_ascii_uppercase()))
}

/// A tag alone.
///
/// # Errors
///
/// When registries do not take it.
pub fn check_tag(tag: &str) -> Result<(), ImageError> {
    if tag.eq_ignore_ascii_case("latest") {
        return Err(ImageError::Latest);
    }
    let word = |part: char| part.is_ascii_alphanumeric() || part == '_';
    if tag.is_empty() || tag.len() > 128 || !tag.chars().all(|part| word(part) || matches!(part, '.' | '-')) {
        return Err(ImageError::Malformed("a tag is up to 128 letters, digits, `_`, `.` and `-`"));
    }
    if !tag.starts_with(word) {
        return Err(ImageError::Malformed("a tag begins with a letter, a digit or `_`"));
    }
    Ok(())
}

/// A digest alone: `sha256:` and 64 hex digits.
///
/// # Errors
///
/// When it is none.
pub fn check_digest(digest: &str) -> Result<(), ImageError> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if hex.len() == 64 && hex.bytes().all(is_hex) {
        Ok(())
    } else {
        Err(ImageError::Malformed("a digest is `sha256:` and 64 hex digits in small letters"))
    }
}

/// A name without tag and digest: a registry, where the first part looks like one, and parts of a path.
///
/// # Errors
///
/// When it is none.
pub fn check_name(name: &str) -> Result<(), ImageError> {
    let (first, rest) = name.split_once('/').unwrap_or(("", name));
    let is_host = first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase());
    let path = if is_host { rest } else { name };
    if is_host && !is_registry(first) {
        return Err(ImageError::Malformed("the registry is no host name with an optional port"));
    }
    if name.len() > NAME {
        return Err(ImageError::Malformed("the name has more than 255 letters"));
    }
    if path.split('/').all(is_path_part) {
        Ok(())
    } else {
        Err(ImageError::Malformed("a name is small letters and digits, with `.`, `_`, `__` or `-` between them"))
    }
}

fn is_registry(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_address = name.starts_with('[')
        && name.ends_with(']')
        && name.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'[' | b']'));
    (is_address || name.split('.').all(label))
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Letters and digits with one separator between them: a dot, one or two underscores, or any number of hyphens.
fn is_path_part(part: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| is_letter(*first) && is_letter(*last))
        && bytes
            .split(|byte| is_letter(*byte))
            .all(|run| matches!(run, b"" | b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_tag_or_a_digest_fixes_an_image() {
        for (reference, fixed) in [
            ("busybox:1.36", Fixed::Tag),
            ("localhost:5000/a/b:v1", Fixed::Tag),
            ("localhost/a:V1", Fixed::Tag),
            ("registry.example:5000/floor/agent:1.2", Fixed::Tag),
            ("a__b/c-d--e/f.g_h:_x.y-z", Fixed::Tag),
            ("REGISTRY.Example/a:1", Fixed::Tag),
            ("a:latest-1", Fixed::Tag),
            ("latest:1", Fixed::Tag),
            ("todo-app:1", Fixed::Tag),
        ] {
            assert_eq!(check(reference), Ok(fixed), "{reference}");
        }
        for name in ["a", "a:1", "localhost:5000/a", "r.example/a:2"] {
            assert_eq!(check(&format!("{name}@{DIGEST}")), Ok(Fixed::Digest), "{name}");
        }
    }

    #[test]
    fn a_registrys_port_is_no_tag() {
        for reference in ["localhost:5000/agent", "registry.example:443/a/b", "busybox", "a/b/c"] {
            assert_eq!(check(reference), Err(ImageError::Bare), "{reference}");
        }
    }

    #[test]
    fn latest_is_latest_in_any_case_and_beside_a_digest() {
        for reference in ["a:latest", "a:LATEST", "a:Latest", "r.example:5000/a:latest"] {
            assert_eq!(check(reference), Err(ImageError::Latest), "{reference}");
            assert_eq!(check(&format!("{reference}@{DIGEST}")), Err(ImageError::Latest), "{reference}");
        }
    }

    #[test]
    fn spaces_and_placeholders_are_refused() {
        for reference in ["a:1 ", " a:1", "a: 1", "a:1\n", "a:1\u{a0}", "a:1\u{2003}"] {
            assert_eq!(check(reference), Err(ImageError::Space), "{reference:?}");
        }
        for reference in [
            "${IMAGE}",
            "a:${TAG}",
            "a:$TAG",
            "<image>",
            "{{ .Values.image }}",
            "a:TAG",
            "a:replace_me",
            "$(IMAGE):1",
            "__IMAGE__",
            "your-registry/a:1",
            "a:%VERSION%",
            "REPLACE_ME",
        ] {
            assert_eq!(check(reference), Err(ImageError::Placeholder), "{reference}");
        }
        assert_eq!(check(""), Err(ImageError::Empty));
    }

    #[test]
    fn what_no_registry_takes_is_malformed() {
        for reference in [
            "a:",
            "a@",
            "a:1@sha256:abc",
            "a@sha512:0123",
            "A:1",
            "a/B:1",
            "-a:1",
            "a.:1",
            "a..b:1",
            "a___b:1",
            "a//b:1",
            "/a:1",
            "a/:1",
            "https://a/b:1",
            "a:1:2",
            "a:-1",
            "a:.1",
            "r.example:x/a:1",
            "a:é",
            "ä:1",
            "-r.example/a:1",
        ] {
            assert!(matches!(check(reference), Err(ImageError::Malformed(_))), "{reference}: {:?}", check(reference));
        }
        assert!(check(&format!("a@{}", DIGEST.to_uppercase())).is_err());
        assert!(check(&format!("a@{DIGEST}0")).is_err());
        assert!(check(&format!("a:{}", "1".repeat(129))).is_err());
        assert!(check(&format!("{}:1", "a".repeat(256))).is_err());
    }
}
