//! Small questions over the screen.

use ratatui::layout::Rect;
use tui_input::Input;

use crate::domain::change::ChangeKey;
use crate::domain::money::Sums;
use crate::tui::model::{Model, NoteFor, Same};
use crate::tui::needs::grouped;
use crate::tui::reach::{Asked, Reach};
use crate::tui::rows::ListPos;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::view::{layout, review};
use crate::tui::words;

pub(super) fn question<'a>(pen: &'a mut Pen<'_>, area: Rect, title: &str) -> (u16, Rect, Pen<'a>) {
    let set = pen.look.glyphs.border(None);
    let style = pen.style(Meaning::BorderFocus);
    let mut over = pen.on(area);
    over.clear();
    over.boxed(title, "Esc back", set, style);
    let inside = layout::inside(area);
    (inside.width, inside, pen.on(inside))
}

/// Lines of a question, broken at words.
fn paragraphs(pen: &mut Pen<'_>, texts: &[(String, Meaning)]) {
    let mut y = 0;
    for (text, meaning) in texts {
        let style = pen.style(*meaning);
        let room = pen.height().saturating_sub(y);
        y = pen.wrapped(1, y, room, text, style) + u16::from(texts.len() < 5);
    }
}

/// Whether to leave: what goes on, what can be resumed.
pub fn leave(model: &Model, pen: &mut Pen<'_>) {
    let area = layout::question(pen.area());
    let (_, _, mut pen) = question(pen, area, "Leave?");
    let flying = words::in_flight(&model.latest);
    let state = match (model.latest.armed(), &model.latest.paused) {
        (Some(stage), None) => {
            format!(
                "{stage} is being written. No new write starts; {} in flight finish first.",
                words::requests(flying)
            )
        }
        (Some(stage), Some(_)) => {
            format!(
                "{stage} is paused with {} in flight, which finish first.",
                words::requests(flying)
            )
        }
        (None, _) => "No writes are being sent.".to_owned(),
    };
    let resume = format!(
        "Run {} stays as it is on disk and can be resumed with --run; what is done is never sent again.",
        model.latest.run
    );
    let keys = if model.leaving.is_some() {
        "Leaving as soon as nothing is in flight. Ctrl-C leaves now: a resume finds out what became of it."
    } else {
        "Enter leaves   Esc stays"
    };
    paragraphs(
        &mut pen,
        &[
            (state, Meaning::Strong),
            (resume, Meaning::Plain),
            (keys.to_owned(), Meaning::Key),
        ],
    );
}

/// Deciding several rows: which choice, then how many rows.
pub fn same(model: &Model, same: &Same, pen: &mut Pen<'_>) {
    let area = layout::question(pen.area());
    let title = if same.shape {
        "Same shape"
    } else {
        "Decided together"
    };
    let (_, _, mut pen) = question(pen, area, title);
    let money = money_of(model, &same.reach.rows);
    let what = if same.shape {
        let shape = model.view().and_then(|view| view.selected()).map(|(change, _)| {
            format!(
                "rule {}, risk {}, {}",
                change.rule,
                change.risk.word(),
                change.item
            )
        });
        format!(
            "{} of the same shape as this one: {}.",
            words::many_of(&same.rows, "row"),
            shape.unwrap_or_default()
        )
    } else {
        "What these rows share is decided once, for all of them.".to_owned()
    };
    let rows = words::many_of(&same.reach.rows, "row");
    let reaches = reaches(&same.reach, same.shape.then_some(same.rows.len()));
    let what = if with_money(model, &same.reach.rows) {
        format!("{what} {reaches} Together: {money}.")
    } else {
        format!("{what} {reaches}")
    };
    let (ask, meaning) = match &same.choice {
        None => (
            "Press the choice for all of them: x leave out, 0 as planned, or a number.".to_owned(),
            Meaning::Key,
        ),
        Some(choice) => {
            let then = match &same.reach.asked {
                Asked::Number(_) => "asks for the number of",
                _ => "decides",
            };
            (
                format!("Enter {then} \"{choice}\" for {rows}.   Esc decides none."),
                Meaning::Attention,
            )
        }
    };
    paragraphs(&mut pen, &[(what, Meaning::Plain), (ask, meaning)]);
}

/// Where a decision is made and how many rows it decides; empty where it is one row, decided by itself. `asked` is the
/// number of rows of the shape, where it was asked for a shape.
pub(super) fn reaches(reach: &Reach, asked: Option<usize>) -> String {
    let whom = match (asked, reach.at.as_slice()) {
        (Some(asked), _) if reach.rows.len() > asked => {
            let all = words::many_of(&reach.rows, "row");
            Some(format!("With those decided with them, {all}."))
        }
        (None, [at]) if reach.rows.len() > 1 => Some(format!(
            "Decided at {at}, for {}.",
            words::many_of(&reach.rows, "row")
        )),
        _ => None,
    };
    let anew = (reach.rows.len() > 1 && reach.decided > 0).then(|| {
        format!(
            "Decided before, and now anew: {} of them.",
            grouped(reach.decided as u64)
        )
    });
    whom.into_iter().chain(anew).collect::<Vec<_>>().join(" ")
}

