//! A table that looks only at the rows it shows: it costs the same for a hundred rows and a million.

use ratatui::style::Style;

use crate::domain::panel::{Align, Column};
use crate::tui::rows::ListPos;
use crate::tui::theme::Meaning;
use crate::tui::view::pen::{Pen, width};

/// One cell.
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How.
    pub style: Style,
}

/// Where rows come from.
pub trait Rows {
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The cells of one, one per column.
    fn cells(&self, row: usize) -> Vec<Cell>;
}

/// Columns that fit in `cells` cells, with their widths: those that drop first go first, the rest share what is left.
#[must_use]
pub fn fitting(columns: &[Column], cells: u16) -> Vec<(usize, u16)> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| -> u32 { kept.iter().map(|at| u32::from(columns[*at].width) + 2).sum() };
    while needed(&kept) > u32::from(cells) {
        let Some(worst) = kept
            .iter()
            .copied()
            .filter(|at| columns[*at].drop_order > 0)
            .max_by_key(|at| columns[*at].drop_order)
        else {
            break;
        };
        kept.retain(|at| *at != worst);
    }
    let spare = u32::from(cells).saturating_sub(needed(&kept));
    let text = kept
        .iter()
        .filter(|at| columns[**at].align == Align::Left)
        .count()
        .max(1);
    let more = u16::try_from(spare / u32::try_from(text).unwrap_or(1))
        .unwrap_or(0)
        .min(16);
    let widths = kept.into_iter().map(|at| {
        let more = if columns[at].align == Align::Left { more } else { 0 };
        (at, columns[at].width.saturating_add(more))
    });
    widths.collect()
}

/// Draws column titles and the rows around the cursor.
pub fn draw(pen: &mut Pen<'_>, columns: &[Column], rows: &impl Rows, list: ListPos, focused: bool) {
    let mark = width(pen.look.glyphs.cursor) + 1;
    let places = fitting(columns, pen.width().saturating_sub(mark));
    let quiet = pen.style(Meaning::Quiet);
    let mut x = mark;
    for (at, cells) in &places {
        put(pen, x, 0, *cells, &columns[*at].title, columns[*at].align, quiet);
        x += cells + 2;
    }
    let end = rows
        .len()
        .min(list.top + usize::from(pen.height().saturating_sub(1)));
    for (y, row) in (1u16..).zip(list.top..end) {
        draw_row(pen, y, columns, &places, &rows.cells(row), mark);
        if row == list.cursor {
            let cursor = pen.look.glyphs.cursor;
            pen.text(0, y, cursor, pen.style(Meaning::Strong));
            if focused {
                pen.paint(y, pen.style(Meaning::Cursor));
            }
        }
    }
}

fn draw_row(
    pen: &mut Pen<'_>,
    y: u16,
    columns: &[Column],
    places: &[(usize, u16)],
    cells: &[Cell],
    mark: u16,
) {
    let mut x = mark;
    for (at, room) in places {
        if let Some(cell) = cells.get(*at) {
            put(pen, x, y, *room, &cell.text, columns[*at].align, cell.style);
        }
        x += room + 2;
    }
}

fn put(pen: &mut Pen<'_>, x: u16, y: u16, room: u16, text: &str, align: Align, style: Style) {
    let text = crate::tui::view::pen::clean(text);
    let indent = if align == Align::Right {
        room.saturating_sub(width(&text))
    } else {
        0
    };
    pen.text_in(x + indent, y, room - indent, &text, style);
}
