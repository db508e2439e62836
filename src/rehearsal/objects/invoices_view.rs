//! How an invoice and its lines look. What Stripe freezes of the customer at finalisation is shown as it is now.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{customer_view, discounts_view, payment_methods_view, subscriptions_view};
use crate::rehearsal::billing::{Invoice, InvoiceStatus, Line, Source, Tax};
use crate::rehearsal::catalogue::{Decimal, Price};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::ids;
use crate::rehearsal::pages;
use crate::rehearsal::world::{Account, Customer};

/// Lines shown inside an invoice; the rest is on pages of their own.
const INLINE: usize = 10;

/// Fields no invoice here has a value for.
const UNSET: [&str; 18] = [
    "account_tax_ids",
    "application",
    "custom_fields",
    "customer_account",
    "default_source",
    "description",
    "footer",
    "from_invoice",
    "last_finalization_error",
    "latest_revision",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "webhooks_delivered_at",
];

/// The invoice as an answer.
pub(crate) fn show(account: &Account, invoice: &Invoice, expand: &Expand) -> Value {
    let owner = account.customers.at(invoice.customer);
    let mut out = json!({
        "id": &*invoice.id,
        "object": "invoice",
        "account_country": account.country,
        "account_name": account.name,
        "auto_advance": invoice.auto_advance,
        "automatic_tax": {
            "disabled_reason": null,
            "enabled": invoice.automatic_tax,
            "liability": invoice.automatic_tax.then(|| json!({ "type": "self" })),
            "provider": invoice.automatic_tax.then_some("stripe"),
            "status": invoice.automatic_tax.then_some("complete"),
        },
        "automatically_finalizes_at": invoice.finalizes,
        "billing_reason": invoice.reason,
        "collection_method": subscriptions_view::collection_method(invoice.days_due),
        "created": invoice.created,
        "currency": invoice.currency.as_str(),
        "customer": customer_view::reference(account, owner.map_or("", |c| &*c.id), expand),
        "default_payment_method": method(account, invoice, expand),
        "default_tax_rates": subscriptions_view::rates(account, &invoice.tax_rates),
        "discounts": discounts(account, &invoice.discounts, expand),
        "due_date": invoice.due_date(),
        "effective_at": invoice.finalized,
        "ending_balance": invoice.finalized.map(|_| 0),
        "hosted_invoice_url": invoice.finalized.map(|_| format!("https://invoice.stripe.com/i/{}/{}", account.id, invoice.id)),
        "invoice_pdf": invoice.finalized.map(|_| format!("https://pay.stripe.com/invoice/{}/{}/pdf", account.id, invoice.id)),
        "issuer": { "type": "self" },
        "lines": lines(account, invoice, &expand.below("lines").below("data")),
        "livemode": account.livemode,
        "metadata": {},
        "next_payment_attempt": attempt(invoice),
        "number": invoice.number.as_deref(),
        "parent": parent(account, invoice, expand),
        "payment_settings": {
            "default_mandate": null,
            "payment_method_options": null,
            "payment_method_types": null,
        },
        "period_end": invoice.period.1,
        "period_start": invoice.period.0,
        "starting_balance": 0,
        "status": invoice.status.word(),
        "status_transitions": {
            "finalized_at": invoice.finalized,
            "marked_uncollectible_at": invoice.closed.filter(|_| invoice.status == InvoiceStatus::Uncollectible),
            "paid_at": invoice.paid,
            "voided_at": invoice.closed.filter(|_| invoice.status == InvoiceStatus::Void),
        },
    });
    for name in UNSET {
        out[name] = Value::Null;
    }
    put(&mut out, person(owner));
    put(&mut out, amounts(account, invoice));
    out
}

fn put(out: &mut Value, more: Value) {
    if let Value::Object(more) = more {
        for (name, value) in more {
            out[name] = value;
        }
    }
}

/// When payment is tried next: of a draft, once it is finalised.
fn attempt(invoice: &Invoice) -> Option<i64> {
    let of_draft = invoice.finalizes.filter(|_| invoice.days_due.is_none());
    invoice.retry.or(of_draft).filter(|_| invoice.auto_advance)
}

