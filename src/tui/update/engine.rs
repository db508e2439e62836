//! New states and answers of the engine's.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::panel::Tone;
use crate::engine::command::CommandRefused;
use crate::engine::state::{LogLine, RunState};
use crate::tui::model::{Dialog, Model, Screen};
use crate::tui::msg::{Asked, Cmd, Exit};
use crate::tui::rows::StageView;
use crate::tui::update::{approval, undo};

/// A state was published.
pub fn state(model: &mut Model, state: Arc<RunState>) -> Vec<Cmd> {
    model.latest = state;
    if model.frozen.is_none() {
        show_latest(model);
    }
    approval::open_when_checked(model);
    undo::open_when_offered(model);
    Vec::new()
}

/// Draws what is true.
pub fn show_latest(model: &mut Model) {
    let state = model.latest.clone();
    if model.journal.back > 0 {
        model.journal.back += new_lines(&model.state.log, &state.log);
    }
    model.views.resize_with(state.stages.len(), StageView::default);
    for (view, stage) in model.views.iter_mut().zip(&state.stages) {
        view.refresh(stage, &*model.panels);
        view.eta.note(&stage.meter, state.now);
    }
    model.state = state;
    if model.screen == Screen::Review || matches!(model.dialog, Some(Dialog::Groups(_))) {
        regroup(model);
    }
}

/// Lines that `now` has below the last one of `before`, so that what is being read does not move.
fn new_lines(before: &VecDeque<LogLine>, now: &VecDeque<LogLine>) -> usize {
    let Some(last) = before.back() else {
        return now.len();
    };
    now.iter().rev().take_while(|line| *line != last).count()
}

/// Makes the groups of the selected stage anew, if rows changed and at most once a second.
pub fn regroup(model: &mut Model) {
    let tick = model.tick;
    if let Some(view) = model.view_mut() {
        view.regroup(tick);
    }
}

/// The engine answered.
pub fn answer(model: &mut Model, asked: Asked, result: Result<(), CommandRefused>) -> Vec<Cmd> {
    if asked == Asked::Quit {
        let gone = matches!(result, Err(CommandRefused::Gone));
        let how = model.leaving.unwrap_or(Exit::Left);
        return vec![Cmd::Exit(if gone && how == Exit::Left {
            Exit::EngineGone
        } else {
            how
        })];
    }
    match (asked, result) {
        (Asked::Approve | Asked::Undo, Ok(())) => approval::granted(model),
        (Asked::Approve | Asked::Undo, Err(why)) => approval::refused(model, &why),
        (_, Ok(())) => heard(model, asked),
        (_, Err(why)) => {
            if asked == Asked::Check {
                model.waiting_check = None;
            }
            if asked == Asked::Offer {
                model.waiting_offer = None;
            }
            model.say(Tone::Bad, format!("{}: {why}", asked.verb()));
        }
    }
    approval::open_when_checked(model);
    undo::open_when_offered(model);
    Vec::new()
}

/// The line that said "heard" has done its work once the thing is done; the state shows the rest.
fn heard(model: &mut Model, asked: Asked) {
    let still = matches!(asked, Asked::Check | Asked::Gather | Asked::Audit | Asked::Share);
    if !still && model.ack.as_deref() == Some(asked.heard()) {
        model.ack = None;
    }
}

/// The engine went away without being told to.
pub fn gone(model: &mut Model) -> Vec<Cmd> {
    if model.leaving.is_some() {
        return vec![Cmd::Exit(model.leaving.unwrap_or(Exit::EngineGone))];
    }
    model.say(Tone::Bad, CommandRefused::Gone.to_string());
    Vec::new()
}
