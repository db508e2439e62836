//! Where a key is, as the configuration says it.

use std::fmt;
use std::path::PathBuf;

use toml::{Table, Value};

/// Where a key is.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In this environment variable.
    Env(String),
    /// In this file, which only its owner may read.
    File(PathBuf),
    /// On the standard output of this program with these arguments; no shell is involved.
    Command(Vec<String>),
}

impl fmt::Display for KeySource {
    /// A command is shown by its program only: arguments may name more than should be on a screen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(words) => write!(f, "the command {}", words.first().map_or("", String::as_str)),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl KeySource {
    /// Reads `{ env = "NAME" }`, `{ file = "PATH" }` or `{ command = ["…"] }`; the error continues "`setting` …".
    pub(super) fn parse(table: &Table) -> Result<Self, &'static str> {
        let mut entries = table.iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            return Err(
                "must say one thing: { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"…\"] }",
            );
        };
        match (kind.as_str(), value) {
            ("env", Value::String(name)) if is_variable(name) => Ok(Self::Env(name.clone())),
            ("env", _) => Err("must give `env` the name of an environment variable, such as STRIPE_OLD_KEY"),
            ("file", Value::String(path)) if !path.trim().is_empty() => Ok(Self::File(path.into())),
            ("file", _) => Err("must give `file` the path of a file that only you can read"),
            ("command", Value::Array(words)) => command(words),
            ("command", _) => {
                Err("must give `command` a list: the program and its arguments; no shell is used")
            }
            _ => Err("knows `env`, `file` and `command`, and nothing else"),
        }
    }
}

fn command(words: &[Value]) -> Result<KeySource, &'static str> {
    let texts: Option<Vec<String>> = words
        .iter()
        .map(|word| word.as_str().map(str::to_owned))
        .collect();
    match texts {
        Some(words) if words.first().is_some_and(|program| !program.is_empty()) => {
            Ok(KeySource::Command(words))
        }
        _ => Err("must give `command` a list of texts: the program and its arguments"),
    }
}

fn is_variable(name: &str) -> bool {
    let starts = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
