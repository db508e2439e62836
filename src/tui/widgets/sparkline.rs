//! The recent past as a row of heights.

use crate::tui::theme::Meaning;
use crate::tui::view::pen::Pen;

/// Draws the newest values that fit in `cells` cells, against `most`; the newest is on the right.
pub fn draw(pen: &mut Pen<'_>, x: u16, y: u16, cells: u16, values: &[u32], most: u32) {
    let newest = values.len().saturating_sub(usize::from(cells));
    let heights = pen.look.glyphs.spark;
    let line: String = values[newest..]
        .iter()
        .map(|value| heights[height(*value, most)])
        .collect();
    pen.text_in(x, y, cells, &line, pen.style(Meaning::Meter));
}

fn height(value: u32, most: u32) -> usize {
    let step = u64::from(value) * 7 / u64::from(most.max(1));
    usize::try_from(step).unwrap_or(7).min(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_height_is_never_outside_the_set() {
        assert_eq!(
            [height(0, 50), height(50, 50), height(900, 50), height(5, 0)],
            [0, 7, 7, 7]
        );
    }
}
