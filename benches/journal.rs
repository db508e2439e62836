//! The journal against its floors, on the disk that the target directory is on. Prints ratios; only they are goals
//! (design: group commit ≥ 70 % of the bare floor; at 100/s p50 ≤ 1.5× and p99 ≤ 3× of bare append and fdatasync;
//! open and verify ≤ 2× of read, parse and SHA-256).
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use cutover::domain::time::UtcMs;
use cutover::engine::journal::{self, Dir, Files, Journal};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PRODUCERS: usize = 32;
const EACH: usize = 1500;
const ROUNDS: usize = 5;
const PACED: u32 = 600;
const PACE: Duration = Duration::from_millis(10);
const REPLAYED: usize = 1_000_000;

/// About 300 bytes with its frame, as an intent has.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    kind: String,
    effect: String,
    customer: String,
    amount: i64,
    currency: String,
    key: String,
}

fn record(n: usize) -> Record {
    Record {
        kind: "intent".into(),
        effect: format!("credits/{n:08}"),
        customer: format!("cus_{n:014}"),
        amount: -12_500,
        currency: "usd".into(),
        key: "9f86d081884c7d659a2feaa0c55ad015".into(),
    }
}

fn main() -> Outcome<()> {
    // `cargo test --benches` only wants to know that it starts.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("| journal | floor | cutover | ratio | goal |\n|---|---|---|---|---|");
    runtime.block_on(group_commit())?;
    runtime.block_on(paced())?;
    runtime.block_on(replay())
}

/// A private directory on a real disk, removed at the end.
fn place() -> Outcome<tempfile::TempDir> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700))?;
    Ok(dir)
}

fn private(path: &Path) -> Outcome<()> {
    Ok(std::fs::DirBuilder::new().mode(0o700).create(path)?)
}

fn open(path: &Path) -> Outcome<Journal> {
    let files: Files = Arc::new(Dir::open(path)?);
    journal::create(&files)?;
    Ok(journal::open::<Record>(files, |_| {})?.journal)
}

type Queued = (Vec<u8>, oneshot::Sender<()>);

/// The floor: the same queue, batch limit, write and sync, without a record's JSON, checksum, number or chain.
struct Bare(SyncSender<Queued>);

impl Bare {
    fn start(path: PathBuf) -> Outcome<Self> {
        let file = File::create_new(path)?;
        let (to, from) = sync_channel(journal::QUEUE_RECORDS);
        std::thread::spawn(move || drain(file, &from));
        Ok(Self(to))
    }

    async fn append(&self, line: Vec<u8>) -> Outcome<()> {
        let (answer, answered) = oneshot::channel();
        self.0.send((line, answer))?;
        Ok(answered.await?)
    }
}

fn drain(mut file: File, from: &Receiver<Queued>) -> Option<()> {
    let mut buf = Vec::new();
    loop {
        let first = from.recv().ok()?;
        let batch: Vec<Queued> = std::iter::once(first)
            .chain(from.try_iter().take(journal::BATCH_RECORDS - 1))
            .collect();
        buf.clear();
        for (line, _) in &batch {
            buf.extend_from_slice(line);
        }
        file.write_all(&buf).and_then(|()| file.sync_data()).ok()?;
        for (_, answer) in batch {
            answer.send(()).ok()?;
        }
    }
}

async fn group_commit() -> Outcome<()> {
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let dir = place()?;
        let bare = Arc::new(Bare::start(dir.path().join("bare"))?);
        let line = line_of(dir.path()).await?;
        let bare = move || {
            let (bare, line) = (bare.clone(), line.clone());
            async move { bare.append(line).await }
        };
        floor.push(produce(bare).await?);
        let sub = dir.path().join("ours");
        private(&sub)?;
        let journal = open(&sub)?;
        let chained = move || {
            let append = journal.append(&record(1), UtcMs(1_771_027_390_207));
            async move { Ok(append.await.map(drop)?) }
        };
        ours.push(produce(chained).await?);
    }
    let percent = ratio(&ours, &floor) / 10;
    let (floor, ours) = (median(&mut floor), median(&mut ours));
    println!("| group commit, 32 producers, records/s | {floor} | {ours} | {percent} % | ≥ 70 % |");
    Ok(())
}

/// A line exactly as the journal writes it.
async fn line_of(dir: &Path) -> Outcome<Vec<u8>> {
    let sub = dir.join("line");
    private(&sub)?;
    open(&sub)?.append(&record(1), UtcMs(1_771_027_390_207)).await?;
    Ok(std::fs::read(sub.join("journal-000001.jsonl"))?)
}

