//! Reading beside a writer.

use std::io::{self, Read};
use std::sync::Mutex;

use super::*;
use crate::engine::journal::open::open_with;
use crate::engine::journal::{JournalFile, Reader};

type Act = Box<dyn FnOnce() + Send>;

/// Lets a writer act at the worst moment: just before the directory is asked for the second segment, or just after
/// a read has met the end.
struct Racing {
    fs: SimFs,
    before_len: Mutex<Option<Act>>,
    at_end: Arc<Mutex<Option<Act>>>,
}

fn run(act: &Mutex<Option<Act>>) {
    let act = act.lock().unwrap().take();
    if let Some(act) = act {
        act();
    }
}

struct RacingRead(Box<dyn Read + Send>, Arc<Mutex<Option<Act>>>);

impl Read for RacingRead {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let len = self.0.read(to)?;
        if len == 0 {
            run(&self.1);
        }
        Ok(len)
    }
}

impl JournalFs for Racing {
    fn label(&self, name: &str) -> String {
        self.fs.label(name)
    }
    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        if name != SEGMENT {
            run(&self.before_len);
        }
        self.fs.len(name)
    }
    fn open_read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(RacingRead(
            self.fs.open_read(name)?,
            self.at_end.clone(),
        )))
    }
    fn settle(&self, name: &str) -> io::Result<()> {
        self.fs.settle(name)
    }
    fn create_new(&self, name: &str) -> io::Result<Box<dyn JournalFile>> {
        self.fs.create_new(name)
    }
    fn open_append(&self, name: &str) -> io::Result<Box<dyn JournalFile>> {
        self.fs.open_append(name)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.fs.remove(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.fs.rename(from, to)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.fs.sync_dir()
    }
}

/// A journal over several segments, and what stands in it.
async fn rotated() -> (SimFs, Vec<Rec>) {
    let fs = fresh();
    let recs: Vec<_> = (0..6).map(note).collect();
    let writing = open_with::<Rec>(files(&fs), 900, |_| {}).unwrap();
    append_each(&writing.journal, &recs).await.unwrap();
    assert!(fs.names().contains(&"journal-000002.jsonl".to_owned()));
    (fs, recs)
}

/// The first `len` bytes of it, and the act that brings the rest.
fn started(full: &SimFs, len: usize) -> (SimFs, Act) {
    let fs = fresh();
    fs.put(SEGMENT, &full.bytes(SEGMENT)[..len]);
    let (to, from) = (fs.clone(), full.clone());
    let act = move || {
        to.open_append(SEGMENT)
            .unwrap()
            .append(&from.bytes(SEGMENT)[len..])
            .unwrap();
        for name in from.names().iter().filter(|name| *name != SEGMENT) {
            to.put(name, &from.bytes(name));
        }
    };
    (fs, Box::new(act))
}

fn all(reader: &mut Reader<Rec>) -> Vec<Rec> {
    reader.by_ref().map(|entry| entry.unwrap().record).collect()
}

#[tokio::test]
async fn a_reader_is_not_confused_by_a_writer_that_goes_on_and_rotates_meanwhile() {
    let (full, recs) = rotated().await;
    for len in 0..full.bytes(SEGMENT).len() {
        let (fs, act) = started(&full, len);
        let before_len = Mutex::new(Some(act));
        let racing = Racing {
            fs,
            before_len,
            at_end: Arc::default(),
        };
        assert_eq!(
            all(&mut Reader::start(Arc::new(racing)).unwrap()),
            recs,
            "{len} bytes were there"
        );
        let (fs, act) = started(&full, len);
        let at_end = Arc::new(Mutex::new(Some(act)));
        let racing = Racing {
            fs,
            before_len: Mutex::default(),
            at_end,
        };
        assert_eq!(
            all(&mut Reader::start(Arc::new(racing)).unwrap()),
            recs,
            "{len} bytes were there"
        );
    }
}

#[tokio::test]
async fn a_line_that_is_being_written_is_read_once_it_is_whole() {
    let full = notes(4).await;
    for len in 0..full.bytes(SEGMENT).len() {
        let (fs, act) = started(&full, len);
        let at_end = Arc::new(Mutex::new(Some(act)));
        let racing = Racing {
            fs,
            before_len: Mutex::default(),
            at_end,
        };
        let mut reader = Reader::start(Arc::new(racing)).unwrap();
        let seen = all(&mut reader);
        // What was appended at the very end of a line is found by asking again.
        reader.again().unwrap();
        assert_eq!(
            [seen, all(&mut reader)].concat(),
            (0..4).map(note).collect::<Vec<_>>(),
            "{len} bytes"
        );
        assert!(!reader.is_torn());
    }
}

#[tokio::test]
async fn a_reader_that_has_come_to_the_end_can_go_on_later() {
    let (full, recs) = rotated().await;
    for len in 0..full.bytes(SEGMENT).len() {
        let (fs, act) = started(&full, len);
        let mut reader = Reader::start(files(&fs)).unwrap();
        let mut seen = all(&mut reader);
        reader.again().unwrap();
        assert!(reader.next().is_none(), "nothing new");
        act();
        reader.again().unwrap();
        seen.extend(all(&mut reader));
        assert_eq!(
            (seen, reader.is_torn()),
            (recs.clone(), false),
            "{len} bytes were there"
        );
    }
}

#[tokio::test]
async fn a_reader_that_met_a_defect_stays_ended() {
    let fs = notes(2).await;
    let mut bytes = fs.bytes(SEGMENT);
    bytes[20] ^= 1;
    fs.put(SEGMENT, &bytes);
    let mut reader = Reader::<Rec>::start(files(&fs)).unwrap();
    assert!(reader.next().unwrap().is_err());
    reader.again().unwrap();
    assert!(reader.next().is_none());
}
