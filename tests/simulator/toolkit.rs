//! The Dashboard's migration toolkit: files in, schedules out.

use cutover::clock::Clock;
use cutover::rehearsal::{Migration, Options, Running, Side, Simulator};
use serde_json::Value;

use crate::client::{Account, account, options, start};

const DAY: i64 = 86_400;

/// A world whose new account sells something to somebody who can pay.
struct Place {
    running: Running,
    clock: Clock,
    new: Account,
    customer: String,
    price: String,
    now: i64,
}

impl Place {
    async fn new() -> Self {
        Self::of(options("small")).await
    }

    async fn of(options: Options) -> Self {
        let clock = options.clock.clone();
        let (running, old, new) = start(options).await;
        let (customer, price) = shop(&old, &new).await;
        let now = clock.now().secs();
        Self {
            running,
            clock,
            new,
            customer,
            price,
            now,
        }
    }

    fn pass(&self, secs: i64) {
        self.clock.advance_to(self.clock.now().plus_ms(secs * 1000));
    }

    fn migration(&self) -> Migration {
        self.running.migrations().pop().unwrap()
    }

    /// Uploads and waits for what comes of it.
    fn validated(&self, file: &str) -> Migration {
        self.running
            .upload("subscriptions-1.csv", file.as_bytes())
            .unwrap();
        self.pass(121);
        self.migration()
    }

    /// A file with one plain row and further columns.
    fn file(&self, more: &[(&str, &str)]) -> String {
        let start = (self.now + 30 * DAY).to_string();
        let mut cells = vec![
            ("customer", self.customer.as_str()),
            ("start_date", start.as_str()),
            ("price", self.price.as_str()),
        ];
        for (name, value) in more {
            cells.retain(|(known, _)| known != name);
            cells.push((name, value));
        }
        let names: Vec<&str> = cells.iter().map(|c| c.0).collect();
        let values: Vec<&str> = cells.iter().map(|c| c.1).collect();
        format!("{}\n{}\n", names.join(","), values.join(","))
    }

    async fn schedules(&self) -> Vec<Value> {
        let found = self.new.get("/v1/subscription_schedules").await.json();
        found["data"].as_array().unwrap().clone()
    }
}

/// A customer of both accounts who can be charged on the new one, and a price there.
async fn shop(old: &Account, new: &Account) -> (String, String) {
    let made = |answer: crate::client::Answer| {
        let value = answer.json();
        value["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{value}"))
            .to_owned()
    };
    let everybody = old.get("/v1/customers?limit=100").await.json();
    for one in everybody["data"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let methods = new.get(&format!("/v1/customers/{id}/payment_methods")).await;
        if methods.status != Some(200) || one["currency"] != Value::Null {
            continue;
        }
        let Some(method) = methods.json()["data"][0]["id"].as_str().map(str::to_owned) else {
            continue;
        };
        let form = format!("invoice_settings[default_payment_method]={method}&email=a@example.com");
        made(new.post(&format!("/v1/customers/{id}"), &form, None).await);
        made(new.post("/v1/products", "id=p&name=P", None).await);
        let form = "product=p&currency=usd&unit_amount=1000&recurring[interval]=month&tax_behavior=exclusive";
        let price = made(new.post("/v1/prices", form, None).await);
        return (id.to_owned(), price);
    }
    panic!("nobody without a currency and with a card");
}

#[tokio::test]
async fn a_file_is_validated_started_and_scheduled_in_minutes_and_goes_live_on_its_day() {
    let at = Place::new().await;
    let old_id = [("metadata.old_Stripe_sub_id", "sub_old"), ("quantity", "3")];
    let uploaded = at
        .running
        .upload("subscriptions-1.csv", at.file(&old_id).as_bytes())
        .unwrap();
    assert_eq!(
        (uploaded.status, uploaded.file.as_str()),
        ("validating", "subscriptions-1.csv")
    );
    at.pass(119);
    assert_eq!(at.migration().status, "validating");
    assert!(
        at.running.start_migration(&uploaded.id).is_err(),
        "not validated yet"
    );
    at.pass(1);
    let shown = at.migration();
    assert_eq!(
        (shown.status, shown.subscriptions, shown.customers),
        ("validated", 1, 1)
    );
    assert_eq!(shown.first_go_live, Some(at.now + 30 * DAY));
    at.running.start_migration(&uploaded.id).unwrap();
    assert!(at.running.start_migration(&uploaded.id).is_err(), "once");
    assert_eq!(at.migration().status, "in_progress");
    assert_eq!(at.schedules().await, Vec::<Value>::new());
    at.pass(120);
    let shown = at.migration();
    assert_eq!(
        (shown.status, shown.subscriptions, shown.failed),
        ("scheduled", 1, 0)
    );
    let until = shown.cancellable_until.unwrap() - shown.scheduled_at.unwrap();
    assert_eq!(until, 10 * 3_600);
    let [schedule] = at.schedules().await.try_into().unwrap();
    assert_eq!(schedule["status"], "not_started");
    assert_eq!(schedule["metadata"]["old_Stripe_sub_id"], "sub_old");
    let phase = &schedule["phases"][0];
    assert_eq!(phase["metadata"]["old_Stripe_sub_id"], "sub_old");
    assert_eq!(phase["start_date"], at.now + 30 * DAY);
    assert_eq!(phase["items"][0]["quantity"], 3);
    at.pass(31 * DAY);
    let live = at.new.get("/v1/subscriptions").await.json();
    let [live] = live["data"].as_array().unwrap().as_slice() else {
        panic!("{live}")
    };
    assert_eq!(live["metadata"]["old_Stripe_sub_id"], "sub_old");
    assert_eq!(
        (&live["status"], &live["start_date"]),
        (&"active".into(), &(at.now + 30 * DAY).into())
    );
}

