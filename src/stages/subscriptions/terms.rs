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

impl<'a> Terms<'a> {
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
        let beyond_file = beyond_file(old, &phases, ends, &building.grid).or_else(|| {
            self.taxes_apart(&phases)
                .then_some("its price and its tax rate tax in different ways")
        });
        Ok(Wanted {
            phases,
            ends,
            beyond_file,
            notes,
        })
    }

    /// A price that includes tax with a rate that comes on top, or the other way round: the toolkit refuses the pair
    /// (its page, "Incompatible price and tax"), the API goes by the rate.
    fn taxes_apart(self, phases: &[Phase]) -> bool {
        let apart = |price: &str, rate: &str| {
            let behavior = self
                .world
                .prices
                .get(price)
                .map(|price| price.tax_behavior.as_str());
            let rate = self.world.tax_rates.get(rate);
            match (behavior, rate) {
                (Some("inclusive"), Some(rate)) => !rate.inclusive,
                (Some("exclusive"), Some(rate)) => rate.inclusive,
                _ => false,
            }
        };
        phases.iter().any(|phase| {
            let rates = || phase.tax_rates.iter();
            let prices = phase.items.iter().map(|item| item.price.as_str());
            prices
                .into_iter()
                .any(|price| rates().any(|rate| apart(price, rate)))
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
                let why =
                    "it is charged automatically, and its customer has no default method on the new account";
                Err(Trouble::new("method_absent", why))
            }
            _ => Ok(None),
        }
    }

    /// The new price of `old`, which must sell the same for the same in `currency`.
    fn price(self, old: &Price, currency: Currency) -> Result<String, Trouble> {
        let new = self.known_price(&old.id, currency)?;
        let unit = |price: &Price| super::amount::decimal(price.unit.get(&currency)?);
        let is_same = unit(old) == unit(new)
            && old.rhythm == new.rhythm
            && old.by_steps == new.by_steps
            && old.tax_behavior == new.tax_behavior;
        if is_same {
            return Ok(new.id.clone());
        }
        let why = format!(
            "price {} became {}, which has not the same amount in {currency}, rhythm and tax behaviour",
            safe(&old.id),
            safe(&new.id)
        );
        Err(Trouble::new("price_differs", why))
    }

    /// What stands for the old price with that id, whatever it costs.
    fn known_price(self, old: &str, currency: Currency) -> Result<&'a Price, Trouble> {
        let unmapped = |why: String| Trouble::new("price_unmapped", why);
        let new = self.ids.get("price", old);
        let new = new.ok_or_else(|| unmapped(format!("price {} has no new one", safe(old))))?;
        let found = self.world.prices.get(new).filter(|price| price.rhythm.is_some());
        let found = found.ok_or_else(|| {
            unmapped(format!(
                "price {} became {}, which is not among the recurring prices of the new account",
                safe(old),
                safe(new)
            ))
        })?;
        if !found.active {
            let why = format!("price {} is not active on the new account", safe(new));
            return Err(Trouble::new("price_inactive", why));
        }
        if found.metered {
            let why = format!("price {} bills what was used", safe(new));
            return Err(Trouble::new("metered", why));
        }
        if !found.by_steps && !found.unit.contains_key(&currency) {
            let why = format!("price {} has no amount in {currency}", safe(new));
            return Err(Trouble::new("price_differs", why));
        }
        Ok(found)
    }

    fn tax_rates(self, old: &[String]) -> Result<Vec<String>, Trouble> {
        old.iter()
            .map(|rate| {
                let new = self.ids.get("tax_rate", rate);
                let usable = new.filter(|new| self.world.tax_rates.get(*new).is_some_and(|rate| rate.active));
                usable.map(str::to_owned).ok_or_else(|| {
                    let why = format!("tax rate {} has no active one on the new account", safe(rate));
                    Trouble::new("tax_rate_unmapped", why)
                })
            })
            .collect()
    }
}

const MIXED: &str = "its items have different rhythms or periods, so there is no one end of a period";

/// One subscription on its way.
struct Building<'a> {
    terms: Terms<'a>,
    old: &'a Old,
    h: i64,
    /// When the new one bills.
    grid: Grid,
    method: Option<String>,
}

