//! The only way onto the screen. Whatever is drawn through a [`Pen`] is clipped to its area and made safe first, so a
//! view cannot forget it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::domain::text::{is_hostile, safe};
use crate::tui::model::Look;
use crate::tui::theme::Meaning;

/// Draws inside one area; places are relative to its upper left corner.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    /// Styles and signs.
    pub look: &'a Look,
}

/// Cells that `text` takes.
#[must_use]
pub fn width(text: &str) -> u16 {
    let cells = if text.is_ascii() { text.len() } else { text.width() };
    u16::try_from(cells).unwrap_or(u16::MAX)
}

/// `text` without anything a terminal would obey or a reader not see. Costs nothing where there is nothing.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let fine = text.bytes().all(|b| (0x20..0x7f).contains(&b)) || !text.chars().any(is_hostile);
    if fine {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(safe(text).to_string())
    }
}

/// `text` in at most `cells` cells; what is cut is shown by `..`.
#[must_use]
pub fn fitted(text: &str, cells: u16) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let room = cells.saturating_sub(2);
    let mut out = String::new();
    let mut used = 0;
    for letter in text.graphemes(true) {
        used += width(letter);
        if used > room {
            break;
        }
        out.push_str(letter);
    }
    out.push_str(&".."[..usize::from(cells.min(2))]);
    Cow::Owned(out)
}

impl<'a> Pen<'a> {
    /// A pen for `area`.
    pub fn new(buf: &'a mut Buffer, area: Rect, look: &'a Look) -> Self {
        let area = area.intersection(*buf.area());
        Self { buf, area, look }
    }

