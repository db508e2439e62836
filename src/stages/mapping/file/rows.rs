//! The rows of a mapping, small: ids one behind another in one text, sixteen bytes a row, and tables of fingerprints to
//! find them. A fingerprint only says where to look; ids are always compared themselves.

use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::sync::OnceLock;

use foldhash::quality::RandomState;

use super::lint::Checked;
use super::table::Table;
use crate::domain::ids::{Digest, Hashing};

/// What became of one old method; `source` is empty for a customer without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Old customer.
    pub customer: &'a str,
    /// Old method, card or source.
    pub source: &'a str,
    /// New customer.
    pub new_customer: &'a str,
    /// New method.
    pub new_source: &'a str,
    /// Line, from 1.
    pub line: u32,
}

#[derive(Clone, Copy)]
struct Row {
    at: u32,
    line: u32,
    /// [`REJECTED`] when the row is not used any more.
    file: u16,
    customer: u8,
    source: u8,
    /// 0: the same as the old one.
    new_customer: u8,
    new_source: u8,
}

/// See the [module page](self).
#[derive(Default)]
pub(super) struct Rows {
    kept: Kept,
    keys: RandomState,
    by_source: Table,
    by_new_source: Table,
    /// Customers without a method, who are not found by one.
    without_source: Table,
    /// While no customer has changed its id nobody has to be looked up by it; made of all rows when that is over.
    by_customer: OnceLock<Table>,
}

/// The rows themselves.
#[derive(Default)]
struct Kept {
    text: Vec<u8>,
    table: Vec<Row>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({})", self.kept.table.len())
    }
}

/// What became of a row that was added.
pub(super) enum Added {
    New,
    Same,
    /// The new method stands for another old one already; the line of that one, if it was in use until now.
    ManyToOne(Option<u64>),
    Conflict {
        line: u32,
        file: u16,
        what: &'static str,
    },
}

/// Where to look for the ids of a row. Of a row without a method: for its customer.
#[derive(Clone, Copy)]
pub(super) struct Prints {
    old: u64,
    new: u64,
}

impl Kept {
    fn target(&self, row: u32) -> Target<'_> {
        let row = self.table[row as usize];
        let mut at = row.at as usize;
        let mut next = |length: u8| {
            let text = &self.text[at..at + usize::from(length)];
            at += usize::from(length);
            // Only checked ids are put in.
            std::str::from_utf8(text).unwrap_or_default()
        };
        let customer = next(row.customer);
        let source = next(row.source);
        let new_customer = match row.new_customer {
            0 => customer,
            length => next(length),
        };
        Target {
            customer,
            source,
            new_customer,
            new_source: next(row.new_source),
            line: row.line,
        }
    }

    fn next(&self) -> u32 {
        u32::try_from(self.table.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, new: Checked<'_>, line: u64, file: u16) {
        let at = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let same = new.customer == new.new_customer;
        let new_customer: &[u8] = if same { b"" } else { new.new_customer };
        for id in [new.customer, new.source, new_customer, new.new_source] {
            self.text.extend_from_slice(id);
        }
        // Ids are at most 255 bytes long; longer ones were rejected.
        let length = |id: &[u8]| u8::try_from(id.len()).unwrap_or(u8::MAX);
        self.table.push(Row {
            at,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            file: file.min(REJECTED - 1),
            customer: length(new.customer),
            source: length(new.source),
            new_customer: length(new_customer),
            new_source: length(new.new_source),
        });
    }

    /// Takes a row out of use, unless it was before. Its text stays, so that a third old method with the same new one is
    /// found as well.
    fn reject(&mut self, row: u32) -> Option<u64> {
        let row = &mut self.table[row as usize];
        (row.file != REJECTED).then(|| {
            row.file = REJECTED;
            u64::from(row.line)
        })
    }

    fn is_used(&self, row: u32) -> bool {
        self.table[row as usize].file != REJECTED
    }

    fn conflict(&self, row: u32, what: &'static str) -> Added {
        let Row { line, file, .. } = self.table[row as usize];
        Added::Conflict { line, file, what }
    }
}

impl Rows {
    /// Makes room for a file of so many bytes: growing step by step would copy everything several times.
    pub(super) fn expect(&mut self, bytes: usize) {
        let rows = bytes / BYTES_A_ROW;
        self.kept.text.reserve(rows * TEXT_A_ROW);
        self.kept.table.reserve(rows);
        self.by_source.reserve(rows);
        self.by_new_source.reserve(rows);
    }

    fn print(&self, id: &[u8]) -> u64 {
        self.keys.hash_one(id)
    }

    pub(super) fn prints(&self, new: Checked<'_>) -> Prints {
        let old = if new.source.is_empty() {
            new.customer
        } else {
            new.source
        };
        Prints {
            old: self.print(old),
            new: self.print(new.new_source),
        }
    }

