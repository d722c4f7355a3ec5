//! Artefacts: files that reports leave behind. How they are written, and the index of a folder of them.
//!
//! Evidence contract and unlock contract, audit index: path, size, SHA-256 and producer of every artefact. A producer is what the log of
//! `governance-cli` shows to have made a file with exactly these bytes, never what a file says of itself.

use crate::bounded_file;
use crate::git::id::{Id, Kind};
use crate::json_file;
use crate::own_log::GOVERNANCE_CLI;
use agenttrader_audit::read;
use agenttrader_audit::record::IntentType;
use agenttrader_core::digest::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The form of an index.
pub const FORMAT: &str = "agenttrader/audit-index/v1";

/// Files of one index.
const FILES_MOST: usize = 100_000;

/// Bytes of one file that are read for an index.
const FILE_BYTES_MOST: u64 = 1 << 30;

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Artefact {
    /// Where.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: Digest,
}

/// Why artefacts cannot be written or listed.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// A file or folder cannot be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something that is no file lies among the artefacts.
    #[error("{path} is {what}: an index of artefacts lists regular files with names in UTF-8, and skips nothing")]
    Other {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Too many.
    #[error("{path}: more than {FILES_MOST} files")]
    TooMuch {
        /// Where.
        path: PathBuf,
    },
}

/// Writes files into a folder, each whole and durable or not at all; one of that name is replaced.
///
/// # Errors
/// [`ArtefactError::Io`].
pub fn write(folder: &Path, files: &[(&'static str, Vec<u8>)]) -> Result<Vec<Artefact>, ArtefactError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ArtefactError::Io { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        let mut temporary = tempfile::Builder::new()
            .prefix(".artefact-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(failed(folder))?;
        temporary.write_all(bytes).and_then(|()| temporary.as_file().sync_all()).map_err(failed(&path))?;
        temporary.persist(&path).map_err(|error| failed(&path)(error.error))?;
        written.push(Artefact { path, size: size_of(bytes), sha256: Digest::of(bytes) });
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))?;
    Ok(written)
}

fn size_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The payload of the record that a command made these files.
pub fn payload(command: &str, written: &[Artefact], more: Value) -> Value {
    let files: Vec<Value> = written.iter().map(|it| recorded(&it.path.to_string_lossy(), it.size, it.sha256)).collect();
    json!({"report": command, "files": files, "about": more})
}

/// A file in the `files` of such a record, by the last part of its path: what an index finds its producer by.
pub fn recorded(path: &str, size: u64, sha256: Digest) -> Value {
    json!({"file": path.rsplit('/').next(), "size": size, "sha256": sha256})
}

/// Who made a file, as a log shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// The command.
    pub command: String,
    /// The agent in whose log it stands.
    pub agent_name: String,
    /// The first entry that names these bytes; null for what the command made that made the index, and records both when it is done.
    pub entry: Option<u64>,
    /// The build that ran.
    pub build_id: String,
    /// The commit of that build.
    pub git_sha: String,
}

/// One line of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indexed {
    /// The path below the folder, or from the top of the repository.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: Digest,
    /// Its id as a blob of git.
    pub git_blob: Id,
    /// Who made it; null where no log shows it.
    pub producer: Option<Producer>,
}

impl Indexed {
    /// The line of a file.
    pub fn of(path: String, bytes: &[u8], producer: Option<Producer>) -> Self {
        let git_blob = Id::of(Kind::Blob, bytes);
        Self { path, size: size_of(bytes), sha256: Digest::of(bytes), git_blob, producer }
    }

    /// Whether bytes are those it lists.
    pub fn is(&self, bytes: &[u8]) -> bool {
        Self::of(self.path.clone(), bytes, self.producer.clone()) == *self
    }
}

/// The index of a folder, by path in byte order, as JSON with one line's end.
///
/// # Errors
/// [`ArtefactError`]: what cannot be listed whole is not listed.
pub fn index(folder: &Path, producers: &Producers) -> Result<Vec<Indexed>, ArtefactError> {
    let mut paths = Vec::new();
    walk(folder, folder, &mut paths)?;
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let at = folder.join(&path);
            let failed = |source| ArtefactError::Io { path: at.clone(), source };
            let bytes = bounded_file::read(&at, FILE_BYTES_MOST).map_err(failed)?;
            let producer = producers.of_bytes(&bytes);
            Ok(Indexed::of(path, &bytes, producer))
        })
        .collect()
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<String>) -> Result<(), ArtefactError> {
    let failed = |source| ArtefactError::Io { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let other = |what| ArtefactError::Other { path: path.clone(), what };
        if kind.is_dir() {
            walk(root, &path, paths)?;
            continue;
        }
        if !kind.is_file() {
            return Err(other("no regular file"));
        }
        let name =
            path.strip_prefix(root).ok().and_then(Path::to_str).ok_or_else(|| other("a name that is not UTF-8"))?;
        paths.push(name.to_owned());
        if paths.len() > FILES_MOST {
            return Err(ArtefactError::TooMuch { path: root.to_owned() });
        }
    }
    Ok(())
}

