//! Coupons, promotion codes and running discounts: what was left is what is left.
//!
//! **What it promises.** What a customer who moves could still redeem on the old account, that customer can redeem on
//! the new one: the same text, the same terms, as many times as were left and not once more. At no instant can both
//! accounts together give more than was left when the plan was made (reliability I22, I23). A discount that is running
//! goes on for exactly the invoices it had left.
//!
//! # What limits what
//!
//! A **pool** is a coupon with all its promotion codes. A redemption through a code counts on the code *and* on the
//! coupon; a coupon applied without a code counts on the coupon only; renewals count on neither (facts 3.4, 3.5). So the
//! coupon's counter is the truth about the coupon, the code's about the code, and no sum over codes is needed:
//!
//! ```text
//!   c = C - u    coupon: limit C, used u          no limit: c = ∞
//!   p = P - v    code: limit P, used v            no limit: p = ∞
//!   e = min(c, p)                                 what can be redeemed through this code
//! ```
//!
//! | old coupon | old code | new coupon's limit | new code's limit | redeemable |
//! |---|---|---|---|---|
//! | no limit | no limit | none | none | without end |
//! | no limit | P | none | p | p |
//! | C | no limit | c | none: the coupon's holds | c |
//! | C | P | c | min(p, c): Stripe allows no more than the coupon's | min(p, c) |
//! | C | several codes | c, once | each by its own line | together at most c, as before |
//!
//! Several codes may add up to more than c: the pool limits them, as it did before. A pool is never split per code.
//!
//! ## What is not created, and says why
//!
//! Asked in this order; the first that holds is the row's rule.
//!
//! | holds | rule | row |
//! |---|---|---|
//! | Σ v over all codes > u: a code was used more often than its coupon | `counters_contradict` | blocked: a person |
//! | `redeem_by` ≤ now; of a code `expires_at` ≤ now | `expired` | nothing to do |
//! | c ≤ 0, p ≤ 0 | `exhausted` | nothing to do; may be given uses, see below |
//! | a code is inactive although it is none of the above, and not by this program | `inactive` | nothing to do; may be given uses |
//! | `valid` is false although it is none of the above | `not_valid` | blocked: a person |
//! | the code is inactive and carries this program's mark: an earlier run closed it | as if active | goes on where that run ended |
//!
//! Stripe switches a used-up or expired code off by itself, so the arithmetic is asked before `active`. A counter below
//! nothing is a contradiction too. A code whose coupon or customer is deleted has nothing to do.
//!
//! # Who else can use it
//!
//! A code may be for one customer or for everybody; a coupon is for everybody who has a code of it, and the application
//! may apply it to anyone. **Live** codes of a pool are sorted by who can use them: *movers* (one customer, in scope, on
//! the new account), *stayers* (one customer out of scope), *open* (everybody), *absent* (one customer in scope whom
//! the copy did not bring; listed for a decision, kept like a stayer's). A code that cannot be moved (its text is taken, a
//! shape this program does not know) is kept in the same way: what it can take does not move.
//!
//! | pool | coupon's row | codes' rows |
//! |---|---|---|
//! | movers only | planned, limit c | planned |
//! | no limit; movers, and others | planned, no limit | movers planned; open ones each a decision; stayers' are out of scope |
//! | no limit; open, no movers | a decision, the codes with it | with the coupon |
//! | limit C; movers or open, and any other | a decision for the whole pool | with the coupon |
//! | stayers' only, or dead and all codes theirs | out of scope, counted | out of scope, counted; others by their own rule |
//! | no live code | `direct_only`: a decision, because only the application can apply it | by their own rule |
//!
//! Decisions, with s = min(c, Σ p of stayers' and absent codes) kept for those who stay, a = c - s:
//!
//! | choice | old side | new coupon | new codes |
//! |---|---|---|---|
//! | `move` | open and movers' codes closed; stayers' stay | a | min(p, a) |
//! | `leave` | open codes stay as they are; r = min(c, s + Σ p of open) is theirs | c - r, not created if 0 | movers' min(p, c - r) |
//! | `split` n (one open code, L = min(p, a) ≥ 2, 1 ≤ n < L) | it is closed and made again with L - n | a - (L - n) | the open one n, movers' min(p, a - (L - n)) |
//! | `keep_both` (nothing limits the code) | stays | none | none: without a limit nothing is shared |
//!
//! A code of a customer who stays is never written to, so it never becomes smaller; if such codes can take all that is
//! left (a = 0), nothing moves unless a person says how many uses to give. Nothing is deactivated by default: without a
//! decision the row is left out. `leave` without a mover's code makes no coupon either: nobody could use it.
//!
//! **Override.** `set_left` n on a coupon, `set_code_left` n on a code, with a reason, sets its limit to n whatever the
//! arithmetic says, up to the limit it had when it was new (its coupon's, where a code had none). The codes of a coupon
//! follow its `set_left`, each up to what it has left. The audit then measures against n, and the report names who said
//! so.
//!
//! **What earlier runs did.** A coupon or a code of ours on the new account is there already. A code that was closed and
//! not made is made, without another decision. The smaller code of a split stays, and what it was given is taken off the
//! first one. What is limited there was limited when it was made: a difference is a finding. A code for everybody whose
//! coupon is there is decided for itself.
//!
//! # Order (reliability 4.6)
//!
//! Rows of one pool are one lane. Every code that moves is closed on the old account (`active=false`, with our mark);
//! then the old coupon and its codes are read again; then the coupon is created with what is left *now*; then the codes,
//! each after its old one was seen closed. Uses that were taken between plan and closing make the new limits smaller,
//! never larger; a limit that comes to nothing is not created. If the coupon cannot be created, its closed codes are
//! opened again. A code whose text somebody took over there in the meantime is opened again only if its coupon has no
//! limit: with one, both sides together could give more than was left, so it stays closed and the audit names it
//! (`closed_and_lost`). A coupon has no switch: while the application is frozen nobody applies the old one without a code, and
//! the plan says so; uses taken nevertheless are a difference of the audit.
//!
//! ```text
//!   code A ── close ──┐                          ┌── see A closed ── create A
//!   code B ── close ──┼── coupon: read, create ──┤
//!   code C ── close ──┘     (not created: C, B, A opened again) ──┘
//! ```
//!
//! # Running discounts
//!
//! A discount on a subscription is a redemption already made. Attaching the shared coupon again would use up the pool and
//! start its months anew, so each running discount gets a coupon of its own, for one use, of the length that is left.
//! With b₁ < b₂ < … the bills of the subscription from the first one on the new account, and the discount's `end` E:
//!
//! ```text
//!   k = number of bills b_i < E                         (no E: forever; `once`: 1)
//!   S = b₁, or the backdated start of the new subscription
//!   m = the months with  #{ b_i < S + m months } = k    (calendar months, clamped at the month's end)
//! ```
//!
//! | | rule | row |
//! |---|---|---|
//! | k = 0, or the subscription ends before b₁ | `ends_before_next_bill` | nothing to do |
//! | `forever` | `carry_forever` | coupon `forever`, one use |
//! | `once`, not yet on an invoice | `carry_once` | coupon `once`, one use |
//! | such an m exists | `carry_months` | coupon `repeating`, m months, one use |
//! | no such m (weekly bills: two of them are no whole month) | `carry_until` | coupon `forever`, one use, and the date on which a phase must drop it |
//! | on a customer: cannot be created any more (facts 3.6) | `customer_discount` | one coupon for each of the subscriptions it works on; without any, a person signs for it |
//! | the same, `once`: only the first invoice has it | `another_bills_first` | nothing to do on every other subscription |
//! | several on one subscription | as above, and a finding `stacked`: the toolkit's file takes one coupon |
//!
//! # Terms
//!
//! Copied as they are: percent or amount, currency and `currency_options`, duration, name, restrictions, expiry, the
//! owner's metadata. `applies_to` goes through the catalogue's map: a product without a counterpart blocks the row
//! (`product_unmapped`), because leaving it out would widen the coupon to everything. Stripe hides `applies_to` and both
//! `currency_options` unless asked (facts 3.4, 3.5), so every read asks.
//!
//! `first_time_transaction` counts payments of *this* account: on a new account everybody is new again. Such codes are
//! marked and counted. A coupon of the same id that somebody else made is compared by terms and left alone:
//! used if its terms are equal and it gives no more than may move even if open codes stay (`equal_exists`), else blocked
//! (`coupon_differs`).
//! A code whose text is taken over there, without regard to case and per customer, is blocked (`code_taken`).

