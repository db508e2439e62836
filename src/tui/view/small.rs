//! A terminal below 80x24.

use crate::tui::model::{Dialog, Model};
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
    let writing = model.latest.armed().is_some();
    let words = match (&model.dialog, &model.latest.paused) {
        (Some(Dialog::Leave), _) if model.leaving.is_some() => "Leaving as soon as nothing is in flight.",
        (Some(Dialog::Leave), _) => "Leave? What is in flight finishes first. Enter leaves, Esc stays.",
        (_, Some(_)) => "Paused. Space goes on, q leaves. Make the window larger to see more.",
        (_, None) if writing => {
            "Writes go on. Space pauses them, q leaves. Make the window larger to see them."
        }
        _ => "No writes are being sent. q leaves. Make the window larger to see more.",
    };
    pen.wrapped(0, y, height.saturating_sub(y), words, plain);
}
