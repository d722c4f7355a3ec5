//! What agents may change, over real repositories made with stock git in temporary folders.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may")]

mod allowed;
mod floor;
mod forbidden;
mod history;
