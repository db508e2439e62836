//! Text as an SQL literal.

use crate::domain::text::is_hostile;

use super::Kind;

/// A value, or `NULL`.
pub(super) fn quoted(kind: Kind, text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| literal(kind, text))
}

/// Text between quotes, these doubled. What a terminal might obey, a reader not see, or a server read by its settings
/// (a backslash, and the `$` of a quoted body) is written as the digits of its bytes instead.
pub(super) fn literal(kind: Kind, text: &str) -> String {
    if !text.chars().any(|c| is_hostile(c) || matches!(c, '\\' | '$')) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let hex = data_encoding::HEXLOWER.encode(text.as_bytes());
    match kind {
        Kind::Postgres => format!("convert_from(decode('{hex}', 'hex'), 'UTF8')"),
        Kind::MySql => format!("_utf8mb4 X'{hex}'"),
        Kind::Sqlite => format!("CAST(X'{hex}' AS TEXT)"),
    }
}
