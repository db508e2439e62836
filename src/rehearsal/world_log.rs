//! The world's own journal: every change as one line, written before its answer is sent, so that a killed rehearsal
//! finds both accounts as it left them. Restoring means making the world anew from scenario and seed and applying the
//! lines again. A torn last line is dropped: its answer was never sent.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::mischief::Lie;
use super::redemptions::Redeemed;
use super::toolkit::Deed;
use super::world::Side;
use crate::domain::time::UtcMs;

/// What decides a world; a log of another world is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) world_log: u32,
    pub(crate) scenario: String,
    pub(crate) scenario_digest: u64,
    pub(crate) seed: u64,
    pub(crate) customers: Option<u32>,
    pub(crate) livemode: bool,
}

/// What the answer to a change was, for its idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// The endpoint's own answer.
    Answer,
    /// The endpoint's answer with a lie in it.
    Lie(Lie),
    /// A 500, after the change was made.
    ServerErrorAfter,
    /// A 500, and no change was made.
    ServerErrorBefore,
    /// Nothing: there is no key.
    Nothing,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// A request that changed something, or whose answer a key keeps.
    Request {
        at: UtcMs,
        account: Side,
        method: String,
        path: String,
        form: String,
        token: u64,
        /// The how manieth of its kind it was.
        nth: u32,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        key: Option<String>,
        kept: Kept,
        /// Number of the foreign actor whose deed it was.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        actor: Option<usize>,
    },
    /// A coupon or code was redeemed, which no request of the API here does.
    Redeem {
        at: UtcMs,
        account: Side,
        redeemed: Redeemed,
        /// Number of the foreign actor whose deed it was.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        actor: Option<usize>,
    },
    /// Somebody did something at the Dashboard's migration toolkit.
    Toolkit { at: UtcMs, account: Side, deed: Deed },
    /// A one-time fault happened.
    Fault { account: Side, rule: usize },
    /// New keys were made.
    NewKeys { account: Side },
    /// The PAN copy was played.
    PanCopy { at: UtcMs },
}

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldLogError {
    /// The file system refused.
    #[error("the rehearsal's world in {} cannot be read or written: {why}", path.display())]
    Io {
        /// The log file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// A line in the middle is not a line of a world log.
    #[error("the rehearsal's world in {}, line {line}, is damaged: start a new rehearsal", path.display())]
    Damaged {
        /// The log file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// It belongs to another scenario, seed or size.
    #[error("{} is the world of another rehearsal ({found}): use the scenario, seed and size it was begun with", path.display())]
    Another {
        /// The log file.
        path: PathBuf,
        /// What it was begun with.
        found: String,
    },
}

/// An open log, for appending.
pub(crate) struct WorldLog {
    file: File,
    path: PathBuf,
}

impl WorldLog {
    /// Opens or begins the log at `path`, and says which lines it already has.
    pub(crate) fn open(path: &Path, header: &Header) -> Result<(Self, Vec<Line>), WorldLogError> {
        let io = |why| WorldLogError::Io {
            path: path.to_owned(),
            why,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io)?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let lines = read_lines(&text[..whole], path, header)?;
        file.set_len(whole as u64).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut log = Self {
            file,
            path: path.to_owned(),
        };
        if whole == 0 {
            log.write(header)?;
        }
        Ok((log, lines))
    }

    /// Appends one line.
    pub(crate) fn append(&mut self, line: &Line) -> Result<(), WorldLogError> {
        self.write(line)
    }

    fn write(&mut self, value: &impl Serialize) -> Result<(), WorldLogError> {
        let io = |why| WorldLogError::Io {
            path: self.path.clone(),
            why,
        };
        let mut text = serde_json::to_vec(value).map_err(|e| io(e.into()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(io)
    }
}

fn read_lines(text: &[u8], path: &Path, header: &Header) -> Result<Vec<Line>, WorldLogError> {
    let damaged = |line| WorldLogError::Damaged {
        path: path.to_owned(),
        line,
    };
    let mut lines = text.split(|b| *b == b'\n').filter(|l| !l.is_empty());
    let Some(first) = lines.next() else {
        return Ok(Vec::new());
    };
    let found: Header = serde_json::from_slice(first).map_err(|_| damaged(1))?;
    if found != *header {
        let size = found
            .customers
            .map_or(String::new(), |n| format!(", {n} customers"));
        return Err(WorldLogError::Another {
            path: path.to_owned(),
            found: format!("scenario {}, seed {}{size}", found.scenario, found.seed),
        });
    }
    let parse = |(n, line): (usize, &[u8])| serde_json::from_slice(line).map_err(|_| damaged(n + 2));
    lines.enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            world_log: 1,
            scenario: "small".into(),
            scenario_digest: 1,
            seed: 7,
            customers: None,
            livemode: false,
        }
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("world.log");
        let line = Line::PanCopy { at: UtcMs(5) };
        let (mut log, before) = WorldLog::open(&path, &header()).unwrap();
        assert_eq!(before, []);
        log.append(&line).unwrap();
        log.append(&line).unwrap();
        drop(log);
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 3]).unwrap();
        let (mut log, lines) = WorldLog::open(&path, &header()).unwrap();
        assert_eq!(lines, std::slice::from_ref(&line));
        log.append(&line).unwrap();
        drop(log);
        assert_eq!(WorldLog::open(&path, &header()).unwrap().1.len(), 2);
    }

    #[test]
    fn the_log_of_another_world_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("world.log");
        drop(WorldLog::open(&path, &header()).unwrap());
        let other = Header { seed: 8, ..header() };
        let error = WorldLog::open(&path, &other).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("seed 7"), "{error}");
    }

    #[test]
    fn damage_in_the_middle_is_refused_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("world.log");
        drop(WorldLog::open(&path, &header()).unwrap());
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("nonsense\n{\"pan_copy\":{\"at\":1}}\n");
        std::fs::write(&path, text).unwrap();
        let error = WorldLog::open(&path, &header())
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
