//! Decisions: one row, or all rows of the same shape. A decision is a command; the engine seals the plan anew.

use crate::domain::change::{AS_PLANNED, Change, ChangeKey, Decision, LEAVE_OUT, Verdict};
use crate::domain::panel::Tone;
use crate::engine::command::Command;
use crate::tui::action::Act;
use crate::tui::keymap::Key;
use crate::tui::model::{Dialog, Model, NoteFor, Same};
use crate::tui::msg::Cmd;
use crate::tui::rows::StageView;
use crate::tui::update::ask;

/// Does it.
pub fn act(model: &mut Model, act: Act, key: Key) -> Vec<Cmd> {
    match act {
        Act::Note => {
            let note = model.review.note.clone();
            model.dialog = Some(Dialog::Note {
                input: note.into(),
                for_what: NoteFor::Next,
            });
            Vec::new()
        }
        Act::SameShape => same_shape(model),
        _ => match chosen(model, act, key) {
            Ok(choice) => choose(model, choice),
            Err(why) => {
                model.say(Tone::Attention, why);
                Vec::new()
            }
        },
    }
}

/// The name of the choice a key stands for on the row under the cursor.
fn chosen(model: &Model, act: Act, key: Key) -> Result<String, String> {
    let (change, _) = model
        .view()
        .and_then(|view| view.selected())
        .ok_or("no row is under the cursor")?;
    match (act, key) {
        (Act::LeaveOut, _) if change.planned_as == Verdict::Noop => {
            Err("there is nothing to leave out: the row writes nothing".to_owned())
        }
        (Act::LeaveOut, _) => Ok(LEAVE_OUT.to_owned()),
        (Act::AsPlanned, _) => Ok(AS_PLANNED.to_owned()),
        (_, Key::Char(digit)) => nth_choice(change, digit),
        _ => Err("press the number of a choice".to_owned()),
    }
}

fn nth_choice(change: &Change, digit: char) -> Result<String, String> {
    let at = digit
        .to_digit(10)
        .and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
    let choice = at.and_then(|at| change.choices.get(at));
    choice
        .map(|choice| choice.name.clone())
        .ok_or_else(|| match change.choices.len() {
            0 => "this row offers no choices but x (leave out) and 0 (as planned)".to_owned(),
            n => format!("this row offers choices 1 to {n}, x (leave out) and 0 (as planned)"),
        })
}

fn choose(model: &mut Model, choice: String) -> Vec<Cmd> {
    if let Some(Dialog::Same(same)) = &mut model.dialog {
        same.choice = Some(choice);
        return Vec::new();
    }
    let Some(key) = model.view().and_then(StageView::selected_key) else {
        return Vec::new();
    };
    send(model, vec![key], choice)
}

/// Sends a decision, after its note where it needs one.
pub fn send(model: &mut Model, rows: Vec<ChangeKey>, choice: String) -> Vec<Cmd> {
    if needs_note(model, &choice) && model.review.note.trim().is_empty() {
        let for_what = NoteFor::Decision { rows, choice };
        model.dialog = Some(Dialog::Note {
            input: tui_input::Input::default(),
            for_what,
        });
        return Vec::new();
    }
    let Some(stage) = model.stage_state().map(|stage| stage.id) else {
        return Vec::new();
    };
    let note = std::mem::take(&mut model.review.note);
    let decision = Decision {
        choice,
        by: model.latest.operator.clone(),
        note: note.trim().to_owned(),
        number: None,
    };
    ask(
        model,
        Command::Decide {
            stage,
            rows,
            decision,
        },
    )
}

/// Whether the choice, on the row under the cursor, asks for a sign-off.
fn needs_note(model: &Model, choice: &str) -> bool {
    let selected = model.view().and_then(|view| view.selected());
    selected.is_some_and(|(change, _)| {
        change
            .choices
            .iter()
            .any(|offered| offered.name == choice && offered.sign_off)
    })
}

/// Opens the question about all rows of the shape under the cursor; a row that is decided lends its decision.
fn same_shape(model: &mut Model) -> Vec<Cmd> {
    let Some(view) = model.view() else {
        return Vec::new();
    };
    let Some((change, _)) = view.selected() else {
        return Vec::new();
    };
    let rows: Vec<ChangeKey> = view
        .changes()
        .iter()
        .filter(|other| alike(change, other))
        .map(|other| other.key.clone())
        .collect();
    let decision = change.decision.clone();
    if let Some(decision) = decision.as_ref().filter(|_| model.review.note.is_empty()) {
        model.review.note.clone_from(&decision.note);
    }
    let choice = decision.map(|decision| decision.choice);
    model.dialog = Some(Dialog::Same(Same { rows, choice }));
    Vec::new()
}

/// Of the same shape, and with the same choices, so that a decision fits all or none.
fn alike(one: &Change, other: &Change) -> bool {
    let names = |change: &Change| {
        change
            .choices
            .iter()
            .map(|choice| choice.name.clone())
            .collect::<Vec<_>>()
    };
    one.rule == other.rule && one.shape() == other.shape() && names(one) == names(other)
}

/// Enter in the question about a shape.
pub fn confirm_same(model: &mut Model) -> Vec<Cmd> {
    let Some(Dialog::Same(same)) = &model.dialog else {
        return Vec::new();
    };
    let Some(choice) = same.choice.clone() else {
        model.say(
            Tone::Attention,
            "press the key of a choice first: x, 0 or a number",
        );
        return Vec::new();
    };
    let rows = same.rows.clone();
    model.dialog = None;
    send(model, rows, choice)
}
