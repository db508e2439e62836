//! What stands in the rows: forms, both sides, working, what is kept; and the rows of running discounts.

use super::tests::samples::{COUPON, NOW, Sample, accounts, key, sent};
use super::*;
use crate::domain::change::{Risk, Verdict};
use crate::domain::fields::Fields;
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::domain::write::When;
use crate::stages::coupons::effects::{CREATE_CARRY, Payload};
use crate::stages::coupons::facts::{Bills, Duration, Interval, Person, Read, Running};

fn row<'a>(planned: &'a Planned, key: &str) -> &'a Change {
    planned.changes.iter().find(|change| change.key.0 == key).unwrap()
}

fn payload(change: &Change) -> Payload {
    serde_json::from_str(&change.payload).unwrap()
}

fn put(fields: &mut Fields, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        fields.put(*name, value);
    }
}

fn form(write: &crate::domain::write::PlannedWrite) -> Vec<(&str, &str)> {
    write
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn a_coupon_and_a_code_are_created_with_everything_they_have() {
    let mut sample = Sample::of("coupon 10/7 product=gold; A mover 5/4 text=Hi; B mover -/3");
    let coupon = sample.world.source.coupons.get_mut(COUPON).unwrap();
    put(
        &mut coupon.terms,
        &[
            ("applies_to[products][0]", "gold"),
            ("currency_options[eur][amount_off]", "5"),
            ("metadata[who]", "us"),
        ],
    );
    let code = sample.world.source.codes.get_mut("promo_A").unwrap();
    put(
        &mut code.terms,
        &[
            ("expires_at", "1890000000"),
            ("restrictions[minimum_amount]", "500"),
            ("restrictions[minimum_amount_currency]", "usd"),
            ("restrictions[currency_options][eur][minimum_amount]", "450"),
        ],
    );
    code.expires_at = Some(1_890_000_000);
    let planned = sample.planned();
    let coupon = row(&planned, &key("coupon"));
    let want = [
        ("id", COUPON),
        ("percent_off", "25"),
        ("duration", "once"),
        ("currency_options[eur][amount_off]", "5"),
        ("metadata[who]", "us"),
        ("applies_to[products][0]", "gold_new"),
        ("max_redemptions", "3"),
        ("metadata[cutover_of]", COUPON),
        ("expand[]", "applies_to"),
        ("expand[]", "currency_options"),
    ];
    assert_eq!(form(&coupon.writes[0]), want);
    assert_eq!(
        (coupon.writes[0].path.as_str(), coupon.writes[0].role),
        ("/v1/coupons", Role::Destination)
    );
    assert_eq!(coupon.working, ["coupon: 10 allowed - 7 used = 3 left"]);
    let Payload::Coupon(kept) = payload(coupon) else {
        panic!("no coupon's payload")
    };
    assert_eq!((kept.used, kept.left, kept.there), (7, Some(3), false));
    assert_eq!(kept.closing, ["promo_A", "promo_B"]);
    assert_eq!(kept.terms.get("applies_to[products][0]"), Some("gold_new"));

    let code = row(&planned, &key("A"));
    let [close, create, reopen] = &code.writes[..] else {
        panic!("{:?}", code.writes)
    };
    assert_eq!(form(close), [("active", "false")]);
    assert_eq!(close.path, "/v1/promotion_codes/promo_A");
    assert_eq!((close.role, close.when), (Role::Source, When::Always));
    let want = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", COUPON),
        ("code", "Hi"),
        ("customer", "cus_A"),
        ("max_redemptions", "1"),
        ("expires_at", "1890000000"),
        ("restrictions[minimum_amount]", "500"),
        ("restrictions[minimum_amount_currency]", "usd"),
        ("restrictions[currency_options][eur][minimum_amount]", "450"),
        ("metadata[cutover_of]", "promo_A"),
        ("expand[]", "restrictions.currency_options"),
    ];
    assert_eq!(form(create), want);
    assert_eq!(create.role, Role::Destination);
    assert_eq!(form(reopen), [("active", "true")]);
    assert_eq!((reopen.role, reopen.when), (Role::Source, When::IfRaced));
    assert_eq!(
        code.working,
        [
            "coupon: 10 allowed - 7 used = 3 left",
            "code: 5 allowed - 4 used = 1 left",
            "through this code: min(1, 3) = 1",
        ]
    );
    let Payload::Code(kept) = payload(code) else {
        panic!("no code's payload")
    };
    assert_eq!(
        (kept.used, kept.left, kept.expires_at),
        (4, Some(1), Some(1_890_000_000))
    );
    assert_eq!((code.subject.as_str(), coupon.subject.as_str()), (COUPON, COUPON));
    assert!(sent(&row(&planned, &key("B")).writes[1], "max_redemptions").is_none());
    assert_eq!(
        row(&planned, &key("B")).working[2],
        "through this code: min(no limit, 3) = 3"
    );
}

