//! Chained lines in one stream: what journal segments and snapshots have in common.

use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frame::{self, Entry, Flaw, Head, Line, Meta, Seq};
use super::tear::TAIL_MAX;
use super::{Files, JournalError, JournalFile};
use crate::domain::time::UtcMs;

/// Bytes per read or write call of a stream.
const CHUNK: usize = 256 * 1024;

/// Reads lines and checks each against the one before.
pub(super) struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    /// The current line, with its line feed if it has one.
    pub(super) buf: Vec<u8>,
    file: String,
    line: u64,
    pub(super) offset: u64,
    pub(super) head: Head,
}

/// Why [`Lines::advance`] stopped.
pub(super) enum Stop {
    /// No further byte.
    End,
    /// A line that is not whole; it is in `buf`.
    Broken(&'static str),
    /// Anything else, ready to be reported.
    Bad(JournalError),
}

impl Lines {
    /// From the start of `input`, continuing the chain behind `head`.
    pub(super) fn new(input: Box<dyn Read + Send>, file: String, head: Head) -> Self {
        let input = BufReader::with_capacity(CHUNK, input);
        Self {
            input,
            buf: Vec::new(),
            file,
            line: 0,
            offset: 0,
            head,
        }
    }

    /// Reads the same file again through `input`, from behind the last good line on, where the current one starts.
    pub(super) fn rewind(&mut self, mut input: Box<dyn Read + Send>) -> Result<(), JournalError> {
        let skipped = std::io::copy(&mut input.by_ref().take(self.offset), &mut std::io::sink());
        skipped.map_err(|e| JournalError::io("read", &self.file, e))?;
        self.input = BufReader::with_capacity(CHUNK, input);
        self.buf.clear();
        self.line -= 1;
        Ok(())
    }

    /// The next line; after it `head` is the head behind that line.
    pub(super) fn advance(&mut self) -> Result<(Line, Meta), Stop> {
        self.offset += self.buf.len() as u64;
        self.buf.clear();
        self.fill(b'\n', TAIL_MAX).map_err(Stop::Bad)?;
        if self.buf.is_empty() {
            return Err(Stop::End);
        }
        self.line += 1;
        let Some(text) = self.buf.strip_suffix(b"\n") else {
            return Err(Stop::Broken("it does not end with a line feed"));
        };
        let line = frame::decode(text).map_err(|flaw| self.stop(flaw))?;
        self.follows(&line).map_err(|what| Stop::Bad(self.defect(what)))?;
        let sha256 = frame::Hash::of(text);
        self.head = Head {
            seq: Seq(line.seq),
            sha256,
        };
        let meta = Meta {
            seq: Seq(line.seq),
            at: line.at,
            prev: line.prev,
            sha256,
        };
        Ok((line, meta))
    }

    fn stop(&self, flaw: Flaw) -> Stop {
        match flaw {
            Flaw::Broken(what) => Stop::Broken(what),
            Flaw::Wrong(what) => Stop::Bad(self.defect(what)),
            Flaw::Newer(found) => {
                let (file, line) = (self.file.clone(), self.line);
                Stop::Bad(JournalError::NewerFormat {
                    file,
                    line,
                    found,
                    supported: super::FORMAT,
                })
            }
        }
    }

    fn follows(&self, line: &Line) -> Result<(), String> {
        let due = self.head.seq.0 + 1;
        if line.seq != due {
            return Err(format!("record {} stands where record {due} belongs", line.seq));
        }
        if line.prev != self.head.sha256 {
            return Err(format!("record {due} does not continue the record before it"));
        }
        Ok(())
    }

    fn fill(&mut self, until: u8, limit: usize) -> Result<(), JournalError> {
        let mut input = (&mut self.input).take(limit as u64);
        let read = input.read_until(until, &mut self.buf);
        read.map(drop)
            .map_err(|e| JournalError::io("read", &self.file, e))
    }

    /// The current line and everything behind it, up to one byte more than a torn write can leave.
    pub(super) fn rest(&mut self) -> Result<&[u8], JournalError> {
        let left = (TAIL_MAX + 1).saturating_sub(self.buf.len()) as u64;
        let read = (&mut self.input).take(left).read_to_end(&mut self.buf);
        read.map_err(|e| JournalError::io("read", &self.file, e))?;
        Ok(&self.buf)
    }

    /// The current line as a defect.
    pub(super) fn defect(&self, what: impl Into<String>) -> JournalError {
        let (file, line, offset) = (self.file.clone(), self.line, self.offset);
        JournalError::Defect {
            file,
            line,
            offset,
            what: what.into(),
        }
    }

