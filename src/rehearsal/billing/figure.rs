//! What a bill comes to. Integers throughout.
//!
//! * A line is its price's unit amount times the quantity (tiers and divided quantities as the price says), rounded half
//!   up to the minor unit once per line; a part of a period is that, times the seconds, rounded half up.
//! * Discounts come one after the other, those of an item before those of all: a percentage of what is left of the lines
//!   it works on, rounded half up once, or an amount, never more than is left. It is shared out among the lines by what is
//!   left of each, the remainder to the lines with the largest fraction, earlier ones first.
//! * Tax is per line and rate on what is left of the line, rounded half up: exclusive rates on top, inclusive ones out
//!   of it (all inclusive rates of a line share one base).

use crate::rehearsal::catalogue::{Amounts, Decimal, Price};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::pools::{Coupon, Off};
use crate::rehearsal::world::Account;

/// A discount that works on a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Slot of the discount; `None` in a preview of what does not exist yet.
    pub(crate) discount: Option<u32>,
    /// Slot of the coupon.
    pub(crate) coupon: u32,
}

/// A line to be billed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Number of the subscription's item; `None`: billed once.
    pub(crate) item: Option<u8>,
    /// Slot of the price.
    pub(crate) price: u32,
    pub(crate) quantity: u32,
    pub(crate) period: (i64, i64),
    /// Seconds billed of the seconds of a full period.
    pub(crate) part: Option<(i64, i64)>,
    /// In a trial: for nothing.
    pub(crate) free: bool,
    /// Discounts of the item.
    pub(crate) discounts: Vec<Source>,
    /// Slots of tax rates.
    pub(crate) tax_rates: Vec<u32>,
}

/// Tax of a line by one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tax {
    /// Slot of the rate.
    pub(crate) rate: u32,
    pub(crate) inclusive: bool,
    pub(crate) taxable: i64,
    pub(crate) amount: i64,
}

/// A line as billed.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) item: Option<u8>,
    pub(crate) price: u32,
    pub(crate) quantity: u32,
    pub(crate) period: (i64, i64),
    pub(crate) proration: bool,
    /// Before discounts and exclusive tax.
    pub(crate) amount: i64,
    /// What each discount took off.
    pub(crate) discounts: Vec<(Source, i64)>,
    pub(crate) taxes: Vec<Tax>,
}

impl Line {
    /// What is left after discounts.
    pub(crate) fn discounted(&self) -> i64 {
        self.amount - self.discounts.iter().map(|(_, off)| off).sum::<i64>()
    }

    /// What is to be paid for it.
    pub(crate) fn net(&self) -> i64 {
        let exclusive = self.taxes.iter().filter(|tax| !tax.inclusive);
        self.discounted() + exclusive.map(|tax| tax.amount).sum::<i64>()
    }

    /// What is left of it without any tax.
    pub(crate) fn untaxed(&self) -> i64 {
        let inclusive = self.taxes.iter().filter(|tax| tax.inclusive);
        self.discounted() - inclusive.map(|tax| tax.amount).sum::<i64>()
    }
}

/// A bill.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) lines: Vec<Line>,
    /// Before discounts of all of it and exclusive tax.
    pub(crate) subtotal: i64,
    pub(crate) total: i64,
}

/// What lines come to, with the discounts of all of them.
pub(crate) fn figure(account: &Account, cur: Cur, wanted: &[Wanted], whole: &[Source]) -> Figures {
    let mut lines: Vec<Line> = wanted.iter().map(|w| line(account, cur, w)).collect();
    for (n, want) in wanted.iter().enumerate() {
        for source in &want.discounts {
            take_off(account, cur, &mut lines, &[n], *source);
        }
    }
    let all: Vec<usize> = (0..lines.len()).collect();
    for source in whole {
        take_off(account, cur, &mut lines, &all, *source);
    }
    for (line, want) in lines.iter_mut().zip(wanted) {
        line.taxes = taxes(account, line.discounted(), &want.tax_rates);
    }
    Figures {
        subtotal: lines.iter().map(|line| line.amount).sum(),
        total: lines.iter().map(Line::net).sum(),
        lines,
    }
}

