//! The table of changes of the selected stage.

use std::sync::Arc;

use crate::domain::money::count;
use crate::domain::panel::{Align, Column};
use crate::tui::model::{Dialog, Model, Pane};
use crate::tui::rows::StageView;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;
use crate::tui::widgets::table::{self, Cell, Rows};
use crate::tui::words;

struct Changes<'a> {
    model: &'a Model,
    view: &'a StageView,
}

impl Rows for Changes<'_> {
    fn len(&self) -> usize {
        self.view.len()
    }

    fn cells(&self, row: usize) -> Vec<Cell> {
        let Some((change, progress)) = self.view.row(row) else {
            return Vec::new();
        };
        let look = &self.model.look;
        let word = words::row(change, progress, &look.glyphs);
        let plain = look.theme.of(Meaning::Plain);
        let standing = Cell {
            text: format!("{} {}", word.sign, word.word),
            style: look.theme.tone(word.tone),
        };
        let stage = self.model.stage_state().map(|stage| stage.id);
        let cells = stage
            .map(|stage| self.model.panels.cells(stage, change, self.model.unmasked()))
            .unwrap_or_default();
        std::iter::once(standing)
            .chain(cells.into_iter().map(|text| Cell { text, style: plain }))
            .collect()
    }
}

/// Draws the heading with the filter, the column titles and the rows.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    let Some(view) = model.view() else { return };
    heading(model, view, pen);
    let area = pen.area();
    let below = ratatui::layout::Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    if view.is_empty() {
        let text = if view.changes().is_empty() {
            "No rows yet."
        } else if view.is_looking() {
            "No row so far."
        } else {
            "No row passes the filter; Esc clears it."
        };
        pen.text(1, 1, text, pen.style(Meaning::Quiet));
        return;
    }
    let columns = columns(model, view);
    let focused = model.pane == Pane::Changes;
    table::draw(
        &mut pen.on(below),
        &columns,
        &Changes { model, view },
        view.list,
        focused,
    );
}

fn columns(model: &Model, view: &StageView) -> Vec<Column> {
    let width = if model.look.glyphs.ascii { 12 } else { 10 };
    let status = Column {
        title: "status".to_owned(),
        width,
        align: Align::Left,
        drop_order: 0,
    };
    std::iter::once(status)
        .chain(view.panel.columns.iter().cloned())
        .collect()
}

fn heading(model: &Model, view: &StageView, pen: &mut Pen<'_>) {
    let set = pen.look.glyphs.border(model.environment());
    let border = pen.style(Meaning::Border);
    let all = count(view.changes().len());
    let place = if view.is_empty() { 0 } else { view.list.cursor + 1 };
    let text = match &model.dialog {
        Some(Dialog::Filter { .. }) => format!("Changes   {}", words::passing(view)),
        _ if view.filter().is_empty() => format!("Changes   {} of {all}", count(place)),
        _ => format!(
            "Changes   filter: {}   ({})",
            view.filter().text(),
            words::passing(view)
        ),
    };
    pen.rule(0, &text, set, border);
    let still_reading =
        Arc::strong_count(&model.state) > 0 && view.plan().is_none() && !view.changes().is_empty();
    if still_reading {
        pen.right(2, 0, " reading goes on ", pen.style(Meaning::Attention));
    }
}