mod attest;
pub mod audit;
pub mod carried;
pub mod collide;
pub mod drift;
pub mod effects;
pub mod facts;
pub mod fields;
mod gather;
pub mod left;
pub mod panel;
pub mod plan;
pub mod read;
pub mod running;
#[cfg(test)]
mod samples;
pub mod script;
mod slice;
pub mod terms;
pub mod undo;
pub mod who;

#[cfg(test)]
mod model_driver_tests;
#[cfg(test)]
mod model_events_tests;
#[cfg(test)]
mod model_planned_tests;
#[cfg(test)]
mod model_rows_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod model_world_tests;
#[cfg(test)]
mod model_wrong_tests;

use std::collections::BTreeMap;

/// The stage. Implements [`crate::stages::Stage`].
pub struct Coupons;

/// What happens to coupons that no live code leads to: only the application can apply them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutCode {
    /// Each is a decision.
    #[default]
    Ask,
    /// They stay on the old account.
    Leave,
}

impl WithoutCode {
    /// The word in the configuration and in plans.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Leave => "leave",
        }
    }
}

/// When subscriptions on the new account begin: a coupon's months are counted from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubscriptionsStart {
    /// With the first bill of the new account, as a schedule begins at the end of the old period.
    #[default]
    NextBill,
    /// Backdated to where the old subscription's current period began.
    Backdated,
}

impl SubscriptionsStart {
    /// The word in the configuration and in plans.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NextBill => "next_bill",
            Self::Backdated => "backdated",
        }
    }
}

/// Settings of the stage.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// See [`WithoutCode`].
    pub without_code: WithoutCode,
    /// See [`SubscriptionsStart`].
    pub subscriptions_start: SubscriptionsStart,
}

impl Settings {
    /// As they stand in the header of a plan.
    #[must_use]
    pub fn policy(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (
                "coupons_without_code".to_owned(),
                self.without_code.word().to_owned(),
            ),
            (
                "subscriptions_start".to_owned(),
                self.subscriptions_start.word().to_owned(),
            ),
        ])
    }
}
