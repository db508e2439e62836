use super::tests::{DAY, PAID, World, at, id};

#[test]
fn a_schedule_begins_at_its_start_with_a_draft_for_an_hour_and_bills_on_from_there() {
    let mut world = World::new();
    let made = world.schedule("2026-01-31T06:00:00Z", "&phases[0][metadata][k]=v&metadata[s]=1");
    assert_eq!(made["status"], "not_started");
    assert_eq!(made["phases"][0]["end_date"], at("2026-02-28T06:00:00Z"));
    world.until("2026-01-31T05:59:59Z");
    assert_eq!(world.account.billing.subscriptions.rows().len(), 0);
    world.until("2026-01-31T06:30:00Z");
    let schedule = world.get(&format!("/v1/subscription_schedules/{}", id(&made)));
    assert_eq!(schedule["status"], "active");
    let path = format!("/v1/subscriptions/{}", schedule["subscription"].as_str().unwrap());
    let live = world.get(&path);
    assert_eq!(
        (&live["status"], &live["metadata"]),
        (&"active".into(), &serde_json::json!({ "k": "v" }))
    );
    assert_eq!(live["schedule"], made["id"]);
    let invoices = world.get("/v1/invoices");
    assert_eq!(invoices["data"][0]["status"], "draft");
    world.until("2026-04-01T00:00:00Z");
    let days =
        ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"].map(|d| at(&format!("{d}T06:00:00Z")));
    let expected: Vec<_> = days.windows(2).map(|w| (w[0], w[1], 3000, PAID)).collect();
    assert_eq!(world.billed(), expected);
    let schedule = world.get(&format!("/v1/subscription_schedules/{}", id(&made)));
    assert_eq!(schedule["status"], "released");
    assert_eq!(schedule["released_subscription"], live["id"]);
}

#[test]
fn cancelling_a_schedule_that_runs_invoices_and_prorates_unless_it_is_told_not_to() {
    for (more, invoices) in [("", 2), ("invoice_now=false&prorate=false", 1)] {
        let mut world = World::new();
        let made = world.schedule("2026-01-11T06:00:00Z", "");
        world.until("2026-01-20T06:00:00Z");
        let path = format!("/v1/subscription_schedules/{}/cancel", id(&made));
        let over = world.post(&path, more);
        assert_eq!(over["status"], "canceled");
        assert_eq!(world.account.billing.invoices.rows().len(), invoices);
        let least = world.billed().iter().map(|b| b.2).min();
        assert_eq!(least.is_some_and(|amount| amount < 0), invoices == 2);
        let words = world.refused(&path, "");
        assert_eq!(
            words,
            "You cannot cancel a subscription schedule with status `canceled`."
        );
    }
}

#[test]
fn a_schedule_that_has_not_begun_is_cancelled_without_a_trace() {
    let mut world = World::new();
    let made = world.schedule("2026-01-11T06:00:00Z", "&phases[0][discounts][0][coupon]=ten");
    world.post(&format!("/v1/subscription_schedules/{}/cancel", id(&made)), "");
    world.until("2026-04-11T06:00:00Z");
    assert_eq!(world.billed(), []);
    assert_eq!(world.get("/v1/coupons/ten")["times_redeemed"], 0);
}

#[test]
fn phases_change_what_is_sold_and_the_last_ends_as_it_says() {
    let mut world = World::new();
    let made = world.schedule(
        "2026-01-11T06:00:00Z",
        "&phases[0][duration][interval]=month&phases[0][duration][interval_count]=2&phases[0][discounts][0][coupon]=ten\
         &phases[1][items][0][price]={m}&phases[1][items][0][quantity]=3&phases[1][duration][interval]=month\
         &end_behavior=cancel",
    );
    world.until("2026-06-01T00:00:00Z");
    let amounts: Vec<_> = world.billed().iter().map(|b| b.2).collect();
    assert_eq!(amounts, [2700, 2700, 9000]);
    let over = world.get(&format!("/v1/subscription_schedules/{}", id(&made)));
    assert_eq!(over["status"], "completed");
    let path = format!("/v1/subscriptions/{}", over["subscription"].as_str().unwrap());
    assert_eq!(world.get(&path)["ended_at"], at("2026-04-11T06:00:00Z"));
}

#[test]
fn a_phase_with_another_interval_begins_a_new_grid() {
    let mut world = World::new();
    world.schedule(
        "2026-01-11T06:00:00Z",
        "&phases[0][duration][interval]=month&phases[1][items][0][price]={y}",
    );
    world.until("2026-06-01T00:00:00Z");
    let first = at("2026-02-11T06:00:00Z");
    assert_eq!(
        world.billed(),
        [
            (at("2026-01-11T06:00:00Z"), first, 3000, PAID),
            (first, at("2027-02-11T06:00:00Z"), 30_000, PAID)
        ]
    );
}

