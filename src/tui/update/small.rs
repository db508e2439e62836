//! A terminal below 80x24 shows none of what a key would act on, so only three things can be done there: stop writes,
//! go on with them, leave. Nothing is decided or approved unseen.

use crate::tui::action::Act;
use crate::tui::keymap::Key;
use crate::tui::model::{Dialog, Model};
use crate::tui::msg::{Cmd, Exit};
use crate::tui::update::{leave, screens};
use crate::tui::view::layout::{Size, size};

/// Whether the terminal is too small to show anything.
#[must_use]
pub const fn is(model: &Model) -> bool {
    matches!(size(model.size.0, model.size.1), Size::TooSmall)
}

/// A key, unseen.
pub fn key(model: &mut Model, key: Key) -> Vec<Cmd> {
    let asking = matches!(model.dialog, Some(Dialog::Leave));
    match key {
        Key::Char(' ') => screens::act(model, Act::Pause),
        Key::Ctrl('c') if !asking => {
            model.dialog = None;
            screens::act(model, Act::Stop)
        }
        Key::Char('q') => {
            model.dialog = Some(Dialog::Leave);
            Vec::new()
        }
        Key::Esc if asking && model.leaving.is_none() => {
            model.dialog = None;
            Vec::new()
        }
        Key::Enter if asking && model.leaving.is_none() => leave(model, Exit::Left),
        Key::Ctrl('c') => leave(model, Exit::Left),
        _ => Vec::new(),
    }
}

/// The terminal has another size. An approval dialog that can be seen again starts its first second anew.
pub fn resized(model: &mut Model, size: (u16, u16)) {
    let unseen = is(model);
    model.size = size;
    let tick = model.tick;
    if let Some(Dialog::Approval(dialog)) = &mut model.dialog
        && unseen
    {
        dialog.opened = tick;
    }
}
