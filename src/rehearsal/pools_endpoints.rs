//! The part of the table of endpoints that is about coupons, promotion codes and discounts.

use super::endpoints::{EXPAND_ONLY, Endpoint, NO_PARAMS, e};
use super::objects::{coupons, discounts, promotion_codes};
use super::params::{EXPAND, PAGE};

pub(crate) static POOLS: &[Endpoint] = &[
    e(
        "GET",
        "/v1/customers/{customer}/discount",
        "customer",
        EXPAND_ONLY,
        discounts::retrieve,
    ),
    e(
        "DELETE",
        "/v1/customers/{customer}/discount",
        "customer",
        NO_PARAMS,
        discounts::delete,
    ),
    e(
        "GET",
        "/v1/coupons",
        "coupon",
        &[PAGE, coupons::LIST],
        coupons::list,
    ),
    e(
        "POST",
        "/v1/coupons",
        "coupon",
        &[EXPAND, coupons::WRITE, coupons::CREATE],
        coupons::create,
    ),
    e(
        "GET",
        "/v1/coupons/{coupon}",
        "coupon",
        EXPAND_ONLY,
        coupons::retrieve,
    ),
    e(
        "POST",
        "/v1/coupons/{coupon}",
        "coupon",
        &[EXPAND, coupons::WRITE],
        coupons::update,
    ),
    e(
        "DELETE",
        "/v1/coupons/{coupon}",
        "coupon",
        NO_PARAMS,
        coupons::delete,
    ),
    e(
        "GET",
        "/v1/promotion_codes",
        "promotion_code",
        &[PAGE, promotion_codes::LIST],
        promotion_codes::list,
    ),
    e(
        "POST",
        "/v1/promotion_codes",
        "promotion_code",
        &[EXPAND, promotion_codes::CREATE],
        promotion_codes::create,
    ),
    e(
        "GET",
        "/v1/promotion_codes/{promotion_code}",
        "promotion_code",
        EXPAND_ONLY,
        promotion_codes::retrieve,
    ),
    e(
        "POST",
        "/v1/promotion_codes/{promotion_code}",
        "promotion_code",
        &[EXPAND, promotion_codes::UPDATE],
        promotion_codes::update,
    ),
];
