//! What a row's route is, and what stands in the way of any: one mutation each of a subscription that could go in the file.

use super::super::effects::{CREATE, Row};
use super::super::facts::{Collection, Off, Old};
use super::super::samples::{DAY, accounts, discount, ids, item, old, usd, world};
use super::super::{Route, Settings};
use super::*;
use crate::domain::change::{Change, Verdict};
use crate::domain::money::Currency;

fn planned(world: &World, route: Route) -> (Change, Row) {
    let (accounts, ids) = (accounts(), ids());
    let settings = Settings {
        route,
        ..Settings::default()
    };
    let rules = Rules {
        accounts: &accounts,
        settings: &settings,
    };
    let change = rows(world, &ids, rules).changes.remove(0);
    let row = serde_json::from_str(&change.payload).unwrap();
    (change, row)
}

fn with(change: impl FnOnce(&mut Old, &mut World)) -> World {
    let mut old = old("sub_1", "cus_m1");
    let mut world = world(vec![old.clone()]);
    change(&mut old, &mut world);
    world.old.insert(old.id.clone(), old);
    world
}

type Mutation = fn(&mut Old, &mut World);

const BLOCKED: [(&str, Mutation); 25] = [
    ("items_cut", |old, _| old.items_cut = true),
    ("items_cut", |old, _| old.items.clear()),
    ("metered", |old, _| old.items[0].price.metered = true),
    ("metered", |_, world| {
        world.prices.get_mut("price_new").unwrap().metered = true;
    }),
    ("connect", |old, _| old.connect = true),
    ("collection_paused", |old, _| old.pause = Some("void".to_owned())),
    ("thresholds", |old, _| old.thresholds = true),
    ("thresholds", |old, _| old.items[0].thresholds = true),
    ("pending_update", |old, _| old.pending_update = true),
    ("pending_items", |old, _| old.pending_items = true),
    ("method_absent", |old, _| old.method = Some("pm_gone".to_owned())),
    ("method_absent", |old, world| {
        world.people.get_mut(&old.customer).unwrap().default_there = false;
    }),
    ("price_unmapped", |old, _| {
        old.items[0].price.id = "price_other".to_owned();
    }),
    ("price_unmapped", |_, world| world.prices.clear()),
    ("price_inactive", |_, world| {
        world.prices.get_mut("price_new").unwrap().active = false;
    }),
    ("price_differs", |old, _| {
        old.items[0].price.unit.insert(usd(), "2000.5".to_owned());
    }),
    ("price_differs", |old, _| {
        old.items[0].price.rhythm.as_mut().unwrap().every = 2;
    }),
    ("tax_rate_unmapped", |old, _| {
        old.tax_rates = vec!["txr_gone".to_owned()];
    }),
    ("coupon_unmapped", |old, _| {
        old.discounts = vec![discount("di_gone", "SPRING", Off::Percent("25".to_owned()))];
    }),
    ("currency_locked", |old, world| {
        let person = world.people.get_mut(&old.customer).unwrap();
        person.currency_there = Some(Currency::parse("eur").unwrap());
    }),
    ("customer_absent", |old, world| {
        world.people.get_mut(&old.customer).unwrap().arrived = false;
    }),
    ("email_absent", |old, world| {
        old.collection = Collection::Invoice(30);
        world.people.get_mut(&old.customer).unwrap().email_there = false;
    }),
    ("address_absent", |old, world| {
        old.automatic_tax = true;
        world.people.get_mut(&old.customer).unwrap().address_there = false;
    }),
    ("off_grid", |old, _| old.anchor += 5 * DAY),
    ("mixed_periods", |old, _| {
        let mut more = old.items[0].clone();
        more.period.1 += DAY;
        old.items.push(more);
    }),
];

#[test]
fn what_cannot_be_carried_over_is_named_and_blocked() {
    for (rule, mutation) in BLOCKED {
        for route in [Route::Csv, Route::Api] {
            let (change, row) = planned(&with(mutation), route);
            assert_eq!(
                (change.rule.as_str(), change.verdict),
                (rule, Verdict::Blocked),
                "{}",
                change.why
            );
            assert_eq!(row.route, None);
        }
    }
    let too_many: Mutation = |old, _| {
        old.metadata = (0..44).map(|n| (format!("key_{n}"), "1".to_owned())).collect();
    };
    assert_eq!(planned(&with(too_many), Route::Api).0.rule, "too_many_metadata");
    let unread: Mutation = |old, _| old.schedule = Some("sub_sched_x".to_owned());
    assert_eq!(planned(&with(unread), Route::Api).0.rule, "schedule_beyond");
}

