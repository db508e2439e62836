//! cutover drives a live migration from one Stripe account to another, from a terminal: read, plan, review, approve,
//! write once, verify by another path. This page is the map; read it before the code.
//!
//! # Bird's eye
//!
//! ```text
//!            tui ──commands──►┌──────── engine ────────┐──GET──►  old account
//!   a person │                │ driver  (the only loop)│
//!            ◄──state─────────│ machine (pure)         │──GET──►  new account
//!                             │ workers (read, audit)  │
//!            app/headless ───►│ writer  (the only pen) │──POST─►  both, once, after approval
//!                             └──────┬─────────────────┘
//!                                 journal ── everything true is a fold over it
//! ```
//!
//! A **stage** (`stages/catalogue`, `mapping`, `credits`, `coupons`, `subscriptions`, more to come) is a slice: it reads, plans, scripts
//! its writes, verifies and says what its panel shows. Everything else is a layer and knows no stage by name. A **plan**
//! is sealed by a digest over scope, rows, decisions and totals; an **approval** binds one digest; only an `Approved`
//! plan reaches the writer.
//!
//! # Where things are
//!
//! | folder | what |
//! |---|---|
//! | [`domain`] | the vocabulary: money, scope, changes, plans, approvals, records. Pure |
//! | [`clock`] | the one clock everything asks |
//! | [`stripe`] | one account over HTTP: client, paging, pacing, verdicts; knows no stages |
//! | [`appdb`] | the application's own database: PostgreSQL, MySQL, SQLite; rows, compare-and-set, a ledger of effects |
//! | [`stages`] | the slices |
//! | [`engine`] | order, approval, writing, recovery; the journal and the run directory |
//! | [`rehearsal`] | two Stripe accounts in a box, on loopback HTTP |
//! | [`tui`] | the screen |
//! | [`cli`], [`config`], [`telemetry`] | what can be typed, what is configured, what is traced |
//! | [`app`] | joins all of it; the one folder that sees every other |
//!
//! # Who may use whom
//!
//! Enforced by `tests/law.rs`, which reads the source; this table is a copy of the one there. [`app`] and `main` may use
//! everything. A simulator that shared the client's types could not catch its mistakes, so [`rehearsal`] shares none.
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
//!
//! Besides: only `engine/writer*` and [`app`] may hold the sender of writes ([`stripe::Writer`]), only [`engine`] and
//! [`app`] what changes rows of a database ([`appdb::Writer`]); no stage uses another;
//! what plans and decides (listed there as `PURE`) mentions no runtime, network, file, or clock.
//!
//! # What holds by construction
//!
//! * **No stage can write.** It describes a write; [`engine::writer`] is the single sender.
//! * **Nothing is sent without an approval of exactly that.** [`domain::approval::Approved`] has no constructor but the
//!   check of a plan's digest against an approval; changing a decision changes the digest.
//! * **An intent is on disk before its request leaves, and its outcome before the next step of the same row.**
//! * **A row of the application's database and the line that says it was changed are one transaction**
//!   ([`engine::writer`], [`appdb`]): after a lost connection the database itself says what was committed.
//! * **Unknown is a state.** It is never retried under a new key before a strongly consistent look, ten quiet minutes
//!   and, for money, a person's word ([`engine::protocol`]).
//! * **The same facts give the same plan**, byte for byte; request ids, times and order of arrival are outside it.
//! * **The screen can die at any moment.** The truth is the journal; screen, summary and resume are folds over it.
//! * **Text from outside is drawn only as [`domain::text::Safe`].**
//! * **Keys are never written, drawn, logged or passed as arguments.**
//!
//! # Adding a stage
//!
//! A folder in `stages/`, a variant of [`domain::ids::StageId`], a line in [`stages::all`]. Screens, journal, approval,
//! command line and summary iterate that list.

pub mod app;
pub mod appdb;
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
