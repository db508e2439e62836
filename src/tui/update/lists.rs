//! Moving: in every list with the same keys and the same behaviour.

use crate::domain::change::Risk;
use crate::domain::ids::Role;
use crate::domain::panel::Tone;
use crate::tui::action::Act;
use crate::tui::keymap::Key;
use crate::tui::model::{Dialog, Model, Pane, Screen};
use crate::tui::msg::Cmd;
use crate::tui::rows::ListPos;
use crate::tui::update::{approval, dialogs};
use crate::tui::view::{self, layout};

/// Moves.
pub fn act(model: &mut Model, act: Act, key: Key) -> Vec<Cmd> {
    match act {
        Act::NextPane => turn_pane(model, 1),
        Act::PrevPane => turn_pane(model, Pane::ALL.len() - 1),
        Act::PickStage => pick_stage(model, key),
        Act::NextRow => to_row(model, |at| at.saturating_add(1)),
        Act::PrevRow => to_row(model, |at| at.saturating_sub(1)),
        Act::NextHigh => next_high(model),
        _ => step(model, act),
    }
    Vec::new()
}

/// How far an action moves in a list with `page` rows on screen.
fn distance(act: Act, page: usize) -> isize {
    let page = isize::try_from(page.max(2) - 1).unwrap_or(isize::MAX);
    match act {
        Act::Up => -1,
        Act::Down => 1,
        Act::PageUp => -page,
        Act::PageDown => page,
        Act::First => isize::MIN,
        _ => isize::MAX,
    }
}

fn step(model: &mut Model, act: Act) {
    let heights = layout::heights(model);
    let by = |page| distance(act, page);
    match &mut model.dialog {
        Some(Dialog::Approval(dialog)) => {
            dialog.scroll = dialog.scroll.saturating_add_signed(by(heights.approval));
        }
        Some(Dialog::Number(asking)) => {
            asking.scroll = asking.scroll.saturating_add_signed(by(heights.number));
        }
        Some(Dialog::Palette { .. }) => {
            let len = dialogs::palette_lines(model).len();
            if let Some(Dialog::Palette { list, .. }) = &mut model.dialog {
                list.step(by(heights.palette), len);
            }
        }
        Some(Dialog::Groups(list)) => {
            let len = model.views.get(model.stage).map_or(0, |view| view.groups.len());
            list.step(by(heights.groups), len);
        }
        _ => step_screen(model, act),
    }
}

fn step_screen(model: &mut Model, act: Act) {
    let heights = layout::heights(model);
    match model.screen {
        Screen::Findings => {
            let len = model.stage_state().map_or(0, |stage| stage.findings.len());
            model.findings.step(distance(act, heights.findings), len);
        }
        Screen::Review if model.review.reading => {
            let by = distance(act, heights.reading);
            model.review.scroll = model.review.scroll.saturating_add_signed(by);
        }
        Screen::Review => step_rows(model, distance(act, heights.review)),
        Screen::Board => step_board(model, act, &heights),
    }
}

fn step_board(model: &mut Model, act: Act, heights: &layout::Heights) {
    match model.pane {
        Pane::Changes => step_rows(model, distance(act, heights.table)),
        Pane::Stages => {
            let mut list = ListPos {
                cursor: model.stage,
                top: 0,
            };
            list.step(distance(act, 1), model.state.stages.len());
            model.stage = list.cursor;
        }
        Pane::Budget => {
            let down = matches!(act, Act::Down | Act::PageDown | Act::Last);
            model.account = if down { Role::Destination } else { Role::Source };
        }
        Pane::Journal => {
            let by = distance(act, heights.journal);
            let back = model
                .journal
                .back
                .saturating_add_signed(by.checked_neg().unwrap_or(isize::MAX));
            model.journal.back = back.min(model.state.log.len().saturating_sub(heights.journal));
        }
    }
}

fn step_rows(model: &mut Model, by: isize) {
    if let Some(view) = model.view_mut() {
        let len = view.len();
        let before = view.list.cursor;
        view.list.step(by, len);
        if view.list.cursor != before {
            other_row(model);
        }
    }
}

fn to_row(model: &mut Model, to: impl Fn(usize) -> usize) {
    if let Some(view) = model.view_mut() {
        view.list.cursor = to(view.list.cursor).min(view.len().saturating_sub(1));
        other_row(model);
    }
}

/// Another row is looked at: from its top, and words meant for the row before do not stick to it.
pub fn other_row(model: &mut Model) {
    if let Some(view) = model.view_mut() {
        view.moved();
    }
    model.review.scroll = 0;
    model.review.note.clear();
}

fn next_high(model: &mut Model) {
    let next = model
        .view()
        .and_then(|view| view.next_row(|change| change.risk == Risk::High));
    match next {
        Some(row) => to_row(model, |_| row),
        None => model.say(Tone::Attention, "no row shown has a high risk"),
    }
}

fn turn_pane(model: &mut Model, by: usize) {
    if model.screen == Screen::Review {
        model.review.reading = !model.review.reading;
        return;
    }
    let at = Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0);
    model.pane = Pane::ALL[(at + by) % Pane::ALL.len()];
}

fn pick_stage(model: &mut Model, key: Key) {
    let Key::Char(digit) = key else { return };
    let Some(at) = digit
        .to_digit(10)
        .and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1))
    else {
        return;
    };
    if at < model.state.stages.len() {
        model.stage = at;
    } else {
        model.say(Tone::Attention, format!("there is no stage {digit}"));
    }
}

/// Keeps every cursor inside its list and every window around its cursor, whatever happened.
pub fn fit(model: &mut Model) {
    let heights = layout::heights(model);
    model.stage = model.stage.min(model.state.stages.len().saturating_sub(1));
    let table = if model.screen == Screen::Review {
        heights.review
    } else {
        heights.table
    };
    if let Some(view) = model.view_mut() {
        let len = view.len();
        view.list.fit(len, table);
    }
    let found = model.stage_state().map_or(0, |stage| stage.findings.len());
    model.findings.fit(found, heights.findings);
    model.journal.back = model.journal.back.min(model.state.log.len().saturating_sub(1));
    fit_dialog(model, &heights);
}

fn fit_dialog(model: &mut Model, heights: &layout::Heights) {
    let lines = match &model.dialog {
        Some(Dialog::Palette { .. }) => dialogs::palette_lines(model).len(),
        Some(Dialog::Groups(_)) => model.view().map_or(0, |view| view.groups.len()),
        Some(Dialog::Approval(dialog)) => approval::facts(model, dialog).len(),
        Some(Dialog::Number(asking)) => view::number::lines(model, asking).len(),
        _ => return,
    };
    match &mut model.dialog {
        Some(Dialog::Palette { list, .. }) => list.fit(lines, heights.palette),
        Some(Dialog::Groups(list)) => list.fit(lines, heights.groups),
        Some(Dialog::Approval(dialog)) => {
            dialog.scroll = dialog.scroll.min(lines.saturating_sub(heights.approval));
        }
        Some(Dialog::Number(asking)) => {
            asking.scroll = asking.scroll.min(lines.saturating_sub(heights.number));
        }
        _ => {}
    }
}