#[test]
fn a_share_is_the_same_code_on_the_old_account_with_what_the_number_leaves() {
    let sample = Sample::of("coupon -/4; A open 10/4 text=Hi; decide coupon split 2");
    let (plan, _) = sample.decided(Solver::default()).unwrap();
    let code = plan
        .changes()
        .iter()
        .find(|change| change.key.0 == key("A"))
        .unwrap();
    let ops: Vec<_> = code
        .writes_now()
        .iter()
        .map(|write| (write.op.as_str(), write.role))
        .collect();
    assert_eq!(
        ops,
        [
            ("close_old", Role::Source),
            ("recreate_old", Role::Source),
            ("create_code", Role::Destination),
            ("reopen_old", Role::Source)
        ]
    );
    let share = &code.writes_now()[1];
    let want = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", COUPON),
        ("code", "Hi"),
        ("max_redemptions", "4"),
        ("metadata[cutover_of]", "promo_A"),
    ];
    assert_eq!(form(share), want);
    assert_eq!(code.with.as_ref().map(|with| with.0.clone()), Some(key("coupon")));
}

#[test]
fn what_is_kept_and_what_is_free_is_shown() {
    let sample = Sample::of("coupon 10/2; A mover 5/2; B stayer 3/0; C open 4/0");
    let planned = sample.planned();
    assert_eq!(
        row(&planned, &key("coupon")).working,
        [
            "coupon: 10 allowed - 2 used = 8 left",
            "codes that stay: 3 is left of their own, so 3 are kept for them",
            "free: 8 - 3 = 5",
            "free if codes for everybody stay: 1",
        ]
    );
    assert_eq!(planned.out_of_scope.customers["stays"], 1);
}

/// The same facts in another order, and the names of people, leave no trace in what is sealed.
#[test]
fn sentences_name_nobody() {
    let sample = Sample::of(
        "coupon 10/2; A mover 5/2; B stayer 3/0; C open 4/0; D absent 1/0; E mover 2/2; F mover 3/0 first",
    );
    for change in sample.planned().changes {
        let said = [change.why, change.effect, change.working.join(" ")].concat();
        assert!(!said.contains("Customer"), "{said}");
    }
}

const DAY: i64 = 86_400;

fn discount(id: &str, subscription: Option<&str>) -> Running {
    let mut terms = Fields::default();
    put(
        &mut terms,
        &[
            ("percent_off", "25"),
            ("duration", "repeating"),
            ("duration_in_months", "6"),
        ],
    );
    Running {
        id: id.into(),
        coupon: COUPON.into(),
        terms,
        products: Some(vec!["gold".into()]),
        duration: Duration::Repeating,
        start: NOW - 90 * DAY,
        end: Some(NOW + 92 * DAY),
        customer: "cus_1".into(),
        label: safe("Ada"),
        subscription: subscription.map(str::to_owned),
        item: None,
        on_customer: false,
        bills: Some(Bills {
            anchor: NOW + DAY,
            period_start: NOW - 30 * DAY,
            next: NOW + DAY,
            ends: None,
            interval: Interval::Month,
            every: 1,
        }),
        beside: 1,
        read: Read::default(),
    }
}

fn running(discounts: Vec<Running>) -> Sample {
    let mut sample = Sample::of("");
    let label = safe("Ada");
    sample
        .world
        .people
        .insert("cus_1".into(), Person::Mover { label });
    sample.world.running = discounts;
    sample
}

