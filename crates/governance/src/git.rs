//! Git, which is read and never believed. The one place that runs it.
//!
//! Every call is a plumbing command in a cleared environment with the settings of [`repository`], so that nothing a repository's
//! configuration names is run: no hook, filter, monitor, signing program or transport. What decides is read from the bytes of objects,
//! whose ids are computed again; no verdict rests on git's exit code or on the text of a diff.

pub mod commit;
pub mod disk;
pub mod error;
pub mod history;
pub mod id;
pub mod index;
pub mod objects;
pub mod path;
pub mod program;
pub mod quarantine;
mod read;
pub mod refs;
pub mod repository;
pub mod sign;
pub mod tag;
pub mod tree;
pub mod write;
