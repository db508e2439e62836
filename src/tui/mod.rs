//! The full-screen terminal: shows a run as the engine publishes it, and asks the engine for what the operator wants.
//!
//! ```text
//! terminal events ─▶ input ─▶ Msg ─▶ update (PURE) ─▶ Cmd ─▶ perform ─▶ engine
//!                              ▲        │ changes                          │
//!                              │      Model ─▶ view::draw ─▶ frame         │
//!                              └──────────── RunState, answers ────────────┘
//! ```
//!
//! The screen can be killed at any moment without harm: the truth is the journal. Nothing here can write to an account;
//! the strongest thing it can do is to hand the engine a phrase that a person typed.
//!
//! | module | what it is |
//! |---|---|
//! | [`action`] | the one list of actions: keys, hints, help and palette are read from it |
//! | [`keymap`], [`input`] | keys by name; from terminal events to messages |
//! | [`model`], [`dialog`], [`update`], [`view`] | all that is known; what changes it; how it is drawn |
//! | [`rows`], [`groups`], [`reach`], [`save`], [`filter`], [`eta`], [`needs`], [`words`], [`facts`], [`enabled`] | pure helpers of these |
//! | [`theme`], [`glyphs`], [`widgets`] | how it looks |
//! | [`terminal`], [`events`], [`perform`], [`notify`], [`run`](mod@run) | the rim: the terminal, the engine, the loop |
//! | [`sample`], [`svg`] | runs to draw in tests, benches and screenshots |

pub mod action;
pub mod dialog;
pub mod enabled;
pub mod eta;
pub mod events;
pub mod facts;
pub mod filter;
pub mod glyphs;
pub mod groups;
pub mod input;
pub mod keymap;
pub mod model;
pub mod msg;
pub mod needs;
pub mod notify;
pub mod perform;
pub mod reach;
pub mod rows;
pub mod run;
pub mod sample;
pub mod save;
pub mod svg;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
pub mod widgets;
pub mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::clock::Clock;
use crate::engine::command::Handle;
pub use msg::{Exit, Signal};
pub use terminal::restore;

/// How the screen is to look.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// ASCII signs: yes, no, or as the locale says.
    pub ascii: Option<bool>,
    /// No colours, as `NO_COLOR` asks.
    pub no_color: bool,
    /// Name of a theme in `assets/themes`.
    pub theme: Option<String>,
    /// Names shown or masked; by default masked when the accounts are live.
    pub unmask: Option<bool>,
    /// The run's directory, where views are saved. Without it there is no place for them.
    pub save_in: Option<PathBuf>,
    /// The run's clock. Without it the screen shows the time of the last state.
    pub clock: Option<Clock>,
}

impl Options {
    /// What the command line says; everything else as the machine says.
    #[must_use]
    pub fn new(ascii: bool, no_color: bool, theme: Option<String>) -> Self {
        Self {
            ascii: ascii.then_some(true),
            no_color,
            theme,
            ..Self::default()
        }
    }

    /// With the directory of the run, where views are saved.
    #[must_use]
    pub fn saving_in(mut self, dir: &Path) -> Self {
        self.save_in = Some(dir.to_owned());
        self
    }

    /// With the run's clock, so that the time on screen goes on between two states.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }
}

/// Why there is no screen. Nothing was written because of it.
#[derive(Debug, Error)]
pub enum TuiError {
    /// There is no terminal, or it does not obey.
    #[error(
        "the full-screen view needs a terminal on standard output ({0}); use the headless commands without one"
    )]
    Terminal(#[source] io::Error),
    /// Signals cannot be listened to.
    #[error(
        "signals cannot be listened to ({0}), so the run could not be left in good order; nothing was started"
    )]
    Signals(#[source] io::Error),
    /// A theme that cannot be used.
    #[error(transparent)]
    Theme(#[from] theme::ThemeError),
}

/// Shows the run behind `handle` until the operator leaves, a signal ends it, or the engine is gone. On return the
/// terminal is as it was, and unless the exit is [`Exit::Forced`] or [`Exit::Broke`] the engine has been told to finish.
pub async fn run(handle: Handle, options: Options) -> Result<Exit, TuiError> {
    let look = look(&options)?;
    let model = model::Model::new(look, Arc::new(model::StagePanels), options.unmask);
    run::Loop::new(handle, model, options.clock, options.save_in)?
        .run()
        .await
}

fn look(options: &Options) -> Result<model::Look, TuiError> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default();
    let glyphs = match options.ascii {
        Some(true) => glyphs::ASCII,
        Some(false) => glyphs::UNICODE,
        None => glyphs::Glyphs::for_locale(&locale),
    };
    let theme = theme::Theme::choose(options.theme.as_deref(), options.no_color)?;
    Ok(model::Look { theme, glyphs })
}
