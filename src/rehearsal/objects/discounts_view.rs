//! How a discount looks, and the discounts of a subscription, of its items and of a customer.

use serde_json::{Value, json};

use super::{coupons_view, customer_view, promotion_codes_view, subscriptions_view};
use crate::rehearsal::expand::Expand;
use crate::rehearsal::ids;
use crate::rehearsal::pools::{Discount, On};
use crate::rehearsal::world::Account;

/// The discount as an answer.
pub(crate) fn show(account: &Account, discount: &Discount, expand: &Expand) -> Value {
    let customer = account.customers.at(discount.customer).map_or("", |c| &*c.id);
    let of = |slot| account.billing.subscriptions.at(slot);
    let (subscription, item, checkout) = match discount.on {
        On::Customer => (None, None, None),
        On::Subscription(slot) => (of(slot).map(|s| s.id.to_string()), None, None),
        On::Item(slot, n) => {
            let item = of(slot).map(|s| subscriptions_view::item_id(s, usize::from(n)));
            (None, item, None)
        }
        On::Checkout => (None, None, Some(checkout(account, discount))),
    };
    let code = discount.code;
    json!({
        "id": &*discount.id,
        "object": "discount",
        "checkout_session": checkout,
        "customer": customer_view::reference(account, customer, expand),
        "customer_account": null,
        "end": discount.end,
        "invoice": null,
        "invoice_item": null,
        "promotion_code": code.map(|slot| promotion_codes_view::reference(account, slot, expand)),
        "source": {
            "coupon": coupons_view::reference(account, discount.coupon, &expand.below("source")),
            "type": "coupon",
        },
        "start": discount.start,
        "subscription": subscription,
        "subscription_item": item,
    })
}

/// Id of the purchase it was used for.
fn checkout(account: &Account, discount: &Discount) -> String {
    let mode = if account.livemode { "live" } else { "test" };
    let seed = ids::mix(&[b"checkout", discount.id.as_bytes()]);
    format!("cs_{mode}_{}", ids::alnum(seed, 58))
}

/// `discounts` of a subscription (slot), or of one of its items: ids, or the whole when expanded.
pub(crate) fn running(account: &Account, subscription: u32, item: Option<u8>, expand: &Expand) -> Value {
    let slots = account.pools.running(subscription, item, account.now);
    let running = slots
        .iter()
        .filter_map(|slot| account.pools.discounts().at(*slot));
    let inner = expand.below("discounts");
    let shown = running.map(|discount| {
        if expand.has("discounts") {
            show(account, discount, &inner)
        } else {
            json!(&*discount.id)
        }
    });
    Value::Array(shown.collect())
}

/// `discount` of a customer: always the whole object.
pub(crate) fn of_customer(account: &Account, customer: &str, expand: &Expand) -> Value {
    if account.pools.discounts().rows().is_empty() {
        return Value::Null;
    }
    let slot = account.customers.slot(customer);
    let slot = slot.and_then(|slot| account.pools.of_customer(slot, account.now));
    let discount = slot.and_then(|slot| account.pools.discounts().at(slot));
    discount.map_or(Value::Null, |d| show(account, d, &expand.below("discount")))
}
