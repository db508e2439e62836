//! What the commands around the copy and the application's database take. The comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::args::{ConfigArgs, stage_parser};
use crate::domain::ids::StageId;

/// `cutover copy-list`
#[derive(Clone, Debug, Args)]
pub struct CopyList {
    /// Only customers of this wave, instead of the configured `scope.waves`. May be given several times.
    #[arg(long = "wave", value_name = "W")]
    pub waves: Vec<String>,
    /// Only customers who are not on the new account yet: for a second copy. New cards of customers who are there
    /// already come by a second copy of all, so leave it out for these.
    #[arg(long)]
    pub late: bool,
    /// Where the list goes. A file that exists is not overwritten.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is in the list as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// `cutover mapping …`
#[derive(Clone, Debug, Subcommand)]
pub enum MappingCommand {
    /// Reads the mapping files of one copy and says what is wrong with them. Asks no account.
    ///
    /// Ends with 0 when every row can be used, with 1 when rows are rejected (their customers will be blocked), with 2
    /// when a file as a whole is refused.
    #[command(after_help = super::EXIT_CODES)]
    Lint {
        /// The files, CSV or JSON; all of one copy together, because a row in one may contradict a row in another.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The report as one JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
}

/// `cutover lint-csv`
#[derive(Clone, Debug, Args)]
pub struct LintCsv {
    /// The file for the toolkit, or an errors file of Stripe's or ours; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// When the file will be uploaded, in seconds since 1970. Default: now.
    #[arg(long, value_name = "EPOCH", value_parser = clap::value_parser!(i64).range(1_000_000_000..10_000_000_000))]
    pub now: Option<i64>,
    /// Where it will be uploaded: live, starts lie 24 hours ahead or more, in a sandbox one hour.
    #[arg(long, value_enum, default_value = "live")]
    pub mode: LintMode,
    /// Where the rows without errors go, byte for byte, with the header. Replaced if it is there.
    #[arg(long, value_name = "FILE")]
    pub accepted: Option<PathBuf>,
    /// Where the rows with errors go, with a further column `processing_error`. Correct them, and lint that file again.
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
    /// The report as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Where a file is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LintMode {
    /// The live account.
    Live,
    /// A sandbox.
    Sandbox,
}

/// `cutover sql`
#[derive(Clone, Debug, Args)]
pub struct Sql {
    /// A plan of the mapping stage, as `plan mapping` wrote it.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// The folder for `forward.sql` and `inverse.sql`; made if it is not there. Neither file is overwritten.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which database the files are for. Default: the one of the configured `app_database.url`; given, the address is
    /// not fetched.
    #[arg(long, value_enum)]
    pub kind: Option<SqlKind>,
    /// The configuration, for the table and its columns.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What was written as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SqlKind {
    /// PostgreSQL, for psql.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
    /// SQLite.
    Sqlite,
}

/// `cutover undo`
#[derive(Clone, Debug, Args)]
pub struct Undo {
    /// The stage. Rows of the application's database get back what they held; what was made on Stripe is switched off
    /// or deleted, where that can be.
    #[arg(value_parser = stage_parser())]
    pub stage: StageId,
    /// The run that made the changes.
    #[arg(long, value_name = "DIR")]
    pub run: PathBuf,
    /// How much is taken back, in the words of an approval: '3 9fT0 5 2bR1 412 rows'. A phrase that does not fit is
    /// answered by the one that does, and nothing is sent.
    #[arg(long, value_name = "PHRASE")]
    pub confirm: String,
    /// A second name: needed live where something is taken back that cannot be put there again.
    #[arg(long, value_name = "NAME")]
    pub witness: Option<String>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The summary as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}
