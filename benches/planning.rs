//! Planning of the credits, the coupons and the subscriptions stage over facts in memory, against its floor: the same facts serialised and
//! hashed. What counts are the ratios, and that a row of a large plan costs what a row of a small one does.

#![expect(clippy::print_stdout, reason = "a bench's result is what it prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cutover::domain::change::{Decision, LEAVE_OUT};
use cutover::domain::fields::Fields;
use cutover::domain::ids::{AccountId, Accounts, Digest, Environment, StageId};
use cutover::domain::mapped::{IdMap, Mapped};
use cutover::domain::money::Currency;
use cutover::domain::plan::{Header, OutOfScope, Plan};
use cutover::domain::scope::Belongs;
use cutover::domain::text::safe;
use cutover::domain::time::UtcMs;
use cutover::stages::coupons;
use cutover::stages::coupons::facts::{Code, Counter, Coupon, Drawer, Person, World};
use cutover::stages::credits::SourceAfter;
use cutover::stages::credits::facts::{Book, CustomerFacts, Head, Ledger, Read, Side};
use cutover::stages::credits::plan::{self, Rules};
use cutover::stages::subscriptions::facts::{
    Collection, Discount, Interval, Item, Off, Old, Price, Rhythm, Status, World as Live,
};
use cutover::stages::subscriptions::{self, Route};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

type Outcome<T> = Result<T, Box<dyn Error>>;

const SIZES: [usize; 2] = [10_000, 100_000];
const CODES: [usize; 2] = [10_000, 50_000];
const ROUNDS: usize = 7;

fn main() -> Outcome<()> {
    let accounts = Accounts {
        source: AccountId("acct_1OldOldOldOldOld".to_owned()),
        destination: AccountId("acct_1NewNewNewNewNew".to_owned()),
        environment: Environment::Test,
    };
    let mut per_row = Vec::new();
    for customers in SIZES {
        let facts: Vec<CustomerFacts> = (0..customers).map(facts_of).collect::<Outcome<_>>()?;
        per_row.push(measure(&accounts, &facts)?);
    }
    if let [small, large] = per_row[..] {
        println!(
            "planning, a customer of {} against one of {}: {}",
            SIZES[1],
            SIZES[0],
            times(large * 1000 / small.max(1))
        );
    }
    // Half of all codes on one coupon, or each on one of a thousand: neither may cost more than the other.
    for coupons in [1, 1000] {
        let mut per_code = Vec::new();
        for codes in CODES {
            per_code.push(measure_codes(&accounts, &pools_of(codes, coupons))?);
        }
        if let [small, large] = per_code[..] {
            println!(
                "planning, a code of {} on {coupons} coupons against one of {}: {}",
                CODES[1],
                CODES[0],
                times(large * 1000 / small.max(1))
            );
        }
    }
    for route in [Route::Csv, Route::Api] {
        let mut per_row = Vec::new();
        for size in SIZES {
            per_row.push(measure_subscriptions(&accounts, &subscriptions_of(size)?, route)?);
        }
        if let [small, large] = per_row[..] {
            println!(
                "planning, a subscription of {} by {} against one of {}: {}",
                SIZES[1],
                route.word(),
                SIZES[0],
                times(large * 1000 / small.max(1))
            );
        }
    }
    Ok(())
}

/// Prints one size; picoseconds per subscription, planned.
fn measure_subscriptions(accounts: &Accounts, facts: &(Live, IdMap), route: Route) -> Outcome<u128> {
    let (world, ids) = facts;
    let settings = subscriptions::Settings {
        route,
        ..subscriptions::Settings::default()
    };
    let rules = subscriptions::plan::Rules {
        accounts,
        settings: &settings,
    };
    let (mut floors, mut plans) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (took, ()) = timed(|| floor(std::slice::from_ref(world)))?;
        floors.push(took);
        let (took, planned) = timed(|| Ok(subscriptions::plan::rows(world, ids, rules)))?;
        plans.push(took);
        black_box(planned);
    }
    let [floor, plan] = [floors, plans].map(median);
    let size = world.old.len();
    println!(
        "planning, {size} subscriptions by {}: floor (serialise and hash the facts) {floor:.1?}; plan {plan:.1?}, {}; {} \
         subscriptions/s",
        route.word(),
        times(plan.as_nanos() * 1000 / floor.as_nanos().max(1)),
        size as u128 * 1_000_000_000 / plan.as_nanos().max(1)
    );
    Ok(plan.as_nanos() * 1000 / size as u128)
}

