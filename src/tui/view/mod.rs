//! Drawing: from the model to cells, one file per region. Nothing here changes anything.

pub mod approval;
pub mod board;
pub mod budget;
pub mod changes;
pub mod detail;
pub mod dialogs;
pub mod findings;
pub mod header;
pub mod hints;
pub mod journal;
pub mod layout;
pub mod number;
pub mod palette;
pub mod panel;
pub mod pen;
pub mod review;
pub mod small;
pub mod stages;
pub mod status;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::domain::text::is_hostile;
use crate::tui::model::{Dialog, Model, Screen};
use pen::Pen;

/// Draws the whole screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    draw_on(model, frame.buffer_mut(), area);
}

/// The same, onto a buffer.
pub fn draw_on(model: &Model, buf: &mut Buffer, area: Rect) {
    let mut pen = Pen::new(buf, area, &model.look);
    if layout::size(area.width, area.height) == layout::Size::TooSmall {
        small::draw(model, &mut pen);
    } else {
        screen(model, &mut pen);
        dialog(model, &mut pen);
    }
    scrub(buf, area, model.look.glyphs.ascii);
}

fn screen(model: &Model, pen: &mut Pen<'_>) {
    match model.screen {
        Screen::Board => board::draw(model, pen),
        Screen::Review => review::draw(model, pen),
        Screen::Findings => findings::draw(model, pen),
    }
}

fn dialog(model: &Model, pen: &mut Pen<'_>) {
    match &model.dialog {
        Some(Dialog::Approval(dialog)) => approval::draw(model, dialog, pen),
        Some(Dialog::Palette { input, help, list }) => palette::draw(model, input, *help, *list, pen),
        Some(Dialog::Leave) => dialogs::leave(model, pen),
        Some(Dialog::Same(same)) => dialogs::same(model, same, pen),
        Some(Dialog::Number(asking)) => number::draw(model, asking, pen),
        Some(Dialog::Groups(list)) => dialogs::groups(model, *list, pen),
        Some(Dialog::Reissue(rows)) => dialogs::reissue(model, rows, pen),
        Some(Dialog::Copy) => dialogs::copy(model, pen),
        Some(Dialog::Note { input, for_what }) => dialogs::note(model, input, for_what, pen),
        Some(Dialog::Filter { .. }) | None => {}
    }
}

/// The last gate: no cell leaves with anything a terminal would obey, and in ASCII mode none leaves with anything else
/// than ASCII. The pens have made text safe already; this holds even for a view that drew past them.
fn scrub(buf: &mut Buffer, area: Rect, ascii: bool) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let cell = &mut buf[(x, y)];
            let fine = cell.symbol().bytes().all(|b| (0x20..0x7f).contains(&b));
            if !fine && (ascii || cell.symbol().chars().any(is_hostile)) {
                cell.set_symbol("?");
            }
        }
    }
}
