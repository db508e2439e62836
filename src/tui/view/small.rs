//! A terminal below 80x24.

use crate::tui::model::Model;
use crate::tui::theme::Meaning;
use crate::tui::view::layout::{MIN_HEIGHT, MIN_WIDTH};
use crate::tui::view::pen::Pen;

/// Says what is needed, and that nothing is lost meanwhile.
pub fn draw(model: &Model, pen: &mut Pen<'_>) {
    let (width, height) = (pen.width(), pen.height());
    let says = format!("terminal too small: {MIN_WIDTH}x{MIN_HEIGHT} needed, this is {width}x{height}");
    let strong = pen.style(Meaning::Strong);
    let y = pen.wrapped(0, 0, height, &says, strong);
    let plain = pen.style(Meaning::Plain);
    let words = if model.latest.armed().is_some() && model.latest.paused.is_none() {
        "Writes go on. Space pauses them; make the window larger to see them."
    } else {
        "No writes are being sent. Make the window larger, or press q to leave."
    };
    pen.wrapped(0, y, height.saturating_sub(y), words, plain);
}
