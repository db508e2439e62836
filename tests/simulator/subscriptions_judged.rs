//! The judge over subscriptions: each rule in a night where it is broken, and none in one where nothing is.

use std::collections::BTreeMap;

use cutover::clock::Clock;
use cutover::domain::time::UtcMs;
use cutover::rehearsal::{Claims, Running, Stands, SubscriptionClaim, SubscriptionClaims, rule};
use serde_json::Value;

use crate::client::{Account, options, start};

/// 1 March, 06:00: the end of the current period of `sub_plain`.
const MARCH: i64 = 1_772_344_800;
const DAY: i64 = 86_400;

/// The world of one row for each case, and what the new account sells.
struct Night {
    running: Running,
    clock: Clock,
    old: Account,
    new: Account,
    lesson: String,
}

impl Night {
    async fn new() -> Self {
        let options = options("subscriptions");
        let clock = options.clock.clone();
        let (running, old, new) = start(options).await;
        for customer in ["cus_ada", "cus_ben", "cus_carla", "cus_dora"] {
            let methods = new
                .get(&format!("/v1/customers/{customer}/payment_methods"))
                .await
                .json();
            // The oldest is the default of each of them.
            let method = methods["data"].as_array().unwrap().last().unwrap()["id"].clone();
            let method = method.as_str().unwrap();
            let form = format!("invoice_settings[default_payment_method]={method}");
            ok(new.post(&format!("/v1/customers/{customer}"), &form, None).await);
        }
        ok(new.post("/v1/products", "id=lessons&name=Lessons", None).await);
        let form =
            "product=lessons&currency=usd&unit_amount=4500&recurring[interval]=month&tax_behavior=exclusive";
        let lesson = ok(new.post("/v1/prices", form, None).await)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        Self {
            running,
            clock,
            old,
            new,
            lesson,
        }
    }

    /// Makes what goes on with an old subscription.
    async fn schedule(&self, old: &str, customer: &str, start: i64, more: &str) -> Value {
        let form = format!(
            "customer={customer}&start_date={start}&end_behavior=release\
             &phases[0][items][0][price]={}&phases[0][items][0][quantity]=1\
             &phases[0][duration][interval]=month&phases[0][duration][interval_count]=1\
             &phases[0][metadata][old_Stripe_sub_id]={old}&metadata[old_Stripe_sub_id]={old}{more}",
            self.lesson
        );
        ok(self.new.post("/v1/subscription_schedules", &form, None).await)
    }

    async fn write(&self, old: &str, form: &str) -> Value {
        ok(self
            .old
            .post(&format!("/v1/subscriptions/{old}"), form, None)
            .await)
    }

    async fn cancel(&self, old: &str, query: &str) -> Value {
        let path = format!("/v1/subscriptions/{old}");
        ok(self.old.send("DELETE", &path, query, &[]).await)
    }

    fn pass_to(&self, at: i64) {
        self.clock.advance_to(UtcMs::from_secs(at));
    }

    /// The rules broken, each once, in order, when those are said to be handed over.
    async fn broken(&self, handed_over: &[(&str, i64)]) -> Vec<&'static str> {
        let claim = |(id, at): &(&str, i64)| ((*id).to_owned(), SubscriptionClaim::handed_over(*at));
        self.broken_of(handed_over.iter().map(claim).collect()).await
    }

    async fn broken_of(&self, rows: BTreeMap<String, SubscriptionClaim>) -> Vec<&'static str> {
        let subscriptions = SubscriptionClaims {
            rows,
            window_ends: None,
        };
        let claims = Claims {
            subscriptions: Some(subscriptions),
            ..Claims::default()
        };
        let found = self.running.verdict(&claims).await.violations;
        let mut rules: Vec<&'static str> = found.iter().map(|v| v.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        if !rules.is_empty() {
            eprintln!("{found:#?}");
        }
        rules
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an answer is looked at once")]
fn ok(answer: crate::client::Answer) -> Value {
    let value = answer.json();
    assert_eq!(answer.status, Some(200), "{value}");
    value
}

const PLAIN: [(&str, i64); 1] = [("sub_plain", MARCH)];

#[tokio::test]
async fn a_night_in_which_nothing_is_done_is_clean() {
    let night = Night::new().await;
    assert_eq!(night.broken(&[]).await, [""; 0]);
    night.pass_to(MARCH + 60 * DAY);
    assert_eq!(night.broken(&[]).await, [""; 0]);
}

