//! Who is subscribed to what. The first subscriptions of each currency go round all its prices, so that a small world
//! has as many kinds as it can hold; the others are drawn.

use chrono::{DateTime, Datelike as _, NaiveDate};

use super::billing::{
    Item, Pause, Rhythm, Schedule, Status, Subscription, Turn, bill, finalize, period_at, step, wanted,
};
use super::catalogue::{Price, Recurring};
use super::currency::Cur;
use super::dice::Dice;
use super::ids;
use super::metadata::Metadata;
use super::plan::WorldPlan;
use super::subscriptions_listed::Drafted;
use super::world::{Account, Role};

const DAY: i64 = 86_400;
/// How long a trial takes.
const TRIAL: i64 = 14 * DAY;

/// Subscribes customers of the old account to the prices in `sold` (slots); `paying` are slots of customers. Those that
/// a scenario lists come besides.
pub(crate) fn fill(
    account: &mut Account,
    plan: &WorldPlan,
    (paying, sold): (&[u32], &[u32]),
    listed: Vec<Drafted>,
    seed: u64,
    now: i64,
) {
    if sold.is_empty() {
        return;
    }
    let mut maker = Maker {
        dice: Dice::new(ids::mix(&[b"subscriptions", &seed.to_be_bytes()])),
        shelves: Vec::new(),
        now,
    };
    maker.sort(account, sold);
    let mut made = listed;
    for (n, slot) in subscribers(account, plan, paying).into_iter().enumerate() {
        made.extend(maker.live(account, slot, n).map(Drafted::from));
        if n % 10 == 9 {
            made.extend(maker.ended(account, slot).map(Drafted::from));
        }
    }
    made.sort_by(|a, b| {
        let (a, b) = (&a.subscription, &b.subscription);
        (a.created, &a.id).cmp(&(b.created, &b.id))
    });
    let mut owing: Vec<(i64, u32)> = made.into_iter().filter_map(|one| add(account, one)).collect();
    owing.sort_unstable();
    for (began, slot) in owing {
        owed(account, slot, began);
    }
    account.billing.subscriptions.shrink();
}

/// Adds a subscription with its schedule; says when its period began and its slot, where a payment failed.
fn add(account: &mut Account, one: Drafted) -> Option<(i64, u32)> {
    let subscription = one.subscription;
    let owner = account.customers.at(subscription.customer).map(|c| c.id.clone());
    let (status, began) = (subscription.status, subscription.period.0);
    let slot = account
        .billing
        .subscribe(&owner.unwrap_or_default(), subscription);
    if let Some(schedule) = one.schedule {
        let schedule = account.billing.add_schedule(Schedule {
            subscription: Some(slot),
            ..schedule
        });
        if let Some(subscription) = account.billing.subscriptions.at_mut(slot) {
            subscription.schedule = Some(schedule);
        }
    }
    matches!(status, Status::PastDue | Status::Unpaid).then_some((began, slot))
}

/// The invoice of the current period, open since the payment failed. It is tried again as often as Stripe does that, and
/// of an unpaid subscription no more.
fn owed(account: &mut Account, slot: u32, began: i64) {
    let Some(found) = account.billing.subscriptions.at(slot) else {
        return;
    };
    let (status, retried) = (found.status, found.status == Status::PastDue);
    let lines = wanted(account, slot, found, found.period, began);
    let silent = std::mem::replace(&mut account.billing.silent, true);
    let before = std::mem::replace(&mut account.now, began);
    if let Some(invoice) = bill(account, slot, "subscription_cycle", &lines, began) {
        finalize(account, invoice, began + 3_600);
        if let Some(invoice) = account.billing.invoices.at_mut(invoice) {
            // Tried while the night lasts, or never again.
            invoice.retry = retried.then_some(before + 5 * DAY);
            invoice.auto_advance &= retried;
        }
        account.billing.plan(Turn::Invoice, invoice);
    }
    if let Some(subscription) = account.billing.subscriptions.at_mut(slot) {
        subscription.status = status;
    }
    account.now = before;
    account.billing.silent = silent;
}

/// Slots of customers, one for each live subscription: those who pay first, then other movers with a method, then
/// stayers.
fn subscribers(account: &Account, plan: &WorldPlan, paying: &[u32]) -> Vec<u32> {
    let count = |n: Option<u32>, otherwise: usize| n.map_or(otherwise, |n| n as usize);
    let rows = || (0_u32..).zip(account.customers.rows());
    let known: std::collections::HashSet<u32> = paying.iter().copied().collect();
    let others =
        rows().filter(|(slot, c)| c.role == Role::Mover && !c.methods.is_empty() && !known.contains(slot));
    let movers = paying.iter().copied().chain(others.map(|(slot, _)| slot));
    let stayers: Vec<u32> = rows()
        .filter(|(_, c)| c.role == Role::Stayer)
        .map(|(slot, _)| slot)
        .collect();
    let staying = count(plan.stayer_subscriptions, stayers.len().div_ceil(2));
    movers
        .take(count(plan.subscriptions, paying.len()))
        .chain(stayers.into_iter().take(staying))
        .collect()
}

