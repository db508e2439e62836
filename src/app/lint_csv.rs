//! `lint-csv`: the file from the disk or a pipe, both halves to the disk whole or not at all, the report to whoever asked.

use std::fs::File;
use std::io::{IsTerminal as _, Read, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::failure::Failure;
use super::out;
use crate::cli::{Exit, LintCsv, LintMode};
use crate::clock::Clock;
use crate::config::{self, OperatorStream};
use crate::domain::money::count;
use crate::domain::time::UtcMs;
use crate::stages::subscriptions::toolkit::{
    self, Finding, Mode, Output, Progress, Report, Rule, Rules, Severity,
};

/// Examples of each rule that a person is shown.
const EXAMPLES: usize = 5;
/// How often progress is drawn.
const EVERY: Duration = Duration::from_millis(100);

/// `cutover lint-csv`
pub(super) fn lint_csv(args: &LintCsv) -> Result<Exit, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let rules = Rules {
        threads: if threads > 1 { 2 } else { 1 },
        ..Rules::new(
            args.now.unwrap_or_else(|| Clock::real().now().secs()),
            match args.mode {
                LintMode::Live => Mode::Live,
                LintMode::Sandbox => Mode::Sandbox,
            },
        )
    };
    let report = read(args, &rules)?;
    let exit = if report.rejected > 0 {
        Exit::AuditDiffers
    } else {
        Exit::Done
    };
    if args.json {
        let json = Json::of(args, &rules, &report, exit);
        out::say(&serde_json::to_string(&json).map_err(Failure::failed)?);
    } else {
        say(args, &report);
    }
    Ok(exit)
}

/// Lints, and puts both halves where they belong once all is well.
fn read(args: &LintCsv, rules: &Rules) -> Result<Report, Failure> {
    let name = args.file.display();
    let stream = if args.file.as_os_str() == "-" {
        None
    } else {
        Some(config::open_operator_file(&args.file).map_err(Failure::usage)?)
    };
    if let Some(refused) = stream
        .as_ref()
        .and_then(|stream| toolkit::too_large(stream.length()))
    {
        return Err(Failure::usage(format!("{name} {refused}")));
    }
    refuse_targets(args, stream.as_ref())?;
    let mut accepted = args.accepted.as_deref().map(Half::begin).transpose()?;
    let mut errors = args.errors.as_deref().map(Half::begin).transpose()?;
    let halves = Output {
        accepted: accepted
            .as_mut()
            .map(|half| &mut half.file as &mut dyn std::io::Write),
        errors: errors
            .as_mut()
            .map(|half| &mut half.file as &mut dyn std::io::Write),
        rows: None,
    };
    let mut gauge = Gauge::begin(stream.as_ref().map(OperatorStream::length));
    let linted = match &stream {
        Some(stream) => run(stream, rules, halves, &mut gauge),
        None => run(std::io::stdin().lock(), rules, halves, &mut gauge),
    };
    gauge.end();
    let report = linted.map_err(|error| match error {
        toolkit::LintError::Refused(why) => Failure::usage(format!("{name} {why}")),
        error @ toolkit::LintError::Write { .. } => {
            Failure::usage(format!("{error}; give a place where it can be written"))
        }
        error => Failure::failed(format!("{name}: {error}")),
    })?;
    if let Some(stream) = &stream {
        stream.unchanged().map_err(Failure::usage)?;
    }
    let halves = [accepted, errors];
    for half in halves.iter().flatten() {
        half.sync()?;
    }
    for half in halves.into_iter().flatten() {
        half.keep()?;
    }
    Ok(report)
}

fn run(
    input: impl Read,
    rules: &Rules,
    halves: Output<'_>,
    gauge: &mut Gauge,
) -> Result<Report, toolkit::LintError> {
    toolkit::lint(input, rules, halves, &mut |progress| {
        gauge.show(progress);
        ControlFlow::Continue(())
    })
}

