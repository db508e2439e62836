//! Bytes into records and cells, as the csv crate would cut them, but without losing which bytes they were.
//!
//! A record ends with a line feed, a carriage return, or both; blank lines are no records. Cells are parted by commas. A
//! cell that begins with a quotation mark goes on to its closing one, in which two marks stand for one. What no two readers
//! understand alike (a mark in the middle of a cell, text behind a closing mark) is cut as the csv crate does and said.

use memchr::{memchr, memchr_iter, memchr2, memrchr};

/// The cells of one record: where they are, and what they hold when they were quoted.
#[derive(Debug, Default)]
pub(super) struct Spans {
    ranges: Vec<(u32, u32)>,
    scratch: Vec<u8>,
    copied: bool,
}

/// The cells of one record.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    base: &'a [u8],
    spans: &'a [(u32, u32)],
}

impl<'a> Cells<'a> {
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The cell at that place; empty where there is none.
    pub(super) fn get(&self, at: u16) -> &'a [u8] {
        match self.spans.get(usize::from(at)) {
            Some((from, to)) => self.base.get(*from as usize..*to as usize).unwrap_or_default(),
            None => b"",
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let base = self.base;
        self.spans
            .iter()
            .map(move |(from, to)| base.get(*from as usize..*to as usize).unwrap_or_default())
    }

    /// Nothing in any of them.
    pub(super) fn blank(&self) -> bool {
        self.spans.iter().all(|(from, to)| from == to)
    }
}

/// How a record was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Good,
    /// No record: a line without a byte.
    Blank,
    BadQuotes,
    Unclosed,
}

/// A record (or blank line) in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    /// Behind its last cell, before what ends the line.
    pub(super) end: usize,
    /// Where the next one begins.
    pub(super) next: usize,
    /// Lines of the file it takes.
    pub(super) lines: u32,
    pub(super) shape: Shape,
}

/// Cuts a text that begins where a record begins, and ends where one ends or the file does.
pub(super) struct Splitter<'a> {
    text: &'a [u8],
    at: usize,
    /// No quotation mark, and no carriage return but before a line feed.
    plain: bool,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let lone = |at: usize| text.get(at + 1) != Some(&b'\n');
        let plain = memchr(b'"', text).is_none() && !memchr_iter(b'\r', text).any(lone);
        Self { text, at: 0, plain }
    }

    /// Cuts the next record into `spans`.
    pub(super) fn next(&mut self, spans: &mut Spans) -> Option<Found> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let line = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let found = match rest.get(..line) {
            Some(record) if self.plain || memchr2(b'"', b'\r', without_end(record)).is_none() => {
                plain(record, spans)
            }
            _ => quoted(rest, spans),
        };
        let found = Found {
            start,
            end: start + found.end,
            next: start + found.next,
            ..found
        };
        self.at = found.next;
        Some(found)
    }
}

impl Spans {
    /// The cells last cut out of `record`, which begins where the record does.
    pub(super) fn cells<'a>(&'a self, record: &'a [u8]) -> Cells<'a> {
        Cells {
            base: if self.copied { &self.scratch } else { record },
            spans: &self.ranges,
        }
    }

    fn clear(&mut self) {
        self.ranges.clear();
        self.scratch.clear();
        self.copied = false;
    }
}

pub(super) fn without_end(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A record in which nothing is quoted: `record` with what ends its line.
fn plain(record: &[u8], spans: &mut Spans) -> Found {
    let content = without_end(record);
    spans.clear();
    if !content.is_empty() {
        commas(content, &mut spans.ranges);
    }
    Found {
        start: 0,
        end: content.len(),
        next: record.len(),
        lines: 1,
        shape: if content.is_empty() {
            Shape::Blank
        } else {
            Shape::Good
        },
    }
}

const COMMAS: u64 = u64::from_ne_bytes([b','; 8]);
const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);

/// Cells between commas, eight bytes at a time: a call of memchr for each of eighteen short cells costs more than the cells.
fn commas(line: &[u8], spans: &mut Vec<(u32, u32)>) {
    let mut from = 0_u32;
    let (words, rest) = line.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ COMMAS;
        // The high bit of every byte that is a comma, exactly.
        let mut hits = !(((differs & LOW) + LOW) | differs | LOW);
        while hits != 0 {
            let at = narrow(n * 8) + hits.trailing_zeros() / 8;
            spans.push((from, at));
            from = at + 1;
            hits &= hits - 1;
        }
    }
    for (n, byte) in rest.iter().enumerate() {
        if *byte == b',' {
            let at = narrow(words.len() * 8 + n);
            spans.push((from, at));
            from = at + 1;
        }
    }
    spans.push((from, narrow(line.len())));
}

/// Where a reader of CSV is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte of a cell.
    Begin,
    /// In a cell without quotation marks around it.
    Bare,
    /// Between two quotation marks.
    Within,
    /// Behind a quotation mark that closes the cell, unless another follows.
    Closing,
}

