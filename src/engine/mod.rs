//! engine

pub mod journal;
pub mod rundir;