fn person(owner: Option<&Customer>) -> Value {
    let rest = |name: &str| owner.map_or(Value::Null, |c| c.rest(name));
    let tax_ids = owner.map(|c| c.tax_ids.iter());
    let tax_ids = tax_ids.into_iter().flatten();
    let tax_ids: Vec<Value> = tax_ids
        .map(|id| json!({ "type": id.kind, "value": &*id.value }))
        .collect();
    let exempt = rest("tax_exempt");
    json!({
        "customer_address": owner.and_then(|c| c.address.as_ref()).map(|a| a.json()),
        "customer_email": owner.and_then(|c| c.email.as_deref()),
        "customer_name": owner.and_then(|c| c.name.as_deref()),
        "customer_phone": rest("phone"),
        "customer_shipping": rest("shipping"),
        "customer_tax_exempt": if exempt.is_null() { json!("none") } else { exempt },
        "customer_tax_ids": tax_ids,
    })
}

fn amounts(account: &Account, invoice: &Invoice) -> Value {
    let paid = invoice.status == InvoiceStatus::Paid;
    let due = invoice.total.max(0);
    let taken = if paid { due } else { 0 };
    let mut off: Vec<(Source, i64)> = Vec::new();
    let mut taxes: BTreeMap<u32, Tax> = BTreeMap::new();
    for line in &invoice.lines {
        for (source, amount) in &line.discounts {
            match off.iter_mut().find(|(known, _)| known == source) {
                Some((_, sum)) => *sum += amount,
                None => off.push((*source, *amount)),
            }
        }
        for tax in &line.taxes {
            let sum = taxes.entry(tax.rate).or_insert(Tax {
                amount: 0,
                taxable: 0,
                ..*tax
            });
            sum.amount += tax.amount;
            sum.taxable += tax.taxable;
        }
    }
    let untaxed: i64 = invoice.lines.iter().map(Line::untaxed).sum();
    let inclusive: i64 = taxes.values().filter(|t| t.inclusive).map(|t| t.amount).sum();
    let off = off
        .into_iter()
        .map(|(source, amount)| discount_amount(account, source, amount));
    json!({
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": taken,
        "amount_paid_off_stripe": 0,
        "amount_remaining": due - taken,
        "amount_shipping": 0,
        "attempt_count": invoice.attempts,
        "attempted": invoice.attempts > 0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "subtotal": invoice.subtotal,
        "subtotal_excluding_tax": invoice.subtotal - inclusive,
        "total": invoice.total,
        "total_discount_amounts": off.collect::<Vec<_>>(),
        "total_excluding_tax": untaxed,
        "total_pretax_credit_amounts": [],
        "total_taxes": taxes.values().map(|t| tax(account, t)).collect::<Vec<_>>(),
    })
}

/// A discount that a preview only supposes has an id that leads nowhere.
fn discount_amount(account: &Account, source: Source, amount: i64) -> Value {
    let known = source
        .discount
        .and_then(|slot| account.pools.discounts().at(slot));
    let seed = ids::mix(&[b"supposed", &source.coupon.to_be_bytes()]);
    let supposed = || ids::object("di_", &account.id, seed);
    let id = known.map_or_else(supposed, |d| d.id.to_string());
    json!({ "amount": amount, "discount": id })
}

fn tax(account: &Account, tax: &Tax) -> Value {
    let rate = account.catalogue.tax_rates.at(tax.rate);
    json!({
        "amount": tax.amount,
        "tax_behavior": if tax.inclusive { "inclusive" } else { "exclusive" },
        "tax_rate_details": { "tax_rate": rate.map_or("", |r| &*r.id) },
        "taxability_reason": "not_available",
        "taxable_amount": tax.taxable,
        "type": "tax_rate_details",
    })
}

fn discounts(account: &Account, slots: &[u32], expand: &Expand) -> Value {
    let known = slots
        .iter()
        .filter_map(|slot| account.pools.discounts().at(*slot));
    let shown = known.map(|discount| {
        if expand.has("discounts") {
            discounts_view::show(account, discount, &expand.below("discounts"))
        } else {
            json!(&*discount.id)
        }
    });
    Value::Array(shown.collect())
}

fn method(account: &Account, invoice: &Invoice, expand: &Expand) -> Value {
    match invoice.method.and_then(|slot| account.methods.at(slot)) {
        Some(method) if expand.has("default_payment_method") => {
            payment_methods_view::show(account, method, &expand.below("default_payment_method"))
        }
        Some(method) => json!(&*method.id),
        None => Value::Null,
    }
}

fn parent(account: &Account, invoice: &Invoice, expand: &Expand) -> Value {
    if invoice.subscription.is_none() {
        return Value::Null;
    }
    let inner = expand.below("parent").below("subscription_details");
    let subscription = subscriptions_view::reference(account, invoice.subscription, "subscription", &inner);
    json!({
        "quote_details": null,
        "subscription_details": { "metadata": invoice.metadata.json(), "subscription": subscription },
        "type": "subscription_details",
    })
}

