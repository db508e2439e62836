//! Linting a file for the toolkit as large as Stripe takes: 120 MB, about 850,000 rows of 18 columns, one in fifty wrong in
//! one of twenty ways. On one thread and on two, both halves written to nowhere, against the floor of counting the records
//! with the csv crate in the same run; and the memory it takes beyond the file. `CUTOVER_BENCH_ROWS` sets another number.

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufReader, Read as _, Seek as _, Write as _};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use cutover::stages::subscriptions::toolkit::{Mode, Output, Rules, lint};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const NOW: i64 = 1_703_548_800;
const HEADER: &str = "customer,start_date,price,quantity,metadata.old_Stripe_sub_id,metadata_source,automatic_tax,\
    billing_cycle_anchor,coupon,trial_end,proration_behavior,collection_method,default_tax_rate,backdate_start_date,\
    days_until_due,cancel_at_period_end,currency,metadata.plan\n";

fn main() -> Outcome<()> {
    let rows: u64 = match std::env::var("CUTOVER_BENCH_ROWS") {
        Ok(rows) => rows.parse()?,
        Err(_) => 850_000,
    };
    // From a file, so that what is held is the linter's alone.
    let mut file = tempfile::tempfile()?;
    let bytes = write(&mut file, rows)?;
    let before = peak_mb();
    let (mut floors, mut ones, mut twos) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(timed(&file, |file| run(file, rows, 1))?);
        twos.push(timed(&file, |file| run(file, rows, 2))?);
        floors.push(timed(&file, count)?);
    }
    let (floor, one, two) = (median(floors), median(ones), median(twos));
    println!(
        "lint-csv, {rows} rows ({} MB): one thread {one:.1?}, {} of counting `ByteRecord`s ({floor:.1?}), goal 3.00×; two \
         helpers {two:.1?}, {}, goal 2.00×",
        bytes / 1_000_000,
        times(one, floor),
        times(two, floor)
    );
    if let (Some(before), Some(peak)) = (before, peak_mb()) {
        println!("lint-csv, most memory: {peak} MB, of it before the lint {before} MB; goal 64 MB");
    }
    Ok(())
}

/// Writes the rows; how many bytes they are.
fn write(file: &mut std::fs::File, rows: u64) -> Outcome<u64> {
    let mut out = std::io::BufWriter::new(&mut *file);
    let (mut line, mut bytes) = (String::new(), HEADER.len() as u64);
    out.write_all(HEADER.as_bytes())?;
    for n in 0..rows {
        line.clear();
        if n % 50 == 7 {
            wrong(&mut line, n)?;
        } else {
            good(
                &mut line,
                n,
                &format!("{}", NOW + 90_000 + i64::try_from(n % 2_000_000)?),
            )?;
        }
        bytes += line.len() as u64;
        out.write_all(line.as_bytes())?;
    }
    out.flush()?;
    drop(out);
    Ok(bytes)
}

fn good(line: &mut String, n: u64, start: &str) -> std::fmt::Result {
    let tax = if n.is_multiple_of(3) { "TRUE" } else { "" };
    let coupon = if n.is_multiple_of(9) { "spring" } else { "" };
    let origin = if n.is_multiple_of(2) { "1600000000" } else { "" };
    writeln!(
        line,
        "cus_{:014},{start},price_1LDGNmDK0D4Fox2R{:03},{},sub_{n:014},internal:Stripe,{tax},,{coupon},,none,\
         charge_automatically,,{origin},,,,",
        n / 2,
        n % 100,
        n % 5 + 1
    )
}

/// Twenty ways to be wrong, in turn.
fn wrong(line: &mut String, n: u64) -> std::fmt::Result {
    let start = NOW + 90_000;
    let (customer, price, old) = (
        format!("cus_{n:014}"),
        "price_1LDGNmDK0D4Fox2R001",
        format!("sub_{n:014}"),
    );
    let tail = "none,charge_automatically,,1600000000,,false,usd,gold";
    match n / 50 % 20 {
        0 => good(line, n, "2024-01-01"),
        1 => good(line, n, "1704067200000"),
        2 => good(line, n, "1.70E+09"),
        3 => good(line, n, "45292.5"),
        4 => good(line, n, "1703548801"),
        5 => good(line, n, ""),
        6 => writeln!(line, ",{start},{price},1,{old},internal:Stripe,,,,,{tail}"),
        7 => writeln!(line, "{customer},{start},,1,{old},internal:Stripe,,,,,{tail}"),
        8 => writeln!(
            line,
            "{customer},{start},prod_A1,1,{old},internal:Stripe,,,,,{tail}"
        ),
        9 => writeln!(
            line,
            "{customer},{start},{price},1.0,{old},internal:Stripe,,,,,{tail}"
        ),
        10 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,yes,,,,{tail}"
        ),
        11 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,,5,,,{tail}"
        ),
        12 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,,,a;b,,{tail}"
        ),
        13 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,,,,1600000000,{tail}"
        ),
        14 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,,,,,None,auto,,,,false,usd,gold"
        ),
        15 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,,,,,none,send_invoice,,,,,usd,gold"
        ),
        16 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,true,,,,none,,txr_1,,,,usd,gold"
        ),
        17 => writeln!(
            line,
            "{customer},{start},{price},1,{old},internal:Stripe,,,,,none,,,,30,,USD,gold"
        ),
        18 => writeln!(line, "{customer},{start},{price},1,{old}"),
        _ => writeln!(
            line,
            "{customer},{price},{start},1,{old},internal:Stripe,,,,,{tail}"
        ),
    }
}

fn count(file: &std::fs::File) -> Outcome<()> {
    let mut csv = csv::ReaderBuilder::new()
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(BufReader::with_capacity(1 << 18, file));
    let (mut record, mut records) = (csv::ByteRecord::new(), 0_u64);
    while csv.read_byte_record(&mut record)? {
        records += 1;
    }
    black_box(records);
    Ok(())
}

fn run(file: &std::fs::File, rows: u64, threads: usize) -> Outcome<()> {
    let rules = Rules {
        threads,
        ..Rules::new(NOW, Mode::Live)
    };
    let (mut accepted, mut errors) = (std::io::sink(), std::io::sink());
    let out = Output {
        accepted: Some(&mut accepted),
        errors: Some(&mut errors),
        rows: None,
    };
    let report = lint(file.take(u64::MAX), &rules, out, &mut |_| {
        ControlFlow::Continue(())
    })?;
    let wrong = (0..rows).filter(|n| n % 50 == 7).count() as u64;
    if report.rows != rows || report.rejected != wrong {
        return Err(format!(
            "the lint miscounted: {} rows, {} rejected",
            report.rows, report.rejected
        )
        .into());
    }
    black_box(report);
    Ok(())
}

fn timed(file: &std::fs::File, act: impl FnOnce(&std::fs::File) -> Outcome<()>) -> Outcome<Duration> {
    let mut handle = file;
    handle.rewind()?;
    let begun = Instant::now();
    act(file)?;
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
