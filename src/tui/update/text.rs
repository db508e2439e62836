//! Text being typed. Space and digits are text here; Ctrl-C stops writes (it is an action of its own).

use tui_input::{Input, InputRequest};

use crate::tui::keymap::Key;
use crate::tui::model::{Dialog, Field, GRACE_MS, Model};
use crate::tui::msg::Cmd;
use crate::tui::update::{dialogs, number};

/// Longest text an input takes, in characters.
pub const LONGEST: usize = 200;

/// A key for the input that has the focus.
pub fn key(model: &mut Model, key: Key) -> Vec<Cmd> {
    if let Some(request) = request(key) {
        edit(model, request);
    }
    Vec::new()
}

fn request(key: Key) -> Option<InputRequest> {
    Some(match key {
        Key::Char(c) => InputRequest::InsertChar(c),
        Key::Backspace => InputRequest::DeletePrevChar,
        Key::Delete => InputRequest::DeleteNextChar,
        Key::Left => InputRequest::GoToPrevChar,
        Key::Right => InputRequest::GoToNextChar,
        Key::Home | Key::Ctrl('a') => InputRequest::GoToStart,
        Key::End | Key::Ctrl('e') => InputRequest::GoToEnd,
        Key::Ctrl('w') => InputRequest::DeletePrevWord,
        Key::Ctrl('u') => InputRequest::DeleteLine,
        Key::Ctrl('k') => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}

fn edit(model: &mut Model, request: InputRequest) {
    if let Some(Dialog::Number(asking)) = &mut model.dialog {
        return number::edit(asking, request);
    }
    let Some(input) = focused(model) else { return };
    let full = input.value().chars().count() >= LONGEST;
    if full && matches!(request, InputRequest::InsertChar(_)) {
        return;
    }
    input.handle(request);
    dialogs::typed(model);
}

fn focused(model: &mut Model) -> Option<&mut Input> {
    match model.dialog.as_mut()? {
        Dialog::Filter { input, .. } | Dialog::Note { input, .. } | Dialog::Palette { input, .. } => {
            Some(input)
        }
        Dialog::Approval(dialog) if dialog.sent || dialog.off.is_some() => None,
        Dialog::Approval(dialog) => Some(match dialog.field {
            Field::Phrase => &mut dialog.phrase,
            Field::Witness => &mut dialog.witness,
            Field::Note => &mut dialog.note,
        }),
        _ => None,
    }
}

/// Pasted text is text, never keys: into an input, but not into the phrase, which has to be typed.
pub fn paste(model: &mut Model, text: &str) -> Vec<Cmd> {
    let tick = model.tick;
    match &mut model.dialog {
        Some(Dialog::Approval(dialog)) if tick < dialog.opened.saturating_add(GRACE_MS) => {
            dialog.dropped += 1;
            return Vec::new();
        }
        Some(Dialog::Approval(dialog)) if dialog.field == Field::Phrase => {
            dialog.pasted = true;
            return Vec::new();
        }
        _ => {}
    }
    if !model.place().is_text() {
        model.heard("pasted text was ignored: nothing here takes text");
        return Vec::new();
    }
    for c in text.chars().filter(|c| !c.is_control()).take(LONGEST) {
        edit(model, InputRequest::InsertChar(c));
    }
    Vec::new()
}
