//! The mapping file: which old payment method became which new one. PURE: bytes in, a function and a lint report out.
//!
//! | layout, recognised by content | from |
//! |---|---|
//! | `customer_id_old,source_id_old,customer_id_new,source_id_new` | Stripe's self-serve copy, as documented |
//! | the same with `v2_account_id_old`, `v2_account_id_new` | the same, as observed since September 2026 |
//! | `{"<old customer>": {"id": …, "cards": {"<old card>": {"id": …}}}}` | an import from another processor |
//! | `old_customer_id,customer_id,old_card_id,card_id,…` and its kin | the same as CSV (docs: PAN import) |
//!
//! Columns are found by name, in any order; further columns are listed and left alone. A blank source is a customer
//! without a method. Every row is accepted, rejected, or an exact duplicate, and the three add up to all rows
//! (reliability I24). What makes the file as a whole not a function, one old method with two new ones, refuses the file;
//! a row that cannot be used is rejected with its place, and the customer it belongs to is then blocked for want of a row.
//!
//! A file of a million rows is held as one text of ids and sixteen bytes a row; nothing else of it stays.

mod csv;
mod json;
mod lint;
mod rows;
mod table;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use thiserror::Error;

use self::lint::{Checked, Wrong, text_of};
pub use self::lint::{Lint, Place, Problem, Tally};
pub use self::rows::Target;
use self::rows::{Prints, Rows};
use crate::domain::ids::Digest;

/// The largest mapping file: what Stripe's own tools take.
pub const MAX_BYTES: u64 = 120 << 20;

/// Who made the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Stripe's self-serve copy: customers keep their ids.
    SelfServe,
    /// An import from another processor: customers get new ids.
    Processor,
}

impl Origin {
    /// `self_serve` or `processor`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SelfServe => "self_serve",
            Self::Processor => "processor",
        }
    }
}

/// Why a file is refused whole: one sentence with file, place and remedy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}{}: {why}", .place.as_ref().map(|place| format!(", {place}")).unwrap_or_default())]
pub struct FileError {
    /// The file, as the operator named it.
    pub file: String,
    /// Where in it: line 12, column `source_id_new`.
    pub place: Option<String>,
    /// What is wrong, and what to do. Safe to draw.
    pub why: String,
}

/// A mapping, read and linted. See the [module page](self).
#[derive(Debug)]
pub struct Mapping {
    origin: Origin,
    rows: Rows,
    lint: Lint,
    /// Asked for at every step of a plan's life, and a second's work for a million rows.
    digest: OnceLock<Digest>,
}

impl Mapping {
    /// Reads the files of one copy; each run of a copy yields its own file, so there may be several. Rows that stand in
    /// two of them are duplicates like any other.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, FileError> {
        let mut reading = Reading::default();
        for (name, bytes) in files {
            reading.file(name, bytes)?;
        }
        reading.finish()
    }

    /// Who made it.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// What the lint found.
    #[must_use]
    pub const fn lint(&self) -> &Lint {
        &self.lint
    }

    /// What became of an old payment method, card or source.
    #[must_use]
    pub fn method(&self, old: &str) -> Option<Target<'_>> {
        self.rows.method(old)
    }

    /// The new id of an old customer; the same id after a self-serve copy.
    #[must_use]
    pub fn customer(&self, old: &str) -> Option<&str> {
        self.rows.customer(old)
    }

    /// All accepted rows, in the order of the files. A blank source is a customer without a method.
    pub fn iter(&self) -> impl Iterator<Item = Target<'_>> {
        self.rows.iter()
    }

    /// Digest over the accepted rows in order of old ids: what a plan is bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| self.rows.digest())
    }
}

/// A mapping under way.
#[derive(Default)]
pub(super) struct Reading {
    origin: Option<Origin>,
    rows: Rows,
    lint: Lint,
}

/// One row as it stood in a file, not yet judged.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) customer: &'a [u8],
    pub(super) source: &'a [u8],
    pub(super) new_customer: &'a [u8],
    pub(super) new_source: &'a [u8],
    pub(super) line: u64,
}

/// A row with what can be said of it by itself.
pub(super) struct Judged<'a> {
    line: u64,
    checked: Result<(Checked<'a>, Prints), Wrong<'a>>,
}

