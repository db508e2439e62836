//! Standard output and error. A closed pipe is not an error: whoever read had enough.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use clap::CommandFactory as _;

use super::failure::Failure;
use crate::cli::Cli;

/// A line on standard output.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line on standard error.
pub(super) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The completions of a shell.
pub(super) fn completions(shell: clap_complete::Shell) {
    let mut buffer = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cutover", &mut buffer);
    let _ = std::io::stdout().lock().write_all(&buffer);
}

/// Refuses a file that is there already: said before minutes of reading, and once more by [`new_file`].
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    // A link that leads nowhere is there too.
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let why = "is there already and is not overwritten; give another name or move it away";
    Err(Failure::usage(format!("{} {why}", path.display())))
}

/// Writes a file that did not exist, for its owner's eyes, whole or not at all.
pub(super) fn new_file(path: &Path, parts: impl Iterator<Item = String>) -> Result<(), Failure> {
    refuse_existing(path)?;
    let failed = |error: std::io::Error| {
        let why = "give a place where a new file can be made";
        Failure::usage(format!("{} cannot be written ({error}); {why}", path.display()))
    };
    let file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    let written = write_parts(file, parts);
    if written.is_err() {
        // Half a list copies half the customers, and half of an SQL file looks whole to whoever opens it.
        let _ = std::fs::remove_file(path);
    }
    written.map_err(failed)
}

fn write_parts(file: std::fs::File, parts: impl Iterator<Item = String>) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(file);
    for part in parts {
        out.write_all(part.as_bytes())?;
    }
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .sync_all()
}
