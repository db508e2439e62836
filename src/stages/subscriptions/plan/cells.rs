//! A row as a line of the toolkit's file, by column. PURE; names and values as the toolkit's page has them.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use crate::stages::subscriptions::effects::{FROM_STRIPE, Row, STARTED};
use crate::stages::subscriptions::facts::{Collection, OLD_ID, Old, Phase};
use crate::stages::subscriptions::file::is_own;

/// Whether the owner's metadata needs columns that the files do not have.
pub(super) fn beyond_columns(old: &Old, columns: &BTreeSet<&str>) -> Option<&'static str> {
    let mut own = old.metadata.keys().filter(|key| is_own(key));
    own.any(|key| !columns.contains(key.as_str()))
        .then_some("it has metadata that hardly any other has, which would be columns of its own")
}

/// The cells of `row`, whose one phase the file can say.
pub(super) fn of(scene: &Scene<'_>, old: &Old, row: &Row) -> BTreeMap<String, String> {
    let Some(phase) = row.phases.first() else {
        return BTreeMap::new();
    };
    let mut cells = BTreeMap::new();
    let mut put = |name: &str, value: String| cells.insert(name.to_owned(), value);
    put("customer", row.customer.clone());
    put("start_date", phase.start.to_string());
    put("metadata_source", FROM_STRIPE.to_owned());
    put(&format!("metadata.{OLD_ID}"), row.old.clone());
    put(&format!("metadata.{STARTED}"), old.started.to_string());
    put("proration_behavior", "none".to_owned());
    for (key, value) in old.metadata.iter().filter(|(key, _)| is_own(key)) {
        put(&format!("metadata.{key}"), value.clone());
    }
    if phase.automatic_tax {
        put("automatic_tax", "true".to_owned());
    }
    if let Some(coupon) = phase.coupons.first() {
        put("coupon", coupon.clone());
    }
    if let Some(rate) = phase.tax_rates.first() {
        put("default_tax_rate", rate.clone());
    }
    if has_choice_of_currency(scene, phase) {
        put("currency", phase.currency.code().to_owned());
    }
    match phase.collection {
        Some(Collection::Invoice(days)) => {
            put("collection_method", "send_invoice".to_owned());
            put("days_until_due", days.to_string());
        }
        _ => {
            put("collection_method", "charge_automatically".to_owned());
        }
    }
    if row.ends {
        put("cancel_at_period_end", "true".to_owned());
    }
    items(&mut cells, phase);
    cells
}

fn items(cells: &mut BTreeMap<String, String>, phase: &Phase) {
    let quantity = |quantity: Option<u64>| quantity.unwrap_or(1).to_string();
    if let [item] = &phase.items[..] {
        cells.insert("price".to_owned(), item.price.clone());
        cells.insert("quantity".to_owned(), quantity(item.quantity));
        return;
    }
    for (at, item) in phase.items.iter().enumerate() {
        cells.insert(format!("items.{at}.price"), item.price.clone());
        cells.insert(format!("items.{at}.quantity"), quantity(item.quantity));
    }
}

/// A price of several currencies is billed in its own unless another is named.
fn has_choice_of_currency(scene: &Scene<'_>, phase: &Phase) -> bool {
    let prices = phase
        .items
        .iter()
        .filter_map(|item| scene.world.prices.get(&item.price));
    let mut prices = prices.filter(|price| price.unit.len() > 1 || price.currency != phase.currency);
    prices.next().is_some()
}
