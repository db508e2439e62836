//! The dialog that asks for the number of a choice: what it is, its bounds, whether what is typed fits, why the numbers
//! are what they are, and what would be sent with the number as it stands.

use tui_input::Input;

use crate::domain::change::Change;
use crate::domain::ids::Role;
use crate::domain::write::{PlannedWrite, number};
use crate::tui::model::{Asking, Model};
use crate::tui::reach::Asked;
use crate::tui::theme::Meaning;
use crate::tui::update::number::check;
use crate::tui::view::pen::{Pen, clean, wrap};
use crate::tui::view::{dialogs, layout};
use crate::tui::words;

/// Rows whose requests are listed; the rest is counted.
const LISTED: usize = 8;

/// A line of what scrolls: its column, its text, and how it strikes the eye.
pub type Line = (u16, String, Meaning);

/// Draws it.
pub fn draw(model: &Model, asking: &Asking, pen: &mut Pen<'_>) {
    let area = layout::number(pen.area());
    let draft = &asking.draft;
    let rows = match draft.reach.at.as_slice() {
        [at] => at.to_string(),
        several => words::many_of(several, "row"),
    };
    let (_, _, mut pen) = dialogs::question(pen, area, &format!("{}   {rows}", draft.choice));
    let plain = pen.style(Meaning::Plain);
    pen.text(1, 0, &question(asking), plain);
    let reaches = dialogs::reaches(&draft.reach, draft.shape.then_some(draft.rows.len()));
    pen.text(1, 1, &reaches, pen.style(Meaning::Attention));
    typed(asking, &mut pen, 2);
    let (verdict, meaning) = verdict(model, asking);
    pen.text(1, 3, &verdict, pen.style(meaning));
    let all = lines(model, asking);
    let first = layout::NUMBER_FIXED - 2;
    let room = pen.height().saturating_sub(first);
    let top = asking.scroll.min(all.len().saturating_sub(usize::from(room)));
    for (y, (x, text, meaning)) in (first..pen.height()).zip(all.iter().skip(top)) {
        let style = pen.style(*meaning);
        pen.text(*x, y, text, style);
    }
    let below = all.len().saturating_sub(top + usize::from(room));
    if below > 0 {
        let last = pen.height().saturating_sub(1);
        let more = format!(" {} more: PgDn ", words::many(below as u64, "line"));
        pen.right(1, last, &more, pen.style(Meaning::Attention));
    }
}

fn question(asking: &Asking) -> String {
    let Asked::Number(bounds) = &asking.draft.reach.asked else {
        return String::new();
    };
    format!(
        "A whole number from {} to {}: {}.",
        bounds.least, bounds.most, bounds.asks
    )
}

fn typed(asking: &Asking, pen: &mut Pen<'_>, y: u16) {
    let input: &Input = &asking.input;
    let x = pen.text(1, y, "> ", pen.style(Meaning::Key));
    let meaning = if asking.proposed {
        Meaning::Quiet
    } else {
        Meaning::Input
    };
    let x = pen.text(x, y, input.value(), pen.style(meaning));
    let x = pen.text(x, y, "_", pen.style(Meaning::Strong));
    if asking.proposed && !input.value().is_empty() {
        pen.text(
            x + 3,
            y,
            "proposed; typing replaces it",
            pen.style(Meaning::Quiet),
        );
    }
}

fn verdict(model: &Model, asking: &Asking) -> (String, Meaning) {
    let draft = &asking.draft;
    match check(asking) {
        Err(why) => (why, Meaning::Bad),
        Ok(given) => {
            let then = if draft.reach.sign_off && model.review.note.trim().is_empty() {
                "takes it, then a note is asked for".to_owned()
            } else {
                format!("decides {}", words::many_of(&draft.reach.rows, "row"))
            };
            (format!("{given} fits. Enter {then}."), Meaning::Strong)
        }
    }
}

/// Everything below what is typed, for the width of the dialog.
#[must_use]
pub fn lines(model: &Model, asking: &Asking) -> Vec<Line> {
    let area = layout::number(ratatui::layout::Rect::new(0, 0, model.size.0, model.size.1));
    let cells = layout::inside(area).width.saturating_sub(2);
    let Some(plan) = model.view().and_then(|view| view.plan()) else {
        return Vec::new();
    };
    let draft = &asking.draft;
    let row = |key| plan.position(key).map(|at| &*plan.changes()[at]);
    let mut lines = Vec::new();
    if let Some(leader) = draft.reach.at.first().and_then(row) {
        working(&mut lines, leader, cells);
    }
    lines.push((1, "What this does".to_owned(), Meaning::Title));
    let given = check(asking).ok();
    // Where it is made comes first: that is where one number becomes two.
    let others = draft
        .reach
        .rows
        .iter()
        .filter(|key| !draft.reach.at.contains(key));
    let rows = draft.reach.at.iter().chain(others);
    for change in rows.take(LISTED).filter_map(row) {
        requests(&mut lines, model, change, (&draft.choice, given), cells);
    }
    let more = draft.reach.rows.len().saturating_sub(LISTED);
    if more > 0 {
        let text = format!("and the same for {} more", words::many(more as u64, "row"));
        lines.push((1, text, Meaning::Quiet));
    }
    lines
}

fn add(lines: &mut Vec<Line>, x: u16, text: &str, meaning: Meaning, cells: u16) {
    let wrapped = wrap(&clean(text), cells.saturating_sub(x));
    lines.extend(wrapped.into_iter().map(|line| (x, line, meaning)));
}

fn working(lines: &mut Vec<Line>, change: &Change, cells: u16) {
    if change.working.is_empty() {
        return;
    }
    lines.push((1, format!("Working   {}", clean(&change.key.0)), Meaning::Title));
    for step in &change.working {
        add(lines, 3, step, Meaning::Plain, cells);
    }
}

/// What the choice sends for one row, its places filled in as far as what is typed fits.
fn requests(
    lines: &mut Vec<Line>,
    model: &Model,
    change: &Change,
    (name, given): (&str, Option<u64>),
    cells: u16,
) {
    let choice = change.choices.iter().find(|choice| choice.name == name);
    let writes = choice.map_or(&[][..], |choice| &choice.writes);
    let nothing = if writes.is_empty() { ": sends nothing" } else { "" };
    add(
        lines,
        1,
        &format!("{}{nothing}", change.key),
        Meaning::Strong,
        cells,
    );
    for write in writes {
        let account = words::account(&model.state, write.role);
        let head = format!(
            "{} {account}  {} {}",
            words::old_or_new(write.role),
            write.method.word(),
            write.path
        );
        let meaning = if write.role == Role::Source {
            Meaning::Attention
        } else {
            Meaning::Plain
        };
        add(lines, 3, &head, meaning, cells);
        add(lines, 5, &form(write, given), Meaning::Plain, cells);
    }
}

fn form(write: &PlannedWrite, given: Option<u64>) -> String {
    let filled = |value: &str| given.and_then(|given| number::fill(value, given));
    let fields = write.form.iter().map(|(name, value)| {
        let value = filled(value).unwrap_or_else(|| value.clone());
        format!("{name}={value}")
    });
    fields.collect::<Vec<_>>().join("  ")
}
