//! cutover: a Stripe account to Stripe account migration, driven from a terminal.

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod rehearsal;
pub mod stages;
pub mod stripe;
pub mod telemetry;
pub mod tui;
