//! The one list of actions. Key handling, the hint bar, `?` help and the `:` palette are all read from it, so that none
//! of them can say something that another does not.

use crate::tui::enabled as can;
use crate::tui::keymap::{Key, Place};
use crate::tui::model::Model;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named and explained in ACTIONS")]
pub enum Act {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PrevPane,
    PickStage,
    Open,
    Back,
    Filter,
    Approve,
    Scan,
    Audit,
    Pause,
    Continue,
    Reissue,
    TakeBack,
    Upload,
    Findings,
    ShareUp,
    ShareDown,
    Freeze,
    Unmask,
    Copy,
    Groups,
    Help,
    Palette,
    Leave,
    Stop,
    Suspend,
    NextRow,
    PrevRow,
    NextHigh,
    EqualFields,
    LeaveOut,
    AsPlanned,
    Choose,
    SameShape,
    Leader,
    Note,
    Confirm,
    Cancel,
    NextField,
    PrevField,
    CopyId,
    CopyRequest,
    CopyCurl,
    CopyRow,
    Save,
    LeaveNow,
}

/// How careful one has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Changes only what is seen.
    None,
    /// Moves the cursor.
    Moves,
    /// Reads from Stripe: costs allowance.
    Reads,
    /// Decides rows: changes the plan.
    Decides,
    /// Lets writes reach an account.
    Writes,
    /// Ends the program.
    Leaves,
}

/// One entry of the list.
pub struct Action {
    /// What.
    pub act: Act,
    /// The name in help, palette and hints: short, a verb.
    pub name: &'static str,
    /// The keys.
    pub keys: &'static [Key],
    /// Where it can be done.
    pub places: &'static [Place],
    /// How careful one has to be.
    pub danger: Danger,
    /// One sentence.
    pub explains: &'static str,
    /// Order in the hint bar; 0 is not there.
    pub hint: u8,
    /// Whether it can be done now, and why not.
    pub enabled: fn(&Model) -> Result<(), String>,
}

impl Action {
    /// The first key, as it stands in hints.
    #[must_use]
    pub fn key_label(&self) -> String {
        match self.act {
            Act::PickStage | Act::Choose => "1-9".to_owned(),
            _ => self.keys.first().map(|key| key.label()).unwrap_or_default(),
        }
    }

