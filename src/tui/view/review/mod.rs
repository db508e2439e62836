//! Review of one change: the list on the left, the whole truth about one row on the right.

pub mod change;
pub mod list;
mod requests;

use crate::tui::model::Model;
use crate::tui::needs::grouped;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::view::{header, hints, layout, panel, status};

/// Draws it.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    let at = layout::review(pen.area());
    let (title, _) = panel::headings(model);
    let trail = trail(pen, &title, "review");
    header::draw(model, &mut pen.on(at.header), &trail);
    let boxed = at.groups.height > 0;
    list::draw(model, &mut pen.on(at.list), boxed);
    if boxed {
        list::groups(model, &mut pen.on(at.groups));
    }
    change::draw(model, &mut pen.on(at.change), boxed);
    status::draw(model, &mut pen.on(at.status));
    hints::draw(model, &mut pen.on(at.hints));
}

/// Where one is, behind the names of the accounts.
#[must_use]
pub fn trail(pen: &Pen<'_>, title: &str, screen: &str) -> String {
    if pen.width() >= 110 {
        format!("  >  {title}  >  {screen}")
    } else {
        format!(" > {screen}")
    }
}

/// How many rows wait for a decision, in words.
#[must_use]
pub fn left(model: &Model) -> String {
    let totals = model
        .stage_state()
        .and_then(|stage| stage.plan.as_ref())
        .map(|plan| plan.totals());
    match totals.map(|totals| totals.blocked) {
        None => "no plan yet".to_owned(),
        Some(0) => "all decided".to_owned(),
        Some(blocked) => format!("{} to decide", grouped(blocked)),
    }
}

/// The border style of the side that has the keys, or has not.
fn border(model: &Model, pen: &Pen<'_>, reading: bool) -> ratatui::style::Style {
    pen.style(if model.review.reading == reading {
        Meaning::BorderFocus
    } else {
        Meaning::Border
    })
}
