//! The run: order, approval, writing, recovery.
//!
//! | module | what it is |
//! |---|---|
//! | [`state`] | what is true of a run: a fold over records |

pub mod command;
pub mod log;
pub mod protocol;
pub mod state;