/// Neither half may take the place of the input or of the other.
fn refuse_targets(args: &LintCsv, input: Option<&OperatorStream>) -> Result<(), Failure> {
    let targets = [args.accepted.as_deref(), args.errors.as_deref()];
    for path in targets.into_iter().flatten() {
        if input.is_some_and(|input| input.is_at(path)) {
            let why = "is the file that is linted and is not overwritten; give another name";
            return Err(Failure::usage(format!("{} {why}", path.display())));
        }
        if path.is_dir() || path.file_name().is_none() {
            return Err(Failure::usage(format!(
                "{} is a folder; give the name of a file",
                path.display()
            )));
        }
    }
    if let [Some(accepted), Some(errors)] = targets
        && whereabouts(accepted) == whereabouts(errors)
    {
        return Err(Failure::usage(
            "--accepted and --errors name the same file; give two names",
        ));
    }
    Ok(())
}

/// The same for two names of one place.
fn whereabouts(path: &Path) -> Option<PathBuf> {
    let folder = folder(path).canonicalize().ok()?;
    Some(folder.join(path.file_name()?))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file under another name until it is whole.
struct Half {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    kept: bool,
}

impl Half {
    fn begin(path: &Path) -> Result<Self, Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = folder(path).join(format!(".{name}.{}.partial", std::process::id()));
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(|error| cannot(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file,
            kept: false,
        })
    }

    fn sync(&self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|error| cannot(&self.path, &error))
    }

    fn keep(mut self) -> Result<(), Failure> {
        std::fs::rename(&self.partial, &self.path).map_err(|error| cannot(&self.path, &error))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if !self.kept {
            // Half a file looks whole to whoever opens it.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    let why = "give a place where a new file can be made";
    Failure::usage(format!("{} cannot be written ({error}); {why}", path.display()))
}

/// Progress on a terminal: share, rows a second, seconds left.
struct Gauge {
    total: Option<u64>,
    begun: Instant,
    drawn: Option<Instant>,
    on: bool,
}

impl Gauge {
    fn begin(total: Option<u64>) -> Self {
        Self {
            total,
            begun: Instant::now(),
            drawn: None,
            on: std::io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, progress: Progress) {
        if !self.on || self.drawn.unwrap_or(self.begun).elapsed() < EVERY {
            return;
        }
        self.drawn = Some(Instant::now());
        let line = words(progress, self.total, self.begun.elapsed());
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{line}");
    }

    fn end(&self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn words(progress: Progress, total: Option<u64>, elapsed: Duration) -> String {
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = progress.rows.saturating_mul(1_000) / ms;
    let rows = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    let share = total
        .filter(|total| *total > 0 && progress.bytes > 0)
        .map(|total| {
            let percent = progress.bytes.saturating_mul(100) / total;
            let left = total.saturating_sub(progress.bytes).saturating_mul(ms) / progress.bytes / 1_000;
            format!("{percent} %, {left} s left, ")
        });
    format!(
        "{}{} rows, {} rejected, {} rows/s",
        share.unwrap_or_default(),
        rows(progress.rows),
        rows(progress.rejected),
        rows(rate)
    )
}

/// The report as JSON.
#[derive(Serialize)]
struct Json<'a> {
    exit: u8,
    file: String,
    mode: &'static str,
    now: i64,
    rows: u64,
    accepted: u64,
    rejected: u64,
    errors: &'a [Finding],
    errors_not_listed: u64,
    warnings: &'a [Finding],
    warnings_not_listed: u64,
    rules: Vec<Counted>,
    at_stake: String,
    summary: Dashboard,
}

#[derive(Serialize)]
struct Counted {
    rule: Rule,
    severity: Severity,
    count: u64,
    means: &'static str,
    remedy: &'static str,
}

/// What the Dashboard shows after the upload.
#[derive(Serialize)]
struct Dashboard {
    date: String,
    file: String,
    subscriptions: u64,
    customers: u64,
    first_go_live: Option<i64>,
    first_go_live_utc: Option<String>,
}

impl Dashboard {
    fn of(args: &LintCsv, report: &Report) -> Self {
        let of = &report.summary;
        // What is uploaded is the accepted half, if there is one.
        let file = args.accepted.as_deref().unwrap_or(&args.file);
        let name = file.file_name().unwrap_or(file.as_os_str());
        Self {
            date: UtcMs::from_secs(of.uploaded_at).day(),
            file: crate::domain::text::safe(&name.to_string_lossy()).to_string(),
            subscriptions: of.subscriptions,
            customers: of.customers,
            first_go_live: of.first_go_live,
            first_go_live_utc: of.first_go_live.map(utc),
        }
    }
}

fn utc(seconds: i64) -> String {
    UtcMs::from_secs(seconds)
        .datetime()
        .format("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}

impl<'a> Json<'a> {
    fn of(args: &LintCsv, rules: &Rules, report: &'a Report, exit: Exit) -> Self {
        let counted = report.counts.iter().map(|(rule, count)| Counted {
            rule: *rule,
            severity: rule.severity(),
            count: *count,
            means: rule.means(),
            remedy: rule.remedy(),
        });
        Self {
            exit: exit.code(),
            file: crate::domain::text::safe(&args.file.to_string_lossy()).to_string(),
            mode: match rules.mode {
                Mode::Live => "live",
                Mode::Sandbox => "sandbox",
            },
            now: rules.now,
            rows: report.rows,
            accepted: report.accepted,
            rejected: report.rejected,
            errors: &report.errors,
            errors_not_listed: report.not_listed(Severity::Error),
            warnings: &report.warnings,
            warnings_not_listed: report.not_listed(Severity::Warning),
            rules: counted.collect(),
            at_stake: report.at_stake.in_words(),
            summary: Dashboard::of(args, report),
        }
    }
}

/// The report for a person: what the Dashboard will show, then rule by rule with the first places.
fn say(args: &LintCsv, report: &Report) {
    let n = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    let name = crate::domain::text::safe(&args.file.to_string_lossy()).to_string();
    out::say(&format!(
        "{name}: {} rows, {} accepted, {} rejected",
        n(report.rows),
        n(report.accepted),
        n(report.rejected)
    ));
    let dashboard = Dashboard::of(args, report);
    out::say(&format!(
        "for the Dashboard: {}, {}, {} subscriptions, {} customers, first go-live {}",
        dashboard.date,
        dashboard.file,
        n(dashboard.subscriptions),
        n(dashboard.customers),
        dashboard.first_go_live_utc.as_deref().unwrap_or("never")
    ));
    for (severity, findings) in [
        (Severity::Error, &report.errors),
        (Severity::Warning, &report.warnings),
    ] {
        let counts = report
            .counts
            .iter()
            .filter(|(rule, _)| rule.severity() == severity);
        for (rule, count) in counts {
            group(&name, severity, *rule, *count, findings);
        }
    }
    if !report.at_stake.0.is_empty() {
        out::say(&format!(
            "not billed by the cycles given away: {}",
            report.at_stake.in_words()
        ));
    }
}

fn group(name: &str, severity: Severity, rule: Rule, all: u64, findings: &[Finding]) {
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let times = count(usize::try_from(all).unwrap_or(usize::MAX));
    out::say(&format!("\n{word} {}: {times}", rule.name()));
    out::say(&format!("  {}", rule.means()));
    out::say(&format!("  to do: {}", rule.remedy()));
    let mut shown = 0;
    for finding in findings
        .iter()
        .filter(|finding| finding.rule == rule)
        .take(EXAMPLES)
    {
        shown += 1;
        let column = if finding.column.is_empty() {
            "row"
        } else {
            &finding.column
        };
        let more = finding.message.strip_prefix(rule.means()).unwrap_or_default();
        let more = more.split_once(';').map_or("", |(more, _)| more);
        out::say(&format!(
            "  {name}:{}:{column}: {}{more}",
            finding.line, finding.value
        ));
    }
    if all > shown {
        out::say(&format!(
            "  and {} more",
            count(usize::try_from(all - shown).unwrap_or(usize::MAX))
        ));
    }
}
