//! The composition root: the one folder that sees every other. It joins parts and holds no rules of its own; what may be
//! written, when and how often is the engine's.
//!
//! | file | command |
//! |---|---|
//! | `rehearse` | `cutover rehearse`: two simulated accounts in this process |
//! | `real` | `run`, `plan`, `apply`, `audit`: the accounts of the configuration |
//! | `check` | `check` |
//! | `mapping` | `mapping lint`, and the settings of the mapping stage and the application's database |
//! | `copy_list` | `copy-list` |
//! | `lint_csv` | `lint-csv` |
//! | `sql` | `sql` |
//! | `undo` | `undo` |
//! | `look` | `status`, `journal verify`: a run directory, looked at |
//! | `simulate` | `simulate` |
//! | `signals` | what asks the process to end |
//! | `headless` | decides and waits where a person would: by command line, or by a named policy |
//! | `undecided` | the rows that wait for a person: what may be chosen, and why |
//! | `summary` | what a run came to, as JSON and as lines |

mod check;
mod claims;
mod copy_list;
mod failure;
mod headless;
mod later;
mod lint_csv;
mod look;
mod mapping;
mod migrations;
mod out;
mod real;
mod rehearse;
mod session;
mod signals;
mod simulate;
mod sql;
mod summary;
mod undecided;
mod undo;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::{self, Command, Exit, FIRST_WORDS};

use failure::Failure;

/// Does what the command line says. Everything that goes wrong is reported here, once.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::parse(args) {
        Ok(cli) => cli,
        Err(unusable) => return unusable.report().into(),
    };
    let Some(command) = cli.command else {
        out::say(FIRST_WORDS.trim_end());
        return Exit::Usage.into();
    };
    match begin().and_then(|runtime| runtime.block_on(obey(command))) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out::complain(&failure.to_string());
            failure.exit().into()
        }
    }
}

fn begin() -> Result<tokio::runtime::Runtime, Failure> {
    crate::telemetry::harden().map_err(Failure::usage)?;
    crate::telemetry::install_hooks(crate::tui::restore).map_err(Failure::usage)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)
}

async fn obey(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Rehearse(args) => rehearse::rehearse(args).await,
        Command::Run(args) => real::run(args).await,
        Command::Plan(args) => real::plan(args).await,
        Command::Apply(args) => real::apply(args).await,
        Command::Audit(args) => real::audit(args).await,
        Command::Status(args) => look::status(&args),
        Command::Check(args) => check::check(args).await,
        Command::CopyList(args) => copy_list::copy_list(args).await,
        Command::Mapping(cli::MappingCommand::Lint { files, json }) => mapping::lint(&files, json),
        Command::LintCsv(args) => lint_csv::lint_csv(&args),
        Command::Sql(args) => sql::sql(&args),
        Command::Undo(args) => undo::undo(args).await,
        Command::Migrations(args) => migrations::migrations(args).await,
        Command::Simulate(args) => simulate::simulate(args).await,
        Command::Journal(cli::Journal::Verify { dir, json }) => look::verify(&dir, json),
        Command::Completions { shell } => {
            out::completions(shell);
            Ok(Exit::Done)
        }
    }
}
