//! `/v1/customers`: create, retrieve, update, delete, list.

use serde_json::{Value, json};

use super::{customer_view, customer_write, payment_methods, subscriptions, tax_ids};
use crate::rehearsal::call::{Answer, Call, live_customer};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::world::{Account, Customer, Role};

/// The rare field that says so of a slot whose create was refused.
const UNBORN: &str = "unborn";

/// `POST /v1/customers`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Customer)?;
    let id = ids::customer(call.new_seed("cus_"));
    let created = Account::stamp(&call.account.customers, call.now);
    let slot = call.account.add_customer(Customer::bare(&id, created, Role::New));
    let applied = payment_methods::attach_new(call, slot)
        .and_then(|()| tax_ids::add_all(call, slot))
        .and_then(|()| customer_write::apply(call, slot));
    if let Err(refused) = applied {
        // Stripe makes nothing when a parameter turns out wrong; the slot stays, as a deleted row no list shows.
        if let Some(customer) = call.account.customers.at_mut(slot) {
            customer.deleted = true;
            customer.rest_mut().insert(UNBORN.into(), json!(true));
        }
        return Err(refused);
    }
    Ok(finish(call, slot, &expand, "customer.created", None))
}

/// `GET /v1/customers/{customer}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Customer)?;
    let id = call.arg(0);
    let customer = call.account.customers.get(id).filter(|c| !unborn(c));
    let customer = customer.ok_or_else(|| Refusal::missing("customer", id, "id", true))?;
    if customer.deleted {
        return Ok(customer_view::show_deleted(id));
    }
    Ok(customer_view::show(call.account, customer, &expand))
}

/// `POST /v1/customers/{customer}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Customer)?;
    let slot = call.customer_slot()?;
    let before = show(call, slot, &Expand::default());
    customer_write::apply(call, slot)?;
    let after = show(call, slot, &Expand::default());
    let previous = changed(&before, &after);
    Ok(finish(call, slot, &expand, "customer.updated", Some(previous)))
}

/// `DELETE /v1/customers/{customer}`
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let slot = call.customer_slot()?;
    let id = call.arg(0).to_owned();
    let last = show(call, slot, &Expand::default());
    let Some(customer) = call.account.customers.at_mut(slot) else {
        return Err(Refusal::missing("customer", &id, "id", true));
    };
    if customer
        .cash
        .as_ref()
        .is_some_and(|c| c.available.values().any(|v| *v != 0))
    {
        let message = "You cannot delete a customer with a cash balance.".to_owned();
        return Err(Refusal::rejected(None, message));
    }
    customer.deleted = true;
    call.account.set_email(slot, None);
    subscriptions::end_all(call, &id);
    call.touch(&id);
    call.event("customer.deleted", last, None);
    Ok(customer_view::show_deleted(&id))
}

/// `GET /v1/customers`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Customer)?;
    let page = call.page()?;
    let account = &*call.account;
    let show = |rows: Vec<&Customer>| -> Vec<Value> {
        rows.into_iter()
            .map(|c| customer_view::show(account, c, &expand))
            .collect()
    };
    let (data, more) = if let Some(email) = call.params.text("email") {
        let slots = account.by_email.slots(email);
        let rows = slots.iter().filter_map(|s| account.customers.at(*s));
        let rows: Vec<&Customer> = rows.filter(|c| c.email.as_deref() == Some(email)).collect();
        let (data, more) = page.cut(&rows, "customer", |id| pages::place(&rows, id), |_| true)?;
        (show(data.into_iter().copied().collect()), more)
    } else {
        let slot = |id: &str| account.customers.slot(id).map(|s| s as usize);
        let none_on_a_clock = call.params.text("test_clock").is_some();
        let (data, more) = page.cut(account.customers.rows(), "customer", slot, |_| !none_on_a_clock)?;
        (show(data), more)
    };
    Ok(pages::envelope("/v1/customers", data, more))
}

/// A create that was refused: it never existed for the outside.
fn unborn(customer: &Customer) -> bool {
    customer.deleted && customer.rest(UNBORN) == json!(true)
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let customer = call.account.customers.at(slot);
    customer.map_or(Value::Null, |c| customer_view::show(call.account, c, expand))
}

fn finish(
    call: &mut Call<'_>,
    slot: u32,
    expand: &Expand,
    event: &'static str,
    previous: Option<Value>,
) -> Value {
    if let Some(customer) = call.account.customers.at(slot) {
        let (id, metadata) = (customer.id.to_string(), customer.metadata.clone());
        call.touch(&id);
        if event == "customer.created" {
            call.mark(&metadata);
        }
    }
    let object = show(call, slot, &Expand::default());
    call.event(event, object, previous);
    show(call, slot, expand)
}

/// The fields an update changed, with the values they had.
pub(crate) fn changed(before: &Value, after: &Value) -> Value {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return json!({});
    };
    let differing = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value));
    Value::Object(differing.map(|(n, v)| (n.clone(), v.clone())).collect())
}

/// The slot of a customer named in a parameter.
pub(crate) fn by_param(call: &Call<'_>, id: &str, param: &str) -> Result<u32, Refusal> {
    live_customer(call.account, id).ok_or_else(|| Refusal::missing("customer", id, param, false))
}
