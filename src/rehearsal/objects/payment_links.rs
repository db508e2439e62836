//! `/v1/payment_links`, read only: list, retrieve, line items. The world makes them.

use serde_json::{Value, json};

use super::prices_view;
use crate::rehearsal::call::{Answer, Call};
use crate::rehearsal::catalogue::{Decimal, Link, Price};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::ids;
use crate::rehearsal::pages::{self, Row};
use crate::rehearsal::params::{P, Ty, opt};
use crate::rehearsal::world::Account;

const NAME: &str = "payment link";
/// Line items shown inside a link; the rest is found in its own list.
const INLINE: usize = 10;

/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[opt("active", Ty::Bool)];

/// `GET /v1/payment_links`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::PaymentLink)?;
    let page = call.page()?;
    let (params, account) = (call.params, &*call.account);
    let links = &account.catalogue.links;
    let cursor = |id: &str| links.slot(id).map(|s| s as usize);
    let keep = |link: &Link| params.flag("active").is_none_or(|a| a == link.active);
    let (data, more) = page.cut(links.rows(), NAME, cursor, keep)?;
    let data = data.into_iter().map(|l| show(account, l, &expand));
    Ok(pages::envelope("/v1/payment_links", data.collect(), more))
}

/// `GET /v1/payment_links/{payment_link}`
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::PaymentLink)?;
    let link = found(call)?;
    Ok(show(call.account, link, &expand))
}

/// `GET /v1/payment_links/{payment_link}/line_items`
pub(crate) fn line_items(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::LineItem)?;
    let page = call.page()?;
    let link = found(call)?;
    let rows = lines(call.account, link);
    let (data, more) = page.cut(&rows, "line item", |id| pages::place(&rows, id), |_| true)?;
    let data = data
        .into_iter()
        .map(|line| show_line(call.account, line, &expand));
    Ok(pages::envelope(call.path, data.collect(), more))
}

fn found<'a>(call: &'a Call<'_>) -> Result<&'a Link, Refusal> {
    let id = call.arg(0);
    let link = call.account.catalogue.links.get(id);
    link.ok_or_else(|| Refusal::missing(NAME, id, "payment_link", true))
}

/// A line item with the id derived for it.
struct Line<'a> {
    id: String,
    created: i64,
    price: &'a Price,
    quantity: i64,
}

impl Row for Line<'_> {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

fn lines<'a>(account: &'a Account, link: &Link) -> Vec<Line<'a>> {
    let of = |(slot, quantity): &(u32, i64)| {
        let seed = ids::mix(&[b"line", link.id.as_bytes(), &slot.to_be_bytes()]);
        Some(Line {
            id: ids::object("li_", &account.id, seed),
            created: link.created,
            price: account.catalogue.prices.at(*slot)?,
            quantity: *quantity,
        })
    };
    link.items.iter().filter_map(of).collect()
}

fn show_line(account: &Account, line: &Line<'_>, expand: &Expand) -> Value {
    let price = line.price;
    let product = account.catalogue.products.get(&price.product);
    // What the customer chooses is counted from what is proposed.
    let custom = price.base.custom.and_then(|c| c.preset);
    let each = price.base.unit.as_ref().and_then(Decimal::integer);
    let total = each.or(custom).unwrap_or(0).saturating_mul(line.quantity);
    json!({
        "id": line.id,
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price.currency.as_str(),
        "description": product.map(|p| &*p.name),
        "metadata": {},
        "price": prices_view::show(account, price, &expand.below("price")),
        "quantity": line.quantity,
    })
}

fn show(account: &Account, link: &Link, expand: &Expand) -> Value {
    let rows = lines(account, link);
    let currency = rows.first().map_or("usd", |line| line.price.currency.as_str());
    let mode = if account.livemode { "" } else { "test_" };
    let slug = ids::alnum(ids::mix(&[b"url", link.id.as_bytes()]), 14);
    let mut out = json!({
        "id": &*link.id,
        "object": "payment_link",
        "active": link.active,
        "after_completion": { "hosted_confirmation": { "custom_message": null }, "type": "hosted_confirmation" },
        "allow_promotion_codes": false,
        "application": null,
        "application_fee_amount": null,
        "application_fee_percent": null,
        "automatic_tax": { "enabled": false, "liability": null },
        "billing_address_collection": "auto",
        "consent_collection": null,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null,
            "shipping_address": null,
            "submit": null,
            "terms_of_service_acceptance": null,
        },
        "customer_creation": "if_required",
        "inactive_message": null,
        "invoice_creation": null,
        "livemode": account.livemode,
        "metadata": {},
        "on_behalf_of": null,
        "payment_intent_data": null,
        "payment_method_collection": "always",
        "payment_method_types": null,
        "phone_number_collection": { "enabled": false },
        "restrictions": null,
        "shipping_address_collection": null,
        "shipping_options": [],
        "submit_type": "auto",
        "subscription_data": null,
        "tax_id_collection": { "enabled": false, "required": "never" },
        "transfer_data": null,
        "url": format!("https://buy.stripe.com/{mode}{slug}"),
    });
    if expand.has("line_items") {
        let inner = expand.below("line_items").below("data");
        let more = rows.len() > INLINE;
        let newest = rows.iter().rev().take(INLINE);
        let data = newest.map(|line| show_line(account, line, &inner)).collect();
        let url = format!("/v1/payment_links/{}/line_items", link.id);
        out["line_items"] = pages::envelope(&url, data, more);
    }
    out
}
