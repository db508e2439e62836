//! How a price looks. Tiers and other currencies are there only when asked for; the price's own currency is one of
//! `currency_options`.

use serde_json::{Map, Value, json};

use super::products_view;
use crate::rehearsal::call::nullable;
use crate::rehearsal::catalogue::{Amounts, Decimal, Price, Recurring, Tier};
use crate::rehearsal::expand::Expand;
use crate::rehearsal::world::Account;

/// The price as an answer.
pub(crate) fn show(account: &Account, price: &Price, expand: &Expand) -> Value {
    let (unit, decimal) = amount(price.base.unit.as_ref());
    let mut out = json!({
        "id": &*price.id,
        "object": "price",
        "active": price.active,
        "billing_scheme": if price.tiers_mode.is_some() { "tiered" } else { "per_unit" },
        "created": price.created,
        "currency": price.currency.as_str(),
        "custom_unit_amount": custom(&price.base),
        "livemode": account.livemode,
        "lookup_key": nullable(price.lookup_key.as_deref()),
        "metadata": price.metadata.json(),
        "nickname": nullable(price.nickname.as_deref()),
        "product": products_view::reference(account, &price.product, expand),
        "recurring": price.recurring.as_ref().map_or(Value::Null, recurring),
        "tax_behavior": price.base.tax_behavior,
        "tiers_mode": price.tiers_mode,
        "transform_quantity": price
            .transform
            .map_or(Value::Null, |(by, round)| json!({ "divide_by": by, "round": round })),
        "type": kind(price),
        "unit_amount": unit,
        "unit_amount_decimal": decimal,
    });
    if expand.has("tiers") && price.tiers_mode.is_some() {
        out["tiers"] = tiers(&price.base);
    }
    if expand.has("currency_options") {
        out["currency_options"] = options(price, &expand.below("currency_options"));
    }
    out
}

/// `recurring` or `one_time`.
pub(crate) const fn kind(price: &Price) -> &'static str {
    if price.recurring.is_some() {
        "recurring"
    } else {
        "one_time"
    }
}

fn recurring(recurring: &Recurring) -> Value {
    json!({
        "interval": recurring.interval,
        "interval_count": recurring.count,
        "meter": recurring.meter,
        "usage_type": if recurring.metered { "metered" } else { "licensed" },
    })
}

/// The integer, when there is one, and the text.
fn amount(decimal: Option<&Decimal>) -> (Value, Value) {
    (
        json!(decimal.and_then(Decimal::integer)),
        json!(decimal.map(Decimal::as_str)),
    )
}

fn custom(amounts: &Amounts) -> Value {
    amounts.custom.map_or(
        Value::Null,
        |c| json!({ "maximum": c.maximum, "minimum": c.minimum, "preset": c.preset }),
    )
}

fn tiers(amounts: &Amounts) -> Value {
    let show = |tier: &Tier| {
        let ((flat, flat_decimal), (unit, unit_decimal)) =
            (amount(tier.flat.as_ref()), amount(tier.unit.as_ref()));
        json!({
            "flat_amount": flat,
            "flat_amount_decimal": flat_decimal,
            "unit_amount": unit,
            "unit_amount_decimal": unit_decimal,
            "up_to": tier.up_to,
        })
    };
    Value::Array(amounts.tiers.iter().map(show).collect())
}

fn options(price: &Price, expand: &Expand) -> Value {
    let own = std::iter::once((&price.currency, &price.base));
    let shown = own.chain(&price.options).map(|(cur, amounts)| {
        let (unit, decimal) = amount(amounts.unit.as_ref());
        let mut out = json!({
            "custom_unit_amount": custom(amounts),
            "tax_behavior": amounts.tax_behavior,
            "unit_amount": unit,
            "unit_amount_decimal": decimal,
        });
        if price.tiers_mode.is_some() && expand.below(cur.as_str()).has("tiers") {
            out["tiers"] = tiers(amounts);
        }
        (cur.as_str().to_owned(), out)
    });
    Value::Object(shown.collect::<Map<_, _>>())
}
