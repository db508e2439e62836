//! The command line: what can be typed, and what the help says about it. Definitions only; `app` does the work.

mod args;
mod exit;
mod mapping;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use args::{
    Apply, AuditArgs, Check, ConfigArgs, Existing, Migrations, Plain, PlanArgs, RecordUpload, Rehearse, Run,
    Screen, Simulate, Status, World,
};
pub use exit::Exit;
pub use mapping::{CopyList, LintCsv, LintMode, MappingCommand, Sql, SqlKind, Undo};

use crate::config::holds_key;

/// What `cutover` prints when it is called with nothing.
pub const FIRST_WORDS: &str = "\
cutover moves customers from one Stripe account to another: plan, approve, write once, verify.

Type this first. It needs no account, no key and no configuration:

    cutover rehearse            the whole night on two simulated accounts

Then, for your own accounts:

    cp config.example.toml cutover.toml     say which accounts, who moves, where the keys are
    cutover check                           reads, never writes: is everything right?
    cutover copy-list --out list.csv        whom the Dashboard is to copy; it alone can copy cards
    cutover run                             scan, plan, review, approve, write, verify

Every command explains itself:  cutover help run
";

/// Printed below every help text.
const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  something failed, or an outcome is unknown
  2  the command line, the configuration or a file is wrong; nothing was started
  3  a row is undecided, or an approval is missing
  4  an audit found differences, or a linted file has rows with errors
  5  refused for safety; nothing (more) was written
  When several apply, the first of 5, 1, 4, 3, 0.";

/// Moves customers from one Stripe account to another: plan, approve, write once, verify.
///
/// Nothing is written to either account before you approve a plan by typing its numbers. Start with `cutover rehearse`.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, after_help = EXIT_CODES, after_long_help = EXIT_CODES)]
#[command(disable_help_subcommand = false, max_term_width = 100)]
pub struct Cli {
    /// What to do; without it [`FIRST_WORDS`] are printed.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole night on two simulated accounts. Needs nothing; start here.
    #[command(after_help = EXIT_CODES)]
    Rehearse(Rehearse),
    /// Full screen, on the accounts of your configuration. Takes up an earlier run with --run.
    #[command(after_help = EXIT_CODES)]
    Run(Run),
    /// Writes the list of customers that the Dashboard's copy asks for. Reads both accounts, writes nothing to them.
    ///
    /// The list has one customer id a line and no header. The old account's Dashboard takes it under Customers, Copy
    /// customers; the mapping file it gives back is named in the configuration as `mapping.files`, and this list as
    /// `mapping.asked`.
    #[command(after_help = EXIT_CODES)]
    CopyList(CopyList),
    /// The mapping files of the copy.
    #[command(subcommand, after_help = EXIT_CODES)]
    Mapping(MappingCommand),
    /// Lints the CSV for Stripe's Billing migration toolkit: every error before the upload. Asks no account.
    ///
    /// Ends with 0 when every row is accepted, with 4 when rows are rejected, with 2 when the file as a whole is refused.
    /// Accepted and errors together are the input, byte for byte.
    #[command(after_help = EXIT_CODES)]
    LintCsv(LintCsv),
    /// Reads both accounts and writes the plan of one stage to a file. Writes nothing to Stripe.
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Writes an approved plan. Needs its digest and the phrase; sends nothing otherwise.
    #[command(after_help = EXIT_CODES)]
    Apply(Apply),
    /// Reads the result of a stage back by another path and compares it to the cent. Writes nothing.
    #[command(after_help = EXIT_CODES)]
    Audit(AuditArgs),
    /// The planned changes of the application's database as SQL to review and run by hand, with its inverse.
    ///
    /// For a database this program may read but not write. Run `forward.sql` when the mapping stage has written and
    /// audited everything else: before, the application would name methods that are not ready.
    #[command(after_help = EXIT_CODES)]
    Sql(Sql),
    /// Takes back what a stage did, where that is possible: rows of the database, coupons and codes, schedules and stops.
    #[command(after_help = EXIT_CODES)]
    Undo(Undo),
    /// Files for Stripe's Billing migration toolkit that were uploaded: what, when, how far; or puts an upload on record.
    #[command(after_help = EXIT_CODES)]
    Migrations(Migrations),
    /// What a run has done and what it waits for, from its journal. Asks no account.
    #[command(after_help = EXIT_CODES)]
    Status(Status),
    /// Configuration, keys, accounts, mode, clock, mapping files and database, checked with reads only.
    #[command(after_help = EXIT_CODES)]
    Check(Check),
    /// The two simulated accounts as servers on this machine, until stopped.
    ///
    /// When both are ready one JSON line is printed: their URLs, keys and account ids, the mapping CSV of the PAN copy
    /// and the application database. Any Stripe SDK can talk to them.
    #[command(after_help = EXIT_CODES)]
    Simulate(Simulate),
    /// The journal of a run.
    #[command(subcommand)]
    Journal(Journal),
    /// Completions for your shell, on standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `cutover journal …`
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Proves that a journal is whole: every checksum, every link of its chain.
    #[command(after_help = EXIT_CODES)]
    Verify {
        /// The run directory.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// The result as one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Why the command line is not used.
#[derive(Debug)]
pub enum Unusable {
    /// A mistake, or a call for help or the version.
    Clap(Box<clap::Error>),
    /// An API key or webhook secret stands on the command line. It is not repeated.
    Key,
}

/// Reads the command line; the first of `args` is the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Unusable> {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.iter().any(|arg| holds_key(&arg.to_string_lossy())) {
        return Err(Unusable::Key);
    }
    Cli::try_parse_from(args).map_err(|error| Unusable::Clap(Box::new(error)))
}

impl Unusable {
    /// Prints it where it belongs (help on standard output, mistakes on standard error) and says how to end.
    #[must_use]
    pub fn report(&self) -> Exit {
        match self {
            Self::Clap(error) => {
                // Nothing can be said about a closed terminal on that same terminal.
                let _ = error.print();
                if error.exit_code() == 0 {
                    Exit::Done
                } else {
                    Exit::Usage
                }
            }
            Self::Key => {
                use std::io::Write as _;
                let _ = writeln!(std::io::stderr(), "{KEY_ON_COMMAND_LINE}");
                Exit::Refused
            }
        }
    }
}

const KEY_ON_COMMAND_LINE: &str = "error: a Stripe key stands on the command line, where shell history and other users \
    can read it; revoke it, and give the new one by environment variable, 0600 file or command (see config.example.toml)";

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
