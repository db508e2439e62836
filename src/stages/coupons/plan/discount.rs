//! The row of a running discount: a coupon of its own, for one use, of the length that is left. PURE.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::assemble::{self, About, Made};
use super::findings::finding;
use super::pools::too_many;
use crate::domain::change::{Change, Choice, Risk, Verdict};
use crate::domain::fields::Fields;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::coupons::effects::{CREATE_CARRY, DiscountRow, LET_END, MOST_OWN_KEYS, Payload, carry_id};
use crate::stages::coupons::facts::{Duration, Running};
use crate::stages::coupons::running::{self, Carry};
use crate::stages::coupons::terms;
use crate::stages::coupons::who::{self, Who};

/// Rows of all running discounts, and what has to be known about them.
pub(super) fn rows(scene: &Scene<'_>) -> (Vec<Change>, Vec<Finding>) {
    let first = first_bills(&scene.world.running);
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    let (mut seen, mut stacked) = (BTreeSet::new(), BTreeSet::new());
    for running in &scene.world.running {
        let who = who::of(Some(&running.customer), &scene.world.people);
        // A list may show one twice when it changes while it is read.
        if who == Who::Stayer || !seen.insert(key(running)) {
            continue;
        }
        let row = row(scene, running, who, &first);
        if matches!(row.verdict, Verdict::Planned | Verdict::Blocked) {
            findings.extend(about(running, &row));
            let subscription = running.subscription.as_deref().filter(|_| running.beside > 1);
            findings.extend(
                subscription
                    .filter(|id| stacked.insert(*id))
                    .map(|id| stacked_on(id, running)),
            );
        }
        rows.push(row);
    }
    (rows, findings)
}

fn key(running: &Running) -> String {
    match running.subscription.as_deref().filter(|_| running.on_customer) {
        Some(subscription) => format!("discount/{}/{subscription}", running.id),
        None => format!("discount/{}", running.id),
    }
}

/// Of a customer's discount for one invoice, the subscription that bills first: only that invoice has it. `None`: the
/// bills of one of several cannot be told.
type FirstBills<'a> = BTreeMap<&'a str, Option<&'a str>>;

fn first_bills(running: &[Running]) -> FirstBills<'_> {
    let mut by_discount: BTreeMap<&str, Vec<&Running>> = BTreeMap::new();
    let once = |running: &&Running| running.on_customer && running.duration == Duration::Once;
    for running in running.iter().filter(once) {
        by_discount.entry(&running.id).or_default().push(running);
    }
    // A subscription that ends before it bills again has no invoice for it.
    let ends = |running: &&Running| {
        let bills = running.bills;
        bills.is_some_and(|bills| bills.ends.is_some_and(|ends| ends <= bills.next))
    };
    by_discount
        .into_iter()
        .map(|(id, all)| (id, first_of(all.into_iter().filter(|running| !ends(running)))))
        .collect()
}

fn first_of<'a>(all: impl Iterator<Item = &'a Running>) -> Option<&'a str> {
    let mut bills = BTreeSet::new();
    for running in all {
        let subscription = running.subscription.as_deref()?;
        bills.insert((running.bills.map(|bills| bills.next), subscription));
    }
    let is_known = bills.len() == 1 || bills.iter().all(|(next, _)| next.is_some());
    bills
        .first()
        .filter(|_| is_known)
        .map(|(_, subscription)| *subscription)
}

