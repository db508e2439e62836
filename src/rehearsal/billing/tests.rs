use proptest::prelude::*;
use serde_json::Value;

use super::{Billed, InvoiceStatus, advance, billed};
use crate::rehearsal::call::Call;
use crate::rehearsal::endpoints::{ENDPOINTS, find};
use crate::rehearsal::errors::Refusal;
use crate::rehearsal::form::parse;
use crate::rehearsal::params;
use crate::rehearsal::world::{Account, By, Customer, Method, MethodKind, Role, Side};

pub(super) const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

pub(super) fn at(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

/// An account of two customers with a card each, a shop, and a clock.
pub(super) struct World {
    pub(super) account: Account,
    pub(super) now: i64,
    requests: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let mut account = Account::empty(Side::Destination);
        for id in ["cus_a", "cus_b"] {
            let mut customer = Customer::bare(id, 0, Role::Mover);
            customer.email = Some("a@example.com".into());
            let slot = account.add_customer(customer);
            let card = account.methods.push(Method {
                id: format!("pm_{id}").into(),
                created: 0,
                customer: Some(slot),
                kind: MethodKind::Card,
                brand: "visa",
                country: "US",
                last4: 4242,
                exp_month: 12,
                exp_year: 2030,
                debit: false,
                more: None,
            });
            account.customers.at_mut(slot).unwrap().default_method = Some(card);
        }
        let mut world = Self {
            account,
            now: at("2026-01-10T06:00:00Z"),
            requests: 0,
        };
        world.post("/v1/products", "id=prod_a&name=Course");
        world.price("month", 3000, "m");
        world.price("year", 30_000, "y");
        world.post("/v1/coupons", "id=ten&percent_off=10&duration=forever");
        world.post("/v1/coupons", "id=once&amount_off=500&currency=usd&duration=once");
        world
    }

    fn price(&mut self, interval: &str, amount: i64, key: &str) {
        let form = format!(
            "product=prod_a&currency=usd&unit_amount={amount}&recurring[interval]={interval}&lookup_key={key}"
        );
        self.post("/v1/prices", &form);
    }

    /// A form with `{m}` and `{y}` for the prices.
    fn filled(&self, form: &str) -> String {
        let id = |key: &str| {
            self.account
                .catalogue
                .holder(key)
                .map_or("", |p| &*p.id)
                .to_owned()
        };
        form.replace("{m}", &id("m")).replace("{y}", &id("y"))
    }

    pub(super) fn send(&mut self, method: &str, path: &str, form: &str) -> Result<Value, Refusal> {
        let (endpoint, args) = find(method, path).unwrap();
        let form = if form.contains('{') {
            self.filled(form)
        } else {
            form.to_owned()
        };
        let tree = parse(&form).unwrap();
        params::check(ENDPOINTS[endpoint].schema, &tree)?;
        advance(&mut self.account, self.now);
        self.requests += 1;
        let mut call = Call::new(
            &mut self.account,
            self.now,
            self.requests,
            By::Api,
            "",
            None,
            &tree,
            args,
            path,
        );
        (ENDPOINTS[endpoint].run)(&mut call)
    }

    pub(super) fn post(&mut self, path: &str, form: &str) -> Value {
        self.send("POST", path, form)
            .unwrap_or_else(|e| panic!("{path} {form}: {}", e.message))
    }

    pub(super) fn get(&mut self, path: &str) -> Value {
        self.send("GET", path, "").unwrap()
    }

    pub(super) fn refused(&mut self, path: &str, form: &str) -> String {
        self.send("POST", path, form).unwrap_err().message
    }

    pub(super) fn until(&mut self, text: &str) {
        self.now = at(text);
        advance(&mut self.account, self.now);
    }

    pub(super) fn billed(&self) -> Vec<(i64, i64, i64, InvoiceStatus)> {
        let all = billed(&self.account).into_iter();
        all.map(|b: Billed| (b.from, b.to, b.amount, b.status)).collect()
    }

    pub(super) fn schedule(&mut self, start: &str, more: &str) -> Value {
        let start = at(start);
        let form = format!("customer=cus_a&start_date={start}&phases[0][items][0][price]={{m}}{more}");
        self.post("/v1/subscription_schedules", &form)
    }

    pub(super) fn subscribe(&mut self, more: &str) -> Value {
        self.post(
            "/v1/subscriptions",
            &format!("customer=cus_a&items[0][price]={{m}}{more}"),
        )
    }
}

pub(super) fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

pub(super) const PAID: InvoiceStatus = InvoiceStatus::Paid;

