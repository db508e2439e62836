//! What the process says about itself: reports of errors and panics, the trace file of a run, and the walls against
//! keys leaking through core dumps. Nothing here ever shows what a panic or an event carried beyond its place and its
//! own words: payloads may quote what a customer or an account said.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::panic::{Location, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use rustix::fs::OFlags;
use rustix::process::{Resource, Rlimit, setrlimit};
use thiserror::Error;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::find_key;

/// Name of the trace file in a run directory.
pub const TRACE_FILE: &str = "trace.log";
/// Environment variable that says what the trace file contains, in the syntax of `RUST_LOG`.
pub const TRACE_VARIABLE: &str = "CUTOVER_LOG";
const TRACE_DEFAULT: &str = "cutover=info,warn";

static RUN: OnceLock<PathBuf> = OnceLock::new();

/// Why the process is not as guarded, or not as talkative, as it should be.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The operating system refused.
    #[error(
        "core dumps could not be switched off ({0}); a crash could write keys to disk, so nothing is started"
    )]
    Harden(io::Error),
    /// The trace file cannot be written.
    #[error("{}: the trace file cannot be opened ({why}); check the directory's owner and space", .path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// [`CUTOVER_LOG`](TRACE_VARIABLE) is malformed.
    #[error("the environment variable CUTOVER_LOG is not a filter; write it like cutover=debug")]
    Filter,
    /// Installed before.
    #[error("error reports or traces were set up twice in one process")]
    Twice,
}

/// Keeps keys out of core dumps and away from other processes of the same user (reliability §6): no core files, and on
/// Linux not dumpable, so neither a debugger nor `/proc` shows this process's memory. To be called before a key is read.
pub fn harden() -> Result<(), TelemetryError> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let failed = |error: rustix::io::Errno| TelemetryError::Harden(error.into());
    setrlimit(Resource::Core, none).map_err(failed)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(failed)?;
    Ok(())
}

/// Installs what prints errors and panics. `restore` is called first, on the panicking thread: it has to give the
/// terminal back.
pub fn install_hooks(restore: impl Fn() + Send + Sync + 'static) -> Result<(), TelemetryError> {
    let (_, errors) = color_eyre::config::HookBuilder::blank()
        .display_env_section(false)
        .into_hooks();
    errors.install().map_err(|_| TelemetryError::Twice)?;
    std::panic::set_hook(Box::new(move |info| {
        restore();
        report_panic(info);
    }));
    Ok(())
}

/// Says, for the report of a panic, which run can be taken up again.
pub fn run_is_in(dir: &Path) {
    // A process opens one run; a second would not change which one a person has to resume first.
    let _ = RUN.set(dir.to_owned());
}

fn report_panic(info: &PanicHookInfo<'_>) {
    let text = panic_text(info.location(), RUN.get().map(PathBuf::as_path));
    tracing::error!("{text}");
    // Standard error may be closed; then nobody is there to be told.
    let _ = writeln!(io::stderr(), "\n{text}");
}

/// The place and a code that stands for it, never the payload.
fn panic_text(place: Option<&Location<'_>>, run: Option<&Path>) -> String {
    let place = place.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let code = crc32c::crc32c(place.as_bytes());
    let resume = match run {
        Some(dir) => format!(
            "What was sent is in the journal. Take the run up again with: --run {}",
            dir.display()
        ),
        None => "No run was open, so nothing was written.".to_owned(),
    };
    format!(
        "cutover {} stopped because of a mistake of its own: P-{code:08x} at {place}\n{resume}",
        env!("CARGO_PKG_VERSION")
    )
}

/// Starts the trace file in `run_dir`, readable by its owner alone. `filter` is the value of [`TRACE_VARIABLE`]. Other
/// crates are heard from warnings on only, whatever the filter says: theirs could carry headers or bodies.
pub fn trace_to(run_dir: &Path, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter.unwrap_or(TRACE_DEFAULT)).map_err(|_| TelemetryError::Filter)?;
    let path = run_dir.join(TRACE_FILE);
    let file = open_private(&path).map_err(|why| TelemetryError::Trace { path, why })?;
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Mutex::new(Redacted(file)))
        .with_filter(FilterFn::new(is_ours_or_serious));
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .map_err(|_| TelemetryError::Twice)
}

fn is_ours_or_serious(event: &Metadata<'_>) -> bool {
    event.target().starts_with(env!("CARGO_PKG_NAME")) || *event.level() <= Level::WARN
}

fn open_private(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)?;
    // An older file keeps the mode it was made with.
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Writes everything but keys. Each write is one whole line: the formatter hands over lines.
struct Redacted<W>(W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `text` with every Stripe secret replaced.
fn redact(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(key) = find_key(rest) {
        out.push_str(&rest[..key.start]);
        out.push_str("[key removed]");
        rest = &rest[key.end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_reaches_the_trace_file() {
        let mut out = Redacted(Vec::new());
        out.write_all(b"a sk_live_4eC39HqLyj, b whsec_4eC39HqLyj!\n")
            .unwrap();
        assert_eq!(out.0, b"a [key removed], b [key removed]!\n");
        assert_eq!(redact("nothing to hide"), "nothing to hide");
    }

    #[test]
    fn the_trace_file_is_its_owners_alone_and_never_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TRACE_FILE);
        std::fs::write(&path, "old\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        open_private(&path).unwrap().write_all(b"new\n").unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old\nnew\n");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(open_private(&link).is_err());
    }

    #[test]
    fn a_panic_is_reported_by_place_and_code_and_says_how_to_go_on() {
        let text = panic_text(Some(Location::caller()), Some(Path::new("runs/2026-02-14-a")));
        assert!(
            text.contains(" at src/telemetry.rs:") && text.contains("--run runs/2026-02-14-a"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
        assert!(panic_text(None, None).contains("No run was open"));
    }

    #[test]
    fn a_hardened_process_leaves_no_core_file() {
        harden().unwrap();
        assert_eq!(rustix::process::getrlimit(Resource::Core).maximum, Some(0));
    }
}
