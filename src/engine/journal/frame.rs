//! One line, both ways: no files, no time, no state but what is passed in.

use std::fmt;
use std::io::Write as _;
use std::ops::Range;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use super::{BATCH_RECORDS, FORMAT, JournalError, LINK_KIND, MAX_LINE};
use crate::domain::time::UtcMs;

/// A record's number, from 1 without gaps; 0 is "none yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// SHA-256 of a line without its line feed; prints and serialises as 64 hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of one line.
    pub(super) fn of(line: &[u8]) -> Self {
        Self(Sha256::digest(line).into())
    }

    fn hex(&self) -> [u8; 64] {
        let mut hex = [0; 64];
        HEXLOWER.encode_mut(&self.0, &mut hex);
        hex
    }

    fn parse(hex: &[u8]) -> Option<Self> {
        let bytes = HEXLOWER.decode(hex).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(text.as_bytes()).ok_or_else(|| de::Error::custom("a SHA-256 is 64 lower-case hex digits"))
    }
}

/// Where a chain of lines ends: proves everything before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last record; 0 for none.
    pub seq: Seq,
    /// Its line's SHA-256; zeros for none.
    pub sha256: Hash,
}

/// What stands around a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Its number.
    pub seq: Seq,
    /// When it was appended, by the caller's clock.
    pub at: UtcMs,
    /// SHA-256 of the line before.
    pub prev: Hash,
    /// SHA-256 of its own line.
    pub sha256: Hash,
}

/// A record as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<R> {
    /// What stands around it.
    pub meta: Meta,
    /// The record.
    pub record: R,
}

/// Why a line is not good.
#[derive(Debug)]
pub(super) enum Flaw {
    /// Not whole: could be a write that power loss tore.
    Broken(&'static str),
    /// Whole, but not what belongs here.
    Wrong(String),
    /// Whole, and of a format that this version does not know.
    Newer(u64),
}

/// A whole line, its parts located but nothing yet compared with the chain.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) at: UtcMs,
    /// Number of the first line of the same disk write.
    pub(super) batch: u64,
    pub(super) prev: Hash,
    /// The record's fields with the comma before them; empty for a record without any.
    pub(super) fields: Range<usize>,
}

const CHECKSUM: usize = 9;
const PREV_OPEN: &[u8] = b",\"prev\":\"";
const PREV: usize = PREV_OPEN.len() + 64 + 2;
/// More than the frame around a record can take, whatever its numbers.
pub(super) const FRAME_MAX: usize = 192;

/// The record as JSON text, checked to fit into a frame.
pub(super) fn body<R: Serialize + ?Sized>(record: &R) -> Result<Vec<u8>, JournalError> {
    let encode = |why: String| JournalError::Encode { why };
    let text = serde_json::to_vec(record).map_err(|e| encode(e.to_string()))?;
    if text.first() != Some(&b'{') {
        return Err(encode("it is not a JSON object".to_owned()));
    }
    if text.contains(&b'\n') {
        return Err(encode("it holds a raw line feed".to_owned()));
    }
    if is_link(&text) {
        return Err(encode(format!("the kind {LINK_KIND} is the journal's own")));
    }
    let bytes = text.len() + FRAME_MAX;
    if bytes > MAX_LINE {
        return Err(JournalError::TooLarge {
            bytes,
            limit: MAX_LINE,
        });
    }
    Ok(text)
}

/// Is this record the journal's own link to the next segment?
pub(super) fn is_link(body: &[u8]) -> bool {
    body.strip_prefix(b"{\"kind\":\"")
        .and_then(|rest| rest.strip_prefix(LINK_KIND.as_bytes()))
        .is_some_and(|rest| rest.first() == Some(&b'"'))
}

/// Appends one line to `out` and returns the head behind it. `body` comes from [`body`].
pub(super) fn encode(out: &mut Vec<u8>, after: &Head, batch: u64, at: UtcMs, body: &[u8]) -> Head {
    let start = out.len();
    let seq = after.seq.0 + 1;
    // Writing to a vector cannot fail.
    let _ = write!(out, "00000000 {{\"v\":{FORMAT},\"seq\":{seq},\"t\":{}", at.0);
    if batch != seq {
        let _ = write!(out, ",\"batch\":{batch}");
    }
    if body.len() > 2 {
        out.push(b',');
        out.extend_from_slice(&body[1..body.len() - 1]);
    }
    out.extend_from_slice(PREV_OPEN);
    out.extend_from_slice(&after.sha256.hex());
    out.extend_from_slice(b"\"}");
    let sum = checksum(&out[start + CHECKSUM..]);
    out[start..start + sum.len()].copy_from_slice(&sum);
    let sha256 = Hash::of(&out[start..]);
    out.push(b'\n');
    Head {
        seq: Seq(seq),
        sha256,
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut hex = [0; 8];
    HEXLOWER.encode_mut(&crc32c::crc32c(bytes).to_be_bytes(), &mut hex);
    hex
}

/// Takes a line (without its line feed) apart.
pub(super) fn decode(line: &[u8]) -> Result<Line, Flaw> {
    let Some((sum, text)) = line.split_at_checked(CHECKSUM) else {
        return Err(Flaw::Broken("it is too short to be a record"));
    };
    if sum[8] != b' ' || sum[..8] != checksum(text) {
        return Err(Flaw::Broken("its checksum does not match"));
    }
    // What is whole was written this way, by somebody: from here on nothing is a torn write.
    if line.len() >= MAX_LINE {
        return Err(Flaw::Wrong(format!("it is longer than {MAX_LINE} bytes")));
    }
    let mut cut = Cut { text, at: 0 };
    let format = cut
        .number(b"{\"v\":")
        .ok_or_else(|| wrong("it does not start with a format number"))?;
    if format > FORMAT {
        return Err(Flaw::Newer(format));
    }
    cut.line(format)
        .ok_or_else(|| wrong("its frame is not the journal's"))
}

fn wrong(what: &str) -> Flaw {
    Flaw::Wrong(what.to_owned())
}

/// A position in the text behind the checksum.
struct Cut<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cut<'_> {
    fn line(&mut self, format: u64) -> Option<Line> {
        let seq = self.number(b",\"seq\":")?;
        let at = self.signed(b",\"t\":")?;
        let batch = self.number(b",\"batch\":").unwrap_or(seq);
        let end = self.text.len().checked_sub(PREV).filter(|end| *end >= self.at)?;
        let tail = self.text[end..].strip_prefix(PREV_OPEN)?.strip_suffix(b"\"}")?;
        let fields = self.at..end;
        let is_split = fields.is_empty() || self.text[fields.start] == b',';
        let in_one_write = batch <= seq && seq - batch < BATCH_RECORDS as u64;
        (format > 0 && is_split && in_one_write).then_some(Line {
            seq,
            at: UtcMs(at),
            batch,
            prev: Hash::parse(tail)?,
            fields: fields.start + CHECKSUM..fields.end + CHECKSUM,
        })
    }

    fn number(&mut self, name: &[u8]) -> Option<u64> {
        self.digits(name, false)?.parse().ok()
    }

    fn signed(&mut self, name: &[u8]) -> Option<i64> {
        self.digits(name, true)?.parse().ok()
    }

    /// The digits behind `name`, if `name` is next.
    fn digits(&mut self, name: &[u8], signed: bool) -> Option<&str> {
        let rest = self.text[self.at..].strip_prefix(name)?;
        let sign = usize::from(signed && rest.first() == Some(&b'-'));
        let len = sign + rest[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += name.len() + len;
        std::str::from_utf8(&rest[..len]).ok()
    }
}
