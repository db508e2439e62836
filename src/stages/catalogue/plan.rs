//! From facts to rows. PURE. The cases stand in the table of the [stage's page](super).

mod assemble;
mod decide;
mod defaults;
mod links;
mod standing;
mod tax;

use std::collections::BTreeSet;

pub use assemble::USE_EXISTING;

use super::InactiveInUse;
use super::facts::{Item, Special, World};
use super::fields::Fields;
use crate::domain::change::{Change, Verdict};
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::{Accounts, StageId};
use crate::domain::text::safe;

/// What the rows are decided by besides the facts.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Accounts and mode.
    pub accounts: &'a Accounts,
    /// See the type.
    pub inactive_in_use: InactiveInUse,
}

/// The facts with what follows from them for many rows at once.
struct Scene<'a> {
    world: &'a World,
    rules: Rules<'a>,
    /// Products with a price that a live subscription uses.
    used_products: BTreeSet<&'a str>,
    /// Prices behind live payment links.
    linked: BTreeSet<&'a str>,
    tax: tax::Gap,
}

/// All rows, and what has to be known.
#[must_use]
pub fn rows(world: &World, rules: Rules<'_>) -> (Vec<Change>, Vec<Finding>) {
    let scene = Scene::new(world, rules);
    let mut changes = Vec::new();
    let mut findings = Vec::new();
    for product in world.source.products.values() {
        let row = decide::product(&scene, product);
        let wanted = row.rule != decide::NOT_USED;
        changes.push(row);
        if wanted {
            changes.extend(defaults::row(&scene, product));
        }
    }
    for price in world.source.prices.values() {
        let row = decide::price(&scene, price);
        findings.extend(about_price(price, &row));
        changes.push(row);
    }
    let rates = world.source.tax_rates.values();
    changes.extend(rates.map(|rate| decide::tax_rate(&scene, rate)));
    for link in world.source.links.values() {
        let (row, finding) = links::row(link);
        changes.push(row);
        findings.extend(finding);
    }
    findings.extend(world.usage.cut.iter().map(|id| {
        let why = format!(
            "the answer about subscription {id} did not hold all its items; look at it for further prices"
        );
        finding(id, "items_cut", why, Severity::Warn)
    }));
    findings.extend(tax::findings(world, scene.tax, &changes));
    (changes, findings)
}

impl<'a> Scene<'a> {
    fn new(world: &'a World, rules: Rules<'a>) -> Self {
        let prices = world.source.prices.values();
        let used_products = prices
            .filter(|price| world.usage.prices.contains(&price.id))
            .map(|price| price.product.as_str())
            .collect();
        let live = world.source.links.values().filter(|link| link.active);
        let linked = live
            .flat_map(|link| link.prices.iter().map(String::as_str))
            .collect();
        Self {
            world,
            rules,
            used_products,
            linked,
            tax: tax::Gap::between(&world.source_tax, &world.destination_tax),
        }
    }

    /// Whether a live subscription in scope uses it.
    fn used(&self, item: &Item) -> bool {
        use super::facts::Kind;
        match item.kind {
            Kind::Product => self.used_products.contains(item.id.as_str()),
            Kind::Price => self.world.usage.prices.contains(&item.id),
            Kind::TaxRate => self.world.usage.tax_rates.contains(&item.id),
            Kind::DefaultPrice | Kind::PaymentLink => false,
        }
    }

    /// Whether it is to be on the new account at all: it can be bought, or somebody in scope has bought it.
    fn wanted(&self, item: &Item) -> bool {
        let of_inactive = || {
            let product = self.world.source.products.get(&item.product);
            product.is_some_and(|product| !product.active)
        };
        self.used(item) || (item.active && !of_inactive())
    }

    /// What it is to be on the new account.
    fn fields(&self, item: &Item) -> Fields {
        let fields = item.fields.clone();
        if self.rules.inactive_in_use == InactiveInUse::Active && !item.active && self.used(item) {
            fields.with("active", "true")
        } else {
            fields
        }
    }
}

fn about_price(price: &Item, row: &Change) -> Option<Finding> {
    if row.rule == decide::RUNBOOK {
        let rule = if price.special == Some(Special::CustomAmount) {
            "pay_what_you_want"
        } else {
            "price_behind_link"
        };
        return Some(finding(&price.id, rule, row.why.clone(), Severity::Warn));
    }
    if row.rule == decide::METERED {
        return Some(finding(
            &price.id,
            decide::METERED,
            row.why.clone(),
            Severity::Warn,
        ));
    }
    if row.verdict == Verdict::Planned && !price.active {
        let why = "it is inactive and live subscriptions use it; Stripe creates no subscription on an inactive price, so \
                   it has to be active while they are created";
        return Some(finding(
            &price.id,
            decide::INACTIVE_IN_USE,
            why.to_owned(),
            Severity::Note,
        ));
    }
    let inline =
        "it was made for one subscription and stands in no list of prices; it becomes a price of its own";
    (price.inline && row.verdict == Verdict::Planned)
        .then(|| finding(&price.id, "inline_price", inline.to_owned(), Severity::Note))
}

fn finding(subject: &str, rule: &str, reason: String, severity: Severity) -> Finding {
    Finding {
        stage: StageId::Catalogue,
        customer: safe(subject).to_string(),
        rule: rule.to_owned(),
        reason,
        severity,
        money: None,
    }
}

#[cfg(test)]
mod order_tests;
#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
