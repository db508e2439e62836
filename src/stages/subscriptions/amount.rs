//! What a bill comes to, where arithmetic can say: price × quantity, less discounts, without tax. PURE.
//!
//! Prices have up to twelve digits below the smallest unit of their currency. Everything is reckoned in those digits,
//! exactly, and rounded where Stripe rounds: a line to the smallest unit, half away from zero, and what a percentage
//! takes off a line likewise. Over several lines one percentage can be rounded line by line or once over all of them;
//! where the two differ nothing is said. Stripe's own figure is asked for beside it.

use std::collections::BTreeMap;

use super::facts::Off;
use crate::domain::money::Currency;

/// Digits below the smallest unit.
const DIGITS: usize = 12;
const ONE: i128 = 10_i128.pow(12);

/// What is sold on a line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// `unit_amount_decimal` by currency; `None`: arithmetic cannot say (tiers, transformed or metered quantities).
    pub unit: Option<&'a BTreeMap<Currency, String>>,
    /// How many; `None` is one.
    pub quantity: Option<u64>,
    /// What is taken off this line alone, in order.
    pub off: &'a [&'a Off],
}

/// A bill of `lines`, with `off` taken off all of it in order; minor units. `None`: arithmetic cannot say.
#[must_use]
pub fn bill(lines: &[Line<'_>], off: &[&Off], currency: Currency) -> Option<i64> {
    let mut amounts = Vec::with_capacity(lines.len());
    for line in lines {
        let amount = line_amount(line, currency)?;
        amounts.push(less(amount, line.off, currency)?);
    }
    let sum = |amounts: &[i64]| amounts.iter().try_fold(0_i64, |sum, n| sum.checked_add(*n));
    let at_once = less(sum(&amounts)?, off, currency)?;
    let all_percent = off.iter().all(|off| matches!(off, Off::Percent(_)));
    if amounts.len() > 1 && all_percent {
        let each: Option<Vec<i64>> = amounts.iter().map(|n| less(*n, off, currency)).collect();
        return (sum(&each?)? == at_once).then_some(at_once);
    }
    // A fixed amount before a percentage is spread over the lines first, in a way that is not written down.
    let spread = amounts.len() > 1 && off.iter().any(|off| matches!(off, Off::Percent(_)));
    (!spread).then_some(at_once)
}

fn line_amount(line: &Line<'_>, currency: Currency) -> Option<i64> {
    let unit = decimal(line.unit?.get(&currency)?)?;
    let exact = unit.checked_mul(i128::from(line.quantity.unwrap_or(1)))?;
    rounded(exact, ONE)
}

/// `amount` less each of `off`, never below zero.
fn less(amount: i64, off: &[&Off], currency: Currency) -> Option<i64> {
    off.iter().try_fold(amount, |left, off| match off {
        Off::Percent(percent) => {
            let percent = decimal(percent).filter(|percent| (0..=100 * ONE).contains(percent))?;
            let taken = rounded(i128::from(left).checked_mul(percent)?, 100 * ONE)?;
            Some(left - taken)
        }
        Off::Amount(amounts) => {
            let taken = *amounts.get(&currency)?;
            (taken >= 0).then(|| left.saturating_sub(taken).max(0))
        }
        Off::Unknown => None,
    })
}

/// `n / by`, half away from zero. `n` is not negative: nothing sold is.
fn rounded(n: i128, by: i128) -> Option<i64> {
    if n < 0 {
        return None;
    }
    let half_up = n.checked_add(by / 2)? / by;
    i64::try_from(half_up).ok()
}

/// A decimal of Stripe's, times 10^12. `None` for anything else, and for more digits than Stripe has.
#[must_use]
pub fn decimal(text: &str) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || !numeric(part) || whole.len() > 15 {
        return None;
    }
    let part = part.trim_end_matches('0');
    if part.len() > DIGITS {
        return None;
    }
    format!("{whole}{part:0<DIGITS$}").parse().ok()
}

#[cfg(test)]
#[path = "amount_tests.rs"]
mod tests;
