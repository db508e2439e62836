//! The lists: customers with what a list page can show of their money, and billing credit grants of the whole account.

use std::collections::BTreeMap;

use super::{Row, Rows};
use crate::domain::ids::Role;
use crate::domain::money::{Currency, Money};
use crate::domain::scope::{Candidate, ScopeRule};
use crate::domain::text::safe;
use crate::stages::credits::facts::{Grant, Read, Side};
use crate::stages::{Reading, StageError, failed};
use crate::stripe::form::Form;
use crate::stripe::scan::CURSORS;
use crate::stripe::wire::{CreditGrant, Customer};

pub(super) async fn customers(reading: &Reading, role: Role) -> Result<Rows, StageError> {
    let scope = &reading.settings.scope;
    let query = Form::new()
        .expand("data.invoice_credit_balance")
        .expand("data.cash_balance");
    let mut scan = reading
        .reader(role)?
        .scan::<Customer>("/v1/customers", &query, CURSORS);
    let mut rows = Rows::new();
    let what = match role {
        Role::Source => "reading customers of the old account",
        Role::Destination => "reading customers of the new account",
    };
    while let Some(page) = scan.next().await {
        let page = page.map_err(|failure| failed(role, &failure))?;
        let read = Read::of(&page.reply.meta);
        for customer in page.items {
            // Pages of different cursors may overlap while rows come in between them.
            if customer.deleted || rows.contains_key(&customer.id) {
                continue;
            }
            reading.of_this_mode(role, &customer.id, customer.livemode)?;
            rows.insert(customer.id.clone(), row(&customer, scope, &read));
        }
        reading.watch.progress(what, rows.len() as u64, None);
    }
    Ok(rows)
}

fn row(customer: &Customer, scope: &ScopeRule, read: &Read) -> Row {
    let label = customer
        .name
        .as_deref()
        .or(customer.email.as_deref())
        .unwrap_or_default();
    // A map with a currency this program cannot name is as good as none: the row is blocked as unreadable.
    let credit_balance = customer.invoice_credit_balance.as_ref().and_then(currencies);
    let cash = customer
        .cash_balance
        .as_ref()
        .and_then(|cash| currencies(&cash.available));
    let side = Side {
        currency: customer
            .currency
            .as_deref()
            .and_then(|code| Currency::parse(code).ok()),
        // `customer.balance` has the ledger's sign: negative is a credit (spec: customer.balance).
        balance: customer.balance.saturating_neg(),
        credit_balance,
        cash: cash.unwrap_or_default(),
        ledger: None,
        grants: Vec::new(),
        listed: read.clone(),
    };
    let has_default_method =
        customer.default_source.is_some() || customer.invoice_settings.default_payment_method.is_some();
    let decide = |has_method| {
        scope.decide(Candidate {
            id: &customer.id,
            metadata: &customer.metadata,
            has_method,
        })
    };
    Row {
        label: safe(label),
        belongs: decide(has_default_method),
        belongs_if_copied: decide(true),
        side: Box::new(side),
    }
}

fn currencies(map: &BTreeMap<String, i64>) -> Option<BTreeMap<Currency, i64>> {
    map.iter()
        .map(|(code, amount)| Currency::parse(code).ok().map(|currency| (currency, *amount)))
        .collect()
}

pub(super) async fn grants(reading: &Reading) -> Result<BTreeMap<String, Vec<Grant>>, StageError> {
    let role = Role::Source;
    let mut pages = reading
        .reader(role)?
        .list::<CreditGrant>("/v1/billing/credit_grants", &Form::new());
    let now = reading.clock.now().secs();
    let mut grants: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
    while let Some(page) = pages
        .next_page()
        .await
        .map_err(|failure| failed(role, &failure))?
    {
        for grant in page.items {
            let over = grant.voided_at.is_some() || grant.expires_at.is_some_and(|at| at <= now);
            let Some(money) = grant.amount.monetary.as_ref().filter(|_| !over) else {
                continue;
            };
            let currency = Currency::parse(&money.currency)
                .map_err(|e| StageError::Refused(format!("billing credit grant {}: {e}", safe(&grant.id))))?;
            grants.entry(grant.customer.clone()).or_default().push(Grant {
                id: grant.id,
                money: Money::new(money.value, currency),
                category: grant.category.as_str().to_owned(),
                expires_at: grant.expires_at,
                name: safe(grant.name.as_deref().unwrap_or_default()),
            });
        }
    }
    Ok(grants)
}
