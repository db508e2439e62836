//! What a single cell says: times, numbers, amounts, words, ids; and what was done to it when it says none.
//!
//! **Damage by a spreadsheet** is what opening and saving a file does to values that look like numbers or dates:
//! scientific notation (`1.7E+09`, digits are lost), a day counted from 1900 (`45123.5`), thousands separators, a `.0` at
//! the end, a decimal comma, an apostrophe in front. Each is named, and where nothing was lost the right value is offered.

use super::Rule;
use crate::domain::money::{Currency, MoneyError};

/// What else there is to say of a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Nothing,
    Words(&'static str),
    /// It should probably be this number.
    Number(&'static str, i64),
    /// A line of the file.
    Line(u64),
    /// Two counts: found and wanted.
    Counts(u64, u64),
    /// An amount at stake, in minor units.
    Stake(i64, Currency),
    /// A length of time, seconds.
    Seconds(&'static str, i64),
    /// The column where it belongs.
    Column(u16),
}

/// A cell that does not say what it should.
pub(super) type Odd = (Rule, Note);

/// Without what looks like nothing around it: spaces, also unbreakable ones.
pub(super) fn trimmed(cell: &[u8]) -> &[u8] {
    let mut rest = cell.trim_ascii();
    while let Some(inner) = rest
        .strip_prefix(b"\xc2\xa0")
        .or_else(|| rest.strip_suffix(b"\xc2\xa0"))
    {
        rest = inner.trim_ascii();
    }
    rest
}

/// A number of at most eighteen digits and nothing else.
fn digits(cell: &[u8]) -> Option<i64> {
    if cell.is_empty() || cell.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// Days since 1900 that are a date somebody migrates: 1954 to 2119.
const SERIAL_DAYS: std::ops::Range<i64> = 20_000..80_000;

/// What a spreadsheet made of a number.
fn damage(cell: &[u8]) -> Option<Odd> {
    let of = |note| Some((Rule::SpreadsheetDamage, note));
    if cell.first() == Some(&b'\'') {
        return of(Note::Words("an apostrophe stands before it"));
    }
    if is_scientific(cell) {
        return of(Note::Words("scientific notation; digits are lost"));
    }
    let point = cell.iter().position(|b| matches!(b, b'.' | b','));
    if let Some(at) = point {
        let (whole, rest) = (cell.get(..at)?, cell.get(at + 1..)?);
        if let Some(joined) = without_separators(cell) {
            return of(Note::Number("thousands separators; probably", joined));
        }
        let (whole, fraction) = (digits(whole)?, digits(rest)?);
        if fraction == 0 {
            return of(Note::Number("decimals; probably", whole));
        }
        if SERIAL_DAYS.contains(&whole) {
            return of(Note::Words("a day counted from 1900"));
        }
        return of(Note::Words("decimals"));
    }
    without_separators(cell).and_then(|joined| of(Note::Number("thousands separators; probably", joined)))
}

fn is_scientific(cell: &[u8]) -> bool {
    let Some(at) = cell.iter().position(|b| matches!(b, b'e' | b'E')) else {
        return false;
    };
    let (mantissa, exponent) = (&cell[..at], &cell[at + 1..]);
    let exponent = exponent
        .strip_prefix(b"+")
        .or_else(|| exponent.strip_prefix(b"-"))
        .unwrap_or(exponent);
    let numeric = |part: &[u8]| {
        part.iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
    };
    !mantissa.is_empty()
        && numeric(mantissa)
        && !exponent.is_empty()
        && exponent.iter().all(u8::is_ascii_digit)
}

/// `1,704,067,200` and its like with points, spaces or apostrophes: at least two groups of three behind the first.
fn without_separators(cell: &[u8]) -> Option<i64> {
    let separator = *cell.iter().find(|b| !b.is_ascii_digit())?;
    if !matches!(separator, b',' | b'.' | b' ' | b'\'') {
        return None;
    }
    let groups: Vec<&[u8]> = cell.split(|b| *b == separator).collect();
    let (first, rest) = groups.split_first()?;
    let fits = (1..=3).contains(&first.len()) && rest.len() >= 2 && rest.iter().all(|group| group.len() == 3);
    if fits { digits(&groups.concat()) } else { None }
}

/// A cell with spaces around what is good inside is told so; otherwise `inside` is what is wrong.
fn spaced<T>(cell: &[u8], read: impl Fn(&[u8]) -> Result<T, Odd>) -> Result<T, Odd> {
    let inside = trimmed(cell);
    if inside.len() == cell.len() {
        return read(cell);
    }
    read(inside)?;
    Err((Rule::SurroundingSpace, Note::Nothing))
}

/// Epoch seconds.
pub(super) fn time(cell: &[u8]) -> Result<i64, Odd> {
    match (cell.len(), digits(cell)) {
        (9 | 10, Some(seconds)) => Ok(seconds),
        _ => spaced(cell, odd_time),
    }
}

fn odd_time(cell: &[u8]) -> Result<i64, Odd> {
    let of = |text: &'static str, value: i64| Err((Rule::TimeInMilliseconds, Note::Number(text, value)));
    match (cell.len(), digits(cell)) {
        (9 | 10, Some(seconds)) => Ok(seconds),
        (12 | 13, Some(n)) => of("milliseconds; in seconds", n / 1_000),
        (15 | 16, Some(n)) => of("microseconds; in seconds", n / 1_000_000),
        (18, Some(n)) => of("nanoseconds; in seconds", n / 1_000_000_000),
        (5, Some(n)) if SERIAL_DAYS.contains(&n) => {
            Err((Rule::SpreadsheetDamage, Note::Words("a day counted from 1900")))
        }
        (_, Some(_)) => Err((Rule::NotATime, Note::Words("too few or too many digits"))),
        (19, None) if cell.iter().all(u8::is_ascii_digit) => {
            let seconds = cell.get(..10).and_then(digits).unwrap_or_default();
            of("nanoseconds; in seconds", seconds)
        }
        _ => Err(damage(cell).unwrap_or_else(|| date(cell))),
    }
}

/// A date in words, or nothing of the kind.
fn date(cell: &[u8]) -> Odd {
    let has_digit = cell.iter().any(u8::is_ascii_digit);
    let parts = cell
        .iter()
        .filter(|b| matches!(b, b'-' | b'/' | b':' | b'.'))
        .count();
    let letters = cell.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let month = letters >= 3 && cell.contains(&b' ');
    if !has_digit || cell.len() > 40 || cell.contains(&b'_') || (parts < 2 && !month) {
        return (Rule::NotATime, Note::Nothing);
    }
    let text = std::str::from_utf8(cell).unwrap_or_default();
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(instant) => (Rule::TimeAsDate, Note::Number("in seconds", instant.timestamp())),
        Err(_) => (Rule::TimeAsDate, Note::Nothing),
    }
}

/// A whole number, 0 or more.
pub(super) fn count(cell: &[u8]) -> Result<u64, Odd> {
    let read = |cell: &[u8]| match digits(cell) {
        Some(n) => Ok(n.unsigned_abs()),
        None => Err(damage(cell).unwrap_or((Rule::NotAWholeNumber, Note::Nothing))),
    };
    spaced(cell, read)
}

/// An amount above zero, in minor units of `currency`.
pub(super) fn amount(cell: &[u8], currency: Currency) -> Result<i64, Odd> {
    spaced(cell, |cell| match plain_amount(cell, currency) {
        Ok(0) => Err((Rule::AmountNotPositive, Note::Nothing)),
        other => other,
    })
}

fn plain_amount(cell: &[u8], currency: Currency) -> Result<i64, Odd> {
    let text = std::str::from_utf8(cell).unwrap_or_default();
    let positive = text.strip_prefix('-').unwrap_or(text);
    if text.starts_with('+') {
        return Err((Rule::AmountFormat, Note::Nothing));
    }
    let minor = currency.parse_amount(positive).map_err(|error| match error {
        MoneyError::Fraction { .. } => (Rule::AmountDecimals, Note::Nothing),
        _ => odd_amount(cell),
    })?;
    if positive.len() != text.len() {
        return Err((Rule::AmountNotPositive, Note::Nothing));
    }
    // Sent with two decimals that have to be 00 (docs: currencies, special cases).
    if matches!(currency.code(), "isk" | "ugx") && minor % 100 != 0 {
        return Err((Rule::AmountDecimals, Note::Nothing));
    }
    Ok(minor)
}

fn odd_amount(cell: &[u8]) -> Odd {
    let damaged = |note| (Rule::SpreadsheetDamage, note);
    if is_scientific(cell) {
        return damaged(Note::Words("scientific notation; digits are lost"));
    }
    if cell.first() == Some(&b'\'') {
        return damaged(Note::Words("an apostrophe stands before it"));
    }
    let numeric = !cell.is_empty()
        && cell
            .iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    if numeric && cell.contains(&b',') {
        let commas = memchr::memchr_iter(b',', cell).count();
        let behind = cell.rsplit(|b| *b == b',').next().map_or(0, <[u8]>::len);
        let decimal = commas == 1 && behind != 3 && !cell.contains(&b'.');
        return damaged(Note::Words(if decimal {
            "a decimal comma"
        } else {
            "thousands separators"
        }));
    }
    (Rule::AmountFormat, Note::Nothing)
}

/// `true` or `false`.
pub(super) fn boolean(cell: &[u8]) -> Result<bool, Odd> {
    match cell {
        b"false" | b"FALSE" => Ok(false),
        b"true" | b"TRUE" => Ok(true),
        _ => spaced(cell, |cell| match cell {
            b"false" | b"FALSE" => Ok(false),
            b"true" | b"TRUE" => Ok(true),
            _ => Err((Rule::NotABoolean, Note::Nothing)),
        }),
    }
}

/// One of these words; its place among them.
pub(super) fn choice(cell: &[u8], words: &[&'static str]) -> Result<usize, Odd> {
    let place = |cell: &[u8]| words.iter().position(|word| word.as_bytes() == cell);
    match place(cell) {
        Some(at) => Ok(at),
        None => spaced(cell, |cell| {
            let same = |word: &&&'static str| word.as_bytes().eq_ignore_ascii_case(cell);
            place(cell).ok_or_else(|| {
                let note = words
                    .iter()
                    .find(same)
                    .map_or(Note::Nothing, |word| Note::Words(word));
                (Rule::NotAChoice, note)
            })
        }),
    }
}

/// The kinds of id there are columns for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Customer,
    Price,
    Product,
    Coupon,
    TaxRate,
    Subscription,
}

/// What an id says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Kind(Kind),
    /// Of an object that no column takes.
    Other,
}

/// What ids of Stripe begin with, as far as a person could put one into the wrong column. A prefix is a hint: old plans,
/// products and coupons may be called anything.
const PREFIXES: [(&[u8], Named); 18] = [
    (b"cus_", Named::Kind(Kind::Customer)),
    (b"price_", Named::Kind(Kind::Price)),
    (b"plan_", Named::Kind(Kind::Price)),
    (b"prod_", Named::Kind(Kind::Product)),
    (b"txr_", Named::Kind(Kind::TaxRate)),
    (b"sub_", Named::Kind(Kind::Subscription)),
    (b"promo_", Named::Other),
    (b"pm_", Named::Other),
    (b"card_", Named::Other),
    (b"src_", Named::Other),
    (b"si_", Named::Other),
    (b"in_", Named::Other),
    (b"di_", Named::Other),
    (b"acct_", Named::Other),
    (b"ch_", Named::Other),
    (b"pi_", Named::Other),
    (b"ii_", Named::Other),
    (b"txi_", Named::Other),
];

/// What an id says it is, if it looks like one.
pub(super) fn kind(cell: &[u8]) -> Option<Named> {
    let at = cell.iter().take(6).position(|b| *b == b'_')?;
    let found = PREFIXES
        .iter()
        .find(|(prefix, _)| prefix.len() == at + 1 && cell.starts_with(prefix));
    let looks = cell.len() > at + 1
        && cell
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-');
    found.filter(|_| looks).map(|(_, kind)| *kind)
}

/// The longest id there is (facts: ids).
const LONGEST_ID: usize = 255;

/// An id of that kind. `Ok(false)`: it may be one, but begins otherwise than most.
pub(super) fn id(cell: &[u8], want: Kind) -> Result<bool, Odd> {
    let usual = match want {
        Kind::Customer => cell.starts_with(b"cus_"),
        Kind::Price => cell.starts_with(b"price_"),
        Kind::TaxRate => cell.starts_with(b"txr_"),
        Kind::Product => cell.starts_with(b"prod_"),
        Kind::Subscription => cell.starts_with(b"sub_"),
        Kind::Coupon => false,
    };
    if usual && cell.len() <= 64 && cell.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return Ok(true);
    }
    spaced(cell, |cell| odd_id(cell, want))
}

