//! Reading a whole journal, segment after segment, verifying as it goes. Writes nothing.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::chain::{Lines, Stop};
use super::frame::{self, Entry, Head, Line, Meta};
use super::tear::{self, TAIL_MAX};
use super::{Files, JournalError};
use crate::domain::time::UtcMs;

/// File name of segment `n`, from 1.
pub(super) fn segment_name(n: u64) -> String {
    format!("journal-{n:06}.jsonl")
}

/// Streams every record of a journal, oldest first. Ends after the last record or the first error. A torn tail is no
/// error: it ends the stream and is known afterwards.
pub struct Reader<R> {
    fs: Files,
    lines: Lines,
    segment: u64,
    is_linked: bool,
    /// Where the end of an unlinked segment was read a second time.
    looked_again_at: Option<u64>,
    is_done: bool,
    is_failed: bool,
    pub(super) end: End,
    record: PhantomData<fn() -> R>,
}

/// What is known behind the last good record.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    pub(super) head: Head,
    pub(super) first_at: Option<UtcMs>,
    pub(super) last_at: Option<UtcMs>,
    /// Number of the last segment in use.
    pub(super) segment: u64,
    /// Good bytes in it.
    pub(super) len: u64,
    /// The bytes behind them.
    pub(super) torn: Option<Vec<u8>>,
    /// An empty segment that no link names: its rotation was interrupted.
    pub(super) has_stray: bool,
}

impl<R: DeserializeOwned> Reader<R> {
    /// From the first segment on.
    pub(super) fn start(fs: Files) -> Result<Self, JournalError> {
        let lines = open_lines(&fs, 1, Head::default())?;
        let end = End {
            segment: 1,
            ..End::default()
        };
        Ok(Self {
            fs,
            lines,
            segment: 1,
            is_linked: false,
            looked_again_at: None,
            is_done: false,
            is_failed: false,
            end,
            record: PhantomData,
        })
    }

    /// The head behind what was read so far.
    pub fn head(&self) -> Head {
        self.end.head
    }

    /// Was a torn tail found? Known once the stream has ended.
    pub fn is_torn(&self) -> bool {
        self.end.torn.is_some()
    }

    fn step(&mut self) -> Result<Option<Entry<R>>, JournalError> {
        loop {
            match self.lines.advance() {
                Ok((line, meta)) => {
                    if let Some(entry) = self.take(&line, meta)? {
                        return Ok(Some(entry));
                    }
                }
                Err(Stop::End) if self.goes_on()? => {}
                Err(Stop::End) => return Ok(None),
                Err(Stop::Broken(what)) if self.ends_torn(what)? => return Ok(None),
                Err(Stop::Broken(_)) => self.rewind()?,
                Err(Stop::Bad(e)) => return Err(e),
            }
        }
    }

    /// A good line: a record, or the journal's own link.
    fn take(&mut self, line: &Line, meta: Meta) -> Result<Option<Entry<R>>, JournalError> {
        if self.is_linked {
            return Err(self
                .lines
                .defect("a record stands behind the link to the next segment"));
        }
        self.end.head = self.lines.head;
        self.end.len = self.lines.offset + self.lines.buf.len() as u64;
        self.end.first_at = self.end.first_at.or(Some(meta.at));
        self.end.last_at = Some(meta.at);
        if frame::is_link(self.lines.body(line)) {
            self.is_linked = true;
            return Ok(None);
        }
        let record = self.lines.record(line)?;
        Ok(Some(Entry { meta, record }))
    }

    /// At the end of a segment: is there more to read?
    fn goes_on(&mut self) -> Result<bool, JournalError> {
        let next = segment_name(self.segment + 1);
        if self.is_linked {
            self.segment += 1;
            self.is_linked = false;
            self.lines = open_lines(&self.fs, self.segment, self.lines.head)?;
            self.end = End {
                segment: self.segment,
                len: 0,
                ..self.end.clone()
            };
            return Ok(true);
        }
        let size = self.size_of_next()?;
        if size.is_some_and(|bytes| bytes > 0) {
            // A writer may have linked it since the end was read; if not now, then never.
            return self.linked_since(&next);
        }
        self.end.has_stray = size.is_some();
        Ok(false)
    }

    fn linked_since(&mut self, next: &str) -> Result<bool, JournalError> {
        let label = self.fs.label(&segment_name(self.segment));
        let size = self.fs.len(&segment_name(self.segment));
        let size = size.map_err(|e| JournalError::io("look for", &label, e))?;
        if size > Some(self.end.len) && self.looked_again_at != Some(self.end.len) {
            self.looked_again_at = Some(self.end.len);
            return Ok(true);
        }
        Err(self
            .lines
            .defect(format!("the link to {next} is missing behind it")))
    }

    /// A line that is not whole: does the journal end with it, torn? `false` when a writer has been busy with it since.
    fn ends_torn(&mut self, what: &'static str) -> Result<bool, JournalError> {
        let due = self.end.head.seq.0 + 1;
        let defect = self.lines.defect(what);
        let seen = self.lines.buf.len();
        let is_cut = !self.lines.buf.ends_with(b"\n") && seen < TAIL_MAX;
        let rest = self.lines.rest()?.to_vec();
        if is_cut && rest.len() > seen {
            return Ok(false);
        }
        let next = self.size_of_next()?;
        if self.is_linked || next.is_some_and(|bytes| bytes > 0) {
            let is_first_look = is_cut && !self.is_linked && self.looked_again_at != Some(self.end.len);
            self.looked_again_at = Some(self.end.len);
            return if is_first_look { Ok(false) } else { Err(defect) };
        }
        tear::judge(&rest, due).map_err(|why| self.lines.defect(why))?;
        self.end.has_stray = next.is_some();
        self.end.torn = Some(rest);
        Ok(true)
    }

    fn size_of_next(&self) -> Result<Option<u64>, JournalError> {
        let next = segment_name(self.segment + 1);
        self.fs
            .len(&next)
            .map_err(|e| JournalError::io("look for", &self.fs.label(&next), e))
    }

    /// Back to behind the last good line of this segment.
    fn rewind(&mut self) -> Result<(), JournalError> {
        let name = segment_name(self.segment);
        let input = self.fs.open_read(&name);
        self.lines
            .rewind(input.map_err(|e| JournalError::io("read", &self.fs.label(&name), e))?)
    }

    /// After the stream has ended: goes on behind the last good record, with what a writer has added since. After an
    /// error it stays ended.
    pub fn again(&mut self) -> Result<(), JournalError> {
        if self.end.torn.take().is_some() {
            self.rewind()?;
        }
        self.is_done = self.is_failed;
        Ok(())
    }
}

fn open_lines(fs: &Files, n: u64, head: Head) -> Result<Lines, JournalError> {
    let name = segment_name(n);
    let file = fs.label(&name);
    let input = fs
        .open_read(&name)
        .map_err(|e| JournalError::io("read", &file, e))?;
    Ok(Lines::new(input, file, head))
}

impl<R: DeserializeOwned> Iterator for Reader<R> {
    type Item = Result<Entry<R>, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.step().transpose();
        self.is_done = !matches!(next, Some(Ok(_)));
        self.is_failed = matches!(next, Some(Err(_)));
        next
    }
}
