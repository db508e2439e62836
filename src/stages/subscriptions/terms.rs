//! What the new subscription must be, in ids of the new account, from the handover on; or what stands in the way. PURE.
//!
//! What cannot be carried over whole is not carried over in part: the first thing that is in the way is the answer.

mod discounts;
mod phases;

use super::effects::{MOST_OWN_KEYS, SOURCE, STARTED};
use super::facts::{Collection, OLD_ID, Old, Person, Phase, Price, World};
use super::handover;
use crate::domain::calendar::Grid;
use crate::domain::mapped::IdMap;
use crate::domain::money::Currency;
use crate::domain::text::safe;

/// What stands in the way: a rule of the page, and one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Stable name.
    pub rule: &'static str,
    /// Why.
    pub why: String,
}

impl Trouble {
    fn new(rule: &'static str, why: impl Into<String>) -> Self {
        Self {
            rule,
            why: why.into(),
        }
    }
}

/// What the new subscription must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// From the handover on.
    pub phases: Vec<Phase>,
    /// It ends with the last phase.
    pub ends: bool,
    /// What a line of the toolkit's file cannot say of it; `None`: it can say everything.
    pub beyond_file: Option<&'static str>,
    /// How it came about, line by line.
    pub notes: Vec<String>,
}

/// What the terms rest on.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Both accounts.
    pub world: &'a World,
    /// Old ids and new ones.
    pub ids: &'a IdMap,
    /// No twin uses the coupons yet: they must be valid still.
    pub fresh: bool,
}

impl Terms<'_> {
    /// What stands for `old` from `h` on, which is the end of one of its periods.
    pub fn of(self, old: &Old, h: i64) -> Result<Wanted, Trouble> {
        let person = self.world.people.get(&old.customer);
        let missing = || Trouble::new("customer_absent", "its customer is not on the new account");
        let person = person.filter(|person| person.arrived).ok_or_else(missing)?;
        itself(old)?;
        let method = self.method(old, person)?;
        customer(old, person)?;
        let grid = handover::grid_of(old).and_then(|grid| grid.anchored(h));
        let mixed = || Trouble::new("mixed_periods", MIXED);
        let building = Building {
            terms: self,
            old,
            h,
            grid: grid.ok_or_else(mixed)?,
            method,
        };
        let (phases, notes) = building.phases()?;
        let ends = phases.last().is_some_and(|phase| phase.end.is_some());
        let beyond_file = beyond_file(old, &phases, ends, &building.grid);
        Ok(Wanted {
            phases,
            ends,
            beyond_file,
            notes,
        })
    }

    /// The method of its own; `None`: the customer's default, whatever that is there.
    fn method(self, old: &Old, person: &Person) -> Result<Option<String>, Trouble> {
        match &old.method {
            Some(own) if Some(own) != person.old_default.as_ref() => {
                let new = self.ids.get("payment_method", own);
                let gone = || {
                    let why = format!(
                        "it is paid with {}, a method of its own that was not copied",
                        safe(own)
                    );
                    Trouble::new("method_absent", why)
                };
                new.map(|new| Some(new.to_owned())).ok_or_else(gone)
            }
            _ if old.collection == Collection::Automatic && !person.default_there => {
                let why = "it is charged automatically, and its customer has no default method on the new account";
                Err(Trouble::new("method_absent", why))
            }
            _ => Ok(None),
        }
    }

    /// The new price of `old`, which must sell the same for the same in `currency`.
    fn price(self, old: &Price, currency: Currency) -> Result<String, Trouble> {
        let new = self.known_price(&old.id, currency)?;
        let unit = |price: &Price| {
            let digits = price.unit.get(&currency)?;
            super::amount::decimal(digits)
        };
        let same = unit(old) == unit(new)
            && old.rhythm == new.rhythm
            && old.by_steps == new.by_steps
            && old.tax_behavior == new.tax_behavior;
        if same {
            return Ok(new.id.clone());
        }
        let why = format!(
            "price {} is mapped to {}, which does not cost the same in {currency}, in the same rhythm and with the same tax",
            safe(&old.id),
            safe(&new.id)
        );
        Err(Trouble::new("price_differs", why))
    }

    /// The new price of the old one with that id.
    fn known_price(self, old: &str, currency: Currency) -> Result<&'static Price, Trouble>
    where
        Self: 'static,
    {
        unreachable_price(old, currency)
    }
}
