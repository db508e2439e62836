//! `/v1/products`: create, retrieve, update, delete, list.

use serde_json::{Map, Value, json};

use super::{prices_build, prices_view, products_view};
use crate::rehearsal::call::{Answer, Call, nullable};
use crate::rehearsal::catalogue::{Price, Product};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::expand::{Expand, Kind};
use crate::rehearsal::ids;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::objects::customers::changed;
use crate::rehearsal::pages;
use crate::rehearsal::params::{P, Params, Ty, opt, req};
use crate::rehearsal::world::Account;

pub(crate) const NAME: &str = "product";
/// Most images and marketing features a product may have.
const IMAGES: usize = 8;
const FEATURES: usize = 15;

const FEATURE: &[P] = &[req("name", Ty::Text(80))];
const DIMENSIONS: &[P] = &[
    req("height", Ty::Decimal(12)),
    req("length", Ty::Decimal(12)),
    req("weight", Ty::Decimal(12)),
    req("width", Ty::Decimal(12)),
];
/// What both creating and updating take.
pub(crate) const WRITE: &[P] = &[
    opt("active", Ty::Bool),
    opt("description", Ty::Text(40_000)),
    opt("images", Ty::TextsOrNone),
    opt("marketing_features", Ty::Hashes(FEATURE)),
    opt("metadata", Ty::Metadata),
    opt("package_dimensions", Ty::Hash(DIMENSIONS)),
    opt("shippable", Ty::Bool),
    opt("statement_descriptor", Ty::Text(22)),
    opt("tax_code", Ty::Text(5000)),
    opt("unit_label", Ty::Text(12)),
    opt("url", Ty::Text(5000)),
];
/// What only creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("default_price_data", Ty::Hash(super::prices_params::DEFAULT_DATA)),
    opt("id", Ty::Id),
    req("name", Ty::Id),
];
/// What only updating takes.
pub(crate) const UPDATE: &[P] = &[opt("default_price", Ty::Id), opt("name", Ty::Id)];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("active", Ty::Bool),
    opt("created", Ty::Range),
    opt("ids", Ty::Texts),
    opt("shippable", Ty::Bool),
    opt("url", Ty::Text(5000)),
];

/// `POST /v1/products`
pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Product)?;
    let params = call.params;
    let id = new_id(call, params)?;
    let created = Account::stamp(&call.account.catalogue.products, call.now);
    let mut product = build(params, &id, created)?;
    let price = match params.hash("default_price_data") {
        Some(data) => {
            let price_id = call.new_id("price_");
            let at = Account::stamp(&call.account.catalogue.prices, call.now);
            let price = prices_build::build(&call.account.catalogue, data, &price_id, &id, at)?;
            product.default_price = Some(price_id.into());
            Some(price)
        }
        None => None,
    };
    Ok(add(call, product, price, &expand))
}

/// A product made while creating a price (`product_data`).
pub(crate) fn create_inline(call: &mut Call<'_>, data: Params<'_>) -> Result<Product, Refusal> {
    let id = new_id(call, data)?;
    let created = Account::stamp(&call.account.catalogue.products, call.now);
    build(data, &id, created)
}

/// Puts a product and its first price into the catalogue; the product's event is told first.
pub(crate) fn add(call: &mut Call<'_>, product: Product, price: Option<Price>, expand: &Expand) -> Value {
    let (id, metadata) = (product.id.clone(), product.metadata.clone());
    call.catalogued(&id, &metadata);
    let slot = call.account.catalogue.products.push(product);
    let added = price.map(|price| {
        call.catalogued(&price.id, &price.metadata);
        call.account.catalogue.prices.push(price)
    });
    let object = show(call, slot, &Expand::default());
    call.event("product.created", object, None);
    if let Some(price) = added.and_then(|slot| call.account.catalogue.prices.at(slot)) {
        let object = prices_view::show(call.account, price, &Expand::default());
        call.event("price.created", object, None);
    }
    show(call, slot, expand)
}

