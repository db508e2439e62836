//! The left side of the review: the rows, and how they group.

use ratatui::layout::Rect;

use crate::domain::change::{Change, Risk};
use crate::domain::money::count;
use crate::engine::state::RowState;
use crate::tui::groups::Group;
use crate::tui::model::{Dialog, Model};
use crate::tui::needs::grouped;
use crate::tui::rows::StageView;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{Pen, width};
use crate::tui::words;

/// Draws the rows around the cursor.
pub fn draw(model: &Model, pen: &mut Pen<'_>, boxed: bool) {
    let Some(view) = model.view() else { return };
    let set = pen.look.glyphs.border(model.environment());
    let style = super::border(model, pen, false);
    let title = title(model, view);
    if boxed {
        let left = super::left(model);
        rows(model, view, &mut pen.boxed(&title, &left, set, style));
    } else {
        pen.rule(0, &format!("{title}   {}", super::left(model)), set, style);
        let area = pen.area();
        rows(
            model,
            view,
            &mut pen.on(Rect {
                y: area.y + 1,
                height: area.height.saturating_sub(1),
                ..area
            }),
        );
    }
}

fn title(model: &Model, view: &StageView) -> String {
    let (shown, all) = (count(view.len()), count(view.changes().len()));
    if view.filter().is_empty() && !matches!(model.dialog, Some(Dialog::Filter { .. })) {
        format!("{} of {all}", count((view.list.cursor + 1).min(view.len())))
    } else {
        let so_far = if view.is_looking() { " so far" } else { "" };
        format!("{shown} of {all} filtered{so_far}")
    }
}

fn rows(model: &Model, view: &StageView, pen: &mut Pen<'_>) {
    if view.is_empty() && view.is_looking() {
        pen.text(1, 0, "No row so far.", pen.style(Meaning::Quiet));
    } else if view.is_empty() {
        pen.text(1, 0, "No row passes the filter; Esc", pen.style(Meaning::Quiet));
        pen.text(1, 1, "on the board clears it.", pen.style(Meaning::Quiet));
    }
    let last = view.len().min(view.list.top + usize::from(pen.height()));
    for (y, at) in (0..).zip(view.list.top..last) {
        let Some((change, row)) = view.row(at) else { break };
        line(model, pen, y, change, row);
        if at == view.list.cursor {
            let cursor = pen.look.glyphs.cursor;
            pen.text(0, y, cursor, pen.style(Meaning::Strong));
            if !model.review.reading {
                pen.paint(y, pen.style(Meaning::Cursor));
            }
        }
    }
}

fn line(model: &Model, pen: &mut Pen<'_>, y: u16, change: &Change, row: Option<&RowState>) {
    let word = words::row(change, row, &model.look.glyphs);
    let tone = pen.look.theme.tone(word.tone);
    let mark = width(pen.look.glyphs.cursor) + 1;
    let x = pen.text(mark, y, word.sign, tone) + 1;
    let risk = match change.risk {
        Risk::Low => "",
        Risk::Medium => "med",
        Risk::High => "high",
    };
    pen.right(1, y, risk, pen.style(risk_meaning(change.risk)));
    let plain = pen.style(Meaning::Plain);
    let money = change.money.map(|money| money.to_string()).unwrap_or_default();
    let money_at = pen.right(6, y, &money, plain);
    let wide = pen.width() >= 60;
    let name = if model.unmasked() {
        change.label.to_string()
    } else {
        change.label.masked()
    };
    let mut cells = vec![(14, words::id(&change.subject), plain)];
    if change.money.is_none() {
        // Without an amount the subject does not tell one row from the next: what it is about does.
        let aside = aside(change).unwrap_or(if wide { name } else { words::id(&change.subject) });
        cells = vec![
            (18, change.item.clone(), plain),
            (40, aside, pen.style(Meaning::Quiet)),
        ];
        if wide {
            cells.insert(0, (14, words::id(&change.subject), plain));
        } else {
            cells[0].0 = 14;
        }
    } else if wide {
        cells.extend([(16, name, plain), (14, change.item.clone(), plain)]);
    }
    if wide {
        cells.insert(0, (8, word.word.to_owned(), tone));
    }
    let mut at = x;
    for (room, text, style) in cells {
        pen.text_in(at, y, money_at.saturating_sub(at + 1).min(room), &text, style);
        at += room + 1;
    }
}

/// Behind a row: where it is decided, or by whom it was.
fn aside(change: &Change) -> Option<String> {
    match (&change.with, &change.decision) {
        (Some(with), _) => Some(format!("with {with}")),
        (None, decision) => decision.as_ref().map(|decision| format!("by {}", decision.by)),
    }
}

/// How a risk strikes the eye.
#[must_use]
pub const fn risk_meaning(risk: Risk) -> Meaning {
    match risk {
        Risk::Low => Meaning::Quiet,
        Risk::Medium => Meaning::Attention,
        Risk::High => Meaning::Bad,
    }
}

/// Draws the groups in a box, with their counts and money.
pub fn groups(model: &Model, pen: &mut Pen<'_>) {
    let set = pen.look.glyphs.border(model.environment());
    let style = pen.style(Meaning::Border);
    let Some(view) = model.view() else { return };
    let mut inner = pen.boxed("Groups", "o", set, style);
    let quiet = inner.style(Meaning::Quiet);
    let mut y = 0;
    for group in &view.groups {
        group_line(&mut inner, y, group);
        inner.text(3, y + 1, &group.money.in_words(), quiet);
        y += 2;
    }
}

/// One group: what it shares, how many rows, how much money.
pub fn group_line(pen: &mut Pen<'_>, y: u16, group: &Group) {
    let (plain, quiet) = (pen.style(Meaning::Plain), pen.style(Meaning::Quiet));
    let roomy = pen.width() >= 60;
    let rows = grouped(group.rows);
    if !roomy {
        let at = pen.right(1, y, &rows, plain);
        let x = pen.text(1, y, group.kind, quiet) + 1;
        pen.text_in(x, y, at.saturating_sub(x + 1), &group.value, plain);
        return;
    }
    let x = pen.text_in(2, y, 8, group.kind, quiet).max(11);
    pen.text_in(x, y, 30, &group.value, plain);
    let right_edge = 54;
    let at = right_edge - width(&rows).min(10);
    pen.text(at, y, &rows, plain);
    pen.text(right_edge + 2, y, &group.money.in_words(), quiet);
}
