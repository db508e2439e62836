//! Products, prices and tax rates: made once on the new account, compared field by field, never by amount alone.
//!
//! **What it promises.** Whatever can still be bought on the old account, and whatever a live subscription of a moving
//! customer still uses, is on the new account afterwards with every field it has on the old one; every old id has at
//! most one new id; and an object that somebody else made is never changed. Later stages get old id → new id.
//!
//! **Why by marker.** A product keeps its id (`POST /v1/products` takes one). A price and a tax rate cannot (facts 3.7):
//! a price is found again by `metadata[cutover_of]`, else by the same `lookup_key` in the same product; a tax rate by its
//! marker, else by being the only one equal in every field. Two prices of 10.00 USD are not the same price.
//!
//! | on the old account | row |
//! |---|---|
//! | inactive, and no live subscription in scope uses it | nothing to do: `not_used` |
//! | on the new account, equal in every field | nothing to do: `equal_exists`, and mapped |
//! | on the new account, and different | blocked: `product_differs`, `price_differs`, `tax_rate_differs`; a person may sign for using it |
//! | two on the new account that claim to be it | blocked: `ambiguous` |
//! | its lookup key belongs to another price over there | blocked: `lookup_key_taken` |
//! | more than 46 metadata keys (four are ours, fifty are allowed) | blocked: `too_many_metadata` |
//! | a metered price | blocked: `metered`; it needs a meter and its usage, which this program does not move |
//! | tiers that were not in the answer, a tax that is an amount | blocked: `unreadable`, `flat_amount` |
//! | a price whose product is neither there nor planned | blocked: `product_blocked` |
//! | a payment link; a price only a live link uses; "pay what you want" | left out by the policy `runbook`, a finding each |
//! | a legacy plan | planned as a price with a new id: `legacy_plan` |
//! | inactive, and a live subscription in scope uses it | planned: `inactive_in_use` |
//! | anything else | planned: `missing` |
//! | the default price of a product that has none over there | planned after its prices |
//!
//! **Order.** Rows of one product are written one after another: product, prices, default price, which needs the id of a
//! price that does not exist before. Each looks at the new account just before it writes.
//!
//! **Whose subscriptions count.** Those of customers whom the scope rule names, whether or not they have a payment method
//! yet: a price too many is harmless, a price too few stops a subscription.
//!
//! **Tax.** Fields are copied as they are. Where a field says nothing (`tax_behavior: unspecified`, no `tax_code`) and
//! the two accounts assume different things, the same field means different money: such rows are marked and counted.

mod attest;
pub mod audit;
pub mod effects;
pub mod facts;
pub mod fields;
mod gather;
pub mod panel;
pub mod plan;
#[cfg(test)]
mod samples;
pub mod script;
mod slice;

/// The stage. Implements [`crate::stages::Stage`].
pub struct Catalogue;

/// How inactive products and prices that live subscriptions use are created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InactiveInUse {
    /// Inactive, as on the old account: nobody can buy them, and no subscription can be created on them either.
    #[default]
    AsOld,
    /// Active, so that subscriptions can be created on them; a person makes them inactive afterwards.
    Active,
}

impl InactiveInUse {
    /// The word in plans.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AsOld => "as_old",
            Self::Active => "active",
        }
    }
}

/// Settings of the stage.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// See [`InactiveInUse`].
    pub inactive_in_use: InactiveInUse,
}
