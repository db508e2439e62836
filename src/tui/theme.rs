//! Styles by what they mean, never by where they are used. Four small files in `assets/themes` fill them in.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use thiserror::Error;

use crate::domain::ids::Environment;
use crate::domain::panel::Tone;

/// What a style is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Ordinary text.
    Plain,
    /// Text that leads the eye.
    Strong,
    /// Text that stays back.
    Quiet,
    /// As it should be.
    Good,
    /// Wants a look.
    Attention,
    /// Wrong.
    Bad,
    /// Lines around panes.
    Border,
    /// Lines around the pane that has the keys.
    BorderFocus,
    /// Headings.
    Title,
    /// The row the keys act on.
    Cursor,
    /// A key that can be pressed.
    Key,
    /// Text being typed.
    Input,
    /// Real customers, real money.
    Live,
    /// Test keys.
    Test,
    /// Simulated accounts.
    Rehearsal,
    /// The heavy border of approval and of a halt.
    Alarm,
    /// Bars and sparklines.
    Meter,
}

const MEANINGS: usize = Meaning::Meter as usize + 1;
/// The themes there are, by name.
const FILES: [(&str, &str); 4] = [
    ("default", include_str!("../../assets/themes/default.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    (
        "blue-orange",
        include_str!("../../assets/themes/blue-orange.toml"),
    ),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

/// A theme that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ThemeError {
    /// No such name.
    #[error("there is no theme `{name}`; choose one of {}", names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A file that does not read.
    #[error("the theme `{name}` does not read: {why}")]
    Broken {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// The names of all themes, the default first.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// One style per meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme([Style; MEANINGS]);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    styles: BTreeMap<Meaning, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one per modifier of the file format"
)]
struct Entry {
    #[serde(deserialize_with = "colour")]
    fg: Option<Color>,
    #[serde(deserialize_with = "colour")]
    bg: Option<Color>,
    bold: bool,
    dim: bool,
    underline: bool,
    reverse: bool,
}

/// A colour by name, by number of the 256, or as `#rrggbb`.
fn colour<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Color>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map(Some)
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a colour")))
}

impl Entry {
    fn style(&self) -> Style {
        let mut style = Style::new();
        style.fg = self.fg;
        style.bg = self.bg;
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ];
        for (on, modifier) in modifiers {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        style
    }
}

impl Theme {
    /// The theme of that name.
    pub fn named(name: &str) -> Result<Self, ThemeError> {
        let (_, text) =
            FILES
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| ThemeError::Unknown {
                    name: name.to_owned(),
                })?;
        let broken = |why: String| ThemeError::Broken {
            name: name.to_owned(),
            why,
        };
        let file: File = toml::from_str(text).map_err(|e| broken(e.to_string()))?;
        let mut styles = [Style::new(); MEANINGS];
        for (meaning, entry) in &file.styles {
            styles[*meaning as usize] = entry.style();
        }
        if file.styles.len() == MEANINGS {
            Ok(Self(styles))
        } else {
            Err(broken(format!(
                "{} of {MEANINGS} meanings are there",
                file.styles.len()
            )))
        }
    }

    /// The theme to use: the one asked for, or the default; without any colour when `no_color`.
    pub fn choose(name: Option<&str>, no_color: bool) -> Result<Self, ThemeError> {
        let asked = Self::named(name.unwrap_or("default"))?;
        if no_color { Self::named("mono") } else { Ok(asked) }
    }

    /// The style of a meaning.
    #[must_use]
    pub const fn of(&self, meaning: Meaning) -> Style {
        self.0[meaning as usize]
    }

    /// The style of a tone that came with data.
    #[must_use]
    pub const fn tone(&self, tone: Tone) -> Style {
        self.of(match tone {
            Tone::Plain => Meaning::Plain,
            Tone::Good => Meaning::Good,
            Tone::Attention => Meaning::Attention,
            Tone::Bad => Meaning::Bad,
            Tone::Quiet => Meaning::Quiet,
        })
    }

    /// The style of the word LIVE, TEST or REHEARSAL.
    #[must_use]
    pub const fn environment(&self, environment: Environment) -> Style {
        self.of(match environment {
            Environment::Live => Meaning::Live,
            Environment::Test => Meaning::Test,
            Environment::Rehearsal => Meaning::Rehearsal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_fills_every_meaning() {
        for name in names() {
            assert!(Theme::named(name).is_ok(), "{name}: {:?}", Theme::named(name));
        }
    }

    #[test]
    fn an_unknown_theme_names_those_there_are() {
        let error = Theme::choose(Some("neon"), false).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no theme `neon`; choose one of default, light, blue-orange, mono"
        );
    }

    #[test]
    fn without_colour_no_meaning_has_a_colour_whatever_was_asked_for() {
        let theme = Theme::choose(Some("blue-orange"), true).unwrap();
        assert!(
            theme
                .0
                .iter()
                .all(|style| style.fg.is_none() && style.bg.is_none())
        );
    }

    #[test]
    fn live_test_and_rehearsal_differ_in_every_theme() {
        for name in names() {
            let theme = Theme::named(name).unwrap();
            let [live, test, rehearsal] =
                [Environment::Live, Environment::Test, Environment::Rehearsal].map(|e| theme.environment(e));
            assert!(live != test && test != rehearsal && live != rehearsal, "{name}");
        }
    }

    #[test]
    fn no_theme_sets_a_background_or_white_so_that_light_terminals_stay_readable() {
        for name in names() {
            let theme = Theme::named(name).unwrap();
            for style in theme.0 {
                assert!(style.bg.is_none(), "{name}");
                assert!(!matches!(style.fg, Some(Color::White | Color::Gray)), "{name}");
            }
        }
        let light = Theme::named("light").unwrap();
        let pale = |style: &Style| {
            matches!(
                style.fg,
                Some(Color::Yellow | Color::LightYellow | Color::Green | Color::Cyan)
            )
        };
        assert!(!light.0.iter().any(pale), "pale colours on a light terminal");
    }
}
