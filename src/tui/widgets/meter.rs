//! A bar with its percentage.

use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;

/// Draws `done` of `total` in `cells` cells, percentage included; says where it ended.
pub fn draw(pen: &mut Pen<'_>, x: u16, y: u16, cells: u16, done: u64, total: u64) -> u16 {
    let bar = cells.saturating_sub(5);
    let part = |of: u64| {
        if total == 0 {
            0
        } else {
            (u128::from(done.min(total)) * u128::from(of) / u128::from(total)) as u64
        }
    };
    let (full, empty) = (pen.look.glyphs.full, pen.look.glyphs.empty);
    let filled = part(u64::from(bar)) as u16;
    let (on, off) = (pen.style(Meaning::Meter), pen.style(Meaning::Quiet));
    let at = pen.text(x, y, &full.repeat(usize::from(filled)), on);
    let at = pen.text(at, y, &empty.repeat(usize::from(bar - filled)), off);
    pen.text(at, y, &format!("{:>4}%", part(100)), pen.style(Meaning::Plain))
}