#[test]
fn time_played_in_steps_or_at_once_comes_to_the_same() {
    let play = |steps: &[i64]| {
        let mut world = World::new();
        world.schedule("2026-01-31T06:00:00Z", "&phases[0][discounts][0][coupon]=once");
        world.subscribe("&trial_period_days=10");
        for step in steps {
            world.now = *step;
            advance(&mut world.account, world.now);
        }
        let events = world.account.events.rows().iter();
        let events: Vec<_> = events.map(|e| (e.id.clone(), e.kind, e.created)).collect();
        (world.billed(), events)
    };
    let end = at("2027-03-01T00:00:00Z");
    let start = at("2026-01-10T06:00:00Z");
    let small: Vec<i64> = (0..420)
        .map(|n| start + n * DAY)
        .filter(|t| *t < end)
        .chain([end])
        .collect();
    assert_eq!(play(&[end]), play(&small));
}

#[test]
fn a_subscription_made_directly_charges_at_once() {
    let mut world = World::new();
    let made = world.subscribe("&discounts[0][coupon]=once");
    assert_eq!(made["status"], "active");
    let end = at("2026-02-10T06:00:00Z");
    assert_eq!(world.billed(), [(world.now, end, 2500, PAID)]);
    world.until("2026-02-10T08:00:00Z");
    assert_eq!(world.billed()[1], (end, at("2026-03-10T06:00:00Z"), 3000, PAID));
    let coupon = world.get("/v1/coupons/once");
    assert_eq!(coupon["times_redeemed"], 1);
}

#[test]
fn a_backdate_with_an_anchor_to_come_and_no_proration_charges_nothing_before_it() {
    let mut world = World::new();
    let anchor = at("2026-01-31T06:00:00Z");
    let start = at("2025-06-30T06:00:00Z");
    let made = world.subscribe(&format!(
        "&backdate_start_date={start}&billing_cycle_anchor={anchor}&proration_behavior=none"
    ));
    assert_eq!(
        (&made["start_date"], &made["billing_cycle_anchor"]),
        (&start.into(), &anchor.into())
    );
    assert_eq!(
        (made["latest_invoice"].is_null(), world.billed().len()),
        (true, 0)
    );
    world.until("2026-02-01T00:00:00Z");
    assert_eq!(world.billed(), [(anchor, at("2026-02-28T06:00:00Z"), 3000, PAID)]);
    let too_far = at("2026-05-01T00:00:00Z");
    let form = format!("customer=cus_b&items[0][price]={{m}}&billing_cycle_anchor={too_far}");
    assert!(
        world
            .refused("/v1/subscriptions", &form)
            .contains("billing_cycle_anchor")
    );
}

#[test]
fn a_part_of_a_period_is_billed_in_part_unless_nothing_is_prorated() {
    let mut world = World::new();
    let anchor = world.now + 15 * DAY + HOUR / 2;
    world.subscribe(&format!("&billing_cycle_anchor={anchor}"));
    let full = anchor - at("2025-12-25T06:30:00Z");
    let part = (3000 * (anchor - world.now) + full / 2) / full;
    assert_eq!(world.billed(), [(world.now, anchor, part, PAID)]);
}

