//! Recordings made of a real market's files.

pub mod lean;