/// Subscriptions of twenty prices, monthly, on any day of a month; one in ten has a discount, one in thirty a payment
/// that failed, and all have two keys of metadata.
fn subscriptions_of(size: usize) -> Outcome<(Live, IdMap)> {
    const NOW: i64 = 1_789_997_600;
    let usd = Currency::parse("usd")?;
    let mut ids = IdMap::default();
    let mut world = Live {
        now: NOW,
        earliest: NOW + 29 * 3600,
        window_ends: NOW + 48 * 3600,
        ..Live::default()
    };
    let mut put = |kind: &str, old: String, new: String| {
        let kind = kind.to_owned();
        ids.put(Mapped { kind, old, new });
    };
    let price = |id: String, n: usize| Price {
        id,
        product: "prod_1".to_owned(),
        rhythm: Some(Rhythm {
            interval: Interval::Month,
            every: 1,
        }),
        active: true,
        metered: false,
        unit: BTreeMap::from([(usd, format!("{}", 900 + 100 * n))]),
        currency: usd,
        by_steps: false,
        tax_behavior: "exclusive".to_owned(),
    };
    for n in 0..20 {
        put("price", format!("price_old{n}"), format!("price_new{n}"));
        let new = price(format!("price_new{n}"), n);
        world.prices.insert(new.id.clone(), new);
    }
    for n in 0..size {
        let customer = format!("cus_{n:014}");
        let id = format!("sub_{:06x}{n:018}", n * 7_919 % 0xff_ffff);
        let ends = NOW + i64::try_from(n % 30)? * 86_400 + 7200;
        let discounts = if n.is_multiple_of(10) {
            let off = Off::Percent("25".to_owned());
            put("discount", format!("di_{n}"), format!("carry_di_{n}"));
            let coupon = subscriptions::facts::Coupon {
                valid: true,
                off: off.clone(),
                once: false,
                months: None,
            };
            world.coupons.insert(format!("carry_di_{n}"), coupon);
            vec![Discount {
                id: format!("di_{n}"),
                coupon: "SPRING".to_owned(),
                end: n.is_multiple_of(20).then_some(ends + 100 * 86_400),
                off,
                on_customer: false,
            }]
        } else {
            Vec::new()
        };
        let price = price(format!("price_old{}", n % 20), n % 20);
        let old = old_of(n, (&id, &customer), ends, price, discounts)?;
        let person = subscriptions::facts::Person {
            label: safe(&format!("Customer Number {n}")),
            arrived: true,
            default_there: true,
            ..subscriptions::facts::Person::default()
        };
        world.people.insert(customer, person);
        world.old.insert(id, old);
    }
    Ok((world, ids))
}

fn old_of(
    n: usize,
    (id, customer): (&str, &str),
    ends: i64,
    price: Price,
    discounts: Vec<Discount>,
) -> Outcome<Old> {
    let item = Item {
        id: format!("si_{n}"),
        quantity: Some(u64::try_from(n % 5)? + 1),
        period: (ends - 30 * 86_400, ends),
        discounts: Vec::new(),
        tax_rates: Vec::new(),
        thresholds: false,
        metadata: BTreeMap::new(),
        price,
    };
    Ok(Old {
        id: id.to_owned(),
        customer: customer.to_owned(),
        status: if n % 30 == 7 {
            Status::PastDue
        } else {
            Status::Active
        },
        currency: item.price.currency,
        started: ends - 400 * 86_400,
        anchor: ends,
        trial_end: None,
        cancel_at: None,
        ends_with_period: false,
        ended_at: None,
        collection: Collection::Automatic,
        items: vec![item],
        items_cut: false,
        discounts,
        tax_rates: Vec::new(),
        automatic_tax: false,
        method: None,
        schedule: None,
        pause: None,
        flexible: false,
        thresholds: false,
        connect: false,
        pending_update: false,
        pending_items: false,
        description: None,
        metadata: BTreeMap::from([
            ("team".to_owned(), format!("Team {n}")),
            ("plan".to_owned(), "gold".to_owned()),
        ]),
        read: Read::default(),
    })
}

