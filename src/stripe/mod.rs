//! One Stripe account over HTTP. Knows nothing of stages, runs or screens.
//!
//! * [`Account`] and [`Settings`] say whom to talk to and within which limits; [`Link`] holds the account's pacing and
//!   makes a [`Reader`] (GETs and the one reading POST, repeated within bounds) and a [`Writer`] (POSTs, each sent exactly once).
//! * [`allow`] decides before the network what may be asked of which account at all.
//! * [`form`] makes the bytes, [`retry`] and [`budget`] decide what an answer means for the same request, [`pace`] when
//!   the next one may leave. These are pure but for the pacer's clock.
//! * [`page`] and [`scan`] read lists, [`wire`] has the shapes at API version [`STRIPE_VERSION`].

pub mod account;
pub mod allow;
pub mod base;
pub mod budget;
pub mod client;
mod counts;
pub mod error;
pub mod form;
mod gate;
pub mod json;
pub mod key;
mod lane;
pub mod limits;
mod once;
pub mod pace;
pub mod page;
pub mod reply;
pub mod retry;
pub mod scan;
mod split;
#[cfg(test)]
pub(crate) mod stub;
mod transport;
mod watchdog;
pub mod wire;

pub use account::{Account, Settings};
pub use allow::{Endpoint, Method, Refused, Role};
pub use base::{BaseUrlError, check_base_url};
pub use budget::{Budget, Exhausted, Next};
pub use client::{Fetched, Link, Reader, Writer};
pub use counts::HISTORY_SECS;
pub use error::{ApiError, Broken, Failure, PageFault, Sent, TransportError};
pub use form::Form;
pub use key::{ApiKey, KeyError, KeyKind, Mode};
pub use limits::{Limited, PaceConfig, WaitReason};
pub use pace::{PaceSnapshot, Pacer, Permit};
pub use page::{Listed, Page, Pages, dedupe};
pub use reply::{Meta, Reply};
pub use retry::{Class, Kind, Verdict, judge};
pub use scan::{CURSORS, Scan};
pub use transport::SetupError;

/// The API version of every request on both accounts (facts 1.2).
pub const STRIPE_VERSION: &str = "2026-08-26.dahlia";
