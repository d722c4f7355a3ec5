//! The approval's file and the signatures beside it, as a commit holds them.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::{Leaf, Mode};
use crate::unlock::request::folder;
use agenttrader_authority::signed_file::PersonsSignature;
use agenttrader_authority::signer_line::is_principal;
use std::collections::BTreeMap;

/// Most signatures that are read; more are nobody's work, and one more than counts is refused.
const SIGNATURES_MOST: usize = 64;

/// A file that people sign, beside what they signed it with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleSigned {
    /// The file; nothing where there is none.
    pub bytes: Option<Vec<u8>>,
    /// Signatures by principal.
    pub signatures: BTreeMap<String, Vec<u8>>,
}

/// The approval's file.
pub fn approval_path(unlock_id: &str) -> String {
    format!("{}/approval.json", folder(unlock_id))
}

/// The filled form's file.
pub fn form_path(unlock_id: &str) -> String {
    format!("{}/APPROVAL.md", folder(unlock_id))
}

/// The grant's file.
pub fn grant_path(unlock_id: &str) -> String {
    format!("{}/grant.json", folder(unlock_id))
}

/// The file of a person's signature of a file.
pub fn signature_path(path: &str, principal: &str) -> String {
    format!("{path}.{principal}.sig")
}

impl PeopleSigned {
    /// Those of a commit.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn at(repository: &Repository, commit: Id, path: &str) -> Result<Self, GitError> {
        let bytes = repository.file_at(commit, path)?;
        let before = format!("{path}.");
        let mut signatures = BTreeMap::new();
        for (name, leaf) in &repository.files(commit)? {
            let principal = name.as_str().and_then(|name| name.strip_prefix(&before)?.strip_suffix(".sig"));
            let Some(principal) = principal.filter(|principal| is_principal(principal)) else { continue };
            if let Leaf { mode: Mode::File | Mode::Executable, id } = leaf
                && signatures.len() < SIGNATURES_MOST
            {
                signatures.insert(principal.to_owned(), repository.blob(*id)?);
            }
        }
        Ok(Self { bytes, signatures })
    }

    /// The signatures as `authority` reads them.
    pub fn presented(&self) -> Vec<PersonsSignature> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = self.signatures.iter();
        all.map(|(principal, bytes)| PersonsSignature { principal: principal.clone(), text: text(bytes) }).collect()
    }

    /// Who signed, by the files' names.
    pub fn names(&self) -> Vec<&str> {
        self.signatures.keys().map(String::as_str).collect()
    }
}
