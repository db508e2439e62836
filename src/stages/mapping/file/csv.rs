//! The mapping as CSV, by the names of its columns.

use csv::{ByteRecord, ReaderBuilder};
use memchr::memchr2;

use super::lint::LONGEST_LINE;
use super::{FileError, Origin, Problem, Raw, Reading};
use crate::domain::text::safe;

/// Names of the four columns: the self-serve copy's first, then those of processor imports (docs: PAN import).
const CUSTOMER: [&str; 3] = ["customer_id_old", "old_customer_id", "old_id"];
const SOURCE: [&str; 5] = [
    "source_id_old",
    "old_card_id",
    "source_old_id",
    "old_bank_account_id",
    "old_source_id",
];
const NEW_CUSTOMER: [&str; 4] = [
    "customer_id_new",
    "customer_id",
    "created_customer",
    "stripe_customer_id",
];
const NEW_SOURCE: [&str; 5] = [
    "source_id_new",
    "card_id",
    "source_new_id",
    "bank_account_id",
    "source_id",
];
const WANTED: &str = "customer_id_old,source_id_old,customer_id_new,source_id_new";

/// Where the columns are.
struct Places {
    customer: usize,
    source: usize,
    new_customer: usize,
    new_source: usize,
    width: usize,
}

struct File<'a> {
    name: &'a str,
}

/// Rows judged before the first of them is taken in.
const TOGETHER: usize = 64;

pub(super) fn read(reading: &mut Reading, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    let file = File { name };
    if Lines::can_read(bytes) {
        return file.plain(reading, Lines::of(bytes));
    }
    file.refuse_open_quote(bytes)?;
    file.any(reading, bytes)
}

/// The lines of a file in which nothing is quoted, as the csv crate would read them: lines end with a line feed, and empty
/// ones are none.
struct Lines<'a> {
    rest: &'a [u8],
    /// Where the next line begins, from 1; empty lines before it not counted.
    line: u64,
    /// The first of the cells.
    cells: Vec<&'a [u8]>,
    /// How many of them are kept: a line of commas must not fill the memory.
    kept: usize,
    count: usize,
    /// Bytes in all cells.
    length: usize,
}

impl<'a> Lines<'a> {
    /// No quotation marks, no carriage returns, no second mark of byte order.
    fn can_read(bytes: &[u8]) -> bool {
        !bytes.starts_with(b"\xef\xbb\xbf") && memchr2(b'"', b'\r', bytes).is_none()
    }

    fn of(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            line: 1,
            cells: Vec::new(),
            kept: usize::MAX,
            count: 0,
            length: 0,
        }
    }

    /// Cuts the next line into cells. Its number, as the csv crate counts; `None` at the end.
    fn next(&mut self) -> Option<u64> {
        let line = self.line;
        while let [b'\n', rest @ ..] = self.rest {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        self.cells.clear();
        (self.count, self.length) = (0, 0);
        loop {
            let end = memchr2(b',', b'\n', self.rest).unwrap_or(self.rest.len());
            let (cell, rest) = self.rest.split_at(end);
            if self.count < self.kept {
                self.cells.push(cell);
            }
            self.count += 1;
            self.length += cell.len();
            match rest {
                [b',', rest @ ..] => self.rest = rest,
                [_, rest @ ..] => {
                    self.rest = rest;
                    self.line += 1;
                    return Some(line);
                }
                [] => {
                    self.rest = rest;
                    return Some(line);
                }
            }
        }
    }
}

impl Places {
    /// What of a row is looked at. `count` cells with `length` bytes in all of them; `cell` gives one.
    fn row<'a>(
        &self,
        line: u64,
        (count, length): (usize, usize),
        cell: impl Fn(usize) -> &'a [u8],
    ) -> Result<Raw<'a>, (Problem, String)> {
        if length > LONGEST_LINE {
            return Err((Problem::Overlong, String::new()));
        }
        if count != self.width {
            return Err((Problem::Cells, format!("{count} cells instead of {}", self.width)));
        }
        Ok(Raw {
            customer: cell(self.customer),
            source: cell(self.source),
            new_customer: cell(self.new_customer),
            new_source: cell(self.new_source),
            line,
        })
    }
}

