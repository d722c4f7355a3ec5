//! Who may permit what: grants and approvals as bytes in, verified values out.
//!
//! This crate never reads a file, a repository or a clock. It alone makes a [`Verified`] value. A draft build trusts no
//! signer, so nothing verifies: every presented file is [`Presented::Unusable`].

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
pub mod git_signature;
pub mod grant;
pub mod namespace;
pub mod presented;
pub mod signer_line;
pub mod signers;
pub mod ssh_key;
mod ssh_wire;
pub mod sshsig;
pub mod trust_root;
