//! What happens on a message: pure. `update` changes the [`Model`] and says what is to be done; it does nothing itself.
//!
//! | module | takes care of |
//! |---|---|
//! | [`lists`] | moving in lists, panes |
//! | [`screens`] | what can be done on every screen |
//! | [`decide`] | decisions of rows, one and many |
//! | [`number`] | the number a choice asks for |
//! | [`approval`] | the way to an approval |
//! | [`dialogs`] | filter, note, palette, leave, copy, groups |
//! | [`engine`] | new states and answers |
//! | [`small`] | a terminal on which nothing can be seen |

pub mod approval;
pub mod decide;
pub mod dialogs;
pub mod engine;
pub mod lists;
pub mod number;
pub mod screens;
pub mod small;
pub mod text;
pub mod undo;

use crate::domain::panel::Tone;
use crate::engine::command::Command;
use crate::tui::action::{Act, Action};
use crate::tui::keymap::{Key, lookup};
use crate::tui::model::{Dialog, Model};
use crate::tui::msg::{Asked, Cmd, Exit, Msg, Signal};
use crate::tui::notify;

/// Takes in one message.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    let mut cmds = match msg {
        Msg::Time { tick, now, zone } => {
            (model.tick, model.now, model.zone) = (tick, now, zone);
            Vec::new()
        }
        Msg::Key(key) => on_key(model, key),
        Msg::Paste(text) => text::paste(model, &text),
        Msg::Resize(width, height) => {
            small::resized(model, (width, height));
            Vec::new()
        }
        Msg::Focus(focused) => {
            model.focused = focused;
            Vec::new()
        }
        Msg::State(state) => engine::state(model, state),
        Msg::Look => {
            if let Some(view) = model.view_mut() {
                view.look();
            }
            Vec::new()
        }
        Msg::Answer { asked, result } => engine::answer(model, asked, result),
        Msg::Signal(signal) => on_signal(model, signal),
        Msg::EngineGone => engine::gone(model),
        Msg::Said(text) => {
            model.say(Tone::Attention, text);
            Vec::new()
        }
    };
    approval::watch(model);
    lists::fit(model);
    cmds.extend(notify::changes(model));
    cmds
}

fn on_key(model: &mut Model, key: Key) -> Vec<Cmd> {
    if small::is(model) {
        return small::key(model, key);
    }
    if approval::too_early(model, key) {
        return Vec::new();
    }
    match lookup(model.place(), key) {
        Some(action) => run(model, action, key),
        None if model.place().is_text() => text::key(model, key),
        None => Vec::new(),
    }
}

/// Does `action` if it can be done now; otherwise says why not.
pub fn run(model: &mut Model, action: &Action, key: Key) -> Vec<Cmd> {
    if let Err(why) = (action.enabled)(model) {
        model.say(Tone::Attention, format!("{} is off: {why}", action.name));
        return Vec::new();
    }
    model.ack = None;
    act(model, action.act, key)
}

fn act(model: &mut Model, act: Act, key: Key) -> Vec<Cmd> {
    match act {
        Act::Up
        | Act::Down
        | Act::PageUp
        | Act::PageDown
        | Act::First
        | Act::Last
        | Act::NextPane
        | Act::PrevPane
        | Act::PickStage
        | Act::NextRow
        | Act::PrevRow
        | Act::NextHigh => lists::act(model, act, key),
        Act::LeaveOut | Act::AsPlanned | Act::Choose | Act::SameShape | Act::Leader | Act::Note => {
            decide::act(model, act, key)
        }
        Act::Confirm
        | Act::Cancel
        | Act::NextField
        | Act::PrevField
        | Act::CopyId
        | Act::CopyRequest
        | Act::CopyCurl
        | Act::CopyRow
        | Act::LeaveNow => dialogs::act(model, act, key),
        Act::Approve => approval::ask_for_check(model),
        Act::TakeBack => undo::ask_for_offer(model),
        Act::Upload => dialogs::ask_for_upload(model),
        _ => screens::act(model, act),
    }
}

/// Asks the engine, and shows that the key was heard.
pub fn ask(model: &mut Model, command: Command) -> Vec<Cmd> {
    model.heard(Asked::of(&command).heard());
    vec![Cmd::Ask(command)]
}

/// Leaves: the engine finishes what is in flight; its answer ends the screen.
pub fn leave(model: &mut Model, how: Exit) -> Vec<Cmd> {
    if model.leaving.is_some() {
        return vec![Cmd::Exit(Exit::Forced)];
    }
    model.leaving = Some(how);
    model.dialog = Some(Dialog::Leave);
    ask(model, Command::Quit)
}

fn on_signal(model: &mut Model, signal: Signal) -> Vec<Cmd> {
    leave(model, Exit::Signal(signal))
}

#[cfg(test)]
mod tests;