impl File<'_> {
    /// A file in which nothing is quoted: what Stripe writes.
    fn plain(&self, reading: &mut Reading, mut lines: Lines<'_>) -> Result<(), FileError> {
        if lines.next().is_none() {
            return Err(self.empty());
        }
        let places = self.begin(reading, lines.cells.iter().copied())?;
        lines.kept = places.width;
        let mut judged = Vec::with_capacity(TOGETHER);
        while let Some(line) = lines.next() {
            match places.row(line, (lines.count, lines.length), |at| lines.cells[at]) {
                Ok(raw) => judged.push(reading.judge(raw)),
                Err((problem, text)) => {
                    reading.take_all(self.name, &mut judged)?;
                    reading.reject(line, (problem, "customer_id_old", text.as_bytes()));
                }
            }
            if judged.len() == TOGETHER {
                reading.take_all(self.name, &mut judged)?;
            }
        }
        reading.take_all(self.name, &mut judged)
    }

    /// Any file.
    fn any(&self, reading: &mut Reading, bytes: &[u8]) -> Result<(), FileError> {
        let mut csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(bytes);
        let mut record = ByteRecord::new();
        let mut next = |record: &mut ByteRecord| {
            csv.read_byte_record(record)
                .map_err(|error| self.error(None, format!("cannot be read: {error}; fetch the file again")))
        };
        if !next(&mut record)? {
            return Err(self.empty());
        }
        let places = self.begin(reading, record.iter())?;
        while next(&mut record)? {
            let line = record.position().map_or(0, ::csv::Position::line);
            let size = (record.len(), record.as_slice().len());
            match places.row(line, size, |at| &record[at]) {
                Ok(raw) => reading.row(self.name, raw)?,
                Err((problem, text)) => reading.reject(line, (problem, "customer_id_old", text.as_bytes())),
            }
        }
        Ok(())
    }

    /// Takes in the header.
    fn begin<'a>(
        &self,
        reading: &mut Reading,
        cells: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Places, FileError> {
        let (places, origin, ignored) = self.header(cells)?;
        reading.is(self.name, origin)?;
        reading.lint.ignored.extend(ignored);
        Ok(places)
    }

    fn empty(&self) -> FileError {
        self.error(None, format!("is empty; the first line must be {WANTED}"))
    }

    fn error(&self, place: Option<String>, why: impl Into<String>) -> FileError {
        FileError {
            file: self.name.to_owned(),
            place,
            why: why.into(),
        }
    }

    fn header<'a>(
        &self,
        cells: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(Places, Origin, Vec<String>), FileError> {
        let names: Vec<String> = cells
            .map(|cell| String::from_utf8_lossy(cell).trim().to_lowercase())
            .collect();
        if names.len() == 1 && names[0].contains([';', '\t', '|']) {
            let why = format!(
                "separates its columns by something else than a comma; save it with commas: {WANTED}"
            );
            return Err(self.error(Some("line 1".to_owned()), why));
        }
        let places = Places {
            customer: self.place(&names, &CUSTOMER)?,
            source: self.place(&names, &SOURCE)?,
            new_customer: self.place(&names, &NEW_CUSTOMER)?,
            new_source: self.place(&names, &NEW_SOURCE)?,
            width: names.len(),
        };
        let origin = if names[places.customer] == CUSTOMER[0] {
            Origin::SelfServe
        } else {
            Origin::Processor
        };
        let used = [
            places.customer,
            places.source,
            places.new_customer,
            places.new_source,
        ];
        let ignored = names.iter().enumerate().filter(|(at, _)| !used.contains(at));
        let ignored = ignored.map(|(_, name)| safe(name).as_str().to_owned()).collect();
        Ok((places, origin, ignored))
    }

    fn place(&self, names: &[String], wanted: &[&str]) -> Result<usize, FileError> {
        for alias in wanted {
            let mut found = names.iter().enumerate().filter(|(_, name)| name == alias);
            match (found.next(), found.next()) {
                (Some((at, _)), None) => return Ok(at),
                (Some(_), Some(_)) => {
                    let place = format!("line 1, column `{alias}`");
                    return Err(self.error(Some(place), "stands there twice; leave one of them"));
                }
                (None, _) => {}
            }
        }
        let place = format!("line 1, column `{}`", wanted[0]);
        Err(self.error(
            Some(place),
            format!("is missing; the first line must name {WANTED}, in any order"),
        ))
    }

    /// A quotation mark that is never closed would make all that follows one cell, and lose it unseen.
    fn refuse_open_quote(&self, bytes: &[u8]) -> Result<(), FileError> {
        let is_open = bytes.iter().fold(false, |open, byte| open ^ (*byte == b'"'));
        if !is_open {
            return Ok(());
        }
        let at = bytes.iter().rposition(|byte| *byte == b'"').unwrap_or(0);
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        let why =
            "a quotation mark is opened and never closed; fetch the file again, or quote the cell whole";
        Err(self.error(Some(format!("line {line} or before")), why))
    }
}
