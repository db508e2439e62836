//! Where a field leaves tax to the account's settings, and the two accounts assume different things. PURE (facts 6.5, 62).

use std::collections::BTreeSet;

use super::finding;
use crate::domain::change::{Change, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::Role;
use crate::domain::money::count;
use crate::domain::text::safe;
use crate::stages::catalogue::facts::{Item, Kind, Tax, World};

/// Whether both accounts calculate tax by themselves, or neither does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Automatic {
    #[default]
    Alike,
    /// On one side only.
    Differs,
    /// One side does, the other could not be read.
    Unknown,
}

/// What an unset field would mean differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    automatic: Automatic,
    /// Another behaviour is assumed for prices.
    behavior: bool,
    /// Another code is assumed for products.
    code: bool,
}

impl Gap {
    pub(super) fn between(source: &Tax, destination: &Tax) -> Self {
        let (Some(old), Some(new)) = (&source.settings, &destination.settings) else {
            let known = source.settings.as_ref().or(destination.settings.as_ref());
            // Where neither can be read, neither is known to collect tax; one that does is enough to look.
            let automatic = if known.is_some_and(|settings| settings.active) {
                Automatic::Unknown
            } else {
                Automatic::Alike
            };
            return Self {
                automatic,
                ..Self::default()
            };
        };
        Self {
            automatic: if old.active == new.active {
                Automatic::Alike
            } else {
                Automatic::Differs
            },
            behavior: old.behavior != new.behavior,
            code: old.code != new.code,
        }
    }

    /// Whether the same fields would mean something else for this object.
    pub(super) fn concerns(self, item: &Item) -> bool {
        let differs = match item.kind {
            Kind::Price => self.behavior,
            Kind::Product => self.code,
            _ => return false,
        };
        item.leaves_tax_to_account() && (differs || self.automatic != Automatic::Alike)
    }
}

/// What has to be known about the two set-ups.
pub(super) fn findings(world: &World, gap: Gap, changes: &[Change]) -> Vec<Finding> {
    let sides = [
        (Role::Source, &world.source_tax),
        (Role::Destination, &world.destination_tax),
    ];
    let mut all = Vec::new();
    for (role, tax) in sides {
        for why in &tax.refused {
            let why =
                format!("the tax set-up of the {role} account could not be read: {why}; compare it by hand");
            all.push(finding(role.word(), "tax_unreadable", why, Severity::Warn));
        }
    }
    let (prices, products) = (
        open(world, changes, Kind::Price),
        open(world, changes, Kind::Product),
    );
    let both = format!("{prices} leave it to the account, and so do {products} without a tax code");
    if gap.automatic == Automatic::Differs {
        let [old, new] = sides.map(|(_, tax)| tax.settings.as_ref().is_some_and(|settings| settings.active));
        let word = |active| if active { "active" } else { "not set up" };
        let why = format!(
            "automatic tax is {} on the old account and {} on the new one; {both}",
            word(old),
            word(new)
        );
        all.push(warn("automatic_tax_differs", why));
    }
    if gap.automatic == Automatic::Unknown {
        let why = format!("automatic tax is active on one account and unknown on the other; {both}");
        all.push(warn("automatic_tax_unknown", why));
    }
    let assumed = |of: fn(&crate::stages::catalogue::facts::TaxAssumes) -> Option<&String>| {
        sides.map(|(_, tax)| {
            let said = tax.settings.as_ref().and_then(of);
            said.map_or("nothing".to_owned(), |said| safe(said).to_string())
        })
    };
    if gap.behavior {
        let [old, new] = assumed(|settings| settings.behavior.as_ref());
        let why = format!(
            "the old account assumes the tax behaviour {old}, the new one {new}; {prices} leave it to the account and \
             would be taxed differently"
        );
        all.push(warn("tax_behavior_differs", why));
    }
    if gap.code {
        let [old, new] = assumed(|settings| settings.code.as_ref());
        let why =
            format!("the old account assumes the tax code {old}, the new one {new}; {products} have no code");
        all.push(warn("tax_code_differs", why));
    }
    all.extend(registrations(&world.source_tax, &world.destination_tax));
    all
}

fn warn(rule: &str, why: String) -> Finding {
    finding(Role::Destination.word(), rule, why, Severity::Warn)
}

/// Objects that are, or will be, on the new account and leave tax to its settings.
fn open(world: &World, changes: &[Change], kind: Kind) -> String {
    let shelf = match kind {
        Kind::Product => &world.source.products,
        _ => &world.source.prices,
    };
    let moving: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.verdict == Verdict::Planned || change.rule == "equal_exists")
        .map(|change| change.key.0.as_str())
        .collect();
    let is_moving = |item: &&Item| {
        let key = super::assemble::key(item.kind, &item.product, &item.id);
        item.leaves_tax_to_account() && moving.contains(key.as_str())
    };
    let n = shelf.values().filter(is_moving).count();
    let s = if n == 1 { "" } else { "s" };
    format!("{} {}{s}", count(n), kind.in_words())
}

fn registrations(source: &Tax, destination: &Tax) -> Vec<Finding> {
    let (Some(old), Some(new)) = (&source.registrations, &destination.registrations) else {
        return Vec::new();
    };
    let missing = old.difference(new).map(|place| {
        let why = format!("the old account is registered to collect tax in {place}, the new one is not");
        finding(
            Role::Destination.word(),
            "registration_missing",
            why,
            Severity::Warn,
        )
    });
    let more = new.difference(old).map(|place| {
        let why = format!("the new account is registered to collect tax in {place}, the old one is not");
        finding(Role::Source.word(), "registration_new", why, Severity::Note)
    });
    missing.chain(more).collect()
}

#[cfg(test)]
#[path = "tax_tests.rs"]
mod tests;
