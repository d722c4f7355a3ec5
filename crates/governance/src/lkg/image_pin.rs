//! A reference pinned to the digest that was seen running.

/// The name of a reference with a digest behind; its tag goes, since a digest alone says which bytes.
pub(super) fn pinned(reference: &str, digest: &str) -> String {
    let named = reference.split_once('@').map_or(reference, |(named, _)| named);
    // A colon before the last slash is a registry's port.
    let from = named.rfind('/').map_or(0, |slash| slash.saturating_add(1));
    let (path, last) = named.split_at(from);
    let last = last.split_once(':').map_or(last, |(last, _)| last);
    format!("{path}{last}@{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_port_stays_and_tag_and_old_digest_go() {
        for (reference, expected) in [
            ("a:1", "a@D"),
            ("a", "a@D"),
            ("r.example:5000/a/b:latest", "r.example:5000/a/b@D"),
            ("r.example:5000/a", "r.example:5000/a@D"),
            ("a/b:1@sha256:00", "a/b@D"),
        ] {
            assert_eq!(pinned(reference, "D"), expected);
        }
    }
}
