//! The dialog that asks for an approval. Heavy border: here and around a halt only.

use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_input::Input;

use crate::domain::approval::short_phrase;
use crate::domain::time::human_ms;
use crate::tui::facts::Fact;
use crate::tui::model::{Approval, Field, Model};
use crate::tui::theme::Meaning;
use crate::tui::update::approval::{facts, off_because, plan_of, witness_needed};
use crate::tui::view::pen::{Pen, width};
use crate::tui::view::{hints, layout, panel};
use crate::tui::words;

/// Draws it over the screen.
pub fn draw(model: &Model, dialog: &Approval, pen: &mut Pen<'_>) {
    let screen = pen.area();
    let area = layout::approval(screen);
    let set = pen.look.glyphs.heavy();
    let alarm = pen.style(Meaning::Alarm);
    let mut over = pen.on(area);
    over.clear();
    let what = if dialog.back.is_some() {
        "TAKE BACK"
    } else {
        "APPROVE WRITES"
    };
    let title = format!("{what}   {}", panel::headings(model).0);
    let environment = model.environment().map_or("", |environment| environment.word());
    let mut inner = over.boxed(&title, environment, set, alarm);
    body(model, dialog, &mut inner);
    if area.height + 1 == screen.height {
        let mut last = pen.on(Rect {
            y: screen.bottom() - 1,
            height: 1,
            ..screen
        });
        last.clear();
        hints::draw(model, &mut last);
    }
}

fn body(model: &Model, dialog: &Approval, pen: &mut Pen<'_>) {
    let Some(plan) = plan_of(model, dialog) else {
        return;
    };
    let totals = plan.totals();
    let writes = totals.acts();
    let stage = crate::stages::get(dialog.stage);
    let undo = if dialog.back.is_some() {
        "It is written like a plan, and cannot be undone."
    } else if totals.irreversible > 0 {
        "Some of them nothing can take back."
    } else if stage.is_some_and(|stage| stage.undo_words().is_some()) {
        "`cutover undo` takes them back."
    } else if totals.rows_app > 0 {
        "Only rows of the database have an undo."
    } else {
        "There is no bulk undo."
    };
    let says = format!(
        "This {} {} for {}. {undo}",
        if totals.writes_in_all() > 0 {
            "sends"
        } else {
            "hands out"
        },
        words::many(writes, "write"),
        words::many(totals.planned, "row")
    );
    pen.text(2, 0, &says, pen.style(Meaning::Strong));
    let fixed = layout::APPROVAL_FIXED - 2;
    let room = pen.height().saturating_sub(fixed);
    let area = pen.area();
    lines(
        model,
        dialog,
        &mut pen.on(Rect {
            y: area.y + 1,
            height: room + 1,
            ..area
        }),
    );
    let below = Rect {
        y: area.y + room + 2,
        height: area.height.saturating_sub(room + 2),
        ..area
    };
    asks(model, dialog, &short_phrase(plan), &mut pen.on(below));
}

fn lines(model: &Model, dialog: &Approval, pen: &mut Pen<'_>) {
    let facts = facts(model, dialog);
    let height = usize::from(pen.height()).saturating_sub(1);
    let first = dialog.scroll.min(facts.len().saturating_sub(height));
    for (y, fact) in (0..).zip(facts.iter().skip(first).take(height)) {
        line(pen, y, fact);
    }
    let set = pen.look.glyphs.border(None);
    let below = facts.len().saturating_sub(first + height);
    let heading = match (first, below) {
        (0, 0) => "To approve".to_owned(),
        (_, 0) => "To approve   (PgUp: facts above)".to_owned(),
        (_, n) => format!("To approve   (PgDn: {n} more facts)"),
    };
    let (last, border) = (pen.height().saturating_sub(1), pen.style(Meaning::Border));
    pen.rule(last, &heading, set, border);
}

fn line(pen: &mut Pen<'_>, y: u16, fact: &Fact) {
    pen.text(2, y, fact.label, pen.style(Meaning::Quiet));
    pen.text(13, y, &fact.text, pen.look.theme.tone(fact.tone));
}

