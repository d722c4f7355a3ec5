//! Signatures by people's keys, made by stock ssh-keygen: a key in a file, in an agent, or on a token that is touched.

use crate::git::error::GitError;
use crate::git::program::Programs;
use crate::git::repository::{fed, text};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// First line of a signature.
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";

/// Whose key signs, and as whom commits and tags say they are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The principal, as the list of signers spells it.
    pub principal: String,
    /// The private key's file; a public key's where an agent holds the private one.
    pub key: PathBuf,
    /// Where an agent listens, for ssh-keygen.
    pub agent: Option<OsString>,
}

impl Signer {
    /// Signs bytes for a purpose. They go in and out through pipes: a file of the signature's name is never in the way.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn sign(&self, programs: &Programs, namespace: &str, bytes: &[u8]) -> Result<String, GitError> {
        let mut keygen = Command::new(&programs.ssh_keygen);
        keygen.env_clear().env("LC_ALL", "C");
        self.reach_agent(&mut keygen);
        keygen.args(["-Y", "sign", "-n", namespace, "-f"]).arg(&self.key);
        let signature = text(fed(keygen, "ssh-keygen -Y sign", bytes)?, "ssh-keygen -Y sign")?;
        if signature.starts_with(BEGIN) {
            Ok(signature)
        } else {
            Err(GitError::malformed("the answer of ssh-keygen -Y sign", "it is no signature"))
        }
    }

    pub(crate) fn reach_agent(&self, command: &mut Command) {
        if let Some(agent) = &self.agent {
            command.env("SSH_AUTH_SOCK", agent);
        }
    }

    /// The key's file by its whole path: git and ssh-keygen run elsewhere.
    ///
    /// # Errors
    /// [`GitError::Io`] where there is none.
    pub fn new(principal: &str, key: &Path, agent: Option<OsString>) -> Result<Self, GitError> {
        let whole = std::fs::canonicalize(key);
        let key = whole.map_err(|source| GitError::Io { doing: "find", path: key.to_owned(), source })?;
        Ok(Self { principal: principal.to_owned(), key, agent })
    }
}
