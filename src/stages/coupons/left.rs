//! The arithmetic of what is left. PURE. The table stands on the [stage's page](super).

use std::fmt;

use super::facts::Counter;

/// How often something can still be redeemed. `Ord`: no limit is more than any number, so the smaller of two limits is
/// their `min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// That often.
    Uses(u64),
    /// Without end.
    NoLimit,
}

impl Left {
    /// Nothing.
    pub const NONE: Self = Self::Uses(0);

    /// Limit less uses, never below nothing.
    #[must_use]
    pub fn of(counter: Counter) -> Self {
        counter.limit.map_or(Self::NoLimit, |limit| {
            Self::Uses(u64::try_from(limit.saturating_sub(counter.used)).unwrap_or(0))
        })
    }

    /// Without what others take. Nothing is taken off what has no limit.
    #[must_use]
    pub const fn less(self, taken: Self) -> Self {
        match (self, taken) {
            (Self::NoLimit, _) => Self::NoLimit,
            (Self::Uses(_), Self::NoLimit) => Self::NONE,
            (Self::Uses(left), Self::Uses(taken)) => Self::Uses(left.saturating_sub(taken)),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, more: Self) -> Self {
        match (self, more) {
            (Self::Uses(left), Self::Uses(more)) => Self::Uses(left.saturating_add(more)),
            _ => Self::NoLimit,
        }
    }

    /// The number, where there is one.
    #[must_use]
    pub const fn uses(self) -> Option<u64> {
        match self {
            Self::Uses(left) => Some(left),
            Self::NoLimit => None,
        }
    }

    /// The number as rows keep it. One beyond Stripe's integers is their largest.
    #[must_use]
    pub fn kept(self) -> Option<i64> {
        self.uses().map(|left| i64::try_from(left).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uses(left) => write!(f, "{left}"),
            Self::NoLimit => f.write_str("no limit"),
        }
    }
}

/// Why nothing is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// Codes were used more often than their coupon, or a counter is below nothing.
    Contradict,
    /// Of the coupon or of the code.
    Expired,
    /// Of the coupon or of the code.
    Exhausted,
    /// Switched off, not by this program.
    Inactive,
    /// Stripe says the coupon is not valid, and does not say why.
    NotValid,
}

impl Dead {
    /// The rule's name.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Contradict => "counters_contradict",
            Self::Expired => "expired",
            Self::Exhausted => "exhausted",
            Self::Inactive => "inactive",
            Self::NotValid => "not_valid",
        }
    }

    /// Whether a person has to look.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::Contradict | Self::NotValid)
    }
}

/// What is asked about a coupon.
#[derive(Clone, Copy, Debug)]
pub struct CouponCase {
    /// Limit and uses.
    pub counter: Counter,
    /// Uses of all its codes together, those of customers who stay and dead ones too.
    pub through_codes: i128,
    /// A counter of its codes is below nothing.
    pub negative: bool,
    /// `redeem_by`, seconds.
    pub redeem_by: Option<i64>,
    /// `valid`.
    pub valid: bool,
}

/// What is asked about a code.
#[derive(Clone, Copy, Debug)]
pub struct CodeCase {
    /// What is left of its own.
    pub own: Left,
    /// `expires_at`, seconds.
    pub expires_at: Option<i64>,
    /// `active`, or closed by this program.
    pub open: bool,
}

/// What is left of a coupon, in the order of the page's table.
pub fn coupon(case: CouponCase, left: Left, now: i64) -> Result<Left, Dead> {
    let below = |counter: Counter| counter.used < 0 || counter.limit.is_some_and(|limit| limit < 0);
    if case.negative || below(case.counter) || case.through_codes > i128::from(case.counter.used) {
        return Err(Dead::Contradict);
    }
    if case.redeem_by.is_some_and(|at| at <= now) {
        return Err(Dead::Expired);
    }
    if left == Left::NONE {
        return Err(Dead::Exhausted);
    }
    if !case.valid {
        return Err(Dead::NotValid);
    }
    Ok(left)
}

/// What is left through a code whose coupon came out as `coupon`, in the order of the page's table.
pub fn code(case: CodeCase, coupon: Result<Left, Dead>, now: i64) -> Result<Left, Dead> {
    if coupon == Err(Dead::Contradict) {
        return Err(Dead::Contradict);
    }
    if coupon == Err(Dead::Expired) || case.expires_at.is_some_and(|at| at <= now) {
        return Err(Dead::Expired);
    }
    if coupon == Err(Dead::Exhausted) || case.own == Left::NONE {
        return Err(Dead::Exhausted);
    }
    if !case.open {
        return Err(Dead::Inactive);
    }
    coupon.map(|left| left.min(case.own))
}

/// The three numbers that decide what is created. In one place, so that tests can put a wrong one there and see that
/// they notice.
#[derive(Clone, Copy)]
pub struct Solver {
    /// Of a counter.
    pub left: fn(Counter) -> Left,
    /// Of a coupon's `left`, what codes that stay can take: `own` is what these have together.
    pub reserve: fn(left: Left, own: Left) -> Left,
    /// The limit of one of `codes` new codes that has `own` left, beside a coupon with `free`.
    pub cap: fn(own: Left, free: Left, codes: usize) -> Left,
}

impl Default for Solver {
    fn default() -> Self {
        Self {
            left: Left::of,
            reserve: Ord::min,
            cap: |own, free, _| match own {
                // Without a limit of its own: the coupon's holds.
                Left::NoLimit => Left::NoLimit,
                own @ Left::Uses(_) => own.min(free),
            },
        }
    }
}

/// `coupon: 10 allowed - 7 used = 3 left`
#[must_use]
pub fn counted(what: &str, counter: Counter) -> String {
    let used = counter.used;
    match counter.limit {
        None => format!("{what}: no limit, {used} used"),
        Some(limit) => {
            let left = i128::from(limit) - i128::from(used);
            format!("{what}: {limit} allowed - {used} used = {left} left")
        }
    }
}

/// `through this code: min(1, 3) = 1`
#[must_use]
pub fn through(own: Left, coupon: Left) -> String {
    match own.min(coupon) {
        Left::NoLimit => "through this code: no limit".to_owned(),
        left @ Left::Uses(_) => format!("through this code: min({own}, {coupon}) = {left}"),
    }
}

#[cfg(test)]
#[path = "left_tests.rs"]
mod tests;
