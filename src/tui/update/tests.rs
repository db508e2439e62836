use std::sync::Arc;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::domain::change::{AS_PLANNED, LEAVE_OUT};
use crate::domain::ids::Environment;
use crate::engine::command::CommandRefused;
use crate::engine::state::{Phase, RunState};
use crate::tui::model::{Field, Screen};
use crate::tui::{sample, view};

mod anything;
mod approvals;
mod numbers;
mod screens;
mod undoing;

fn on(state: RunState) -> Model {
    sample::model(state, (120, 40)).unwrap()
}

fn press(model: &mut Model, key: Key) -> Vec<Cmd> {
    update(model, Msg::Key(key))
}

fn typed(model: &mut Model, text: &str) {
    for c in text.chars() {
        press(model, Key::Char(c));
    }
}

fn pass(model: &mut Model, ms: u64) {
    let (tick, now) = (model.tick + ms, model.now);
    update(
        model,
        Msg::Time {
            tick,
            now,
            zone: None,
        },
    );
}

fn publish(model: &mut Model, change: impl FnOnce(&mut RunState)) {
    let mut state = (*model.latest).clone();
    change(&mut state);
    update(model, Msg::State(Arc::new(state)));
}

fn asked(cmds: Vec<Cmd>) -> Vec<Command> {
    let commands = cmds.into_iter().filter_map(|cmd| match cmd {
        Cmd::Ask(command) => Some(command),
        _ => None,
    });
    commands.collect()
}

/// The dialog, open on a fresh check, its first second over.
fn approving_on(environment: Environment) -> Model {
    let mut model = on(sample::decided(environment));
    assert!(matches!(
        asked(press(&mut model, Key::Char('a')))[..],
        [Command::Check(_)]
    ));
    update(&mut model, Msg::State(Arc::new(sample::checked(environment))));
    assert!(matches!(model.dialog, Some(Dialog::Approval(_))));
    pass(&mut model, 1_000);
    model
}

fn approving() -> Model {
    approving_on(Environment::Rehearsal)
}

fn dialog(model: &Model) -> &crate::tui::model::Approval {
    match &model.dialog {
        Some(Dialog::Approval(dialog)) => dialog,
        other => panic!("no approval dialog but {other:?}"),
    }
}

fn off(model: &Model) -> Option<String> {
    approval::off_because(model, dialog(model))
}
