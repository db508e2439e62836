//! `mapping lint`, and what the configuration says of the mapping stage and the application's database, made into what
//! they take.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::failure::Failure;
use super::out;
use super::real::key_failure;
use crate::appdb::{Database, Limits, TableSpec};
use crate::cli::Exit;
use crate::config::{self, Config, DatabaseConfig};
use crate::domain::time::UtcMs;
use crate::stages::mapping::file::{Lint, Mapping};
use crate::stages::mapping::{Settings, Table, copy_list};

/// Settings of the mapping stage. The files are read and linted here and only here: what is planned from is what was
/// linted.
pub(super) fn settings(config: &Config, now: UtcMs) -> Result<Settings, Failure> {
    let of = &config.mapping;
    if of.copied_at.is_some_and(|at| at > now) {
        return Err(Failure::usage(format!(
            "{}: `mapping.copied_at` lies in the future; give the time at which the copy was made",
            config.path.display()
        )));
    }
    let file = match of.files.as_slice() {
        [] => None,
        files => Some(Arc::new(read(files)?)),
    };
    let asked = of.asked.as_deref().map(asked).transpose()?;
    Ok(Settings {
        file,
        asked: asked.map(Arc::new),
        copied_at: of.copied_at,
        invoice_numbering: of.invoice_numbering,
        contact_days: of.contact_days,
        table: config.database.as_ref().map(table),
    })
}

fn asked(path: &Path) -> Result<std::collections::BTreeSet<String>, Failure> {
    let bytes = config::read_operator_file(path).map_err(Failure::usage)?;
    copy_list::parse(&path.display().to_string(), &bytes).map_err(Failure::usage)
}

/// The mapping that these files are together.
fn read(paths: &[PathBuf]) -> Result<Mapping, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let bytes = config::read_operator_file(path).map_err(Failure::usage)?;
        files.push((path.display().to_string(), bytes));
    }
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    Mapping::read(files).map_err(Failure::usage)
}

fn table(of: &DatabaseConfig) -> Table {
    Table {
        name: of.table.clone(),
        method: of.method_column.clone(),
        customer: of.customer_column.clone(),
        extra: of.extra_columns.clone(),
        quiet: of.quiet,
    }
}

/// The table as `appdb` knows it.
pub(super) fn spec(of: &DatabaseConfig) -> TableSpec {
    TableSpec {
        table: of.table.clone(),
        key: of.key_column.clone(),
        method: of.method_column.clone(),
        customer: of.customer_column.clone(),
        extra: of.extra_columns.clone(),
        filter: of.condition.clone(),
    }
}

/// The application's database, where one is configured. Nothing is connected to.
pub(super) fn database(config: &Config) -> Result<Option<Database>, Failure> {
    let (Some(of), Some(address)) = (&config.database, config.database_address().map_err(key_failure)?)
    else {
        return Ok(None);
    };
    let limits = Limits {
        lock_ms: of.lock_timeout_ms,
        statement_ms: of.statement_timeout_ms,
        batch_rows: of.batch_rows as usize,
        ..Limits::default()
    };
    let database = Database::new(&address, spec(of), limits);
    database.map(Some).map_err(|error| {
        Failure::usage(format!(
            "{}, section [app_database]: {error}",
            config.path.display()
        ))
    })
}

/// The lint of a mapping, as JSON and as lines.
#[derive(Serialize)]
struct Report<'a> {
    exit: u8,
    files: &'a [String],
    origin: &'static str,
    digest: String,
    rows: u64,
    accepted: u64,
    rejected: u64,
    identical: u64,
    problems: Vec<Problem<'a>>,
    columns_not_used: &'a [String],
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "problem")]
    word: &'static str,
    count: u64,
    means: &'static str,
    first: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u64,
    column: &'static str,
    text: &'a str,
}

impl<'a> Report<'a> {
    fn of(mapping: &'a Mapping) -> Self {
        let lint = mapping.lint();
        Self {
            exit: exit(lint).code(),
            files: &lint.files,
            origin: mapping.origin().word(),
            digest: mapping.digest().hex(),
            rows: lint.rows,
            accepted: lint.accepted,
            rejected: lint.rejected(),
            identical: lint.identical,
            problems: problems(lint),
            columns_not_used: &lint.ignored,
        }
    }
}

fn problems(lint: &Lint) -> Vec<Problem<'_>> {
    let all = lint.problems.iter().map(|(problem, tally)| Problem {
        word: problem.word(),
        count: tally.count,
        means: problem.means(),
        first: tally.first.iter().map(place).collect(),
    });
    all.collect()
}

fn place(place: &crate::stages::mapping::file::Place) -> Place<'_> {
    Place {
        file: &place.file,
        line: place.line,
        column: place.column,
        text: &place.text,
    }
}

/// A row that cannot be used blocks its customer: not a success, and not a file that cannot be used either.
fn exit(lint: &Lint) -> Exit {
    if lint.rejected() > 0 {
        Exit::Failed
    } else {
        Exit::Done
    }
}

/// `cutover mapping lint`
pub(super) fn lint(files: &[PathBuf], json: bool) -> Result<Exit, Failure> {
    let mapping = read(files)?;
    let lint = mapping.lint();
    if json {
        out::say(&serde_json::to_string(&Report::of(&mapping)).map_err(Failure::failed)?);
        return Ok(exit(lint));
    }
    out::say(&summary(&mapping));
    for (problem, tally) in &lint.problems {
        out::say(&format!(
            "{} {}: {}",
            tally.count,
            problem.word(),
            problem.means()
        ));
        for place in &tally.first {
            out::say(&format!("  {place}"));
        }
        let more = tally.count - tally.first.len() as u64;
        if more > 0 {
            out::say(&format!("  and {more} more"));
        }
    }
    if !lint.ignored.is_empty() {
        out::say(&format!("columns not used: {}", lint.ignored.join(", ")));
    }
    Ok(exit(lint))
}

/// What a mapping is and how many of its rows are used, in one line.
pub(super) fn summary(mapping: &Mapping) -> String {
    let lint = mapping.lint();
    let kind = match mapping.origin() {
        crate::stages::mapping::file::Origin::SelfServe => "self-serve copy",
        crate::stages::mapping::file::Origin::Processor => "import from another processor",
    };
    format!(
        "{kind}, {} rows: {} used, {} rejected, {} said twice; digest {}",
        lint.rows,
        lint.accepted,
        lint.rejected(),
        lint.identical,
        mapping.digest()
    )
}
