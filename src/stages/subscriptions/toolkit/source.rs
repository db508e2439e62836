//! The file, piece by piece: whole records as long as they fit in a piece, and parts of records that do not.

use std::io::Read;

use super::LintError;
use super::columns::MAX_BYTES;
use super::split::{self, Fed, Flood};

/// Bytes of a piece, and of the longest row there may be.
pub(super) const PIECE: usize = 256 << 10;

/// A piece of the file.
pub(super) enum Piece {
    /// Whole records; at the end of the file the last may have no line end.
    Records(Vec<u8>),
    /// A part of a record that is too long. `end`: how it ends, if it does in this part.
    Part { bytes: Vec<u8>, end: Option<End> },
}

/// How an overlong record ends.
#[derive(Debug)]
pub(super) struct End {
    /// What ends its line.
    pub(super) ending: Vec<u8>,
    /// Lines it took.
    pub(super) lines: u32,
    /// With the file, in an open quotation mark.
    pub(super) open: bool,
}

/// Reads pieces.
pub(super) struct Source<R> {
    input: R,
    /// What was read and not given out.
    held: Vec<u8>,
    at_end: bool,
    flood: Option<Flood>,
    pub(super) bytes: u64,
}

impl<R: Read> Source<R> {
    pub(super) const fn new(input: R) -> Self {
        Self {
            input,
            held: Vec::new(),
            at_end: false,
            flood: None,
            bytes: 0,
        }
    }

    /// Reads until a piece is full, or the file ends.
    fn fill(&mut self) -> Result<(), LintError> {
        let mut at = self.held.len();
        self.held.resize(PIECE, 0);
        while at < PIECE && !self.at_end {
            match self.input.read(&mut self.held[at..]) {
                Ok(0) => self.at_end = true,
                Ok(n) => {
                    at += n;
                    self.bytes += n as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LintError::Read(error)),
            }
        }
        self.held.truncate(at);
        if self.bytes > MAX_BYTES {
            return Err(too_large());
        }
        Ok(())
    }

    /// The first bytes of the file, as many as a piece has, and whether that is all of it.
    pub(super) fn peek(&mut self) -> Result<(&[u8], bool), LintError> {
        self.fill()?;
        Ok((&self.held, self.at_end))
    }

    /// Gives out the first `n` bytes of what was peeked at.
    pub(super) fn take(&mut self, n: usize) -> Vec<u8> {
        let rest = self.held.split_off(n.min(self.held.len()));
        std::mem::replace(&mut self.held, rest)
    }

    /// The next piece. `spare` is used for it.
    pub(super) fn next(&mut self, spare: Vec<u8>) -> Result<Option<Piece>, LintError> {
        self.fill()?;
        if self.held.is_empty() {
            return Ok(self.last_part());
        }
        if self.flood.is_some() {
            return Ok(Some(self.part()));
        }
        let whole = if self.at_end {
            self.held.len()
        } else {
            split::whole(&self.held)
        };
        if whole == 0 {
            self.flood = Some(Flood::new());
            return Ok(Some(self.part()));
        }
        Ok(Some(Piece::Records(self.give(whole, spare))))
    }

    /// The first `n` bytes; the rest is kept in `spare`.
    fn give(&mut self, n: usize, mut spare: Vec<u8>) -> Vec<u8> {
        spare.clear();
        spare.reserve(PIECE);
        spare.extend_from_slice(&self.held[n..]);
        self.held.truncate(n);
        std::mem::replace(&mut self.held, spare)
    }

    fn part(&mut self) -> Piece {
        let flood = self.flood.get_or_insert_with(Flood::new);
        let next = match flood.feed(&self.held, self.at_end) {
            Fed::Ends(next) => next,
            fed => {
                let n = self.held.len() - usize::from(fed == Fed::Undecided);
                let bytes = self.give(n, Vec::new());
                return Piece::Part { bytes, end: None };
            }
        };
        let lines = flood.lines;
        self.flood = None;
        let mut bytes = self.give(next, Vec::new());
        let content = split::without_end(&bytes).len();
        let ending = bytes.split_off(content);
        Piece::Part {
            bytes,
            end: Some(End {
                ending,
                lines,
                open: false,
            }),
        }
    }

    /// An overlong record ends with the file.
    fn last_part(&mut self) -> Option<Piece> {
        let flood = self.flood.take()?;
        Some(Piece::Part {
            bytes: Vec::new(),
            end: Some(End {
                ending: Vec::new(),
                lines: flood.lines.max(1),
                open: flood.is_open(),
            }),
        })
    }
}

/// The file is over the limit.
pub(super) fn too_large() -> LintError {
    LintError::Refused(
        "is larger than 120 MB (120,000,000 bytes), which is all that Stripe takes; split it into several"
            .to_owned(),
    )
}
