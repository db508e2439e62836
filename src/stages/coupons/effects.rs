//! The writes of the stage, as data, and what a row keeps for its script, its audit and its undo. PURE.

use serde::{Deserialize, Serialize};

use crate::domain::fields::Fields;
use crate::domain::ids::{Accounts, EffectId, StageId};
use crate::domain::write::number;

/// Switches a code of the old account off, with our mark.
pub const CLOSE_OLD: &str = "close_old";
/// Makes a smaller code of the same text on the old account.
pub const RECREATE_OLD: &str = "recreate_old";
/// Switches a code of the old account on again, because its coupon could not be created.
pub const REOPEN_OLD: &str = "reopen_old";
/// Creates the coupon under its old id.
pub const CREATE_COUPON: &str = "create_coupon";
/// Creates the code with its old text.
pub const CREATE_CODE: &str = "create_code";
/// Creates a coupon for one running discount.
pub const CREATE_CARRY: &str = "create_carry";
/// Undo: switches the new code off.
pub const UNDO_CODE: &str = "undo_code";
/// Undo: deletes the new coupon; who redeemed it keeps the discount.
pub const UNDO_COUPON: &str = "undo_coupon";
/// Undo: switches the smaller old code off.
pub const UNDO_RECREATE: &str = "undo_recreate";
/// Undo: switches the old code on again.
pub const UNDO_REOPEN: &str = "undo_reopen";
/// Undo: makes a code of the same text on the old account with what is left now, where switching the old one on would
/// give back uses that were taken on the new account.
pub const UNDO_RESTORE: &str = "undo_restore";

/// Metadata keys an owner may have besides our four: Stripe allows fifty (facts 2.2).
pub const MOST_OWN_KEYS: usize = 46;

/// The id of the coupon that carries one running discount on: its own, and the subscription's where it is a customer's.
#[must_use]
pub fn carry_id(discount: &str, subscription: Option<&str>) -> String {
    match subscription {
        Some(subscription) => format!("carry_{discount}_{subscription}"),
        None => format!("carry_{discount}"),
    }
}

/// What the stage keeps in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Payload {
    /// `coupon/<id>`
    Coupon(CouponRow),
    /// `code/<promo id>`
    Code(CodeRow),
    /// `discount/<di id>`, with `/<subscription>` behind it for a customer's.
    Discount(DiscountRow),
}

/// Of a coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponRow {
    /// Its id, on both accounts.
    pub id: String,
    /// Terms it must have on the new account, under the map; without the limit.
    pub terms: Fields,
    /// `times_redeemed` on the old account when planned.
    pub used: i64,
    /// What was left when planned; `None`: no limit.
    pub left: Option<i64>,
    /// `redeem_by`, seconds.
    pub redeem_by: Option<i64>,
    /// Old codes that must be seen closed before the coupon is created.
    pub closing: Vec<String>,
    /// One of ours, or an equal one of somebody else's, is on the new account already.
    pub there: bool,
}

/// Of a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRow {
    /// `promo_…` on the old account.
    pub old: String,
    /// What customers type.
    pub text: String,
    /// Its coupon.
    pub coupon: String,
    /// Whose it is; `None`: everybody's.
    pub customer: Option<String>,
    /// Terms it must have on the new account; without the limit.
    pub terms: Fields,
    /// `times_redeemed` on the old account when planned.
    pub used: i64,
    /// What was left through it when planned, min(c, p); `None`: no limit.
    pub left: Option<i64>,
    /// `expires_at`, or the coupon's `redeem_by` if that is earlier, seconds.
    pub expires_at: Option<i64>,
    /// An earlier run closed the old one.
    pub closed: bool,
    /// Its coupon was on the new account when planned, see [`CouponRow::there`]. Otherwise one that is there when the
    /// code's turn comes must be ours: somebody else's could give anything to anyone.
    #[serde(default)]
    pub coupon_there: bool,
    /// The one on the new account that stands for it already.
    pub there: Option<String>,
}

/// Of a running discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscountRow {
    /// `di_…`
    pub old: String,
    /// The subscription it works on.
    pub subscription: Option<String>,
    /// The item it works on, where it is an item's.
    pub item: Option<String>,
    /// Terms of the coupon that carries it on, with `id`.
    pub terms: Fields,
    /// Seconds: when a phase has to drop it (`carry_until`).
    pub until: Option<i64>,
    /// Discounted invoices it has left; `None`: without end.
    pub invoices: Option<u32>,
    /// It is on the new account already.
    pub there: bool,
}

/// Identities of effects.
#[derive(Clone, Copy, Debug)]
pub struct Effects<'a> {
    /// Accounts and mode: part of every effect's identity.
    pub accounts: &'a Accounts,
}

impl Effects<'_> {
    /// The marker of `op` for the old object `of`. The same in every run, which is how a later run knows what an earlier
    /// one closed.
    #[must_use]
    pub fn id(self, op: &str, of: &str) -> EffectId {
        EffectId::new(self.accounts, StageId::Coupons, op, of, 0)
    }
}

/// A limit in a form: what is left, or a place for the number a person gives.
#[must_use]
pub fn cap(left: Option<i64>) -> Option<String> {
    left.map(|left| left.to_string())
}

/// The limit of a code beside its coupon's: no more than `most`, where there is a `most`.
#[must_use]
pub fn given_up_to(most: Option<i64>) -> String {
    match most.and_then(|most| u64::try_from(most).ok()) {
        Some(most) => number::up_to(most),
        None => number::GIVEN.to_owned(),
    }
}