fn odd_id(cell: &[u8], want: Kind) -> Result<bool, Odd> {
    let wrong = |words| Err((Rule::WrongId, Note::Words(words)));
    if cell.len() > LONGEST_ID {
        return wrong("longer than 255 characters");
    }
    if cell.iter().any(u8::is_ascii_control) {
        return wrong("it has a line break or control character");
    }
    // Whoever names coupons may begin them with anything; ids of Stripe's making are longer than names.
    if matches!(want, Kind::Coupon) && cell.len() < 18 {
        return Ok(true);
    }
    match kind(cell) {
        Some(Named::Kind(is)) if is == want => return Ok(true),
        Some(Named::Kind(Kind::Customer)) => return wrong("it is a customer's"),
        Some(Named::Kind(Kind::Price)) => return wrong("it is a price's"),
        Some(Named::Kind(Kind::Product)) => return wrong("it is a product's"),
        Some(Named::Kind(Kind::TaxRate)) => return wrong("it is a tax rate's"),
        Some(Named::Kind(Kind::Subscription)) => return wrong("it is a subscription's"),
        Some(_) if cell.starts_with(b"promo_") => {
            return wrong("it is a promotion code's; the column takes its coupon");
        }
        Some(_) => return wrong("it is another object's"),
        None => {}
    }
    if matches!(want, Kind::Coupon) {
        return Ok(true);
    }
    if cell.contains(&b'@') {
        return wrong("it is an e-mail address");
    }
    if cell.contains(&b' ') || cell.contains(&b',') || cell.contains(&b'%') {
        return wrong("ids have no spaces, commas or signs");
    }
    let number = cell
        .iter()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    if number && matches!(want, Kind::Customer | Kind::TaxRate) {
        return wrong("it is a number");
    }
    Ok(matches!(want, Kind::Product))
}

/// Several ids in one cell.
pub(super) fn several(cell: &[u8]) -> bool {
    let mut parts = cell.split(|b| matches!(b, b',' | b';' | b'|'));
    parts.next().is_some_and(|first| !first.is_empty())
        && parts.next().is_some_and(|next| !trimmed(next).is_empty())
}
