//! What is given by mistake instead of a CSV file, told by its first bytes.

use super::LintError;

const KINDS: [(&[u8], &str); 9] = [
    (
        b"\x1f\x8b",
        "is compressed with gzip; unpack it and give the CSV file inside",
    ),
    (
        b"PK\x03\x04",
        "is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV UTF-8",
    ),
    (b"PK\x05\x06", "is an empty zip archive; give the CSV file"),
    (
        b"\xd0\xcf\x11\xe0",
        "is an old Excel workbook; save the sheet as CSV UTF-8",
    ),
    (b"\xff\xfe", "is in UTF-16; save it as CSV UTF-8"),
    (b"\xfe\xff", "is in UTF-16; save it as CSV UTF-8"),
    (
        b"\x28\xb5\x2f\xfd",
        "is compressed with zstd; unpack it and give the CSV file inside",
    ),
    (
        b"BZh",
        "is compressed with bzip2; unpack it and give the CSV file inside",
    ),
    (b"%PDF", "is a PDF; give the CSV file"),
];

/// Refuses what is no text of this kind.
pub(super) fn refuse(first: &[u8]) -> Result<(), LintError> {
    let known = KINDS.iter().find(|(magic, _)| first.starts_with(magic));
    if let Some((_, why)) = known {
        return Err(LintError::Refused((*why).to_owned()));
    }
    // UTF-16 without its mark: every other byte of plain letters is zero.
    let head = first.get(..8).unwrap_or_default();
    let zeros = |from: usize| !head.is_empty() && head.iter().skip(from).step_by(2).all(|b| *b == 0);
    if zeros(0) || zeros(1) {
        return Err(LintError::Refused(
            "is in UTF-16 or no text; save it as CSV UTF-8".to_owned(),
        ));
    }
    let text = first.trim_ascii_start();
    if text.starts_with(b"{") || text.starts_with(b"[") {
        return Err(LintError::Refused(
            "is JSON; give the CSV file for the toolkit".to_owned(),
        ));
    }
    if text.starts_with(b"<") {
        return Err(LintError::Refused(
            "is HTML or XML; give the CSV file for the toolkit".to_owned(),
        ));
    }
    Ok(())
}
