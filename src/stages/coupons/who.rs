//! Who can use the codes of a pool, and what each decision gives to whom. PURE. The tables stand on the
//! [stage's page](super).

use std::collections::BTreeMap;

use super::facts::Person;
use super::left::{Left, Solver};
use crate::domain::text::Safe;

/// Who can use one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// One customer who moves.
    Mover(&'a Safe),
    /// Everybody.
    Open,
    /// One customer out of scope.
    Stayer,
    /// One customer in scope who is not on the new account.
    Absent {
        /// Name or e-mail.
        label: &'a Safe,
        /// In region, without a payment method.
        no_method: bool,
    },
    /// Nobody any more: its customer is deleted.
    Deleted,
}

/// Who can use a code for `customer`. A customer whom nothing is known about is out of scope.
#[must_use]
pub fn of<'a>(customer: Option<&str>, people: &'a BTreeMap<String, Person>) -> Who<'a> {
    let Some(customer) = customer else {
        return Who::Open;
    };
    match people.get(customer) {
        Some(Person::Mover { label }) => Who::Mover(label),
        Some(Person::Absent { label, no_method }) => Who::Absent {
            label,
            no_method: *no_method,
        },
        Some(Person::Deleted) => Who::Deleted,
        Some(Person::Stayer) | None => Who::Stayer,
    }
}

/// Live codes of a pool and what they have left of their own, together.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// Codes that move without a question: movers', and what an earlier run closed.
    pub movers: usize,
    /// Codes for everybody.
    pub open: usize,
    /// Codes that stay: stayers', absent customers', and those that cannot be moved.
    pub kept: usize,
    /// Of codes for everybody, together.
    pub open_own: Left,
    /// Of codes that stay, together.
    pub kept_own: Left,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            movers: 0,
            open: 0,
            kept: 0,
            open_own: Left::NONE,
            kept_own: Left::NONE,
        }
    }
}

/// What a pool is, by who can use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No live code.
    NoLive,
    /// Nothing but codes that stay.
    Outside,
    /// Nothing but codes that move.
    MoversOnly,
    /// No limit, so that codes share nothing: each is for itself.
    Each,
    /// One decision for the whole pool.
    Together,
}

impl Live {
    /// See the page's table.
    #[must_use]
    pub fn kind(&self, coupon: Left) -> Kind {
        match (self.movers, self.open, self.kept) {
            (0, 0, 0) => Kind::NoLive,
            (0, 0, _) => Kind::Outside,
            (_, 0, 0) => Kind::MoversOnly,
            (1.., _, _) if coupon == Left::NoLimit => Kind::Each,
            _ => Kind::Together,
        }
    }
}

/// What a coupon has left, and who gets what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// c: what is left.
    pub left: Left,
    /// s: kept for codes that stay.
    pub kept: Left,
    /// a = c - s.
    pub free: Left,
    /// c - r: what is free if codes for everybody stay too.
    pub free_if_open_stay: Left,
}

impl Shares {
    /// Of a coupon with `left`.
    #[must_use]
    pub fn of(left: Left, live: &Live, solver: Solver) -> Self {
        let kept = (solver.reserve)(left, live.kept_own);
        let staying = (solver.reserve)(left, live.kept_own.and(live.open_own));
        Self {
            left,
            kept,
            free: left.less(kept),
            free_if_open_stay: left.less(staying),
        }
    }
}

#[cfg(test)]
#[path = "who_tests.rs"]
mod tests;
