//! Subscriptions, schedules and invoices of the simulated accounts, held against the table.

use cutover::clock::Clock;
use cutover::rehearsal::{Options, Running, Scenario, Simulator};
use serde_json::{Value, json};

use super::drive::{Account, Pairs};
use super::simulated::{NONE, id};

const DAY_MS: i64 = 86_400_000;

/// The night of two accounts with a shop, and their clock.
async fn start() -> (Running, Clock, Account, Account) {
    let scenario = Scenario::load("midnight").expect("a scenario of the program's own");
    let clock = Clock::rehearsal(scenario.starts_at(), 1);
    let mut options = Options::new(scenario, clock.clone());
    options.customers = Some(200);
    options.no_limits = true;
    let world = Simulator::start(options).await.expect("two free ports");
    let described = world.describe();
    let old = Account::new(&described.source.url, &described.source.key);
    let new = Account::new(&described.destination.url, &described.destination.key);
    (world, clock, old, new)
}

fn pass(clock: &Clock, days: i64) {
    clock.advance_to(clock.now().plus_ms(days * DAY_MS));
}

#[tokio::test]
async fn what_time_makes_of_a_world_is_shaped_as_stripe_shapes_it() {
    let (_world, clock, mut old, _) = start().await;
    pass(&clock, 40);
    let whole = [
        ("status", "all"),
        ("expand[]", "data.latest_invoice"),
        ("expand[]", "data.discounts"),
        ("expand[]", "data.customer"),
    ];
    let all = old.all("/v1/subscriptions", &whole, "50").await;
    for one in all.iter().take(40) {
        old.right("GET", &format!("/v1/subscriptions/{}", id(one)), NONE)
            .await;
        let of = [("subscription", id(one))];
        old.all("/v1/subscription_items", &of, "1").await;
        old.right("GET", "/v1/invoices", &of).await;
    }
    let ended = old.all("/v1/subscriptions", &[("status", "ended")], "50").await;
    assert!(ended.iter().all(|s| s["status"] == "canceled"), "{ended:?}");
    let invoices = old
        .all("/v1/invoices", &[("expand[]", "data.discounts")], "100")
        .await;
    assert!(invoices.len() > 50, "{}", invoices.len());
    for invoice in invoices.iter().take(60) {
        let path = format!("/v1/invoices/{}", id(invoice));
        old.right(
            "GET",
            &path,
            &[("expand[]", "parent.subscription_details.subscription")],
        )
        .await;
        old.all(&format!("{path}/lines"), NONE, "1").await;
    }
    let events = old.all("/v1/events", &[("types[]", "invoice.*")], "100").await;
    for event in events.iter().take(10) {
        old.right("GET", &format!("/v1/events/{}", id(event)), NONE).await;
    }
    for filter in [
        [("status", "paid")],
        [("collection_method", "send_invoice")],
        [("due_date[gt]", "1")],
        [("created[gt]", "1")],
    ] {
        old.right("GET", "/v1/invoices", &filter).await;
    }
    let statuses: Vec<_> = invoices.iter().map(|i| i["status"].clone()).collect();
    assert!(statuses.contains(&json!("paid")) && statuses.contains(&json!("open")));
    old.conforms();
}

/// A customer of the new account with a card, a price, a coupon and a tax rate.
async fn furnished(new: &mut Account) -> (String, String, String) {
    let customers = new.all("/v1/customers", NONE, "100").await;
    let mut found = None;
    for customer in customers {
        let path = format!("/v1/customers/{}/payment_methods", id(&customer));
        let methods = new.right("GET", &path, &[("type", "card")]).await;
        if let Some(card) = methods["data"].get(0).filter(|_| customer["email"].is_string()) {
            let default = [("invoice_settings[default_payment_method]", id(card))];
            new.right("POST", &format!("/v1/customers/{}", id(&customer)), &default)
                .await;
            found = Some(id(&customer).to_owned());
            break;
        }
    }
    let product = new.right("POST", "/v1/products", &[("name", "Course")]).await;
    let price = [
        ("product", id(&product)),
        ("currency", "usd"),
        ("unit_amount", "3000"),
        ("recurring[interval]", "month"),
    ];
    let price = new.right("POST", "/v1/prices", &price).await;
    let coupon = [("id", "CARRY"), ("percent_off", "25"), ("duration", "forever")];
    new.right("POST", "/v1/coupons", &coupon).await;
    let rate = [
        ("display_name", "GST"),
        ("percentage", "10"),
        ("inclusive", "true"),
    ];
    let rate = new.right("POST", "/v1/tax_rates", &rate).await;
    let customer = found.expect("somebody with a card and an e-mail address");
    (customer, id(&price).to_owned(), id(&rate).to_owned())
}