    /// A pen for another area of the same screen.
    pub fn on(&mut self, area: Rect) -> Pen<'_> {
        Pen::new(self.buf, area, self.look)
    }

    /// Its area on the screen.
    #[must_use]
    pub const fn area(&self) -> Rect {
        self.area
    }

    /// Cells across.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.area.width
    }

    /// Cells down.
    #[must_use]
    pub const fn height(&self) -> u16 {
        self.area.height
    }

    /// The style of a meaning.
    #[must_use]
    pub const fn style(&self, meaning: Meaning) -> Style {
        self.look.theme.of(meaning)
    }

    /// Text at a place; says where it ended.
    pub fn text(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let room = self.width().saturating_sub(x);
        self.text_in(x, y, room, text, style)
    }

    /// Text at a place in at most `cells` cells; says where it ended.
    pub fn text_in(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        let cells = cells.min(self.width().saturating_sub(x));
        if y >= self.height() || cells == 0 {
            return x;
        }
        let text = clean(text);
        let text = fitted(&text, cells);
        let (end, _) =
            self.buf
                .set_stringn(self.area.x + x, self.area.y + y, &text, usize::from(cells), style);
        end.saturating_sub(self.area.x)
    }

    /// Text that ends `from_right` cells before the right edge; says where it began.
    pub fn right(&mut self, from_right: u16, y: u16, text: &str, style: Style) -> u16 {
        let text = clean(text);
        let x = self
            .width()
            .saturating_sub(width(&text).saturating_add(from_right));
        self.text(x, y, &text, style);
        x
    }

    /// Several pieces one after another; says where they ended.
    pub fn pieces(&mut self, x: u16, y: u16, pieces: &[(&str, Style)]) -> u16 {
        pieces
            .iter()
            .fold(x, |x, (text, style)| self.text(x, y, text, *style))
    }

    /// The lines that text takes from column `x` on, broken at words.
    #[must_use]
    pub fn lines(&self, x: u16, text: &str) -> Vec<String> {
        wrap(&clean(text), self.width().saturating_sub(x))
    }

    /// Text broken into lines at words, from `y` down, at most `lines`; says the line after the last.
    pub fn wrapped(&mut self, x: u16, y: u16, lines: u16, text: &str, style: Style) -> u16 {
        let cells = self.width().saturating_sub(x);
        let mut at = y;
        for line in wrap(&clean(text), cells) {
            if at >= y.saturating_add(lines) {
                break;
            }
            self.text(x, at, &line, style);
            at += 1;
        }
        at
    }

    /// A style on a whole line, over what is there.
    pub fn paint(&mut self, y: u16, style: Style) {
        if y < self.height() {
            self.buf.set_style(
                Rect {
                    y: self.area.y + y,
                    height: 1,
                    ..self.area
                },
                style,
            );
        }
    }

    /// Empties the area.
    pub fn clear(&mut self) {
        for y in self.area.top()..self.area.bottom() {
            for x in self.area.left()..self.area.right() {
                self.buf[(x, y)].reset();
            }
        }
    }

    /// A line across with a heading in it.
    pub fn rule(&mut self, y: u16, heading: &str, set: border::Set<'_>, style: Style) {
        if y >= self.height() {
            return;
        }
        for x in 0..self.width() {
            self.buf[(self.area.x + x, self.area.y + y)]
                .set_symbol(set.horizontal_top)
                .set_style(style);
        }
        if !heading.is_empty() {
            let room = self.width().saturating_sub(4);
            self.text_in(2, y, room, &format!(" {heading} "), self.style(Meaning::Title));
        }
    }

    /// A border with headings left and right; gives the pen for its inside.
    pub fn boxed(&mut self, left: &str, right: &str, set: border::Set<'_>, style: Style) -> Pen<'_> {
        let Rect {
            x,
            y,
            width: across,
            height: down,
        } = self.area;
        if across < 2 || down < 2 {
            return self.on(Rect {
                width: 0,
                height: 0,
                ..self.area
            });
        }
        let (last_x, last_y) = (x + across - 1, y + down - 1);
        for at in x..=last_x {
            self.buf[(at, y)].set_symbol(set.horizontal_top).set_style(style);
            self.buf[(at, last_y)]
                .set_symbol(set.horizontal_bottom)
                .set_style(style);
        }
        for at in y..=last_y {
            self.buf[(x, at)].set_symbol(set.vertical_left).set_style(style);
            self.buf[(last_x, at)]
                .set_symbol(set.vertical_right)
                .set_style(style);
        }
        let corners = [
            (x, y, set.top_left),
            (last_x, y, set.top_right),
            (x, last_y, set.bottom_left),
            (last_x, last_y, set.bottom_right),
        ];
        for (at_x, at_y, corner) in corners {
            self.buf[(at_x, at_y)].set_symbol(corner);
        }
        self.headings(left, right);
        self.on(super::layout::inside(self.area))
    }

    fn headings(&mut self, left: &str, right: &str) {
        let title = self.style(Meaning::Title);
        let mut room = self.width().saturating_sub(4);
        if !right.is_empty() {
            let right = format!(" {right} ");
            let begins = self.right(2, 0, &right, title);
            room = begins.saturating_sub(3);
        }
        if !left.is_empty() {
            self.text_in(2, 0, room, &format!(" {left} "), title);
        }
    }
}

/// `text` broken at words into lines of at most `cells` cells; longer words are cut.
#[must_use]
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    if cells == 0 {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        for piece in pieces_of(word, cells) {
            let wide = width(&piece);
            if used > 0 && used + 1 + wide > cells {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                if used > 0 {
                    line.push(' ');
                    used += 1;
                }
                line.push_str(&piece);
                used += wide;
            }
        }
    }
    lines
}

fn pieces_of(word: &str, cells: u16) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for letter in word.graphemes(true) {
        let wide = width(letter);
        if used + wide > cells && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(letter);
        }
        used += wide;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_with_dots_and_never_in_the_middle_of_a_letter() {
        assert_eq!(fitted("abcdef", 6), "abcdef");
        assert_eq!(fitted("abcdefg", 6), "abcd..");
        assert_eq!(fitted("佐藤佐藤", 5), "佐..");
        assert_eq!(fitted("abc", 1), ".");
    }

    #[test]
    fn lines_break_at_words_and_long_words_are_cut() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("x", 0), Vec::<String>::new());
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(clean("a\u{1b}[2Jb"), "a<1b>[2Jb");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
        assert!(matches!(clean("Zoë"), Cow::Borrowed(_)));
    }
}
