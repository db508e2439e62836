//! What can lie over a screen, and what it remembers while it does.

use std::sync::Arc;

use tui_input::Input;

use crate::domain::change::ChangeKey;
use crate::domain::ids::{Digest, StageId};
use crate::domain::time::UtcMs;
use crate::engine::state::Offer;
use crate::tui::reach::Reach;
use crate::tui::rows::ListPos;

/// Where the approval dialog's keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// The phrase.
    #[default]
    Phrase,
    /// The second name.
    Witness,
    /// The operator's own words.
    Note,
}

/// The dialog that asks for an approval.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The stage.
    pub stage: StageId,
    /// The plan it was opened for.
    pub digest: Digest,
    /// It is an undo that is asked for: what it would send.
    pub back: Option<Arc<Offer>>,
    /// When the facts were read again, or the undo was worked out.
    pub checked_at: UtcMs,
    /// When it opened, in real milliseconds.
    pub opened: u64,
    /// Keys dropped in its first second.
    pub dropped: u32,
    /// Something was pasted, and not taken.
    pub pasted: bool,
    /// Where the keys go.
    pub field: Field,
    /// The phrase as typed.
    pub phrase: Input,
    /// The second name as typed.
    pub witness: Input,
    /// The note as typed.
    pub note: Input,
    /// Why it turned itself off; it never turns on again.
    pub off: Option<String>,
    /// The engine has been asked.
    pub sent: bool,
    /// What the engine said against it.
    pub refused: Option<String>,
    /// First line of the facts that is shown.
    pub scroll: usize,
    /// Rows left out, by rule.
    pub left_out: Vec<(String, u64)>,
}

/// Deciding several rows at once: all of a shape, or those that are decided together with the row under the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same {
    /// All rows of a shape, rather than one row and what is decided with it.
    pub shape: bool,
    /// The rows.
    pub rows: Vec<ChangeKey>,
    /// The choice, once made.
    pub choice: Option<String>,
    /// What that choice reaches; while none is made, all that any could.
    pub reach: Reach,
}

/// A decision on its way: it is sent when everything that it asks for has been given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// All rows of a shape, rather than the one under the cursor.
    pub shape: bool,
    /// The rows it was asked for.
    pub rows: Vec<ChangeKey>,
    /// The choice.
    pub choice: String,
    /// What it reaches.
    pub reach: Reach,
    /// The number, once given.
    pub number: Option<u64>,
    /// The person has been told how many rows it reaches.
    pub told: bool,
}

/// The dialog that asks for a number.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The decision that waits for it.
    pub draft: Draft,
    /// What is typed.
    pub input: Input,
    /// What stands there is the program's proposal, and the first digit takes its place.
    pub proposed: bool,
    /// First line shown of what it would do.
    pub scroll: usize,
}

/// What a note is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteFor {
    /// The next decision.
    Next,
    /// This decision, which waits for it.
    Decision(Box<Draft>),
    /// Which file was uploaded, and what the Dashboard calls it.
    Upload(StageId),
}

/// What lies over the screen.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// Typing a filter; the text in force before.
    Filter {
        /// What is typed.
        input: Input,
        /// The filter to go back to.
        before: String,
    },
    /// Typing a note.
    Note {
        /// What is typed.
        input: Input,
        /// What for.
        for_what: NoteFor,
    },
    /// Asking for an approval.
    Approval(Box<Approval>),
    /// Actions by name.
    Palette {
        /// What is typed.
        input: Input,
        /// Only those of the place below, with explanations: help.
        help: bool,
        /// The line under the cursor.
        list: ListPos,
    },
    /// Asking whether to leave.
    Leave,
    /// Deciding several rows at once.
    Same(Box<Same>),
    /// Asking for the number of a choice.
    Number(Box<Asking>),
    /// Allowing rows to be sent again.
    Reissue(Vec<ChangeKey>),
    /// Choosing what to copy.
    Copy,
    /// The list of groups.
    Groups(ListPos),
}