/// Phrase, names, words about the dialog, buttons: eight lines.
fn asks(model: &Model, dialog: &Approval, phrase: &str, pen: &mut Pen<'_>) {
    let (plain, strong, quiet) = (
        pen.style(Meaning::Plain),
        pen.style(Meaning::Strong),
        pen.style(Meaning::Quiet),
    );
    let x = pen.text(2, 0, "Type the writes and the end of each account:  ", plain);
    pen.text(x, 0, phrase, strong);
    input(pen, 1, "phrase", &dialog.phrase, dialog.field == Field::Phrase);
    let needed = plan_of(model, dialog).is_some_and(|plan| witness_needed(model, plan));
    let label = if needed { "witness*" } else { "witness" };
    input(pen, 2, label, &dialog.witness, dialog.field == Field::Witness);
    input(pen, 3, "note", &dialog.note, dialog.field == Field::Note);
    pen.right(2, 1, "Ctrl-C stops writes", quiet);
    pen.right(2, 2, "Tab next field", quiet);
    says(model, dialog, pen);
    buttons(model, dialog, pen);
}

fn input(pen: &mut Pen<'_>, y: u16, label: &str, input: &Input, focused: bool) {
    let meaning = if focused { Meaning::Strong } else { Meaning::Quiet };
    pen.text(2, y, label, pen.style(meaning));
    let mark = if focused { ">" } else { " " };
    pen.text(11, y, mark, pen.style(Meaning::Key));
    let room = pen.width().saturating_sub(36);
    let typed = input.value();
    let hidden = usize::from(width(typed).saturating_sub(room));
    let tail: String = typed.chars().skip(hidden).collect();
    let x = pen.text_in(13, y, room, &tail, pen.style(Meaning::Input));
    if focused {
        pen.text(x, y, "_", pen.style(Meaning::Strong));
    }
}

fn says(model: &Model, dialog: &Approval, pen: &mut Pen<'_>) {
    let bad = pen.style(Meaning::Bad);
    if let Some(refused) = &dialog.refused {
        return whole(pen, refused, bad);
    }
    if let Some(off) = &dialog.off {
        return whole(pen, &format!("TURNED OFF: {off}."), bad);
    }
    let quiet = pen.style(Meaning::Quiet);
    let opened = human_ms(i64::try_from(model.tick.saturating_sub(dialog.opened)).unwrap_or(i64::MAX));
    let dropped = match dialog.dropped {
        0 => String::new(),
        n => format!(
            " Dropped of its first second: {}.",
            words::many(u64::from(n), "key")
        ),
    };
    let pasted = if dialog.pasted {
        " The phrase has to be typed: what was pasted was ignored."
    } else {
        ""
    };
    pen.text(2, 4, &format!("Opened {opened} ago.{dropped}{pasted}"), quiet);
    let turns = "Turns off by itself if the plan, a fact or the run changes. It is in the journal before the first request leaves.";
    pen.wrapped(2, 5, 2, turns, quiet);
}

/// Why nothing was approved, on all three lines there are; what does not fit even there ends in dots.
fn whole(pen: &mut Pen<'_>, why: &str, style: Style) {
    let lines = pen.lines(2, why);
    let cut = lines.len() > 3;
    for (y, line) in (4..).zip(lines.into_iter().take(3)) {
        let x = pen.text(2, y, &line, style);
        if cut && y == 6 {
            pen.text(x.min(pen.width().saturating_sub(2)), y, "..", style);
        }
    }
}

fn buttons(model: &Model, dialog: &Approval, pen: &mut Pen<'_>) {
    let key = pen.style(Meaning::Key);
    pen.text(4, 7, "[ Esc  Go back ]", key);
    let off = off_because(model, dialog).map(|why| {
        if dialog.off.is_some() {
            "turned off".to_owned()
        } else {
            why
        }
    });
    let x = 30;
    match off {
        None => pen.text(x, 7, "[ Enter  Approve ]", pen.style(Meaning::Alarm)),
        Some(why) => {
            let x = pen.text(x, 7, "[ Enter  Approve ]", pen.style(Meaning::Quiet));
            pen.text(x + 2, 7, &format!("off: {why}"), pen.style(Meaning::Attention))
        }
    };
}
