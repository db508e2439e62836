//! How a subscription looks.

use serde_json::{Value, json};

use super::{
    customer_view, discounts_view, invoices_view, payment_methods_view, prices_view, schedules_view, sources,
    tax_rates,
};
use crate::rehearsal::billing::{Item, Subscription};
use crate::rehearsal::expand::Expand;
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::world::{Account, MethodKind};

/// Fields that are null unless a subscription has a value for them among its rare ones.
const UNSET: [&str; 13] = [
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "description",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "test_clock",
    "transfer_data",
];

/// The subscription as an answer.
pub(crate) fn show(account: &Account, subscription: &Subscription, expand: &Expand) -> Value {
    let owner = account.customers.at(subscription.customer).map_or("", |c| &*c.id);
    let (method, source) = defaults(account, subscription, expand);
    let (trial_start, trial_end) = subscription.trial.unzip();
    let mut out = json!({
        "id": &*subscription.id,
        "object": "subscription",
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
        "billing_cycle_anchor": subscription.anchor,
        "billing_mode": { "flexible": null, "type": "classic" },
        "billing_schedules": [],
        "cancel_at": subscription.ends_at(),
        "cancel_at_period_end": subscription.ends,
        "canceled_at": subscription.canceled_at,
        "cancellation_details": { "comment": null, "feedback": null, "reason": subscription.canceled_at.map(|_| "cancellation_requested") },
        "collection_method": collection_method(subscription.days_due),
        "created": subscription.created,
        "currency": subscription.currency.as_str(),
        "customer": customer_view::reference(account, owner, expand),
        "days_until_due": subscription.days_due,
        "default_payment_method": method,
        "default_source": source,
        "default_tax_rates": rates(account, &subscription.tax_rates),
        "discounts": running(account, subscription, None, expand),
        "ended_at": subscription.ended,
        "invoice_settings": {
            "account_tax_ids": null,
            "custom_fields": null,
            "description": null,
            "footer": null,
            "issuer": { "type": "self" },
        },
        "items": items(account, subscription, &expand.below("items").below("data")),
        "latest_invoice": latest(account, subscription, expand),
        "livemode": account.livemode,
        "metadata": subscription.metadata.json(),
        "pause_collection": subscription.pause.map(|pause| json!({
            "behavior": pause.behavior,
            "resumes_at": pause.resumes_at,
        })),
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "schedule": schedule(account, subscription, expand),
        "start_date": subscription.started,
        "status": subscription.status.word(),
        "trial_end": trial_end,
        "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        "trial_start": trial_start,
    });
    for name in UNSET {
        out[name] = Value::Null;
    }
    for (name, value) in subscription.rest.iter().flat_map(|rest| rest.iter()) {
        out[name.as_str()] = value.clone();
    }
    out
}

/// `collection_method` by whether invoices are sent.
pub(crate) const fn collection_method(days_due: Option<u32>) -> &'static str {
    match days_due {
        Some(_) => "send_invoice",
        None => "charge_automatically",
    }
}

fn latest(account: &Account, subscription: &Subscription, expand: &Expand) -> Value {
    let invoice = subscription
        .latest
        .and_then(|slot| account.billing.invoices.at(slot));
    match invoice {
        Some(invoice) if expand.has("latest_invoice") => {
            invoices_view::show(account, invoice, &expand.below("latest_invoice"))
        }
        Some(invoice) => json!(&*invoice.id),
        None => Value::Null,
    }
}

fn schedule(account: &Account, subscription: &Subscription, expand: &Expand) -> Value {
    let schedule = subscription
        .schedule
        .and_then(|slot| account.billing.schedules.at(slot));
    match schedule {
        Some(schedule) if expand.has("schedule") => {
            schedules_view::show(account, schedule, &expand.below("schedule"))
        }
        Some(schedule) => json!(&*schedule.id),
        None => Value::Null,
    }
}

/// The subscription of a slot: its id, or the whole where `field` is expanded.
pub(crate) fn reference(account: &Account, slot: Option<u32>, field: &str, expand: &Expand) -> Value {
    let subscription = slot.and_then(|slot| account.billing.subscriptions.at(slot));
    match subscription {
        Some(subscription) if expand.has(field) => show(account, subscription, &expand.below(field)),
        Some(subscription) => json!(&*subscription.id),
        None => Value::Null,
    }
}

/// `default_payment_method` and `default_source`: one of them, by the kind of card.
fn defaults(account: &Account, subscription: &Subscription, expand: &Expand) -> (Value, Value) {
    let method = subscription.method.and_then(|slot| account.methods.at(slot));
    let Some(method) = method else {
        return (Value::Null, Value::Null);
    };
    match method.kind {
        MethodKind::LegacyCard if expand.has("default_source") => {
            let inner = expand.below("default_source");
            (Value::Null, sources::show(account, method, &inner))
        }
        MethodKind::LegacyCard => (Value::Null, json!(&*method.id)),
        _ if expand.has("default_payment_method") => {
            let inner = expand.below("default_payment_method");
            (payment_methods_view::show(account, method, &inner), Value::Null)
        }
        _ => (json!(&*method.id), Value::Null),
    }
}

/// Tax rates by their slots.
pub(crate) fn rates(account: &Account, slots: &[u32]) -> Value {
    let rates = slots
        .iter()
        .filter_map(|slot| account.catalogue.tax_rates.at(*slot));
    Value::Array(rates.map(|rate| tax_rates::show(account, rate)).collect())
}

fn items(account: &Account, subscription: &Subscription, expand: &Expand) -> Value {
    let data = subscription
        .items
        .iter()
        .enumerate()
        .map(|(n, i)| item(account, subscription, n, i, expand));
    let url = format!("/v1/subscription_items?subscription={}", subscription.id);
    pages::envelope(&url, data.collect(), false)
}

/// Id of the `n`-th item.
pub(crate) fn item_id(subscription: &Subscription, n: usize) -> String {
    item_id_of(&subscription.id, n)
}

/// The same of a subscription's id.
pub(crate) fn item_id_of(subscription: &str, n: usize) -> String {
    let seed = ids::mix(&[b"si", subscription.as_bytes(), &n.to_be_bytes()]);
    format!("si_{}", ids::alnum(seed, 14))
}

/// Discounts of the subscription itself or of one of its items.
fn running(account: &Account, subscription: &Subscription, item: Option<u8>, expand: &Expand) -> Value {
    // Most worlds have none: no look for the slot then.
    if account.pools.discounts().rows().is_empty() {
        return json!([]);
    }
    let slot = account.billing.subscriptions.slot(&subscription.id);
    slot.map_or_else(
        || json!([]),
        |slot| discounts_view::running(account, slot, item, expand),
    )
}

/// An item as an answer.
pub(crate) fn item(
    account: &Account,
    subscription: &Subscription,
    n: usize,
    item: &Item,
    expand: &Expand,
) -> Value {
    let price = account.catalogue.prices.at(item.price);
    let mut out = json!({
        "id": item_id(subscription, n),
        "object": "subscription_item",
        "billing_thresholds": item.threshold.map(|usage| json!({ "usage_gte": usage })),
        "created": subscription.created,
        "current_period_end": subscription.period.1,
        "current_period_start": subscription.period.0,
        "discounts": running(account, subscription, u8::try_from(n).ok(), expand),
        "metadata": item.metadata.json(),
        "price": price.map(|p| prices_view::show(account, p, &expand.below("price"))),
        "subscription": &*subscription.id,
        "tax_rates": rates(account, &item.tax_rates),
    });
    if item.quantity > 0 {
        out["quantity"] = json!(item.quantity);
    }
    out
}
