//! The default price of a product: set when its prices are there, never changed where there is one. PURE.

use super::Scene;
use super::assemble::{self, Made};
use super::decide::{self, RUNBOOK};
use crate::domain::change::{Change, Choice, Risk, Verdict};
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::stages::catalogue::effects::{Effects, Payload};
use crate::stages::catalogue::facts::{Item, Kind};
use crate::stages::catalogue::fields::Fields;

/// The row, for a product that has a default price.
pub(super) fn row(scene: &Scene<'_>, product: &Item) -> Option<Change> {
    let old = product.default_price.as_deref()?;
    let there = scene.world.destination.products.get(&product.id);
    let now = there.and_then(|there| there.default_price.as_deref());
    let price = scene.world.source.prices.get(old);
    let (fate, existing) = price.map_or((Verdict::Blocked, None), |price| decide::fate(scene, price));
    let (made, choices) = decide_row(scene, product, old, now, fate, existing.as_deref());
    let mut fields = Fields::default();
    fields.put("default_price", old);
    let after = match (made.verdict, now) {
        (Verdict::Planned, _) => format!("what stands for {old}"),
        (_, now) => now.unwrap_or_default().to_owned(),
    };
    let payload = Payload {
        kind: Kind::DefaultPrice,
        old: old.to_owned(),
        product: product.id.clone(),
        fields,
        existing,
        default_before: now.map(str::to_owned),
        used: false,
        terms: price.map(|price| price.terms.clone()).unwrap_or_default(),
    };
    let equal = made.verdict == Verdict::Noop;
    let key = assemble::key(Kind::DefaultPrice, &product.id, old);
    let mut change = assemble::bare(key, &payload, product.label.clone(), made);
    let mut line = assemble::line("default_price", old, &after);
    line.equal = equal;
    change.fields = vec![line];
    change.choices = choices;
    let side = |role, item: &Item| assemble::evidence(role, Kind::DefaultPrice, &item.id, "", &item.read);
    change.evidence.push(side(Role::Source, product));
    change
        .evidence
        .extend(there.map(|there| side(Role::Destination, there)));
    Some(change)
}

fn decide_row(
    scene: &Scene<'_>,
    product: &Item,
    old: &str,
    now: Option<&str>,
    fate: Verdict,
    existing: Option<&str>,
) -> (Made, Vec<Choice>) {
    if let Some(now) = now {
        return there_is_one(fate, existing, now);
    }
    let effects = Effects {
        accounts: scene.rules.accounts,
    };
    let blocked = |rule: &str, why: String| (Made::blocked(rule, why), Vec::new());
    let own = decide::product(scene, product);
    let differs = own.verdict == Verdict::Blocked;
    if differs && !scene.world.destination.products.contains_key(&product.id) {
        return blocked(
            "product_blocked",
            "its product is not on the new account and is not planned".to_owned(),
        );
    }
    if differs {
        let why = "the product on the new account is not equal to the old one and is not changed".to_owned();
        let choices = existing
            .map(|id| chosen(effects, product, old, id))
            .into_iter()
            .collect();
        return (Made::blocked("product_blocked", why), choices);
    }
    match (fate, existing) {
        (Verdict::Planned, _) | (Verdict::Noop, Some(_)) => (planned(effects, product, old), Vec::new()),
        (Verdict::LeftOut, _) => {
            let why = "the price itself is left to the runbook";
            (Made::left_out(RUNBOOK, why.to_owned()), Vec::new())
        }
        (_, existing) => {
            let why = format!(
                "the price {} is not planned and not on the new account as it should be",
                safe(old)
            );
            let choices = existing
                .map(|id| chosen(effects, product, old, id))
                .into_iter()
                .collect();
            (Made::blocked("price_blocked", why), choices)
        }
    }
}

/// Somebody, or an earlier run, set one. It is never changed.
fn there_is_one(fate: Verdict, existing: Option<&str>, now: &str) -> (Made, Vec<Choice>) {
    if fate == Verdict::Noop && existing == Some(now) {
        let why = format!(
            "the product on the new account has {} as default price already",
            safe(now)
        );
        return (Made::noop("equal_exists", why), Vec::new());
    }
    let why = format!(
        "the product on the new account has another default price, {}, which is not changed: sign for it, or set it by \
         hand and read again",
        safe(now)
    );
    let keep = assemble::use_existing(format!("{} stays the default price", safe(now)), Vec::new());
    (Made::blocked("default_price_differs", why), vec![keep])
}

fn planned(effects: Effects<'_>, product: &Item, old: &str) -> Made {
    Made {
        verdict: Verdict::Planned,
        rule: "missing".to_owned(),
        why: "the product on the new account has no default price".to_owned(),
        effect: format!("What stands for {} becomes the default price.", safe(old)),
        risk: Risk::Low,
        writes: vec![effects.set_default(&product.id, old, None)],
    }
}

fn chosen(effects: Effects<'_>, product: &Item, old: &str, new: &str) -> Choice {
    let means = format!(
        "{} on the new account becomes the default price, different as it is",
        safe(new)
    );
    assemble::use_existing(means, vec![effects.set_default(&product.id, old, Some(new))])
}