impl Reading {
    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let refuse = |why: &str| FileError {
            file: name.to_owned(),
            place: None,
            why: why.to_owned(),
        };
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(refuse("is in UTF-16; save it as CSV in UTF-8"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        self.lint.files.push(name.to_owned());
        self.rows.expect(bytes.len());
        match first {
            None => Err(refuse("is empty; give the mapping file of the copy")),
            Some(b'{') => json::read(self, name, bytes),
            Some(_) => csv::read(self, name, bytes),
        }
    }

    fn is(&mut self, name: &str, origin: Origin) -> Result<(), FileError> {
        match self.origin.replace(origin) {
            Some(before) if before != origin => Err(FileError {
                file: name.to_owned(),
                place: None,
                why: format!(
                    "is a mapping of another kind ({}) than the file before it ({}); give the files of one copy",
                    origin.word(),
                    before.word()
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Judges one row. `Err` refuses the file.
    pub(super) fn row(&mut self, name: &str, raw: Raw<'_>) -> Result<(), FileError> {
        self.take(name, &self.judge(raw))
    }

    /// Takes in judged rows, in order, and leaves the list empty.
    pub(super) fn take_all(&mut self, name: &str, judged: &mut Vec<Judged<'_>>) -> Result<(), FileError> {
        self.rows
            .touch(judged.iter().filter_map(|one| Some(one.checked.ok()?.1)));
        judged.drain(..).try_for_each(|one| self.take(name, &one))
    }

    /// What can be said of a row by itself.
    pub(super) fn judge<'a>(&self, raw: Raw<'a>) -> Judged<'a> {
        let of_stripe = self.origin == Some(Origin::SelfServe);
        let checked = lint::check(raw).and_then(|checked| {
            if of_stripe {
                lint::check_old(&checked)?;
            }
            Ok((checked, self.rows.prints(checked)))
        });
        Judged {
            line: raw.line,
            checked,
        }
    }

    /// A row that is not used, whatever the others are.
    pub(super) fn reject(&mut self, line: u64, (problem, column, text): Wrong<'_>) {
        self.lint.rows += 1;
        self.lint.reject(problem, line, column, text);
    }

    fn take(&mut self, name: &str, judged: &Judged<'_>) -> Result<(), FileError> {
        let line = judged.line;
        let (checked, prints) = match judged.checked {
            Ok(good) => good,
            Err(wrong) => {
                self.reject(line, wrong);
                return Ok(());
            }
        };
        self.lint.rows += 1;
        let file = u16::try_from(self.lint.files.len() - 1).unwrap_or(u16::MAX);
        match self.rows.add(checked, prints, line, file) {
            rows::Added::New => self.lint.accepted += 1,
            rows::Added::Same => self.lint.identical += 1,
            rows::Added::ManyToOne(other) => {
                // Neither of the two may be used: which one the new method really is cannot be told from here.
                self.lint
                    .reject(Problem::ManyToOne, line, "source_id_new", checked.new_source);
                if let Some(other_line) = other {
                    self.lint.accepted -= 1;
                    self.lint.reject(
                        Problem::ManyToOne,
                        other_line,
                        "source_id_new",
                        checked.new_source,
                    );
                }
            }
            rows::Added::Conflict {
                line: first,
                file,
                what,
            } => {
                let before = self.lint.files.get(usize::from(file)).map_or("", String::as_str);
                return Err(FileError {
                    file: name.to_owned(),
                    place: Some(format!("line {line}")),
                    why: format!(
                        "{what} {} is mapped to something else than on line {first} of {before}; a mapping must have one \
                         target per old id, so the file is refused: ask Stripe for a new one, or remove the wrong row",
                        text_of(if what == "customer" {
                            checked.customer
                        } else {
                            checked.source
                        })
                    ),
                });
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Mapping, FileError> {
        let Some(origin) = self.origin else {
            return Err(FileError {
                file: "mapping".to_owned(),
                place: None,
                why: "no mapping file was given".to_owned(),
            });
        };
        self.rows.seal();
        Ok(Mapping {
            origin,
            rows: self.rows,
            lint: self.lint,
            digest: OnceLock::new(),
        })
    }
}
