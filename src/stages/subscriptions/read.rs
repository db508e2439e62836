//! From Stripe's objects to the stage's facts. PURE. What this program does not understand is said, never passed over:
//! a subscription that cannot be read is [`Trouble`], a phase that says more than can be carried over says so itself.

mod twin;

use std::collections::BTreeMap;

use thiserror::Error;

use super::facts::{
    Collection, Coupon, Discount, Interval, Item, Off, Old, Price, Read, Rhythm, Status, TaxRate,
};
use crate::domain::money::Currency;
use crate::domain::text::{Safe, safe};
use crate::stripe::wire::{
    self, AutomaticTax, CollectionMethod, CouponDuration, Expandable, Issued, Party, Subscription,
    SubscriptionItem, SubscriptionStatus,
};
pub use twin::{old_id, old_id_of, phases_of};

/// Why an object of the old account is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// Stripe always sends it, and did not.
    #[error("it came without its {0}")]
    Lacks(&'static str),
    /// A word this program does not know.
    #[error("its {0} is `{1}`, which this program does not know")]
    Unknown(&'static str, Safe),
    /// It bills periods ahead, so that the end of the period says nothing of what was paid.
    #[error("it is billed ahead of its periods")]
    BilledAhead,
    /// It has no items.
    #[error("it has no items")]
    Empty,
}

/// What coupons of the old account take off, by id, with when each was created (seconds). A subscription never shows all
/// of a coupon (facts 3.4), so a discount's own coupon does not say it.
pub type Coupons = BTreeMap<String, (i64, Off)>;

impl Old {
    /// Of an answer, whether discounts were expanded or not; what they take off stays [`Off::Unknown`].
    pub fn of(subscription: &Subscription, read: Read) -> Result<Self, Trouble> {
        Self::with(subscription, &Coupons::new(), read)
    }

    /// The same, with what the list of coupons says.
    pub fn with(subscription: &Subscription, coupons: &Coupons, read: Read) -> Result<Self, Trouble> {
        let currency = currency(subscription.currency.as_deref())?;
        if !subscription.billing_schedules.is_empty() {
            return Err(Trouble::BilledAhead);
        }
        let items: Vec<Item> = subscription
            .items
            .data
            .iter()
            .map(|one| item(one, coupons))
            .collect::<Result<_, _>>()?;
        if items.is_empty() && !subscription.items.has_more {
            return Err(Trouble::Empty);
        }
        Ok(Self {
            id: subscription.id.clone(),
            customer: subscription.customer.clone(),
            status: status(&subscription.status),
            currency,
            started: subscription.start_date.unwrap_or(subscription.created),
            anchor: subscription
                .billing_cycle_anchor
                .ok_or(Trouble::Lacks("billing cycle anchor"))?,
            trial_end: subscription.trial_end,
            cancel_at: subscription.cancel_at,
            ends_with_period: subscription.cancel_at_period_end,
            ended_at: subscription.ended_at,
            collection: collection(subscription)?,
            items,
            items_cut: subscription.items.has_more,
            discounts: discounts(&subscription.discounts, coupons),
            tax_rates: ids(&subscription.default_tax_rates),
            automatic_tax: subscription.automatic_tax.as_ref().is_some_and(|tax| tax.enabled),
            method: own_method(subscription),
            schedule: subscription.schedule.clone(),
            pause: subscription
                .pause_collection
                .as_ref()
                .map(|pause| pause.behavior.clone()),
            flexible: subscription
                .billing_mode
                .as_ref()
                .is_some_and(|mode| mode.kind != "classic"),
            thresholds: subscription.billing_thresholds.is_some(),
            connect: is_connect(subscription),
            pending_update: subscription.pending_update.is_some(),
            pending_items: subscription.pending_invoice_item_interval.is_some(),
            description: subscription.description.clone(),
            metadata: subscription.metadata.clone(),
            read,
        })
    }
}

/// An item, on the subscription's page or on a page of its own.
pub fn item(item: &SubscriptionItem, coupons: &Coupons) -> Result<Item, Trouble> {
    let period = item
        .current_period_start
        .zip(item.current_period_end)
        .ok_or(Trouble::Lacks("current period"))?;
    if item.billed_until.is_some_and(|until| until > period.1) {
        return Err(Trouble::BilledAhead);
    }
    if let Some(recurring) = &item.price.recurring {
        rhythm(recurring)?;
    }
    Ok(Item {
        id: item.id.clone(),
        price: price(&item.price)?,
        quantity: item.quantity,
        period,
        discounts: discounts(&item.discounts, coupons),
        tax_rates: ids(&item.tax_rates),
        thresholds: item.billing_thresholds.is_some(),
        metadata: item.metadata.clone(),
    })
}

/// A price of an item or of a list. One that bills in an unknown rhythm is not recurring to this program.
pub fn price(price: &wire::Price) -> Result<Price, Trouble> {
    let own = currency(Some(&price.currency))?;
    let mut unit = BTreeMap::new();
    let is_plain = price.billing_scheme == "per_unit" && price.custom_unit_amount.is_none();
    if is_plain {
        let amount = amount(price.unit_amount_decimal.as_ref(), price.unit_amount);
        unit.extend(amount.map(|amount| (own, amount)));
        for (code, option) in price.currency_options.iter().flatten() {
            let amount = amount_of(option);
            if let (Ok(currency), Some(amount)) = (Currency::parse(code), amount) {
                unit.entry(currency).or_insert(amount);
            }
        }
    }
    let recurring = price.recurring.as_ref();
    Ok(Price {
        id: price.id.clone(),
        product: price.product.clone(),
        rhythm: recurring.and_then(|recurring| rhythm(recurring).ok()),
        active: price.active,
        metered: recurring.is_some_and(|r| r.usage_type != "licensed" || r.meter.is_some()),
        unit,
        currency: own,
        by_steps: price.billing_scheme != "per_unit" || price.transform_quantity.is_some(),
        tax_behavior: price
            .tax_behavior
            .clone()
            .unwrap_or_else(|| "unspecified".to_owned()),
    })
}

fn amount_of(option: &wire::CurrencyOption) -> Option<String> {
    let is_fixed = option.custom_unit_amount.is_none();
    amount(option.unit_amount_decimal.as_ref(), option.unit_amount).filter(|_| is_fixed)
}

fn amount(decimal: Option<&wire::Decimal>, whole: Option<i64>) -> Option<String> {
    decimal
        .map(|decimal| decimal.as_str().to_owned())
        .or_else(|| whole.map(|whole| whole.to_string()))
}

fn rhythm(recurring: &wire::Recurring) -> Result<Rhythm, Trouble> {
    let unknown = || Trouble::Unknown("billing interval", safe(&recurring.interval));
    let interval = match recurring.interval.as_str() {
        "day" => Interval::Day,
        "week" => Interval::Week,
        "month" => Interval::Month,
        "year" => Interval::Year,
        _ => return Err(unknown()),
    };
    let every = u32::try_from(recurring.interval_count).ok().filter(|n| *n > 0);
    Ok(Rhythm {
        interval,
        every: every.ok_or_else(unknown)?,
    })
}

/// A tax rate of a list.
#[must_use]
pub fn tax_rate(rate: &wire::TaxRate) -> TaxRate {
    TaxRate {
        active: rate.active,
        inclusive: rate.inclusive,
    }
}

/// A coupon of a list, `applies_to` and `currency_options` expanded. A duration this program does not know counts as
/// `once`: it is never taken for one that goes on.
#[must_use]
pub fn coupon(coupon: &wire::Coupon) -> Coupon {
    Coupon {
        valid: coupon.valid,
        off: off(coupon),
        once: matches!(coupon.duration, CouponDuration::Once | CouponDuration::Other(_)),
        // One that repeats and does not say how often is too short for anything.
        months: (coupon.duration == CouponDuration::Repeating).then(|| {
            let months = coupon.duration_in_months.unwrap_or_default();
            u32::try_from(months).unwrap_or_default()
        }),
    }
}

/// What a coupon of a list takes off.
#[must_use]
pub fn off(coupon: &wire::Coupon) -> Off {
    if coupon.applies_to.is_some() {
        return Off::Unknown;
    }
    match (&coupon.percent_off, coupon.amount_off, coupon.currency.as_deref()) {
        (Some(percent), None, _) => Off::Percent(percent.as_str().to_owned()),
        (None, Some(own), Some(code)) => {
            let options = coupon.currency_options.iter().flatten();
            let all = options.map(|(code, option)| (code.as_str(), option.amount_off));
            let all = all.chain([(code, own)]);
            Off::Amount(
                all.filter_map(|(code, off)| Some((Currency::parse(code).ok()?, off)))
                    .collect(),
            )
        }
        _ => Off::Unknown,
    }
}

/// A discount as its subscription, item or customer shows it. Of one that is only an id nothing but the id is known.
#[must_use]
pub fn discount(discount: &Expandable<wire::Discount>, coupons: &Coupons, on_customer: bool) -> Discount {
    let Expandable::Object(whole) = discount else {
        return Discount {
            id: discount.id(|discount| &discount.id).to_owned(),
            coupon: String::new(),
            end: None,
            off: Off::Unknown,
            on_customer,
        };
    };
    Discount {
        id: whole.id.clone(),
        coupon: whole.coupon_id().unwrap_or_default().to_owned(),
        end: whole.end,
        off: terms(whole, coupons),
        on_customer,
    }
}

/// Of the listed coupon, if it is the same one still: one that was deleted and made again under its id has another date.
fn terms(discount: &wire::Discount, coupons: &Coupons) -> Off {
    let listed = coupons.get(discount.coupon_id().unwrap_or_default());
    let same = |created: i64| match discount.coupon() {
        Some(shown) => shown.created == created,
        None => created <= discount.start,
    };
    match listed {
        Some((created, off)) if same(*created) => off.clone(),
        _ => Off::Unknown,
    }
}

fn discounts(discounts: &[Expandable<wire::Discount>], coupons: &Coupons) -> Vec<Discount> {
    let all = discounts.iter();
    all.map(|one| discount(one, coupons, false)).collect()
}

fn status(status: &SubscriptionStatus) -> Status {
    match status {
        SubscriptionStatus::Active => Status::Active,
        SubscriptionStatus::Trialing => Status::Trialing,
        SubscriptionStatus::PastDue => Status::PastDue,
        SubscriptionStatus::Unpaid => Status::Unpaid,
        SubscriptionStatus::Paused => Status::Paused,
        SubscriptionStatus::Incomplete => Status::Incomplete,
        SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired => Status::Ended,
        SubscriptionStatus::Other(_) => Status::Other,
    }
}

fn collection(subscription: &Subscription) -> Result<Collection, Trouble> {
    match &subscription.collection_method {
        Some(CollectionMethod::ChargeAutomatically) => Ok(Collection::Automatic),
        Some(CollectionMethod::SendInvoice) => days(subscription.days_until_due)
            .map(Collection::Invoice)
            .ok_or(Trouble::Lacks("days until an invoice is due")),
        Some(CollectionMethod::Other(word)) => Err(Trouble::Unknown("collection method", safe(word))),
        None => Err(Trouble::Lacks("collection method")),
    }
}

fn days(days: Option<i64>) -> Option<u32> {
    u32::try_from(days?).ok()
}

/// The order in which Stripe looks for what to charge (facts 3.2).
fn own_method(subscription: &Subscription) -> Option<String> {
    let method = subscription.default_payment_method.as_ref();
    method.or(subscription.default_source.as_ref()).cloned()
}

fn is_connect(subscription: &Subscription) -> bool {
    subscription.application_fee_percent.is_some()
        || subscription.on_behalf_of.is_some()
        || subscription.transfer_data.is_some()
        || for_another(subscription.automatic_tax.as_ref().and_then(liable))
        || for_another(subscription.invoice_settings.as_ref().and_then(issuer))
}

fn liable(tax: &AutomaticTax) -> Option<&Party> {
    tax.liability.as_ref()
}

fn issuer(settings: &Issued) -> Option<&Party> {
    settings.issuer.as_ref()
}

/// Whether that is a connected account.
fn for_another(party: Option<&Party>) -> bool {
    party.is_some_and(|party| party.kind != "self")
}

fn ids(rates: &[wire::TaxRateId]) -> Vec<String> {
    rates.iter().map(|rate| rate.id.clone()).collect()
}

fn currency(code: Option<&str>) -> Result<Currency, Trouble> {
    let code = code.ok_or(Trouble::Lacks("currency"))?;
    Currency::parse(code).map_err(|_| Trouble::Unknown("currency", safe(code)))
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
