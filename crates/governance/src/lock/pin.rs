//! `lock pin`: an image's digest, written wherever the files on disk that the rule `no-latest` judges name the image: as one reference
//! ([`reference`]), or in parts, as kustomizations and values do ([`parts`]). A part of a change, before people approve it.

mod parts;
mod reference;

use crate::disk::{Disk, Found};
use crate::git::path::RepoPath;
use crate::lock::manifests::Judged;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// Most bytes of a file that is rewritten.
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
    /// The image is named in a form that is not rewritten.
    #[error(
        "{path}:{line} names the image in a form that is not rewritten: write `digest: {digest}` beside its name by hand"
    )]
    ByHand {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The digest.
        digest: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
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
}

/// Writes the digest, and says in which files how often.
///
/// # Errors
/// [`PinError::ByHand`], and nothing is written; [`PinError::Write`], and files before it are.
pub fn pin(disk: &Disk, judged: &Judged, pin: &Pin) -> Result<Vec<(RepoPath, usize)>, PinError> {
    let mut rewritten = Vec::new();
    for (path, _) in disk.iter().filter(|(path, found)| matches!(found, Found::File { .. }) && judged.is(path)) {
        let bytes = disk.read(path, MANIFEST_BYTES_MOST).ok();
        let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
        let (text, references) = reference::pinned(pin, &text);
        let (text, parts) = parts::pinned(pin, &path.to_string(), text)?;
        if references + parts > 0 {
            rewritten.push((path.clone(), text, references + parts));
        }
    }
    let mut written = Vec::new();
    for (path, text, times) in rewritten {
        let at = disk.root().join(OsStr::from_bytes(path.as_bytes()));
        fs::write(&at, text).map_err(|source| PinError::Write { path: at, source })?;
        written.push((path, times));
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
    use agenttrader_policy::finding::{Rule, Verdict};

    fn digest() -> String {
        format!("sha256:{}", "ab".repeat(32))
    }

    fn put(root: &std::path::Path, path: &str, text: &str) {
        let at = root.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    #[test]
    fn what_is_no_image_with_a_digest_is_refused() {
        for bad in ["a", "a@sha256:00", "a:latest@DIGEST", "a:Latest@DIGEST", "@DIGEST", "a b@DIGEST", "a@sha512:00"] {
            assert!(Pin::parse(&bad.replace("DIGEST", &digest())).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_judged_files_are_written() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["k8s/a.yaml", "docs/a.yaml"] {
            put(dir.path(), path, "image: x:1\nimage: y:1\n");
        }
        let one = Pin::parse(&format!("x@{}", digest())).unwrap();
        let disk = Disk::walk(dir.path(), None).unwrap();
        assert_eq!(pin(&disk, &Judged::new().unwrap(), &one).unwrap(), [(RepoPath::from("k8s/a.yaml"), 1)]);
        let text = fs::read_to_string(dir.path().join("k8s/a.yaml")).unwrap();
        assert_eq!(text, format!("image: x:1@{}\nimage: y:1\n", digest()));
        assert_eq!(fs::read_to_string(dir.path().join("docs/a.yaml")).unwrap(), "image: x:1\nimage: y:1\n");
        assert_eq!(pin(&disk, &Judged::new().unwrap(), &one).unwrap(), []);
    }

    /// Everywhere that the rule looks, by one tag each.
    const TREE: [(&str, &str); 6] = [
        (
            "k8s/base/a.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      \
             containers: [{name: a, image: \"r.example:5000/floor:v1\"}]\n      volumes:\n        - name: v\n          \
             image:\n            reference: r.example:5000/floor:v1\n",
        ),
        ("k8s/base/kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "k8s/over/kustomization.yaml",
            "resources: [../base]\nimages:\n  - name: r.example:5000/floor\n    newTag: v2 # soon\n  - name: other\n    newTag: v3\n",
        ),
        (
            "k8s/flow/kustomization.yaml",
            "resources: [../base]\nimages: [{name: 'r.example:5000/floor', newName: \"r.example:5000/floor\", newTag: v2}]\n",
        ),
        (
            "scripts/run.sh",
            "kubectl run a --image=r.example:5000/floor:v1\nkubectl run b --image 'r.example:5000/floor:v1'\n",
        ),
        ("Dockerfile", "FROM --platform=linux/amd64 r.example:5000/floor:v1 AS build\n"),
    ];

    #[test]
    fn after_it_the_rule_finds_no_tag_alone_and_a_second_time_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        TREE.iter().for_each(|(path, text)| put(dir.path(), path, text));
        let judged = Judged::new().unwrap();
        let warned = || -> Vec<String> {
            let tree = Disk::walk(dir.path(), None).unwrap().tree(|path| judged.is(path)).unwrap();
            let findings = agenttrader_policy::judge(&tree, Some(&[Rule::NoLatest]));
            let of = findings.iter().filter(|it| it.rule == Rule::NoLatest && it.verdict != Verdict::Pass);
            of.map(|it| format!("{}: {:?} {}", it.path, it.value, it.message)).collect()
        };
        assert!(warned().len() >= 7, "{:#?}", warned());
        let one = Pin::parse(&format!("r.example:5000/floor@{}", digest())).unwrap();
        let times = pin(&Disk::walk(dir.path(), None).unwrap(), &judged, &one).unwrap();
        assert_eq!(times.iter().map(|(_, times)| times).sum::<usize>(), 7, "{times:?}");
        assert_eq!(warned(), Vec::<String>::new());
        assert_eq!(pin(&Disk::walk(dir.path(), None).unwrap(), &judged, &one).unwrap(), []);
        let over = fs::read_to_string(dir.path().join("k8s/over/kustomization.yaml")).unwrap();
        assert!(
            over.contains(&format!("    newTag: v2 # soon\n    digest: {}\n  - name: other\n", digest())),
            "{over}"
        );
    }

    #[test]
    fn where_one_file_needs_a_hand_none_is_written() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "k8s/a.yaml", "image: x:1\n");
        put(dir.path(), "k8s/b/kustomization.yaml", "x: &x {name: x, newTag: v1}\nimages: [*x]\n");
        let one = Pin::parse(&format!("x@{}", digest())).unwrap();
        let error = pin(&Disk::walk(dir.path(), None).unwrap(), &Judged::new().unwrap(), &one).unwrap_err();
        assert!(error.to_string().starts_with("k8s/b/kustomization.yaml:2 names"), "{error}");
        assert_eq!(fs::read_to_string(dir.path().join("k8s/a.yaml")).unwrap(), "image: x:1\n");
    }
}
