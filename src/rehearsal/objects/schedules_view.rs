//! How a subscription schedule looks.

use serde_json::{Value, json};

use super::{coupons_view, customer_view, payment_methods_view, prices_view, subscriptions_view};
use crate::rehearsal::billing::{Collected, Phase, PhaseItem, Schedule, Standing};
use crate::rehearsal::expand::Expand;
use crate::rehearsal::world::Account;

/// The schedule as an answer.
pub(crate) fn show(account: &Account, schedule: &Schedule, expand: &Expand) -> Value {
    let owner = account.customers.at(schedule.customer).map_or("", |c| &*c.id);
    let (canceled, completed, released) = match schedule.standing {
        Standing::Canceled(at) => (Some(at), None, None),
        Standing::Completed(at) => (None, Some(at), None),
        Standing::Released(at) => (None, None, Some(at)),
        Standing::NotStarted | Standing::Active(_) => (None, None, None),
    };
    let managed = schedule.subscription.filter(|_| released.is_none());
    let free = schedule.subscription.filter(|_| released.is_some());
    let mode = if schedule.flexible {
        json!({ "flexible": { "proration_discounts": "included" }, "type": "flexible", "updated_at": schedule.created })
    } else {
        json!({ "flexible": null, "type": "classic" })
    };
    let phases = schedule.phases.iter();
    let phases = phases.map(|p| phase(account, p, &expand.below("phases")));
    json!({
        "id": &*schedule.id,
        "object": "subscription_schedule",
        "application": null,
        "billing_mode": mode,
        "canceled_at": canceled,
        "completed_at": completed,
        "created": schedule.created,
        "current_phase": schedule.phase().map(|p| json!({ "end_date": p.end, "start_date": p.start })),
        "customer": customer_view::reference(account, owner, expand),
        "customer_account": null,
        "default_settings": defaults(account, schedule, expand),
        "end_behavior": schedule.ends,
        "livemode": account.livemode,
        "metadata": schedule.metadata.json(),
        "phases": phases.collect::<Vec<_>>(),
        "released_at": released,
        "released_subscription": subscriptions_view::reference(account, free, "", &Expand::default()),
        "status": schedule.standing.word(),
        "subscription": subscriptions_view::reference(account, managed, "subscription", expand),
        "test_clock": null,
    })
}

fn defaults(account: &Account, schedule: &Schedule, expand: &Expand) -> Value {
    json!({
        "application_fee_percent": null,
        "automatic_tax": {
            "disabled_reason": null,
            "enabled": schedule.automatic_tax,
            "liability": schedule.automatic_tax.then(|| json!({ "type": "self" })),
        },
        "billing_cycle_anchor": "automatic",
        "billing_thresholds": null,
        "collection_method": subscriptions_view::collection_method(schedule.days_due),
        "default_payment_method": method(account, schedule.method, &expand.below("default_settings")),
        "description": schedule.description.as_deref(),
        "invoice_settings": {
            "account_tax_ids": null,
            "custom_fields": null,
            "days_until_due": schedule.days_due,
            "description": null,
            "footer": null,
            "issuer": { "type": "self" },
        },
        "on_behalf_of": null,
        "transfer_data": null,
    })
}

fn method(account: &Account, slot: Option<u32>, expand: &Expand) -> Value {
    match slot.and_then(|slot| account.methods.at(slot)) {
        Some(method) if expand.has("default_payment_method") => {
            payment_methods_view::show(account, method, &expand.below("default_payment_method"))
        }
        Some(method) => json!(&*method.id),
        None => Value::Null,
    }
}

fn phase(account: &Account, phase: &Phase, expand: &Expand) -> Value {
    let items = phase.items.iter();
    let items = items.map(|i| item(account, i, &expand.below("items")));
    let once = phase.once.iter().map(|(price, quantity)| {
        let price = account.catalogue.prices.at(*price).map_or("", |p| &*p.id);
        json!({
            "discountable": null,
            "discounts": [],
            "metadata": {},
            "period": { "end": { "type": "min_item_period_end" }, "start": { "type": "phase_start" } },
            "price": price,
            "quantity": quantity,
            "tax_rates": [],
        })
    });
    let mut out = json!({
        "add_invoice_items": once.collect::<Vec<_>>(),
        "application_fee_percent": null,
        "billing_cycle_anchor": phase.anchored.then_some("phase_start"),
        "billing_thresholds": null,
        "collection_method": phase.collection.map(|c| subscriptions_view::collection_method(c.days_due())),
        "currency": phase.currency.as_str(),
        "default_payment_method": method(account, phase.method, expand),
        "default_tax_rates": subscriptions_view::rates(account, &phase.tax_rates),
        "description": phase.description.as_deref(),
        "discounts": coupons(account, &phase.coupons, expand),
        "end_date": phase.end,
        "invoice_settings": phase.collection.and_then(Collected::days_due).map(|days| json!({
            "account_tax_ids": null,
            "custom_fields": null,
            "days_until_due": days,
            "description": null,
            "footer": null,
            "issuer": null,
        })),
        "items": items.collect::<Vec<_>>(),
        "metadata": phase.metadata.json(),
        "on_behalf_of": null,
        "proration_behavior": phase.proration,
        "start_date": phase.start,
        "transfer_data": null,
        "trial_end": phase.trial_end,
    });
    if phase.automatic_tax {
        out["automatic_tax"] =
            json!({ "disabled_reason": null, "enabled": true, "liability": { "type": "self" } });
    }
    out
}

fn coupons(account: &Account, slots: &[u32], expand: &Expand) -> Value {
    let inner = expand.below("discounts");
    let shown = slots.iter().map(|slot| {
        json!({
            "coupon": coupons_view::reference(account, *slot, &inner),
            "discount": null,
            "promotion_code": null,
        })
    });
    Value::Array(shown.collect())
}

fn item(account: &Account, item: &PhaseItem, expand: &Expand) -> Value {
    let price = account.catalogue.prices.at(item.price);
    let shown = match price {
        Some(price) if expand.has("price") => prices_view::show(account, price, &expand.below("price")),
        Some(price) => json!(&*price.id),
        None => Value::Null,
    };
    let mut out = json!({
        "billing_thresholds": null,
        "discounts": coupons(account, &item.coupons, expand),
        "metadata": item.metadata.json(),
        "price": shown,
        "tax_rates": subscriptions_view::rates(account, &item.tax_rates),
    });
    if item.quantity > 0 {
        out["quantity"] = json!(item.quantity);
    }
    out
}