fn lines(account: &Account, invoice: &Invoice, expand: &Expand) -> Value {
    let shown = invoice.lines.iter().enumerate().take(INLINE);
    let data = shown.map(|(n, l)| line(account, invoice, n, l, expand)).collect();
    let url = format!("/v1/invoices/{}/lines", invoice.id);
    pages::envelope(&url, data, invoice.lines.len() > INLINE)
}

/// Id of the `n`-th line.
pub(crate) fn line_id(account: &Account, invoice: &Invoice, n: usize) -> String {
    let seed = ids::mix(&[b"il", invoice.id.as_bytes(), &n.to_be_bytes()]);
    ids::object("il_", &account.id, seed)
}

/// A line as an answer.
pub(crate) fn line(account: &Account, invoice: &Invoice, n: usize, line: &Line, expand: &Expand) -> Value {
    let price = account.catalogue.prices.at(line.price);
    let own: Vec<u32> = of_item(account, &line.discounts);
    let off = line.discounts.iter();
    let off = off.map(|(source, amount)| discount_amount(account, *source, *amount));
    json!({
        "id": line_id(account, invoice, n),
        "object": "line_item",
        "amount": line.amount,
        "currency": invoice.currency.as_str(),
        "description": description(account, price, line),
        "discount_amounts": off.collect::<Vec<_>>(),
        "discountable": !line.proration,
        "discounts": discounts(account, &own, expand),
        "invoice": &*invoice.id,
        "livemode": account.livemode,
        "metadata": invoice.metadata.json(),
        "parent": line_parent(account, invoice, line),
        "period": { "end": line.period.1, "start": line.period.0 },
        "pretax_credit_amounts": [],
        "pricing": price.map(|price| pricing(price, invoice.currency)),
        "quantity": line.quantity,
        "quantity_decimal": line.quantity.to_string(),
        "subscription": subscriptions_view::reference(account, invoice.subscription, "subscription", expand),
        "subtotal": line.amount,
        "taxes": line.taxes.iter().map(|t| tax(account, t)).collect::<Vec<_>>(),
    })
}

/// Discounts that are on an item, not on all of the bill.
fn of_item(account: &Account, discounts: &[(Source, i64)]) -> Vec<u32> {
    let slots = discounts.iter().filter_map(|(source, _)| source.discount);
    slots
        .filter(|slot| {
            let discount = account.pools.discounts().at(*slot);
            discount.is_some_and(|d| matches!(d.on, crate::rehearsal::pools::On::Item(..)))
        })
        .collect()
}

fn description(account: &Account, price: Option<&Price>, line: &Line) -> String {
    let product = price.and_then(|price| account.catalogue.products.get(&price.product));
    let name = product.map_or("", |product| &*product.name);
    format!("{} × {name}", line.quantity)
}

fn pricing(price: &Price, cur: Cur) -> Value {
    let amounts = if price.currency == cur {
        Some(&price.base)
    } else {
        price.options.get(&cur)
    };
    let unit = amounts.and_then(|a| a.unit.as_ref()).map(Decimal::as_str);
    json!({
        "price_details": { "price": &*price.id, "product": &*price.product },
        "type": "price_details",
        "unit_amount_decimal": unit,
    })
}

fn line_parent(account: &Account, invoice: &Invoice, line: &Line) -> Value {
    let subscription = invoice
        .subscription
        .and_then(|slot| account.billing.subscriptions.at(slot));
    match (line.item, subscription) {
        (Some(n), subscription) => {
            let item = subscription.map_or_else(
                || format!("si_{}", ids::alnum(ids::mix(&[b"preview", &[n]]), 14)),
                |s| subscriptions_view::item_id(s, usize::from(n)),
            );
            json!({
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null,
                    "proration": line.proration,
                    "proration_details": null,
                    "subscription": subscription.map(|s| &*s.id),
                    "subscription_item": item,
                },
                "type": "subscription_item_details",
            })
        }
        (None, subscription) => json!({
            "invoice_item_details": {
                "invoice_item": ids::object("ii_", &account.id, ids::mix(&[b"ii", invoice.id.as_bytes()])),
                "proration": false,
                "proration_details": null,
                "subscription": subscription.map(|s| &*s.id),
            },
            "subscription_item_details": null,
            "type": "invoice_item_details",
        }),
    }
}