/// Whether any of the rows has an amount at all; coupons have none.
fn with_money(model: &Model, rows: &[ChangeKey]) -> bool {
    let plan = model.view().and_then(|view| view.plan());
    let has = |key| plan.and_then(|plan| plan.changes()[plan.position(key)?].money);
    rows.iter().any(|key| has(key).is_some())
}

fn money_of(model: &Model, rows: &[ChangeKey]) -> String {
    let Some(plan) = model.view().and_then(|view| view.plan()) else {
        return String::new();
    };
    let mut sums = Sums::default();
    for key in rows {
        if let Some(money) = plan.position(key).and_then(|at| plan.changes()[at].money) {
            // A part of the plan's own totals, which did not overflow.
            let _ = sums.add(money);
        }
    }
    sums.in_words()
}

/// Allowing rows to be sent again.
pub fn reissue(model: &Model, rows: &[ChangeKey], pen: &mut Pen<'_>) {
    let area = layout::question(pen.area());
    let (_, _, mut pen) = question(pen, area, "Send again?");
    let n = words::many_of(rows, "row");
    let what = format!(
        "{n} shown without a known outcome; a probe did not find the writes on Stripe. Together: {}.",
        money_of(model, rows)
    );
    let risk = "Allow it only if you are sure that nothing else will still carry them out. A filter narrows the rows.";
    let ask = format!("Enter allows sending {n} again.   Esc allows none.");
    let texts = [
        (what, Meaning::Plain),
        (risk.to_owned(), Meaning::Plain),
        (ask, Meaning::Attention),
    ];
    paragraphs(&mut pen, &texts);
}

/// What to copy.
pub fn copy(model: &Model, pen: &mut Pen<'_>) {
    let area = layout::question(pen.area());
    let (_, _, mut pen) = question(pen, area, "Copy");
    let subject = model
        .view()
        .and_then(|view| view.selected())
        .map_or("", |(change, _)| change.subject.as_str());
    let request = crate::tui::update::dialogs::request_id(model).unwrap_or_else(|| "none".to_owned());
    let lines = [
        (format!("i  id           {subject}"), Meaning::Plain),
        (format!("r  request id   {request}"), Meaning::Plain),
        (
            "c  the request as a curl line, without the key".to_owned(),
            Meaning::Plain,
        ),
        (
            "w  the row as text, with how its numbers came about".to_owned(),
            Meaning::Plain,
        ),
    ];
    paragraphs(&mut pen, &lines);
}

/// Rows by what they share; Enter filters by one.
pub fn groups(model: &Model, list: ListPos, pen: &mut Pen<'_>) {
    let area = layout::list_box(pen.area());
    let (_, _, mut pen) = question(pen, area, "Groups   Enter filters");
    let Some(view) = model.view() else { return };
    let heading = "  by       what                                   rows  money";
    pen.text(0, 0, heading, pen.style(Meaning::Quiet));
    let rows = pen.height().saturating_sub(2);
    for (y, (at, group)) in (1..=rows).zip(view.groups.iter().enumerate().skip(list.top)) {
        review::list::group_line(&mut pen, y, group);
        if at == list.cursor {
            pen.paint(y, pen.style(Meaning::Cursor));
        }
    }
}

/// Typing a note.
pub fn note(model: &Model, input: &Input, for_what: &NoteFor, pen: &mut Pen<'_>) {
    let area = layout::question(pen.area());
    let title = if matches!(for_what, NoteFor::Upload(_)) {
        "Upload"
    } else {
        "Note"
    };
    let (_, _, mut pen) = question(pen, area, title);
    let why = match for_what {
        NoteFor::Upload(_) => "Which file did you upload just now, and what does the Dashboard call the migration? \
                               The file's name as in the run directory, a space, and the id. `cutover migrations \
                               record --at` takes an earlier time."
            .to_owned(),
        NoteFor::Next => "These words go with the next decision on this row.".to_owned(),
        NoteFor::Decision(draft) => {
            let number = draft
                .number
                .map(|number| format!(", {number}"))
                .unwrap_or_default();
            format!(
                "\"{}\"{number} for {} needs a sign-off by {}: say what was agreed, and with whom. {}",
                draft.choice,
                words::many_of(&draft.reach.rows, "row"),
                model.latest.operator,
                reaches(&draft.reach, draft.shape.then_some(draft.rows.len()))
            )
        }
    };
    let plain = pen.style(Meaning::Plain);
    let room = pen.height().saturating_sub(4);
    let y = pen.wrapped(1, 0, room, &why, plain) + 1;
    let x = pen.text(1, y, "> ", pen.style(Meaning::Key));
    let cells = pen.width().saturating_sub(x + 2);
    let typed: Vec<char> = input.value().chars().collect();
    let tail: String = typed[typed.len().saturating_sub(usize::from(cells))..]
        .iter()
        .collect();
    let x = pen.text(x, y, &tail, pen.style(Meaning::Input));
    pen.text(x, y, "_", pen.style(Meaning::Strong));
    pen.text(
        1,
        y + 2,
        "Enter takes it   Ctrl-C stops writes",
        pen.style(Meaning::Quiet),
    );
}