/// Which bytes the log of `governance-cli` shows to have been made by what.
#[derive(Clone, Debug, Default)]
pub struct Producers {
    by_digest: BTreeMap<Digest, Producer>,
}

#[derive(Deserialize)]
struct Made {
    report: String,
    #[serde(default)]
    files: Vec<MadeFile>,
    sha256: Option<Digest>,
}

#[derive(Deserialize)]
struct MadeFile {
    sha256: Digest,
}

impl Producers {
    /// What the log in a data directory shows; nothing where there is none, or as far as it can be read.
    pub fn of(data_dir: &Path) -> Self {
        let mut producers = Self::default();
        let Ok(records) = read::records(data_dir, GOVERNANCE_CLI) else { return producers };
        for record in records.map_while(Result::ok).filter(|record| record.intent_type == IntentType::ReportGenerated) {
            let Ok(made) = serde_json::from_value::<Made>(record.intent_payload.clone()) else { continue };
            for sha256 in made.files.iter().map(|file| file.sha256).chain(made.sha256) {
                producers.by_digest.entry(sha256).or_insert_with(|| Producer {
                    command: made.report.clone(),
                    agent_name: record.agent_name.clone(),
                    entry: Some(record.seq),
                    build_id: record.build_id.clone(),
                    git_sha: record.git_sha.clone(),
                });
            }
        }
        producers
    }

    /// What made a file of these bytes, where the log shows it.
    pub fn of_bytes(&self, bytes: &[u8]) -> Option<Producer> {
        self.by_digest.get(&Digest::of(bytes)).cloned()
    }
}

/// An index as a file.
pub fn index_bytes(indexed: &[Indexed]) -> Vec<u8> {
    json_file::bytes(&json!({"format": FORMAT, "artefacts": indexed}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_log::OwnLog;
    use agenttrader_agent::clock;
    use agenttrader_audit::record::{Entry, Outcome};
    use agenttrader_core::identity::Build;
    use std::os::unix::fs::symlink;

    #[test]
    fn an_index_lists_every_file_once_in_order_and_names_who_made_it_by_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (artefacts, data_dir) = (dir.path().join("artefacts"), dir.path().join("data"));
        let written = write(&artefacts, &[("b.json", b"{}\n".to_vec()), ("a.md", b"page".to_vec())]).unwrap();
        let build = Build { git_sha: "0".repeat(40), build_id: "test".to_owned() };
        let payload = payload("readiness", &written[..1], json!({}));
        let entry = Entry::new(clock::wall(), IntentType::ReportGenerated, Outcome::Success, "made", payload);
        OwnLog::open(&data_dir, &build).unwrap().record(entry).unwrap();
        fs::create_dir(artefacts.join("run")).unwrap();
        fs::write(artefacts.join("run/copy.json"), "{}\n").unwrap();
        fs::write(artefacts.join("run/claims.json"), r#"{"producer": "readiness"}"#).unwrap();

        let indexed = index(&artefacts, &Producers::of(&data_dir)).unwrap();
        let seen: Vec<_> = indexed
            .iter()
            .map(|it| (it.path.as_str(), it.size, it.producer.as_ref().and_then(|by| by.entry)))
            .collect();
        assert_eq!(
            seen,
            [("a.md", 4, None), ("b.json", 3, Some(1)), ("run/claims.json", 25, None), ("run/copy.json", 3, Some(1))]
        );
        // `git hash-object` of `{}` and a line's end.
        assert_eq!(indexed[1].git_blob.to_string(), "0967ef424bce6791893e9a57bb952f80fd536e93");
        let bytes = index_bytes(&indexed);
        assert!(bytes.ends_with(b"}\n") && !bytes.ends_with(b"\n\n"));
        assert_eq!(bytes, index_bytes(&index(&artefacts, &Producers::of(&data_dir)).unwrap()));
        assert!(index(&artefacts, &Producers::of(&dir.path().join("nowhere"))).unwrap()[1].producer.is_none());
    }

    #[test]
    fn what_is_no_file_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/etc/hostname", dir.path().join("link")).unwrap();
        assert!(matches!(index(dir.path(), &Producers::default()), Err(ArtefactError::Other { .. })));
        assert!(matches!(index(&dir.path().join("no"), &Producers::default()), Err(ArtefactError::Io { .. })));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_half_written_stays() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &[("a", b"one".to_vec())]).unwrap();
        let written = write(dir.path(), &[("a", b"two".to_vec())]).unwrap();
        assert_eq!(written[0].sha256, Digest::of(b"two"));
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::metadata(dir.path().join("a")).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
