//! From Stripe's objects to the stage's facts. PURE.

use super::facts::{Bills, Code, Counter, Coupon, Duration, Interval, Read};
use super::fields;
use crate::domain::fields::own_keys;
use crate::domain::money::{Currency, Money};
use crate::domain::text::safe;
use crate::domain::write::marker;
use crate::stripe::wire::{self, CouponDuration, PromotionCode, Subscription, SubscriptionStatus};

/// A coupon of a list.
#[must_use]
pub fn coupon(coupon: &wire::Coupon, read: Read) -> Coupon {
    Coupon {
        id: coupon.id.clone(),
        label: safe(coupon.name.as_deref().unwrap_or_default()),
        counter: Counter {
            limit: coupon.max_redemptions,
            used: coupon.times_redeemed,
        },
        redeem_by: coupon.redeem_by,
        valid: coupon.valid,
        terms: fields::of_coupon(coupon),
        products: fields::products(coupon),
        words: words(coupon),
        trouble: trouble_of_coupon(coupon).map(|why| ("unreadable".to_owned(), why)),
        effect: coupon.metadata.get(marker::EFFECT).cloned(),
        own_keys: own_keys(&coupon.metadata),
        read,
    }
}

fn trouble_of_coupon(coupon: &wire::Coupon) -> Option<String> {
    let months = coupon.duration_in_months;
    match (&coupon.duration, months) {
        (CouponDuration::Other(word), _) => {
            return Some(format!(
                "its duration `{}` is unknown to this program",
                safe(word)
            ));
        }
        (CouponDuration::Repeating, None | Some(..=0)) => {
            return Some("it repeats and does not say for how many months".to_owned());
        }
        _ => {}
    }
    match (&coupon.percent_off, coupon.amount_off, &coupon.currency) {
        (Some(_), None, _) | (None, Some(_), Some(_)) => {}
        (Some(_), Some(_), _) => return Some("it takes off a percentage and an amount".to_owned()),
        (None, Some(_), None) => return Some("it takes off an amount of no currency".to_owned()),
        (None, None, _) => return Some("it does not say what it takes off".to_owned()),
    }
    let nothing = coupon
        .applies_to
        .as_ref()
        .is_some_and(|to| to.products.is_empty());
    nothing.then(|| "it is limited to products and names none".to_owned())
}

/// `25 % once`, `10.00 USD for 3 months`.
fn words(coupon: &wire::Coupon) -> String {
    let off = match (&coupon.percent_off, coupon.amount_off) {
        (Some(percent), _) => format!("{} %", percent.as_str()),
        (None, Some(amount)) => amount_in_words(amount, coupon.currency.as_deref().unwrap_or_default()),
        (None, None) => "?".to_owned(),
    };
    let long = match (&coupon.duration, coupon.duration_in_months) {
        (CouponDuration::Repeating, Some(1)) => "for 1 month".to_owned(),
        (CouponDuration::Repeating, Some(months)) => format!("for {months} months"),
        (word, _) => safe(word.as_str()).to_string(),
    };
    format!("{off} {long}")
}

fn amount_in_words(amount: i64, currency: &str) -> String {
    Currency::parse(currency).map_or_else(
        |_| format!("{amount} {}", safe(currency)),
        |currency| Money::new(amount, currency).to_string(),
    )
}

/// A promotion code of a list.
#[must_use]
pub fn code(code: &PromotionCode, read: Read) -> Code {
    Code {
        id: code.id.clone(),
        text: code.code.clone(),
        coupon: code.promotion.coupon.clone().unwrap_or_default(),
        customer: code.customer_id().map(str::to_owned),
        active: code.active,
        counter: Counter {
            limit: code.max_redemptions,
            used: code.times_redeemed,
        },
        expires_at: code.expires_at,
        terms: fields::of_code(code),
        first_time: code.restrictions.first_time_transaction,
        trouble: trouble_of_code(code).map(|why| ("unreadable".to_owned(), why)),
        effect: code.metadata.get(marker::EFFECT).cloned(),
        of: code.metadata.get(marker::OF).cloned(),
        own_keys: own_keys(&code.metadata),
        read,
    }
}

fn trouble_of_code(code: &PromotionCode) -> Option<String> {
    let restrictions = &code.restrictions;
    if code.promotion.kind != "coupon" || code.promotion.coupon.is_none() {
        let kind = safe(&code.promotion.kind);
        return Some(format!(
            "it leads to a promotion of the kind `{kind}`, not to a coupon"
        ));
    }
    if code.customer.is_none() && code.customer_account.is_some() {
        return Some("it is for an account, not for a customer".to_owned());
    }
    let bare = restrictions.minimum_amount.is_some() && restrictions.minimum_amount_currency.is_none();
    bare.then(|| "its minimum amount is of no currency".to_owned())
}

/// Length of a coupon; `None` for a word this program does not know.
#[must_use]
pub const fn duration(coupon: &wire::Coupon) -> Option<Duration> {
    match coupon.duration {
        CouponDuration::Once => Some(Duration::Once),
        CouponDuration::Repeating => Some(Duration::Repeating),
        CouponDuration::Forever => Some(Duration::Forever),
        CouponDuration::Other(_) => None,
    }
}

/// The bills of a subscription; `None` where its items bill at different times, or nothing says when.
#[must_use]
pub fn bills(subscription: &Subscription) -> Option<Bills> {
    // Paused ones bill nothing and incomplete ones perhaps never will: no date can be relied on.
    let is_billing = matches!(
        subscription.status,
        SubscriptionStatus::Active
            | SubscriptionStatus::Trialing
            | SubscriptionStatus::PastDue
            | SubscriptionStatus::Unpaid
    );
    let items = &subscription.items;
    let mut shown = items.data.iter().map(|item| {
        let recurring = item.price.recurring.as_ref()?;
        let every = u32::try_from(recurring.interval_count).ok().filter(|n| *n > 0)?;
        let period = (item.current_period_start?, item.current_period_end?);
        Some((interval(&recurring.interval)?, every, period))
    });
    let first = shown.next()??;
    if !is_billing || items.has_more || shown.any(|other| other != Some(first)) {
        return None;
    }
    let (interval, every, (period_start, period_end)) = first;
    let trial = subscription
        .trial_end
        .filter(|_| subscription.status == SubscriptionStatus::Trialing);
    let next = trial.unwrap_or(period_end);
    let at_period_end = subscription.cancel_at_period_end.then_some(period_end);
    Some(Bills {
        anchor: subscription.billing_cycle_anchor?,
        period_start,
        next,
        ends: subscription.cancel_at.or(at_period_end),
        interval,
        every,
    })
}

fn interval(word: &str) -> Option<Interval> {
    match word {
        "day" => Some(Interval::Day),
        "week" => Some(Interval::Week),
        "month" => Some(Interval::Month),
        "year" => Some(Interval::Year),
        _ => None,
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
