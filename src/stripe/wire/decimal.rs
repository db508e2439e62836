use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Digits of a decimal, at most: Stripe sends twelve decimal places.
const MAX_DIGITS: usize = 60;

/// A decimal number as its digits, never as a float: `8.25`, `0.000000000001`. In one spelling per number (no exponent,
/// no zeros that say nothing), so that equal text is an equal number. Stripe sends `unit_amount_decimal` as a string and
/// `tax_rate.percentage` as a JSON number; both are read from their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Reads digits with an optional sign, point and exponent; `None` for anything else, or for too many digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (number, exponent) = match rest.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, part) = match number.split_once('.') {
            Some((whole, part)) if !part.is_empty() => (whole, part),
            Some(_) => return None,
            None => (number, ""),
        };
        let digits = format!("{whole}{part}");
        let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits || digits.len() > MAX_DIGITS {
            return None;
        }
        let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
        Some(Self(spell(negative, &digits, point)?))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `digits` with the decimal point behind the first `point` of them.
fn spell(negative: bool, digits: &str, point: i64) -> Option<String> {
    let most = i64::try_from(MAX_DIGITS).ok()?;
    if !(-most..=most).contains(&point) {
        return None;
    }
    let before = usize::try_from((-point).max(0)).ok()?;
    let mut padded = format!("{}{digits}", "0".repeat(before));
    let at = usize::try_from(point.max(0)).ok()?;
    while padded.len() < at {
        padded.push('0');
    }
    let (whole, part) = padded.split_at(at);
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    let mut out = String::new();
    if negative && !(whole.is_empty() && part.is_empty()) {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !part.is_empty() {
        out.push('.');
        out.push_str(part);
    }
    Some(out)
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        let text = raw.get();
        let inner = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text);
        Self::parse(inner).ok_or_else(|| serde::de::Error::custom("expected a decimal number"))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_has_one_spelling() {
        for (text, want) in [
            ("8.25", "8.25"),
            ("8.250", "8.25"),
            ("10.0", "10"),
            ("0.000000000001", "0.000000000001"),
            ("1e-05", "0.00001"),
            ("1.5E3", "1500"),
            ("007", "7"),
            ("-0.0", "0"),
            ("-1.50", "-1.5"),
            ("9007199254740993.1", "9007199254740993.1"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().as_str(), want, "{text}");
        }
        for text in ["", ".", "1.", ".5", "1,5", "NaN", "1e", "1e999999", "--1", "1 "] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_json_number_and_a_string_are_read_alike() {
        let read = |text: &str| serde_json::from_str::<Decimal>(text).unwrap();
        assert_eq!(read("8.2500"), read("\"8.25\""));
        assert_eq!(read("9007199254740993.1").as_str(), "9007199254740993.1");
        assert!(serde_json::from_str::<Decimal>("[1]").is_err());
        assert!(serde_json::from_str::<Decimal>("true").is_err());
    }

    proptest! {
        #[test]
        fn a_spelling_reads_as_itself(whole in 0_u64.., part in "[0-9]{0,12}") {
            let text = if part.is_empty() { whole.to_string() } else { format!("{whole}.{part}") };
            let read = Decimal::parse(&text).unwrap();
            prop_assert_eq!(Decimal::parse(read.as_str()), Some(read.clone()));
            prop_assert!(!read.as_str().ends_with('.') && (!read.as_str().contains('.') || !read.as_str().ends_with('0')));
        }
    }
}