#[tokio::test]
async fn what_the_account_has_against_a_row_comes_back_in_an_error_file() {
    let at = Place::new().await;
    let soon = (at.now + DAY - 1).to_string();
    let cases: [(&[(&str, &str)], &str); 10] = [
        (&[("customer", "cus_none")], "No such customer: 'cus_none'"),
        (&[("price", "price_of_the_old_account")], "No such price"),
        (&[("coupon", "NONE")], "No such coupon: 'NONE'"),
        (&[("default_tax_rate", "txr_none")], "No such tax rate"),
        (&[("automatic_tax", "true")], "Has no address or postal code"),
        (&[("currency", "aud")], "Has no amount in aud"),
        (&[("start_date", &soon)], "Incorrect start_date range"),
        (&[("trial_end", "99999999999")], "Invalid date"),
        (
            &[
                ("add_invoice_items.0.amount", "5"),
                ("add_invoice_items.0.product", "none"),
                ("add_invoice_items.0.currency", "usd"),
            ],
            "No such product: 'none'",
        ),
        (&[("price", "")], "Missing required field"),
    ];
    for (cells, says) in cases {
        let file = at.file(cells);
        let failed = at.validated(&file);
        assert_eq!((failed.status, failed.failed), ("failed", 1), "{says}");
        let errors = String::from_utf8(at.running.migration_errors(&failed.id).unwrap()).unwrap();
        let (header, row) = errors.split_once('\n').unwrap();
        let (given_header, given) = file.split_once('\n').unwrap();
        assert_eq!(header, format!("{given_header},processing_error"));
        assert!(row.starts_with(given.trim_end()), "{row}");
        assert!(row.contains(says), "{says}: {row}");
        assert!(at.running.start_migration(&failed.id).is_err());
    }
    assert_eq!(at.schedules().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_error_file_corrected_is_taken_with_its_extra_column() {
    let at = Place::new().await;
    let failed = at.validated(&at.file(&[("quantity", "many")]));
    let errors = String::from_utf8(at.running.migration_errors(&failed.id).unwrap()).unwrap();
    let corrected = errors.replace(",many,", ",2,");
    assert_eq!(at.validated(&corrected).status, "validated");
}

#[tokio::test]
async fn ten_hours_are_for_cancelling_and_not_a_second_more() {
    let at = Place::new().await;
    for (waits, taken) in [(10 * 3_600, true), (10 * 3_600 + 1, false)] {
        let validated = at.validated(&at.file(&[]));
        at.running.start_migration(&validated.id).unwrap();
        at.pass(120);
        let scheduled = at.migration();
        let made = at.schedules().await.len();
        at.pass(scheduled.cancellable_until.unwrap() - 10 * 3_600 + waits - at.clock.now().secs());
        assert_eq!(at.running.cancel_migration(&validated.id).is_ok(), taken);
        let all = at.schedules().await;
        assert_eq!(all.len(), made);
        let status = if taken { "canceled" } else { "not_started" };
        assert_eq!(all[0]["status"], status);
    }
}

#[tokio::test]
async fn over_http_the_same_and_on_the_new_account_alone() {
    let at = Place::new().await;
    let path = "/_cutover/toolkit/migrations";
    let file = at.file(&[]);
    let old = account(&at.running, Side::Source);
    assert_eq!(old.post(path, &file, None).await.status, Some(404));
    let uploaded = at
        .new
        .post(&format!("{path}?name=a%20b.csv"), &file, None)
        .await
        .json();
    assert_eq!(
        (&uploaded["file"], &uploaded["status"]),
        (&"a b.csv".into(), &"validating".into())
    );
    let id = uploaded["id"].as_str().unwrap();
    at.pass(120);
    assert_eq!(
        at.new.get(&format!("{path}/{id}")).await.json()["status"],
        "validated"
    );
    let started = at.new.post(&format!("{path}/{id}/start"), "", None).await;
    assert_eq!(
        (started.status, &started.json()["status"]),
        (Some(200), &"in_progress".into())
    );
    assert_eq!(at.new.get(&format!("{path}/{id}/errors")).await.status, Some(404));
    at.pass(120);
    let listed = at.new.get(path).await.json();
    assert_eq!(listed["data"][0]["status"], "scheduled");
    let cancelled = at.new.post(&format!("{path}/{id}/cancel"), "", None).await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["status"]),
        (Some(200), &"canceled".into())
    );
    let twice = at.new.post(&format!("{path}/{id}/cancel"), "", None).await;
    assert_eq!(twice.status, Some(400));
}

