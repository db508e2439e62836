//! Coupons moved by hand over HTTP, rightly and wrongly, and what the verdict says of it.

use std::collections::{BTreeMap, BTreeSet};

use cutover::rehearsal::{Claims, PoolClaims, Running, Scenario, rule};
use serde_json::Value;

use crate::client::{Account, all, options, start};
use crate::pools::{code_of, make};

const CODES: &str = "/v1/promotion_codes";

/// The world of `coupons`, and its codes by their text.
pub(crate) struct Night {
    pub(crate) running: Running,
    pub(crate) old: Account,
    pub(crate) new: Account,
    codes: BTreeMap<String, Value>,
}

pub(crate) async fn night() -> Night {
    begin(options("coupons")).await
}

async fn begin(options: cutover::rehearsal::Options) -> Night {
    let (running, old, new) = start(options).await;
    let listed = all(&old, CODES, "?").await;
    let codes = listed
        .into_iter()
        .map(|c| (c["code"].as_str().unwrap().to_owned(), c));
    Night {
        codes: codes.collect(),
        running,
        old,
        new,
    }
}

impl Night {
    fn id(&self, text: &str) -> String {
        self.codes[text]["id"].as_str().unwrap().to_owned()
    }

    async fn switch(&self, text: &str, on: bool) {
        make(
            &self.old,
            &format!("{CODES}/{}", self.id(text)),
            &format!("active={on}"),
        )
        .await;
    }

    /// Makes the coupon; `form` is everything but its id and marker.
    async fn coupon(&self, id: &str, form: &str) -> Value {
        let form = format!("id={id}&metadata[cutover_of]={id}&{form}");
        make(&self.new, "/v1/coupons", &form).await
    }

    /// Makes the code that stands for that of `text`; `form`: what is not its coupon, text, customer and marker.
    async fn code(&self, coupon: &str, text: &str, form: &str) -> String {
        let old = &self.codes[text];
        let customer = old["customer"].as_str().map(|id| format!("&customer={id}"));
        let form = format!(
            "{}&code={text}{}&metadata[cutover_of]={}&{form}",
            code_of(coupon),
            customer.unwrap_or_default(),
            self.id(text),
        );
        make(&self.new, CODES, &form).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn redeem(&self, account: &Account, form: &str) {
        let answer = account.post("/_cutover/redeem", form, None).await;
        assert_eq!(answer.status, Some(200), "{form}: {}", answer.json());
    }

    /// A run that says it did these codes and decided about these coupons or codes.
    fn said(&self, done: &[&str], decided: &[&str]) -> PoolClaims {
        PoolClaims {
            codes: done.iter().map(|text| self.id(text)).collect(),
            decided: decided.iter().map(ToString::to_string).collect(),
            ..PoolClaims::default()
        }
    }

    pub(crate) async fn rules(&self, pools: PoolClaims) -> BTreeSet<&'static str> {
        let claims = Claims {
            pools: Some(pools),
            ..Claims::default()
        };
        let found = self.running.verdict(&claims).await.violations;
        found.iter().map(|v| v.rule).collect()
    }

    async fn left(&self, coupon: &str) -> i64 {
        let coupon = self.old.get(&format!("/v1/coupons/{coupon}")).await.json();
        coupon["max_redemptions"].as_i64().unwrap() - coupon["times_redeemed"].as_i64().unwrap()
    }
}

pub(crate) const NONE: [&str; 0] = [];

