//! Parameters of phases, items, coupons and the like, which several endpoints take.

use crate::rehearsal::params::{P, Ty, opt, req};

pub(crate) const COLLECTION: Ty = Ty::Enum(&["charge_automatically", "send_invoice"]);
pub(crate) const PRORATION: Ty = Ty::Enum(&["always_invoice", "create_prorations", "none"]);
pub(crate) const DISCOUNTS: &[P] = &[
    opt("coupon", Ty::Id),
    opt("discount", Ty::Id),
    opt("promotion_code", Ty::Unsimulated),
];
const LIABILITY: &[P] = &[
    opt("account", Ty::Unsimulated),
    req("type", Ty::Enum(&["account", "self"])),
];
pub(crate) const AUTOMATIC_TAX: &[P] = &[req("enabled", Ty::Bool), opt("liability", Ty::Hash(LIABILITY))];
/// An item of a new subscription or phase.
pub(crate) const ITEM: &[P] = &[
    opt("billing_thresholds", Ty::Unsimulated),
    opt("discounts", Ty::Hashes(DISCOUNTS)),
    opt("metadata", Ty::Metadata),
    opt("price", Ty::Id),
    opt("price_data", Ty::Unsimulated),
    opt("quantity", Ty::Int),
    opt("tax_rates", Ty::TextsOrNone),
];
/// Something billed once.
pub(crate) const ONCE: &[P] = &[
    opt("discountable", Ty::Unsimulated),
    opt("discounts", Ty::Unsimulated),
    opt("metadata", Ty::Metadata),
    opt("period", Ty::Unsimulated),
    opt("price", Ty::Id),
    opt("price_data", Ty::Unsimulated),
    opt("quantity", Ty::Int),
    opt("tax_rates", Ty::Unsimulated),
];
const DURATION: &[P] = &[
    req("interval", Ty::Enum(&["day", "month", "week", "year"])),
    opt("interval_count", Ty::Int),
];
pub(crate) const INVOICE_SETTINGS: &[P] = &[
    opt("account_tax_ids", Ty::Unsimulated),
    opt("custom_fields", Ty::Unsimulated),
    opt("days_until_due", Ty::Int),
    opt("description", Ty::Unsimulated),
    opt("footer", Ty::Unsimulated),
    opt("issuer", Ty::Unsimulated),
];
/// What a phase takes everywhere.
macro_rules! phase_params {
    ($($more:expr),* $(,)?) => {
        &[
            opt("add_invoice_items", Ty::Hashes(ONCE)),
            opt("application_fee_percent", Ty::Unsimulated),
            opt("automatic_tax", Ty::Hash(AUTOMATIC_TAX)),
            opt("billing_cycle_anchor", Ty::Enum(&["automatic", "phase_start"])),
            opt("billing_thresholds", Ty::Unsimulated),
            opt("collection_method", COLLECTION),
            opt("default_payment_method", Ty::Id),
            opt("default_tax_rates", Ty::TextsOrNone),
            opt("description", Ty::Text(500)),
            opt("discounts", Ty::Hashes(DISCOUNTS)),
            opt("duration", Ty::Hash(DURATION)),
            opt("invoice_settings", Ty::Hash(INVOICE_SETTINGS)),
            req("items", Ty::Hashes(ITEM)),
            opt("metadata", Ty::Metadata),
            opt("on_behalf_of", Ty::Unsimulated),
            opt("proration_behavior", PRORATION),
            opt("transfer_data", Ty::Unsimulated),
            opt("trial", Ty::Bool),
            $($more),*
        ]
    };
}
/// A phase of a new schedule.
pub(crate) const PHASE: &[P] = phase_params![
    opt("currency", Ty::Text(3)),
    opt("end_date", Ty::Int),
    opt("trial_end", Ty::Int),
];
/// A phase of one that is there.
pub(crate) const PHASE_OF_UPDATE: &[P] = phase_params![
    opt("currency", Ty::Text(3)),
    opt("end_date", Ty::IntOr("now")),
    opt("start_date", Ty::IntOr("now")),
    opt("trial_end", Ty::IntOr("now")),
];
/// A phase of a preview.
pub(crate) const PHASE_OF_PREVIEW: &[P] = phase_params![
    opt("end_date", Ty::IntOr("now")),
    opt("start_date", Ty::IntOr("now")),
    opt("trial_end", Ty::IntOr("now")),
];