fn rules(sample: &Sample) -> Vec<(String, Verdict, String)> {
    let rows = sample.planned().changes.into_iter();
    rows.map(|row| (row.key.0, row.verdict, row.rule)).collect()
}

fn only(sample: &Sample) -> (Verdict, String) {
    let mut all = rules(sample);
    assert_eq!(all.len(), 1, "{all:?}");
    let (_, verdict, rule) = all.remove(0);
    (verdict, rule)
}

#[test]
fn a_running_discount_gets_a_coupon_of_its_own() {
    let sample = running(vec![discount("di_1", Some("sub_1"))]);
    let planned = sample.planned();
    let change = row(&planned, "discount/di_1");
    assert_eq!(
        (change.verdict, change.rule.as_str()),
        (Verdict::Planned, "carry_months")
    );
    let want = [
        ("id", "carry_di_1"),
        ("percent_off", "25"),
        ("duration", "repeating"),
        ("duration_in_months", "3"),
        ("applies_to[products][0]", "gold_new"),
        ("max_redemptions", "1"),
        ("metadata[cutover_of]", "di_1"),
        ("expand[]", "applies_to"),
    ];
    assert_eq!(form(&change.writes[0]), want);
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    assert_eq!(change.writes[0].effect, effects.id(CREATE_CARRY, "carry_di_1"));
    let Payload::Discount(kept) = payload(change) else {
        panic!("no discount's payload")
    };
    assert_eq!((kept.until, kept.invoices, kept.there), (None, Some(3), false));
    assert!(
        change.working[2].starts_with("bills before that: 3"),
        "{:?}",
        change.working
    );
}

#[test]
fn each_discount_ends_where_its_case_says() {
    let with = |change: &dyn Fn(&mut Running)| {
        let mut one = discount("di_1", Some("sub_1"));
        change(&mut one);
        only(&running(vec![one]))
    };
    let planned = |rule: &str| (Verdict::Planned, rule.to_owned());
    let blocked = |rule: &str| (Verdict::Blocked, rule.to_owned());
    let noop = |rule: &str| (Verdict::Noop, rule.to_owned());
    assert_eq!(
        with(&|one| one.end = Some(NOW + DAY)),
        noop("ends_before_next_bill")
    );
    assert_eq!(
        with(&|one| (one.duration, one.end) = (Duration::Forever, None)),
        planned("carry_forever")
    );
    assert_eq!(
        with(&|one| (one.duration, one.end) = (Duration::Once, None)),
        planned("carry_once")
    );
    assert_eq!(with(&|one| one.bills = None), blocked("bills_unknown"));
    assert_eq!(with(&|one| one.products = None), blocked("products_unknown"));
    assert_eq!(
        with(&|one| one.products = Some(vec!["silver".into()])),
        blocked("product_unmapped")
    );
    assert_eq!(
        with(&|one| one.terms = Fields::default()),
        blocked("terms_unknown")
    );
    let weekly = |one: &mut Running| {
        one.end = Some(NOW + 10 * DAY);
        one.bills.as_mut().unwrap().interval = Interval::Week;
    };
    assert_eq!(with(&weekly), planned("carry_until"));
    let metadata = |one: &mut Running| {
        for n in 0..47 {
            one.terms.put(format!("metadata[{n}]"), "x");
        }
    };
    assert_eq!(with(&metadata), blocked("too_many_metadata"));
    let nobody = |one: &mut Running| (one.on_customer, one.subscription) = (true, None);
    assert_eq!(with(&nobody), blocked("customer_discount"));
}

#[test]
fn whose_discount_it_is_decides_first() {
    let mut sample = running(vec![discount("di_1", Some("sub_1"))]);
    let mut is = |person: Option<Person>| {
        sample.world.people.clear();
        sample
            .world
            .people
            .extend(person.map(|person| ("cus_1".into(), person)));
        rules(&sample)
            .into_iter()
            .map(|(_, verdict, rule)| (verdict, rule))
            .collect::<Vec<_>>()
    };
    assert_eq!(is(None), []);
    assert_eq!(is(Some(Person::Stayer)), []);
    assert_eq!(
        is(Some(Person::Deleted)),
        [(Verdict::Noop, "customer_deleted".to_owned())]
    );
    let absent = Person::Absent {
        label: safe("Ada"),
        no_method: true,
    };
    assert_eq!(
        is(Some(absent)),
        [(Verdict::Blocked, "customer_absent".to_owned())]
    );
}

