//! What creating, updating and listing prices takes (`POST /v1/prices`, `POST /v1/prices/{price}`). Amount, currency,
//! recurrence, product and tiers are missing from an update: they cannot be changed.

use crate::rehearsal::params::{P, Ty, opt, req};

pub(crate) const BEHAVIORS: [&str; 3] = ["exclusive", "inclusive", "unspecified"];
pub(crate) const INTERVALS: [&str; 4] = ["day", "month", "week", "year"];
pub(crate) const MODES: [&str; 2] = ["graduated", "volume"];
pub(crate) const ROUNDINGS: [&str; 2] = ["down", "up"];

const CUSTOM: &[P] = &[
    req("enabled", Ty::Bool),
    opt("maximum", Ty::Int),
    opt("minimum", Ty::Int),
    opt("preset", Ty::Int),
];
const TIER: &[P] = &[
    opt("flat_amount", Ty::Int),
    opt("flat_amount_decimal", Ty::Decimal(12)),
    opt("unit_amount", Ty::Int),
    opt("unit_amount_decimal", Ty::Decimal(12)),
    req("up_to", Ty::IntOr("inf")),
];
const OPTION: &[P] = &[
    opt("custom_unit_amount", Ty::Hash(CUSTOM)),
    opt("tax_behavior", Ty::Enum(&BEHAVIORS)),
    opt("tiers", Ty::Hashes(TIER)),
    opt("unit_amount", Ty::Int),
    opt("unit_amount_decimal", Ty::Decimal(12)),
];
const PRODUCT: &[P] = &[
    opt("active", Ty::Bool),
    opt("id", Ty::Id),
    opt("metadata", Ty::Metadata),
    req("name", Ty::Id),
    opt("statement_descriptor", Ty::Text(22)),
    opt("tax_code", Ty::Text(5000)),
    opt("unit_label", Ty::Text(12)),
];
const RECURRING: &[P] = &[
    req("interval", Ty::Enum(&INTERVALS)),
    opt("interval_count", Ty::Int),
    opt("meter", Ty::Id),
    opt("usage_type", Ty::Enum(&["licensed", "metered"])),
];
const SIMPLE_RECURRING: &[P] = &[
    req("interval", Ty::Enum(&INTERVALS)),
    opt("interval_count", Ty::Int),
];
const TRANSFORM: &[P] = &[req("divide_by", Ty::Int), req("round", Ty::Enum(&ROUNDINGS))];

/// What creating takes.
pub(crate) const CREATE: &[P] = &[
    opt("active", Ty::Bool),
    opt("billing_scheme", Ty::Enum(&["per_unit", "tiered"])),
    req("currency", Ty::Text(3)),
    opt("currency_options", Ty::Map(OPTION)),
    opt("custom_unit_amount", Ty::Hash(CUSTOM)),
    opt("lookup_key", Ty::Text(200)),
    opt("metadata", Ty::Metadata),
    opt("nickname", Ty::Text(5000)),
    opt("product", Ty::Id),
    opt("product_data", Ty::Hash(PRODUCT)),
    opt("recurring", Ty::Hash(RECURRING)),
    opt("tax_behavior", Ty::Enum(&BEHAVIORS)),
    opt("tiers", Ty::Hashes(TIER)),
    opt("tiers_mode", Ty::Enum(&MODES)),
    opt("transfer_lookup_key", Ty::Bool),
    opt("transform_quantity", Ty::Hash(TRANSFORM)),
    opt("unit_amount", Ty::Int),
    opt("unit_amount_decimal", Ty::Decimal(12)),
];
/// What a product's `default_price_data` takes.
pub(crate) const DEFAULT_DATA: &[P] = &[
    req("currency", Ty::Text(3)),
    opt("currency_options", Ty::Map(OPTION)),
    opt("custom_unit_amount", Ty::Hash(CUSTOM)),
    opt("metadata", Ty::Metadata),
    opt("recurring", Ty::Hash(SIMPLE_RECURRING)),
    opt("tax_behavior", Ty::Enum(&BEHAVIORS)),
    opt("unit_amount", Ty::Int),
    opt("unit_amount_decimal", Ty::Decimal(12)),
];
/// What updating takes.
pub(crate) const UPDATE: &[P] = &[
    opt("active", Ty::Bool),
    opt("currency_options", Ty::Map(OPTION)),
    opt("lookup_key", Ty::Text(200)),
    opt("metadata", Ty::Metadata),
    opt("nickname", Ty::Text(5000)),
    opt("tax_behavior", Ty::Enum(&BEHAVIORS)),
    opt("transfer_lookup_key", Ty::Bool),
];
const RECURRING_FILTER: &[P] = &[
    opt("interval", Ty::Enum(&INTERVALS)),
    opt("meter", Ty::Id),
    opt("usage_type", Ty::Enum(&["licensed", "metered"])),
];
/// What listing takes besides paging.
pub(crate) const LIST: &[P] = &[
    opt("active", Ty::Bool),
    opt("created", Ty::Range),
    opt("currency", Ty::Text(3)),
    opt("lookup_keys", Ty::Texts),
    opt("product", Ty::Id),
    opt("recurring", Ty::Hash(RECURRING_FILTER)),
    opt("type", Ty::Enum(&["one_time", "recurring"])),
];

/// The word of `words` that a checked parameter holds.
pub(crate) fn word<const N: usize>(words: [&'static str; N], given: Option<&str>) -> Option<&'static str> {
    words.into_iter().find(|w| given == Some(*w))
}
