//! Fetching secrets, which are the API keys and the database's address, from where the configuration says they are: an
//! environment variable, a private file, a command.
//!
//! A secret is never part of an error, a log line or a `Debug` text; errors name its source. What is fetched as a key is
//! checked as far as its beginning tells (facts 2.1): kind, mode, and that the two accounts' keys differ.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::OFlags;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

use super::Config;
use super::keysource::KeySource;
use super::keytext::holds_key;
use crate::domain::ids::{Environment, Role};

/// How long a command may take to print a secret.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// More than any key or address has.
const MAX_KEY_BYTES: u64 = 4096;

/// The keys of both accounts. `Debug` shows neither.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Of the old account.
    pub source: SecretString,
    /// Of the new account.
    pub destination: SecretString,
}

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// The API key of that account.
    Key(Role),
    /// The address of the application's database, with its password.
    Database,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(role) => write!(f, "the key of the {role} account"),
            Self::Database => f.write_str("the address of the application's database"),
        }
    }
}

/// Why there is no usable secret. Never contains any part of one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// It could not be fetched.
    #[error("{secret} should be in {from}, but {why}")]
    Unavailable {
        /// Which.
        secret: Secret,
        /// From where.
        from: String,
        /// What happened and what to do.
        why: String,
    },
    /// It was fetched and must not be used.
    #[error("{secret}, from {from}, {why}")]
    Refused {
        /// Which.
        secret: Secret,
        /// From where.
        from: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// One key for both accounts.
    #[error(
        "both accounts have the same key, so both would be the same account; correct `source.key` or `destination.key`"
    )]
    SameKey,
}

impl KeyError {
    /// Whether this is a refusal for safety (exit code 5) rather than a mistake (exit code 2).
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unavailable { .. })
    }
}

impl Config {
    /// Fetches the keys for reading.
    pub fn read_keys(&self) -> Result<Keys, KeyError> {
        self.keys(false, &|name| std::env::var_os(name))
    }

    /// Fetches the keys for writing; where no `write_key` is configured, the reading key. Only to be called when
    /// writing is about to begin.
    pub fn write_keys(&self) -> Result<Keys, KeyError> {
        self.keys(true, &|name| std::env::var_os(name))
    }

    /// Fetches the address of the application's database, where one is configured. Nothing is connected to.
    pub fn database_address(&self) -> Result<Option<SecretString>, KeyError> {
        let Some(database) = &self.database else {
            return Ok(None);
        };
        let variable = |name: &str| std::env::var_os(name);
        let raw = database.url.raw(Secret::Database, &variable)?;
        let address = raw.trim();
        // Parsers of addresses drop line ends, so that two lines would become one address that nobody gave.
        if address.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(KeyError::Refused {
                secret: Secret::Database,
                from: database.url.to_string(),
                why: "is more than one word; give the address alone, with spaces in it written as %20"
                    .to_owned(),
            });
        }
        Ok(Some(SecretString::from(address)))
    }

    pub(super) fn keys(
        &self,
        writing: bool,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Keys, KeyError> {
        let fetch = |role| {
            let account = self.account(role);
            let source = account
                .write_key
                .as_ref()
                .filter(|_| writing)
                .unwrap_or(&account.key);
            source.fetch(role, self.environment, variable)
        };
        let keys = Keys {
            source: fetch(Role::Source)?,
            destination: fetch(Role::Destination)?,
        };
        if keys.source.expose_secret() == keys.destination.expose_secret() {
            return Err(KeyError::SameKey);
        }
        Ok(keys)
    }
}

impl KeySource {
    fn fetch(
        &self,
        role: Role,
        environment: Environment,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<SecretString, KeyError> {
        let raw = self.raw(Secret::Key(role), variable)?;
        let key = raw.trim();
        match check(key, environment) {
            Ok(()) => Ok(SecretString::from(key)),
            Err(why) => Err(KeyError::Refused {
                secret: Secret::Key(role),
                from: self.to_string(),
                why: why.to_owned(),
            }),
        }
    }

    /// What is there, not yet looked at.
    fn raw(&self, secret: Secret, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Raw, KeyError> {
        let raw = match self {
            Self::Env(name) => from_variable(variable(name)),
            Self::File(path) => from_file(path),
            Self::Command(words) => from_command(words, COMMAND_LIMIT),
        };
        raw.map_err(|problem| problem.about(secret, self))
    }
}

type Raw = Zeroizing<String>;

/// What went wrong with a source, before it is known what was to be fetched.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Unavailable(String),
    Exposed(String),
}

impl Problem {
    fn about(self, secret: Secret, from: &KeySource) -> KeyError {
        let from = from.to_string();
        match self {
            Self::Unavailable(why) => KeyError::Unavailable { secret, from, why },
            Self::Exposed(why) => KeyError::Refused { secret, from, why },
        }
    }
}

fn unavailable<T>(why: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Unavailable(why.into()))
}

