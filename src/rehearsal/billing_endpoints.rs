//! Endpoints of what bills: subscriptions, their items and schedules, invoices. A part of the table in `endpoints`.

use super::endpoints::{EXPAND_ONLY, Endpoint, e};
use super::objects::{
    invoices, preview, schedules, subscription_items, subscriptions, subscriptions_create,
    subscriptions_write,
};
use super::params::{EXPAND, PAGE};

pub(super) static BILLING: &[Endpoint] = &[
    e(
        "GET",
        "/v1/subscriptions",
        "subscription",
        &[PAGE, subscriptions::LIST],
        subscriptions::list,
    ),
    e(
        "POST",
        "/v1/subscriptions",
        "subscription",
        &[EXPAND, subscriptions_create::CREATE],
        subscriptions_create::create,
    ),
    e(
        "GET",
        "/v1/subscriptions/{subscription_exposed_id}",
        "subscription",
        EXPAND_ONLY,
        subscriptions::retrieve,
    ),
    e(
        "POST",
        "/v1/subscriptions/{subscription_exposed_id}",
        "subscription",
        &[EXPAND, subscriptions_write::UPDATE],
        subscriptions_write::update,
    ),
    e(
        "DELETE",
        "/v1/subscriptions/{subscription_exposed_id}",
        "subscription",
        &[EXPAND, subscriptions_write::CANCEL],
        subscriptions_write::cancel,
    ),
    e(
        "POST",
        "/v1/subscriptions/{subscription}/resume",
        "subscription",
        &[EXPAND, subscriptions_write::RESUME],
        subscriptions_write::resume,
    ),
    e(
        "GET",
        "/v1/subscription_items",
        "subscription",
        &[PAGE, subscription_items::LIST],
        subscription_items::list,
    ),
    e(
        "GET",
        "/v1/subscription_schedules",
        "subscription",
        &[PAGE, schedules::LIST],
        schedules::list,
    ),
    e(
        "POST",
        "/v1/subscription_schedules",
        "subscription",
        &[EXPAND, schedules::CREATE],
        schedules::create,
    ),
    e(
        "GET",
        "/v1/subscription_schedules/{schedule}",
        "subscription",
        EXPAND_ONLY,
        schedules::retrieve,
    ),
    e(
        "POST",
        "/v1/subscription_schedules/{schedule}",
        "subscription",
        &[EXPAND, schedules::UPDATE],
        schedules::update,
    ),
    e(
        "POST",
        "/v1/subscription_schedules/{schedule}/cancel",
        "subscription",
        &[EXPAND, schedules::CANCEL],
        schedules::cancel,
    ),
    e(
        "POST",
        "/v1/subscription_schedules/{schedule}/release",
        "subscription",
        &[EXPAND, schedules::RELEASE],
        schedules::release,
    ),
    e(
        "GET",
        "/v1/invoices",
        "invoice",
        &[PAGE, invoices::LIST],
        invoices::list,
    ),
    e(
        "POST",
        "/v1/invoices/create_preview",
        "invoice",
        &[EXPAND, preview::CREATE],
        preview::create,
    ),
    e(
        "GET",
        "/v1/invoices/{invoice}",
        "invoice",
        EXPAND_ONLY,
        invoices::retrieve,
    ),
    e(
        "GET",
        "/v1/invoices/{invoice}/lines",
        "invoice",
        &[PAGE],
        invoices::lines,
    ),
];