/// Prints one size; picoseconds per code, planned.
fn measure_codes(accounts: &Accounts, world: &World) -> Outcome<u128> {
    let settings = coupons::Settings::default();
    let rules = coupons::plan::Rules {
        accounts,
        settings: &settings,
    };
    let (mut floors, mut plans, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (took, ()) = timed(|| floor(std::slice::from_ref(world)))?;
        floors.push(took);
        let (took, planned) = timed(|| Ok(coupons::plan::rows(world, &IdMap::default(), rules)))?;
        plans.push(took);
        rows = planned.changes.len();
        black_box(planned);
    }
    let [floor, plan] = [floors, plans].map(median);
    let (codes, of) = (world.source.codes.len(), world.source.coupons.len());
    println!(
        "planning, {codes} codes of {of} coupons, {rows} rows: floor (serialise and hash the facts) {floor:.1?}; plan \
         {plan:.1?}, {}; {} codes/s",
        times(plan.as_nanos() * 1000 / floor.as_nanos().max(1)),
        codes as u128 * 1_000_000_000 / plan.as_nanos().max(1)
    );
    Ok(plan.as_nanos() * 1000 / codes as u128)
}

/// Codes of one customer each; a quarter stay, one in a hundred is for everybody, and all have one of a few texts.
fn pools_of(codes: usize, coupons: usize) -> World {
    let mut source = Drawer::default();
    let mut people = BTreeMap::new();
    let coupon_id = |n: usize| format!("SPRING{n}");
    for n in 0..coupons {
        let mut terms = Fields::default();
        terms.put("percent_off", "25");
        terms.put("duration", "once");
        source.coupons.insert(
            coupon_id(n),
            Coupon {
                id: coupon_id(n),
                label: safe("Spring"),
                counter: Counter {
                    limit: n.is_multiple_of(2).then_some(1_000_000),
                    used: 100_000,
                },
                redeem_by: None,
                valid: true,
                terms,
                products: Vec::new(),
                words: "25 % once".to_owned(),
                trouble: None,
                effect: None,
                own_keys: 0,
                read: Read::default(),
            },
        );
    }
    for n in 0..codes {
        let customer = format!("cus_{n:014}");
        if n % 4 != 3 {
            let label = safe(&format!("Customer Number {n}"));
            people.insert(customer.clone(), Person::Mover { label });
        }
        // None among the first half: what asks a pool for its first one asks all of these.
        let open = n.is_multiple_of(100) && n > codes / 2;
        let mut terms = Fields::default();
        terms.put("metadata[campaign]", "spring");
        let code = Code {
            id: format!("promo_{n:024}"),
            text: if open {
                format!("OPEN{n}")
            } else {
                format!("SPRING-{}", n % 7)
            },
            coupon: coupon_id(n % coupons),
            customer: (!open).then_some(customer),
            active: true,
            counter: Counter {
                limit: Some(i64::from(n.is_multiple_of(3)) + 1),
                used: i64::from(n.is_multiple_of(5)),
            },
            expires_at: None,
            terms,
            first_time: n.is_multiple_of(10),
            trouble: None,
            effect: None,
            of: None,
            own_keys: 1,
            read: Read::default(),
        };
        source.codes.insert(code.id.clone(), code);
    }
    World {
        source,
        people,
        now: 1_771_027_390,
        ..World::default()
    }
}

/// Prints one size; picoseconds per customer, planned and sealed.
fn measure(accounts: &Accounts, facts: &[CustomerFacts]) -> Outcome<u128> {
    let (mut floors, mut plans, mut seals, mut decides) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    for _ in 0..ROUNDS {
        let (took, ()) = timed(|| floor(facts))?;
        floors.push(took);
        let (took, (planned, changes, findings, out)) = timed(|| Ok(rows_of(accounts, facts)))?;
        plans.push(took);
        rows = planned;
        let (took, sealed) = timed(|| Ok(Plan::seal(header(accounts), out, changes, findings, UtcMs(0))?))?;
        seals.push(took);
        let key = sealed.changes()[rows / 2].key.clone();
        let decision = Decision {
            choice: LEAVE_OUT.to_owned(),
            by: "bench".to_owned(),
            note: String::new(),
            number: None,
        };
        let (took, decided) = timed(|| Ok(sealed.decide(&key, decision)?))?;
        decides.push(took);
        black_box(decided);
    }
    let [floor, plan, seal, decide] = [floors, plans, seals, decides].map(median);
    let customers = facts.len();
    let said = |work: Duration| times(work.as_nanos() * 1000 / floor.as_nanos().max(1));
    println!(
        "planning, {customers} customers, {rows} rows: floor (serialise and hash the facts) {floor:.1?}; plan {plan:.1?}, {}; \
         seal {seal:.1?}, {}; together {} customers/s",
        said(plan),
        said(seal),
        customers as u128 * 1_000_000_000 / (plan + seal).as_nanos().max(1)
    );
    println!(
        "planning, one row of {rows} decided: {decide:.1?}, {} of sealing them all",
        times(decide.as_nanos() * 1000 / seal.as_nanos().max(1))
    );
    Ok((plan + seal).as_nanos() * 1000 / customers as u128)
}

