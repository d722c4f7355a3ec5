//! `lock pin`: an image's digest, written wherever the manifests on disk name the image. A part of a change, before people approve it.

use crate::disk::{Disk, Found};
use crate::git::path::RepoPath;
use crate::lock::manifests::Judged;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// Most bytes of a manifest that is rewritten.
const MANIFEST_BYTES_MOST: u64 = 16 * 1024 * 1024;

/// An image and the digest it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    name: String,
    tag: Option<String>,
    digest: String,
}

/// Why nothing is pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// No image with a digest.
    #[error("`{text}` is not NAME[:TAG]@sha256:DIGEST with 64 lower-case hex digits and a tag that is not latest")]
    Image {
        /// The text.
        text: String,
    },
    /// A manifest cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Pin {
    /// Reads `NAME[:TAG]@sha256:DIGEST`.
    ///
    /// # Errors
    /// [`PinError::Image`].
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let wrong = || PinError::Image { text: text.chars().take(300).collect() };
        let (image, digest) = text.split_once('@').ok_or_else(wrong)?;
        let hex = digest.strip_prefix("sha256:").ok_or_else(wrong)?;
        let is_hex = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (name, tag) = name_and_tag(image);
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte))
        };
        let is_latest = tag.is_some_and(|tag| tag.eq_ignore_ascii_case("latest"));
        if !is_hex || !plain(name) || tag.is_some_and(|tag| !plain(tag)) || is_latest {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest: digest.to_owned() })
    }

    /// The line with the digest, where it names the image with another reference. A tag stays, unless the pin names one.
    fn line(&self, line: &str) -> Option<String> {
        let at = line.find("image:")?;
        let (before, rest) = line.split_at_checked(at + "image:".len())?;
        let is_key = before.trim_start().trim_start_matches("- ").trim_start() == "image:";
        let value = rest.trim_start();
        let blank = rest.get(..rest.len() - value.len())?;
        if !is_key || blank.is_empty() {
            return None;
        }
        let quote =
            value.chars().next().filter(|letter| matches!(letter, '"' | '\'')).map(String::from).unwrap_or_default();
        let inner = value.strip_prefix(&*quote)?;
        let end =
            inner.find(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'')).unwrap_or(inner.len());
        let (reference, after) = inner.split_at_checked(end)?;
        let (name, tag) = name_and_tag(reference.split('@').next()?);
        if name != self.name {
            return None;
        }
        let tag = self.tag.as_deref().or(tag).map(|tag| format!(":{tag}")).unwrap_or_default();
        let pinned = format!("{name}{tag}@{}", self.digest);
        (pinned != reference).then(|| format!("{before}{blank}{quote}{pinned}{after}"))
    }
}

/// Writes the digest, and says in which files how often.
///
/// # Errors
/// [`PinError::Write`]; files before it are written.
pub fn pin(disk: &Disk, judged: &Judged, pin: &Pin) -> Result<Vec<(RepoPath, usize)>, PinError> {
    let mut written = Vec::new();
    for (path, _) in disk.iter().filter(|(path, found)| matches!(found, Found::File { .. }) && judged.is(path)) {
        let bytes = disk.read(path, MANIFEST_BYTES_MOST).ok();
        let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
        let mut lines = 0;
        let new: String = text
            .split_inclusive('\n')
            .map(|line| {
                pin.line(line).map_or_else(
                    || line.to_owned(),
                    |pinned| {
                        lines += 1;
                        pinned
                    },
                )
            })
            .collect();
        if lines > 0 {
            let at = disk.root().join(OsStr::from_bytes(path.as_bytes()));
            fs::write(&at, new).map_err(|source| PinError::Write { path: at, source })?;
            written.push((path.clone(), lines));
        }
    }
    Ok(written)
}

/// A reference without its digest: a port of a registry is no tag.
fn name_and_tag(image: &str) -> (&str, Option<&str>) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> String {
        format!("sha256:{}", "ab".repeat(32))
    }

    #[test]
    fn a_reference_gets_the_digest_and_keeps_its_tag_its_quotes_and_its_comment() {
        let digest = digest();
        let pin = Pin::parse(&format!("r.example:5000/a/b@{digest}")).unwrap();
        for (line, wanted) in [
            ("  image: r.example:5000/a/b:v1\n", Some(format!("  image: r.example:5000/a/b:v1@{digest}\n"))),
            (
                "- image: \"r.example:5000/a/b\" # why\n",
                Some(format!("- image: \"r.example:5000/a/b@{digest}\" # why\n")),
            ),
            ("image: r.example:5000/a/b:v1@sha256:00\n", Some(format!("image: r.example:5000/a/b:v1@{digest}\n"))),
            ("  image: r.example:5000/a/bc:v1\n", None),
            ("  # image: r.example:5000/a/b:v1\n", None),
            ("  my-image: r.example:5000/a/b:v1\n", None),
            ("  image:r.example:5000/a/b:v1\n", None),
        ] {
            assert_eq!(pin.line(line), wanted, "{line}");
        }
        let tagged = Pin::parse(&format!("r.example:5000/a/b:v2@{digest}")).unwrap();
        assert_eq!(tagged.line("image: r.example:5000/a/b:v1"), Some(format!("image: r.example:5000/a/b:v2@{digest}")));
    }

    #[test]
    fn what_is_no_image_with_a_digest_is_refused() {
        for bad in ["a", "a@sha256:00", "a:latest@DIGEST", "a:Latest@DIGEST", "@DIGEST", "a b@DIGEST", "a@sha512:00"] {
            assert!(Pin::parse(&bad.replace("DIGEST", &digest())).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_manifests_are_written() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["k8s/a.yaml", "docs/a.yaml"] {
            let at = dir.path().join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, "image: x:1\nimage: y:1\n").unwrap();
        }
        let one = Pin::parse(&format!("x@{}", digest())).unwrap();
        let disk = Disk::walk(dir.path(), None).unwrap();
        assert_eq!(pin(&disk, &Judged::new().unwrap(), &one).unwrap(), [(RepoPath::from("k8s/a.yaml"), 1)]);
        let text = fs::read_to_string(dir.path().join("k8s/a.yaml")).unwrap();
        assert_eq!(text, format!("image: x:1@{}\nimage: y:1\n", digest()));
        assert_eq!(fs::read_to_string(dir.path().join("docs/a.yaml")).unwrap(), "image: x:1\nimage: y:1\n");
        assert_eq!(pin(&disk, &Judged::new().unwrap(), &one).unwrap(), []);
    }
}
