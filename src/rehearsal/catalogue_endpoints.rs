//! The part of the table of endpoints that is about what an account sells.

use super::endpoints::{EXPAND_ONLY, Endpoint, NO_PARAMS, e};
use super::objects::{payment_links, prices, prices_params, products, tax_rates, tax_settings};
use super::params::{EXPAND, PAGE};

/// Fixed segments stand before placeholders: the first match wins.
pub(crate) static CATALOGUE: &[Endpoint] = &[
    e(
        "GET",
        "/v1/products",
        "product",
        &[PAGE, products::LIST],
        products::list,
    ),
    e(
        "POST",
        "/v1/products",
        "product",
        &[EXPAND, products::WRITE, products::CREATE],
        products::create,
    ),
    e(
        "GET",
        "/v1/products/{id}",
        "product",
        EXPAND_ONLY,
        products::retrieve,
    ),
    e(
        "POST",
        "/v1/products/{id}",
        "product",
        &[EXPAND, products::WRITE, products::UPDATE],
        products::update,
    ),
    e(
        "DELETE",
        "/v1/products/{id}",
        "product",
        NO_PARAMS,
        products::delete,
    ),
    e(
        "GET",
        "/v1/prices",
        "price",
        &[PAGE, prices_params::LIST],
        prices::list,
    ),
    e(
        "POST",
        "/v1/prices",
        "price",
        &[EXPAND, prices_params::CREATE],
        prices::create,
    ),
    e(
        "GET",
        "/v1/prices/{price}",
        "price",
        EXPAND_ONLY,
        prices::retrieve,
    ),
    e(
        "POST",
        "/v1/prices/{price}",
        "price",
        &[EXPAND, prices_params::UPDATE],
        prices::update,
    ),
    e(
        "GET",
        "/v1/tax_rates",
        "tax_rate",
        &[PAGE, tax_rates::LIST],
        tax_rates::list,
    ),
    e(
        "POST",
        "/v1/tax_rates",
        "tax_rate",
        &[EXPAND, tax_rates::WRITE, tax_rates::CREATE],
        tax_rates::create,
    ),
    e(
        "GET",
        "/v1/tax_rates/{tax_rate}",
        "tax_rate",
        EXPAND_ONLY,
        tax_rates::retrieve,
    ),
    e(
        "POST",
        "/v1/tax_rates/{tax_rate}",
        "tax_rate",
        &[EXPAND, tax_rates::WRITE, tax_rates::UPDATE],
        tax_rates::update,
    ),
    e(
        "GET",
        "/v1/tax/settings",
        "tax_settings",
        EXPAND_ONLY,
        tax_settings::retrieve,
    ),
    e(
        "POST",
        "/v1/tax/settings",
        "tax_settings",
        &[EXPAND, tax_settings::UPDATE],
        tax_settings::update,
    ),
    e(
        "GET",
        "/v1/tax/registrations",
        "tax_registration",
        &[PAGE, tax_settings::LIST],
        tax_settings::list,
    ),
    e(
        "GET",
        "/v1/tax/registrations/{id}",
        "tax_registration",
        EXPAND_ONLY,
        tax_settings::retrieve_registration,
    ),
    e(
        "GET",
        "/v1/payment_links",
        "payment_link",
        &[PAGE, payment_links::LIST],
        payment_links::list,
    ),
    e(
        "GET",
        "/v1/payment_links/{payment_link}",
        "payment_link",
        EXPAND_ONLY,
        payment_links::retrieve,
    ),
    e(
        "GET",
        "/v1/payment_links/{payment_link}/line_items",
        "payment_link",
        &[PAGE],
        payment_links::line_items,
    ),
];