fn after(clock: &Clock, days: i64) -> String {
    (clock.now().secs() + days * 86_400).to_string()
}

#[tokio::test]
async fn schedules_are_answered_as_stripe_answers_them_from_making_to_cancelling() {
    let (_world, clock, _, mut new) = start().await;
    let (customer, price, rate) = furnished(&mut new).await;
    let start = after(&clock, 2);
    let form: Vec<(&str, &str)> = vec![
        ("customer", &customer),
        ("start_date", &start),
        ("end_behavior", "release"),
        ("metadata[cutover_effect]", "e1"),
        ("default_settings[collection_method]", "send_invoice"),
        ("default_settings[invoice_settings][days_until_due]", "14"),
        ("phases[0][items][0][price]", &price),
        ("phases[0][items][0][quantity]", "2"),
        ("phases[0][items][0][metadata][seat]", "s"),
        ("phases[0][discounts][0][coupon]", "CARRY"),
        ("phases[0][default_tax_rates][0]", &rate),
        ("phases[0][metadata][old_Stripe_sub_id]", "sub_old"),
        ("phases[0][proration_behavior]", "none"),
        ("phases[0][duration][interval]", "month"),
        ("phases[1][items][0][price]", &price),
        ("expand[]", "phases.items.price"),
        ("expand[]", "phases.discounts.coupon"),
        ("expand[]", "customer"),
    ];
    let made = new.right("POST", "/v1/subscription_schedules", &form).await;
    let path = format!("/v1/subscription_schedules/{}", id(&made));
    assert_eq!(made["status"], "not_started");
    let preview = new
        .right("POST", "/v1/invoices/create_preview", &[("schedule", id(&made))])
        .await;
    assert_eq!(
        (&preview["subtotal"], &preview["total"]),
        (&json!(6000), &json!(4500))
    );
    let waiting = [("customer", customer.as_str()), ("scheduled", "true")];
    assert_eq!(
        new.all("/v1/subscription_schedules", &waiting, "1").await.len(),
        1
    );
    let again: Pairs<'_> = &[
        ("metadata[a]", "b"),
        ("phases[0][items][0][price]", &price),
        ("phases[0][discounts][0][coupon]", "CARRY"),
    ];
    new.right("POST", &path, again).await;
    pass(&clock, 3);
    let live = new.right("GET", &path, &[("expand[]", "subscription")]).await;
    assert_eq!(live["status"], "active");
    let subscription = format!("/v1/subscriptions/{}", id(&live["subscription"]));
    let whole = [("expand[]", "schedule"), ("expand[]", "latest_invoice")];
    new.right("GET", &subscription, &whole).await;
    let words = new
        .wrong("POST", &subscription, &[("cancel_at_period_end", "true")])
        .await;
    assert_eq!(words, json!([400, "invalid_request_error", null, null]));
    let next = [("subscription", id(&live["subscription"]))];
    new.right("POST", "/v1/invoices/create_preview", &next).await;
    let over = new
        .right(
            "POST",
            &format!("{path}/cancel"),
            &[("invoice_now", "false"), ("prorate", "false")],
        )
        .await;
    assert_eq!(over["status"], "canceled");
    new.wrong("POST", &format!("{path}/release"), NONE).await;
    new.wrong("POST", &path, &[("metadata[a]", "b")]).await;
    let missing = new
        .wrong("GET", "/v1/subscription_schedules/sub_sched_x", NONE)
        .await;
    assert_eq!(
        missing,
        json!([404, "invalid_request_error", "resource_missing", "schedule"])
    );
    for (range, count) in [
        ("canceled_at[gt]", 1),
        ("released_at[gt]", 0),
        ("completed_at[gt]", 0),
    ] {
        let found = new.all("/v1/subscription_schedules", &[(range, "1")], "5").await;
        assert_eq!(found.len(), count, "{range}");
    }
    new.conforms();
}