/// Prices that have an amount in one currency and can be subscribed to, and how many subscriptions began with them.
struct Shelf {
    cur: Cur,
    prices: Vec<u32>,
    dealt: usize,
}

struct Maker {
    dice: Dice,
    shelves: Vec<Shelf>,
    now: i64,
}

impl Maker {
    fn sort(&mut self, account: &Account, sold: &[u32]) {
        for slot in sold {
            let Some(price) = account.catalogue.prices.at(*slot) else {
                continue;
            };
            // Metered prices are added to others: a subscription of nothing but usage would show no amount.
            if price.recurring.as_ref().is_none_or(|r| r.metered) {
                continue;
            }
            for cur in std::iter::once(&price.currency).chain(price.options.keys()) {
                match self.shelves.iter_mut().find(|s| s.cur == *cur) {
                    Some(shelf) => shelf.prices.push(*slot),
                    None => self.shelves.push(Shelf {
                        cur: *cur,
                        prices: vec![*slot],
                        dealt: 0,
                    }),
                }
            }
        }
    }

    /// The next price for a customer of that currency, and the currency: dollars when nothing is sold in the other.
    fn price(&mut self, cur: Cur) -> Option<(u32, Cur)> {
        let at = self.shelves.iter().position(|s| s.cur == cur);
        let at = at.or_else(|| self.shelves.iter().position(|s| s.cur == Cur::USD))?;
        let shelf = self.shelves.get_mut(at)?;
        let n = if shelf.dealt < 2 * shelf.prices.len() {
            shelf.dealt % shelf.prices.len()
        } else if self.dice.percent(40) {
            0
        } else {
            usize::try_from(self.dice.below(shelf.prices.len() as u64)).unwrap_or(0)
        };
        shelf.dealt += 1;
        shelf.prices.get(n).map(|slot| (*slot, shelf.cur))
    }

    /// The one live subscription of the `n`-th subscriber.
    fn live(&mut self, account: &Account, customer: u32, n: usize) -> Option<Subscription> {
        let owner = account.customers.at(customer)?;
        let otherwise = if owner.role == Role::Stayer {
            Cur::AUD
        } else {
            Cur::USD
        };
        let (slot, currency) = self.price(owner.currency.unwrap_or(otherwise))?;
        let price = account.catalogue.prices.at(slot)?;
        let recurring = price.recurring.as_ref()?;
        let status = match n {
            n if n % 11 == 3 => Status::Trialing,
            n if n % 13 == 5 => Status::PastDue,
            n if n % 37 == 20 => Status::Unpaid,
            _ => Status::Active,
        };
        let (created, period) = self.times(owner.created.max(price.created), recurring, status);
        let (anchor, period) = if status == Status::Active && n % 7 == 2 {
            self.on_the_last(created, recurring).unwrap_or((period.0, period))
        } else if status == Status::Trialing {
            (period.1, period)
        } else {
            (period.0, period)
        };
        let mut items = vec![self.item(slot, price)];
        if n % 9 == 4 {
            let more = self.second(account, slot, price, currency);
            items.extend(more);
        }
        let own_method = self.dice.percent(30);
        let taxed = self.dice.percent(15);
        let metadata = match self.dice.below(10) {
            0..4 => Metadata::of(&[("tutor", &format!("t{}", self.dice.below(90)))]),
            _ => Metadata::default(),
        };
        let id = ids::object("sub_", &account.id, self.dice.next());
        let trial = status == Status::Trialing;
        let mut made = Subscription {
            status,
            period,
            anchor,
            trial: trial.then_some(period),
            items,
            method: owner.methods.first().copied().filter(|_| own_method),
            tax_rates: taxed.then(|| tax_rate(currency)).into_iter().collect(),
            metadata,
            ..Subscription::bare(&id, created, customer, currency)
        };
        vary(&mut made, n);
        Some(made)
    }

    /// One that ended long ago: what an account full of live subscriptions has besides.
    fn ended(&mut self, account: &Account, customer: u32) -> Option<Subscription> {
        let owner = account.customers.at(customer)?;
        let price = *self.shelves.iter().find(|s| s.cur == Cur::USD)?.prices.first()?;
        let until = owner.created + (self.now - owner.created) / 2;
        let created = owner.created + (until - owner.created) / 2;
        let id = ids::object("sub_", &account.id, self.dice.next());
        Some(Subscription {
            status: Status::Canceled,
            period: (created, until.max(created)),
            canceled_at: Some(until),
            ended: Some(until),
            items: vec![Item::of(price, 1)],
            ..Subscription::bare(&id, created, customer, Cur::USD)
        })
    }

