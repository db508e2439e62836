//! Small dialogs: filter, note, palette and help, leaving, copying, groups.

use std::fmt::Write as _;

use tui_input::Input;

use crate::domain::change::Change;
use crate::domain::ids::StageId;
use crate::domain::panel::Tone;
use crate::domain::write::{PlannedWrite, idempotency_key, marker};
use crate::engine::command::Command;
use crate::tui::action::{ACTIONS, Act, Action};
use crate::tui::keymap::Key;
use crate::tui::model::{Dialog, Field, Model, NoteFor};
use crate::tui::msg::{Cmd, Exit};
use crate::tui::rows::ListPos;
use crate::tui::update::{approval, ask, decide, leave, number, run};
use crate::tui::view::detail::heading;
use crate::tui::view::pen::clean;
use crate::tui::words;

/// Does it.
pub fn act(model: &mut Model, act: Act, key: Key) -> Vec<Cmd> {
    match act {
        Act::Confirm => return confirm(model),
        Act::Cancel => return cancel(model),
        Act::NextField => turn_field(model, true),
        Act::PrevField => turn_field(model, false),
        // Once the engine has been asked to finish, only Ctrl-C leaves without waiting; an impatient Enter does not.
        Act::LeaveNow if model.leaving.is_some() && key == Key::Enter => {}
        Act::LeaveNow => return leave(model, Exit::Left),
        _ => return copy(model, act),
    }
    Vec::new()
}

fn confirm(model: &mut Model) -> Vec<Cmd> {
    match &model.dialog {
        Some(Dialog::Approval(_)) => approval::confirm(model),
        Some(Dialog::Same(_)) => decide::confirm_same(model),
        Some(Dialog::Number(_)) => number::confirm(model),
        Some(Dialog::Reissue(_)) => confirm_reissue(model),
        Some(Dialog::Note { .. }) => confirm_note(model),
        Some(Dialog::Palette { .. }) => confirm_palette(model),
        Some(Dialog::Groups(_)) => {
            confirm_group(model);
            Vec::new()
        }
        _ => {
            model.dialog = None;
            Vec::new()
        }
    }
}

/// Esc: one step back. A filter goes back to what it was; a program that is leaving cannot be called back.
fn cancel(model: &mut Model) -> Vec<Cmd> {
    match model.dialog.take() {
        Some(Dialog::Filter { before, .. }) => {
            if let Some(view) = model.view_mut() {
                view.set_filter(&before);
            }
        }
        Some(Dialog::Number(asking)) => decide::step_back(model, asking.draft, false),
        Some(Dialog::Note {
            for_what: NoteFor::Decision(draft),
            ..
        }) => decide::step_back(model, *draft, true),
        Some(Dialog::Leave) if model.leaving.is_some() => model.dialog = Some(Dialog::Leave),
        Some(Dialog::Approval(dialog)) if dialog.sent => {
            model.heard("the approval is on its way to the journal");
        }
        Some(Dialog::Approval(_)) => {
            model.heard("not approved; nothing was written");
        }
        _ => {}
    }
    approval::open_when_checked(model);
    Vec::new()
}

fn turn_field(model: &mut Model, forward: bool) {
    let Some(Dialog::Approval(dialog)) = &mut model.dialog else {
        return;
    };
    dialog.field = match (dialog.field, forward) {
        (Field::Phrase, true) | (Field::Note, false) => Field::Witness,
        (Field::Witness, true) | (Field::Phrase, false) => Field::Note,
        (Field::Note, true) | (Field::Witness, false) => Field::Phrase,
    };
}

/// Opens the filter with the text in force.
pub fn open_filter(model: &mut Model) {
    let before = model
        .view()
        .map(|view| view.filter().text().to_owned())
        .unwrap_or_default();
    model.dialog = Some(Dialog::Filter {
        input: Input::new(before.clone()),
        before,
    });
}

/// A text changed: the filter works while it is typed, the palette starts at its first line again.
pub fn typed(model: &mut Model) {
    let filter = match &mut model.dialog {
        Some(Dialog::Filter { input, .. }) => input.value().to_owned(),
        Some(Dialog::Palette { list, .. }) => {
            *list = ListPos::default();
            return;
        }
        _ => return,
    };
    if let Some(view) = model.view_mut() {
        view.set_filter(&filter);
    }
}

