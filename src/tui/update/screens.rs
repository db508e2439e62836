//! What can be done on every screen.

use crate::domain::ids::Role;
use crate::engine::command::Command;
use crate::tui::action::Act;
use crate::tui::model::{Dialog, Model, Screen, UNMASK_MS};
use crate::tui::msg::Cmd;
use crate::tui::rows::{ListPos, StageView};
use crate::tui::save;
use crate::tui::update::{ask, dialogs, engine};

/// Share of the limit changed by one key, in percent.
const SHARE_STEP: u32 = 5;

/// Does it.
pub fn act(model: &mut Model, act: Act) -> Vec<Cmd> {
    match act {
        Act::Open => open(model, Screen::Review),
        Act::Findings => open(model, Screen::Findings),
        Act::Back => back(model),
        Act::Freeze => freeze(model),
        Act::Unmask => unmask(model),
        Act::Filter => dialogs::open_filter(model),
        Act::Copy => model.dialog = Some(Dialog::Copy),
        Act::Groups => {
            engine::regroup(model);
            model.dialog = Some(Dialog::Groups(ListPos::default()));
        }
        Act::Reissue => {
            let rows = model.view().map(StageView::reissue_shown).unwrap_or_default();
            model.dialog = Some(Dialog::Reissue(rows));
        }
        Act::Help => dialogs::open_palette(model, true),
        Act::Palette => dialogs::open_palette(model, false),
        Act::Leave => model.dialog = Some(Dialog::Leave),
        Act::Save => {
            return save::view(model)
                .map(|saved| Cmd::Save(Box::new(saved)))
                .into_iter()
                .collect();
        }
        Act::Suspend => return vec![Cmd::Suspend],
        _ => return command(model, act),
    }
    Vec::new()
}

fn command(model: &mut Model, act: Act) -> Vec<Cmd> {
    match act {
        Act::Pause => return pause_or_resume(model),
        Act::Stop => return stop(model),
        Act::ShareUp => return share(model, |percent| percent.saturating_add(SHARE_STEP)),
        Act::ShareDown => return share(model, |percent| percent.saturating_sub(SHARE_STEP)),
        _ => {}
    }
    let Some(stage) = model.stage_state().map(|stage| stage.id) else {
        return Vec::new();
    };
    let command = match act {
        Act::Scan => Command::Gather(stage),
        Act::Audit => Command::Audit(stage),
        Act::Continue => Command::Continue(stage),
        _ => return Vec::new(),
    };
    ask(model, command)
}

/// Pauses, or goes on when paused. Asks the true state, not the frozen picture.
fn pause_or_resume(model: &mut Model) -> Vec<Cmd> {
    let by = model.latest.operator.clone();
    let command = if model.latest.paused.is_some() {
        Command::Resume { by }
    } else {
        Command::Pause { by }
    };
    ask(model, command)
}

/// Ctrl-C: starts no new write. On a screen it asks about leaving as well; beside a text input it only stops.
fn stop(model: &mut Model) -> Vec<Cmd> {
    if !model.place().is_text() {
        model.dialog = Some(Dialog::Leave);
    }
    if model.latest.fatal.is_some() {
        return Vec::new();
    }
    if model.latest.paused.is_some() {
        model.heard("paused already: no new write starts");
        return Vec::new();
    }
    let by = model.latest.operator.clone();
    ask(model, Command::Pause { by })
}

fn share(model: &mut Model, change: impl Fn(u32) -> u32) -> Vec<Cmd> {
    let role = model.account;
    let Some(budget) = model.latest.budgets.get(&role) else {
        return Vec::new();
    };
    let percent = change(budget.share_percent).clamp(1, 100);
    let mut cmds = ask(model, Command::SetShare { role, percent });
    let name = if role == Role::Source { "old" } else { "new" };
    model.heard(format!("{name} account: {percent}% of the limit"));
    cmds.truncate(1);
    cmds
}

fn open(model: &mut Model, screen: Screen) {
    model.screen = screen;
    model.review.reading = false;
    model.review.scroll = 0;
    engine::regroup(model);
}

/// One step back: a message, the other side of the review, a screen, a filter.
fn back(model: &mut Model) {
    if model.notice.take().is_some() || model.waiting_check.take().is_some() {
        return;
    }
    if model.screen == Screen::Review && model.review.reading {
        model.review.reading = false;
    } else if model.screen != Screen::Board {
        model.screen = Screen::Board;
    } else if let Some(view) = model.view_mut() {
        view.set_filter("");
    }
}

fn freeze(model: &mut Model) {
    if model.frozen.take().is_some() {
        engine::show_latest(model);
        model.heard("the picture goes on");
    } else {
        model.frozen = Some(model.now);
        model.heard("frozen: work goes on behind the picture");
    }
}

fn unmask(model: &mut Model) {
    model.unmasked_until = model.tick + UNMASK_MS;
    model.heard("names are shown for ten seconds");
}