    fn item(&mut self, slot: u32, price: &Price) -> Item {
        let metered = price.recurring.as_ref().is_some_and(|r| r.metered);
        let most = if price.tiers_mode.is_some() { 14 } else { 2 };
        let quantity = u32::try_from(self.dice.between(1, most)).unwrap_or(1);
        Item::of(slot, if metered { 0 } else { quantity })
    }

    /// Another price of the same currency and interval, metered ones among them.
    fn second(&mut self, account: &Account, first: u32, price: &Price, cur: Cur) -> Option<Item> {
        let interval = |p: &Price| p.recurring.as_ref().map(|r| (r.interval, r.count));
        let rows = (0_u32..).zip(account.catalogue.prices.rows());
        let sells = |p: &Price| p.currency == cur || p.options.contains_key(&cur);
        let fits = |p: &Price| p.active && sells(p) && interval(p) == interval(price);
        let fitting: Vec<u32> = rows
            .filter(|(slot, p)| *slot != first && fits(p))
            .map(|(slot, _)| slot)
            .collect();
        let n = usize::try_from(self.dice.below(fitting.len() as u64)).unwrap_or(0);
        let slot = *fitting.get(n)?;
        let price = account.catalogue.prices.at(slot)?;
        Some(self.item(slot, price))
    }

    /// An anchor on the 31st, and the period it is in on its grid; `None` when that is none of a subscription so young.
    fn on_the_last(&self, created: i64, recurring: &Recurring) -> Option<(i64, (i64, i64))> {
        let at = DateTime::from_timestamp(self.now, 0)?;
        let months = at.year() * 12 + i32::try_from(at.month0()).ok()?;
        let anchor = (1..4).find_map(|ago| {
            let (year, month) = ((months - ago).div_euclid(12), (months - ago).rem_euclid(12) + 1);
            let day = NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, 31)?;
            Some(day.and_hms_opt(6, 0, 0)?.and_utc().timestamp())
        })?;
        let monthly = recurring.interval == "month" && recurring.count == 1;
        let period = period_at(anchor, Rhythm::of(recurring), self.now);
        (monthly && created <= anchor && anchor <= period.0).then_some((anchor, period))
    }

    /// When it began, and the period it is in; never before its customer.
    fn times(&mut self, since: i64, recurring: &Recurring, status: Status) -> (i64, (i64, i64)) {
        if status == Status::Trialing {
            let began = (self.now - self.dice.between(1, 12) * DAY).max(since);
            return (began, (began, began + TRIAL));
        }
        let length = length(recurring);
        let start = (self.now - self.dice.between(0, length - 1)).max(since);
        let created = since + self.dice.between(0, start - since);
        (created, (start, after(start, recurring)))
    }
}

/// What a few are besides: about to end, billed by invoice, paused, with metadata that are hard on a file. No dice: what
/// else a seed means stays the same.
fn vary(made: &mut Subscription, n: usize) {
    if made.status != Status::Active {
        return;
    }
    if n % 17 == 7 {
        made.ends = true;
        made.canceled_at = Some(made.period.0);
    } else if n % 53 == 40 {
        made.cancel_at = Some(made.period.1 + 45 * DAY);
        made.canceled_at = Some(made.period.0);
    }
    if n % 19 == 8 {
        made.days_due = Some(30);
        made.method = None;
    }
    if n % 59 == 31 {
        made.pause = Some(Pause {
            behavior: if n.is_multiple_of(2) {
                "keep_as_draft"
            } else {
                "void"
            },
            resumes_at: None,
        });
    }
    if n % 23 == 9 {
        made.metadata
            .set("note", "=SUM(A1:A9), \"quoted\"\nand a second line");
    }
}

/// The place of the default tax rate a subscription of that currency has.
fn tax_rate(cur: Cur) -> u32 {
    if cur == Cur::AUD { 0 } else { 2 }
}

/// The shortest a period may be, in seconds.
fn length(recurring: &Recurring) -> i64 {
    let days = match recurring.interval {
        "day" => 1,
        "week" => 7,
        "year" => 365,
        _ => 28,
    };
    days * DAY * recurring.count
}

/// The end of the period that begins at `start`, by the calendar.
pub(crate) fn after(start: i64, recurring: &Recurring) -> i64 {
    step(start, Rhythm::of(recurring), 1)
}
