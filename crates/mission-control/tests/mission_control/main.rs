//! What a user of mission control relies on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it needs by failing")]

mod api;
mod bad_input;
mod given;
mod journals;
mod openapi;
mod poll;
mod stream;
mod view;
mod walk;
mod witness;
