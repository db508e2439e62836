//! Running discounts carried on by hand, rightly and wrongly, and what the verdict says of it.

use std::collections::BTreeSet;

use cutover::rehearsal::{CarryClaim, Claims, PoolClaims, rule};

use crate::client::Account;
use crate::moved_by_hand::{NONE, night, only};
use crate::pools::make;

/// The running discount of a subscription, or of a customer.
async fn discount(old: &Account, subscription: &str) -> String {
    let path = format!("/v1/subscriptions/{subscription}");
    let shown = old.get(&path).await.json();
    let own = shown["discounts"][0].as_str().map(str::to_owned);
    let of_item = || {
        shown["items"]["data"][1]["discounts"][0]
            .as_str()
            .map(str::to_owned)
    };
    own.or_else(of_item).unwrap_or_else(|| panic!("{shown}"))
}

#[tokio::test]
async fn a_running_discount_reaches_as_many_bills_as_it_did() {
    for (subscription, form, until, right) in [
        (
            "sub_month_end",
            "duration=repeating&duration_in_months=2",
            None,
            true,
        ),
        (
            "sub_month_end",
            "duration=repeating&duration_in_months=3",
            None,
            false,
        ),
        (
            "sub_one_left",
            "duration=repeating&duration_in_months=1",
            None,
            true,
        ),
        (
            "sub_one_left",
            "duration=repeating&duration_in_months=2",
            None,
            false,
        ),
        ("sub_once", "duration=once", None, true),
        ("sub_once", "duration=forever", None, false),
        ("sub_forever", "duration=forever", None, true),
        (
            "sub_forever",
            "duration=repeating&duration_in_months=60",
            None,
            false,
        ),
        ("sub_weekly", "duration=forever", Some(1_771_912_800), true),
        (
            "sub_weekly",
            "duration=repeating&duration_in_months=1",
            None,
            false,
        ),
        (
            "sub_yearly",
            "duration=repeating&duration_in_months=1",
            None,
            true,
        ),
        ("sub_trial", "duration=repeating&duration_in_months=3", None, true),
        (
            "sub_trial",
            "duration=repeating&duration_in_months=2",
            None,
            false,
        ),
        ("sub_of_deleted", "duration=forever", None, true),
    ] {
        let night = night().await;
        let discount = discount(&night.old, subscription).await;
        let coupon = format!("carry_{discount}");
        let form =
            format!("id={coupon}&percent_off=20&max_redemptions=1&metadata[cutover_of]={discount}&{form}");
        make(&night.new, "/v1/coupons", &form).await;
        let said = PoolClaims {
            discounts: vec![CarryClaim {
                discount,
                subscription: subscription.to_owned(),
                coupon,
                until,
                backdated: false,
            }],
            ..PoolClaims::default()
        };
        let expected = if right {
            BTreeSet::new()
        } else {
            only(rule::CARRY_LENGTH)
        };
        assert_eq!(night.rules(said).await, expected, "{form}");
    }
}

#[tokio::test]
async fn a_carried_discount_has_one_coupon_for_one_use_and_the_same_terms() {
    let night = night().await;
    let discount = discount(&night.old, "sub_forever").await;
    let form =
        |id: &str, terms: &str| format!("id={id}&duration=forever&metadata[cutover_of]={discount}&{terms}");
    make(
        &night.new,
        "/v1/coupons",
        &form("c1", "percent_off=20&max_redemptions=1"),
    )
    .await;
    assert_eq!(night.rules(PoolClaims::default()).await, NONE.into());
    make(
        &night.new,
        "/v1/coupons",
        &form("c2", "percent_off=20&max_redemptions=1"),
    )
    .await;
    assert_eq!(night.rules(PoolClaims::default()).await, only(rule::MADE_TWICE));
    for (id, terms) in [
        ("c3", "percent_off=20"),
        ("c4", "percent_off=30&max_redemptions=1"),
    ] {
        make(&night.new, "/v1/coupons", &form(id, terms)).await;
    }
    let found = night.running.verdict(&Claims::default()).await.violations;
    let wider: Vec<_> = found
        .iter()
        .filter(|v| v.rule == rule::WIDER)
        .map(|v| &*v.customer)
        .collect();
    assert_eq!(wider, ["c3", "c4"]);
    make(&night.new, "/v1/coupons", "id=c5&percent_off=20").await;
    let found = night.running.verdict(&Claims::default()).await.violations;
    assert!(
        found.iter().any(|v| v.customer == "c5" && v.rule == rule::WIDER),
        "of nothing"
    );
}
