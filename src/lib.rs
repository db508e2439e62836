//! cutover: a Stripe account to Stripe account migration, driven from a terminal.

pub mod clock;
pub mod domain;
pub mod engine;
pub mod rehearsal;
pub mod stages;
pub mod stripe;
pub mod tui;
