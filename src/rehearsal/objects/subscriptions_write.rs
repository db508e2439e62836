//! `/v1/subscriptions/{id}`: update, cancel, resume.

use serde_json::{Value, json};

use super::customers::changed;
use super::phases::{Reader, proration};
use super::phases_params::{AUTOMATIC_TAX, COLLECTION, DISCOUNTS, PRORATION};
use super::subscriptions_view::{item_id, show};
use crate::rehearsal::billing::{
    self, InvoiceStatus, Pause, Status, Subscription, Turn, next_after, rhythm_of, wanted,
};
use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::pools::On;

const NAME: &str = "subscription";
const PAUSES: [&str; 3] = ["keep_as_draft", "mark_uncollectible", "void"];
const FEEDBACK: Ty = Ty::Enum(&[
    "",
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
]);
const DETAILS: &[P] = &[
    opt("comment", Ty::Text(5000)),
    opt("feedback", FEEDBACK),
    opt("feedback_option", Ty::Unsimulated),
];
const PAUSE: &[P] = &[req("behavior", Ty::Enum(&PAUSES)), opt("resumes_at", Ty::Int)];
const ITEM: &[P] = &[
    opt("billing_thresholds", Ty::Unsimulated),
    opt("clear_usage", Ty::Unsimulated),
    opt("deleted", Ty::Unsimulated),
    opt("discounts", Ty::Unsimulated),
    opt("id", Ty::Id),
    opt("metadata", Ty::Metadata),
    opt("price", Ty::Id),
    opt("price_data", Ty::Unsimulated),
    opt("quantity", Ty::Int),
    opt("tax_rates", Ty::Unsimulated),
];

/// What updating takes.
pub(crate) const UPDATE: &[P] = &[
    opt("add_invoice_items", Ty::Unsimulated),
    opt("application_fee_percent", Ty::Unsimulated),
    opt("automatic_tax", Ty::Hash(AUTOMATIC_TAX)),
    opt("billing_cycle_anchor", Ty::Enum(&["now", "unchanged"])),
    opt("billing_schedules", Ty::Unsimulated),
    opt("billing_thresholds", Ty::Unsimulated),
    opt("cancel_at", Ty::Text(20)),
    opt("cancel_at_period_end", Ty::Bool),
    opt("cancellation_details", Ty::Hash(DETAILS)),
    opt("collection_method", COLLECTION),
    opt("days_until_due", Ty::Int),
    opt("default_payment_method", Ty::Id),
    opt("default_source", Ty::Unsimulated),
    opt("default_tax_rates", Ty::TextsOrNone),
    opt("description", Ty::Text(500)),
    opt("discounts", Ty::Hashes(DISCOUNTS)),
    opt("invoice_settings", Ty::Unsimulated),
    opt("items", Ty::Hashes(ITEM)),
    opt("metadata", Ty::Metadata),
    opt("off_session", Ty::Bool),
    opt("on_behalf_of", Ty::Unsimulated),
    opt("pause_collection", Ty::Hash(PAUSE)),
    opt(
        "payment_behavior",
        Ty::Enum(&[
            "allow_incomplete",
            "default_incomplete",
            "error_if_incomplete",
            "pending_if_incomplete",
        ]),
    ),
    opt("payment_settings", Ty::Unsimulated),
    opt("pending_invoice_item_interval", Ty::Unsimulated),
    opt("proration_behavior", PRORATION),
    opt("proration_date", Ty::Unsimulated),
    opt("transfer_data", Ty::Unsimulated),
    opt("trial_end", Ty::Unsimulated),
    opt("trial_from_plan", Ty::Unsimulated),
    opt("trial_settings", Ty::Unsimulated),
];
/// What canceling takes.
pub(crate) const CANCEL: &[P] = &[
    opt("cancellation_details", Ty::Hash(DETAILS)),
    opt("invoice_now", Ty::Bool),
    opt("prorate", Ty::Bool),
];
/// What resuming takes.
pub(crate) const RESUME: &[P] = &[
    opt("billing_cycle_anchor", Ty::Enum(&["now", "unchanged"])),
    opt("proration_behavior", PRORATION),
    opt("proration_date", Ty::Unsimulated),
];

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.billing.subscriptions.slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "id", true))
}

