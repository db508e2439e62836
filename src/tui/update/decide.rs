//! Decisions: one row, the rows that are decided with it, or all rows of the same shape. A decision is a command; the
//! engine seals the plan anew.
//!
//! A [`Draft`] asks for what it needs, in this order: its number, its note, a word on the other rows it decides where
//! neither dialog has said it. Esc goes back by one of them; nothing is sent before the last.

use crate::domain::change::{AS_PLANNED, Change, ChangeKey, Decision, LEAVE_OUT, Verdict};
use crate::domain::panel::Tone;
use crate::engine::command::Command;
use crate::tui::action::Act;
use crate::tui::keymap::Key;
use crate::tui::model::{Dialog, Draft, Model, NoteFor, Same};
use crate::tui::msg::Cmd;
use crate::tui::reach::{Asked, Reach};
use crate::tui::rows::StageView;
use crate::tui::update::{ask, lists, number};

/// What is said when a decision was prepared on another plan than the one that is there.
pub(super) const CHANGED: &str = "the plan has changed meanwhile; nothing was decided, look again";

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
        Act::Leader => {
            to_leader(model);
            Vec::new()
        }
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

/// What deciding these rows so reaches in the plan that is shown.
pub(super) fn reach(model: &Model, rows: &[ChangeKey], choice: &str) -> Option<Reach> {
    let plan = model.view()?.plan()?;
    Some(Reach::of(plan, rows, choice))
}

fn choose(model: &mut Model, choice: String) -> Vec<Cmd> {
    if let Some(Dialog::Same(same)) = model.dialog.take() {
        choose_for_all(model, *same, choice);
        return Vec::new();
    }
    let Some(key) = model.view().and_then(StageView::selected_key) else {
        return Vec::new();
    };
    let rows = vec![key];
    let Some(reach) = reach(model, &rows, &choice) else {
        return Vec::new();
    };
    next(
        model,
        Draft {
            shape: false,
            rows,
            choice,
            reach,
            number: None,
            told: false,
        },
    )
}

fn choose_for_all(model: &mut Model, mut same: Same, choice: String) {
    if let Some(reach) = reach(model, &same.rows, &choice) {
        if reach.asked == Asked::Differs {
            model.say(Tone::Attention, differs(&choice));
        } else {
            (same.choice, same.reach) = (Some(choice), reach);
        }
    }
    model.dialog = Some(Dialog::Same(Box::new(same)));
}

fn differs(choice: &str) -> String {
    format!(
        "\"{choice}\" asks these rows for different numbers, so no one number fits all; decide them one by one"
    )
}

/// Asks for what the decision still needs; sends it when nothing is missing.
pub(super) fn next(model: &mut Model, mut draft: Draft) -> Vec<Cmd> {
    match (&draft.reach.asked, draft.number) {
        (Asked::Differs, _) => {
            model.say(Tone::Attention, differs(&draft.choice));
            return Vec::new();
        }
        (Asked::Number(bounds), None) => {
            let bounds = bounds.clone();
            number::open(model, draft, &bounds);
            return Vec::new();
        }
        _ => {}
    }
    if draft.reach.sign_off && model.review.note.trim().is_empty() {
        draft.told = true;
        model.dialog = Some(Dialog::Note {
            input: tui_input::Input::default(),
            for_what: NoteFor::Decision(Box::new(draft)),
        });
        return Vec::new();
    }
    if !draft.told && draft.reach.rows.len() > 1 {
        same_again(model, draft);
        return Vec::new();
    }
    send(model, draft)
}

/// The question how many rows a decision is for, with the choice that was made.
fn same_again(model: &mut Model, draft: Draft) {
    model.dialog = Some(Dialog::Same(Box::new(Same {
        shape: draft.shape,
        rows: draft.rows,
        choice: Some(draft.choice),
        reach: draft.reach,
    })));
}

fn send(model: &mut Model, draft: Draft) -> Vec<Cmd> {
    // What was said about the decision was about this plan; another may have come while it was read.
    let now = reach(model, &draft.rows, &draft.choice);
    if now.as_ref() != Some(&draft.reach) {
        model.say(Tone::Attention, CHANGED);
        return Vec::new();
    }
    let Some(stage) = model.stage_state().map(|stage| stage.id) else {
        return Vec::new();
    };
    let note = std::mem::take(&mut model.review.note);
    let decision = Decision {
        choice: draft.choice,
        by: model.latest.operator.clone(),
        note: note.trim().to_owned(),
        number: draft.number,
    };
    ask(
        model,
        Command::Decide {
            stage,
            rows: draft.reach.at,
            decision,
        },
    )
}

/// Esc in a dialog that asked for something of a decision: one step back.
pub(super) fn step_back(model: &mut Model, mut draft: Draft, from_note: bool) {
    if let (true, Some(given), Asked::Number(bounds)) = (from_note, draft.number.take(), &draft.reach.asked) {
        let bounds = bounds.clone();
        number::open_with(model, draft, &bounds, Some(given), false);
    } else if draft.shape {
        same_again(model, draft);
    }
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
    let Some(all) = reach(model, &rows, choice.as_deref().unwrap_or(LEAVE_OUT)) else {
        return Vec::new();
    };
    let choice = choice.filter(|_| all.asked != Asked::Differs);
    model.dialog = Some(Dialog::Same(Box::new(Same {
        shape: true,
        rows,
        choice,
        reach: all,
    })));
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

/// Enter in the question about several rows.
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
    let draft = Draft {
        shape: same.shape,
        rows: same.rows.clone(),
        choice,
        reach: same.reach.clone(),
        number: None,
        told: true,
    };
    model.dialog = None;
    next(model, draft)
}

/// Goes to the row at which the one under the cursor is decided; a filter that hides it gives way.
fn to_leader(model: &mut Model) {
    let leader = |model: &Model| {
        let (change, _) = model.view()?.selected()?;
        change.with.clone()
    };
    let Some(leader) = leader(model) else { return };
    let Some(view) = model.view_mut() else { return };
    let mut found = view.go_to(&leader);
    let hidden = !found && !view.filter().is_empty();
    if hidden {
        view.set_filter("");
        found = view.go_to(&leader);
    }
    if !found {
        model.say(Tone::Attention, format!("{leader} is not in this plan"));
        return;
    }
    lists::other_row(model);
    if hidden {
        model.heard(format!("the filter hid {leader}; it is off now"));
    }
}
