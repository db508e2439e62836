//! A screen as a picture: the same cells that the snapshot tests read, as SVG text on a grid.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

/// Width of a cell, in tenths of a pixel, so that the arithmetic stays in integers.
const CELL_W: usize = 84;
/// Height of a cell, in tenths of a pixel.
const CELL_H: usize = 180;
const PAPER: &str = "#16181d";
const INK: &str = "#d6d8dd";
/// The sixteen colours of a terminal, dark scheme.
const BASIC: [&str; 16] = [
    "#16181d", "#e5534b", "#6bbf59", "#d9a514", "#539bf5", "#c586d6", "#3fb8c4", "#b9bdc6", "#6e7681",
    "#ff7b72", "#7ee787", "#f2cc60", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
];

/// The picture.
#[must_use]
pub fn render(buffer: &Buffer) -> String {
    let area = buffer.area();
    let (across, down) = (usize::from(area.width), usize::from(area.height));
    let mut svg = String::new();
    let (w, h) = (px(across * CELL_W + 160), px(down * CELL_H + 160));
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">"#
    );
    let _ = writeln!(svg, r#"<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>"#);
    let font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";
    let _ = writeln!(
        svg,
        r#"<g font-family="{font}" font-size="14" xml:space="preserve">"#
    );
    for y in 0..area.height {
        row(&mut svg, buffer, y);
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// One row as runs of cells with the same style.
fn row(svg: &mut String, buffer: &Buffer, y: u16) {
    let area = buffer.area();
    let mut x = 0;
    while x < area.width {
        let first = &buffer[(area.x + x, area.y + y)];
        let begin = x;
        let mut text = String::new();
        while x < area.width {
            let cell = &buffer[(area.x + x, area.y + y)];
            if cell.style() != first.style() {
                break;
            }
            text.push_str(cell.symbol());
            x += cell_width(cell);
        }
        run(svg, begin, y, x - begin, &text, first.style());
    }
}

fn cell_width(cell: &Cell) -> u16 {
    u16::try_from(cell.symbol().width()).unwrap_or(1).max(1)
}

fn run(svg: &mut String, x: u16, y: u16, cells: u16, text: &str, style: Style) {
    let (left, top) = (80 + usize::from(x) * CELL_W, 80 + usize::from(y) * CELL_H);
    let wide = usize::from(cells) * CELL_W;
    let (mut ink, mut paper) = (colour(style.fg, INK), colour(style.bg, PAPER));
    if style.add_modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    if paper != PAPER {
        let (left, top, wide, high) = (px(left), px(top), px(wide), px(CELL_H));
        let _ = writeln!(
            svg,
            r#"<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="{paper}"/>"#
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let (left, base, wide) = (px(left), px(top + 135), px(wide));
    let dress = dress(style.add_modifier);
    let text = escaped(text);
    let _ = writeln!(
        svg,
        r#"<text x="{left}" y="{base}" textLength="{wide}" lengthAdjust="spacingAndGlyphs" fill="{ink}"{dress}>{text}</text>"#
    );
}

fn dress(modifier: Modifier) -> String {
    let parts = [
        (Modifier::BOLD, r#" font-weight="bold""#),
        (Modifier::DIM, r#" opacity="0.6""#),
        (Modifier::UNDERLINED, r#" text-decoration="underline""#),
    ];
    parts
        .into_iter()
        .filter(|(wanted, _)| modifier.contains(*wanted))
        .map(|(_, text)| text)
        .collect()
}

/// Tenths of a pixel as pixels.
fn px(tenths: usize) -> String {
    if tenths.is_multiple_of(10) {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

fn colour(colour: Option<Color>, otherwise: &str) -> String {
    let basic = |at: usize| BASIC[at].to_owned();
    match colour {
        None | Some(Color::Reset) => otherwise.to_owned(),
        Some(Color::Black) => basic(0),
        Some(Color::Red) => basic(1),
        Some(Color::Green) => basic(2),
        Some(Color::Yellow) => basic(3),
        Some(Color::Blue) => basic(4),
        Some(Color::Magenta) => basic(5),
        Some(Color::Cyan) => basic(6),
        Some(Color::Gray) => basic(7),
        Some(Color::DarkGray) => basic(8),
        Some(Color::LightRed) => basic(9),
        Some(Color::LightGreen) => basic(10),
        Some(Color::LightYellow) => basic(11),
        Some(Color::LightBlue) => basic(12),
        Some(Color::LightMagenta) => basic(13),
        Some(Color::LightCyan) => basic(14),
        Some(Color::White) => basic(15),
        Some(Color::Rgb(r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
        Some(Color::Indexed(at)) => indexed(at),
    }
}

/// The 256 colours of a terminal.
fn indexed(at: u8) -> String {
    match at {
        0..=15 => BASIC[usize::from(at)].to_owned(),
        16..=231 => {
            let at = at - 16;
            let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
            format!(
                "#{:02x}{:02x}{:02x}",
                level(at / 36),
                level(at / 6 % 6),
                level(at % 6)
            )
        }
        232..=255 => {
            let grey = 8 + (at - 232) * 10;
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn text_cannot_leave_its_element() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, "<script>&", Style::new());
        let svg = render(&buffer);
        assert!(svg.contains("&lt;script&gt;&amp;") && !svg.contains("<script"));
    }

    #[test]
    fn a_wide_letter_takes_two_cells() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer.set_string(0, 0, "佐a", Style::new());
        assert!(render(&buffer).contains("佐a"));
    }
}
