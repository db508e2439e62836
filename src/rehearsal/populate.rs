//! Makes the old account's world from a plan and a seed.

use serde_json::json;

use super::additions;
use super::address::Address;
use super::currency::Cur;
use super::dice::Dice;
use super::history::{self, Shape};
use super::ids;
use super::metadata::Metadata;
use super::names;
use super::objects::payment_methods;
use super::plan::WorldPlan;
use super::scenario_customers::Listed;
use super::traits;
use super::world::{Account, Cash, CashTxn, Customer, Grant, Method, MethodKind, Role};

const DAY: i64 = 86_400;
/// How far back the account's history goes.
const HISTORY: i64 = 6 * 365 * DAY;

/// What a customer has besides a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extra {
    #[default]
    Nothing,
    Cash,
    Grant,
}

/// What is special about a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Traits {
    shape: Option<Shape>,
    paying: bool,
    extra: Extra,
    hostile: Option<u32>,
    disagrees: bool,
    /// Has neither a method nor a ledger.
    idle: bool,
}

/// Fills `account` with the customers of `plan` and those a scenario lists one by one; `now` is the start of the night
/// in seconds.
///
/// Who comes on top has dice of their own: the others are the same people with the same ledgers and ids whether anybody
/// is added or not. Says the slots of those who pay.
pub(crate) fn fill(
    account: &mut Account,
    plan: &WorldPlan,
    listed: &[Listed],
    seed: u64,
    now: i64,
) -> Vec<u32> {
    let mut dice = Dice::new(ids::mix(&[b"world", &seed.to_be_bytes()]));
    let people = cast(plan, &mut dice);
    let added = additions::all(&account.id, plan, listed, seed, now);
    let mut added = added.into_iter().peekable();
    let count = i64::try_from(people.len()).unwrap_or(i64::MAX).max(1);
    let first = now - HISTORY;
    let (mut movers, mut doubles, mut paying, mut previous) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (n, (role, traits)) in people.into_iter().enumerate() {
        // Evenly spread with jitter; now and then two in the same second, as imports make them.
        let n = i64::try_from(n).unwrap_or(0);
        let slot = (HISTORY - 2 * DAY) / count;
        let jitter = if n % 37 == 1 {
            0
        } else {
            dice.between(0, (slot - 1).max(0))
        };
        let n = if n % 37 == 1 { n - 1 } else { n };
        let created = (first + n * slot + jitter).max(previous);
        previous = created;
        while let Some(addition) = added.next_if(|a| a.created() <= created) {
            doubles.extend(addition.join(account));
        }
        let slot = person(account, &mut dice, role, traits, created, now);
        if role == Role::Mover {
            movers.push(slot);
        }
        if traits.paying {
            paying.push(slot);
        }
    }
    doubles.extend(added.filter_map(|addition| addition.join(account)));
    traits::deal(account, plan, &movers, &doubles, seed, now);
    account.customers.shrink();
    account.methods.shrink();
    paying
}

/// Deletes whoever is meant to be deleted after the copy.
pub(crate) fn part(account: &mut Account) {
    for slot in 0..u32::try_from(account.customers.rows().len()).unwrap_or(u32::MAX) {
        if account.customers.at(slot).is_some_and(|c| c.leaves) {
            account.set_email(slot, None);
            if let Some(customer) = account.customers.at_mut(slot) {
                customer.deleted = true;
            }
        }
    }
}

/// Who there is, in order of creation.
fn cast(plan: &WorldPlan, dice: &mut Dice) -> Vec<(Role, Traits)> {
    let movers = plan.movers as usize;
    let mut traits = vec![Traits::default(); movers];
    let mut next = 0;
    let mut deal = |count: u32, give: &mut dyn FnMut(u32, &mut Traits)| {
        for n in 0..count {
            if let Some(t) = traits.get_mut(next) {
                give(n, t);
                next += 1;
            }
        }
    };
    let shaped = [
        (plan.mixed_currency, Shape::MixedCurrency),
        (plan.long_ledgers, Shape::Long),
        (plan.zero_decimal, Shape::Yen),
        (plan.three_decimal, Shape::Dinar),
        (plan.second_currency, Shape::TwoCurrencies),
        (plan.debits, Shape::Debit),
    ];
    for (count, shape) in shaped {
        deal(count, &mut |_, t| t.shape = Some(shape));
    }
    deal(plan.ledger_disagrees, &mut |_, t| {
        t.shape = Some(Shape::Credit);
        t.disagrees = true;
    });
    deal(plan.credits, &mut |_, t| t.shape = Some(Shape::Credit));
    // Counted from the other end: these may meet any of the kinds above, and do when a world is small.
    let mut back = |count: u32, give: &mut dyn FnMut(u32, &mut Traits)| {
        for (n, t) in traits.iter_mut().rev().take(count as usize).enumerate() {
            give(u32::try_from(n).unwrap_or(0), t);
        }
    };
    back(plan.hostile_names, &mut |n, t| t.hostile = Some(n));
    back(
        plan.credit_grants.saturating_add(plan.cash_balances),
        &mut |n, t| {
            t.extra = if n < plan.cash_balances {
                Extra::Cash
            } else {
                Extra::Grant
            };
        },
    );
    dice.shuffle(&mut traits);
    for t in traits.iter_mut().take(plan.paying as usize) {
        t.paying = true;
    }
    let mut people: Vec<_> = traits.into_iter().map(|t| (Role::Mover, t)).collect();
    people.extend((0..plan.without_method).map(|_| {
        let shape = Some(Shape::Credit);
        (
            Role::WithoutMethod,
            Traits {
                shape,
                ..Traits::default()
            },
        )
    }));
    people.extend((0..plan.stayers).map(|n| {
        let shape = (n % 3 != 2).then_some(Shape::Stayer);
        (
            Role::Stayer,
            Traits {
                shape,
                ..Traits::default()
            },
        )
    }));
    people.extend((0..plan.without_anything).map(|n| {
        let role = if n % 3 == 0 {
            Role::Stayer
        } else {
            Role::WithoutMethod
        };
        (
            role,
            Traits {
                idle: true,
                ..Traits::default()
            },
        )
    }));
    dice.shuffle(&mut people);
    people
}

