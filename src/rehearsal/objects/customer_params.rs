//! What creating, updating and listing customers takes (`POST /v1/customers`, `POST /v1/customers/{customer}`).

use super::tax_ids;
use crate::rehearsal::params::{P, Ty, opt, req};

/// A postal address.
pub(crate) const ADDRESS: &[P] = &[
    opt("city", Ty::Text(5000)),
    opt("country", Ty::Text(5000)),
    opt("line1", Ty::Text(5000)),
    opt("line2", Ty::Text(5000)),
    opt("postal_code", Ty::Text(5000)),
    opt("state", Ty::Text(5000)),
];
const SHIPPING: &[P] = &[
    req("address", Ty::Hash(ADDRESS)),
    req("name", Ty::Text(5000)),
    opt("phone", Ty::Text(5000)),
];
const CUSTOM_FIELDS: &[P] = &[req("name", Ty::Text(40)), req("value", Ty::Text(140))];
const RENDERING: &[P] = &[
    opt(
        "amount_tax_display",
        Ty::Enum(&["", "exclude_tax", "include_inclusive_tax"]),
    ),
    opt("template", Ty::Text(5000)),
];
const INVOICE_SETTINGS: &[P] = &[
    opt("custom_fields", Ty::Hashes(CUSTOM_FIELDS)),
    opt("default_payment_method", Ty::Text(5000)),
    opt("footer", Ty::Text(5000)),
    opt("rendering_options", Ty::Hash(RENDERING)),
];
const CASH_SETTINGS: &[P] = &[opt(
    "reconciliation_mode",
    Ty::Enum(&["automatic", "manual", "merchant_default"]),
)];
const CASH: &[P] = &[opt("settings", Ty::Hash(CASH_SETTINGS))];
const TAX: &[P] = &[
    opt("ip_address", Ty::Text(5000)),
    opt(
        "validate_location",
        Ty::Enum(&["auto", "deferred", "immediately"]),
    ),
];

/// What both creating and updating take.
pub(crate) const WRITE: &[P] = &[
    opt("address", Ty::Hash(ADDRESS)),
    opt("balance", Ty::Int),
    opt("business_name", Ty::Text(150)),
    opt("cash_balance", Ty::Hash(CASH)),
    opt("description", Ty::Text(5000)),
    opt("email", Ty::Text(512)),
    opt("individual_name", Ty::Text(150)),
    opt("invoice_prefix", Ty::Text(12)),
    opt("invoice_settings", Ty::Hash(INVOICE_SETTINGS)),
    opt("metadata", Ty::Metadata),
    opt("name", Ty::Text(256)),
    opt("next_invoice_sequence", Ty::Int),
    opt("phone", Ty::Text(20)),
    opt("preferred_locales", Ty::Texts),
    opt("shipping", Ty::Hash(SHIPPING)),
    opt("source", Ty::Text(5000)),
    opt("tax", Ty::Hash(TAX)),
    opt("tax_exempt", Ty::Enum(&["", "exempt", "none", "reverse"])),
];
/// What only creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("payment_method", Ty::Id),
    opt("tax_id_data", Ty::Hashes(tax_ids::CREATE)),
    opt("test_clock", Ty::Text(5000)),
];
/// What only updating takes.
pub(crate) const UPDATE: &[P] = &[opt("default_source", Ty::Id)];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("created", Ty::Range),
    opt("email", Ty::Text(512)),
    opt("test_clock", Ty::Text(5000)),
];
/// Settings of a cash balance.
pub(crate) const CASH_BALANCE: &[P] = CASH;