    /// The record within the current line, as JSON text.
    pub(super) fn body(&mut self, line: &Line) -> &[u8] {
        if line.fields.is_empty() {
            return b"{}";
        }
        // The commas around the fields become braces: the record is parsed where it stands.
        self.buf[line.fields.start] = b'{';
        self.buf[line.fields.end] = b'}';
        &self.buf[line.fields.start..=line.fields.end]
    }

    /// The record within the current line, parsed.
    pub(super) fn record<R: DeserializeOwned>(&mut self, line: &Line) -> Result<R, JournalError> {
        let parsed = serde_json::from_slice(self.body(line));
        parsed.map_err(|e| {
            self.defect(format!(
                "record {} is not one that this version knows ({e})",
                line.seq
            ))
        })
    }
}

/// Streams a finished chained file, such as a snapshot, verifying as it goes; any defect ends it.
pub struct ChainedReader<R> {
    lines: Lines,
    is_done: bool,
    record: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> ChainedReader<R> {
    /// Opens the file `name`.
    pub fn open(fs: &Files, name: &str) -> Result<Self, JournalError> {
        let file = fs.label(name);
        let input = fs
            .open_read(name)
            .map_err(|e| JournalError::io("read", &file, e))?;
        let lines = Lines::new(input, file, Head::default());
        Ok(Self {
            lines,
            is_done: false,
            record: PhantomData,
        })
    }

    /// The head behind what was read so far. Only at the end, compared with the head kept from
    /// [`ChainedWriter::finish`], does it prove that nothing was cut off.
    pub fn head(&self) -> Head {
        self.lines.head
    }

    fn step(&mut self) -> Option<Result<Entry<R>, JournalError>> {
        match self.lines.advance() {
            Ok((line, meta)) => Some(self.lines.record(&line).map(|record| Entry { meta, record })),
            Err(Stop::End) => None,
            Err(Stop::Broken(what)) => Some(Err(self.lines.defect(what))),
            Err(Stop::Bad(e)) => Some(Err(e)),
        }
    }
}

impl<R: DeserializeOwned> Iterator for ChainedReader<R> {
    type Item = Result<Entry<R>, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.step();
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Writes a chained file without syncing each line. It exists under its name only once finished.
pub struct ChainedWriter {
    fs: Files,
    name: String,
    file: Box<dyn JournalFile>,
    buf: Vec<u8>,
    head: Head,
}

impl ChainedWriter {
    /// Starts the file `name`; what an interrupted attempt left behind is replaced, a finished one is not.
    pub fn create(fs: Files, name: &str) -> Result<Self, JournalError> {
        let label = fs.label(name);
        if fs
            .len(name)
            .map_err(|e| JournalError::io("look for", &label, e))?
            .is_some()
        {
            return Err(JournalError::Exists { file: label });
        }
        let partial = partial(name);
        let left = fs
            .len(&partial)
            .map_err(|e| JournalError::io("look for", &label, e))?;
        if left.is_some() {
            fs.remove(&partial)
                .map_err(|e| JournalError::io("remove the rest of", &label, e))?;
        }
        let file = fs
            .create_new(&partial)
            .map_err(|e| JournalError::writing("create", &label, e))?;
        Ok(Self {
            fs,
            name: name.to_owned(),
            file,
            buf: Vec::with_capacity(CHUNK),
            head: Head::default(),
        })
    }

    /// Adds one record; it is durable only after [`finish`](Self::finish).
    pub fn write<R: Serialize + ?Sized>(&mut self, record: &R, at: UtcMs) -> Result<Seq, JournalError> {
        let body = frame::body(record)?;
        let batch = self.head.seq.0 + 1;
        self.head = frame::encode(&mut self.buf, &self.head, batch, at, &body);
        if self.buf.len() >= CHUNK {
            self.flush()?;
        }
        Ok(self.head.seq)
    }

    /// Makes the file durable and gives it its name. The head's number is the count of its records.
    pub fn finish(mut self) -> Result<Head, JournalError> {
        self.flush()?;
        let label = self.label();
        self.file
            .sync()
            .map_err(|e| JournalError::io("sync", &label, e))?;
        let named = self.fs.rename(&partial(&self.name), &self.name);
        named.map_err(|e| JournalError::writing("name", &label, e))?;
        self.fs
            .sync_dir()
            .map_err(|e| JournalError::io("sync the directory of", &label, e))?;
        Ok(self.head)
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        let written = self.file.append(&self.buf);
        self.buf.clear();
        written.map_err(|e| JournalError::writing("write", &self.label(), e))
    }

    fn label(&self) -> String {
        self.fs.label(&self.name)
    }
}

fn partial(name: &str) -> String {
    format!("{name}.partial")
}