const BY_API: [(&str, Mutation); 13] = [
    ("different ways", |old, world| {
        old.tax_rates = vec!["txr_old".to_owned()];
        old.items[0].price.tax_behavior = "inclusive".to_owned();
        world.prices.get_mut("price_new").unwrap().tax_behavior = "inclusive".to_owned();
    }),
    ("method of its own", |old, _| {
        old.method = Some("pm_own".to_owned());
    }),
    ("flexible", |old, _| old.flexible = true),
    ("description", |old, _| old.description = Some("Gold".to_owned())),
    ("items have metadata", |old, _| {
        old.items[0].metadata.insert("seat".to_owned(), "1".to_owned());
    }),
    ("an item has tax rates", |old, _| {
        old.items[0].tax_rates = vec!["txr_old".to_owned()];
    }),
    ("several tax rates", |old, _| {
        old.tax_rates = vec!["txr_old".to_owned(); 2];
    }),
    ("beside automatic tax", |old, _| {
        (old.automatic_tax, old.tax_rates) = (true, vec!["txr_old".to_owned()]);
    }),
    ("an item has a coupon", |old, _| {
        old.items[0].discounts = vec![discount("di_1", "SPRING", Off::Percent("25".to_owned()))];
    }),
    ("several coupons", |old, _| {
        old.discounts = vec![discount("di_1", "SPRING", Off::Percent("25".to_owned())); 2];
    }),
    ("several phases", |old, _| {
        old.discounts = vec![discount("di_1", "SPRING", Off::Percent("25".to_owned()))];
        old.discounts[0].end = old.period_end().map(|ends| ends + 40 * DAY);
    }),
    ("not with its first period", |old, _| {
        old.cancel_at = old.period_end().map(|ends| ends + 40 * DAY);
    }),
    ("a key of the toolkit's", |old, _| {
        old.metadata.insert("source".to_owned(), "web".to_owned());
    }),
];

#[test]
fn what_a_line_cannot_say_goes_by_the_api_and_says_why() {
    for (words, mutation) in BY_API {
        let (change, row) = planned(&with(mutation), Route::Csv);
        assert_eq!(
            (change.rule.as_str(), row.route),
            ("schedule", Some(Route::Api)),
            "{words}: {}",
            change.why
        );
        assert!(change.why.contains(words), "{words}: {}", change.why);
        assert_eq!(change.writes[0].op, CREATE);
        assert!(row.cells.is_empty());
    }
}

#[test]
fn a_line_says_what_the_schedule_would() {
    let everything: Mutation = |old, _| {
        old.collection = Collection::Invoice(30);
        old.tax_rates = vec!["txr_old".to_owned()];
        old.discounts = vec![discount("di_1", "SPRING", Off::Percent("25".to_owned()))];
        old.metadata.insert("team".to_owned(), "=1+1".to_owned());
        old.metadata.insert("cutover_run".to_owned(), "x".to_owned());
        old.items[0].quantity = Some(4);
    };
    let world = with(everything);
    let (change, row) = planned(&world, Route::Csv);
    assert_eq!((change.rule.as_str(), change.verdict), ("file", Verdict::Planned));
    assert!(change.writes.is_empty() && change.choices.is_empty());
    let h = world.old["sub_1"].period_end().unwrap().to_string();
    let started = world.old["sub_1"].started.to_string();
    let cells: Vec<(&str, &str)> = row.cells.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        cells,
        [
            ("collection_method", "send_invoice"),
            ("coupon", "carry_di_1"),
            ("customer", "cus_m1"),
            ("days_until_due", "30"),
            ("default_tax_rate", "txr_new"),
            ("metadata.old_Stripe_sub_id", "sub_1"),
            ("metadata.original_start_date", started.as_str()),
            ("metadata.team", "=1+1"),
            ("metadata_source", "internal:Stripe"),
            ("price", "price_new"),
            ("proration_behavior", "none"),
            ("quantity", "4"),
            ("start_date", h.as_str()),
        ]
    );
    assert!(
        change
            .working
            .iter()
            .any(|line| line.contains("file 1 of this plan, line 2"))
    );
    // By the API the same phases.
    let (_, by_api) = planned(&world, Route::Api);
    assert_eq!(by_api.phases, row.phases);
}

#[test]
fn items_taxes_currencies_and_ends_have_their_columns() {
    let mutation: Mutation = |old, world| {
        let eur = Currency::parse("eur").unwrap();
        world
            .prices
            .get_mut("price_new")
            .unwrap()
            .unit
            .insert(eur, "1900".to_owned());
        let mut more = item("si_2", old.items[0].price.clone(), 2, old.items[0].period);
        more.metadata.clear();
        old.items.push(more);
        old.automatic_tax = true;
        // The grid's next point after the handover: a month later.
        let grid = super::super::handover::grid_of(old).unwrap();
        old.cancel_at = grid.point(1);
    };
    let (change, row) = planned(&with(mutation), Route::Csv);
    assert_eq!(change.rule, "file", "{}", change.why);
    for (column, value) in [
        ("items.0.price", "price_new"),
        ("items.1.quantity", "2"),
        ("automatic_tax", "true"),
        ("currency", "usd"),
        ("cancel_at_period_end", "true"),
    ] {
        assert_eq!(row.cells.get(column).map(String::as_str), Some(value), "{column}");
    }
    assert!(!row.cells.contains_key("price"));
}