#[test]
fn an_update_that_does_not_send_the_coupons_again_loses_them() {
    for (proration, kept) in [("none", 0), ("create_prorations", 1)] {
        let mut world = World::new();
        let more = format!("&phases[0][discounts][0][coupon]=ten&phases[0][proration_behavior]={proration}");
        let made = world.schedule("2026-01-20T06:00:00Z", &more);
        let path = format!("/v1/subscription_schedules/{}", id(&made));
        let after = world.post(&path, "metadata[a]=b");
        assert_eq!(
            after["phases"][0]["discounts"].as_array().unwrap().len(),
            kept,
            "{proration}"
        );
        let phases = "phases[0][items][0][price]={m}&phases[0][items][0][quantity]=2";
        let after = world.post(&path, phases);
        assert_eq!(after["phases"][0]["discounts"].as_array().unwrap().len(), 0);
        assert_eq!(after["phases"][0]["start_date"], made["phases"][0]["start_date"]);
        let after = world.post(&path, &format!("{phases}&phases[0][discounts][0][coupon]=ten"));
        assert_eq!(after["phases"][0]["discounts"][0]["coupon"], "ten");
    }
}

#[test]
fn what_a_schedule_manages_is_not_cancelled_behind_its_back() {
    let mut world = World::new();
    let made = world.schedule("2026-01-11T06:00:00Z", "");
    world.until("2026-01-12T06:00:00Z");
    let schedule = world.get(&format!("/v1/subscription_schedules/{}", id(&made)));
    let path = format!("/v1/subscriptions/{}", schedule["subscription"].as_str().unwrap());
    let words = world.refused(&path, "cancel_at_period_end=true");
    let expected = format!(
        "The subscription is managed by the subscription schedule `{}`, and updating any cancelation behavior directly \
         is not allowed. Please update the schedule instead.",
        id(&made)
    );
    assert_eq!(words, expected);
    let free = world.post(&format!("/v1/subscription_schedules/{}/release", id(&made)), "");
    assert_eq!(
        (&free["status"], &free["released_subscription"]),
        (&"released".into(), &schedule["subscription"])
    );
    world.post(&path, "cancel_at_period_end=true");
}

#[test]
fn a_start_in_the_past_is_a_backdate_and_not_a_row_of_bills() {
    let mut world = World::new();
    let none = "&phases[0][proration_behavior]=none";
    let made = world.schedule("2025-11-20T06:00:00Z", none);
    assert_eq!(made["status"], "active");
    let path = format!("/v1/subscriptions/{}", made["subscription"].as_str().unwrap());
    let live = world.get(&path);
    assert_eq!(live["start_date"], at("2025-11-20T06:00:00Z"));
    assert_eq!(world.billed(), []);
    world.until("2026-01-21T06:00:00Z");
    assert_eq!(
        world.billed(),
        [(at("2026-01-20T06:00:00Z"), at("2026-02-20T06:00:00Z"), 3000, PAID)]
    );
}

#[test]
fn refusals_use_the_words_of_the_api() {
    let mut world = World::new();
    let start = world.now + DAY;
    let base = format!("customer=cus_a&start_date={start}&phases[0][items][0][price]={{m}}");
    let more = |more: &str| format!("{base}{more}");
    let cases = [
        (
            "customer=cus_x&start_date=now&phases[0][items][0][price]={m}".to_owned(),
            "No such customer: 'cus_x'",
        ),
        (base.replace("{m}", "price_x"), "No such price: 'price_x'"),
        (
            more("&phases[0][items][1][price]={m}"),
            "Cannot add multiple subscription items with the same plan",
        ),
        (
            more("&billing_mode[type]=classic&phases[0][items][1][price]={y}"),
            "Found mismatched interval field.",
        ),
        (
            more("&phases[0][discounts][0][coupon]=gone"),
            "No such coupon: 'gone'",
        ),
        (
            more("&phases[0][collection_method]=send_invoice"),
            "If invoice collection method is 'send_invoice', you must specify 'days_until_due'.",
        ),
        (
            more("&phases[0][invoice_settings][days_until_due]=7"),
            "You can only specify 'days_until_due' if invoice collection method is 'send_invoice'.",
        ),
        (
            more("&phases[0][automatic_tax][enabled]=true"),
            "The customer's location isn't recognized.",
        ),
        (
            more("&phases[0][default_payment_method]=pm_cus_b"),
            "must be attached to the customer",
        ),
        (
            more("&phases[0][currency]=aud"),
            "The price specified only supports `usd`.",
        ),
        (
            more("&end_behavior=renew"),
            "The rehearsal's simulator does not simulate `end_behavior=renew`.",
        ),
        (
            more("&phases[0][transfer_data][destination]=x"),
            "does not simulate",
        ),
    ];
    for (form, words) in cases {
        let said = world.refused("/v1/subscription_schedules", &form);
        assert!(said.contains(words), "{form}: {said}");
    }
    assert_eq!(world.account.billing.schedules.rows().len(), 0);
    assert_eq!(world.account.pools.discounts().rows().len(), 0);
}
