//! Grants in an agent's data directory: put there whole, or revoked.

use agenttrader_authority::signed_file::SignedFile;
use agenttrader_core::digest::Digest;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why a file is not put there.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
pub struct InstallError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The folder of grants in a data directory.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("signed").join("grants")
}

/// Puts a grant there, its signatures first: an agent that looks meanwhile sees no grant that lacks one.
///
/// # Errors
/// [`InstallError`].
pub fn install(grant: &SignedFile, data_dir: &Path) -> Result<PathBuf, InstallError> {
    let folder = folder(data_dir);
    for signature in &grant.signatures {
        let name = format!("{}.json.{}.sig", grant.sha256, signature.principal);
        place(&folder, &name, signature.text.as_bytes())?;
    }
    place(&folder, &format!("{}.json", grant.sha256), grant.text.as_bytes())
}

/// Revokes a grant, there or not. Anyone may.
///
/// # Errors
/// [`InstallError`].
pub fn revoke(sha256: Digest, reason: &str, data_dir: &Path) -> Result<PathBuf, InstallError> {
    place(&folder(data_dir), &format!("{sha256}.revoked"), format!("{reason}\n").as_bytes())
}

/// Writes a file beside its name and renames it, so that nobody sees half of it.
fn place(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, InstallError> {
    let path = folder.join(name);
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        fs::create_dir_all(folder)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(folder)?.sync_all()
    })();
    match written {
        Ok(()) => Ok(path),
        Err(source) => {
            let _ = fs::remove_file(&beside);
            Err(InstallError { path, source })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenttrader_authority::signed_file::PersonsSignature;

    #[test]
    fn a_grant_lies_there_under_its_digest_with_its_signatures_and_is_revoked_beside() {
        let dir = tempfile::tempdir().unwrap();
        let text = "{}\n".to_owned();
        let sha256 = Digest::of(text.as_bytes());
        let signatures = vec![PersonsSignature { principal: "ann".to_owned(), text: "by ann".to_owned() }];
        let path = install(&SignedFile { sha256, text, signatures, revoked: false }, dir.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}\n");
        revoke(sha256, "enough", dir.path()).unwrap();
        let mut names: Vec<_> = fs::read_dir(folder(dir.path()))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let wanted = ["json", "json.ann.sig", "revoked"].map(|ending| format!("{sha256}.{ending}"));
        assert_eq!(names, wanted);
    }
}
