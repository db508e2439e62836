//! Amounts: integers in minor units, never without a currency, never a float.
//!
//! One sign in the whole program outside the wire: **positive is what we owe the customer** (a credit), negative is what
//! the customer owes us (a debit). Stripe's ledger has the opposite sign and its `invoice_credit_balance` has this one
//! (spec: `customer_balance_transaction.amount`, `customer.invoice_credit_balance`); both are turned at the wire.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A Stripe currency code: 3 to 8 lower-case letters, digits or underscores (`usd`, `open_usd`). Copy, no allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 8]);

/// Currencies whose minor unit is the major unit, on Stripe's API (docs: currencies, zero-decimal). UGX and ISK are
/// logically without decimals but are sent with two, so they are not here.
const ZERO_DECIMAL: [&str; 15] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
];
/// Currencies with a thousandth as minor unit (docs: currencies, special cases).
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// What Stripe accepts (docs: currencies; the refusal's own list). Only files of people are held against it: what Stripe
/// itself sends is a currency by definition.
const ACCEPTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd \
    cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg \
    huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur \
    mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd \
    shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw \
    usdc eurc usdt open_usd btn ghs eek lvl svc vef ltl sll mro";

/// What is wrong with a text that should have been a currency or an amount.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a currency code.
    #[error("`{0}` is not a currency code; Stripe's are three lower-case letters such as `usd`")]
    Currency(String),
    /// Not a decimal number.
    #[error("`{0}` is not an amount; write it like 12.40, without separators or signs of currency")]
    Amount(String),
    /// More decimals than the currency has.
    #[error("`{text}` has fractions of the smallest unit: {currency} has {decimals} decimals")]
    Fraction {
        /// What stood there.
        text: String,
        /// Its currency.
        currency: Currency,
        /// How many decimals that currency has.
        decimals: usize,
    },
    /// Beyond what 64 bits hold.
    #[error("the amounts add up to more than the program can hold; nothing real is that large")]
    Overflow,
}

impl Currency {
    /// Before every real one in order.
    pub(crate) const MIN: Self = Self([0; 8]);

    /// Reads a code, of either case.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let fits = (3..=8).contains(&text.len());
        if !fits || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(MoneyError::Currency(text.chars().take(20).collect()));
        }
        let mut code = [0; 8];
        for (to, from) in code.iter_mut().zip(text.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        Ok(Self(code))
    }

    /// The code in lower case, as Stripe writes it.
    #[must_use]
    pub fn code(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or("???")
    }

    /// Whether Stripe is known to accept it: for what people write, where a slip of the pen is likelier than a novelty.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        ACCEPTED.split_whitespace().any(|code| code == self.code())
    }

    /// All that Stripe is known to accept.
    pub fn accepted() -> impl Iterator<Item = Self> {
        ACCEPTED
            .split_whitespace()
            .filter_map(|code| Self::parse(code).ok())
    }

    /// Digits behind the point: 0, 2 or 3.
    #[must_use]
    pub fn decimals(&self) -> usize {
        if ZERO_DECIMAL.contains(&self.code()) {
            0
        } else if THREE_DECIMAL.contains(&self.code()) {
            3
        } else {
            2
        }
    }

    /// Reads `12.40`, `-3`, `+0.5` in this currency's major units.
    pub fn parse_amount(self, text: &str) -> Result<i64, MoneyError> {
        let bad = || MoneyError::Amount(text.chars().take(40).collect());
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(fraction) || digits.ends_with('.') {
            return Err(bad());
        }
        let decimals = self.decimals();
        let significant = fraction.trim_end_matches('0');
        if significant.len() > decimals {
            return Err(MoneyError::Fraction {
                text: trimmed.to_owned(),
                currency: self,
                decimals,
            });
        }
        let padded = format!("{whole}{significant:0<decimals$}");
        let amount: i64 = padded.parse().map_err(|_| bad())?;
        Ok(if negative { -amount } else { amount })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.code().to_uppercase())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An amount with its currency. Positive: we owe it to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units (cents, yen, fils).
    pub amount: i64,
    /// The currency they are units of.
    pub currency: Currency,
}

