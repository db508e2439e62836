//! How soon the program is there: its help against the floor of starting any process at all, in turn in one run, and
//! the first line of a simulated night.

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const CUTOVER: &str = env!("CARGO_BIN_EXE_cutover");
/// Does nothing: what remains is starting a process.
const FLOOR: &str = "/bin/true";
const STARTS: usize = 60;
const WORLDS: usize = 5;

fn main() -> Outcome<()> {
    let (mut floors, mut helps) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        floors.push(spawn(&mut Command::new(FLOOR))?);
        helps.push(spawn(Command::new(CUTOVER).arg("--help"))?);
    }
    let (floor, help) = (median(floors), median(helps));
    println!(
        "start, `cutover --help`: {help:.1?}, {} of `{FLOOR}` ({floor:.1?})",
        times(help, floor)
    );
    let worlds = (0..WORLDS).map(|_| first_line()).collect::<Outcome<_>>()?;
    let world = median(worlds);
    println!(
        "start, first line of `simulate --customers 2500`: {world:.1?}, {} of `{FLOOR}`",
        times(world, floor)
    );
    Ok(())
}

fn spawn(command: &mut Command) -> Outcome<Duration> {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).stdin(Stdio::null()).status()?;
    let took = begun.elapsed();
    if status.success() {
        Ok(took)
    } else {
        Err(format!("{command:?} ended with {status}").into())
    }
}

/// From the start of the process to the line that says both accounts answer.
fn first_line() -> Outcome<Duration> {
    let begun = Instant::now();
    let mut simulate = Command::new(CUTOVER)
        .args(["simulate", "--customers", "2500"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let read = simulate
        .stdout
        .take()
        .map(|output| BufReader::new(output).read_line(&mut line));
    let took = begun.elapsed();
    simulate.kill()?;
    simulate.wait()?;
    read.transpose()?;
    if line.starts_with('{') {
        Ok(took)
    } else {
        Err(format!("`simulate` said {line:?} first").into())
    }
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

fn times(work: Duration, floor: Duration) -> String {
    let hundredths = work.as_nanos() * 100 / floor.as_nanos().max(1);
    format!("{}.{:02}×", hundredths / 100, hundredths % 100)
}