pub(crate) fn only(rule: &'static str) -> BTreeSet<&'static str> {
    BTreeSet::from([rule])
}

#[tokio::test]
async fn a_world_nobody_touched_breaks_no_rule() {
    let night = night().await;
    assert_eq!(night.rules(PoolClaims::default()).await, NONE.into());
}

#[tokio::test]
async fn closing_reading_and_creating_breaks_no_rule_whoever_redeems_meanwhile() {
    let night = night().await;
    night.redeem(&night.old, "code=B-OF-POOL&customer=cus_ben").await;
    night.switch("A-OF-POOL", false).await;
    night.redeem(&night.old, "coupon=POOL&customer=cus_sven").await;
    night.switch("B-OF-POOL", false).await;
    let left = night.left("POOL").await;
    assert_eq!(left, 1);
    night
        .coupon("POOL", &format!("percent_off=20&max_redemptions={left}"))
        .await;
    night.code("POOL", "A-OF-POOL", "max_redemptions=1").await;
    night.redeem(&night.new, "code=a-of-pool&customer=cus_ada").await;
    night.code("POOL", "B-OF-POOL", "").await;
    let done = night.said(&["A-OF-POOL", "B-OF-POOL"], &[]);
    assert_eq!(night.rules(done).await, NONE.into());
}

#[tokio::test]
async fn a_use_of_the_old_coupon_after_its_last_code_was_closed_is_not_laid_to_the_run() {
    let night = night().await;
    for text in ["A-OF-POOL", "B-OF-POOL"] {
        night.switch(text, false).await;
    }
    night.coupon("POOL", "percent_off=20&max_redemptions=3").await;
    night.redeem(&night.old, "coupon=POOL&customer=cus_sven").await;
    night.code("POOL", "B-OF-POOL", "").await;
    assert_eq!(night.rules(night.said(&["B-OF-POOL"], &[])).await, NONE.into());
}

#[tokio::test]
async fn a_full_allowance_again_is_a_violation_and_so_is_a_stale_one() {
    let night = night().await;
    for text in ["A-OF-POOL", "B-OF-POOL"] {
        night.switch(text, false).await;
    }
    night.coupon("POOL", "percent_off=20&max_redemptions=10").await;
    assert_eq!(night.rules(PoolClaims::default()).await, only(rule::REDEEMABLE));
    // What was left when planned, although one was used since.
    let left = night.left("ON-COUPON").await;
    night.redeem(&night.old, "code=ONCOUPON&customer=cus_ada").await;
    night.switch("ONCOUPON", false).await;
    night
        .coupon("ON-COUPON", &format!("percent_off=20&max_redemptions={left}"))
        .await;
    let found = night.running.verdict(&Claims::default()).await.violations;
    let of: Vec<_> = found.iter().map(|v| (&*v.customer, v.rule)).collect();
    assert!(of.contains(&("ON-COUPON", rule::REDEEMABLE)), "{found:?}");
}

#[tokio::test]
async fn a_code_that_gets_its_whole_limit_again_is_a_violation() {
    let night = night().await;
    night.switch("ONCODE", false).await;
    night.coupon("ON-CODE", "percent_off=20").await;
    night.code("ON-CODE", "ONCODE", "max_redemptions=4").await;
    assert_eq!(
        night.rules(night.said(&["ONCODE"], &[])).await,
        only(rule::REDEEMABLE)
    );
}

#[tokio::test]
async fn a_code_that_is_made_before_the_old_one_is_closed_is_on_both_accounts() {
    let night = night().await;
    night.coupon("NO-LIMIT", "percent_off=20").await;
    night.code("NO-LIMIT", "NOLIMIT", "").await;
    night.switch("NOLIMIT", false).await;
    let found = night.rules(night.said(&["NOLIMIT"], &[])).await;
    assert_eq!(
        found,
        only(rule::CODE_ON_BOTH),
        "closing it afterwards is too late"
    );
}

#[tokio::test]
async fn a_code_without_a_limit_may_be_kept_on_both_when_a_person_says_so() {
    let night = night().await;
    night.coupon("FOR-ALL-FREE", "percent_off=20").await;
    night.code("FOR-ALL-FREE", "FORALLFREE", "").await;
    let decided = night.said(&["FORALLFREE"], &["FOR-ALL-FREE"]);
    assert_eq!(night.rules(decided).await, NONE.into());
    assert_eq!(night.rules(PoolClaims::default()).await, only(rule::CODE_ON_BOTH));
}

#[tokio::test]
async fn other_terms_are_a_violation_each() {
    for (coupon, text, of_coupon, of_code) in [
        ("ON-CODE", "ONCODE", "percent_off=25", "max_redemptions=3"),
        (
            "ON-CODE",
            "ONCODE",
            "percent_off=20&duration=forever",
            "max_redemptions=3",
        ),
        (
            "FOR-GOLD",
            "GOLD",
            "percent_off=20&duration=repeating&duration_in_months=3&max_redemptions=6",
            "max_redemptions=2",
        ),
        (
            "ENDS-TONIGHT",
            "TONIGHT",
            "percent_off=20&max_redemptions=8",
            "max_redemptions=3",
        ),
        (
            "FIRST-TIME",
            "FIRST",
            "percent_off=12.5&redeem_by=1801440000",
            "max_redemptions=1",
        ),
        (
            "FIRST-TIME",
            "FIRST",
            "percent_off=12.5",
            "max_redemptions=1&restrictions[first_time_transaction]=true",
        ),
        (
            "ON-CODE",
            "ONCODE",
            "percent_off=20&max_redemptions=3",
            "max_redemptions=3",
        ),
    ] {
        let night = night().await;
        night.switch(text, false).await;
        night.coupon(coupon, of_coupon).await;
        night.code(coupon, text, of_code).await;
        let found = night.rules(night.said(&[text], &[])).await;
        assert_eq!(found, only(rule::WIDER), "{coupon} {of_coupon} {of_code}");
    }
}

#[tokio::test]
async fn equal_terms_under_the_map_are_none() {
    let night = night().await;
    make(
        &night.new,
        "/v1/products",
        "name=Gold&metadata[cutover_of]=gold&id=gold-here",
    )
    .await;
    for (coupon, text, of_coupon, of_code) in [
        (
            "FOR-GOLD",
            "GOLD",
            "percent_off=20&duration=repeating&duration_in_months=3&max_redemptions=6&applies_to[products][]=gold-here",
            "max_redemptions=2",
        ),
        (
            "ENDS-TONIGHT",
            "TONIGHT",
            "percent_off=20&max_redemptions=8",
            "max_redemptions=3&expires_at=1771048800",
        ),
        (
            "FIRST-TIME",
            "FIRST",
            "percent_off=12.50&redeem_by=1801440000",
            "max_redemptions=1&restrictions[first_time_transaction]=true",
        ),
        (
            "AMOUNT",
            "AMOUNT",
            "amount_off=1000&currency=usd&currency_options[aud][amount_off]=1500&currency_options[jpy][amount_off]=1400\
             &max_redemptions=6&duration=forever",
            "restrictions[minimum_amount]=3000&restrictions[minimum_amount_currency]=usd\
             &restrictions[currency_options][aud][minimum_amount]=4500\
             &restrictions[currency_options][jpy][minimum_amount]=4000",
        ),
    ] {
        night.switch(text, false).await;
        night.coupon(coupon, of_coupon).await;
        night.code(coupon, text, of_code).await;
    }
    let done = night.said(&["GOLD", "TONIGHT", "FIRST", "AMOUNT"], &[]);
    assert_eq!(night.rules(done).await, NONE.into());
}

#[tokio::test]
async fn a_code_for_another_customer_is_wider() {
    let night = night().await;
    night.switch("ONEUSE", false).await;
    night.coupon("ONE-USE", "percent_off=20&max_redemptions=1").await;
    let of = night.id("ONEUSE");
    let form = format!(
        "{}&code=ONEUSE&max_redemptions=1&metadata[cutover_of]={of}",
        code_of("ONE-USE")
    );
    make(&night.new, CODES, &form).await;
    let found = night.rules(PoolClaims::default()).await;
    assert!(found.contains(rule::WIDER), "{found:?}");
}

#[tokio::test]
async fn a_stayers_code_is_nobodys_to_write_to_and_an_open_one_a_persons_to_decide() {
    let night = night().await;
    night.switch("FORALL", false).await;
    assert_eq!(night.rules(PoolClaims::default()).await, only(rule::STAYERS_CODE));
    assert_eq!(night.rules(night.said(&[], &["FOR-ALL"])).await, NONE.into());
    assert_eq!(night.running.verdict(&Claims::default()).await.violations, []);
    night.switch("STAYS", false).await;
    let found = night.rules(night.said(&[], &["FOR-ALL", "STAYS"])).await;
    assert_eq!(found, BTreeSet::from([rule::STAYERS_CODE, rule::STAYER]));
}

#[tokio::test]
async fn a_split_may_give_out_what_there_was_and_not_one_more() {
    for (stays, extra) in [(2, 0), (3, 1)] {
        let night = night().await;
        night.switch("FORALL", false).await;
        let smaller = format!("{}&code=FORALL&max_redemptions={stays}", code_of("FOR-ALL"));
        make(&night.old, CODES, &smaller).await;
        night.coupon("FOR-ALL", "percent_off=20").await;
        night.code("FOR-ALL", "FORALL", "max_redemptions=4").await;
        let found = night.rules(night.said(&["FORALL"], &["FOR-ALL"])).await;
        let expected = if extra > 0 {
            only(rule::REDEEMABLE)
        } else {
            BTreeSet::new()
        };
        assert_eq!(found, expected, "{stays}");
    }
}

#[tokio::test]
async fn uses_a_person_gives_are_measured_against_what_was_given() {
    let night = night().await;
    night.coupon("USED-UP", "percent_off=20&max_redemptions=2").await;
    night.code("USED-UP", "USEDUP", "").await;
    let mut said = night.said(&["USEDUP"], &["USED-UP"]);
    assert_eq!(night.rules(said.clone()).await, only(rule::REDEEMABLE));
    said.left.insert("USED-UP".to_owned(), 2);
    assert_eq!(night.rules(said.clone()).await, NONE.into());
    said.left.insert("USED-UP".to_owned(), 1);
    assert_eq!(night.rules(said).await, only(rule::REDEEMABLE));
}

#[tokio::test]
async fn a_code_that_is_closed_and_done_without_a_new_one_is_lost() {
    let night = night().await;
    night.switch("ONCODE", false).await;
    let said = night.said(&["ONCODE"], &[]);
    assert_eq!(night.rules(said.clone()).await, only(rule::LOST));
    assert_eq!(
        night.rules(PoolClaims::default()).await,
        NONE.into(),
        "it may still go on"
    );
    night.coupon("ON-CODE", "percent_off=20").await;
    night.code("ON-CODE", "ONCODE", "max_redemptions=3").await;
    assert_eq!(night.rules(said).await, NONE.into());
}

#[tokio::test]
async fn a_coupon_said_to_be_there_is_there() {
    let night = night().await;
    let said = PoolClaims {
        coupons: ["NO-LIMIT".to_owned()].into(),
        ..PoolClaims::default()
    };
    assert_eq!(night.rules(said.clone()).await, only(rule::LOST));
    night.coupon("NO-LIMIT", "percent_off=20").await;
    assert_eq!(night.rules(said).await, NONE.into());
}

#[tokio::test]
async fn two_new_codes_of_one_old_code_are_one_too_many_unless_the_first_is_off() {
    let night = night().await;
    night.switch("NOLIMIT", false).await;
    night.coupon("NO-LIMIT", "percent_off=20").await;
    let first = night.code("NO-LIMIT", "NOLIMIT", "").await;
    make(&night.new, &format!("{CODES}/{first}"), "active=false").await;
    night.code("NO-LIMIT", "NOLIMIT", "").await;
    assert_eq!(night.rules(night.said(&["NOLIMIT"], &[])).await, NONE.into());
    let of = night.id("NOLIMIT");
    let form = format!(
        "{}&code=OTHER&customer=cus_ben&metadata[cutover_of]={of}",
        code_of("NO-LIMIT")
    );
    make(&night.new, CODES, &form).await;
    let found = night.rules(PoolClaims::default()).await;
    assert!(found.contains(rule::MADE_TWICE), "{found:?}");
}

#[tokio::test]
async fn undone_in_the_right_order_breaks_no_rule_and_opened_too_early_does() {
    for right in [true, false] {
        let night = night().await;
        night.switch("ONCODE", false).await;
        night.coupon("ON-CODE", "percent_off=20").await;
        let new = night.code("ON-CODE", "ONCODE", "max_redemptions=3").await;
        if right {
            make(&night.new, &format!("{CODES}/{new}"), "active=false").await;
            night.new.send("DELETE", "/v1/coupons/ON-CODE", "", &[]).await;
        }
        night.switch("ONCODE", true).await;
        let found = night.rules(PoolClaims::default()).await;
        let wrong = BTreeSet::from([rule::CODE_ON_BOTH, rule::REDEEMABLE]);
        assert_eq!(found, if right { BTreeSet::new() } else { wrong });
    }
}

/// Moves the pools of movers alone by hand while others redeem before every other request.
#[tokio::test]
async fn a_careful_move_among_a_crowd_breaks_no_rule_and_a_careless_one_does() {
    for (careful, seed) in [(true, 1), (true, 2), (true, 3), (false, 1)] {
        let text = include_str!("../../assets/scenarios/coupons.toml");
        let crowd = "\n[behaviour]\nredemptions_per_1000_requests = 400\ndirect_redemptions_per_1000_requests = 200\n";
        let mut options = options("coupons");
        options.seed = seed;
        options.scenario =
            Scenario::parse(&format!("{text}{crowd}"), std::path::Path::new("x.toml")).unwrap();
        let night = begin(options).await;
        let pools = [
            ("POOL", vec!["A-OF-POOL", "B-OF-POOL"]),
            ("ON-COUPON", vec!["ONCOUPON"]),
            ("SPLIT", vec!["SPLIT-1", "SPLIT-2"]),
            ("CODE-TIGHTER", vec!["TIGHTER"]),
        ];
        let mut planned = BTreeMap::new();
        for (coupon, _) in &pools {
            planned.insert(*coupon, night.left(coupon).await);
        }
        for _ in 0..80 {
            night.old.get("/v1/account").await;
        }
        for (coupon, texts) in pools {
            move_pool(&night, coupon, &texts, (!careful).then(|| planned[coupon])).await;
        }
        let found = night.rules(PoolClaims::default()).await;
        let expected = if careful {
            BTreeSet::new()
        } else {
            only(rule::REDEEMABLE)
        };
        assert_eq!(found, expected, "seed {seed}");
    }
}

/// Closes, reads and creates; whoever relies on what was `planned` does not read.
async fn move_pool(night: &Night, coupon: &str, texts: &[&str], planned: Option<i64>) {
    for text in texts {
        night.switch(text, false).await;
    }
    let left = match planned {
        Some(left) => left,
        None => night.left(coupon).await,
    };
    if left < 1 {
        return;
    }
    let form = format!("percent_off=20&max_redemptions={left}");
    night.coupon(coupon, &form).await;
    for text in texts {
        let path = format!("{CODES}/{}", night.id(text));
        let old = night.old.get(&path).await.json();
        let used = old["times_redeemed"].as_i64().unwrap();
        let own = old["max_redemptions"].as_i64().map(|max| max - used);
        if own.is_none_or(|own| own > 0) {
            let limit = own.map(|own| format!("max_redemptions={}", own.min(left)));
            night.code(coupon, text, &limit.unwrap_or_default()).await;
        }
    }
}
