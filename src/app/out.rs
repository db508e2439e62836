//! Standard output and error. A closed pipe is not an error: whoever read had enough.

use std::io::Write as _;

use clap::CommandFactory as _;

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
