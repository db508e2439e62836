//! The mapping as CSV, by the names of its columns.

use csv::{ByteRecord, ReaderBuilder};

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

pub(super) fn read(reading: &mut Reading, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    let file = File { name };
    file.refuse_open_quote(bytes)?;
    let mut csv = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| {
        csv.read_byte_record(record)
            .map_err(|error| file.error(None, format!("cannot be read: {error}; fetch the file again")))
    };
    if !next(&mut record)? {
        return Err(file.error(None, format!("is empty; the first line must be {WANTED}")));
    }
    let (places, origin, ignored) = file.header(&record)?;
    reading.is(name, origin)?;
    reading.lint.ignored.extend(ignored);
    while next(&mut record)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        row(reading, name, &record, &places, line)?;
    }
    Ok(())
}

fn row(
    reading: &mut Reading,
    name: &str,
    record: &ByteRecord,
    places: &Places,
    line: u64,
) -> Result<(), FileError> {
    let mut reject = |problem, column, text: &str| {
        reading.lint.rows += 1;
        reading.lint.reject(problem, line, column, text);
        Ok(())
    };
    if record.as_slice().len() > LONGEST_LINE {
        return reject(Problem::Overlong, "customer_id_old", "");
    }
    if record.len() != places.width {
        let cells = format!("{} cells instead of {}", record.len(), places.width);
        return reject(Problem::Cells, "customer_id_old", &cells);
    }
    let raw = Raw {
        customer: &record[places.customer],
        source: &record[places.source],
        new_customer: &record[places.new_customer],
        new_source: &record[places.new_source],
        line,
    };
    reading.row(name, raw)
}

impl File<'_> {
    fn error(&self, place: Option<String>, why: impl Into<String>) -> FileError {
        FileError {
            file: self.name.to_owned(),
            place,
            why: why.into(),
        }
    }

    fn header(&self, record: &ByteRecord) -> Result<(Places, Origin, Vec<String>), FileError> {
        let names: Vec<String> = record
            .iter()
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
