//! Enough different people: so many operators, so many reviewers, nobody and no key twice.

use crate::signers::SignedBy;
use std::collections::BTreeSet;

/// How many must have signed, in each role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Operators.
    pub operators: usize,
    /// Reviewers, others than the operators.
    pub reviewers: usize,
}

/// Why those who signed are not enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// A person or a key signed twice.
    #[error("`{principal}` signed more than once: each person and each key counts once")]
    Twice {
        /// Who.
        principal: String,
    },
    /// A signer is neither.
    #[error("`{principal}` is neither operator nor reviewer")]
    NoRole {
        /// Who.
        principal: String,
    },
    /// Too few operators.
    #[error("{found} operators signed, {wanted} must")]
    Operators {
        /// How many did.
        found: usize,
        /// How many must.
        wanted: usize,
    },
    /// Too few reviewers.
    #[error("{found} reviewers signed, {wanted} must")]
    Reviewers {
        /// How many did.
        found: usize,
        /// How many must.
        wanted: usize,
    },
    /// Enough of each, but somebody would have to be both.
    #[error("{found} people signed, {wanted} different ones must")]
    People {
        /// How many did.
        found: usize,
        /// How many must.
        wanted: usize,
    },
}

impl Quorum {
    /// Whether these people are enough. Whoever is both operator and reviewer stands for one of the two.
    ///
    /// # Errors
    /// [`QuorumError`] if they are not.
    pub fn check(&self, signed: &[SignedBy]) -> Result<(), QuorumError> {
        distinct(signed)?;
        if let Some(stranger) = signed.iter().find(|by| !by.is_operator() && !by.is_reviewer()) {
            return Err(QuorumError::NoRole { principal: stranger.principal().to_owned() });
        }
        let operators = signed.iter().filter(|by| by.is_operator()).count();
        let reviewers = signed.iter().filter(|by| by.is_reviewer()).count();
        if operators < self.operators {
            return Err(QuorumError::Operators { found: operators, wanted: self.operators });
        }
        if reviewers < self.reviewers {
            return Err(QuorumError::Reviewers { found: reviewers, wanted: self.reviewers });
        }
        let wanted = self.operators.saturating_add(self.reviewers);
        if signed.len() < wanted {
            return Err(QuorumError::People { found: signed.len(), wanted });
        }
        Ok(())
    }
}

/// Whether every person and every key stands there once.
pub(crate) fn distinct(signed: &[SignedBy]) -> Result<(), QuorumError> {
    let (mut people, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let again = signed.iter().find(|by| !people.insert(by.principal()) | !keys.insert(*by.key().point()));
    again.map_or(Ok(()), |by| Err(QuorumError::Twice { principal: by.principal().to_owned() }))
}
