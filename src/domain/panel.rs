//! What a stage shows, as data: the stage says what, the screen, the plain mode and the reports say how.

use serde::{Deserialize, Serialize};

/// How a line should strike the eye. Always carried by a word or a sign as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Wants a look.
    Attention,
    /// Wrong.
    Bad,
    /// Out of the way.
    Quiet,
}

/// One claim and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The claim or the difference, short.
    pub says: String,
    /// Good: holds. Attention: look. Bad: does not hold.
    pub tone: Tone,
}

/// Which edge a column keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One column of a stage's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Heading.
    pub title: String,
    /// Narrowest useful width in cells.
    pub width: u16,
    /// Alignment.
    pub align: Align,
    /// Dropped first when the screen is narrow: higher goes sooner, 0 never.
    pub drop_order: u8,
}

/// What a stage's panel says above its table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// `Credits`.
    pub title: String,
    /// One sentence for a stage that has not run: what it will read, and that it writes nothing.
    pub teaches: String,
    /// One to three lines of totals.
    pub headline: Vec<String>,
    /// Claims checked.
    pub checks: Vec<Check>,
    /// The table's columns.
    pub columns: Vec<Column>,
}
