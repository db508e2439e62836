//! The signs on screen: a Unicode set and an ASCII set with the same words beside them, so nothing is told by shape alone.

use ratatui::symbols::border;

use crate::domain::ids::Environment;

/// One set of signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether only ASCII may reach the terminal.
    pub ascii: bool,
    /// Ended well.
    pub done: &'static str,
    /// At work.
    pub running: &'static str,
    /// Needs a person.
    pub attention: &'static str,
    /// Waits.
    pub waits: &'static str,
    /// Failed, or blocked.
    pub failed: &'static str,
    /// Paused.
    pub paused: &'static str,
    /// Not known.
    pub unknown: &'static str,
    /// Marks the row the keys act on.
    pub cursor: &'static str,
    /// Full cell of a bar.
    pub full: &'static str,
    /// Empty cell of a bar.
    pub empty: &'static str,
    /// Heights of a sparkline, lowest first.
    pub spark: [&'static str; 8],
    /// Between the two accounts.
    pub arrow: &'static str,
    /// Equal on both sides.
    pub equal: &'static str,
}

/// For terminals that speak UTF-8.
pub const UNICODE: Glyphs = Glyphs {
    ascii: false,
    done: "✓",
    running: "▶",
    attention: "!",
    waits: "○",
    failed: "✗",
    paused: "‖",
    unknown: "?",
    cursor: "▌",
    full: "█",
    empty: "░",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    arrow: "→",
    equal: "=",
};

/// For everything else.
pub const ASCII: Glyphs = Glyphs {
    ascii: true,
    done: "[x]",
    running: "[>]",
    attention: "[!]",
    waits: "[ ]",
    failed: "[X]",
    paused: "[=]",
    unknown: "[?]",
    cursor: ">",
    full: "#",
    empty: ".",
    spark: ["_", ".", "-", "-", "=", "=", "#", "#"],
    arrow: "->",
    equal: "=",
};

const fn ascii_box(across: &'static str, down: &'static str, corner: &'static str) -> border::Set<'static> {
    border::Set {
        top_left: corner,
        top_right: corner,
        bottom_left: corner,
        bottom_right: corner,
        vertical_left: down,
        vertical_right: down,
        horizontal_top: across,
        horizontal_bottom: across,
    }
}

impl Glyphs {
    /// The set for a locale, as `LC_ALL`, `LC_CTYPE` and `LANG` give it: Unicode only where it says UTF-8.
    #[must_use]
    pub fn for_locale(locale: &str) -> Self {
        let locale = locale.to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") {
            UNICODE
        } else {
            ASCII
        }
    }

    /// The line style of an environment: one of the three ways in which LIVE, TEST and REHEARSAL differ.
    #[must_use]
    pub const fn border(&self, environment: Option<Environment>) -> border::Set<'static> {
        match (self.ascii, environment) {
            (false, Some(Environment::Live)) => border::DOUBLE,
            (false, Some(Environment::Test) | None) => border::PLAIN,
            (false, Some(Environment::Rehearsal)) => border::LIGHT_TRIPLE_DASHED,
            (true, Some(Environment::Live)) => ascii_box("=", "|", "+"),
            (true, Some(Environment::Test) | None) => ascii_box("-", "|", "+"),
            (true, Some(Environment::Rehearsal)) => ascii_box("-", ":", "."),
        }
    }

    /// The heavy border: only around an approval and a halt.
    #[must_use]
    pub const fn heavy(&self) -> border::Set<'static> {
        if self.ascii {
            ascii_box("#", "#", "#")
        } else {
            border::THICK
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locale_that_says_utf_8_gets_unicode() {
        assert_eq!(Glyphs::for_locale("de_DE.UTF-8"), UNICODE);
        assert_eq!(Glyphs::for_locale("C.utf8"), UNICODE);
        for plain in ["", "C", "POSIX", "de_DE.ISO-8859-1"] {
            assert_eq!(Glyphs::for_locale(plain), ASCII);
        }
    }

    #[test]
    fn each_environment_has_its_own_lines_in_both_sets() {
        for glyphs in [UNICODE, ASCII] {
            let [live, test, rehearsal] = [Environment::Live, Environment::Test, Environment::Rehearsal]
                .map(|environment| glyphs.border(Some(environment)));
            assert!(live != test && test != rehearsal && live != rehearsal);
            assert!([live, test, rehearsal].iter().all(|set| *set != glyphs.heavy()));
        }
    }
}
