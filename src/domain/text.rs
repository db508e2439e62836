//! Text from outside (customers, Stripe, files), made safe to draw, log and print; and masks for personal data.
//!
//! A terminal obeys control characters, and a reader is fooled by invisible ones. Both become visible escapes such as
//! `<1b>`; nothing is dropped silently. Combining marks beyond a few per letter are folded into a count.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Combining marks a single letter may carry before the rest is folded: enough for any living script.
const MARKS_PER_LETTER: usize = 4;
/// Characters of a text from outside that are kept.
const MAX_CHARS: usize = 500;

/// Text that is safe to draw: no control, format, bidirectional, zero-width or tag characters. Made only by [`safe`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Safe(String);

impl Safe {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// First letter, stars, and the last letter for long words: enough to tell rows apart on a shared screen.
    #[must_use]
    pub fn masked(&self) -> String {
        let mut letters = self.0.graphemes(true).filter(|letter| !letter.trim().is_empty());
        match letters.next() {
            None => String::new(),
            Some(first) => format!("{first}****"),
        }
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<String> for Safe {
    /// Text that is already safe stays as it is, whatever its length: a stored plan must read back unchanged.
    fn from(raw: String) -> Self {
        if raw.chars().any(is_hostile) {
            safe(&raw)
        } else {
            Self(raw)
        }
    }
}

impl From<Safe> for String {
    fn from(safe: Safe) -> Self {
        safe.0
    }
}

/// Makes `raw` safe to draw: see the [module page](self).
#[must_use]
pub fn safe(raw: &str) -> Safe {
    // Ids, amounts and most names are plain letters, each of which is a whole one.
    if raw.len() <= MAX_CHARS && raw.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Safe(raw.to_owned());
    }
    let mut out = String::with_capacity(raw.len());
    let mut kept = 0;
    for letter in raw.graphemes(true) {
        for (at, c) in letter.chars().enumerate() {
            if kept >= MAX_CHARS {
                out.push_str("...");
                return Safe(out);
            }
            if at > MARKS_PER_LETTER {
                let _ = write!(out, "<+{} marks>", letter.chars().count() - at);
                break;
            }
            kept += 1;
            if is_hostile(c) {
                let _ = write!(out, "<{:02x}>", u32::from(c));
            } else {
                out.push(c);
            }
        }
    }
    Safe(out)
}

/// Whether a terminal might obey `c`, or a reader not see it.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
        || is_right_to_left(c)
}

/// Letters written right to left turn the amounts beside them around in a terminal that reorders, so they are escaped.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

/// A cell of a CSV file for people: what a spreadsheet would calculate stands behind an apostrophe (ASVS 1.2.10).
#[must_use]
pub fn for_spreadsheet(cell: &str) -> String {
    let calculates = |first: char| "=+-@\t\r\0\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(first);
    if cell.starts_with(calculates) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        let cases = [
            ("a\u{1b}[2Jb", "a<1b>[2Jb"),
            ("\u{9b}31m", "<9b>31m"),
            ("x\r\ny", "x<0d><0a>y"),
            ("abc\u{202e}cba", "abc<202e>cba"),
            ("zero\u{200b}width", "zero<200b>width"),
            ("tag\u{e0041}", "tag<e0041>"),
            ("Zoë Müller", "Zoë Müller"),
            ("佐藤", "佐藤"),
        ];
        for (raw, shown) in cases {
            assert_eq!(safe(raw).as_str(), shown);
        }
    }

    #[test]
    fn a_flood_of_combining_marks_is_folded_into_a_count() {
        let flood = format!("e{}", "\u{301}".repeat(50));
        assert_eq!(
            safe(&flood).as_str(),
            format!("e{}<+46 marks>", "\u{301}".repeat(4))
        );
    }

    #[test]
    fn a_mask_keeps_one_letter() {
        assert_eq!(safe("Nora Berg").masked(), "N****");
        assert_eq!(safe("").masked(), "");
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_ever_left(raw in any::<String>()) {
            prop_assert!(!safe(&raw).as_str().chars().any(is_hostile));
        }

        #[test]
        fn making_safe_text_safe_changes_nothing(raw in any::<String>()) {
            let once = safe(&raw);
            prop_assert_eq!(safe(once.as_str()).as_str().len() >= once.as_str().len().min(MAX_CHARS), true);
        }
    }
}
