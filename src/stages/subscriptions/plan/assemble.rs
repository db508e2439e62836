//! The row itself: what was decided, beside both sides and the evidence. PURE.

use super::decide::Made;
use super::words::day;
use super::{Case, Scene};
use crate::domain::change::{Change, ChangeKey, Evidence, Field};
use crate::domain::ids::Role;
use crate::domain::money::Money;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::Read;
use crate::stages::subscriptions::Route;
use crate::stages::subscriptions::effects::{Bill, Row};
use crate::stages::subscriptions::facts::{Collection, Old, Preview, Twin};
use crate::stages::subscriptions::file::Place;

/// The key of a subscription's row.
pub(super) fn key(old: &str) -> ChangeKey {
    ChangeKey(format!("subscription/{old}"))
}

pub(super) fn row(scene: &Scene<'_>, case: Case<'_>, made: Made, place: Option<Place>) -> Change {
    let row = &made.row;
    let mut working = made.notes.clone();
    working.extend(dates(row));
    working.extend(amounts(scene, case, row));
    working.extend(place.map(|place| place.to_string()));
    let bill = row.next_new.or(row.next_old);
    Change {
        key: key(case.id),
        subject: row.customer.clone(),
        label: case.person.map(|person| person.label.clone()).unwrap_or_default(),
        item: item(row),
        planned_as: made.verdict,
        verdict: made.verdict,
        money: bill.and_then(|bill| bill.money).map(owed),
        rule: made.rule.to_owned(),
        fields: fields(case, row),
        evidence: evidence(case),
        // Strings and integers always serialise.
        payload: serde_json::to_string(row).unwrap_or_default(),
        why: made.why,
        effect: made.effect,
        risk: made.risk,
        working,
        writes: made.writes,
        choices: made.choices,
        decision: None,
        with: None,
        filled: Vec::new(),
        update: None,
    }
}

/// A bill is what the customer owes.
fn owed(bill: Money) -> Money {
    Money::new(bill.amount.saturating_neg(), bill.currency)
}

/// `file, near renewal`: what groups and filters tell rows apart by.
fn item(row: &Row) -> String {
    let route = match row.route {
        Some(Route::Csv) => "file",
        Some(Route::Api) => "api",
        None => "subscription",
    };
    let mut words = vec![route];
    words.extend(row.classes.iter().map(|class| class.words()));
    words.join(", ")
}

fn dates(row: &Row) -> Vec<String> {
    let at = |at: i64| {
        UtcMs::from_secs(at)
            .datetime()
            .format("%Y-%m-%d %H:%M:%S UTC")
            .to_string()
    };
    let mut lines = Vec::new();
    if let Some(seen) = &row.seen {
        lines.push(format!(
            "old period: {} to {}",
            at(seen.period.0),
            at(seen.period.1)
        ));
    }
    lines.extend(row.handover.map(|h| format!("handover: {}", at(h))));
    lines.extend(
        row.again_at
            .map(|again| format!("to be planned again: {}", at(again))),
    );
    lines
}

