//! What can be wrong with a configuration: one sentence each, saying where and what to do.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file: line and column, both from 1.
    File {
        /// The file.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Column, in characters.
        column: usize,
    },
    /// An environment variable.
    Variable(String),
    /// `--set`.
    Flag,
    /// Built in.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => {
                write!(f, "{}, line {line}, column {column}", path.display())
            }
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::Flag => f.write_str("--set on the command line"),
            Self::Default => f.write_str("the built-in defaults"),
        }
    }
}

/// Why a configuration is not used. Nothing has been asked of any account when one of these appears.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no file.
    #[error("{}: there is no such file; copy config.example.toml there and fill in what is marked REQUIRED, or type `cutover rehearse`, which needs none", .0.display())]
    NoFile(PathBuf),
    /// The file cannot be read.
    #[error("{}: {why}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason, with what to do.
        why: String,
    },
    /// Not TOML.
    #[error("{at}: this is not valid TOML: {why}")]
    Syntax {
        /// Where.
        at: Origin,
        /// What the parser says.
        why: String,
    },
    /// A setting that does not exist.
    #[error("{at}: there is no setting `{name}`{}", did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// Where.
        at: Origin,
        /// What stands there.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value a setting does not take.
    #[error("{at}: `{setting}` {why}")]
    Wrong {
        /// Where.
        at: Origin,
        /// The setting.
        setting: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
    /// Settings without which there is no configuration.
    #[error("{}: {} must be set; config.example.toml says what each means", .path.display(), in_words(.settings))]
    Missing {
        /// The file.
        path: PathBuf,
        /// Their names.
        settings: Vec<&'static str>,
    },
    /// A key in the file or on the command line.
    #[error(
        "{at}: a Stripe key stands here in plain text; take it out, revoke it, and say instead where the new one is: {{ env = \"NAME\" }}, {{ file = \"PATH\" }} or {{ command = [\"…\"] }}"
    )]
    KeyInText {
        /// Where.
        at: Origin,
    },
    /// Unsafe, whatever the intention.
    #[error("{at}: {why}")]
    Unsafe {
        /// Where.
        at: Origin,
        /// What is unsafe and what to do.
        why: String,
    },
}

impl ConfigError {
    /// Whether this is a refusal for safety (exit code 5) rather than a mistake in the file (exit code 2).
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::KeyInText { .. } | Self::Unsafe { .. })
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; config.example.toml lists all there are".to_owned(),
    }
}

fn in_words(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
