//! How a subscription looks. Nothing is billed here, so there is no latest invoice.

use serde_json::{Value, json};

use super::{customer_view, discounts_view, payment_methods_view, prices_view, sources, tax_rates};
use crate::rehearsal::catalogue::{Item, Status, Subscription};
use crate::rehearsal::expand::Expand;
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::world::{Account, MethodKind};

/// Fields no subscription of a world has a value for.
const UNSET: [&str; 18] = [
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "days_until_due",
    "description",
    "description",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "test_clock",
    "transfer_data",
];

/// The status as the API writes it.
pub(crate) const fn word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Trialing => "trialing",
        Status::PastDue => "past_due",
        Status::Canceled => "canceled",
    }
}

/// The subscription as an answer.
pub(crate) fn show(account: &Account, subscription: &Subscription, expand: &Expand) -> Value {
    let owner = account.customers.at(subscription.customer).map_or("", |c| &*c.id);
    let (start, end) = subscription.period;
    let trial = subscription.status == Status::Trialing;
    let (method, source) = defaults(account, subscription, expand);
    let mut out = json!({
        "id": &*subscription.id,
        "object": "subscription",
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
        "billing_cycle_anchor": if trial { end } else { start },
        "billing_mode": { "flexible": null, "type": "classic" },
        "billing_schedules": [],
        "cancel_at": subscription.ends.then_some(end),
        "cancel_at_period_end": subscription.ends,
        "canceled_at": subscription.ended,
        "cancellation_details": { "comment": null, "feedback": null, "reason": subscription.ended.map(|_| "cancellation_requested") },
        "collection_method": "charge_automatically",
        "created": subscription.created,
        "currency": subscription.currency.as_str(),
        "customer": customer_view::reference(account, owner, expand),
        "default_payment_method": method,
        "default_source": source,
        "default_tax_rates": tax_rate(account, subscription),
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
        "livemode": account.livemode,
        "metadata": subscription.metadata.json(),
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "start_date": subscription.created,
        "status": word(subscription.status),
        "trial_end": trial.then_some(end),
        "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        "trial_start": trial.then_some(start),
    });
    for name in UNSET {
        out[name] = Value::Null;
    }
    out
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

fn tax_rate(account: &Account, subscription: &Subscription) -> Value {
    let rate = subscription
        .tax_rate
        .and_then(|s| account.catalogue.tax_rates.at(s));
    Value::Array(rate.map(|r| tax_rates::show(account, r)).into_iter().collect())
}

fn items(account: &Account, subscription: &Subscription, expand: &Expand) -> Value {
    let data = subscription
        .items
        .iter()
        .enumerate()
        .map(|(n, i)| item(account, subscription, n, *i, expand));
    let url = format!("/v1/subscription_items?subscription={}", subscription.id);
    pages::envelope(&url, data.collect(), false)
}

/// Id of the `n`-th item.
pub(crate) fn item_id(subscription: &Subscription, n: usize) -> String {
    let seed = ids::mix(&[b"si", subscription.id.as_bytes(), &n.to_be_bytes()]);
    format!("si_{}", ids::alnum(seed, 14))
}

/// Discounts of the subscription itself or of one of its items.
fn running(account: &Account, subscription: &Subscription, item: Option<u8>, expand: &Expand) -> Value {
    // Most worlds have none: no look for the slot then.
    if account.pools.discounts().rows().is_empty() {
        return json!([]);
    }
    let slot = account.catalogue.subscriptions.slot(&subscription.id);
    slot.map_or_else(
        || json!([]),
        |slot| discounts_view::running(account, slot, item, expand),
    )
}

fn item(account: &Account, subscription: &Subscription, n: usize, item: Item, expand: &Expand) -> Value {
    let price = account.catalogue.prices.at(item.price);
    let mut out = json!({
        "id": item_id(subscription, n),
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": subscription.created,
        "current_period_end": subscription.period.1,
        "current_period_start": subscription.period.0,
        "discounts": running(account, subscription, u8::try_from(n).ok(), expand),
        "metadata": {},
        "price": price.map(|p| prices_view::show(account, p, &expand.below("price"))),
        "subscription": &*subscription.id,
        "tax_rates": [],
    });
    if item.quantity > 0 {
        out["quantity"] = json!(item.quantity);
    }
    out
}
