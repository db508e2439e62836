//! How a product looks.

use serde_json::{Value, json};

use super::prices_view;
use crate::rehearsal::catalogue::Product;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::world::Account;

/// Names of the tax codes that worlds use (docs.stripe.com/tax/tax-codes).
const TAX_CODES: [(&str, &str); 4] = [
    ("txcd_10000000", "General - Electronically Supplied Services"),
    ("txcd_10103000", "Software as a service (SaaS) - personal use"),
    ("txcd_20030000", "General - Services"),
    ("txcd_99999999", "General - Tangible Goods"),
];

/// The product as an answer.
pub(crate) fn show(account: &Account, product: &Product, expand: &Expand) -> Value {
    let rest = |name: &str| product.rest.get(name).cloned().unwrap_or(Value::Null);
    let list = |name: &str| product.rest.get(name).cloned().unwrap_or_else(|| json!([]));
    let default = product.default_price.as_deref();
    let default = match default.and_then(|id| account.catalogue.prices.get(id)) {
        Some(price) if expand.has("default_price") => {
            prices_view::show(account, price, &expand.below("default_price"))
        }
        _ => json!(default),
    };
    let code = match rest("tax_code") {
        Value::String(id) if expand.has("tax_code") => tax_code(&id),
        code => code,
    };
    json!({
        "id": &*product.id,
        "object": "product",
        "active": product.active,
        "created": product.created,
        "default_price": default,
        "description": rest("description"),
        "images": list("images"),
        "livemode": account.livemode,
        "marketing_features": list("marketing_features"),
        "metadata": product.metadata.json(),
        "name": &*product.name,
        "package_dimensions": rest("package_dimensions"),
        "shippable": rest("shippable"),
        "statement_descriptor": rest("statement_descriptor"),
        "tax_code": code,
        "unit_label": rest("unit_label"),
        "updated": product.updated,
        "url": rest("url"),
    })
}

fn tax_code(id: &str) -> Value {
    let known = TAX_CODES.iter().find(|(code, _)| *code == id);
    let name = known.map_or("Other", |(_, name)| *name);
    json!({ "id": id, "object": "tax_code", "description": name, "name": name })
}

/// `product` inside another object: the id, or the whole when expanded.
pub(crate) fn reference(account: &Account, id: &str, expand: &Expand) -> Value {
    match account.catalogue.products.get(id) {
        Some(product) if expand.has("product") => show(account, product, &expand.below("product")),
        _ => json!(id),
    }
}
