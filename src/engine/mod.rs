//! The run: order, approval, writing, recovery.
//!
//! | module | what it is |
//! |---|---|
//! | [`command`] | what may be asked of the engine, and the handle to ask |
//! | [`state`] | what is true of a run: a fold over records |
//! | [`machine`] | PURE: from a command and the state to records and work |
//! | [`undoing`] | PURE: taking back what a stage wrote |
//! | [`protocol`] | PURE: one effect, exactly once |
//! | [`breaker`] | PURE: the stop rules |
//! | [`driver`] | the only loop: commands in, records to the journal, work started |
//! | [`worker`] | reading, checking, verifying, off the loop |
//! | [`writer`] | the only code that writes to Stripe |
//! | [`journal`] | what is durable |
//! | [`rundir`] | where it is, and who may write it |
//! | [`pin`] | that keys lead to the accounts they are said to lead to |
//! | [`server_time`] | Stripe's clock |
//! | [`log`] | PURE: a record as a line for people |

pub mod breaker;
pub mod command;
#[cfg(debug_assertions)]
mod crash;
pub mod driver;
pub mod journal;
pub mod log;
pub mod machine;
pub mod pin;
pub mod protocol;
pub mod rundir;
pub mod server_time;
pub mod state;
#[cfg(test)]
mod undo_tests;
pub mod undoing;
mod vault;
pub mod worker;
pub mod writer;

pub use vault::{Vault, VaultError};
