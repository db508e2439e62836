//! Billing credit grants and their summary. Grants are never used up here: there is no metered usage.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{customer_view, customers};
use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::form::Node;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::world::{Account, Grant};

const NAME: &str = "credit grant";
const PRICES: &[P] = &[req("id", Ty::Id)];
const SCOPE: &[P] = &[
    opt("price_type", Ty::Enum(&["metered"])),
    opt("prices", Ty::Hashes(PRICES)),
];
const CONFIG: &[P] = &[req("scope", Ty::Hash(SCOPE))];
const MONETARY: &[P] = &[req("currency", Ty::Text(3)), req("value", Ty::Int)];
const AMOUNT: &[P] = &[
    opt("monetary", Ty::Hash(MONETARY)),
    req("type", Ty::Enum(&["monetary"])),
];

/// What creating takes.
pub(crate) const CREATE: &[P] = &[
    req("amount", Ty::Hash(AMOUNT)),
    req("applicability_config", Ty::Hash(CONFIG)),
    opt("category", Ty::Enum(&["paid", "promotional"])),
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Id),
    opt("effective_at", Ty::Int),
    opt("expires_at", Ty::Int),
    opt("metadata", Ty::Metadata),
    opt("name", Ty::Text(100)),
    opt("priority", Ty::Int),
];
/// What updating takes.
pub(crate) const UPDATE: &[P] = &[opt("expires_at", Ty::Text(20)), opt("metadata", Ty::Metadata)];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[opt("customer", Ty::Id), opt("customer_account", Ty::Id)];
const FILTER: &[P] = &[
    opt("applicability_scope", Ty::Hash(SCOPE)),
    opt("credit_grant", Ty::Id),
    req("type", Ty::Enum(&["applicability_scope", "credit_grant"])),
];
/// What the summary takes.
pub(crate) const SUMMARY: &[P] = &[
    opt("customer", Ty::Id),
    opt("customer_account", Ty::Id),
    req("filter", Ty::Hash(FILTER)),
];

/// `POST /v1/billing/credit_grants`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Grant)?;
    let params = call.params;
    let customer = required_customer(params)?;
    customers::by_param(call, customer, "customer")?;
    let (cur, amount) = monetary(params)?;
    let mut metadata = Metadata::default();
    metadata.merge(params.node("metadata"));
    call.mark(&metadata);
    let now = Account::stamp(&call.account.grants, call.now);
    let id = call.new_id("credgr_");
    let grant = Grant {
        id: id.as_str().into(),
        created: now,
        updated: now,
        customer: customer.into(),
        cur,
        amount,
        category: if params.text("category") == Some("promotional") {
            "promotional"
        } else {
            "paid"
        },
        name: params.text("name").filter(|n| !n.is_empty()).map(Into::into),
        metadata,
        effective_at: params.int("effective_at").unwrap_or(now),
        expires_at: params.int("expires_at"),
        voided_at: None,
        priority: params.int("priority").unwrap_or(50).clamp(0, 100),
        scope: scope(params),
    };
    call.account.grants.push(grant);
    finish(call, &id, &expand, "billing.credit_grant.created")
}

fn required_customer(params: Params<'_>) -> Result<&str, Refusal> {
    params.text("customer").ok_or_else(|| {
        let message = "Must provide customer or customer_account.".to_owned();
        Refusal::invalid_code("customer", "parameter_missing", message)
    })
}

fn monetary(params: Params<'_>) -> Result<(Cur, i64), Refusal> {
    let Some(monetary) = params.hash("amount").and_then(|a| a.hash("monetary")) else {
        let message = "Missing required param: amount[monetary].".to_owned();
        return Err(Refusal::invalid_code(
            "amount[monetary]",
            "parameter_missing",
            message,
        ));
    };
    let currency = monetary.text("currency").unwrap_or_default();
    let cur = Call::currency(currency, "amount[monetary][currency]")?;
    let value = monetary.int("value").unwrap_or(0);
    if value < 1 {
        let message = "This value must be greater than or equal to 1.".to_owned();
        return Err(Refusal::invalid("amount[monetary][value]", message));
    }
    Ok((cur, value))
}

fn scope(params: Params<'_>) -> Value {
    let scope = params.hash("applicability_config").and_then(|c| c.hash("scope"));
    let prices = scope
        .and_then(|s| s.node("prices"))
        .map(Node::children)
        .unwrap_or_default();
    if prices.is_empty() {
        return json!({ "price_type": "metered" });
    }
    let ids = prices.iter().map(|(_, p)| json!({ "id": Params(p).text("id") }));
    json!({ "prices": ids.collect::<Vec<_>>() })
}

/// `GET /v1/billing/credit_grants/{id}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Grant)?;
    let id = call.arg(0);
    let grant = call.account.grants.get(id);
    let grant = grant.ok_or_else(|| Refusal::missing(NAME, id, "id", true))?;
    Ok(show(call.account, grant, &expand))
}