fn new_id(call: &mut Call<'_>, params: Params<'_>) -> Result<String, Refusal> {
    match params.text("id") {
        Some(id) if call.account.catalogue.product(id).is_some() => {
            let mut refused = Refusal::rejected(Some("id"), "Product already exists.".to_owned());
            refused.code = Some("resource_already_exists");
            Err(refused)
        }
        Some(id) => Ok(id.to_owned()),
        None => Ok(format!("prod_{}", ids::alnum(call.new_seed("prod_"), 14))),
    }
}

/// A product of these parameters, not yet in any catalogue.
pub(crate) fn build(params: Params<'_>, id: &str, created: i64) -> Result<Product, Refusal> {
    let mut product = Product {
        id: id.into(),
        created,
        updated: created,
        deleted: false,
        active: true,
        name: params.text("name").unwrap_or_default().into(),
        default_price: None,
        metadata: Metadata::default(),
        rest: Map::new(),
    };
    check(params)?;
    apply(&mut product, params);
    Ok(product)
}

/// Everything about a product's own fields that can be refused.
fn check(params: Params<'_>) -> Result<(), Refusal> {
    let images = params.texts("images");
    for (param, given, most) in [
        ("images", images.len(), IMAGES),
        (
            "marketing_features",
            params.hashes("marketing_features").count(),
            FEATURES,
        ),
    ] {
        if given > most {
            let message = format!("Invalid array: {param} may have at most {most} elements.");
            return Err(Refusal::invalid(param, message));
        }
    }
    let url = params.text("url").filter(|u| !u.is_empty());
    for (param, url) in images
        .iter()
        .map(|i| ("images", *i))
        .chain(url.map(|u| ("url", u)))
    {
        if !["http://", "https://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(Refusal::invalid_code(
                param,
                "url_invalid",
                "Not a valid URL".to_owned(),
            ));
        }
    }
    match params
        .text("tax_code")
        .filter(|c| !c.is_empty() && !is_tax_code(c))
    {
        None => Ok(()),
        Some(code) => Err(Refusal::missing("tax code", code, "tax_code", false)),
    }
}

/// `txcd_` and eight digits.
pub(crate) fn is_tax_code(code: &str) -> bool {
    let digits = code.strip_prefix("txcd_").unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn apply(product: &mut Product, params: Params<'_>) {
    product.active = params.flag("active").unwrap_or(product.active);
    product.metadata.merge(params.node("metadata"));
    if let Some(name) = params.text("name") {
        product.name = name.into();
    }
    for name in [
        "description",
        "statement_descriptor",
        "tax_code",
        "unit_label",
        "url",
    ] {
        if let Some(text) = params.text(name) {
            product.rest.insert(name.into(), nullable(Some(text)));
        }
    }
    if let Some(shippable) = params.flag("shippable") {
        product.rest.insert("shippable".into(), json!(shippable));
    }
    if params.node("images").is_some() {
        product
            .rest
            .insert("images".into(), json!(params.texts("images")));
    }
    if params.node("marketing_features").is_some() {
        let features = params.hashes("marketing_features");
        let features: Vec<Value> = features.map(|f| json!({ "name": f.text("name") })).collect();
        product.rest.insert("marketing_features".into(), json!(features));
    }
    if let Some(given) = params.hash("package_dimensions") {
        product
            .rest
            .insert("package_dimensions".into(), dimensions(given));
    }
}

fn dimensions(given: Params<'_>) -> Value {
    if given.0.text().is_some() {
        return Value::Null;
    }
    let names = ["height", "length", "weight", "width"];
    let shown = names.map(|name| {
        let text = given.text(name).unwrap_or("0");
        let number = serde_json::from_str(text).unwrap_or(Value::Null);
        (name.to_owned(), number)
    });
    Value::Object(shown.into_iter().collect())
}

/// `GET /v1/products/{id}`: a deleted one is not found.
pub(crate) fn retrieve(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Product)?;
    let product = call.account.catalogue.product(call.arg(0));
    let product = product.ok_or_else(|| Refusal::missing(NAME, call.arg(0), "id", true))?;
    Ok(products_view::show(call.account, product, &expand))
}

