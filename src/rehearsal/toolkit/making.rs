//! From a row to a subscription schedule of the account.

use std::collections::BTreeMap;

use super::checks::currency;
use super::reading::Row;
use crate::rehearsal::billing::{
    Collected, Phase, PhaseItem, Rhythm, Schedule, Standing, rhythm_of, stand, step,
};
use crate::rehearsal::call::{Call, live_customer};
use crate::rehearsal::catalogue::{Amounts, Decimal, Price, Recurring};
use crate::rehearsal::currency::Cur;
use crate::rehearsal::expand::Expand;
use crate::rehearsal::form::Node;
use crate::rehearsal::ids;
use crate::rehearsal::metadata::Metadata;
use crate::rehearsal::objects::schedules_view;
use crate::rehearsal::world::{Account, By};

/// Makes the schedule of a row that was checked; `seed` is what its ids derive from. Says its slot.
pub(crate) fn make(account: &mut Account, row: &Row, seed: u64, at: i64) -> Option<u32> {
    let customer = live_customer(account, &row.customer)?;
    let prices: Vec<(String, &Price)> = row
        .items
        .iter()
        .filter_map(|part| Some((String::new(), account.catalogue.prices.get(&part.price)?)))
        .collect();
    let cur = currency(row, &prices)?;
    let mut maker = Maker {
        account,
        seed,
        at,
        made: 0,
    };
    let items = maker.items(row)?;
    let once = maker.once(row);
    let rhythm = rhythm_of(account, items.first()?.price)?;
    let metadata = metadata(&row.metadata);
    let coupon = row
        .coupon
        .as_ref()
        .and_then(|id| account.pools.coupons().slot(id));
    let rate = row
        .tax_rate
        .as_ref()
        .and_then(|id| account.catalogue.tax_rates.slot(id));
    let phase = Phase {
        items,
        once,
        coupons: coupon.into_iter().collect(),
        tax_rates: rate.into_iter().collect(),
        automatic_tax: row.automatic_tax,
        collection: Some(row.due_in.map_or(Collected::Charged, Collected::Sent)),
        trial_end: row.trial_end,
        proration: if row.prorates { "create_prorations" } else { "none" },
        metadata: metadata.clone(),
        ..Phase::bare(row.start, step(row.start, rhythm, 1), cur)
    };
    let id = ids::object("sub_sched_", &account.id, seed);
    let created = Account::stamp(&account.billing.schedules, at);
    let schedule = Schedule {
        phases: vec![phase],
        days_due: row.due_in,
        automatic_tax: row.automatic_tax,
        metadata,
        backdated: row.backdate,
        anchor: row.anchor,
        once_through: row.ends_with_period,
        ..Schedule::bare(&id, created, customer)
    };
    if let Some(customer) = account.customers.at_mut(customer) {
        customer.currency.get_or_insert(cur);
    }
    let slot = account.billing.add_schedule(schedule);
    tell(account, slot, "subscription_schedule.created", seed, at);
    Some(slot)
}

/// Cancels a schedule that has not begun; says whether it did.
pub(crate) fn unmake(account: &mut Account, slot: u32, at: i64) -> bool {
    let waits = |s: &Schedule| s.standing == Standing::NotStarted;
    if !account.billing.schedules.at(slot).is_some_and(waits) {
        return false;
    }
    stand(account, slot, Standing::Canceled(at));
    let seed = ids::mix(&[b"unmake", &slot.to_be_bytes()]);
    tell(account, slot, "subscription_schedule.canceled", seed, at);
    true
}

fn tell(account: &mut Account, slot: u32, kind: &'static str, seed: u64, at: i64) {
    let none = Node::empty();
    let mut call = Call::new(account, at, seed, By::Foreign, "", None, &none, Vec::new(), "");
    let found = call.account.billing.schedules.at(slot);
    if let Some(shown) = found.map(|s| schedules_view::show(call.account, s, &Expand::default())) {
        call.event(kind, shown, None);
    }
}

fn metadata(given: &BTreeMap<String, String>) -> Metadata {
    let pairs: Vec<_> = given.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    Metadata::of(&pairs)
}

struct Maker<'a> {
    account: &'a mut Account,
    seed: u64,
    at: i64,
    made: u32,
}

impl Maker<'_> {
    fn items(&mut self, row: &Row) -> Option<Vec<PhaseItem>> {
        let mut items = Vec::new();
        for part in &row.items {
            let slot = self.account.catalogue.prices.slot(&part.price)?;
            let recurring = self.account.catalogue.prices.at(slot)?.recurring.as_ref()?;
            let quantity = if recurring.metered {
                0
            } else {
                part.quantity.unwrap_or(1)
            };
            items.push(item(slot, quantity));
        }
        for of in &row.adhoc {
            let rhythm = Rhythm {
                interval: of.interval,
                count: 1,
            };
            let slot = self.price(&of.product, of.amount, of.currency, Some(rhythm));
            items.push(item(slot, of.quantity.unwrap_or(1)));
        }
        Some(items)
    }

    fn once(&mut self, row: &Row) -> Vec<(u32, u32)> {
        let all = row.add_ons.iter();
        all.map(|of| (self.price(&of.product, of.amount, of.currency, None), 1))
            .collect()
    }

    /// A price that is made with what it is for.
    fn price(&mut self, product: &str, amount: i64, currency: Cur, rhythm: Option<Rhythm>) -> u32 {
        self.made += 1;
        let seed = ids::mix(&[b"ad hoc", &self.seed.to_be_bytes(), &self.made.to_be_bytes()]);
        let prices = &mut self.account.catalogue.prices;
        let price = Price {
            id: ids::object("price_", &self.account.id, seed).into(),
            created: Account::stamp(prices, self.at),
            active: true,
            inline: true,
            product: product.into(),
            currency,
            base: Amounts {
                unit: Some(Decimal::of(&amount.to_string())),
                custom: None,
                tiers: Vec::new(),
                tax_behavior: "unspecified",
            },
            options: BTreeMap::new(),
            tiers_mode: None,
            transform: None,
            recurring: rhythm.map(|rhythm| Recurring {
                interval: rhythm.interval,
                count: rhythm.count,
                meter: None,
                metered: false,
            }),
            lookup_key: None,
            nickname: None,
            metadata: Metadata::default(),
        };
        prices.push(price)
    }
}

fn item(price: u32, quantity: u32) -> PhaseItem {
    PhaseItem {
        price,
        quantity,
        ..PhaseItem::default()
    }
}