#[test]
fn a_customers_discount_goes_to_each_subscription_and_a_single_invoice_to_the_first() {
    let on = |subscription: &str, next: i64, duration: Duration| {
        let mut one = discount("di_1", Some(subscription));
        (one.on_customer, one.duration) = (true, duration);
        if duration == Duration::Once {
            one.end = None;
        }
        one.bills.as_mut().unwrap().next = next;
        one
    };
    let both = |duration| {
        vec![
            on("sub_1", NOW + 2 * DAY, duration),
            on("sub_2", NOW + DAY, duration),
        ]
    };
    let sample = running(both(Duration::Repeating));
    let planned = sample.planned();
    for subscription in ["sub_1", "sub_2"] {
        let change = row(&planned, &format!("discount/di_1/{subscription}"));
        assert_eq!(change.rule, "customer_discount");
        let id = format!("carry_di_1_{subscription}");
        assert_eq!(sent(&change.writes[0], "id"), Some(id.as_str()));
        assert_eq!(change.risk, Risk::Medium);
    }
    assert_eq!(planned.findings.len(), 2);

    let said = |sample: &Sample| {
        let all = rules(sample);
        all.into_iter()
            .map(|(_, verdict, rule)| format!("{} {rule}", verdict.word()))
            .collect::<Vec<_>>()
    };
    let once = both(Duration::Once);
    assert_eq!(
        said(&running(once.clone())),
        ["noop another_bills_first", "planned customer_discount"]
    );
    let mut ends = once.clone();
    ends[1].bills.as_mut().unwrap().ends = Some(NOW);
    assert_eq!(
        said(&running(ends)),
        ["planned customer_discount", "noop ends_before_next_bill"]
    );
    let mut unknown = once;
    unknown[0].bills = None;
    assert_eq!(
        said(&running(unknown)),
        ["blocked bills_unknown", "blocked bills_unknown"]
    );
}

#[test]
fn stacked_discounts_are_told_once_and_those_there_are_left() {
    let mut two = vec![discount("di_1", Some("sub_1")), discount("di_2", Some("sub_1"))];
    for one in &mut two {
        one.beside = 2;
    }
    let mut sample = running(two);
    let stacked = |sample: &Sample| {
        let findings = sample.planned().findings;
        findings
            .iter()
            .filter(|finding| finding.rule == "stacked")
            .count()
    };
    assert_eq!(stacked(&sample), 1);
    let there = Sample::of("coupon 1/0")
        .world
        .source
        .coupons
        .remove(COUPON)
        .unwrap();
    let destination = &mut sample.world.destination.coupons;
    destination.insert("carry_di_1".into(), there.clone());
    let accounts = accounts();
    let effects = Effects { accounts: &accounts };
    let effect = Some(effects.id(CREATE_CARRY, "carry_di_2").0);
    destination.insert(
        "carry_di_2".into(),
        crate::stages::coupons::facts::Coupon { effect, ..there },
    );
    let all: Vec<_> = rules(&sample).into_iter().map(|(_, _, rule)| rule).collect();
    assert_eq!(all, ["coupon_differs", "already_there"]);
}

#[test]
fn a_carrying_coupon_is_no_coupon_of_the_old_account_and_a_thousand_codes_are_one_finding() {
    use std::fmt::Write as _;
    let mut lines = "coupon -/0".to_owned();
    for n in 0..1000 {
        let _ = write!(lines, "; C{n} mover 1/0 first text=same");
    }
    let planned = Sample::of(&lines).planned();
    assert_eq!(planned.changes.len(), 1001);
    let first: Vec<_> = planned
        .findings
        .iter()
        .filter(|finding| finding.rule == "first_time")
        .collect();
    assert_eq!(first.len(), 1);
    assert!(first[0].reason.starts_with("1,000 codes"), "{}", first[0].reason);
    let codes = planned.changes.iter().filter(|change| change.item != "coupon");
    assert!(codes.into_iter().all(|change| change.risk == Risk::Medium));
}
