//! `/v1/customers/{customer}/discount`: retrieve, delete. Nothing makes such a discount any more; old ones go on.

use serde_json::{Value, json};

use super::discounts_view;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};

/// `GET /v1/customers/{customer}/discount`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Discount)?;
    let (_, discount) = slots(call)?;
    Ok(show(call, discount, &expand))
}

/// `DELETE /v1/customers/{customer}/discount`: the redemption stays counted.
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let (customer, discount) = slots(call)?;
    let mut last = show(call, discount, &Expand::default());
    call.account.pools.undiscount(customer);
    let id = call.arg(0).to_owned();
    call.touch(&id);
    call.event("customer.discount.deleted", last.clone(), None);
    if let Some(fields) = last.as_object_mut() {
        fields.remove("end");
        fields.insert("deleted".into(), json!(true));
    }
    Ok(last)
}

fn slots(call: &Call<'_>) -> Result<(u32, u32), Refusal> {
    let customer = call.customer_slot()?;
    let discount = call.account.pools.of_customer(customer, call.now);
    let none = || {
        let mut refused = Refusal::missing("discount", "", "customer", true);
        refused.message = format!("No active discount for customer: {}", call.arg(0));
        refused
    };
    Ok((customer, discount.ok_or_else(none)?))
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let discount = call.account.pools.discounts().at(slot);
    discount.map_or(Value::Null, |d| discounts_view::show(call.account, d, expand))
}