fn amounts(scene: &Scene<'_>, case: Case<'_>, row: &Row) -> Vec<String> {
    let line = |side: &str, bill: Option<Bill>| {
        bill.map(|bill| {
            let money = bill
                .money
                .map_or("only Stripe can reckon it".to_owned(), |money| money.to_string());
            format!("{side} bills next: {}, {money} before tax", day(bill.at))
        })
    };
    let preview = scene.world.previews.get(case.id).map(|preview| match preview {
        Preview::Says { without_tax, total } => {
            format!("Stripe's preview: {without_tax} before tax, {total} in all")
        }
        Preview::Refused(words) => format!("Stripe's preview: refused, {}", safe(words)),
    });
    [
        line("old account", row.next_old),
        line("new account", row.next_new),
        preview,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Both sides in Stripe's words.
fn fields(case: Case<'_>, row: &Row) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut put = |name: &str, before: String, after: String, equal: bool| {
        if !(before.is_empty() && after.is_empty()) {
            let (before, after) = (safe(&before).to_string(), safe(&after).to_string());
            fields.push(Field {
                name: name.to_owned(),
                before,
                after,
                equal,
            });
        }
    };
    let old = case.old;
    let of_old = |say: &dyn Fn(&Old) -> String| old.map(say).unwrap_or_default();
    let first = row.phases.first();
    let items_before = of_old(&|old| {
        let items = old.items.iter().map(|item| times(&item.price.id, item.quantity));
        items.collect::<Vec<_>>().join(", ")
    });
    let items_after = first.map(|phase| {
        let items = phase.items.iter().map(|item| times(&item.price, item.quantity));
        items.collect::<Vec<_>>().join(", ")
    });
    put(
        "items",
        items_before,
        items_after.unwrap_or_default(),
        first.is_some(),
    );
    let discounts = of_old(&|old| {
        let of_items = old.items.iter().flat_map(|item| &item.discounts);
        let all = old.discounts.iter().chain(of_items);
        all.map(|one| one.coupon.as_str()).collect::<Vec<_>>().join(", ")
    });
    let coupons = first.map(|phase| {
        let of_items = phase.items.iter().flat_map(|item| &item.coupons);
        phase
            .coupons
            .iter()
            .chain(of_items)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ")
    });
    put("discounts", discounts, coupons.unwrap_or_default(), false);
    let rates = first.map(|phase| phase.tax_rates.join(", ")).unwrap_or_default();
    put(
        "default_tax_rates",
        of_old(&|old| old.tax_rates.join(", ")),
        rates,
        first.is_some(),
    );
    let collected = [
        of_old(&|old| collection(old.collection)),
        first
            .and_then(|phase| phase.collection)
            .map(collection)
            .unwrap_or_default(),
    ];
    let same = collected[0] == collected[1];
    let [before, after] = collected;
    put("collection_method", before, after, same);
    let method = first.and_then(|phase| phase.method.clone()).unwrap_or_default();
    put(
        "default_payment_method",
        of_old(&|old| old.method.clone().unwrap_or_default()),
        method,
        false,
    );
    let anchor = of_old(&|old| day(old.anchor));
    put(
        "billing_cycle_anchor",
        anchor,
        row.handover.map(day).unwrap_or_default(),
        false,
    );
    let ends = |at: Option<i64>| at.map(day).unwrap_or_default();
    let after = row.phases.last().and_then(|phase| phase.end).filter(|_| row.ends);
    let before = old.and_then(crate::stages::subscriptions::classes::ends_by_itself);
    put("cancel_at", ends(before), ends(after), before == after);
    fields
}

/// `2 × price_1`
fn times(price: &str, quantity: Option<u64>) -> String {
    match quantity {
        Some(quantity) => format!("{quantity} × {price}"),
        None => price.to_owned(),
    }
}

fn collection(of: Collection) -> String {
    match of {
        Collection::Automatic => "charge_automatically".to_owned(),
        Collection::Invoice(days) => format!("send_invoice, due in {days} days"),
    }
}

fn evidence(case: Case<'_>) -> Vec<Evidence> {
    let of_old = case.old.map(|old| {
        let ends = old.period_end().map(day).unwrap_or_default();
        let said = format!("{}: {:?}, period ends {ends}", safe(&old.id), old.status);
        line(Role::Source, "GET /v1/subscriptions (list)", said, &old.read)
    });
    let twins = case.twins.iter().map(|twin: &Twin| {
        let id = twin.schedule.as_ref().or(twin.subscription.as_ref());
        let asked = if twin.schedule.is_some() {
            "GET /v1/subscription_schedules (list)"
        } else {
            "GET /v1/subscriptions (list)"
        };
        let begun = if twin.begun { "begun" } else { "begins" };
        let id = id.map(|id| safe(id).to_string()).unwrap_or_default();
        let said = format!("{id}: {begun} {}", day(twin.start));
        line(Role::Destination, asked, said, &twin.read)
    });
    of_old.into_iter().chain(twins).collect()
}

fn line(role: Role, asked: &str, said: String, read: &Read) -> Evidence {
    Evidence {
        role: Some(role),
        asked: asked.to_owned(),
        said,
        request_id: read.request_id.to_string(),
        at: read.at,
    }
}
