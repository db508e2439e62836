//! Cash balances: real money Stripe holds for a customer (docs.stripe.com/payments/customer-balance).

use serde_json::{Value, json};

use super::customer_view;
use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Ty, opt, req};
use crate::rehearsal::world::{Account, CashTxn, Customer};

const NAME: &str = "customer cash balance transaction";

/// What the test helper takes.
pub(crate) const FUND: &[P] = &[
    req("amount", Ty::Int),
    req("currency", Ty::Text(3)),
    opt("reference", Ty::Text(5000)),
];

/// `GET /v1/customers/{customer}/cash_balance`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::CashBalance)?;
    Ok(show(call.account, call.customer()?))
}

/// `POST /v1/customers/{customer}/cash_balance`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    call.expand(Kind::CashBalance)?;
    let slot = call.customer_slot()?;
    let mode = call
        .params
        .hash("settings")
        .and_then(|s| s.text("reconciliation_mode"));
    if let Some(customer) = call.account.customers.at_mut(slot) {
        set_mode(customer, mode);
    }
    let id = call.arg(0).to_owned();
    call.touch(&id);
    Ok(show(call.account, call.customer()?))
}

/// Sets how incoming money is matched to payments.
pub(crate) fn set_mode(customer: &mut Customer, mode: Option<&str>) {
    if let Some(mode) = mode {
        let cash = customer.cash.get_or_insert_default();
        cash.manual = mode == "manual";
        cash.own_setting = mode != "merchant_default";
    }
}

/// `GET /v1/customers/{customer}/cash_balance_transactions`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::CashTransaction)?;
    let page = call.page()?;
    let customer = call.customer()?;
    let rows = customer
        .cash
        .as_ref()
        .map(|c| c.rows.as_slice())
        .unwrap_or_default();
    let (data, more) = page.cut(rows, NAME, |id| pages::place(rows, id), |_| true)?;
    let data = data
        .into_iter()
        .map(|row| show_row(call.account, customer, row, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

/// `GET /v1/customers/{customer}/cash_balance_transactions/{transaction}`
pub(crate) fn retrieve_row(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::CashTransaction)?;
    let customer = call.customer()?;
    let id = call.arg(1);
    let rows = customer
        .cash
        .as_ref()
        .map(|c| c.rows.as_slice())
        .unwrap_or_default();
    let row = rows.iter().find(|row| *row.id == *id);
    let row = row.ok_or_else(|| Refusal::missing(NAME, id, "transaction", true))?;
    Ok(show_row(call.account, customer, row, &expand))
}

/// `POST /v1/test_helpers/customers/{customer}/fund_cash_balance`
pub(crate) fn fund(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::CashTransaction)?;
    let slot = call.customer_slot()?;
    let cur = Call::currency(call.params.text("currency").unwrap_or_default(), "currency")?;
    let net = call.params.int("amount").unwrap_or(0);
    if net < 1 {
        let message = "This value must be greater than or equal to 1.".to_owned();
        return Err(Refusal::invalid_code(
            "amount",
            "parameter_invalid_integer",
            message,
        ));
    }
    let (id, now, reference) = (call.new_id("ccsbtxn_"), call.now, call.params.text("reference"));
    if let Some(customer) = call.account.customers.at_mut(slot) {
        let cash = customer.cash.get_or_insert_default();
        let held = cash.available.entry(cur).or_default();
        *held = held.saturating_add(net);
        let row = CashTxn {
            id: id.into(),
            created: cash.rows.last().map_or(now, |row| row.created.max(now)),
            net,
            ending: *held,
            cur,
            reference: reference.map(Into::into),
        };
        cash.rows.push(row);
    }
    let id = call.arg(0).to_owned();
    call.touch(&id);
    let newest = |expand: &Expand| -> Option<Value> {
        let customer = call.account.customers.at(slot)?;
        let row = customer.cash.as_ref()?.rows.last()?;
        Some(show_row(call.account, customer, row, expand))
    };
    let (object, answer) = (newest(&Expand::default()), newest(&expand));
    call.event(
        "customer_cash_balance_transaction.created",
        object.unwrap_or(Value::Null),
        None,
    );
    Ok(answer.unwrap_or(Value::Null))
}

/// The balance as an answer: `available` is null when nothing was ever held.
pub(crate) fn show(account: &Account, customer: &Customer) -> Value {
    let cash = customer.cash.as_deref();
    let available = cash.filter(|c| !c.available.is_empty()).map(|c| {
        let held = c
            .available
            .iter()
            .map(|(cur, held)| (cur.as_str().to_owned(), json!(held)));
        Value::Object(held.collect())
    });
    let mode = if cash.is_some_and(|c| c.manual) {
        "manual"
    } else {
        "automatic"
    };
    json!({
        "object": "cash_balance",
        "available": available,
        "customer": &*customer.id,
        "customer_account": null,
        "livemode": account.livemode,
        "settings": {
            "reconciliation_mode": mode,
            "using_merchant_default": !cash.is_some_and(|c| c.own_setting),
        },
    })
}

fn show_row(account: &Account, customer: &Customer, row: &CashTxn, expand: &Expand) -> Value {
    let (kind, details) = match row.cur.as_str() {
        "eur" => (
            "eu_bank_transfer",
            json!({ "bic": "BANKDEFF", "iban_last4": "7061", "sender_name": null }),
        ),
        "gbp" => (
            "gb_bank_transfer",
            json!({ "account_number_last4": "1234", "sender_name": null, "sort_code": "108800" }),
        ),
        "jpy" => (
            "jp_bank_transfer",
            json!({ "sender_bank": null, "sender_branch": null, "sender_name": null }),
        ),
        _ => (
            "us_bank_transfer",
            json!({ "network": "ach", "sender_name": null }),
        ),
    };
    let mut transfer = json!({
        "reference": nullable(row.reference.as_deref()),
        "type": kind,
    });
    transfer[kind] = details;
    json!({
        "id": &*row.id,
        "object": "customer_cash_balance_transaction",
        "created": row.created,
        "currency": row.cur.as_str(),
        "customer": customer_view::reference(account, &customer.id, expand),
        "customer_account": null,
        "ending_balance": row.ending,
        "funded": { "bank_transfer": transfer },
        "livemode": account.livemode,
        "net_amount": row.net,
        "type": "funded",
    })
}
