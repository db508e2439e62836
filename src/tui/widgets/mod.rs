//! Small drawn things that know nothing of runs.

pub mod meter;
pub mod sparkline;
pub mod table;
