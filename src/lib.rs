//! cutover: a Stripe account to Stripe account migration, driven from a terminal.
//!
//! # Import law
//!
//! `tests/law.rs` reads `src/` and enforces this table, which is a copy of the one there. `app` and `main` may use
//! everything and decide nothing.
//!
//! | folder | may use | never mentions |
//! |---|---|---|
//! | `domain` | nothing | `tokio`, `reqwest`, `ratatui`, `crossterm`, `axum`, `std::env` |
//! | `clock` | `domain::time` | `ratatui`, `crossterm`, `axum` |
//! | `config` | `domain` | `tokio`, `reqwest`, `ratatui`, `crossterm`, `axum` |
//! | `cli` | `domain`, `config`, `stages` | `ratatui`, `crossterm`, `axum` |
//! | `telemetry` | `domain`, `config` | `ratatui`, `crossterm`, `axum` |
//! | `stripe` | `domain`, `clock` | `ratatui`, `crossterm`, `axum` |
//! | `appdb` | `domain`, `clock` | `ratatui`, `crossterm`, `axum`, `reqwest` |
//! | `rehearsal` | `clock`, `domain::time` | `ratatui`, `crossterm`, `reqwest` |
//! | `router` | `domain`, `appdb`, `clock` | `ratatui`, `crossterm` |
//! | `reports` | `domain` | `ratatui`, `crossterm`, `axum` |
//! | `stages` | `domain`, `stripe`, `appdb`, `clock` | `ratatui`, `crossterm`, `axum`, `reqwest` |
//! | `engine` | `domain`, `stages`, `stripe`, `appdb`, `clock` | `ratatui`, `crossterm`, `axum` |
//! | `tui` | `domain`, `stages`, `engine`, `clock` | `reqwest`, `axum`, `sqlx`, `std::net` |

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