#[tokio::test]
async fn migrations_and_their_schedules_are_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = options("small");
    first.world_log = Some(dir.path().join("world.log"));
    let again = first.clone();
    let at = Place::of(first).await;
    let broken = at.validated("no header at all\n\u{0}\n");
    assert_eq!(broken.status, "failed");
    let one = at.validated(&at.file(&[("metadata.k", "v")]));
    at.running.start_migration(&one.id).unwrap();
    at.pass(200);
    at.validated(&at.file(&[]));
    let (migrations, schedules) = (at.running.migrations(), at.schedules().await);
    assert_eq!((migrations.len(), schedules.len()), (3, 1));
    at.running.stop().await;
    let running = Simulator::start(again).await.unwrap();
    assert_eq!(running.migrations(), migrations);
    let new = account(&running, Side::Destination);
    let found = new.get("/v1/subscription_schedules").await.json();
    assert_eq!(found["data"].as_array().unwrap(), &schedules);
}

#[tokio::test]
async fn ad_hoc_items_and_add_ons_are_billed_with_the_first_invoice() {
    let at = Place::new().await;
    let file = at.file(&[
        ("price", ""),
        ("adhoc_items.0.amount", "19.99"),
        ("adhoc_items.0.product", "p"),
        ("adhoc_items.0.interval", "month"),
        ("adhoc_items.0.currency", "usd"),
        ("adhoc_items.0.quantity", "2"),
        ("add_invoice_items.0.amount", "5"),
        ("add_invoice_items.0.product", "p"),
        ("add_invoice_items.0.currency", "usd"),
    ]);
    let validated = at.validated(&file);
    assert_eq!(validated.status, "validated", "{validated:?}");
    at.running.start_migration(&validated.id).unwrap();
    at.pass(31 * DAY);
    let invoices = at.new.get("/v1/invoices").await.json();
    let [first] = invoices["data"].as_array().unwrap().as_slice() else {
        panic!("{invoices}")
    };
    assert_eq!(
        (&first["total"], &first["billing_reason"]),
        (&4498.into(), &"subscription_create".into())
    );
}

#[tokio::test]
async fn a_row_whose_customer_left_after_the_validation_gets_no_schedule() {
    let at = Place::new().await;
    let validated = at.validated(&at.file(&[]));
    at.running.start_migration(&validated.id).unwrap();
    let path = format!("/v1/customers/{}", at.customer);
    assert_eq!(at.new.send("DELETE", &path, "", &[]).await.status, Some(200));
    at.pass(120);
    let shown = at.migration();
    assert_eq!(
        (shown.status, shown.subscriptions, shown.failed),
        ("scheduled", 0, 1)
    );
    assert!(shown.message.unwrap().contains("No such customer"));
}

#[tokio::test]
async fn forty_thousand_rows_take_longer_and_are_all_scheduled() {
    let at = Place::new().await;
    let one = at.file(&[]);
    let (header, row) = one.split_once('\n').unwrap();
    let file = format!("{header}\n{}", row.repeat(40_000));
    at.running.upload("subscriptions-2.csv", file.as_bytes()).unwrap();
    at.pass(359);
    assert_eq!(at.migration().status, "validating");
    at.pass(1);
    let validated = at.migration();
    assert_eq!(
        (validated.status, validated.subscriptions, validated.customers),
        ("validated", 40_000, 1)
    );
    at.running.start_migration(&validated.id).unwrap();
    at.pass(360);
    assert_eq!(
        (at.migration().status, at.migration().subscriptions),
        ("scheduled", 40_000)
    );
}