/// Records per second that all producers together get through `append`.
async fn produce<F, A>(append: F) -> Outcome<u128>
where
    F: Fn() -> A + Clone + Send + 'static,
    A: Future<Output = Outcome<()>> + Send + 'static,
{
    let start = Instant::now();
    let mut producers = tokio::task::JoinSet::new();
    for _ in 0..PRODUCERS {
        let append = append.clone();
        producers.spawn(async move {
            for _ in 0..EACH {
                append().await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = producers.join_next().await {
        done??;
    }
    Ok((PRODUCERS * EACH) as u128 * 1_000_000 / start.elapsed().as_micros().max(1))
}

async fn paced() -> Outcome<()> {
    let dir = place()?;
    let line = line_of(dir.path()).await?;
    let mut file = File::create_new(dir.path().join("bare"))?;
    let sub = dir.path().join("ours");
    private(&sub)?;
    let journal = open(&sub)?;
    let example = record(1);
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    let mut tick = tokio::time::interval(PACE);
    for _ in 0..PACED {
        // In turn, so that both meet the same disk.
        tick.tick().await;
        let start = Instant::now();
        file.write_all(&line)?;
        file.sync_data()?;
        floor.push(start.elapsed().as_micros());
        tick.tick().await;
        let start = Instant::now();
        journal.append(&example, UtcMs(1_771_027_390_207)).await?;
        ours.push(start.elapsed().as_micros());
    }
    for (name, percent, goal) in [("p50", 50, "≤ 1.5×"), ("p99", 99, "≤ 3×")] {
        let (floor, ours) = (percentile(&mut floor, percent), percentile(&mut ours, percent));
        println!(
            "| append at 100/s, {name}, µs | {floor} | {ours} | {} | {goal} |",
            times(1000 * ours / floor.max(1))
        );
    }
    Ok(())
}

async fn replay() -> Outcome<()> {
    let dir = place()?;
    let journal = open(dir.path())?;
    let records: Vec<Record> = (0..REPLAYED).map(record).collect();
    for chunk in records.chunks(20_000) {
        journal.append_all(chunk, UtcMs(1_771_027_390_207)).await?;
    }
    drop((journal, records));
    let files: Files = Arc::new(Dir::open(dir.path())?);
    let (mut typed, mut opened, mut untyped, mut verified) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        typed.push(timed(|| floor_of::<Record>(dir.path()))?);
        opened.push(timed(|| {
            journal::open::<Record>(files.clone(), |_| {})?;
            Ok(())
        })?);
        untyped.push(timed(|| floor_of::<IgnoredAny>(dir.path()))?);
        verified.push(timed(|| {
            journal::verify(dir.path())?;
            Ok(())
        })?);
    }
    for (name, mut floor, mut ours) in [("open", typed, opened), ("verify", untyped, verified)] {
        let said = times(ratio(&ours, &floor));
        let (floor, ours) = (median(&mut floor), median(&mut ours));
        println!("| {name}, 1,000,000 records, ms | {floor} | {ours} | {said} | ≤ 2× |");
    }
    Ok(())
}

/// The floor: read the same lines, hash each, parse each, compare nothing.
fn floor_of<R: DeserializeOwned>(dir: &Path) -> Outcome<()> {
    for n in 1.. {
        let Ok(file) = File::open(dir.join(format!("journal-{n:06}.jsonl"))) else {
            break;
        };
        let mut input = BufReader::with_capacity(256 * 1024, file);
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line)? > 0 {
            std::hint::black_box(Sha256::digest(&line));
            // The link at a segment's end is no record.
            std::hint::black_box(serde_json::from_slice::<R>(&line[9..]).ok());
            line.clear();
        }
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<u128> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_millis())
}

fn median(values: &mut [u128]) -> u128 {
    percentile(values, 50)
}

fn percentile(values: &mut [u128], percent: usize) -> u128 {
    values.sort_unstable();
    values
        .get(values.len() * percent / 100)
        .copied()
        .unwrap_or_default()
}

/// Thousandths: the median over the rounds of ours by floor. Both of a round met the same machine, the rounds may not.
fn ratio(ours: &[u128], floor: &[u128]) -> u128 {
    let mut of_rounds: Vec<_> = ours
        .iter()
        .zip(floor)
        .map(|(a, b)| 1000 * a / b.max(&1))
        .collect();
    median(&mut of_rounds)
}

/// Thousandths with two decimals.
fn times(thousandths: u128) -> String {
    format!("{}.{:02}×", thousandths / 1000, thousandths % 1000 / 10)
}
