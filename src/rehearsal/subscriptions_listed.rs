//! Makes the subscriptions a scenario lists one by one.

use std::collections::BTreeMap;

use super::billing::{
    Collected, Item, Pause, Phase, PhaseItem, Rhythm, Schedule, Standing, Status, Subscription, next_after,
};
use super::catalogue::Price;
use super::currency::Cur;
use super::ids;
use super::metadata::Metadata;
use super::scenario_pools::Named;
use super::scenario_subscriptions::{ListedItem, ListedSubscription};
use super::world::Account;

/// A subscription to be added, with the schedule that manages it.
pub(crate) struct Drafted {
    pub(crate) subscription: Subscription,
    pub(crate) schedule: Option<Schedule>,
}

impl From<Subscription> for Drafted {
    fn from(subscription: Subscription) -> Self {
        Self {
            subscription,
            schedule: None,
        }
    }
}

/// The subscriptions a scenario lists; one of a customer or price that is not there is left out. `now`: the start of the
/// night, seconds.
pub(crate) fn subscriptions(account: &Account, named: &Named<'_>, now: i64) -> Vec<Drafted> {
    let lister = Lister {
        account,
        shift: named.shift,
        now,
    };
    let made = named.subscriptions.iter();
    made.filter_map(|one| lister.drafted(one)).collect()
}

struct Lister<'a> {
    account: &'a Account,
    shift: i64,
    now: i64,
}

impl Lister<'_> {
    fn price(&self, name: &str) -> Option<(u32, &Price)> {
        let catalogue = &self.account.catalogue;
        let by_key = || catalogue.holder(name).and_then(|p| catalogue.prices.slot(&p.id));
        let slot = match name.strip_prefix('#') {
            Some(place) => place.parse().ok(),
            None => catalogue.prices.slot(name).or_else(by_key),
        }?;
        catalogue.prices.at(slot).map(|price| (slot, price))
    }

    fn rates(&self, names: &[String]) -> Vec<u32> {
        let rates = &self.account.catalogue.tax_rates;
        let slot = |name: &String| match name.strip_prefix('#') {
            Some(place) => place.parse().ok(),
            None => rates.slot(name),
        };
        names.iter().filter_map(slot).collect()
    }

    /// Price and quantity; none of a metered price.
    fn sold(&self, one: &ListedItem) -> Option<(u32, u32)> {
        let (slot, price) = self.price(&one.price)?;
        let metered = price.recurring.as_ref().is_some_and(|r| r.metered);
        let quantity = if metered { 0 } else { one.quantity.unwrap_or(1) };
        Some((slot, quantity))
    }

    fn item(&self, one: &ListedItem) -> Option<Item> {
        let (price, quantity) = self.sold(one)?;
        Some(Item {
            tax_rates: self.rates(&one.tax_rates).into(),
            metadata: metadata(&one.metadata),
            threshold: one.threshold,
            ..Item::of(price, quantity)
        })
    }

    fn drafted(&self, one: &ListedSubscription) -> Option<Drafted> {
        let subscription = self.subscription(one)?;
        let schedule = self.schedule(one, &subscription);
        Some(Drafted {
            subscription,
            schedule,
        })
    }

    fn subscription(&self, one: &ListedSubscription) -> Option<Subscription> {
        let customer = self.account.customers.slot(&one.customer)?;
        let plain = one.prices.iter().map(|price| self.item(&plain(price)));
        let items: Option<Vec<Item>> = plain
            .chain(one.items.iter().map(|item| self.item(item)))
            .collect();
        let items = items?;
        let first = self.account.catalogue.prices.at(items.first()?.price)?;
        let rhythm = Rhythm::of(first.recurring.as_ref()?);
        let currency = one
            .currency
            .as_deref()
            .and_then(Cur::parse)
            .unwrap_or(first.currency);
        let at = |instant: super::scenario_pools::At| instant.secs(self.shift);
        let (status, start) = (one.status()?, at(one.since));
        let trial = one.trial_end.map(|end| (start, at(end)));
        let trials = trial.filter(|_| matches!(status, Status::Trialing | Status::Paused));
        let anchor = one.anchor.map(at).or(trials.map(|t| t.1)).unwrap_or(start);
        let end = trials.map_or_else(|| next_after(anchor, rhythm, start), |trial| trial.1);
        let method = one
            .method
            .and_then(|n| self.account.customers.at(customer)?.methods.get(n).copied());
        let stops = (one.ends || one.cancel_at.is_some()).then_some(start);
        let started = one.started.map_or(start, at);
        let mut made = Subscription {
            status,
            period: (start, end),
            anchor,
            trial,
            cancel_at: one.cancel_at.map(at),
            ends: one.ends,
            canceled_at: one.ended.map(at).or(stops),
            ended: one.ended.map(at),
            days_due: one.days_until_due,
            items,
            method,
            tax_rates: self.rates(&one.tax_rates).into(),
            pause: one.behavior().map(|behavior| Pause {
                behavior,
                resumes_at: one.resumes_at.map(at),
            }),
            metadata: metadata(&one.metadata),
            ..Subscription::bare(&one.id, started, customer, currency)
        };
        for (name, value) in &one.fields {
            made.set_rest(name, value.clone());
        }
        Some(made)
    }

    fn schedule(&self, one: &ListedSubscription, of: &Subscription) -> Option<Schedule> {
        let listed = one.schedule.as_ref()?;
        let mut phases: Vec<Phase> = Vec::new();
        let mut start = of.period.0;
        for phase in &listed.phases {
            let end = phase.until.secs(self.shift);
            let items: Option<Vec<PhaseItem>> =
                phase.items.iter().map(|item| self.phase_item(item)).collect();
            let once = phase.once.iter().filter_map(|name| self.price(name));
            phases.push(Phase {
                items: items?,
                once: once.map(|(slot, _)| (slot, 1)).collect(),
                tax_rates: of.tax_rates.to_vec(),
                collection: Some(of.days_due.map_or(Collected::Charged, Collected::Sent)),
                method: of.method,
                ..Phase::bare(start, end, of.currency)
            });
            start = end;
        }
        let runs = phases.iter().position(|phase| phase.end > self.now)?;
        let seed = ids::mix(&[b"listed schedule", one.id.as_bytes()]);
        let id = ids::object("sub_sched_", &self.account.id, seed);
        Some(Schedule {
            standing: Standing::Active(runs),
            phases,
            ends: if listed.ends.as_deref() == Some("cancel") {
                "cancel"
            } else {
                "release"
            },
            days_due: of.days_due,
            ..Schedule::bare(&id, of.created, of.customer)
        })
    }

    fn phase_item(&self, one: &ListedItem) -> Option<PhaseItem> {
        let (price, quantity) = self.sold(one)?;
        Some(PhaseItem {
            price,
            quantity,
            tax_rates: self.rates(&one.tax_rates),
            metadata: metadata(&one.metadata),
            ..PhaseItem::default()
        })
    }
}

fn plain(price: &str) -> ListedItem {
    ListedItem {
        price: price.to_owned(),
        quantity: None,
        tax_rates: Vec::new(),
        metadata: BTreeMap::new(),
        threshold: None,
    }
}

fn metadata(given: &BTreeMap<String, String>) -> Metadata {
    let pairs: Vec<_> = given.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    Metadata::of(&pairs)
}