fn row(scene: &Scene<'_>, running: &Running, who: Who<'_>, first: &FirstBills<'_>) -> Change {
    let id = carry_id(
        &running.id,
        running.subscription.as_deref().filter(|_| running.on_customer),
    );
    let start = scene.rules.settings.subscriptions_start;
    let carry = running::carry(running.duration, running.end, running.bills.as_ref(), start);
    let carried = terms::of_carry(running, carry, &id, scene.ids);
    let there = scene.world.destination.coupons.get(&id);
    let ours = there.is_some_and(|there| {
        let effect = scene.effects.id(CREATE_CARRY, &id).0;
        there.effect == Some(effect)
    });
    let terms = carried.clone().ok().flatten().unwrap_or_default();
    let made = if ours {
        Made::noop("already_there", "an earlier run created it".to_owned())
    } else if let Some(made) = nothing_to_do(running, who, first, carry) {
        made
    } else if there.is_some() {
        let why = format!(
            "somebody made a coupon with the id {} on the new account; it is left alone",
            safe(&id)
        );
        Made::blocked("coupon_differs", why)
    } else {
        match carried {
            Err((rule, why)) => Made::blocked(rule, why),
            Ok(_) if terms::own_keys(&terms) > MOST_OWN_KEYS => {
                Made::blocked("too_many_metadata", too_many(terms::own_keys(&terms)))
            }
            Ok(None) => Made::blocked("bills_unknown", UNKNOWN.to_owned()),
            Ok(Some(terms)) => planned(scene, running, carry, &id, &terms),
        }
    };
    let (until, invoices) = match carry {
        Carry::Until { at, invoices } => (Some(at), Some(invoices)),
        Carry::Months { invoices, .. } => (None, Some(invoices)),
        Carry::Once => (None, Some(1)),
        Carry::Ends => (None, Some(0)),
        Carry::Forever | Carry::Unknown => (None, None),
    };
    let payload = Payload::Discount(DiscountRow {
        old: running.id.clone(),
        subscription: running.subscription.clone(),
        item: running.item.clone(),
        terms: terms.clone(),
        until,
        invoices,
        there: ours,
    });
    let about = About {
        key: key(running),
        subject: running.customer.clone(),
        label: running.label.clone(),
        item: "running discount",
    };
    let will_be = ours || made.verdict == Verdict::Planned;
    let mut change = assemble::row(about, made, &payload);
    let date = |at: Option<i64>| at.map(|at| UtcMs::from_secs(at).day()).unwrap_or_default();
    let head = [
        (
            "coupon",
            [running.coupon.clone(), if will_be { id } else { String::new() }],
        ),
        (
            "subscription",
            [running.subscription.clone().unwrap_or_default(), String::new()],
        ),
        ("end", [date(running.end), date(until)]),
    ];
    let after = if will_be { terms } else { Fields::default() };
    change.fields = assemble::sides(&head, &running.terms, &after);
    change.working = working(scene, running, carry);
    change.evidence = vec![evidence(running)];
    change
        .evidence
        .extend(there.map(|there| assemble::of_coupon(Role::Destination, there)));
    change
}

const UNKNOWN: &str =
    "its next bills cannot be told, so neither can how long it has to go on; look at the subscription";

fn nothing_to_do(running: &Running, who: Who<'_>, first: &FirstBills<'_>, carry: Carry) -> Option<Made> {
    match who {
        Who::Deleted => {
            let why = "its customer is deleted".to_owned();
            return Some(Made::noop("customer_deleted", why));
        }
        Who::Absent { .. } => {
            let why =
                "its customer is in scope but not on the new account; settle that first, then read again";
            return Some(Made::blocked("customer_absent", why.to_owned()));
        }
        _ => {}
    }
    let Some(subscription) = running.subscription.as_deref() else {
        let why = "it stands on the customer, where it cannot be created any more, and no live subscription has it; a \
                   person says what becomes of it";
        let ends = Choice {
            name: LET_END.to_owned(),
            means: "it ends with the old account, or a person gives it in another way".to_owned(),
            writes: Vec::new(),
            sign_off: true,
            number: None,
        };
        return Some(Made::blocked(CUSTOMER, why.to_owned()).choosing(vec![ends]));
    };
    if carry == Carry::Ends {
        let why = "no bill of the new account has it any more".to_owned();
        return Some(Made::noop("ends_before_next_bill", why));
    }
    if !(running.on_customer && running.duration == Duration::Once) {
        return None;
    }
    match first.get(running.id.as_str()).copied().flatten() {
        None => Some(Made::blocked("bills_unknown", UNKNOWN.to_owned())),
        Some(first) if first == subscription => None,
        Some(first) => {
            let why = format!(
                "it is for the customer's next invoice, which is that of {}",
                safe(first)
            );
            Some(Made::noop("another_bills_first", why))
        }
    }
}

const CUSTOMER: &str = "customer_discount";

