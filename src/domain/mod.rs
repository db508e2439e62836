//! The vocabulary, in the order a reader meets it. Pure.

pub mod time;
