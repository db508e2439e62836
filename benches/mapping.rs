//! Linting a mapping file of a million rows, against the floor of counting its records with the csv crate in the same
//! run, and the memory it takes. `CUTOVER_BENCH_ROWS` sets another number of rows.

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cutover::stages::mapping::file::Mapping;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;

fn main() -> Outcome<()> {
    let rows: u64 = match std::env::var("CUTOVER_BENCH_ROWS") {
        Ok(rows) => rows.parse()?,
        Err(_) => 1_000_000,
    };
    let text = file(rows)?;
    let (mut floors, mut lints) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(timed(|| count(&text))?);
        lints.push(timed(|| lint(&text, rows))?);
    }
    let (floor, linted) = (median(floors), median(lints));
    println!(
        "mapping, lint of {rows} rows ({} MB): {linted:.1?}, {} of counting `ByteRecord`s ({floor:.1?}); goal 4.00×",
        text.len() / 1_000_000,
        times(linted, floor)
    );
    if let Some(peak) = peak_mb() {
        println!("mapping, most memory with the file itself: {peak} MB; goal 300 MB");
    }
    Ok(())
}

/// Rows as the self-serve copy writes them, one in fifty wrong in one of four ways, one in fifty said twice.
fn file(rows: u64) -> Outcome<String> {
    let mut text = String::from(
        "customer_id_old,v2_account_id_old,source_id_old,customer_id_new,v2_account_id_new,source_id_new\n",
    );
    for n in 0..rows {
        let n = if n % 50 == 49 { n - 1 } else { n };
        let customer = format!("cus_{n:014}");
        let (old, new) = (format!("pm_1Old{n:021}"), format!("pm_1New{n:021}"));
        let wrong = if n % 50 == 7 { n / 50 % 4 } else { 9 };
        match wrong {
            0 => writeln!(text, "{customer},,{old},,,{new}")?,
            1 => writeln!(text, "{customer},,{old},{customer},,")?,
            2 => writeln!(text, "{customer},,tok_{n},{customer},,{new}")?,
            3 => writeln!(text, "{customer},{old}")?,
            _ => writeln!(text, "{customer},,{old},{customer},,{new}")?,
        }
    }
    Ok(text)
}

fn count(text: &str) -> Outcome<()> {
    let mut csv = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut record, mut records) = (csv::ByteRecord::new(), 0_u64);
    while csv.read_byte_record(&mut record)? {
        records += 1;
    }
    black_box(records);
    Ok(())
}

fn lint(text: &str, rows: u64) -> Outcome<()> {
    let mapping = Mapping::read([("mapping.csv", text.as_bytes())])?;
    let lint = mapping.lint();
    if lint.rows != rows || lint.accepted + lint.rejected() + lint.identical != rows || lint.rejected() == 0 {
        return Err(format!("the lint lost rows: {lint:?}").into());
    }
    black_box(mapping.method("pm_1Old000000000000000000001"));
    Ok(())
}

fn timed(act: impl FnOnce() -> Outcome<()>) -> Outcome<Duration> {
    let begun = Instant::now();
    act()?;
    Ok(begun.elapsed())
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

fn times(work: Duration, floor: Duration) -> String {
    let hundredths = work.as_nanos() * 100 / floor.as_nanos().max(1);
    format!("{}.{:02}×", hundredths / 100, hundredths % 100)
}

/// As the kernel counts it; `None` where there is no such file.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kb.map(|kb| kb / 1024)
}
