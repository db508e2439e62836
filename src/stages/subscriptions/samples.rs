//! For tests: subscriptions, prices, twins and worlds as facts.

use std::collections::BTreeMap;

use super::facts::{
    Collection, Coupon, Discount, Interval, Item, Off, Old, Person, Phase, PhaseItem, Price, Read, Rhythm,
    Status, TaxRate, Twin, World,
};
use super::plan::{Rules, rows};
use super::{Route, Settings};
use crate::domain::change::{ChangeKey, Decision, LEAVE_OUT};
use crate::domain::ids::{AccountId, Accounts, Environment, StageId};
use crate::domain::mapped::{IdMap, Mapped};
use crate::domain::money::Currency;
use crate::domain::plan::{Header, Plan};
use crate::domain::scope::ScopeRule;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;

/// Now, in every test: 2026-09-21 13:33:20 UTC.
pub(super) const NOW: i64 = 1_789_997_600;
/// An hour.
pub(super) const HOUR: i64 = 3600;
pub(super) use crate::domain::calendar::DAY;

pub(super) fn accounts() -> Accounts {
    Accounts {
        source: AccountId("acct_old".into()),
        destination: AccountId("acct_new".into()),
        environment: Environment::Test,
    }
}

pub(super) fn usd() -> Currency {
    Currency::parse("usd").unwrap()
}

pub(super) fn price(id: &str, unit: &str, (interval, every): (Interval, u32)) -> Price {
    Price {
        id: id.to_owned(),
        product: "prod_1".to_owned(),
        rhythm: Some(Rhythm { interval, every }),
        active: true,
        metered: false,
        unit: BTreeMap::from([(usd(), unit.to_owned())]),
        currency: usd(),
        by_steps: false,
        tax_behavior: "unspecified".to_owned(),
    }
}

pub(super) fn item(id: &str, price: Price, quantity: u64, period: (i64, i64)) -> Item {
    Item {
        id: id.to_owned(),
        price,
        quantity: Some(quantity),
        period,
        discounts: Vec::new(),
        tax_rates: Vec::new(),
        thresholds: false,
        metadata: BTreeMap::new(),
    }
}

/// An active monthly subscription of 20.00 USD that bills next on the tenth day from now.
pub(super) fn old(id: &str, customer: &str) -> Old {
    let (began, ends) = (NOW - 20 * DAY - 11 * HOUR, NOW + 10 * DAY - 11 * HOUR);
    Old {
        id: id.to_owned(),
        customer: customer.to_owned(),
        status: Status::Active,
        currency: usd(),
        started: NOW - 400 * DAY,
        anchor: ends,
        trial_end: None,
        cancel_at: None,
        ends_with_period: false,
        ended_at: None,
        collection: Collection::Automatic,
        items: vec![item(
            "si_1",
            price("price_old", "2000", (Interval::Month, 1)),
            1,
            (began, ends),
        )],
        items_cut: false,
        discounts: Vec::new(),
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
        metadata: BTreeMap::new(),
        read: Read::default(),
    }
}

/// What the new account must have for [`old`], from `start` on.
pub(super) fn phase(start: i64) -> Phase {
    Phase {
        start,
        end: None,
        items: vec![PhaseItem {
            price: "price_new".to_owned(),
            quantity: Some(1),
            coupons: Vec::new(),
            tax_rates: Vec::new(),
        }],
        coupons: Vec::new(),
        tax_rates: Vec::new(),
        automatic_tax: false,
        collection: Some(Collection::Automatic),
        method: None,
        currency: usd(),
        beyond: None,
    }
}

/// The twin of [`old`] that begins at `start`.
pub(super) fn twin(of: &str, customer: &str, start: i64) -> Twin {
    Twin {
        schedule: Some(format!("sub_sched_{of}")),
        subscription: None,
        of: of.to_owned(),
        customer: customer.to_owned(),
        begun: false,
        created: NOW - DAY,
        start,
        phases: vec![phase(start)],
        ends: false,
        effect: None,
        read: Read::default(),
    }
}

pub(super) fn discount(id: &str, coupon: &str, off: Off) -> Discount {
    Discount {
        id: id.to_owned(),
        coupon: coupon.to_owned(),
        end: None,
        off,
        on_customer: false,
    }
}

/// A world with these subscriptions; every customer has arrived, and `price_old` is `price_new`, `txr_old` `txr_new`,
/// `di_1` the coupon `carry_di_1` of 25 % for ever.
pub(super) fn world(old: Vec<Old>) -> World {
    let person = |customer: &str| Person {
        label: safe(&format!("Name of {customer}")),
        old_default: Some("pm_old".to_owned()),
        arrived: true,
        default_there: true,
        email_there: true,
        address_there: true,
        currency_there: None,
    };
    let quarter = Coupon {
        valid: true,
        off: Off::Percent("25".to_owned()),
        once: false,
        months: None,
    };
    World {
        people: old
            .iter()
            .map(|old| (old.customer.clone(), person(&old.customer)))
            .collect(),
        old: old.into_iter().map(|old| (old.id.clone(), old)).collect(),
        prices: BTreeMap::from([(
            "price_new".to_owned(),
            price("price_new", "2000.00", (Interval::Month, 1)),
        )]),
        tax_rates: BTreeMap::from([(
            "txr_new".to_owned(),
            TaxRate {
                active: true,
                inclusive: false,
            },
        )]),
        coupons: BTreeMap::from([("carry_di_1".to_owned(), quarter)]),
        now: NOW,
        earliest: NOW + 29 * HOUR,
        window_ends: NOW + 48 * HOUR,
        ..World::default()
    }
}

pub(super) fn ids() -> IdMap {
    let mut ids = IdMap::default();
    for (kind, old, new) in [
        ("price", "price_old", "price_new"),
        ("tax_rate", "txr_old", "txr_new"),
        ("discount", "di_1", "carry_di_1"),
        ("coupon", "SPRING", "SPRING"),
        ("payment_method", "pm_own", "pm_copied"),
    ] {
        ids.put(Mapped {
            kind: kind.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
        });
    }
    ids
}

/// The plan of a world.
pub(super) fn sealed(world: &World, route: Route, first_batch: u32) -> Plan {
    let (accounts, ids) = (accounts(), ids());
    let settings = Settings {
        route,
        first_batch,
        ..Settings::default()
    };
    let rules = Rules {
        accounts: &accounts,
        settings: &settings,
    };
    let planned = rows(world, &ids, rules);
    let header = Header {
        accounts: accounts.clone(),
        policy: BTreeMap::from([
            (super::file::FIRST_BATCH.to_owned(), first_batch.to_string()),
            ("route".to_owned(), route.word().to_owned()),
        ]),
        scope: ScopeRule::default().digest(),
        stage: StageId::Subscriptions,
    };
    Plan::seal(
        header,
        planned.out_of_scope,
        planned.changes,
        planned.findings,
        UtcMs(0),
    )
    .unwrap()
}

pub(super) fn left_out(plan: &Plan, old: &str) -> Plan {
    let decision = Decision {
        choice: LEAVE_OUT.to_owned(),
        by: "anna".to_owned(),
        note: String::new(),
        number: None,
    };
    plan.decide(&ChangeKey(format!("subscription/{old}")), decision)
        .unwrap()
}
