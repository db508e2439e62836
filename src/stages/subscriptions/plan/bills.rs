//! The next bill of either side. PURE.

use super::Scene;
use crate::domain::money::Money;
use crate::stages::subscriptions::amount::{self, Line};
use crate::stages::subscriptions::classes::ends_by_itself;
use crate::stages::subscriptions::effects::Bill;
use crate::stages::subscriptions::facts::{Discount, Off, Old, Phase, Price, Status};

/// What the old account bills next, as things stand: nothing where it is stopped, ends, or does not bill.
pub(super) fn of_old(old: &Old) -> Option<Bill> {
    let at = old.period_end()?;
    let silent = matches!(
        old.status,
        Status::Ended | Status::Paused | Status::Incomplete | Status::Other
    );
    let ends = ends_by_itself(old).is_some_and(|ends| ends <= at);
    if silent || ends || old.ends_with_period || old.pause.is_some() {
        return None;
    }
    let holds = |discount: &&Discount| discount.end.is_none_or(|end| end > at);
    let has_own = old.discounts.iter().any(|discount| !discount.on_customer);
    let works = |discount: &&Discount| !(has_own && discount.on_customer);
    let off: Vec<&Off> = old
        .discounts
        .iter()
        .filter(works)
        .filter(holds)
        .map(|one| &one.off)
        .collect();
    let of_items: Vec<Vec<&Off>> = old
        .items
        .iter()
        .map(|item| item.discounts.iter().filter(holds).map(|one| &one.off).collect())
        .collect();
    let lines: Vec<Line<'_>> = old
        .items
        .iter()
        .zip(&of_items)
        .map(|(item, off)| Line {
            unit: unit(&item.price),
            quantity: item.quantity,
            off,
        })
        .collect();
    let minor = amount::bill(&lines, &off, old.currency);
    let money = minor.map(|minor| Money::new(minor, old.currency));
    Some(Bill { at, money })
}

/// What the new account bills at the start of that phase.
pub(super) fn of_phase(scene: &Scene<'_>, phase: &Phase) -> Bill {
    let unknown = Off::Unknown;
    let off = |coupons: &[String]| -> Vec<&Off> {
        let coupons = coupons.iter().map(|id| scene.world.coupons.get(id));
        coupons
            .map(|coupon| coupon.map_or(&unknown, |coupon| &coupon.off))
            .collect()
    };
    let of_items: Vec<Vec<&Off>> = phase.items.iter().map(|item| off(&item.coupons)).collect();
    let lines: Vec<Line<'_>> = phase
        .items
        .iter()
        .zip(&of_items)
        .map(|(item, off)| Line {
            unit: scene.world.prices.get(&item.price).and_then(unit),
            quantity: item.quantity,
            off,
        })
        .collect();
    let minor = amount::bill(&lines, &off(&phase.coupons), phase.currency);
    Bill {
        at: phase.start,
        money: minor.map(|minor| Money::new(minor, phase.currency)),
    }
}

fn unit(price: &Price) -> Option<&std::collections::BTreeMap<crate::domain::money::Currency, String>> {
    (!price.by_steps && !price.metered).then_some(&price.unit)
}
