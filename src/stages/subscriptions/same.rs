//! Whether a twin is what a row wants. One comparison for the plan, the script and the audit's own look. PURE.

use super::facts::{Collection, Phase, PhaseItem, Twin};

/// What of `twin` is not what it must be, in Stripe's words; empty when it is the same.
///
/// `want` are the phases it must have, `ends` whether it ends with the last of them. The end of a last phase after which
/// the subscription goes on says nothing: Stripe sets one where none was given.
#[must_use]
pub fn differences(customer: &str, want: &[Phase], ends: bool, twin: &Twin) -> Vec<&'static str> {
    let mut differ = Vec::new();
    let mut check = |is_same: bool, name: &'static str| {
        if !is_same && !differ.contains(&name) {
            differ.push(name);
        }
    };
    check(customer == twin.customer, "customer");
    check(ends == twin.ends, "end_behavior");
    check(want.len() == twin.phases.len(), "phases");
    check(
        want.first().is_none_or(|first| first.start == twin.start),
        "start_date",
    );
    for (at, (want, have)) in want.iter().zip(&twin.phases).enumerate() {
        let is_last = at + 1 == twin.phases.len();
        let is_open = is_last && !ends;
        check(want.start == have.start, "start_date");
        check(is_open || want.end == have.end, "end_date");
        check(same_items(&want.items, &have.items), "items");
        check(want.coupons == have.coupons, "discounts");
        check(same_set(&want.tax_rates, &have.tax_rates), "default_tax_rates");
        check(want.automatic_tax == have.automatic_tax, "automatic_tax");
        check(
            collected(want.collection) == collected(have.collection),
            "collection_method",
        );
        check(want.method == have.method, "default_payment_method");
        check(want.currency == have.currency, "currency");
        check(have.beyond.is_none(), "phases");
    }
    differ
}

/// Stripe collects by itself where nothing else is said.
fn collected(how: Option<Collection>) -> Collection {
    how.unwrap_or(Collection::Automatic)
}

/// Their order says nothing, what stands beside what does.
fn same_items(want: &[PhaseItem], have: &[PhaseItem]) -> bool {
    let sorted = |items: &[PhaseItem]| {
        let mut items: Vec<_> = items
            .iter()
            .map(|item| {
                let mut rates = item.tax_rates.clone();
                rates.sort_unstable();
                (item.price.clone(), item.quantity, item.coupons.clone(), rates)
            })
            .collect();
        items.sort_unstable();
        items
    };
    sorted(want) == sorted(have)
}

fn same_set(want: &[String], have: &[String]) -> bool {
    let sorted = |all: &[String]| {
        let mut all = all.to_vec();
        all.sort_unstable();
        all
    };
    sorted(want) == sorted(have)
}