fn from_variable(value: Option<OsString>) -> Result<Raw, Problem> {
    match value.map(OsString::into_string) {
        Some(Ok(text)) if !text.trim().is_empty() => Ok(Zeroizing::new(text)),
        Some(Ok(_)) => unavailable("it is empty; set it"),
        Some(Err(_)) => unavailable("it is not text; copy it again"),
        None => unavailable("it is not set; export it in this shell"),
    }
}

fn from_file(path: &Path) -> Result<Raw, Problem> {
    // Opened first and examined through the open file, so that it cannot be exchanged in between.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(Problem::Exposed(
                "is behind a symbolic link; give the path of the file itself".into(),
            ));
        }
        Err(error) => return unavailable(format!("it cannot be opened ({error})")),
    };
    let meta = file
        .metadata()
        .or_else(|error| unavailable(format!("it cannot be read ({error})")))?;
    if !meta.is_file() {
        return unavailable("it is not a file");
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(Problem::Exposed(
            "is in a file of another user; it must be yours".into(),
        ));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(Problem::Exposed(
            "can be read by others; revoke it or change its password, then chmod 600 the file".into(),
        ));
    }
    limited(file)
}

fn limited(from: impl Read) -> Result<Raw, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    if let Err(error) = from.take(MAX_KEY_BYTES + 1).read_to_end(&mut bytes) {
        return unavailable(format!("it cannot be read ({error})"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.trim().is_empty() && bytes.len() as u64 <= MAX_KEY_BYTES => {
            Ok(Zeroizing::new(text.to_owned()))
        }
        _ => unavailable("there is not exactly one such secret in it"),
    }
}

fn from_command(words: &[String], limit: Duration) -> Result<Raw, Problem> {
    let Some((program, arguments)) = words.split_first() else {
        return unavailable("it is empty");
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // A helper for one key is not to see another that happens to be in the environment.
    for (name, value) in std::env::vars_os() {
        if holds_key(&value.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    let child = command
        .spawn()
        .or_else(|error| unavailable(format!("it cannot be started ({error})")))?;
    finish(child, limit)
}

fn finish(mut child: Child, limit: Duration) -> Result<Raw, Problem> {
    let id = child.id();
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || {
        let read = child.stdout.take().map(limited);
        // A receiver that gave up no longer cares.
        let _ = done.send((read, child.wait()));
    });
    match result.recv_timeout(limit) {
        Ok((Some(read), Ok(status))) => ended(status, read),
        Ok(_) => unavailable("its output could not be read"),
        Err(_) => {
            let pid = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                // It may just have ended by itself.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            unavailable(format!(
                "it did not finish within {} s and was ended",
                limit.as_secs()
            ))
        }
    }
}

fn ended(status: ExitStatus, read: Result<Raw, Problem>) -> Result<Raw, Problem> {
    // A program that says too much ends by a signal when nobody listens any more: what it said is the cause.
    let was_cut_off = status.code().is_none() && read.is_err();
    if status.success() || was_cut_off {
        return read;
    }
    unavailable(format!("it failed ({status}); run it by hand to see why"))
}

/// What the beginning of a key tells.
fn check(key: &str, environment: Environment) -> Result<(), &'static str> {
    let wanted = if environment.livemode() { "live" } else { "test" };
    let other = if environment.livemode() { "test" } else { "live" };
    let body = |kind: &str, mode: &str| key.strip_prefix(&format!("{kind}_{mode}_"));
    if let Some(body) = body("rk", wanted).or_else(|| body("sk", wanted)) {
        let whole = !body.is_empty()
            && body
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        return if whole {
            Ok(())
        } else {
            Err("is cut off or not alone; copy it again from the Dashboard")
        };
    }
    if body("rk", other).or_else(|| body("sk", other)).is_some() {
        return Err(if environment.livemode() {
            "is a test key, but `mode` is \"live\"; give a live key or set mode = \"test\""
        } else {
            "is a live key, but `mode` is \"test\"; give a test key or set mode = \"live\""
        });
    }
    Err(if key.starts_with("pk_") {
        "is publishable (pk_…) and cannot read an account; give a restricted key (rk_…)"
    } else if key.starts_with("whsec_") {
        "is a webhook secret (whsec_…), not an API key; give a restricted key (rk_…)"
    } else {
        "does not begin like a key of one account (rk_live_, rk_test_, sk_live_, sk_test_); copy it again"
    })
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