    /// Begins to fetch what adding these rows will look at.
    pub(super) fn touch(&self, prints: impl Iterator<Item = Prints>) {
        let mut all = 0;
        for Prints { old, new } in prints {
            all ^= self.by_source.touch(old) ^ self.by_new_source.touch(new);
        }
        // Nobody wants to know; but what nobody wants to know is not fetched.
        black_box(all);
    }

    pub(super) fn add(&mut self, new: Checked<'_>, prints: Prints, line: u64, file: u16) -> Added {
        if let Some(conflict) = self.other_customer(new) {
            return conflict;
        }
        let (kept, next) = (&self.kept, self.kept.next());
        if new.source.is_empty() {
            let is = |row| kept.target(row).customer.as_bytes() == new.customer;
            if self.without_source.found_or(prints.old, next, is).is_some() {
                return Added::Same;
            }
            self.kept.push(new, line, file);
            return Added::New;
        }
        let is = |row| kept.target(row).source.as_bytes() == new.source;
        if let Some(row) = self.by_source.found_or(prints.old, next, is) {
            let there = kept.target(row);
            let same =
                there.customer.as_bytes() == new.customer && there.new_source.as_bytes() == new.new_source;
            return if same {
                Added::Same
            } else {
                kept.conflict(row, "method")
            };
        }
        let is = |row| kept.target(row).new_source.as_bytes() == new.new_source;
        let other = self.by_new_source.found_or(prints.new, next, is);
        self.kept.push(new, line, file);
        match other {
            None => Added::New,
            Some(other) => {
                // Both stay, out of use, so that another target of either is still a conflict.
                self.kept.reject(next);
                Added::ManyToOne(self.kept.reject(other))
            }
        }
    }

    /// The conflict with an earlier row that gives the same customer another id.
    fn other_customer(&mut self, new: Checked<'_>) -> Option<Added> {
        let changes = new.customer != new.new_customer;
        if !changes && self.by_customer.get().is_none() {
            return None;
        }
        self.customers();
        let (kept, next) = (&self.kept, self.kept.next());
        let print = self.print(new.customer);
        let is = |row| kept.target(row).customer.as_bytes() == new.customer;
        match self.by_customer.get()?.found(print, is) {
            Some(row) if kept.target(row).new_customer.as_bytes() != new.new_customer => {
                Some(kept.conflict(row, "customer"))
            }
            Some(_) => None,
            None => {
                self.by_customer.get_mut()?.found_or(print, next, |_| false);
                None
            }
        }
    }

    /// The first row of every customer.
    fn customers(&self) -> &Table {
        self.by_customer.get_or_init(|| {
            let (kept, mut table) = (&self.kept, Table::default());
            table.reserve(kept.table.len());
            for row in 0..kept.next() {
                let customer = kept.target(row).customer;
                let is = |other| kept.target(other).customer == customer;
                table.found_or(self.print(customer.as_bytes()), row, is);
            }
            table
        })
    }

    /// Gives back what only adding needs.
    pub(super) fn seal(&mut self) {
        self.by_new_source = Table::default();
        self.without_source = Table::default();
        self.kept.text.shrink_to_fit();
        self.kept.table.shrink_to_fit();
    }

    pub(super) fn method(&self, old: &str) -> Option<Target<'_>> {
        let print = self.print(old.as_bytes());
        let is = |row| self.kept.target(row).source == old;
        let row = self.by_source.found(print, is)?;
        self.kept.is_used(row).then(|| self.kept.target(row))
    }

    pub(super) fn customer(&self, old: &str) -> Option<&str> {
        let print = self.print(old.as_bytes());
        let is = |row| self.kept.target(row).customer == old;
        let row = self.customers().found(print, is)?;
        Some(self.kept.target(row).new_customer)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Target<'_>> {
        let used = (0..self.kept.next()).filter(|row| self.kept.is_used(*row));
        used.map(|row| self.kept.target(row))
    }

    pub(super) fn digest(&self) -> Digest {
        let kept = &self.kept;
        let mut rows: Vec<u32> = (0..kept.next()).filter(|row| kept.is_used(*row)).collect();
        rows.sort_unstable_by(|a, b| {
            let (a, b) = (kept.target(*a), kept.target(*b));
            (a.customer, a.source).cmp(&(b.customer, b.source))
        });
        let mut hash = Hashing::new("cutover-mapping-v1");
        for t in rows.into_iter().map(|row| kept.target(row)) {
            for id in [t.customer, t.source, t.new_customer, t.new_source] {
                hash.add(id.as_bytes());
                hash.add(b"\0");
            }
        }
        hash.digest()
    }
}

/// Of a usual file: two customers, two methods of 27 characters, commas and a line end.
const BYTES_A_ROW: usize = 92;
/// What of it is kept.
const TEXT_A_ROW: usize = 72;
/// In place of the file of a row that is not used any more.
const REJECTED: u16 = u16::MAX;