fn confirm_reissue(model: &mut Model) -> Vec<Cmd> {
    let Some(Dialog::Reissue(rows)) = model.dialog.take() else {
        return Vec::new();
    };
    let Some(stage) = model.stage_state().map(|stage| stage.id) else {
        return Vec::new();
    };
    let by = model.latest.operator.clone();
    ask(model, Command::Reissue { stage, rows, by })
}

fn confirm_note(model: &mut Model) -> Vec<Cmd> {
    let Some(Dialog::Note { input, for_what }) = model.dialog.take() else {
        return Vec::new();
    };
    if let NoteFor::Upload(stage) = for_what {
        return upload(model, stage, input);
    }
    input.value().trim().clone_into(&mut model.review.note);
    match for_what {
        NoteFor::Upload(_) => Vec::new(),
        NoteFor::Next => {
            model.heard("the note goes with the next decision on this row");
            Vec::new()
        }
        NoteFor::Decision(draft) if model.review.note.is_empty() => {
            model.say(Tone::Attention, "this choice needs a note; nothing was decided");
            model.dialog = Some(Dialog::Note {
                input,
                for_what: NoteFor::Decision(draft),
            });
            Vec::new()
        }
        NoteFor::Decision(draft) => decide::next(model, *draft),
    }
}

/// `M`: asks which file was uploaded.
pub fn ask_for_upload(model: &mut Model) -> Vec<Cmd> {
    let Some(stage) = model.stage_state().map(|stage| stage.id) else {
        return Vec::new();
    };
    model.dialog = Some(Dialog::Note {
        input: Input::default(),
        for_what: NoteFor::Upload(stage),
    });
    Vec::new()
}

/// Puts the upload on record, if two words were typed.
fn upload(model: &mut Model, stage: StageId, input: Input) -> Vec<Cmd> {
    let mut words = input.value().split_whitespace();
    let (file, id, more) = (words.next(), words.next(), words.next());
    let (Some(file), Some(id), None) = (file, id, more) else {
        model.say(
            Tone::Attention,
            "two words are needed: the file's name, then what the Dashboard calls the migration; nothing was recorded",
        );
        model.dialog = Some(Dialog::Note {
            input,
            for_what: NoteFor::Upload(stage),
        });
        return Vec::new();
    };
    let command = Command::Uploaded {
        stage,
        file: file.to_owned(),
        id: id.to_owned(),
        at: None,
        by: model.latest.operator.clone(),
    };
    ask(model, command)
}

/// Opens help (only what this place offers, explained) or the palette (everything, by name).
pub fn open_palette(model: &mut Model, help: bool) {
    model.dialog = Some(Dialog::Palette {
        input: Input::default(),
        help,
        list: ListPos::default(),
    });
}

/// The actions that help or palette shows now.
#[must_use]
pub fn palette_lines(model: &Model) -> Vec<&'static Action> {
    let Some(Dialog::Palette { input, help, .. }) = &model.dialog else {
        return Vec::new();
    };
    let (typed, place) = (input.value().to_lowercase(), model.screen_place());
    let here = |action: &&Action| action.places.contains(&place);
    let found = |action: &&Action| {
        typed.split_whitespace().all(|word| {
            action.name.contains(word) || (*help && action.explains.to_lowercase().contains(word))
        })
    };
    ACTIONS.iter().filter(here).filter(found).collect()
}

fn confirm_palette(model: &mut Model) -> Vec<Cmd> {
    let Some(Dialog::Palette { list, .. }) = &model.dialog else {
        return Vec::new();
    };
    let action = palette_lines(model).get(list.cursor).copied();
    model.dialog = None;
    match action {
        Some(action) if matches!(action.act, Act::Choose | Act::PickStage) => {
            model.heard("press the number itself");
            Vec::new()
        }
        Some(action) => run(model, action, action.keys.first().copied().unwrap_or(Key::Enter)),
        None => Vec::new(),
    }
}

fn confirm_group(model: &mut Model) {
    let Some(Dialog::Groups(list)) = model.dialog.take() else {
        return;
    };
    let Some(view) = model.view_mut() else { return };
    if let Some(group) = view.groups.get(list.cursor) {
        let filter = format!("{}:{}", group.kind, group.value);
        view.set_filter(&filter);
    }
}

