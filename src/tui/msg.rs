//! What comes into [`crate::tui::update`], and what it asks for in return.

use std::sync::Arc;

use crate::domain::time::UtcMs;
use crate::engine::command::{Command, CommandRefused};
use crate::engine::state::RunState;
use crate::tui::keymap::Key;
use crate::tui::save::Saved;

/// The local time zone at the present moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of UTC.
    pub east_s: i32,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// Time went on. Comes before every other message.
    Time {
        /// Real milliseconds since the screen started: for hands and eyes (grace periods, unmasking).
        tick: u64,
        /// The run's clock: for ages, expiry and everything about the run.
        now: UtcMs,
        /// The local zone.
        zone: Option<Zone>,
    },
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// The terminal has a new size.
    Resize(u16, u16),
    /// The window is looked at, or no longer.
    Focus(bool),
    /// The engine published a state.
    State(Arc<RunState>),
    /// Nothing else waits: look at some more rows for the filter.
    Look,
    /// The engine answered a command.
    Answer {
        /// Which.
        asked: Asked,
        /// What it said.
        result: Result<(), CommandRefused>,
    },
    /// A signal told the program to end.
    Signal(Signal),
    /// The engine went away.
    EngineGone,
    /// A side effect of the terminal's could not be done, or is worth a word.
    Said(String),
}

/// A signal that ends the program in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The connection went away.
    Hangup,
    /// Told to end.
    Terminate,
    /// Interrupted from outside.
    Interrupt,
}

/// Why the screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The operator left; the engine finished what was in flight.
    Left,
    /// The operator left without waiting; the journal knows what was in flight, and a resume finds out.
    Forced,
    /// A signal; the engine finished what was in flight, or the wait for it ran out.
    Signal(Signal),
    /// The engine had stopped by itself.
    EngineGone,
    /// A part of the program broke; the report went to the ordinary screen.
    Broke,
}

/// Which command an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Read and plan.
    Gather,
    /// Decide rows.
    Decide,
    /// Read again before approval.
    Check,
    /// Approve.
    Approve,
    /// Pause.
    Pause,
    /// Go on.
    Resume,
    /// Take up a halted stage.
    Continue,
    /// Send again.
    Reissue,
    /// Take a plan from a file.
    Import,
    /// Verify.
    Audit,
    /// Work out what an undo would send.
    Offer,
    /// Take back what was written.
    Undo,
    /// Record an upload.
    Upload,
    /// Change the share.
    Share,
    /// Finish and stop.
    Quit,
}

impl Asked {
    /// What `command` is.
    #[must_use]
    pub const fn of(command: &Command) -> Self {
        match command {
            Command::Gather(_) => Self::Gather,
            Command::Decide { .. } => Self::Decide,
            Command::Check(_) => Self::Check,
            Command::Approve { .. } => Self::Approve,
            Command::Pause { .. } => Self::Pause,
            Command::Resume { .. } => Self::Resume,
            Command::Continue(_) => Self::Continue,
            Command::Reissue { .. } => Self::Reissue,
            Command::Import(_) => Self::Import,
            Command::Audit(_) => Self::Audit,
            Command::OfferUndo(_) => Self::Offer,
            Command::Undo { .. } => Self::Undo,
            Command::Uploaded { .. } => Self::Upload,
            Command::SetShare { .. } => Self::Share,
            Command::Quit => Self::Quit,
        }
    }

    /// The line that shows a key was heard.
    #[must_use]
    pub const fn heard(self) -> &'static str {
        match self {
            Self::Gather => "reading both accounts; nothing is written",
            Self::Decide => "deciding; the plan is sealed anew",
            Self::Check => "checking for drift: the facts are read again",
            Self::Approve => "writing the approval to the journal",
            Self::Pause => "pausing: no new write starts",
            Self::Resume => "going on",
            Self::Continue => "taking up the writing again",
            Self::Offer => "working out what would be taken back",
            Self::Undo => "taking back what was written",
            Self::Reissue => "allowing the rows to be sent again",
            Self::Import => "taking the plan from its file",
            Self::Audit => "reading the result back by another path",
            Self::Upload => "putting the upload on record",
            Self::Share => "changing the share of the limit",
            Self::Quit => "finishing what is in flight, then leaving",
        }
    }

    /// The verb in front of a refusal.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Gather => "scan",
            Self::Decide => "decide",
            Self::Check => "drift check",
            Self::Approve => "approve",
            Self::Pause => "pause",
            Self::Resume => "go on",
            Self::Continue => "continue",
            Self::Offer | Self::Undo => "undo",
            Self::Reissue => "reissue",
            Self::Import => "import",
            Self::Audit => "verify",
            Self::Upload => "upload",
            Self::Share => "share",
            Self::Quit => "leave",
        }
    }
}

/// Something to be done by [`crate::tui::perform`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cmd {
    /// Ask the engine; the answer comes back as [`Msg::Answer`].
    Ask(Command),
    /// Put text on the clipboard.
    Copy(String),
    /// Write two files for people into the run's directory; where they are comes back as [`Msg::Said`].
    Save(Box<Saved>),
    /// Set the terminal's title. Fixed words and counts only, never data.
    Title(String),
    /// Call the operator: bell and notification. Fixed words and counts only.
    Ring(String),
    /// Stop the process until `fg`.
    Suspend,
    /// End the screen.
    Exit(Exit),
}