/// `GET /v1/products`
pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let expand = call.expand_list(Kind::Product)?;
    let page = call.page()?;
    let (params, account) = (call.params, &*call.account);
    let ids = params.texts("ids");
    let cursor = ["starting_after", "ending_before"]
        .into_iter()
        .find(|c| params.text(c).is_some());
    if let Some(cursor) = cursor.filter(|_| !ids.is_empty()) {
        let message = format!("You may only specify one of these parameters: ids, {cursor}.");
        return Err(Refusal::invalid_code("ids", "parameters_exclusive", message));
    }
    let keep = |product: &Product| {
        params.flag("active").is_none_or(|a| a == product.active)
            && (ids.is_empty() || ids.iter().any(|id| *product.id == **id))
            && params
                .flag("shippable")
                .is_none_or(|s| product.rest.get("shippable") == Some(&json!(s)))
            && params
                .text("url")
                .is_none_or(|u| product.rest.get("url") == Some(&json!(u)))
    };
    let products = &account.catalogue.products;
    let slot = |id: &str| products.slot(id).map(|s| s as usize);
    let (data, more) = page.cut(products.rows(), NAME, slot, keep)?;
    let data = data.into_iter().map(|p| products_view::show(account, p, &expand));
    Ok(pages::envelope("/v1/products", data.collect(), more))
}

/// `POST /v1/products/{id}`
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let expand = call.expand(Kind::Product)?;
    let slot = slot(call)?;
    let (params, now) = (call.params, call.now);
    check(params)?;
    let default = checked_default(call, slot)?;
    let before = show(call, slot, &Expand::default());
    let Some(product) = call.account.catalogue.products.at_mut(slot) else {
        return Err(Refusal::missing(NAME, call.arg(0), "id", true));
    };
    apply(product, params);
    product.default_price = default.or(product.default_price.take());
    product.updated = product.updated.max(now);
    let (id, metadata) = (product.id.clone(), product.metadata.clone());
    call.catalogued(&id, &metadata);
    let after = show(call, slot, &Expand::default());
    let previous = changed(&before, &after);
    call.event("product.updated", after, Some(previous));
    Ok(show(call, slot, &expand))
}

/// The price `default_price` names: one of this product's.
fn checked_default(call: &Call<'_>, slot: u32) -> Result<Option<Box<str>>, Refusal> {
    let Some(id) = call.params.text("default_price") else {
        return Ok(None);
    };
    let price = call.account.catalogue.prices.get(id);
    let price = price.ok_or_else(|| Refusal::missing("price", id, "default_price", false))?;
    let product = call.account.catalogue.products.at(slot);
    if product.is_none_or(|p| p.id != price.product) {
        let message = "The price specified does not belong to this product.".to_owned();
        return Err(Refusal::rejected(Some("default_price"), message));
    }
    if !price.active {
        let message = "The price specified is inactive. This field only accepts active prices.".to_owned();
        return Err(Refusal::rejected(Some("default_price"), message));
    }
    Ok(Some(price.id.clone()))
}

/// `DELETE /v1/products/{id}`: only without prices.
pub(crate) fn delete(call: &mut Call<'_>) -> Answer {
    let slot = slot(call)?;
    let id = call.arg(0).to_owned();
    let catalogue = &mut call.account.catalogue;
    if catalogue.prices.rows().iter().any(|p| *p.product == *id) {
        let message =
            "This product cannot be deleted because it has one or more user-created prices.".to_owned();
        return Err(Refusal::rejected(None, message));
    }
    if let Some(product) = catalogue.products.at_mut(slot) {
        (product.active, product.deleted) = (false, true);
    }
    // The id may be used again.
    catalogue.products.forget(slot);
    call.catalogued(&id, &Metadata::default());
    let last = show(call, slot, &Expand::default());
    call.event("product.deleted", last, None);
    Ok(json!({ "id": id, "object": "product", "deleted": true }))
}

fn slot(call: &Call<'_>) -> Result<u32, Refusal> {
    let id = call.arg(0);
    let found = call.account.catalogue.products.slot(id);
    found.ok_or_else(|| Refusal::missing(NAME, id, "id", true))
}

fn show(call: &Call<'_>, slot: u32, expand: &Expand) -> Value {
    let product = call.account.catalogue.products.at(slot);
    product.map_or(Value::Null, |p| products_view::show(call.account, p, expand))
}