fn planned(scene: &Scene<'_>, running: &Running, carry: Carry, id: &str, terms: &Fields) -> Made {
    let (rule, length) = match carry {
        Carry::Once => ("carry_once", "for the next invoice".to_owned()),
        Carry::Forever => ("carry_forever", "without end".to_owned()),
        Carry::Months { months, invoices } => (
            "carry_months",
            format!(
                "for {}, which is {} that {} left",
                some(months, "month"),
                some(invoices, "invoice"),
                if invoices == 1 { "was" } else { "were" }
            ),
        ),
        Carry::Until { at, invoices } => (
            "carry_until",
            format!(
                "without end, and a phase has to drop it on {}, after {}",
                UtcMs::from_secs(at).day(),
                some(invoices, "invoice")
            ),
        ),
        Carry::Ends | Carry::Unknown => ("bills_unknown", String::new()),
    };
    let why = match (running.on_customer, carry) {
        (true, _) => {
            "it stands on the customer, where it cannot be created any more, so the subscription gets it"
        }
        (false, Carry::Until { .. }) => "no whole number of months discounts the invoices that were left",
        (false, _) => "it is running, and the shared coupon would begin anew and use up one of its uses",
    };
    let rule = if running.on_customer { CUSTOMER } else { rule };
    let effect = format!("A coupon of its own is created, for one use, {length}.");
    let writes = vec![scene.effects.create_carry(&running.id, id, terms)];
    let mut made = Made::planned(rule, why, effect, writes);
    if running.on_customer || running.beside > 1 || matches!(carry, Carry::Until { .. }) {
        made.risk = Risk::Medium;
    }
    made
}

fn some(n: u32, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn working(scene: &Scene<'_>, running: &Running, carry: Carry) -> Vec<String> {
    let day = |at: i64| UtcMs::from_secs(at).day();
    let mut lines = Vec::new();
    if let Some(bills) = running.bills {
        lines.push(format!("first bill on the new account: {}", day(bills.next)));
        lines.extend(
            bills
                .ends
                .map(|ends| format!("the subscription ends: {}", day(ends))),
        );
    }
    lines.extend(running.end.map(|end| format!("the discount ends: {}", day(end))));
    match carry {
        Carry::Months { months, invoices } => {
            let start = scene.rules.settings.subscriptions_start.word();
            lines.push(format!(
                "bills before that: {invoices}; as many in {} from {start}",
                some(months, "month")
            ));
        }
        Carry::Until { invoices, .. } => lines.push(format!(
            "bills before that: {invoices}; no whole number of months has as many"
        )),
        _ => {}
    }
    lines
}

fn evidence(running: &Running) -> crate::domain::change::Evidence {
    let asked = if running.on_customer {
        "GET /v1/customers (list)"
    } else {
        "GET /v1/subscriptions (list)"
    };
    let on = running.subscription.as_deref().unwrap_or(&running.customer);
    let said = format!(
        "{} of {} on {}",
        safe(&running.id),
        safe(&running.coupon),
        safe(on)
    );
    assemble::evidence(Role::Source, asked, said, &running.read)
}

fn about(running: &Running, row: &Change) -> Option<Finding> {
    let on = running.subscription.as_deref();
    if running.on_customer {
        let why = match on {
            Some(on) => format!(
                "discount {} stood on the customer; on the new account it stands on subscription {} alone, so later \
                 subscriptions and invoices of the customer do not have it",
                safe(&running.id),
                safe(on)
            ),
            None => format!(
                "discount {} stands on the customer and works on nothing; it cannot be created again",
                safe(&running.id)
            ),
        };
        return Some(finding(&running.customer, CUSTOMER, why, Severity::Warn));
    }
    (row.rule == "carry_until").then(|| {
        let why = format!(
            "discount {} on {}: {}",
            safe(&running.id),
            safe(on.unwrap_or_default()),
            row.effect
        );
        finding(&running.customer, "carry_until", why, Severity::Warn)
    })
}

fn stacked_on(subscription: &str, running: &Running) -> Finding {
    let why = format!(
        "{} discounts work on subscription {}; a line of Stripe's migration file takes one coupon, so the others are added \
         by hand, in their order",
        running.beside,
        safe(subscription)
    );
    finding(&running.customer, "stacked", why, Severity::Warn)
}