fn floor<T: Serialize>(facts: &[T]) -> Outcome<()> {
    let mut hash = Sha256::new();
    let mut bytes = Vec::new();
    for facts in facts {
        bytes.clear();
        serde_json::to_writer(&mut bytes, facts)?;
        hash.update(&bytes);
    }
    black_box(hash.finalize());
    Ok(())
}

type Rows = (
    usize,
    Vec<cutover::domain::change::Change>,
    Vec<cutover::domain::finding::Finding>,
    OutOfScope,
);

fn rows_of(accounts: &Accounts, facts: &[CustomerFacts]) -> Rows {
    let rules = Rules {
        accounts,
        source_after: SourceAfter::Drain,
        expected: None,
    };
    let (mut changes, mut findings, mut out) = (Vec::new(), Vec::new(), OutOfScope::default());
    for customer in facts {
        let (rows, found) = plan::customer(customer, rules);
        changes.extend(rows);
        findings.extend(found);
        plan::count_outside(&mut out, customer);
    }
    (changes.len(), changes, findings, out)
}

fn header(accounts: &Accounts) -> Header {
    Header {
        accounts: accounts.clone(),
        policy: BTreeMap::from([("source_after".to_owned(), "drain".to_owned())]),
        scope: Digest::of("bench", [b"scope".as_slice()]),
        stage: StageId::Credits,
    }
}

/// Customers as in the account of the night: a quarter stays, four in ten hold credit, one in sixty in two currencies,
/// one in two hundred disagrees with itself.
fn facts_of(n: usize) -> Outcome<CustomerFacts> {
    let amount = if n % 5 < 2 {
        i64::try_from(n)? % 90_000 + 1
    } else {
        0
    };
    let belongs = if n % 4 == 3 {
        Belongs::OtherRegion
    } else {
        Belongs::InScope
    };
    let mut amounts = Vec::new();
    if amount != 0 {
        amounts.push(("usd", amount));
    }
    if n.is_multiple_of(60) {
        amounts.push(("aud", 700));
    }
    let mut source = side(n, &amounts)?;
    if n.is_multiple_of(200) {
        source.balance += 1;
    }
    Ok(CustomerFacts {
        // Not in the order of their numbers, as ids are not.
        id: format!("cus_{:06x}{n:08}", n * 7_919 % 0xff_ffff),
        label: safe(&format!("Customer Number {n}")),
        belongs,
        source: Box::new(source),
        destination: Some(Box::new(side(n, &[])?)),
    })
}

fn side(n: usize, amounts: &[(&str, i64)]) -> Outcome<Side> {
    let amounts: BTreeMap<Currency, i64> = amounts
        .iter()
        .map(|(code, amount)| Ok((Currency::parse(code)?, *amount)))
        .collect::<Outcome<_>>()?;
    let usd = Currency::parse("usd")?;
    let read = Read {
        request_id: format!("req_{n:016}").into(),
        at: UtcMs(1_771_027_390_207),
    };
    let book = |sum: &i64| Book {
        sum: *sum,
        newest_endings: vec![*sum],
    };
    let ledger = Ledger {
        books: amounts
            .iter()
            .map(|(currency, sum)| (*currency, book(sum)))
            .collect(),
        head: (!amounts.is_empty()).then(|| Head {
            created: 1_771_000_000,
            ids: vec![format!("cbtxn_{n:016}")],
        }),
        rows: amounts.len() as u64,
        read: read.clone(),
        ..Ledger::default()
    };
    Ok(Side {
        currency: Some(usd),
        balance: amounts.get(&usd).copied().unwrap_or(0),
        credit_balance: Some(amounts),
        ledger: Some(Box::new(ledger)),
        listed: read,
        ..Side::default()
    })
}

fn timed<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(Duration, T)> {
    let begun = Instant::now();
    let made = work()?;
    Ok((begun.elapsed(), made))
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// Thousandths with three decimals: a decided row is far below one.
fn times(thousandths: u128) -> String {
    format!("{}.{:03}×", thousandths / 1000, thousandths % 1000)
}
