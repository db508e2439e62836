//! What each command takes. The comments are the help texts.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use crate::domain::ids::{Digest, StageId};
use crate::domain::time::UtcMs;
use crate::stages;

/// `cutover rehearse`
#[derive(Clone, Debug, Args)]
pub struct Rehearse {
    /// The simulated world.
    #[command(flatten)]
    pub world: World,
    /// Simulated seconds in a real one; waiting is skipped. 1 is the real pace.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub speed: u32,
    /// Keep the run in this directory, or take up the rehearsal that is in it.
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// No screen: decides by the policy `rehearsal` (grant what agrees, leave out what is blocked, drain the old
    /// account) and approves by itself. Never possible on real accounts.
    #[arg(long)]
    pub headless: bool,
    /// The summary as one JSON object on standard output.
    #[arg(long, requires = "headless")]
    pub json: bool,
    /// How the screen looks.
    #[command(flatten)]
    pub screen: Screen,
}

/// The simulated world of `rehearse` and `simulate`.
#[derive(Clone, Debug, Args)]
pub struct World {
    /// The same seed gives the same world, the same faults and the same plan.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// A scenario by name, or a scenario file.
    #[arg(long, value_name = "NAME|FILE", default_value = "midnight")]
    pub scenario: String,
    /// Customers who move, instead of the scenario's number. 0: two empty accounts.
    #[arg(long, value_name = "N")]
    pub customers: Option<u32>,
    /// Extra time every answer takes, in milliseconds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub latency_ms: Option<u64>,
    /// Lift Stripe's rate limits in the simulated accounts.
    #[arg(long)]
    pub no_limits: bool,
}

/// How the screen looks. `NO_COLOR` in the environment is obeyed too.
#[derive(Clone, Debug, Args)]
pub struct Screen {
    /// Only characters of a plain font.
    #[arg(long)]
    pub ascii: bool,
    /// No colours; nothing is said by colour alone.
    #[arg(long)]
    pub no_color: bool,
    /// A theme by name, or a theme file.
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,
}

/// Where the configuration is, and what overrides it.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file; see config.example.toml.
    #[arg(long, value_name = "FILE", default_value = "cutover.toml")]
    pub config: PathBuf,
    /// Override one setting: `--set source.share_percent=30`. Wins over `CUTOVER_SOURCE_SHARE_PERCENT` in the
    /// environment, which wins over the file. Never a key.
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub set: Vec<String>,
}

/// `cutover run`
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Take up the run in this directory, or start one there. Default: a new directory, named after the date, in
    /// the configured `run.dir`.
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// How the screen looks.
    #[command(flatten)]
    pub screen: Screen,
}

/// What the commands without a screen share: which stage, whose configuration, what they print.
#[derive(Clone, Debug, Args)]
pub struct Plain {
    /// The stage.
    #[arg(value_parser = stage_parser())]
    pub stage: StageId,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The summary as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// A run that is there already.
#[derive(Clone, Debug, Args)]
pub struct Existing {
    /// The run. Default: the newest in the configured `run.dir`.
    #[arg(long = "run", value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `cutover plan`
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// Stage, configuration, JSON.
    #[command(flatten)]
    pub plain: Plain,
    /// Where the plan goes. Its digest is printed; `apply` asks for it.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Decisions to put into the plan: columns `key,choice,note,by`, and `number` where a choice asks for one. They are part of the digest.
    #[arg(long, value_name = "FILE.csv")]
    pub decisions: Option<PathBuf>,
    /// Take up the run in this directory, or start one there. Default: a new one in the configured `run.dir`.
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
}

/// `cutover apply`
#[derive(Clone, Debug, Args)]
pub struct Apply {
    /// Stage, configuration, JSON.
    #[command(flatten)]
    pub plain: Plain,
    /// The plan, as `plan` wrote it.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// The digest you approve, all 64 digits. It covers the decisions, those of --decisions included.
    #[arg(long, value_name = "DIGEST", value_parser = parse_digest)]
    pub approve: Digest,
    /// The phrase that says how much is written where: for each account written to, the number of writes and the
    /// account id (at least its last four characters): '1112 9fT2 1112 4bQx'. `plan` prints it.
    #[arg(long, value_name = "PHRASE")]
    pub confirm: String,
    /// Decisions to put into the plan before it is approved: columns `key,choice,note,by`, and `number`.
    #[arg(long, value_name = "FILE.csv")]
    pub decisions: Option<PathBuf>,
    /// A second name; needed for live writes that nothing can take back. Recorded, not authenticated.
    #[arg(long, value_name = "NAME")]
    pub witness: Option<String>,
    /// Your own words, kept with the approval.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Send again what was looked for and not found after an unknown outcome. Without it such rows stay unknown.
    #[arg(long)]
    pub reissue_after_probe: bool,
    /// The run.
    #[command(flatten)]
    pub run: Existing,
}

/// `cutover audit`
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    /// Stage, configuration, JSON.
    #[command(flatten)]
    pub plain: Plain,
    /// The run.
    #[command(flatten)]
    pub run: Existing,
}

/// `cutover migrations`
#[derive(Clone, Debug, Args)]
pub struct Migrations {
    /// The run. Default: the newest in ./runs.
    #[arg(long, value_name = "DIR", global = true)]
    pub run: Option<PathBuf>,
    /// The list as one JSON object on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; without it, lists them.
    #[command(subcommand)]
    pub command: Option<RecordUpload>,
}

/// `cutover migrations record`
#[derive(Clone, Debug, Subcommand)]
pub enum RecordUpload {
    /// Puts on record that a file of this run was uploaded: the clock of the Dashboard's cancel button starts there.
    Record {
        /// The configuration.
        #[command(flatten)]
        config: ConfigArgs,
        /// The file, by its name in the run directory.
        #[arg(long, value_name = "NAME")]
        file: String,
        /// What the Dashboard calls the migration.
        #[arg(long, value_name = "ID")]
        id: String,
        /// When it was uploaded, RFC 3339. Default: now.
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        at: Option<UtcMs>,
    },
}

fn parse_time(text: &str) -> Result<UtcMs, String> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|at| UtcMs(at.timestamp_millis()))
        .map_err(|_| "a time looks like 2026-02-14T00:10:00-05:00".to_owned())
}

/// `cutover status`
#[derive(Clone, Debug, Args)]
pub struct Status {
    /// The run. Default: the newest in ./runs.
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// The summary as one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// `cutover check`
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The result as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `cutover simulate`
#[derive(Clone, Debug, Args)]
pub struct Simulate {
    /// Port of the old account; 0 takes a free one.
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub source_port: u16,
    /// Port of the new account; 0 takes a free one.
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub destination_port: u16,
    /// The simulated world.
    #[command(flatten)]
    pub world: World,
    /// Accepted for symmetry: the line that says both accounts are ready is JSON anyway.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn stage_parser() -> impl TypedValueParser<Value = StageId> {
    let words = || stages::all().into_iter().map(|stage| stage.id());
    PossibleValuesParser::new(words().map(StageId::word)).try_map(move |word| {
        words()
            .find(|id| id.word() == word)
            .ok_or("there is no such stage")
    })
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text)
        .ok_or_else(|| "a digest has 64 hex digits; copy the line that `plan` printed".to_owned())
}
