//! What the copy does not take along, dealt to people who are already there: it changes neither who they are nor what
//! they hold, and has dice of its own.

use serde_json::{Value, json};

use super::additions::{self, Default};
use super::address::Address;
use super::dice::Dice;
use super::ids;
use super::plan::WorldPlan;
use super::world::{Account, Method};

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;

/// Tax ids in turn; what they say is made up.
const TAX_IDS: [(&str, &str); 4] = [
    ("us_ein", "12-3456789"),
    ("eu_vat", "DE123456789"),
    ("au_abn", "51824753556"),
    ("gb_vat", "GB123456789"),
];
const LOCALES: [&[&str]; 4] = [&["en-US"], &["es-419", "en"], &["fr-CA"], &["de"]];
const DESCRIPTIONS: [&str; 4] = [
    "Two children, Tuesdays",
    "Pays by the term",
    "Asked for paper invoices",
    "Moved from the old timetable; see the note of March",
];

/// Deals the traits of `plan` to `movers`, by slot, and gives each of `doubles` the email address of one of them.
/// `now` is the start of the night in seconds.
pub(crate) fn deal(
    account: &mut Account,
    plan: &WorldPlan,
    movers: &[u32],
    doubles: &[u32],
    seed: u64,
    now: i64,
) {
    let mut dice = Dice::new(ids::mix(&[b"traits", &seed.to_be_bytes()]));
    let mut order = movers.to_vec();
    dice.shuffle(&mut order);
    let mut hand = Hand { order, next: 0 };
    for slot in doubles {
        share_email(account, *slot, &mut hand);
    }
    for n in 0..plan.uncopyable_second {
        if let Some(slot) = hand.take() {
            second(account, &mut dice, slot, n);
        }
    }
    for n in 0..plan.late_methods {
        if let Some(slot) = hand.take() {
            late(account, &mut dice, slot, n, now);
        }
    }
    for n in 0..plan.tax_ids {
        if let Some(slot) = hand.take() {
            tax_ids(account, &mut dice, slot, n);
        }
    }
    let mut set = |count: u32, field: &str, value: &dyn Fn(u32) -> Value| {
        for n in 0..count {
            let slot = hand.take();
            if let Some(customer) = slot.and_then(|slot| account.customers.at_mut(slot)) {
                customer.rest_mut().insert(field.into(), value(n));
            }
        }
    };
    set(plan.exempt, "tax_exempt", &|_| json!("exempt"));
    set(plan.reverse, "tax_exempt", &|_| json!("reverse"));
    set(plan.shipping, "shipping", &shipping);
    set(plan.locales, "preferred_locales", &|n| json!(turn(&LOCALES, n)));
    set(plan.descriptions, "description", &|n| {
        json!(turn(&DESCRIPTIONS, n))
    });
    set(plan.footers, "invoice_settings", &invoice_settings);
}

/// Who is dealt to next; round again when everybody had something.
struct Hand {
    order: Vec<u32>,
    next: usize,
}

impl Hand {
    fn take(&mut self) -> Option<u32> {
        let at = self.next.checked_rem(self.order.len())?;
        self.next += 1;
        self.order.get(at).copied()
    }
}

fn turn<T: Copy>(all: &[T], n: u32) -> Option<T> {
    let at = (n as usize).checked_rem(all.len())?;
    all.get(at).copied()
}

fn share_email(account: &mut Account, slot: u32, hand: &mut Hand) {
    for _ in 0..hand.order.len() {
        let other = hand.take().and_then(|at| account.customers.at(at));
        if let Some(email) = other.and_then(|c| c.email.clone()) {
            account.set_email(slot, Some(email));
            return;
        }
    }
}

fn give(account: &mut Account, slot: u32, method: Method, created: i64, default: Default) {
    let newest = account.customers.at(slot).and_then(|c| c.methods.last().copied());
    let newest = newest
        .and_then(|at| account.methods.at(at))
        .map_or(0, |m| m.created);
    let method = Method {
        created: created.max(newest),
        customer: Some(slot),
        ..method
    };
    additions::attach(account, method, default);
}

fn second(account: &mut Account, dice: &mut Dice, slot: u32, n: u32) {
    let method = additions::uncopyable(&account.id, dice, n);
    let created = account.customers.at(slot).map_or(0, |c| c.created);
    // Everybody counted is at least two days old.
    give(account, slot, method, created + DAY, Default::No);
}

/// A card that came after the copy; every other one became the default.
fn late(account: &mut Account, dice: &mut Dice, slot: u32, n: u32, now: i64) {
    let card = additions::card(&account.id, dice);
    let default = if n.is_multiple_of(2) {
        Default::InSettings
    } else {
        Default::No
    };
    give(account, slot, card, now - HOUR - i64::from(n % 60) * 60, default);
}

fn tax_ids(account: &mut Account, dice: &mut Dice, slot: u32, n: u32) {
    let count = if n % 7 == 6 { 2 } else { 1 };
    for at in n..n + count {
        let Some((kind, value)) = turn(&TAX_IDS, at) else {
            continue;
        };
        let created = account.customers.at(slot).map_or(0, |c| c.created);
        let id = additions::tax_id(&account.id, dice, kind, value, created);
        if let Some(customer) = account.customers.at_mut(slot) {
            customer.tax_ids.push(id);
        }
    }
}

fn shipping(n: u32) -> Value {
    let address = Address::of(&format!("{} Harbour Road", n + 1), "Austin", "TX", "78701", "US");
    let phone = n
        .is_multiple_of(2)
        .then(|| format!("+1 512 555 {:04}", n % 10_000));
    json!({
        "address": address.json(),
        "carrier": null,
        "name": format!("Front desk {n}"),
        "phone": phone,
        "tracking_number": null,
    })
}

fn invoice_settings(n: u32) -> Value {
    let fields = json!([{ "name": "PO number", "value": format!("PO-{}", 1000 + n) }]);
    let rendering = json!({ "amount_tax_display": "include_inclusive_tax", "template": null });
    json!({
        "custom_fields": (!n.is_multiple_of(3)).then_some(fields),
        "footer": (n.is_multiple_of(2) || n.is_multiple_of(3)).then_some("Thank you for learning with us."),
        "rendering_options": n.is_multiple_of(5).then_some(rendering),
    })
}