impl Money {
    /// `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Digits with separators and the currency's decimals, no code: `-1,284,991.00`.
    #[must_use]
    pub fn digits(&self) -> String {
        let decimals = self.currency.decimals();
        let raw = format!("{:0>width$}", self.amount.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = raw.split_at(raw.len() - decimals);
        let sign = if self.amount < 0 { "-" } else { "" };
        let point = if decimals == 0 { "" } else { "." };
        format!("{sign}{}{point}{fraction}", grouped(whole))
    }

    /// `credit 12.40 USD` or `debit 3.00 USD`: the sign in words, for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        let word = if self.amount < 0 { "debit" } else { "credit" };
        let size = Self::new(self.amount.saturating_abs(), self.currency);
        format!("{word} {size}")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.digits(), self.currency))
    }
}

/// A count with thousands separators: `38,757`.
#[must_use]
pub fn count(n: usize) -> String {
    grouped(&n.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Sums per currency. Adding never wraps: an overflow is an error, not a smaller number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sums(pub BTreeMap<Currency, i64>);

impl Sums {
    /// Adds `money`. A currency appears from its first amount on, zero included.
    pub fn add(&mut self, money: Money) -> Result<(), MoneyError> {
        let sum = self.0.entry(money.currency).or_default();
        *sum = sum.checked_add(money.amount).ok_or(MoneyError::Overflow)?;
        Ok(())
    }

    /// The sum in `currency`; `None` when nothing in it was ever added.
    #[must_use]
    pub fn get(&self, currency: Currency) -> Option<i64> {
        self.0.get(&currency).copied()
    }

    /// All sums, by currency code.
    pub fn iter(&self) -> impl Iterator<Item = Money> {
        self.0
            .iter()
            .map(|(currency, amount)| Money::new(*amount, *currency))
    }

    /// `1,204.50 USD, 3,000 JPY`, or `nothing`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let parts: Vec<_> = self.iter().map(|money| money.to_string()).collect();
        if parts.is_empty() {
            "nothing".to_owned()
        } else {
            parts.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cur(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn amounts_show_the_decimals_of_their_currency() {
        let shown = [
            ("usd", 1240),
            ("jpy", 3000),
            ("kwd", 1_234_560),
            ("usd", -5),
            ("ugx", 100),
            ("usd", 0),
        ]
        .map(|(code, amount)| Money::new(amount, cur(code)).to_string());
        assert_eq!(
            shown,
            [
                "12.40 USD",
                "3,000 JPY",
                "1,234.560 KWD",
                "-0.05 USD",
                "1.00 UGX",
                "0.00 USD"
            ]
        );
    }

    #[test]
    fn fractions_of_a_cent_are_refused_with_the_currency_named() {
        let error = cur("usd").parse_amount("12.345").unwrap_err().to_string();
        assert_eq!(
            error,
            "`12.345` has fractions of the smallest unit: USD has 2 decimals"
        );
        assert_eq!(cur("usd").parse_amount("12.340"), Ok(1234));
        assert_eq!(cur("kwd").parse_amount("-12.345"), Ok(-12345));
        assert_eq!(cur("jpy").parse_amount("12"), Ok(12));
        for bad in [
            "", ".", "1.", ".5", "1,000.00", "$3", "1e3", "--1", "1.2.3", "NaN",
        ] {
            assert!(
                matches!(cur("usd").parse_amount(bad), Err(MoneyError::Amount(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_sum_that_would_wrap_is_an_error() {
        let mut sums = Sums::default();
        sums.add(Money::new(i64::MAX, cur("usd"))).unwrap();
        assert_eq!(sums.add(Money::new(1, cur("usd"))), Err(MoneyError::Overflow));
        assert_eq!(sums.get(cur("usd")), Some(i64::MAX));
        assert_eq!(sums.get(cur("eur")), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same_amount(
            amount in -99_999_999_999_i64..99_999_999_999, code in prop::sample::select(vec!["usd", "jpy", "kwd"])
        ) {
            let shown = Money::new(amount, cur(code)).digits().replace(',', "");
            prop_assert_eq!(cur(code).parse_amount(&shown), Ok(amount));
        }
    }
}