fn found(call: &Call<'_>, slot: u32) -> Result<Subscription, Refusal> {
    let found = call.account.billing.subscriptions.at(slot).cloned();
    found.ok_or_else(|| Refusal::server(500))
}

fn shown(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let found = call.account.billing.subscriptions.at(slot);
    found.map_or(Value::Null, |s| show(call.account, s, expand))
}

/// `POST /v1/subscriptions/{subscription_exposed_id}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Subscription)?;
    let slot = slot(call)?;
    let mut changing = found(call, slot)?;
    may_change(call, &changing)?;
    let before = shown(call, slot, &Expand::default());
    let reader = Reader {
        subscription: Some(slot),
        ..Reader::of(call, changing.customer)
    };
    let coupons = coupons(&reader, call.params, &changing)?;
    apply(call, &reader, &mut changing)?;
    let now = call.now;
    call.mark(&changing.metadata);
    if let Some(stored) = call.account.billing.subscriptions.at_mut(slot) {
        *stored = changing;
    }
    if let Some(coupons) = coupons {
        billing::attach(call.account, slot, On::Subscription(slot), &coupons, now);
    }
    call.account.billing.plan(Turn::Subscription, slot);
    touch(call, slot);
    let after = shown(call, slot, &Expand::default());
    call.event(
        "customer.subscription.updated",
        after.clone(),
        Some(changed(&before, &after)),
    );
    Ok(shown(call, slot, &expand))
}

fn touch(call: &mut Call<'_>, slot: u32) {
    let customer = call.account.billing.subscriptions.at(slot).map(|s| s.customer);
    let id = customer
        .and_then(|slot| call.account.customers.at(slot))
        .map(|c| c.id.clone());
    call.touch(&id.unwrap_or_default());
}

/// A subscription that is over takes little; one that a schedule manages is not canceled behind its back.
fn may_change(call: &Call<'_>, subscription: &Subscription) -> Result<(), Refusal> {
    let names = call.params.names();
    if subscription.status.is_over() {
        let allowed = ["cancellation_details", "metadata", "expand"];
        if names.iter().any(|name| !allowed.contains(name)) {
            let message = "A canceled subscription can only update its cancellation_details and metadata.";
            let mut refused = Refusal::rejected(None, message.to_owned());
            refused.code = Some("invalid_canceled_subscription_fields");
            return Err(refused);
        }
    }
    let schedule = subscription
        .schedule
        .and_then(|slot| call.account.billing.schedules.at(slot));
    if let Some(schedule) = schedule
        && names.iter().any(|name| name.starts_with("cancel_at"))
    {
        let message = format!(
            "The subscription is managed by the subscription schedule `{}`, and updating any cancelation behavior \
             directly is not allowed. Please update the schedule instead.",
            schedule.id
        );
        return Err(Refusal::rejected(None, message));
    }
    if names.contains(&"cancel_at") && names.contains(&"cancel_at_period_end") {
        let message =
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.".to_owned();
        return Err(Refusal::invalid("cancel_at", message));
    }
    if call.params.text("billing_cycle_anchor") == Some("now") {
        return Err(Refusal::unsimulated("billing_cycle_anchor"));
    }
    Ok(())
}

/// The coupons it will have; `None`: as they are. An update that does not send them unsets them where the next bill lies
/// ahead, nothing is prorated and a schedule made it so.
fn coupons(
    reader: &Reader<'_>,
    params: Params<'_>,
    subscription: &Subscription,
) -> Result<Option<Vec<u32>>, Refusal> {
    if params.node("discounts").is_some() {
        return reader.coupons(params, "", Some(subscription.currency)).map(Some);
    }
    let schedule = subscription
        .schedule
        .and_then(|slot| reader.account.billing.schedules.at(slot));
    let unprorated = schedule
        .and_then(|s| s.phase())
        .is_some_and(|p| p.proration == "none");
    Ok((unprorated && subscription.anchor > reader.now).then(Vec::new))
}