    /// All keys, as they stand in help.
    #[must_use]
    pub fn key_labels(&self) -> String {
        match self.act {
            Act::PickStage | Act::Choose => "1-9".to_owned(),
            _ => self
                .keys
                .iter()
                .map(|key| key.label())
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

use Danger::{Decides, Leaves, Moves, None as Safe, Reads, Writes};
use Place as P;

const LISTS: &[Place] = &[
    P::Board,
    P::Review,
    P::Findings,
    P::Groups,
    P::Palette,
    P::Approval,
    P::Number,
];
/// Every place without a text input: Space stops writes there.
const NOT_TEXT: &[Place] = &[
    P::Board,
    P::Review,
    P::Findings,
    P::Same,
    P::Reissue,
    P::Copy,
    P::Groups,
    P::Leave,
];
const SCREENS: &[Place] = &[P::Board, P::Review, P::Findings];
const TEXTS: &[Place] = &[P::Filter, P::Note, P::Number, P::Approval, P::Palette];
const DIGITS: &[Key] = &[
    Key::Char('1'),
    Key::Char('2'),
    Key::Char('3'),
    Key::Char('4'),
    Key::Char('5'),
    Key::Char('6'),
    Key::Char('7'),
    Key::Char('8'),
    Key::Char('9'),
];

macro_rules! action {
    ($act:ident, $name:literal, $keys:expr, $places:expr, $danger:expr, $hint:literal, $enabled:path, $explains:literal) => {
        Action {
            act: Act::$act,
            name: $name,
            keys: $keys,
            places: $places,
            danger: $danger,
            explains: $explains,
            hint: $hint,
            enabled: $enabled,
        }
    };
}

/// Every action there is.
#[rustfmt::skip] // One action a line: the list is read as a table.
pub static ACTIONS: &[Action] = &[
    action!(Open, "open", &[Key::Enter], &[P::Board], Safe, 1, can::has_rows, "Review the row under the cursor: why, effect, evidence, the exact request."),
    action!(Approve, "approve", &[Key::Char('a')], &[P::Board, P::Review], Writes, 2, can::approve, "Read the facts again, then open the approval dialog. Nothing is written before its phrase is typed."),
    action!(Scan, "scan", &[Key::Char('r')], &[P::Board, P::Review], Reads, 3, can::scan, "Read both accounts and plan this stage anew. Reads only; approval is asked for the new plan."),
    action!(Audit, "verify", &[Key::Char('v')], &[P::Board, P::Review], Reads, 4, can::audit, "Read the result back by another path and compare it to the cent."),
    action!(Continue, "continue", &[Key::Char('c')], &[P::Board, P::Review], Writes, 5, can::resume_halted, "Take up the writing of a halted stage, under the approval it has."),
    action!(Reissue, "reissue", &[Key::Char('R')], &[P::Board, P::Review], Writes, 6, can::reissue, "Allow sending again the rows shown that a probe did not find on Stripe, after a line that says how many."),
    action!(TakeBack, "undo", &[Key::Char('U')], &[P::Board, P::Review], Writes, 0, can::take_back, "Show what taking this stage back would send; nothing is sent before its phrase is typed."),
    action!(Upload, "record upload", &[Key::Char('M')], &[P::Board], Safe, 0, can::upload, "Put on record that a file this stage handed out was uploaded, and what the Dashboard calls it."),
    action!(LeaveOut, "leave out", &[Key::Char('x')], &[P::Review, P::Same], Decides, 2, can::decide, "Leave this row out of the plan; it is counted and reported, never written."),
    action!(AsPlanned, "as planned", &[Key::Char('0')], &[P::Review, P::Same], Decides, 3, can::decide, "Put this row back to what the program made of it."),
    action!(Choose, "choose", DIGITS, &[P::Review, P::Same], Decides, 4, can::decide, "Take the choice with that number; a choice may ask for a number, for a note, or say which rows it decides too."),
    action!(SameShape, "same shape", &[Key::Char('S')], &[P::Review], Decides, 5, can::decide, "Decide every row of the same rule, risk, item and sign at once, after a line that says how many."),
    action!(Leader, "decided with", &[Key::Char('t')], &[P::Review], Moves, 6, can::has_leader, "Go to the row at which this one is decided: what they share is decided there, once."),
    action!(Note, "note", &[Key::Char('i')], &[P::Review], Safe, 6, can::decide, "Write the words that go with the next decision on this row."),
    action!(NextRow, "next", &[Key::Char('n')], &[P::Review], Moves, 1, can::has_rows, "The next row."),
    action!(PrevRow, "previous", &[Key::Char('p')], &[P::Review], Moves, 0, can::has_rows, "The row before."),
    action!(NextHigh, "next high risk", &[Key::Char(']')], &[P::Review, P::Board], Moves, 0, can::has_rows, "The next row whose risk is high."),
    action!(EqualFields, "equal fields", &[Key::Char('e')], &[P::Review], Safe, 7, can::always, "Show or fold the fields that are equal on both sides."),
    action!(Groups, "groups", &[Key::Char('o')], &[P::Board, P::Review], Safe, 8, can::has_rows, "Rows grouped by verdict, by rule and, once written, by Stripe's code, with counts and money."),
    action!(Filter, "filter", &[Key::Char('/')], &[P::Board, P::Review], Safe, 7, can::has_rows, "Show only rows with these words, or verdict: rule: risk: status: code: currency: and a value."),
    action!(Pause, "pause", &[Key::Char(' ')], NOT_TEXT, Safe, 9, can::pause, "Start no new write, anywhere; press again to go on. What is in flight finishes."),
    action!(Findings, "findings", &[Key::Char('F')], &[P::Board, P::Review], Safe, 9, can::findings, "What people have to know about this stage, with customer, rule and reason."),
    action!(Copy, "copy", &[Key::Char('y')], &[P::Board, P::Review], Safe, 10, can::has_rows, "Copy the row's id, a request id, or the request as a curl line without the key."),
    action!(Save, "save view", &[Key::Char('w')], &[P::Board, P::Review], Safe, 0, can::has_rows, "Write what is on the screen as Markdown, and the whole list as CSV, into the run's directory."),
    action!(Freeze, "freeze", &[Key::Char('f')], SCREENS, Safe, 0, can::always, "Hold the picture; work goes on behind it. Press again to go on looking."),
    action!(Unmask, "unmask", &[Key::Char('u')], SCREENS, Safe, 0, can::always, "Show names for ten seconds."),
    action!(ShareUp, "more share", &[Key::Char('+')], &[P::Board], Safe, 0, can::share, "Use five percent more of Stripe's limit on the selected account."),
    action!(ShareDown, "less share", &[Key::Char('-')], &[P::Board], Safe, 0, can::share, "Use five percent less of Stripe's limit on the selected account."),
    action!(NextPane, "pane", &[Key::Tab, Key::Char('l'), Key::Right], &[P::Board, P::Review], Moves, 8, can::always, "The next pane."),
    action!(PrevPane, "previous pane", &[Key::BackTab, Key::Char('h'), Key::Left], &[P::Board, P::Review], Moves, 0, can::always, "The pane before."),
    action!(PickStage, "stage", DIGITS, &[P::Board], Moves, 0, can::always, "Select the stage with that number."),
    action!(Up, "up", &[Key::Up, Key::Char('k')], LISTS, Moves, 0, can::always, "One row up."),
    action!(Down, "down", &[Key::Down, Key::Char('j')], LISTS, Moves, 0, can::always, "One row down."),
    action!(PageUp, "page up", &[Key::PageUp], LISTS, Moves, 0, can::always, "One page up."),
    action!(PageDown, "page down", &[Key::PageDown], LISTS, Moves, 0, can::always, "One page down."),
    action!(First, "first", &[Key::Char('g'), Key::Home], LISTS, Moves, 0, can::always, "The first row."),
    action!(Last, "last", &[Key::Char('G'), Key::End], LISTS, Moves, 0, can::always, "The last row; in the journal, follow again."),
    action!(Back, "back", &[Key::Esc], SCREENS, Safe, 0, can::always, "One step back: a message, a filter, a screen. Never harmful."),
    action!(Palette, "palette", &[Key::Char(':')], SCREENS, Safe, 11, can::always, "Every action by name."),
    action!(Help, "help", &[Key::Char('?')], SCREENS, Safe, 0, can::always, "The actions of this screen, explained; type to search, Enter runs one."),
    action!(Leave, "leave", &[Key::Char('q')], SCREENS, Leaves, 0, can::always, "Leave, after a word on what goes on and how to resume."),
    action!(Stop, "stop and leave", &[Key::Ctrl('c')], &[P::Board, P::Review, P::Findings, P::Same, P::Reissue, P::Copy, P::Groups], Safe, 0, can::always, "Start no new write, then ask whether to leave."),
    action!(Stop, "stop writes", &[Key::Ctrl('c')], TEXTS, Safe, 0, can::always, "Start no new write, while typing."),
    action!(Suspend, "suspend", &[Key::Ctrl('z')], SCREENS, Safe, 0, can::suspend, "Back to the shell until `fg`; refused while a write is between its intent and its outcome."),
    action!(Confirm, "approve", &[Key::Enter], &[P::Approval], Writes, 2, can::always, "Approve, once the phrase fits and nothing has turned the dialog off."),
    action!(Confirm, "apply", &[Key::Enter], &[P::Filter, P::Note, P::Number], Safe, 1, can::always, "Take what was typed."),
    action!(Confirm, "run", &[Key::Enter], &[P::Palette, P::Groups], Safe, 1, can::always, "Take the line under the cursor."),
    action!(Confirm, "decide all", &[Key::Enter], &[P::Same], Decides, 1, can::always, "Decide all the rows that were counted."),
    action!(Confirm, "allow sending again", &[Key::Enter], &[P::Reissue], Writes, 2, can::reissue, "Allow sending these rows again, under the approval they have."),
    action!(Cancel, "go back", &[Key::Esc], &[P::Approval, P::Filter, P::Note, P::Palette, P::Leave, P::Same, P::Number, P::Reissue, P::Copy, P::Groups], Safe, 1, can::always, "Go back; nothing is decided, sent or approved."),
    action!(NextField, "next field", &[Key::Tab], &[P::Approval], Moves, 3, can::always, "The next field of the dialog."),
    action!(PrevField, "previous field", &[Key::BackTab], &[P::Approval], Moves, 0, can::always, "The field before."),
    action!(CopyId, "id", &[Key::Char('i')], &[P::Copy], Safe, 1, can::always, "Copy the row's id."),
    action!(CopyRequest, "request id", &[Key::Char('r')], &[P::Copy], Safe, 2, can::always, "Copy the newest request id of the row."),
    action!(CopyCurl, "curl", &[Key::Char('c')], &[P::Copy], Safe, 3, can::always, "Copy the request as a curl line; the key stays out of it."),
    action!(CopyRow, "row", &[Key::Char('w')], &[P::Copy], Safe, 4, can::always, "Copy the row as text: what it is, why, how its numbers came about, what was decided."),
    action!(LeaveNow, "leave", &[Key::Enter, Key::Ctrl('c')], &[P::Leave], Leaves, 2, can::always, "Finish what is in flight, then leave."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_says_what_it_does_in_a_sentence() {
        for action in ACTIONS {
            assert!(action.explains.ends_with('.'), "{}", action.name);
            assert!(
                !action.keys.is_empty() && !action.places.is_empty(),
                "{}",
                action.name
            );
        }
    }
}
