//! An operator's CSV file, read by the names of its columns. PURE: bytes in, rows out.
//!
//! What spreadsheets do is taken: a byte order mark, CRLF, blank lines, quoted cells, any order of columns, further
//! columns. What could lose or change a row unseen is refused, with file, line, column and remedy: bytes that are not
//! UTF-8, a quotation mark that is never closed (it would swallow the rows behind it), a row with more or fewer cells
//! than the header.

use csv::{ByteRecord, ReaderBuilder};
use thiserror::Error;

use super::text::safe;

/// What is wrong with a file, in one sentence.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}{}{}: {why}", line_in_words(*.line), column_in_words(.column.as_deref()))]
pub struct TableError {
    /// The file, as the operator named it.
    pub file: String,
    /// The line, from 1; a row with line breaks inside its cells is named by its first.
    pub line: Option<usize>,
    /// The column, by its name.
    pub column: Option<String>,
    /// What is wrong, and what to do. Safe to draw.
    pub why: String,
}

fn line_in_words(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}

fn column_in_words(column: Option<&str>) -> String {
    column.map_or_else(String::new, |column| format!(", column `{column}`"))
}

/// A file, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name, for errors.
    pub file: String,
    /// The rows, in their order.
    pub rows: Vec<Row>,
    /// Columns nobody asked for, made safe. Their cells are not in the rows.
    pub ignored: Vec<String>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line it begins on, from 1.
    pub line: usize,
    /// The cells of the columns asked for, in the order they were asked for, without white space around them.
    pub cells: Vec<String>,
}

impl Table {
    /// Reads `bytes`, a file with at least `columns` in its header.
    pub fn read(file: &str, bytes: &[u8], columns: &[&str]) -> Result<Self, TableError> {
        Self::read_with(file, bytes, columns, &[])
    }

    /// The same, with the cells of `optional` columns behind the others: empty where the file has no such column.
    pub fn read_with(
        file: &str,
        bytes: &[u8],
        columns: &[&str],
        optional: &[&str],
    ) -> Result<Self, TableError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let blame = Blame {
            file,
            columns,
            optional,
        };
        blame.refuse_other_encodings(bytes)?;
        blame.refuse_loose_quotes(bytes)?;
        let mut lines = Lines::new(bytes);
        let mut csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut record = ByteRecord::new();
        if !blame.next(&mut csv, &mut record)? {
            return Err(blame.error(None, None, format!("is empty; {}", blame.wanted())));
        }
        let header = blame.header(&record, lines.of(&record))?;
        let places = blame.places(&header)?;
        let mut rows = Vec::new();
        while blame.next(&mut csv, &mut record)? {
            let line = lines.of(&record);
            blame.refuse_ragged(&record, line, header.len())?;
            rows.push(Row {
                line,
                cells: blame.cells(&record, line, &places)?,
            });
        }
        let asked = |name: &&String| !columns.iter().chain(optional).any(|column| column == name);
        let ignored = header
            .iter()
            .filter(asked)
            .map(|name| safe(name).to_string())
            .collect();
        Ok(Self {
            file: file.to_owned(),
            rows,
            ignored,
        })
    }

    /// An error about one cell.
    #[must_use]
    pub fn error(&self, row: &Row, column: &str, why: impl Into<String>) -> TableError {
        TableError {
            file: self.file.clone(),
            line: Some(row.line),
            column: Some(column.to_owned()),
            why: why.into(),
        }
    }
}

/// What every error says: which file, and what was wanted of it.
struct Blame<'a> {
    file: &'a str,
    columns: &'a [&'a str],
    optional: &'a [&'a str],
}

