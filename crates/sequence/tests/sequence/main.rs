//! The crate as others use it: recordings written, read back, damaged and summed up.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod info;
mod recording;