#[tokio::test]
async fn subscriptions_are_answered_as_stripe_answers_them_from_making_to_cancelling() {
    let (_world, clock, _, mut new) = start().await;
    let (customer, price, rate) = furnished(&mut new).await;
    let form: Vec<(&str, &str)> = vec![
        ("customer", &customer),
        ("items[0][price]", &price),
        ("items[0][discounts][0][coupon]", "CARRY"),
        ("default_tax_rates[0]", &rate),
        ("metadata[a]", "b"),
        ("description", "by hand"),
        ("expand[]", "latest_invoice"),
        ("expand[]", "items.data.discounts"),
    ];
    let made = new.right("POST", "/v1/subscriptions", &form).await;
    assert_eq!(
        (&made["status"], &made["latest_invoice"]["total"]),
        (&json!("active"), &json!(2250))
    );
    let path = format!("/v1/subscriptions/{}", id(&made));
    let end = after(&clock, 100);
    for change in [
        vec![("pause_collection[behavior]", "keep_as_draft")],
        vec![("pause_collection", "")],
        vec![("cancel_at_period_end", "true")],
        vec![("cancel_at_period_end", "false")],
        vec![("cancel_at", end.as_str())],
        vec![("cancel_at", "")],
        vec![
            ("cancellation_details[comment]", "moved"),
            ("cancellation_details[feedback]", "other"),
        ],
        vec![("discounts[0][coupon]", "CARRY")],
        vec![("collection_method", "send_invoice"), ("days_until_due", "5")],
    ] {
        new.right("POST", &path, &change).await;
    }
    let from: Value = new
        .right(
            "POST",
            "/v1/subscription_schedules",
            &[("from_subscription", id(&made))],
        )
        .await;
    assert_eq!(from["subscription"], made["id"]);
    new.wrong(
        "POST",
        "/v1/subscription_schedules",
        &[("from_subscription", id(&made))],
    )
    .await;
    new.right(
        "POST",
        &format!("/v1/subscription_schedules/{}/release", id(&from)),
        NONE,
    )
    .await;
    new.wrong("POST", &format!("{path}/resume"), NONE).await;
    let over = new
        .right("DELETE", &path, &[("invoice_now", "true"), ("prorate", "true")])
        .await;
    assert_eq!(over["status"], "canceled");
    let again = new.wrong("DELETE", &path, NONE).await;
    assert_eq!(
        again,
        json!([404, "invalid_request_error", "resource_missing", "id"])
    );
    let none = new
        .wrong(
            "POST",
            "/v1/invoices/create_preview",
            &[("subscription", id(&made))],
        )
        .await;
    assert_eq!(none[2], "invoice_upcoming_none");
    let supposed: Vec<(&str, &str)> = vec![
        ("customer", &customer),
        ("subscription_details[items][0][price]", &price),
        ("subscription_details[items][0][quantity]", "3"),
    ];
    let preview = new.right("POST", "/v1/invoices/create_preview", &supposed).await;
    assert_eq!(preview["total"], 9000);
    let quantity = new
        .wrong(
            "POST",
            "/v1/subscriptions",
            &[("customer", &customer), ("items[0][price]", "price_x")],
        )
        .await;
    assert_eq!(
        quantity,
        json!([
            400,
            "invalid_request_error",
            "resource_missing",
            "items[0][price]"
        ])
    );
    new.conforms();
}