fn line(account: &Account, cur: Cur, want: &Wanted) -> Line {
    let price = account.catalogue.prices.at(want.price);
    let full = price.map_or(0, |price| price_of(price, cur, want.quantity));
    let amount = match want.part {
        _ if want.free => 0,
        None => full,
        Some((part, of)) => half_up(i128::from(full) * i128::from(part), i128::from(of)),
    };
    Line {
        item: want.item,
        price: want.price,
        quantity: want.quantity,
        period: want.period,
        proration: want.part.is_some(),
        amount,
        discounts: Vec::new(),
        taxes: Vec::new(),
    }
}

/// What so many of a price cost, minor units; 0 where it has no amount in that currency.
pub(crate) fn price_of(price: &Price, cur: Cur, quantity: u32) -> i64 {
    let amounts = if price.currency == cur {
        Some(&price.base)
    } else {
        price.options.get(&cur)
    };
    let Some(amounts) = amounts else { return 0 };
    let mut quantity = i64::from(quantity);
    if let Some((by, round)) = price.transform {
        let by = by.max(1);
        quantity = quantity / by + i64::from(round == "up" && quantity % by != 0);
    }
    match price.tiers_mode {
        None => amounts.unit.as_ref().map_or(0, |unit| times(unit, quantity)),
        Some(mode) => tiered(amounts, mode, quantity),
    }
}

/// `volume`: all at the rate of the tier the quantity falls in; `graduated`: each at the rate of its own.
fn tiered(amounts: &Amounts, mode: &str, quantity: i64) -> i64 {
    let mut below = 0;
    let mut sum = 0;
    for tier in &amounts.tiers {
        let last = tier.up_to.is_none_or(|up_to| quantity <= up_to);
        let here = if mode == "volume" {
            quantity
        } else {
            tier.up_to.unwrap_or(quantity).min(quantity) - below
        };
        if mode != "volume" || last {
            let flat = tier.flat.as_ref().map_or(0, |flat| times(flat, 1));
            sum += flat + tier.unit.as_ref().map_or(0, |unit| times(unit, here));
        }
        if last {
            return sum;
        }
        below = tier.up_to.unwrap_or(below);
    }
    sum
}

/// So many times a decimal number, rounded half up.
fn times(decimal: &Decimal, quantity: i64) -> i64 {
    let (digits, scale) = parts(decimal);
    half_up(digits * i128::from(quantity), scale)
}

/// A decimal as an integer and what it is divided by.
fn parts(decimal: &Decimal) -> (i128, i128) {
    let (whole, rest) = decimal.as_str().split_once('.').unwrap_or((decimal.as_str(), ""));
    let digits = format!("{whole}{rest}").parse().unwrap_or(0);
    let places = u32::try_from(rest.len()).unwrap_or(0);
    (digits, 10_i128.checked_pow(places).unwrap_or(1))
}

/// Divides and rounds, halves away from zero.
fn half_up(number: i128, by: i128) -> i64 {
    let by = by.max(1);
    let rounded = (number.abs() * 2 + by) / (by * 2);
    let whole = i64::try_from(rounded).unwrap_or(i64::MAX);
    if number < 0 { -whole } else { whole }
}

