//! `/v1/subscriptions`, read only: list, retrieve. The world makes them; nothing here renews, bills or ends one, but for
//! the deletion of its customer.

use serde_json::Value;

use super::subscriptions_view;
use super::{customers, prices};
use crate::rehearsal::billing::{self, Status, Subscription};
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::Kind;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::world::Account;

const NAME: &str = "subscription";
const STATUSES: &[&str] = &[
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
];
const AUTOMATIC_TAX: &[P] = &[req("enabled", Ty::Bool)];

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("automatic_tax", Ty::Hash(AUTOMATIC_TAX)),
    opt(
        "collection_method",
        Ty::Enum(&["charge_automatically", "send_invoice"]),
    ),
    opt("created", Ty::Range),
    opt("current_period_end", Ty::Range),
    opt("current_period_start", Ty::Range),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Id),
    opt("price", Ty::Id),
    opt("status", Ty::Enum(STATUSES)),
    opt("test_clock", Ty::Id),
];

/// `GET /v1/subscriptions`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Subscription)?;
    let page = call.page()?;
    let params = call.params;
    let price = price(call)?;
    let account = &*call.account;
    let keep = |s: &Subscription| kept(s, params, price);
    let show = |s: &Subscription| subscriptions_view::show(account, s, &expand);
    let (data, more): (Vec<Value>, bool) = if let Some(id) = params.text("customer") {
        customers::by_param(call, id, "customer")?;
        let rows = of_customer(account, id);
        let (data, more) = page.cut(&rows, NAME, |id| pages::place(&rows, id), |s| keep(s))?;
        (data.into_iter().map(|s| show(s)).collect(), more)
    } else {
        let all = &account.billing.subscriptions;
        let cursor = |id: &str| all.slot(id).map(|s| s as usize);
        let (data, more) = page.cut(all.rows(), NAME, cursor, keep)?;
        (data.into_iter().map(show).collect(), more)
    };
    Ok(pages::envelope("/v1/subscriptions", data, more))
}

fn price(call: &Call<'_>) -> Result<Option<u32>, Refusal> {
    let Some(id) = call.params.text("price") else {
        return Ok(None);
    };
    let found = call.account.catalogue.prices.slot(id);
    found
        .map(Some)
        .ok_or_else(|| Refusal::missing(prices::NAME, id, "price", false))
}

fn kept(subscription: &Subscription, params: Params<'_>, price: Option<u32>) -> bool {
    let status = match params.text("status") {
        Some("all") => true,
        Some("ended") => subscription.status.is_over(),
        Some(wanted) => wanted == subscription.status.word(),
        None => subscription.status != Status::Canceled,
    };
    // All items of a subscription are billed together.
    let (start, end) = subscription.period;
    let automatic_tax = params.hash("automatic_tax").and_then(|t| t.flag("enabled"));
    status
        && price.is_none_or(|slot| subscription.items.iter().any(|i| i.price == slot))
        && within(params, "current_period_start", start)
        && within(params, "current_period_end", end)
        && params
            .text("collection_method")
            .is_none_or(|m| (m == "send_invoice") == subscription.days_due.is_some())
        && automatic_tax.is_none_or(|on| on == subscription.automatic_tax())
        && params.text("test_clock").is_none()
}

/// Whether a time lies where a range parameter wants it.
pub(crate) fn within(params: Params<'_>, name: &str, at: i64) -> bool {
    if let Some(exact) = params.int(name) {
        return at == exact;
    }
    params.hash(name).is_none_or(|range| {
        range.int("gt").is_none_or(|t| at > t)
            && range.int("gte").is_none_or(|t| at >= t)
            && range.int("lt").is_none_or(|t| at < t)
            && range.int("lte").is_none_or(|t| at <= t)
    })
}

/// Every subscription of a customer, oldest first.
pub(crate) fn of_customer<'a>(account: &'a Account, id: &str) -> Vec<&'a Subscription> {
    let billing = &account.billing;
    let slots = billing.by_customer.slots(id);
    let rows = slots.iter().filter_map(|s| billing.subscriptions.at(*s));
    let theirs = |s: &&Subscription| account.customers.at(s.customer).is_some_and(|c| *c.id == *id);
    rows.filter(theirs).collect()
}

/// `GET /v1/subscriptions/{subscription_exposed_id}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Subscription)?;
    let id = call.arg(0);
    let found = call.account.billing.subscriptions.get(id);
    let found = found.ok_or_else(|| Refusal::missing(NAME, id, "id", true))?;
    Ok(subscriptions_view::show(call.account, found, &expand))
}

/// Deleting a customer cancels its subscriptions at once (docs.stripe.com/api/customers/delete).
pub(crate) fn end_all(call: &mut Call<'_>, customer: &str) {
    let live = of_customer(call.account, customer);
    let live = live.iter().filter(|s| !s.status.is_over());
    let ids: Vec<Box<str>> = live.map(|s| s.id.clone()).collect();
    for id in ids {
        if let Some(slot) = call.account.billing.subscriptions.slot(&id) {
            billing::end(call.account, slot, call.now, "cancellation_requested");
        }
    }
}