fn copy(model: &mut Model, act: Act) -> Vec<Cmd> {
    model.dialog = None;
    let Some((change, _)) = model.view().and_then(|view| view.selected()) else {
        return Vec::new();
    };
    let (what, text) = match act {
        Act::CopyId => ("id", Some(change.subject.clone())),
        Act::CopyRequest => ("request id", request_id(model)),
        Act::CopyRow => ("row with its working", Some(row_as_text(model, change))),
        _ => ("curl line, without the key", curl(model, change)),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        model.say(Tone::Attention, format!("the row has no {what} to copy"));
        return Vec::new();
    };
    model.heard(format!(
        "{what} sent to the terminal's clipboard (OSC 52); a terminal may refuse that silently"
    ));
    vec![Cmd::Copy(text)]
}

/// The row as it can be pasted where it is talked about: what it is, why, and the working line by line. As safe as the
/// screen: nothing in it is obeyed by the terminal it is pasted into, and a name is masked where the screen masks it.
#[must_use]
pub fn row_as_text(model: &Model, change: &Change) -> String {
    let mut lines = vec![
        format!("{}   {}", change.key, heading(model, change)),
        format!("why: {}", change.why),
        format!("effect: {}", change.effect),
    ];
    lines.extend(change.working.iter().map(|step| format!("  {step}")));
    lines.extend(words::decided(change));
    let lines: Vec<String> = lines.iter().map(|line| clean(line).into_owned()).collect();
    lines.join("\n")
}

/// The newest request id of the row: of its writes if it has been written, else of what it rests on.
#[must_use]
pub fn request_id(model: &Model) -> Option<String> {
    use crate::engine::state::EffectWord;
    let (change, row) = model.view()?.selected()?;
    let effects = row
        .and_then(|row| row.detail.as_deref())
        .map_or(&[][..], |detail| &detail.effects);
    let written = effects.iter().rev().find_map(|(_, _, word)| match word {
        EffectWord::Done { request_id, .. } | EffectWord::Rejected { request_id, .. } => {
            Some(request_id.clone())
        }
        _ => None,
    });
    let read = || {
        change
            .evidence
            .iter()
            .rev()
            .map(|fact| fact.request_id.clone())
            .find(|id| !id.is_empty())
    };
    written.or_else(read)
}

/// The row's first write, or else its first read, as a curl line. The key is a shell variable.
fn curl(model: &Model, change: &Change) -> Option<String> {
    if let Some(write) = change.writes_now().first() {
        let plan = model.view()?.plan()?.digest();
        let key = idempotency_key(&plan, &write.effect, 1);
        return Some(curl_of(write, &key, &model.state.run, &plan.prefix12()));
    }
    let path = change
        .evidence
        .iter()
        .find_map(|fact| fact.asked.strip_prefix("GET "))?;
    Some(format!(
        "curl -sS {} -u \"$STRIPE_KEY:\"",
        quoted(&format!("https://api.stripe.com{path}"))
    ))
}

fn curl_of(write: &PlannedWrite, key: &str, run: &str, plan: &str) -> String {
    let url = quoted(&format!("https://api.stripe.com{}", write.path));
    let idempotency = quoted(&format!("Idempotency-Key: {key}"));
    let mut line = format!(
        "curl -sS -X {} {url} -u \"$STRIPE_KEY:\" -H {idempotency}",
        write.method.word()
    );
    let markers = [
        (marker::EFFECT, write.effect.0.as_str()),
        (marker::RUN, run),
        (marker::PLAN, plan),
    ]
    .map(|(name, value)| (format!("metadata[{name}]"), value.to_owned()));
    let markers = markers.into_iter().filter(|_| write.marked);
    for (name, value) in write.form.iter().cloned().chain(markers) {
        let _ = write!(line, " --data-urlencode {}", quoted(&format!("{name}={value}")));
    }
    line
}

/// One word for a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_leave_its_quotes_in_a_copied_line() {
        assert_eq!(quoted("a'; rm -rf '~"), r"'a'\''; rm -rf '\''~'");
    }
}