fn apply(call: &Call<'_>, reader: &Reader<'_>, changing: &mut Subscription) -> Result<(), Refusal> {
    let params = call.params;
    changing.metadata.merge(params.node("metadata"));
    ending(params, changing, call.now)?;
    pausing(params, changing);
    items(call, changing)?;
    if params.node("default_payment_method").is_some() {
        changing.method = reader.method(params, "")?;
    }
    if let Some(collection) = reader.collection(params, "")? {
        changing.days_due = collection.days_due();
    }
    if params.node("default_tax_rates").is_some() {
        changing.tax_rates = reader
            .tax_rates(params, "default_tax_rates", "")?
            .into_boxed_slice();
    }
    if let Some(text) = params.text("description") {
        changing.set_rest("description", nullable(Some(text)));
    }
    if let Some(enabled) = params.hash("automatic_tax").and_then(|tax| tax.flag("enabled")) {
        let shown = json!({ "disabled_reason": null, "enabled": true, "liability": { "type": "self" } });
        changing.set_rest("automatic_tax", if enabled { shown } else { Value::Null });
    }
    details(params, changing);
    Ok(())
}

fn ending(params: Params<'_>, changing: &mut Subscription, now: i64) -> Result<(), Refusal> {
    match params.flag("cancel_at_period_end") {
        Some(true) if !changing.ends => {
            changing.ends = true;
            changing.cancel_at = None;
            changing.canceled_at = Some(now);
        }
        Some(false) => {
            changing.ends = false;
            changing.cancel_at = None;
            changing.canceled_at = None;
        }
        _ => {}
    }
    match params.text("cancel_at") {
        None => {}
        Some("") => {
            changing.cancel_at = None;
            changing.canceled_at = None;
        }
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            let at = text.parse().unwrap_or(i64::MAX);
            if at <= now {
                let message = "`cancel_at` must be a time in the future.".to_owned();
                return Err(Refusal::rejected(Some("cancel_at"), message));
            }
            changing.cancel_at = Some(at);
            changing.ends = false;
            changing.canceled_at = Some(now);
        }
        Some(_) => return Err(Refusal::unsimulated("cancel_at")),
    }
    Ok(())
}

fn pausing(params: Params<'_>, changing: &mut Subscription) {
    if params.text("pause_collection") == Some("") {
        changing.pause = None;
        return;
    }
    let Some(given) = params.hash("pause_collection") else {
        return;
    };
    let word = given.text("behavior").unwrap_or_default();
    changing.pause = PAUSES.into_iter().find(|w| *w == word).map(|behavior| Pause {
        behavior,
        resumes_at: given.int("resumes_at"),
    });
}

/// What is sold changes from the next bill on; prorations are not simulated.
fn items(call: &Call<'_>, changing: &mut Subscription) -> Result<(), Refusal> {
    let params = call.params;
    if params.node("items").is_none() {
        return Ok(());
    }
    if proration(params) != "none" {
        return Err(Refusal::unsimulated("proration_behavior"));
    }
    for (n, given) in params.hashes("items").enumerate() {
        let id = given.text("id").unwrap_or_default();
        let place = (0..changing.items.len()).find(|place| item_id(changing, *place) == id);
        let Some(place) = place else {
            let name = format!("items[{n}][id]");
            return Err(match given.text("id") {
                Some(id) => Refusal::missing("subscription item", id, &name, false),
                None => Refusal::unsimulated(&name),
            });
        };
        let price = given.text("price").map(|id| {
            let slot = call.account.catalogue.prices.slot(id);
            slot.ok_or_else(|| Refusal::missing("price", id, &format!("items[{n}][price]"), false))
        });
        let price = price.transpose()?;
        if let (Some(new), Some(first)) = (price, changing.items.first())
            && rhythm_of(call.account, new) != rhythm_of(call.account, first.price)
        {
            return Err(Refusal::unsimulated(&format!("items[{n}][price]")));
        }
        if let Some(item) = changing.items.get_mut(place) {
            item.price = price.unwrap_or(item.price);
            let quantity = given.int("quantity").and_then(|q| u32::try_from(q).ok());
            item.quantity = quantity.unwrap_or(item.quantity);
            item.metadata.merge(given.node("metadata"));
        }
    }
    Ok(())
}

