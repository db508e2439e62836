use serde_json::json;

use super::super::samples::{code_json, coupon_json, wire};
use super::*;

#[test]
fn everything_a_coupon_is_created_with_is_in_its_terms_and_its_own_currency_once() {
    let coupon = coupon_json(
        "SPRING",
        json!({
            "percent_off": null, "amount_off": 1000, "currency": "usd", "duration": "repeating", "duration_in_months": 3,
            "currency_options": {"usd": {"amount_off": 1000}, "aud": {"amount_off": 1500}}, "name": "Spring",
            "redeem_by": 1_800_000_000, "applies_to": {"products": ["prod_b", "prod_a", "prod_b"]},
            "max_redemptions": 5, "metadata": {"team": "a", "cutover_of": "SPRING"},
        }),
    );
    let fields = of_coupon(&wire(&coupon));
    let pairs: Vec<_> = fields.iter().collect();
    assert_eq!(
        pairs,
        [
            ("name", "Spring"),
            ("amount_off", "1000"),
            ("currency", "usd"),
            ("currency_options[aud][amount_off]", "1500"),
            ("duration", "repeating"),
            ("duration_in_months", "3"),
            ("redeem_by", "1800000000"),
            ("applies_to[products][0]", "prod_a"),
            ("applies_to[products][1]", "prod_b"),
            ("metadata[team]", "a"),
        ]
    );
}

#[test]
fn a_percentage_keeps_its_digits() {
    for (percent, want) in [
        ("12.50", "12.5"),
        ("33.333333333333336", "33.333333333333336"),
        ("100", "100"),
    ] {
        let text = coupon_json("c", json!({})).to_string();
        let text = text.replace("\"percent_off\":25", &format!("\"percent_off\":{percent}"));
        let coupon: Coupon = serde_json::from_str(&text).unwrap();
        assert_eq!(of_coupon(&coupon).get("percent_off"), Some(want));
    }
}

#[test]
fn a_code_says_its_conditions_only_where_it_has_any() {
    assert_eq!(
        of_code(&wire(&code_json("promo_1", "c", json!({}))))
            .iter()
            .count(),
        0
    );
    let code = code_json(
        "promo_1",
        "c",
        json!({
            "expires_at": 1_800_000_000, "max_redemptions": 3, "customer": "cus_1",
            "restrictions": {
                "first_time_transaction": true, "minimum_amount": 5000, "minimum_amount_currency": "usd",
                "currency_options": {"usd": {"minimum_amount": 5000}, "aud": {"minimum_amount": 7000}},
            },
        }),
    );
    let fields = of_code(&wire(&code));
    let pairs: Vec<_> = fields.iter().collect();
    assert_eq!(
        pairs,
        [
            ("expires_at", "1800000000"),
            ("restrictions[first_time_transaction]", "true"),
            ("restrictions[minimum_amount]", "5000"),
            ("restrictions[minimum_amount_currency]", "usd"),
            ("restrictions[currency_options][aud][minimum_amount]", "7000"),
        ]
    );
}
