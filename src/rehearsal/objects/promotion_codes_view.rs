//! How a promotion code looks.

use serde_json::{Map, Value, json};

use super::{coupons_view, customer_view};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::pools::{Code, Restrictions};
use crate::rehearsal::world::Account;

/// The code as an answer.
pub(crate) fn show(account: &Account, code: &Code, expand: &Expand) -> Value {
    let customer = code.customer.as_deref();
    let coupon = coupons_view::reference(account, code.coupon, &expand.below("promotion"));
    json!({
        "id": &*code.id,
        "object": "promotion_code",
        "active": account.pools.active(code, account.now),
        "code": &*code.text,
        "created": code.created,
        "customer": customer.map(|id| customer_view::reference(account, id, expand)),
        "customer_account": null,
        "expires_at": code.expires_at,
        "livemode": account.livemode,
        "max_redemptions": code.max,
        "metadata": code.metadata.json(),
        "promotion": { "coupon": coupon, "type": "coupon" },
        "restrictions": restrictions(&code.restrictions, &expand.below("restrictions")),
        "times_redeemed": code.used,
    })
}

fn restrictions(of: &Restrictions, expand: &Expand) -> Value {
    let mut out = json!({
        "first_time_transaction": of.first_time,
        "minimum_amount": of.minimum.map(|(_, amount)| amount),
        "minimum_amount_currency": of.minimum.as_ref().map(|(cur, _)| cur.as_str()),
    });
    if let Some((cur, amount)) = of.minimum.as_ref().filter(|_| expand.has("currency_options")) {
        let shown =
            |(cur, amount): (&Cur, &i64)| (cur.as_str().to_owned(), json!({ "minimum_amount": amount }));
        let all = std::iter::once((cur, amount)).chain(&of.options).map(shown);
        out["currency_options"] = Value::Object(all.collect::<Map<_, _>>());
    }
    out
}

/// `promotion_code` inside another object: the id, or the whole when expanded.
pub(crate) fn reference(account: &Account, slot: u32, expand: &Expand) -> Value {
    let code = account.pools.codes().at(slot);
    code.map_or(Value::Null, |code| {
        if expand.has("promotion_code") {
            show(account, code, &expand.below("promotion_code"))
        } else {
            json!(&*code.id)
        }
    })
}
