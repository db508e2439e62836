//! What a header may name.

use std::collections::HashMap;

use super::FileRefused;
use super::lines::Record;

/// A column the toolkit knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    /// One of [`SINGLE`].
    Single(&'static str),
    /// A field of the item of that number.
    Of(Family, usize, &'static str),
    /// A metadata key.
    Metadata(String),
}

/// Items of a row that are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// `items.N.…`
    Item,
    /// `adhoc_items.N.…`
    AdHoc,
    /// `add_invoice_items.N.…`
    AddOn,
}

/// Columns there is one of.
const SINGLE: [&str; 15] = [
    "customer",
    "start_date",
    "price",
    "quantity",
    "automatic_tax",
    "billing_cycle_anchor",
    "coupon",
    "currency",
    "trial_end",
    "proration_behavior",
    "collection_method",
    "default_tax_rate",
    "backdate_start_date",
    "days_until_due",
    "cancel_at_period_end",
];

impl Family {
    const ALL: [Self; 3] = [Self::Item, Self::AdHoc, Self::AddOn];

    /// The word before the number.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Item => "items",
            Self::AdHoc => "adhoc_items",
            Self::AddOn => "add_invoice_items",
        }
    }

    /// The words behind it.
    pub(crate) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Item => &["price", "quantity"],
            Self::AdHoc => &["amount", "product", "interval", "currency", "quantity"],
            Self::AddOn => &["amount", "product", "currency"],
        }
    }
}

impl Column {
    /// The name in a header.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Single(name) => (*name).to_owned(),
            Self::Of(family, n, field) => format!("{}.{n}.{field}", family.word()),
            Self::Metadata(key) => format!("metadata.{key}"),
        }
    }

    /// The column of that name; `None` for one the toolkit passes over.
    fn of(name: &str) -> Result<Option<Self>, FileRefused> {
        if let Some(single) = SINGLE.iter().find(|s| **s == name) {
            return Ok(Some(Self::Single(single)));
        }
        for family in Family::ALL {
            let rest = name
                .strip_prefix(family.word())
                .and_then(|rest| rest.strip_prefix('.'));
            if let Some(rest) = rest {
                let column =
                    numbered(family, rest).ok_or_else(|| FileRefused::NoSuchItem(name.to_owned()))?;
                return Ok(Some(column));
            }
        }
        let key = name
            .strip_prefix("metadata.")
            .or_else(|| name.strip_prefix("metadata_"));
        Ok(key
            .filter(|key| !key.is_empty())
            .map(|key| Self::Metadata(key.to_owned())))
    }
}

/// `0.price` and the like.
fn numbered(family: Family, rest: &str) -> Option<Column> {
    let (number, field) = rest.split_once('.')?;
    let n: usize = number.parse().ok()?;
    let field = family.fields().iter().find(|known| **known == field)?;
    // One way to write a number, so that no column is there twice under two names.
    (n < 1000 && n.to_string() == number).then_some(Column::Of(family, n, field))
}

/// A header that was understood.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) width: usize,
    places: HashMap<Column, usize>,
    /// One more than the largest number, by family.
    numbers: [usize; 3],
    /// Keys of metadata in order of their columns.
    pub(crate) keys: Vec<String>,
}

impl Header {
    /// Reads a header.
    pub(crate) fn of(record: &Record<'_>) -> Result<Self, FileRefused> {
        let mut header = Self {
            width: record.cells.len(),
            places: HashMap::new(),
            numbers: [0; 3],
            keys: Vec::new(),
        };
        let mut seen = std::collections::HashSet::new();
        for (at, cell) in record.cells.iter().enumerate() {
            let name = std::str::from_utf8(cell).map_err(|_| FileRefused::NotText)?;
            let name = name.trim();
            let name = name.strip_suffix("(required)").unwrap_or(name).trim_end();
            let column = Column::of(name)?;
            let spelt = column.as_ref().map_or_else(|| name.to_owned(), Column::name);
            if !name.is_empty() && name != "processing_error" && !seen.insert(spelt) {
                return Err(FileRefused::Twice(name.to_owned()));
            }
            if let Some(column) = column {
                header.note(&column);
                header.places.insert(column, at);
            }
        }
        header.complete()
    }

    fn note(&mut self, column: &Column) {
        match column {
            Column::Of(family, n, _) => {
                let count = &mut self.numbers[*family as usize];
                *count = (*count).max(n + 1);
            }
            Column::Metadata(key) => self.keys.push(key.clone()),
            Column::Single(_) => {}
        }
    }

    fn complete(self) -> Result<Self, FileRefused> {
        for name in ["customer", "start_date"] {
            if !self.places.contains_key(&Column::Single(name)) {
                return Err(FileRefused::Missing(name));
            }
        }
        let has = |column: Column| self.places.contains_key(&column);
        let priced = has(Column::Single("price"))
            || (0..self.count(Family::Item)).any(|n| has(Column::Of(Family::Item, n, "price")))
            || (0..self.count(Family::AdHoc)).any(|n| has(Column::Of(Family::AdHoc, n, "amount")));
        if priced {
            Ok(self)
        } else {
            Err(FileRefused::Missing("price"))
        }
    }

    /// One more than the largest number of a family's columns.
    pub(crate) const fn count(&self, family: Family) -> usize {
        self.numbers[family as usize]
    }

    /// Where a column is.
    pub(crate) fn place(&self, column: &Column) -> Option<usize> {
        self.places.get(column).copied()
    }
}