/// What it says of itself that does not move.
fn itself(old: &Old) -> Result<(), Trouble> {
    let trouble = |rule, why: &str| Err(Trouble::new(rule, why));
    let items = &old.items;
    if old.items_cut || items.is_empty() {
        return trouble("items_cut", "not all of its items could be read; read again");
    }
    if items.iter().any(|item| item.price.metered) {
        return trouble(
            "metered",
            "it bills what was used, which is counted on the old account only",
        );
    }
    if old.connect {
        return trouble(
            "connect",
            "it shares its money with a connected account, which the new one does not have",
        );
    }
    if old.pause.is_some() && old.stopped_for().is_none() {
        return trouble(
            "collection_paused",
            "its collection was paused by somebody; the new one would bill",
        );
    }
    if old.thresholds || items.iter().any(|item| item.thresholds) {
        return trouble(
            "thresholds",
            "it bills when a threshold is reached, which a schedule does not carry over",
        );
    }
    if old.pending_update {
        return trouble(
            "pending_update",
            "a change of it waits for a payment; settled within 23 hours",
        );
    }
    if old.pending_items {
        return trouble("pending_items", "it bills pending items in a rhythm of their own");
    }
    let own = own_keys(old);
    if own > MOST_OWN_KEYS {
        let why = format!("it has {own} metadata keys; {MOST_OWN_KEYS} fit beside this program's");
        return Err(Trouble::new("too_many_metadata", why));
    }
    Ok(())
}

/// What its customer on the new account lacks for it.
fn customer(old: &Old, person: &Person) -> Result<(), Trouble> {
    if let Some(locked) = person.currency_there.filter(|locked| *locked != old.currency) {
        let why = format!(
            "it bills {}, and its customer is locked to {locked} on the new account",
            old.currency
        );
        return Err(Trouble::new("currency_locked", why));
    }
    if matches!(old.collection, Collection::Invoice(_)) && !person.email_there {
        let why = "it is billed by invoice, and its customer has no e-mail address on the new account";
        return Err(Trouble::new("email_absent", why));
    }
    if old.automatic_tax && !person.address_there {
        let why = "its tax is reckoned by Stripe, and its customer has no address on the new account";
        return Err(Trouble::new("address_absent", why));
    }
    Ok(())
}

/// Metadata keys that are the owner's own.
fn own_keys(old: &Old) -> usize {
    let ours = |key: &&String| key.starts_with("cutover_") || IN_USE.contains(&key.as_str());
    old.metadata.keys().filter(|key| !ours(key)).count()
}

/// Keys that the toolkit's page gives a meaning.
const IN_USE: [&str; 3] = [OLD_ID, SOURCE, STARTED];

/// The first thing a line of the file cannot say.
fn beyond_file(old: &Old, phases: &[Phase], ends: bool, grid: &Grid) -> Option<&'static str> {
    let [phase] = phases else {
        return Some("it has several phases");
    };
    let of_items = |is: fn(&super::facts::PhaseItem) -> bool| phase.items.iter().any(is);
    let in_use = |key: &String| IN_USE.contains(&key.as_str());
    let own_items = old.items.iter().any(|item| !item.metadata.is_empty());
    let rules = [
        (old.schedule.is_some(), "a schedule manages it"),
        (phase.coupons.len() > 1, "it has several coupons"),
        (of_items(|item| !item.coupons.is_empty()), "an item has a coupon"),
        (
            of_items(|item| !item.tax_rates.is_empty()),
            "an item has tax rates",
        ),
        (phase.tax_rates.len() > 1, "it has several tax rates"),
        (
            phase.automatic_tax && !phase.tax_rates.is_empty(),
            "it has tax rates beside automatic tax",
        ),
        (phase.method.is_some(), "it has a method of its own"),
        (
            ends && phase.end != grid.point(1),
            "it ends, and not with its first period",
        ),
        (old.flexible, "its billing mode is flexible"),
        (old.description.is_some(), "it has a description"),
        (own_items, "its items have metadata"),
        (
            old.metadata.keys().any(in_use),
            "its metadata has a key of the toolkit's",
        ),
    ];
    rules.into_iter().find(|(is, _)| *is).map(|(_, why)| why)
}

#[cfg(test)]
#[path = "terms_tests.rs"]
mod tests;
