//! Two files out of one: what can be uploaded, and what has to be corrected.
//!
//! Both begin with what stands before the header (a byte order mark, blank lines) and the header. Every record then goes to
//! exactly one of them, in order and byte for byte, with what ends its line. In the errors file a record, and the header, has
//! one more cell before the end of its line: a comma, then a text in quotation marks that has none inside, so that it can be
//! taken away again without reading CSV. Blank lines go with the accepted rows: they are none and do no harm.
//!
//! * A record with too few cells is not filled up: the added cell stands below another column, and the record is still
//!   wrong when the errors file is read again, instead of silently right.
//! * A record whose quotation mark is never closed is the last of its file and swallows whatever is added to it, so nothing
//!   is: it stands there as it was, and the report alone names it.
//! * A last record without a line end has none in its file either.

use std::io::Write;

use super::columns::PROCESSING_ERROR;

/// Where the two halves go.
#[derive(Default)]
pub struct Output<'a> {
    /// For accepted rows.
    pub accepted: Option<&'a mut dyn Write>,
    /// For rejected rows.
    pub errors: Option<&'a mut dyn Write>,
    /// Every accepted row, as it was understood, in order.
    pub rows: Option<&'a mut dyn FnMut(&super::Row<'_>)>,
}

/// Which half could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Accepted rows.
    Accepted,
    /// Rejected rows.
    Errors,
}

pub(super) type Failed = (Half, std::io::Error);

/// Small writes are gathered up to this.
const GATHER: usize = 1 << 16;

/// One half, buffered.
struct File<'a> {
    to: &'a mut dyn Write,
    half: Half,
    gathered: Vec<u8>,
}

impl File<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        if self.gathered.len() + bytes.len() > GATHER {
            self.flush()?;
        }
        if bytes.len() > GATHER {
            return self.to.write_all(bytes).map_err(|error| (self.half, error));
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failed> {
        let written = self.to.write_all(&self.gathered);
        self.gathered.clear();
        written.map_err(|error| (self.half, error))
    }
}

/// Writes both halves.
pub(super) struct Partition<'a> {
    accepted: Option<File<'a>>,
    errors: Option<File<'a>>,
}

impl<'a> Partition<'a> {
    pub(super) fn new(accepted: Option<&'a mut dyn Write>, errors: Option<&'a mut dyn Write>) -> Self {
        let file = |to, half| File {
            to,
            half,
            gathered: Vec::new(),
        };
        Self {
            accepted: accepted.map(|to| file(to, Half::Accepted)),
            errors: errors.map(|to| file(to, Half::Errors)),
        }
    }

    /// Whether rejected rows are written.
    pub(super) const fn has_errors(&self) -> bool {
        self.errors.is_some()
    }

    /// What both begin with.
    pub(super) fn header(&mut self, before: &[u8], header: &[u8], ending: &[u8]) -> Result<(), Failed> {
        self.accepted(before)?;
        self.accepted(header)?;
        self.accepted(ending)?;
        self.rejected_piece(before)?;
        self.rejected_piece(header)?;
        self.rejected_piece(b",")?;
        self.rejected_piece(PROCESSING_ERROR.as_bytes())?;
        self.rejected_piece(ending)
    }

    /// Whole records of the accepted half.
    pub(super) fn accepted(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.accepted.as_mut().map_or(Ok(()), |file| file.put(bytes))
    }

    /// A part of a rejected record.
    pub(super) fn rejected_piece(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.errors.as_mut().map_or(Ok(()), |file| file.put(bytes))
    }

    /// The rest of a rejected record: its added cell, and what ends the line.
    pub(super) fn rejected_end(&mut self, why: &str, ending: &[u8]) -> Result<(), Failed> {
        for piece in [b",\"".as_slice(), why.as_bytes(), b"\"", ending] {
            self.rejected_piece(piece)?;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), Failed> {
        self.accepted.as_mut().map_or(Ok(()), File::flush)?;
        self.errors.as_mut().map_or(Ok(()), File::flush)
    }
}

/// Decides where a file that would become too large is cut: every part begins with the header.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    header: u64,
    most: u64,
    used: u64,
}

impl Parts {
    /// Parts of at most `most` bytes, each with a header of `header` bytes.
    #[must_use]
    pub const fn new(header: u64, most: u64) -> Self {
        Self {
            header,
            most,
            used: header,
        }
    }

    /// Takes a record of that many bytes, its line end included. Whether a new part begins with it.
    #[must_use]
    pub const fn next(&mut self, record: u64) -> bool {
        let begins = self.used > self.header && self.used.saturating_add(record) > self.most;
        if begins {
            self.used = self.header;
        }
        self.used = self.used.saturating_add(record);
        begins
    }
}
