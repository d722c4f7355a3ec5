//! Evidence beside the logs, where there is any: reports, unlocks with their approvals, and what people signed.
//!
//! Of `audit_artifacts/` only the reports that this program makes are taken: anything may lie there, secrets too. Of `ops/unlock/` and the
//! data directory's `signed/` every file is: the one is committed, the other is what agents verify.

use super::PackError;
use super::member::{EVIDENCE_BYTES_MOST, Member};
use crate::bounded_file;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The reports, by the names that commands give them.
const REPORTS: [&str; 10] = [
    "audit_index.json",
    "audit_verify.json",
    "configuration_snapshot.json",
    "deploy_report.json",
    "deploy_report.md",
    "lock_validate.json",
    "manifest_diff.json",
    "readiness.json",
    "readiness_report.json",
    "readiness_report.md",
];

/// Files of all three folders.
const FILES_MOST: usize = 10_000;

/// What there is, by its path in the pack.
pub(super) type Evidence = BTreeMap<String, Vec<u8>>;

/// Gathers it. What has no place in a pack is left out, and told.
pub(super) fn gather(
    data_dir: &Path,
    repository: Option<&Path>,
    remarks: &mut Vec<String>,
) -> Result<Evidence, PackError> {
    let mut evidence = Evidence::new();
    if let Some(repository) = repository {
        for name in REPORTS {
            let at = repository.join("audit_artifacts").join(name);
            if fs::symlink_metadata(&at).is_ok() {
                take(&at, format!("artefacts/{name}"), &mut evidence, remarks)?;
            }
        }
        folder(&repository.join("ops/unlock"), "unlock", &mut evidence, remarks)?;
    }
    folder(&data_dir.join("signed"), "signed", &mut evidence, remarks)?;
    Ok(evidence)
}

fn folder(at: &Path, path: &str, evidence: &mut Evidence, remarks: &mut Vec<String>) -> Result<(), PackError> {
    let failed = |source| PackError::Io { path: at.to_owned(), source };
    let listed = match fs::read_dir(at) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    for entry in listed {
        let entry = entry.map_err(failed)?;
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(failed)?.is_dir() {
            folder(&entry.path(), &path, evidence, remarks)?;
        } else {
            take(&entry.path(), path, evidence, remarks)?;
        }
    }
    Ok(())
}

fn take(at: &Path, path: String, evidence: &mut Evidence, remarks: &mut Vec<String>) -> Result<(), PackError> {
    let failed = |source| PackError::Io { path: PathBuf::from(at), source };
    let mut leave = |why: &str| remarks.push(format!("{} was left out: {why}", at.display()));
    if !fs::symlink_metadata(at).map_err(failed)?.is_file() {
        leave("it is no regular file");
    } else if !matches!(Member::parse(&path), Some(Member::Evidence(_))) {
        leave("its name has no place in a pack");
    } else if evidence.len() >= FILES_MOST {
        leave("there are too many files");
    } else {
        let most = u64::try_from(EVIDENCE_BYTES_MOST).unwrap_or(u64::MAX);
        match bounded_file::read(at, most) {
            Ok(bytes) => drop(evidence.insert(path, bytes)),
            Err(error) if error.kind() == ErrorKind::FileTooLarge => leave("it is too large"),
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}