#[test]
fn cancel_at_period_end_ends_without_a_bill_and_can_be_taken_back() {
    let mut world = World::new();
    let made = world.subscribe("");
    let path = format!("/v1/subscriptions/{}", id(&made));
    let ending = world.post(&path, "cancel_at_period_end=true");
    assert_eq!(ending["cancel_at"], at("2026-02-10T06:00:00Z"));
    let again = world.post(&path, "cancel_at_period_end=false");
    assert_eq!(
        (again["cancel_at"].is_null(), again["canceled_at"].is_null()),
        (true, true)
    );
    world.post(&path, "cancel_at_period_end=true");
    world.until("2026-03-01T00:00:00Z");
    let over = world.get(&path);
    assert_eq!(over["status"], "canceled");
    assert_eq!(over["ended_at"], at("2026-02-10T06:00:00Z"));
    assert_eq!(world.billed().len(), 1);
    let words = world.refused(&path, "description=x");
    assert_eq!(
        words,
        "A canceled subscription can only update its cancellation_details and metadata."
    );
    world.post(&path, "metadata[a]=b");
    assert!(
        world.get("/v1/subscriptions")["data"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn while_collection_is_paused_bills_stay_drafts_and_are_never_paid() {
    let mut world = World::new();
    let made = world.subscribe("");
    let path = format!("/v1/subscriptions/{}", id(&made));
    let paused = world.post(&path, "pause_collection[behavior]=keep_as_draft");
    assert_eq!(paused["pause_collection"]["behavior"], "keep_as_draft");
    world.until("2026-04-01T00:00:00Z");
    let statuses: Vec<_> = world.billed().iter().map(|b| b.3).collect();
    assert_eq!(statuses, [PAID, InvoiceStatus::Draft, InvoiceStatus::Draft]);
    let drafts = world.send("GET", "/v1/invoices", "status=draft").unwrap();
    assert_eq!(drafts["data"][0]["auto_advance"], false);
    assert_eq!(world.get(&path)["status"], "active");
    let cleared = world.post(&path, "pause_collection=");
    assert!(cleared["pause_collection"].is_null());
    world.until("2026-05-01T00:00:00Z");
    assert_eq!(world.billed()[3].3, PAID);
    world.post(&path, "pause_collection[behavior]=void");
    world.until("2026-06-01T00:00:00Z");
    assert_eq!(world.billed()[4].3, InvoiceStatus::Void);
}

#[test]
fn a_payment_that_fails_leaves_an_open_invoice_that_an_ended_subscription_stops_collecting() {
    let mut world = World::new();
    let made = world.subscribe("");
    let path = format!("/v1/subscriptions/{}", id(&made));
    world.account.billing.failing.insert(0);
    world.until("2026-02-12T00:00:00Z");
    assert_eq!(world.get(&path)["status"], "past_due");
    let open = world
        .send("GET", "/v1/invoices", "status=open&customer=cus_a")
        .unwrap();
    assert_eq!(
        (
            &open["data"][0]["auto_advance"],
            &open["data"][0]["attempt_count"]
        ),
        (&true.into(), &1.into())
    );
    assert!(open["data"][0]["next_payment_attempt"].is_i64());
    world.send("DELETE", &path, "").unwrap();
    let open = world
        .send("GET", "/v1/invoices", "status=open&customer=cus_a")
        .unwrap();
    assert_eq!(open["data"][0]["auto_advance"], false);
    assert!(open["data"][0]["next_payment_attempt"].is_null());
    assert_eq!(world.send("DELETE", &path, "").unwrap_err().status, 404);
    assert_eq!(world.account.billing.invoices.rows().len(), 2);
}

#[test]
fn a_customer_is_billed_in_one_currency() {
    let mut world = World::new();
    world.subscribe("");
    world.post(
        "/v1/prices",
        "product=prod_a&currency=aud&unit_amount=4000&recurring[interval]=month&lookup_key=y&transfer_lookup_key=true",
    );
    let said = world.refused("/v1/subscriptions", "customer=cus_a&items[0][price]={y}");
    assert!(
        said.starts_with("You cannot combine currencies on a single customer."),
        "{said}"
    );
    world.post("/v1/subscriptions", "customer=cus_b&items[0][price]={y}");
}

#[test]
fn a_trial_bills_nothing_until_it_ends() {
    let mut world = World::new();
    let made = world.subscribe("&trial_period_days=7");
    assert_eq!(made["status"], "trialing");
    let end = world.now + 7 * DAY;
    assert_eq!(world.billed(), [(world.now, end, 0, PAID)]);
    world.until("2026-01-18T00:00:00Z");
    assert_eq!(world.billed()[1], (end, at("2026-02-17T06:00:00Z"), 3000, PAID));
}

#[test]
fn a_trial_that_ends_without_a_method_pauses_and_can_be_resumed() {
    let mut world = World::new();
    world.account.customers.at_mut(0).unwrap().default_method = None;
    let more = "&trial_period_days=7&trial_settings[end_behavior][missing_payment_method]=pause";
    let made = world.subscribe(more);
    let path = format!("/v1/subscriptions/{}", id(&made));
    world.until("2026-01-20T00:00:00Z");
    assert_eq!(world.get(&path)["status"], "paused");
    assert_eq!(world.billed().len(), 1);
    let card = world.account.methods.slot("pm_cus_a");
    world.account.customers.at_mut(0).unwrap().default_method = card;
    let back = world.post(&format!("{path}/resume"), "billing_cycle_anchor=now");
    assert_eq!(back["status"], "active");
    assert_eq!(
        world.billed()[1],
        (world.now, at("2026-02-20T00:00:00Z"), 3000, PAID)
    );
}

#[test]
fn without_anything_to_charge_nothing_begins() {
    let mut world = World::new();
    world.account.customers.at_mut(0).unwrap().default_method = None;
    let said = world.refused("/v1/subscriptions", "customer=cus_a&items[0][price]={m}");
    assert!(said.starts_with("This customer has no attached payment source or default payment method."));
}

#[test]
fn an_incomplete_subscription_expires_after_23_hours() {
    let mut world = World::new();
    world.account.billing.failing.insert(0);
    let made = world.subscribe("");
    assert_eq!(made["status"], "incomplete");
    let path = format!("/v1/subscriptions/{}", id(&made));
    world.until("2026-01-11T04:59:59Z");
    assert_eq!(world.get(&path)["status"], "incomplete");
    world.until("2026-01-11T05:00:00Z");
    assert_eq!(world.get(&path)["status"], "incomplete_expired");
}

#[test]
fn a_preview_says_what_will_be_billed_and_uses_nothing_up() {
    let mut world = World::new();
    world.post("/v1/tax_rates", "display_name=GST&percentage=10&inclusive=false");
    let rate = world.account.catalogue.tax_rates.rows()[0].id.clone();
    let more = format!("&phases[0][discounts][0][coupon]=once&phases[0][default_tax_rates][0]={rate}");
    let made = world.schedule("2026-01-31T06:00:00Z", &more);
    let before = world.account.events.rows().len();
    let asked = world.post("/v1/invoices/create_preview", &format!("schedule={}", id(&made)));
    let start = at("2026-01-31T06:00:00Z");
    let form = format!(
        "customer=cus_a&schedule_details[phases][0][items][0][price]={{m}}\
         &schedule_details[phases][0][start_date]={start}\
         &schedule_details[phases][0][discounts][0][coupon]=once\
         &schedule_details[phases][0][default_tax_rates][0]={rate}"
    );
    let supposed = world.post("/v1/invoices/create_preview", &form);
    for preview in [&asked, &supposed] {
        assert_eq!(
            (
                &preview["subtotal"],
                &preview["total"],
                &preview["total_excluding_tax"]
            ),
            (&3000.into(), &2750.into(), &2500.into())
        );
        assert_eq!(preview["lines"]["data"][0]["period"]["start"], start);
    }
    assert_eq!(world.account.events.rows().len(), before);
    assert_eq!(world.get("/v1/coupons/once")["times_redeemed"], 0);
    world.until("2026-02-01T00:00:00Z");
    assert_eq!(world.billed()[0].2, 2750);
    let subscription = world.account.billing.subscriptions.rows()[0].id.clone();
    let next = world.post(
        "/v1/invoices/create_preview",
        &format!("subscription={subscription}"),
    );
    assert_eq!(next["total"], 3300);
    world.until("2026-03-01T00:00:00Z");
    assert_eq!(world.billed()[1].2, 3300);
}

#[test]
fn inclusive_tax_comes_out_of_the_amount() {
    let mut world = World::new();
    world.post("/v1/tax_rates", "display_name=GST&percentage=10&inclusive=true");
    let rate = world.account.catalogue.tax_rates.rows()[0].id.clone();
    let made = world.subscribe(&format!("&default_tax_rates[0]={rate}"));
    let invoice = world.get(&format!(
        "/v1/invoices/{}",
        made["latest_invoice"].as_str().unwrap()
    ));
    assert_eq!(
        (&invoice["total"], &invoice["total_excluding_tax"]),
        (&3000.into(), &2727.into())
    );
    assert_eq!(invoice["total_taxes"][0]["amount"], 273);
    assert_eq!(invoice["total_taxes"][0]["taxable_amount"], 2727);
}

#[test]
fn what_is_not_prorated_here_is_refused_and_not_passed_over() {
    let mut world = World::new();
    let made = world.subscribe("");
    let path = format!("/v1/subscriptions/{}", id(&made));
    let item = made["items"]["data"][0]["id"].as_str().unwrap();
    let form = format!("items[0][id]={item}&items[0][quantity]=4");
    assert!(world.refused(&path, &form).contains("does not simulate"));
    let after = world.post(&path, &format!("{form}&proration_behavior=none"));
    assert_eq!(after["items"]["data"][0]["quantity"], 4);
    world.until("2026-02-11T06:00:00Z");
    assert_eq!(world.billed()[1].2, 12_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn periods_billed_of_a_subscription_follow_each_other_without_gap_or_overlap(
        start in 0_i64..400,
        days in 1_i64..900,
        anchor_in in prop::option::of(1_i64..28),
    ) {
        let mut world = World::new();
        world.now += start * DAY;
        let more = anchor_in.map_or(String::new(), |d| format!("&billing_cycle_anchor={}", world.now + d * DAY));
        world.subscribe(&more);
        let began = world.now;
        world.now += days * DAY;
        advance(&mut world.account, world.now);
        let all = world.billed();
        prop_assert_eq!(all[0].0, began);
        for pair in all.windows(2) {
            prop_assert_eq!(pair[0].1, pair[1].0);
        }
        let last = all.last().unwrap();
        prop_assert!(last.0 <= world.now && last.1 > world.now);
    }
}
