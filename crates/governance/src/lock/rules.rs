//! The lock's own rules; those on manifests stand in the policy.

pub mod docs;
pub mod evidence;
pub mod scope;
pub mod tree;