#[tokio::test]
async fn a_subscription_handed_over_at_the_end_of_its_period_is_clean_before_and_after() {
    let night = Night::new().await;
    night.schedule("sub_plain", "cus_ada", MARCH, "").await;
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [""; 0]);
    night.pass_to(MARCH + 100 * DAY);
    assert_eq!(night.broken(&PLAIN).await, [""; 0]);
    let live = night.new.get("/v1/subscriptions?customer=cus_ada").await.json();
    assert_eq!(live["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn within_the_window_it_is_paused_and_cancelled_after_it() {
    let night = Night::new().await;
    let handover = 1_771_156_800;
    night.schedule("sub_in_window", "cus_ben", handover, "").await;
    night
        .write("sub_in_window", "pause_collection[behavior]=keep_as_draft")
        .await;
    let claim = [("sub_in_window", handover)];
    assert_eq!(night.broken(&claim).await, [""; 0]);
    night.pass_to(handover + 3 * DAY);
    night.cancel("sub_in_window", "").await;
    assert_eq!(night.broken(&claim).await, [""; 0]);
}

#[tokio::test]
async fn a_bill_of_the_31st_waits_for_a_month_that_has_one() {
    let night = Night::new().await;
    let handover = 1_774_936_800;
    night.schedule("sub_day_31", "cus_ben", handover, "").await;
    let waits = SubscriptionClaim {
        stands: Stands::Waits,
        ..SubscriptionClaim::handed_over(handover)
    };
    let rows = BTreeMap::from([("sub_day_31".to_owned(), waits)]);
    assert_eq!(night.broken_of(rows).await, [""; 0]);
    night.pass_to(MARCH);
    night.write("sub_day_31", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&[("sub_day_31", handover)]).await, [""; 0]);
    night.pass_to(handover + 90 * DAY);
    assert_eq!(night.broken(&[("sub_day_31", handover)]).await, [""; 0]);
}

#[tokio::test]
async fn a_trial_ends_on_the_old_account_and_is_billed_by_the_new_one() {
    let night = Night::new().await;
    let handover = 1_771_912_800;
    night.schedule("sub_trial", "cus_carla", handover, "").await;
    night.write("sub_trial", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&[("sub_trial", handover)]).await, [""; 0]);
}

#[tokio::test]
async fn totals_are_the_same_to_the_cent_when_it_is_handed_over_and_say_what_is_too_much_when_not() {
    let night = Night::new().await;
    let before = night.running.totals();
    assert!(before["usd"].len() > 12 && before["usd"]["2026-03"].without_us > 0);
    let different = |totals: &cutover::rehearsal::Totals| {
        let months = totals["usd"].values();
        months
            .map(cutover::rehearsal::Billed::difference)
            .collect::<Vec<_>>()
    };
    assert!(different(&before).iter().all(|d| *d == 0));
    night.schedule("sub_plain", "cus_ada", MARCH, "").await;
    assert_eq!(night.running.totals()["usd"]["2026-03"].difference(), 4500);
    night.write("sub_plain", "cancel_at_period_end=true").await;
    let after = night.running.totals();
    assert!(different(&after).iter().all(|d| *d == 0), "{after:#?}");
    assert_eq!(after["usd"]["2026-03"].new, 4500);
}

#[tokio::test]
async fn an_old_one_that_goes_on_is_billed_twice() {
    let night = Night::new().await;
    night.schedule("sub_plain", "cus_ada", MARCH, "").await;
    assert_eq!(night.broken(&PLAIN).await, [rule::DOUBLE_PERIOD]);
    // Nobody says what the run did: nothing has been billed twice yet.
    let unsaid = night.running.verdict(&Claims::default()).await.violations;
    assert_eq!(unsaid, []);
    night.pass_to(MARCH + DAY);
    let unsaid = night.running.verdict(&Claims::default()).await.violations;
    assert_eq!(
        unsaid.iter().map(|v| v.rule).collect::<Vec<_>>(),
        [rule::DOUBLE_PERIOD]
    );
}

#[tokio::test]
async fn a_start_a_month_late_gives_a_month_away() {
    let night = Night::new().await;
    night.schedule("sub_plain", "cus_ada", MARCH + 31 * DAY, "").await;
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [rule::FREE_PERIOD]);
}

#[tokio::test]
async fn a_start_a_day_late_gives_a_day_away_and_bills_on_another() {
    let night = Night::new().await;
    night.schedule("sub_plain", "cus_ada", MARCH + DAY, "").await;
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [rule::FREE_PERIOD, rule::OTHER_DAY]);
}

#[tokio::test]
async fn two_schedules_of_one_are_named_while_both_live() {
    let night = Night::new().await;
    night.schedule("sub_plain", "cus_ada", MARCH, "").await;
    let second = night.schedule("sub_plain", "cus_ada", MARCH, "").await;
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert!(night.broken(&PLAIN).await.contains(&rule::TWO_SCHEDULES));
    let path = format!(
        "/v1/subscription_schedules/{}/cancel",
        second["id"].as_str().unwrap()
    );
    ok(night
        .new
        .post(&path, "invoice_now=false&prorate=false", None)
        .await);
    assert_eq!(night.broken(&PLAIN).await, [""; 0]);
}