fn person(account: &mut Account, dice: &mut Dice, role: Role, traits: Traits, created: i64, now: i64) -> u32 {
    let mut customer = Customer::bare(&ids::customer(dice.next()), created, role);
    names::give(&mut customer, dice, traits.hostile);
    let region = ("region", if role == Role::Stayer { "au" } else { "us" });
    let plan = ("plan", if traits.paying { "per_lesson" } else { "trial" });
    customer.metadata = if dice.percent(80) {
        Metadata::of(&[region, plan])
    } else {
        Metadata::of(&[region])
    };
    address(&mut customer, dice, role);
    if let Some(shape) = traits.shape {
        history::write(&mut customer, &account.id, dice, shape, now);
    } else if traits.paying {
        customer.currency = Some(Cur::USD);
    }
    customer.ledger.shrink_to_fit();
    customer.ledger_at_start = u32::try_from(customer.ledger.len()).unwrap_or(u32::MAX);
    customer.paying = traits.paying;
    customer.delinquent = traits.paying && dice.percent(4);
    if traits.disagrees {
        customer.credit_off_by = 100 * dice.between(1, 20);
    }
    if traits.extra == Extra::Cash {
        customer.cash = Some(Box::new(cash(dice, &account.id, now)));
    }
    let slot = account.add_customer(customer);
    let may = role != Role::WithoutMethod && !traits.idle;
    if may && (role == Role::Mover || dice.percent(70)) {
        methods(account, dice, slot, created);
        if let Some(stayer) = account.customers.at_mut(slot).filter(|_| role == Role::Stayer) {
            stayer.paying = true;
        }
    }
    if traits.extra == Extra::Grant {
        grant(account, dice, slot, now);
    }
    slot
}

fn address(customer: &mut Customer, dice: &mut Dice, role: Role) {
    if !dice.percent(30) {
        return;
    }
    let (country, city, state, code) = if role == Role::Stayer {
        ("AU", "Brisbane", "QLD", "4000")
    } else {
        dice.pick(
            &[
                ("US", "Austin", "TX", "78701"),
                ("US", "Portland", "OR", "97204"),
                ("US", "Albany", "NY", "12207"),
            ],
            ("US", "Austin", "TX", "78701"),
        )
    };
    let line = format!("{} Main Street", dice.between(1, 999));
    customer.address = Some(Box::new(Address::of(&line, city, state, code, country)));
}

fn methods(account: &mut Account, dice: &mut Dice, slot: u32, created: i64) {
    let count = if dice.percent(12) { 2 } else { 1 };
    for n in 0..count {
        let kind = match dice.below(100) {
            0..=84 => MethodKind::Card,
            85..=92 => MethodKind::LegacyCard,
            _ => MethodKind::UsBankAccount,
        };
        let id = ids::object(kind.prefix(), &account.id, dice.next());
        let method = Method {
            id: id.as_str().into(),
            created,
            customer: Some(slot),
            kind,
            brand: dice.pick(&["visa", "visa", "mastercard", "amex", "discover"], "visa"),
            country: "US",
            last4: u16::try_from(dice.below(10_000)).unwrap_or(4242),
            exp_month: u8::try_from(dice.between(1, 12)).unwrap_or(1),
            exp_year: u16::try_from(dice.between(2026, 2032)).unwrap_or(2030),
            debit: dice.percent(40),
            more: None,
        };
        let at = payment_methods::attach(account, method);
        let default = n == 0 && dice.percent(85);
        if let Some(customer) = account.customers.at_mut(slot).filter(|_| default) {
            if kind == MethodKind::LegacyCard {
                customer.default_source = Some(at);
            } else {
                customer.default_method = Some(at);
            }
        }
    }
}

fn cash(dice: &mut Dice, account: &str, now: i64) -> Cash {
    let mut cash = Cash::default();
    let cur = dice.pick(&[Cur::USD, Cur::USD, Cur::AUD], Cur::USD);
    let net = dice.between(50, 4000) * 25;
    cash.available.insert(cur, net);
    cash.rows.push(CashTxn {
        id: ids::object("ccsbtxn_", account, dice.next()).into(),
        created: now - dice.between(2, 40) * DAY,
        net,
        ending: net,
        cur,
        reference: Some("INV TERM 1".into()),
    });
    cash
}

fn grant(account: &mut Account, dice: &mut Dice, slot: u32, now: i64) {
    let Some(customer) = account.customers.at(slot) else {
        return;
    };
    let id = customer.id.clone();
    let newest = account.grants.rows().last().map_or(0, |g| g.created);
    let created = (now - dice.between(5, 300) * DAY).max(newest);
    let grant = Grant {
        id: ids::object("credgr_", &account.id, dice.next()).into(),
        created,
        updated: created,
        customer: id,
        cur: Cur::USD,
        amount: dice.between(10, 200) * 100,
        category: dice.pick(&["paid", "promotional"], "paid"),
        name: Some("Welcome credit".into()),
        metadata: Metadata::default(),
        effective_at: created,
        expires_at: dice.percent(50).then_some(now + 90 * DAY),
        voided_at: None,
        priority: 50,
        scope: json!({ "price_type": "metered" }),
    };
    account.grants.push(grant);
}
