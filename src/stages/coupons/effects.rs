//! The writes of the stage, as data, and what a row keeps for its script, its audit and its undo. PURE.

use serde::{Deserialize, Serialize};

use super::facts::Code;
use crate::domain::fields::Fields;
use crate::domain::ids::{Accounts, Digest, EffectId, Role, StageId};
use crate::domain::write::{CAP, Method, PlannedWrite, When, marker};
use crate::stripe::allow::path;

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
/// Undo: takes our mark of closing off the old code, because what is left of it stands elsewhere now. A later plan would
/// otherwise take it for one that an earlier run closed, and move what it had left once more.
pub const UNDO_SETTLE: &str = "undo_settle";

/// Choice: codes that others can use too go to the new account, whole.
pub const MOVE: &str = "move";
/// Choice: they stay on the old account.
pub const LEAVE: &str = "leave";
/// Choice: a number of the uses goes, the rest stays.
pub const SPLIT: &str = "split";
/// Choice: without a limit, on both accounts.
pub const KEEP_BOTH: &str = "keep_both";
/// Choice at a coupon: a person says how many uses the new one has; its codes follow.
pub const SET_LEFT: &str = "set_left";
/// Choice at a code: a person says how many uses the new one has. The old code may be off already, used up or switched
/// off: closing it then only puts our mark on it. Another word than a coupon's, which is decided for its codes too.
pub const SET_CODE_LEFT: &str = "set_code_left";
/// Choice at a customer's discount that works on nothing: it ends with the old account.
pub const LET_END: &str = "let_end";

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

    /// Switches the old code `old` off.
    #[must_use]
    pub fn close_old(self, old: &str) -> PlannedWrite {
        self.switch(CLOSE_OLD, old, false, When::Always)
    }

    /// Switches the old code `old` on again, where its coupon could not be created.
    #[must_use]
    pub fn reopen_old(self, old: &str) -> PlannedWrite {
        self.switch(REOPEN_OLD, old, true, When::IfRaced)
    }

    /// Creates the coupon `id` with `terms` and the limit `cap`.
    #[must_use]
    pub fn create_coupon(self, id: &str, terms: &Fields, cap: Option<&str>) -> PlannedWrite {
        let mut form = vec![("id".to_owned(), id.to_owned())];
        extend(&mut form, terms, &["id", CAP]);
        cap_of(&mut form, cap);
        self.coupon(CREATE_COUPON, id, form)
    }

    /// Creates the coupon that carries the discount `discount` on, for one use. `terms` have its id.
    #[must_use]
    pub fn create_carry(self, discount: &str, id: &str, terms: &Fields) -> PlannedWrite {
        let mut form = vec![("id".to_owned(), id.to_owned())];
        extend(&mut form, terms, &["id", CAP]);
        cap_of(&mut form, Some("1"));
        let mut write = self.coupon(CREATE_CARRY, discount, form);
        write.effect = self.id(CREATE_CARRY, id);
        write
    }

    /// Creates the code that stands for `code` on the new account.
    #[must_use]
    pub fn create_code(self, code: &Code, cap: Option<&str>) -> PlannedWrite {
        self.code(CREATE_CODE, Role::Destination, code, cap)
    }

    /// Makes `code` again on the old account, with the limit `cap`.
    #[must_use]
    pub fn recreate_old(self, code: &Code, cap: &str) -> PlannedWrite {
        self.code(RECREATE_OLD, Role::Source, code, Some(cap))
    }

    fn switch(self, op: &str, old: &str, active: bool, when: When) -> PlannedWrite {
        let form = vec![("active".to_owned(), active.to_string())];
        let mut write = self.post(op, Role::Source, old, code_path(old), form);
        write.when = when;
        write
    }

    fn coupon(self, op: &str, of: &str, mut form: Vec<(String, String)>) -> PlannedWrite {
        form.push((format!("metadata[{}]", marker::OF), of.to_owned()));
        for hidden in ["applies_to", "currency_options"] {
            // What was sent can only be attested if it is in the answer.
            if form
                .iter()
                .any(|(name, _)| name.starts_with(&format!("{hidden}[")))
            {
                form.push(("expand[]".to_owned(), hidden.to_owned()));
            }
        }
        self.post(op, Role::Destination, of, COUPONS.to_owned(), form)
    }

    fn code(self, op: &str, role: Role, code: &Code, cap: Option<&str>) -> PlannedWrite {
        let mut form = vec![
            ("promotion[type]".to_owned(), "coupon".to_owned()),
            ("promotion[coupon]".to_owned(), code.coupon.clone()),
            ("code".to_owned(), code.text.clone()),
        ];
        form.extend(code.customer.clone().map(|id| ("customer".to_owned(), id)));
        cap_of(&mut form, cap);
        extend(&mut form, &code.terms, &["code", "customer", "active", CAP]);
        form.push((format!("metadata[{}]", marker::OF), code.id.clone()));
        if code.terms.has("restrictions[currency_options]") {
            form.push(("expand[]".to_owned(), "restrictions.currency_options".to_owned()));
        }
        self.post(op, role, &code.id, CODES.to_owned(), form)
    }

    fn post(self, op: &str, role: Role, of: &str, path: String, form: Vec<(String, String)>) -> PlannedWrite {
        PlannedWrite {
            op: op.to_owned(),
            role,
            effect: self.id(op, of),
            method: Method::Post,
            path,
            form,
            money: None,
            when: When::Always,
            irreversible: false,
            marked: true,
        }
    }
}

/// The marker of the write `op` that takes back the one with the marker `of`: as unique, and as much the same in every
/// run.
#[must_use]
pub fn undo_of(of: &EffectId, op: &str) -> EffectId {
    let digest = Digest::of("cutover-undo-v1", [of.0.as_bytes(), op.as_bytes()]);
    let mut text = data_encoding::BASE32_NOPAD.encode(&digest.0).to_lowercase();
    text.truncate(26);
    EffectId(text)
}

const COUPONS: &str = "/v1/coupons";
const CODES: &str = "/v1/promotion_codes";

/// The path of one code.
#[must_use]
pub fn code_path(id: &str) -> String {
    path("/v1/promotion_codes/{}", &[id])
}

fn cap_of(form: &mut Vec<(String, String)>, cap: Option<&str>) {
    form.extend(cap.map(|cap| (CAP.to_owned(), cap.to_owned())));
}

fn extend(form: &mut Vec<(String, String)>, terms: &Fields, but: &[&str]) {
    let terms = terms.iter().filter(|(name, _)| !but.contains(name));
    form.extend(terms.map(|(name, value)| (name.to_owned(), value.to_owned())));
}
