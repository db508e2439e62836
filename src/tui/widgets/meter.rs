//! A bar with its percentage.

use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;

/// Draws `done` of `total` in `cells` cells, percentage included; says where it ended.
pub fn draw(pen: &mut Pen<'_>, x: u16, y: u16, cells: u16, done: u64, total: u64) -> u16 {
    let bar = cells.saturating_sub(5);
    let part = |of: u16| share(done, total, of);
    let (full, empty) = (pen.look.glyphs.full, pen.look.glyphs.empty);
    let filled = part(bar);
    let (on, off) = (pen.style(Meaning::Meter), pen.style(Meaning::Quiet));
    let at = pen.text(x, y, &full.repeat(usize::from(filled)), on);
    let at = pen.text(at, y, &empty.repeat(usize::from(bar - filled)), off);
    pen.text(at, y, &format!("{:>4}%", part(100)), pen.style(Meaning::Plain))
}

/// `done` of `total` as a share of `of`; never more than `of`.
fn share(done: u64, total: u64, of: u16) -> u16 {
    let part = u128::from(done.min(total)) * u128::from(of) / u128::from(total.max(1));
    u16::try_from(part).unwrap_or(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_more_than_the_whole() {
        assert_eq!(
            [
                share(0, 0, 9),
                share(1, 3, 9),
                share(9, 3, 9),
                share(u64::MAX, u64::MAX, 9)
            ],
            [0, 3, 9, 9]
        );
    }
}