impl Blame<'_> {
    fn error(&self, line: Option<usize>, column: Option<&str>, why: impl Into<String>) -> TableError {
        TableError {
            file: self.file.to_owned(),
            line,
            column: column.map(|name| safe(name).to_string()),
            why: why.into(),
        }
    }

    fn wanted(&self) -> String {
        format!("the first line must name the columns {}", self.columns.join(","))
    }

    fn refuse_other_encodings(&self, bytes: &[u8]) -> Result<(), TableError> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(self.error(None, None, "is in UTF-16; save it as CSV in UTF-8"));
        }
        if let Some(at) = bytes.iter().position(|b| *b == 0) {
            let line = Lines::new(bytes).at(at);
            return Err(self.error(Some(line), None, "contains a NUL byte; save it as CSV in UTF-8"));
        }
        Ok(())
    }

    /// Checks quoting strictly (RFC 4180), because a lenient reader would take many rows for one cell.
    fn refuse_loose_quotes(&self, bytes: &[u8]) -> Result<(), TableError> {
        let mut at = 0;
        while at < bytes.len() {
            let (end, fault) = cell_end(bytes, at);
            if let Some(why) = fault {
                return Err(self.error(Some(Lines::new(bytes).at(at)), None, why));
            }
            at = end + 1;
        }
        Ok(())
    }

    fn next(&self, csv: &mut csv::Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool, TableError> {
        csv.read_byte_record(record)
            .map_err(|error| self.error(None, None, safe(&error.to_string()).to_string()))
    }

    fn header(&self, record: &ByteRecord, line: usize) -> Result<Vec<String>, TableError> {
        let text = |cell| {
            self.text(cell, line, None)
                .map(|name: String| name.to_ascii_lowercase())
        };
        let names: Vec<String> = record.iter().map(text).collect::<Result<_, _>>()?;
        let other = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
        if let [only] = names.as_slice()
            && let Some((_, word)) = other.iter().find(|(sign, _)| only.contains(*sign))
        {
            let why = format!("separates its columns by {word}; save it with commas");
            return Err(self.error(Some(line), None, why));
        }
        Ok(names)
    }

    /// Where in a row the wanted columns are.
    fn places(&self, header: &[String]) -> Result<Vec<Option<usize>>, TableError> {
        let place = |wanted: &&str| {
            let mut found = (0..header.len()).filter(|at| header[*at] == *wanted);
            match (found.next(), found.next()) {
                (at, None) => Ok(at),
                (_, Some(_)) => Err(self.error(
                    None,
                    Some(wanted),
                    "stands in the header twice; rename or remove one",
                )),
            }
        };
        let places: Vec<_> = self.names().map(place).collect::<Result<_, _>>()?;
        let missing = self.columns.iter().zip(&places).find(|(_, at)| at.is_none());
        match missing {
            None => Ok(places),
            Some((wanted, _)) => {
                Err(self.error(None, None, format!("has no column `{wanted}`; {}", self.wanted())))
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &&str> {
        self.columns.iter().chain(self.optional)
    }

    fn refuse_ragged(&self, record: &ByteRecord, line: usize, wanted: usize) -> Result<(), TableError> {
        if record.len() == wanted {
            return Ok(());
        }
        let why = format!(
            "has {} cells, the header has {wanted}; quote cells that contain a comma, and write amounts like 12.40",
            record.len()
        );
        Err(self.error(Some(line), None, why))
    }

    fn cells(
        &self,
        record: &ByteRecord,
        line: usize,
        places: &[Option<usize>],
    ) -> Result<Vec<String>, TableError> {
        let cell = |(at, name): (&Option<usize>, &&str)| {
            let cell = at.and_then(|at| record.get(at)).unwrap_or_default();
            self.text(cell, line, Some(name))
        };
        places.iter().zip(self.names()).map(cell).collect()
    }

    fn text(&self, cell: &[u8], line: usize, column: Option<&str>) -> Result<String, TableError> {
        std::str::from_utf8(cell)
            .map(|text| text.trim().to_owned())
            .map_err(|_| self.error(Some(line), column, "is not UTF-8; save the file as CSV in UTF-8"))
    }
}

/// Where the cell that begins at `start` ends (at its comma, line break, or the end), and what is wrong with its quotes.
fn cell_end(bytes: &[u8], start: usize) -> (usize, Option<&'static str>) {
    let ends = |b: &u8| matches!(b, b',' | b'\n' | b'\r');
    let rest = |at: usize| {
        bytes[at..]
            .iter()
            .position(ends)
            .map_or(bytes.len(), |found| at + found)
    };
    if bytes[start] != b'"' {
        let end = rest(start);
        let loose = bytes[start..end].contains(&b'"');
        return (
            end,
            loose.then_some("has a quotation mark inside a cell; put the whole cell in quotes and double it"),
        );
    }
    let mut at = start + 1;
    loop {
        let Some(found) = bytes[at..].iter().position(|b| *b == b'"') else {
            return (
                bytes.len(),
                Some("opens a quotation mark that is never closed; close it"),
            );
        };
        at += found + 1;
        match bytes.get(at) {
            Some(b'"') => at += 1,
            None => return (at, None),
            Some(next) if ends(next) => return (at, None),
            Some(_) => {
                return (
                    rest(at),
                    Some(
                        "goes on behind a closing quotation mark; a quotation mark inside a cell is doubled",
                    ),
                );
            }
        }
    }
}

/// Line numbers of growing byte offsets, counted once.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line `record` begins on. The reader counts blank lines before a row as part of it; people do not.
    fn of(&mut self, record: &ByteRecord) -> usize {
        let from = record.position().map_or(0, csv::Position::byte);
        let from = usize::try_from(from).unwrap_or(self.at);
        let blank = self.bytes[from..]
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        self.at(from + blank)
    }

    /// The line of the byte at `offset`; offsets must not shrink. `\n`, `\r\n` and a lone `\r` each end a line.
    fn at(&mut self, offset: usize) -> usize {
        for at in self.at..offset {
            let lone_cr = self.bytes[at] == b'\r' && self.bytes.get(at + 1) != Some(&b'\n');
            if self.bytes[at] == b'\n' || lone_cr {
                self.line += 1;
            }
        }
        self.at = self.at.max(offset);
        self.line
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
