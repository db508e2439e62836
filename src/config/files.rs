//! Reading the operator's files: whole, regular, of a bounded size.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use super::error::ConfigError;

/// A configuration, or a list that belongs to it, is not larger than this.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// The largest file of the operator's there is: the size Stripe's own toolkit takes.
const MAX_FILE_BYTES: u64 = 120 << 20;

pub(super) const NO_SUCH_FILE: &str = "there is no such file; check the path";

/// The content of a file of the operator's (expected balances, decisions, a plan), at most 120 MiB.
pub fn read_operator_file(path: &Path) -> Result<Vec<u8>, ConfigError> {
    read_bytes(path, MAX_FILE_BYTES)
}

/// The content of a small text file, without a byte order mark.
pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = read_bytes(path, MAX_TEXT_BYTES)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let valid = &bytes[..error.utf8_error().valid_up_to()];
        let line = 1 + String::from_utf8_lossy(valid).matches('\n').count();
        unreadable(path, format!("line {line} is not UTF-8; save the file as UTF-8"))
    })
}

fn unreadable(path: &Path, why: String) -> ConfigError {
    ConfigError::Unreadable {
        path: path.to_owned(),
        why,
    }
}

fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, ConfigError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable(path, NO_SUCH_FILE.to_owned()),
        _ => unreadable(path, format!("cannot be read ({error}); check its permissions")),
    };
    // Without NONBLOCK a pipe given by mistake would hang the program before it can say so.
    let flags = (OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed();
    let file = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(unreadable(
            path,
            "is not a regular file; give the file itself".to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let why = format!(
            "is larger than {} MiB, which is more than it can be; check the path",
            most >> 20
        );
        return Err(unreadable(path, why));
    }
    Ok(bytes)
}
