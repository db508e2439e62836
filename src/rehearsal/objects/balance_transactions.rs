//! `/v1/customers/{customer}/balance_transactions`: the invoice credit ledger
//! (docs.stripe.com/billing/customer/balance).

use serde_json::{Value, json};

use super::customer_view;
use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt, req};
use crate::rehearsal::world::{Account, Customer, Txn, TxnMore};

/// Largest amount of one entry, minor units.
const LARGEST: i64 = 999_999_999_999;
const NAME: &str = "customer balance transaction";

/// What creating takes.
pub(crate) const CREATE: &[P] = &[
    req("amount", Ty::Int),
    req("currency", Ty::Text(3)),
    opt("description", Ty::Text(350)),
    opt("metadata", Ty::Metadata),
];
/// What updating takes.
pub(crate) const UPDATE: &[P] = &[opt("description", Ty::Text(350)), opt("metadata", Ty::Metadata)];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[opt("created", Ty::Range), opt("invoice", Ty::Text(5000))];

/// A row about to be written.
pub(crate) struct NewRow {
    pub(crate) slot: u32,
    pub(crate) amount: i64,
    pub(crate) cur: Cur,
    pub(crate) more: Option<Box<TxnMore>>,
}

/// `POST /v1/customers/{customer}/balance_transactions`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::BalanceTransaction)?;
    let slot = call.customer_slot()?;
    let cur = Call::currency(call.params.text("currency").unwrap_or_default(), "currency")?;
    let mut more = TxnMore {
        description: call.params.text("description").map(Into::into),
        ..TxnMore::default()
    };
    more.metadata.merge(call.params.node("metadata"));
    call.mark(&more.metadata);
    let row = NewRow {
        slot,
        amount: call.params.int("amount").unwrap_or(0),
        cur,
        more: Some(Box::new(more)),
    };
    append(call, row)?;
    let shown = call.account.customers.at(slot).and_then(|customer| {
        let newest = customer.ledger.last()?;
        Some(show(call.account, customer, newest, &expand))
    });
    Ok(shown.unwrap_or(Value::Null))
}

/// Appends an `adjustment`; the first entry of a customer without a currency decides its currency.
pub(crate) fn append(call: &mut Call<'_>, new: NewRow) -> Result<(), Refusal> {
    let id = call.new_id("cbtxn_");
    let (now, by) = (call.now, call.by);
    let Some(customer) = call.account.customers.at_mut(new.slot) else {
        return Ok(());
    };
    let ending = customer.sum(new.cur).saturating_add(new.amount);
    if new.amount.abs() > LARGEST || ending.abs() > LARGEST {
        let message = format!("Amount must be no more than {LARGEST} in absolute value");
        return Err(Refusal::invalid_code("amount", "amount_too_large", message));
    }
    let created = customer.ledger.last().map_or(now, |row| row.created.max(now));
    customer.currency.get_or_insert(new.cur);
    customer.ledger.push(Txn {
        id: id.into(),
        created,
        amount: new.amount,
        ending,
        cur: new.cur,
        by,
        kind: "adjustment",
        more: new.more,
    });
    let id = customer.id.clone();
    call.touch(&id);
    Ok(())
}

/// `GET /v1/customers/{customer}/balance_transactions/{transaction}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::BalanceTransaction)?;
    let customer = call.customer()?;
    let row = &customer.ledger[find(customer, call.arg(1))?];
    Ok(show(call.account, customer, row, &expand))
}

/// `POST /v1/customers/{customer}/balance_transactions/{transaction}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::BalanceTransaction)?;
    let slot = call.customer_slot()?;
    let index = find(call.customer()?, call.arg(1))?;
    let params = call.params;
    let row = call
        .account
        .customers
        .at_mut(slot)
        .and_then(|c| c.ledger.get_mut(index));
    if let Some(row) = row {
        let more = row.more.get_or_insert_default();
        more.metadata.merge(params.node("metadata"));
        if let Some(text) = params.text("description") {
            more.description = Some(text.into());
        }
    }
    let id = call.arg(0).to_owned();
    call.touch(&id);
    let customer = call.customer()?;
    Ok(show(call.account, customer, &customer.ledger[index], &expand))
}

/// `GET /v1/customers/{customer}/balance_transactions`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::BalanceTransaction)?;
    let page = call.page()?;
    let customer = call.customer()?;
    let invoice = call.params.text("invoice");
    let keep = |row: &Txn| match invoice {
        None => true,
        Some(want) => row.more.as_ref().and_then(|m| m.invoice.as_deref()) == Some(want),
    };
    let rows = &customer.ledger;
    let (data, more) = page.cut(rows, NAME, |id| pages::place(rows, id), keep)?;
    let data = data
        .into_iter()
        .map(|row| show(call.account, customer, row, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

fn find(customer: &Customer, id: &str) -> Result<usize, Refusal> {
    let found = customer.ledger.iter().position(|row| *row.id == *id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "transaction", true))
}

/// A row as an answer.
pub(crate) fn show(account: &Account, customer: &Customer, row: &Txn, expand: &Expand) -> Value {
    let more = row.more.as_deref();
    json!({
        "id": &*row.id,
        "object": "customer_balance_transaction",
        "amount": row.amount,
        "checkout_session": null,
        "created": row.created,
        "credit_note": more.and_then(|m| m.credit_note.as_deref()),
        "currency": row.cur.as_str(),
        "customer": customer_view::reference(account, &customer.id, expand),
        "customer_account": null,
        "description": nullable(more.and_then(|m| m.description.as_deref())),
        "ending_balance": row.ending,
        "invoice": more.and_then(|m| m.invoice.as_deref()),
        "livemode": account.livemode,
        "metadata": more.map_or_else(|| json!({}), |m| m.metadata.json()),
        "type": row.kind,
    })
}
