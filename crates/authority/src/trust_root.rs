//! The signers a build trusts.

use crate::namespace::Namespace;
use crate::signers::{AllowedSigners, SignersError};
use agenttrader_core::digest::Digest;
use serde::{Deserialize, Serialize};

/// The signers compiled into a build. A draft repository has none, and so has its build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot {
    text: SignersText,
    signers: AllowedSigners,
}

/// The two files a trust root is read from. A plain fact: a recording's head carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignersText {
    /// `ops/trust/allowed_signers`.
    pub allowed_signers: String,
    /// `ops/trust/revoked_keys`.
    pub revoked_keys: String,
}

/// An agent that a build would take for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentTrusted {
    /// By its name.
    #[error("allowed_signers lets the agent `{agent}` sign for `{namespace}`: an agent may sign commits alone")]
    Name {
        /// The agent.
        agent: String,
        /// For what.
        namespace: Namespace,
    },
    /// By its key.
    #[error(
        "allowed_signers gives `{principal}` the key of the agent `{agent}`: people and agents have keys of their own"
    )]
    Key {
        /// The person.
        principal: String,
        /// The agent.
        agent: String,
    },
}

/// An agent and the points of its Ed25519 keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentKeys {
    /// Its name.
    pub agent: String,
    /// Its public keys.
    pub points: Vec<[u8; 32]>,
}

impl TrustRoot {
    /// The root of a draft build: nobody.
    pub fn draft() -> Self {
        Self { text: SignersText::default(), signers: AllowedSigners::default() }
    }

    /// Reads the two files.
    ///
    /// # Errors
    /// [`SignersError`] for files that are not of the profile; nobody is trusted then.
    pub fn read(text: SignersText) -> Result<Self, SignersError> {
        let signers = AllowedSigners::parse(text.allowed_signers.as_bytes(), text.revoked_keys.as_bytes())?;
        Ok(Self { text, signers })
    }

    /// That none of these agents is trusted as a person, by its name or with one of its keys. An agent may stand among the signers of
    /// commits, under its own name.
    ///
    /// # Errors
    /// [`AgentTrusted`] for the first that is; then nothing that the root trusts may count.
    pub fn trusts_none_of(&self, agents: &[AgentKeys]) -> Result<(), AgentTrusted> {
        for line in self.signers.lines() {
            let namespace = line.namespaces.iter().find(|namespace| **namespace != Namespace::Git);
            let is_called = |agent: &str| agent.eq_ignore_ascii_case(&line.principal);
            if let (Some(own), Some(namespace)) = (agents.iter().find(|own| is_called(&own.agent)), namespace) {
                return Err(AgentTrusted::Name { agent: own.agent.clone(), namespace: *namespace });
            }
            if let Some(own) = agents.iter().find(|own| own.points.contains(line.key.point()) && !is_called(&own.agent))
            {
                return Err(AgentTrusted::Key { principal: line.principal.clone(), agent: own.agent.clone() });
            }
        }
        Ok(())
    }

    /// Whether nobody is trusted.
    pub fn is_draft(&self) -> bool {
        self.signers.is_nobody()
    }

    /// The people.
    pub const fn signers(&self) -> &AllowedSigners {
        &self.signers
    }

    /// The files it was read from.
    pub const fn text(&self) -> &SignersText {
        &self.text
    }

    /// Digest of the files' bytes, each with its length before it, for a recording's head.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::new();
        for file in [&self.text.allowed_signers, &self.text.revoked_keys] {
            bytes.extend_from_slice(&u64::try_from(file.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(file.as_bytes());
        }
        Digest::of(&bytes)
    }
}