fn details(params: Params<'_>, changing: &mut Subscription) {
    let Some(given) = params.hash("cancellation_details") else {
        return;
    };
    let mut shown = changing.rest("cancellation_details").cloned().unwrap_or_else(|| {
        let reason = changing.canceled_at.map(|_| "cancellation_requested");
        json!({ "comment": null, "feedback": null, "reason": reason })
    });
    for name in ["comment", "feedback"] {
        if let Some(text) = given.text(name) {
            shown[name] = nullable(Some(text));
        }
    }
    changing.set_rest("cancellation_details", shown);
}

/// `DELETE /v1/subscriptions/{subscription_exposed_id}`: no last invoice and nothing prorated unless it is told to.
pub(crate) fn cancel(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Subscription)?;
    let slot = slot(call)?;
    if found(call, slot)?.status.is_over() {
        return Err(Refusal::missing(NAME, call.arg(0), "id", true));
    }
    let settle = (
        call.params.flag("invoice_now") == Some(true),
        call.params.flag("prorate") == Some(true),
    );
    let (now, params) = (call.now, call.params);
    if let Some(subscription) = call.account.billing.subscriptions.at_mut(slot) {
        details(params, subscription);
    }
    billing::end_with(call.account, slot, now, settle);
    touch(call, slot);
    Ok(shown(call, slot, &expand))
}

/// `POST /v1/subscriptions/{subscription}/resume`: of a paused one, with a new period and its invoice at once.
pub(crate) fn resume(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Subscription)?;
    let slot = slot(call)?;
    let subscription = found(call, slot)?;
    if subscription.status != Status::Paused {
        let message = "You can only resume a subscription that is paused.".to_owned();
        return Err(Refusal::rejected(None, message));
    }
    if call.params.text("billing_cycle_anchor") == Some("unchanged") {
        return Err(Refusal::unsimulated("billing_cycle_anchor"));
    }
    let now = call.now;
    let rhythm = subscription
        .items
        .first()
        .and_then(|item| rhythm_of(call.account, item.price));
    let Some(rhythm) = rhythm else {
        return Err(Refusal::server(500));
    };
    let before = shown(call, slot, &Expand::default());
    let period = (now, next_after(now, rhythm, now));
    if let Some(stored) = call.account.billing.subscriptions.at_mut(slot) {
        stored.status = Status::Active;
        stored.anchor = now;
        stored.period = period;
    }
    call.account.billing.plan(Turn::Subscription, slot);
    let lines = wanted(call.account, slot, &subscription, period, now);
    let made = billing::bill(call.account, slot, "subscription_update", &lines, now);
    if let Some(made) = made {
        billing::finalize(call.account, made, now);
        let paid = call.account.billing.invoices.at(made);
        if paid.is_some_and(|invoice| invoice.status != InvoiceStatus::Paid)
            && let Some(stored) = call.account.billing.subscriptions.at_mut(slot)
        {
            stored.status = Status::Paused;
        }
    }
    touch(call, slot);
    let after = shown(call, slot, &Expand::default());
    call.event(
        "customer.subscription.updated",
        after.clone(),
        Some(changed(&before, &after)),
    );
    Ok(shown(call, slot, &expand))
}
