//! Who may permit what: grants and approvals as bytes in, verified values out.
//!
//! This crate never reads a file, a repository or a clock. It alone makes a [`presented::Verified`] value. A draft build trusts no
//! signer, so nothing verifies: every presented file is [`presented::Presented::Unusable`].

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod approval;
pub mod change_manifest;
pub mod delegation;
pub mod git_signature;
pub mod grant;
pub mod grant_limits;
pub mod namespace;
pub mod presented;
pub mod quorum;
pub mod signed_file;
pub mod signer_line;
pub mod signers;
pub mod ssh_key;
mod ssh_wire;
pub mod sshsig;
pub mod statement;
pub mod trust_root;
pub mod unlock_approval;
pub mod verify;