/// `GET /v1/billing/credit_grants`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Grant)?;
    let page = call.page()?;
    let account = &*call.account;
    let customer = call.params.text("customer");
    let slot = |id: &str| account.grants.slot(id).map(|s| s as usize);
    let keep = |grant: &Grant| customer.is_none_or(|c| *grant.customer == *c);
    let (data, more) = page.cut(account.grants.rows(), NAME, slot, keep)?;
    let data = data.into_iter().map(|g| show(account, g, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

/// `POST /v1/billing/credit_grants/{id}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let params = call.params;
    let expires = match params.text("expires_at") {
        None => None,
        Some("") => Some(None),
        Some(text) => Some(Some(text.parse().map_err(|_| {
            let message = format!("Invalid integer: {text}");
            Refusal::invalid_code("expires_at", "parameter_invalid_integer", message)
        })?)),
    };
    change(call, |grant, _| {
        grant.metadata.merge(params.node("metadata"));
        if let Some(expires) = expires {
            grant.expires_at = expires;
        }
        Ok(())
    })
}

/// `POST /v1/billing/credit_grants/{id}/expire`
pub(crate) fn expire(call: &mut Call<'_>) -> Answer {
    change(call, |grant, now| {
        ended(grant, now)?;
        grant.expires_at = Some(now);
        Ok(())
    })
}

/// `POST /v1/billing/credit_grants/{id}/void`
pub(crate) fn void(call: &mut Call<'_>) -> Answer {
    change(call, |grant, now| {
        ended(grant, now)?;
        grant.voided_at = Some(now);
        Ok(())
    })
}

fn ended(grant: &Grant, now: i64) -> Result<(), Refusal> {
    if grant.voided_at.is_none() && grant.expires_at.is_none_or(|at| at > now) {
        return Ok(());
    }
    let message = "This credit grant has already been voided or has expired.".to_owned();
    Err(Refusal::rejected(None, message))
}

fn change(call: &mut Call<'_>, with: impl FnOnce(&mut Grant, i64) -> Result<(), Refusal>) -> Answer {
    let expand = call.expand(Kind::Grant)?;
    let (id, now) = (call.arg(0).to_owned(), call.now);
    let grant = call.account.grants.get_mut(&id);
    let grant = grant.ok_or_else(|| Refusal::missing(NAME, &id, "id", true))?;
    with(grant, now)?;
    grant.updated = grant.updated.max(now);
    finish(call, &id, &expand, "billing.credit_grant.updated")
}

fn finish(call: &mut Call<'_>, id: &str, expand: &Expand, event: &'static str) -> Answer {
    let Some(grant) = call.account.grants.get(id) else {
        return Err(Refusal::missing(NAME, id, "id", true));
    };
    let customer = grant.customer.clone();
    let (object, answer) = (
        show(call.account, grant, &Expand::default()),
        show(call.account, grant, expand),
    );
    call.touch(&customer);
    call.event(event, object, None);
    Ok(answer)
}

/// `GET /v1/billing/credit_balance_summary`
pub(crate) fn summary(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Summary)?;
    let id = required_customer(call.params)?;
    customers::by_param(call, id, "customer")?;
    let only = call.params.hash("filter").and_then(|f| f.text("credit_grant"));
    let mut sums: BTreeMap<Cur, (i64, i64)> = BTreeMap::new();
    let own = call
        .account
        .grants
        .rows()
        .iter()
        .filter(|g| *g.customer == *id && g.voided_at.is_none());
    for grant in own.filter(|g| only.is_none_or(|o| *g.id == *o)) {
        let (available, ledger) = sums.entry(grant.cur).or_default();
        if grant.expires_at.is_none_or(|at| at > call.now) {
            *ledger += grant.amount;
            if grant.effective_at <= call.now {
                *available += grant.amount;
            }
        }
    }
    let balances: Vec<Value> = sums
        .into_iter()
        .map(|(cur, (available, ledger))| {
            json!({ "available_balance": money(cur, available), "ledger_balance": money(cur, ledger) })
        })
        .collect();
    Ok(json!({
        "object": "billing.credit_balance_summary",
        "balances": balances,
        "customer": customer_view::reference(call.account, id, &expand),
        "customer_account": null,
        "livemode": call.account.livemode,
    }))
}

fn money(cur: Cur, value: i64) -> Value {
    json!({ "monetary": { "currency": cur.as_str(), "value": value }, "type": "monetary" })
}

fn show(account: &Account, grant: &Grant, expand: &Expand) -> Value {
    json!({
        "id": &*grant.id,
        "object": "billing.credit_grant",
        "amount": money(grant.cur, grant.amount),
        "applicability_config": { "scope": grant.scope },
        "category": grant.category,
        "created": grant.created,
        "customer": customer_view::reference(account, &grant.customer, expand),
        "customer_account": null,
        "effective_at": grant.effective_at,
        "expires_at": grant.expires_at,
        "livemode": account.livemode,
        "metadata": grant.metadata.json(),
        "name": nullable(grant.name.as_deref()),
        "priority": grant.priority,
        "test_clock": null,
        "updated": grant.updated,
        "voided_at": grant.voided_at,
    })
}