/// What a byte did.
enum Did {
    /// Belongs to the cell.
    Text,
    /// A mark around a cell, or the first of two.
    Mark,
    /// Belongs to the cell, where it should not be.
    Stray,
    NextCell,
    EndOfLine,
}

impl State {
    const fn step(self, byte: u8) -> (Self, Did) {
        match (self, byte) {
            (Self::Within, b'"') => (Self::Closing, Did::Mark),
            (Self::Within, _) | (Self::Closing, b'"') => (Self::Within, Did::Text),
            (Self::Begin, b'"') => (Self::Within, Did::Mark),
            (_, b',') => (Self::Begin, Did::NextCell),
            (_, b'\n' | b'\r') => (Self::Begin, Did::EndOfLine),
            (Self::Closing, _) | (Self::Bare, b'"') => (Self::Bare, Did::Stray),
            (Self::Begin | Self::Bare, _) => (Self::Bare, Did::Text),
        }
    }
}

/// Any record: `rest` begins where it does and goes on to where a record ends, or the file.
fn quoted(rest: &[u8], spans: &mut Spans) -> Found {
    spans.clear();
    spans.copied = true;
    let (mut state, mut shape, mut from) = (State::Begin, Shape::Good, 0);
    let mut end = rest.len();
    for (at, byte) in rest.iter().enumerate() {
        let did;
        (state, did) = state.step(*byte);
        match did {
            Did::Text => spans.scratch.push(*byte),
            Did::Stray => {
                shape = Shape::BadQuotes;
                spans.scratch.push(*byte);
            }
            Did::Mark => {}
            Did::NextCell => {
                let to = narrow(spans.scratch.len());
                spans.ranges.push((from, to));
                from = to;
            }
            Did::EndOfLine => {
                end = at;
                break;
            }
        }
    }
    if end == 0 {
        shape = Shape::Blank;
    } else {
        spans.ranges.push((from, narrow(spans.scratch.len())));
    }
    if end == rest.len() && state == State::Within {
        shape = Shape::Unclosed;
    }
    let next = end + ending(&rest[end..]);
    Found {
        start: 0,
        end,
        next,
        lines: lines(&rest[..next]),
        shape,
    }
}

/// How many bytes end a line here.
fn ending(rest: &[u8]) -> usize {
    match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// Lines in a record with its ending: line feeds, and a carriage return that stands for one.
fn lines(record: &[u8]) -> u32 {
    let feeds = memchr_iter(b'\n', record).count();
    narrow(feeds + usize::from(record.last() == Some(&b'\r'))).max(1)
}

/// Where the last whole record of `text`, which begins with one, ends; 0 where none does. Whoever reads on from there needs
/// what is behind it again.
pub(super) fn whole(text: &[u8]) -> usize {
    if memchr(b'"', text).is_none() {
        if let Some(at) = memrchr(b'\n', text) {
            return at + 1;
        }
        // The last byte may be the first half of an ending.
        let known = text.len().saturating_sub(1);
        return memrchr(b'\r', &text[..known]).map_or(0, |at| at + 1);
    }
    let (mut state, mut last, mut after_return) = (State::Begin, 0, false);
    for (at, byte) in text.iter().enumerate() {
        if after_return {
            last = if *byte == b'\n' { at + 1 } else { at };
            after_return = false;
            if *byte == b'\n' {
                continue;
            }
        }
        let did;
        (state, did) = state.step(*byte);
        if matches!(did, Did::EndOfLine) {
            if *byte == b'\r' {
                after_return = true;
            } else {
                last = at + 1;
            }
        }
    }
    last
}

/// The end of a record that is too long to be held, found piece by piece.
pub(super) struct Flood {
    state: State,
    pub(super) lines: u32,
}

impl Flood {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Begin,
            lines: 0,
        }
    }

    /// Looks at the next piece of the record. Where it ends in this piece, behind what ends its line. A carriage return as
    /// the last byte of a piece that is not the file's last is looked at again, before what follows.
    pub(super) fn feed(&mut self, piece: &[u8], last: bool) -> Fed {
        for (at, byte) in piece.iter().enumerate() {
            let (state, did) = self.state.step(*byte);
            if matches!(did, Did::EndOfLine) {
                let rest = &piece[at..];
                if rest == b"\r" && !last {
                    return Fed::Undecided;
                }
                self.lines += 1;
                return Fed::Ends(at + ending(rest));
            }
            self.state = state;
            self.lines += u32::from(*byte == b'\n');
        }
        Fed::GoesOn
    }

    /// At the end of the file: whether a quotation mark is still open.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Within
    }
}

/// What a piece of an overlong record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    GoesOn,
    /// Its last byte belongs to the next piece.
    Undecided,
    /// Here.
    Ends(usize),
}
