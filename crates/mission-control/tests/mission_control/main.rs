//! What a user of mission control relies on.

mod api;
mod bad_input;
mod given;
mod journals;
mod openapi;
mod poll;
mod stream;
mod view;
mod walk;