#[tokio::test]
async fn another_quantity_is_another_price_until_a_person_accepts_it() {
    let night = Night::new().await;
    night
        .schedule("sub_plain", "cus_ada", MARCH, "&phases[0][items][0][quantity]=2")
        .await;
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [rule::LATER_PRICE, rule::OTHER_PRICE]);
    let accepted = SubscriptionClaim {
        amount_accepted: true,
        ..SubscriptionClaim::handed_over(MARCH)
    };
    let rows = BTreeMap::from([("sub_plain".to_owned(), accepted)]);
    assert_eq!(night.broken_of(rows).await, [""; 0]);
}

#[tokio::test]
async fn a_discount_that_is_left_behind_is_another_price() {
    let night = Night::new().await;
    night.schedule("sub_coupon", "cus_ada", 1_772_863_200, "").await;
    night.write("sub_coupon", "cancel_at_period_end=true").await;
    let claim = [("sub_coupon", 1_772_863_200)];
    assert_eq!(night.broken(&claim).await, [rule::LATER_PRICE, rule::OTHER_PRICE]);
}

#[tokio::test]
async fn a_stayers_subscription_is_nobodys_to_write_to() {
    let night = Night::new().await;
    night.write("sub_stays", "metadata[x]=y").await;
    assert_eq!(night.broken(&[]).await, [rule::STAYER_SUBSCRIPTION, rule::STAYER]);
}

#[tokio::test]
async fn cancelling_within_the_window_while_something_is_open_stops_its_collection() {
    let night = Night::new().await;
    night.cancel("sub_past_due", "").await;
    assert_eq!(night.broken(&[]).await, [rule::CANCELLED_IN_WINDOW]);
    let night = Night::new().await;
    night.pass_to(MARCH);
    night.cancel("sub_past_due", "").await;
    assert_eq!(night.broken(&[]).await, [""; 0]);
}

#[tokio::test]
async fn a_cancellation_that_invoices_is_named() {
    let night = Night::new().await;
    night.cancel("sub_plain", "invoice_now=true&prorate=true").await;
    assert_eq!(night.broken(&[]).await, [rule::CHARGED_BY_CANCEL]);
}

#[tokio::test]
async fn what_is_said_to_be_handed_over_and_goes_on_nowhere_is_lost() {
    let night = Night::new().await;
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [rule::SUBSCRIPTION_LOST]);
}

#[tokio::test]
async fn a_schedule_needs_a_day_before_it_begins() {
    let night = Night::new().await;
    let now = night.clock.now().secs();
    night.schedule("sub_none", "cus_ada", now + DAY - 60, "").await;
    assert_eq!(night.broken(&[]).await, [rule::TOO_SOON]);
}

#[tokio::test]
async fn a_file_for_the_toolkit_hands_over_as_well() {
    let night = Night::new().await;
    let (plain, yearly) = (MARCH, 1_780_293_600);
    let file = format!(
        "customer,start_date,price,quantity,metadata.old_Stripe_sub_id,proration_behavior\n\
         cus_ada,{plain},{price},1,sub_plain,none\n",
        price = night.lesson
    );
    let uploaded = night
        .running
        .upload("subscriptions-1.csv", file.as_bytes())
        .unwrap();
    night.pass_to(night.clock.now().secs() + 130);
    night.running.start_migration(&uploaded.id).unwrap();
    night.pass_to(night.clock.now().secs() + 130);
    let shown = night.running.migrations().remove(0);
    assert_eq!((shown.status, shown.failed), ("scheduled", 0), "{shown:?}");
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [""; 0]);
    night.pass_to(yearly);
    assert_eq!(night.broken(&PLAIN).await, [""; 0]);
}

#[tokio::test]
async fn an_anchor_after_the_start_with_a_backdate_and_no_proration_gives_a_cycle_away() {
    let night = Night::new().await;
    let file = format!(
        "customer,start_date,price,metadata.old_Stripe_sub_id,proration_behavior,backdate_start_date,billing_cycle_anchor\n\
         cus_ada,{MARCH},{price},sub_plain,none,1706767200,{april}\n",
        price = night.lesson,
        april = MARCH + 31 * DAY,
    );
    let uploaded = night
        .running
        .upload("subscriptions-1.csv", file.as_bytes())
        .unwrap();
    night.pass_to(night.clock.now().secs() + 130);
    night.running.start_migration(&uploaded.id).unwrap();
    night.pass_to(night.clock.now().secs() + 130);
    night.write("sub_plain", "cancel_at_period_end=true").await;
    assert_eq!(night.broken(&PLAIN).await, [rule::FREE_PERIOD]);
}
