//! How a coupon looks. What it is limited to and its other currencies are there only when asked for; whoever does not
//! ask takes it for one that applies to everything.

use serde_json::{Map, Value, json};

use super::tax_rates::percentage;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::pools::{Coupon, Lasts, Off};
use crate::rehearsal::world::Account;

/// The coupon as an answer.
pub(crate) fn show(account: &Account, coupon: &Coupon, expand: &Expand) -> Value {
    let (percent, amount, currency) = match &coupon.off {
        Off::Percent(percent) => (percentage(percent), Value::Null, Value::Null),
        Off::Amount(cur, amount, _) => (Value::Null, json!(amount), json!(cur.as_str())),
    };
    let (duration, months) = match coupon.lasts {
        Lasts::Once => ("once", None),
        Lasts::Months(months) => ("repeating", Some(months)),
        Lasts::Forever => ("forever", None),
    };
    let mut out = json!({
        "id": &*coupon.id,
        "object": "coupon",
        "amount_off": amount,
        "created": coupon.created,
        "currency": currency,
        "duration": duration,
        "duration_in_months": months,
        "livemode": account.livemode,
        "max_redemptions": coupon.max,
        "metadata": coupon.metadata.json(),
        "name": coupon.name,
        "percent_off": percent,
        "redeem_by": coupon.redeem_by,
        "times_redeemed": coupon.used,
        "valid": coupon.dead(account.now).is_none(),
    });
    if expand.has("applies_to") && !coupon.applies_to.is_empty() {
        out["applies_to"] = json!({ "products": coupon.applies_to });
    }
    if let Off::Amount(cur, amount, options) = &coupon.off
        && expand.has("currency_options")
    {
        let all = std::iter::once((cur, amount)).chain(options);
        let all = all.map(|(cur, amount)| (cur.as_str().to_owned(), json!({ "amount_off": amount })));
        out["currency_options"] = Value::Object(all.collect::<Map<_, _>>());
    }
    out
}

/// `coupon` inside another object: the id, or the whole when expanded; also of one that was deleted since.
pub(crate) fn reference(account: &Account, slot: u32, expand: &Expand) -> Value {
    let coupon = account.pools.coupons().at(slot);
    coupon.map_or(Value::Null, |coupon| {
        if expand.has("coupon") {
            show(account, coupon, &expand.below("coupon"))
        } else {
            json!(&*coupon.id)
        }
    })
}