/// Takes a discount off those of `lines` it works on.
fn take_off(account: &Account, cur: Cur, lines: &mut [Line], among: &[usize], source: Source) {
    let Some(coupon) = account.pools.coupons().at(source.coupon) else {
        return;
    };
    let works = |n: &&usize| lines.get(**n).is_some_and(|l| reaches(account, coupon, l.price));
    let among: Vec<usize> = among.iter().filter(works).copied().collect();
    let left: Vec<i64> = among
        .iter()
        .map(|n| lines.get(*n).map_or(0, |line| line.discounted().max(0)))
        .collect();
    let sum: i64 = left.iter().sum();
    let off = match &coupon.off {
        Off::Percent(percent) => {
            let (digits, scale) = parts(percent);
            half_up(i128::from(sum) * digits, scale * 100)
        }
        Off::Amount(own, amount, _) if *own == cur => *amount,
        Off::Amount(_, _, others) => others.get(&cur).copied().unwrap_or(0),
    };
    for (n, share) in among.iter().zip(shares(off.min(sum), &left)) {
        if let Some(line) = lines.get_mut(*n) {
            line.discounts.push((source, share));
        }
    }
}

fn reaches(account: &Account, coupon: &Coupon, price: u32) -> bool {
    let product = account.catalogue.prices.at(price).map(|p| &p.product);
    coupon.applies_to.is_empty() || product.is_some_and(|p| coupon.applies_to.contains(p))
}

/// Shares out `off` in proportion to `left`, exactly.
fn shares(off: i64, left: &[i64]) -> Vec<i64> {
    let sum: i128 = left.iter().map(|l| i128::from(*l)).sum();
    if sum == 0 {
        return vec![0; left.len()];
    }
    let exact = |l: &i64| i128::from(off) * i128::from(*l);
    let mut given: Vec<i64> = left
        .iter()
        .map(|l| i64::try_from(exact(l) / sum).unwrap_or(0))
        .collect();
    let mut order: Vec<usize> = (0..left.len()).collect();
    order.sort_by_key(|n| std::cmp::Reverse(left.get(*n).map_or(0, |l| exact(l) % sum)));
    let missing = usize::try_from(off - given.iter().sum::<i64>()).unwrap_or(0);
    for n in order.into_iter().take(missing) {
        if let Some(share) = given.get_mut(n) {
            *share += 1;
        }
    }
    given
}

fn taxes(account: &Account, base: i64, rates: &[u32]) -> Vec<Tax> {
    let known = rates.iter().filter_map(|slot| {
        let rate = account.catalogue.tax_rates.at(*slot)?;
        let (digits, scale) = parts(&rate.percentage);
        // Percentages have at most four decimals: millionths of the base.
        Some((*slot, rate.inclusive, digits * 10_000 / scale))
    });
    let known: Vec<(u32, bool, i128)> = known.collect();
    let inclusive: i128 = known.iter().filter(|r| r.1).map(|r| r.2).sum();
    let base_of_all = half_up(i128::from(base) * 1_000_000, 1_000_000 + inclusive);
    let tax = |(rate, is_inclusive, share): (u32, bool, i128)| {
        let divisor = if is_inclusive {
            1_000_000 + inclusive
        } else {
            1_000_000
        };
        Tax {
            rate,
            inclusive: is_inclusive,
            taxable: if is_inclusive { base_of_all } else { base },
            amount: half_up(i128::from(base) * share, divisor),
        }
    };
    known.into_iter().map(tax).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_are_rounded_up_and_decimals_are_exact() {
        assert_eq!(times(&Decimal::of("0.5"), 1), 1);
        assert_eq!(times(&Decimal::of("0.4999"), 1), 0);
        assert_eq!(times(&Decimal::of("1.005"), 1_000), 1_005);
        assert_eq!(half_up(-5, 2), -3);
    }

    proptest! {
        #[test]
        fn a_discount_is_shared_out_to_the_last_cent(left in prop::collection::vec(0_i64..1_000_000, 1..20), off in 0_i64..2_000_000) {
            let sum: i64 = left.iter().sum();
            let off = off.min(sum);
            let given = shares(off, &left);
            prop_assert_eq!(given.iter().sum::<i64>(), off);
            for (share, l) in given.iter().zip(&left) {
                prop_assert!(*share >= 0 && share <= l);
            }
        }
    }
}
