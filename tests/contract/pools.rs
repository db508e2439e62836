//! Coupons, promotion codes and discounts of the simulated accounts, held against the table.

use serde_json::{Value, json};

use super::drive::{Account, Pairs, start, start_as};
use super::simulated::{NONE, id};

/// Somebody redeems, by the simulator's own interface, which is no part of the table.
async fn redeem(account: &Account, form: &str) {
    let request = account.http.post(format!("{}/_cutover/redeem", account.url));
    let answer = request.body(form.to_owned()).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{form}");
}

const FULL: Pairs<'_> = &[
    ("id", "SPRING"),
    ("amount_off", "500"),
    ("currency", "usd"),
    ("currency_options[aud][amount_off]", "700"),
    ("duration", "repeating"),
    ("duration_in_months", "3"),
    ("max_redemptions", "9"),
    ("name", "Spring"),
    ("metadata[cutover_of]", "SPRING"),
    ("expand[]", "applies_to"),
    ("expand[]", "currency_options"),
];

const RESTRICTED: Pairs<'_> = &[
    ("promotion[type]", "coupon"),
    ("promotion[coupon]", "SPRING"),
    ("code", "Spring-24"),
    ("max_redemptions", "4"),
    ("restrictions[first_time_transaction]", "false"),
    ("restrictions[minimum_amount]", "100"),
    ("restrictions[minimum_amount_currency]", "usd"),
    ("restrictions[currency_options][aud][minimum_amount]", "150"),
    ("expand[]", "promotion.coupon.currency_options"),
    ("expand[]", "restrictions.currency_options"),
];

#[tokio::test]
async fn coupons_and_codes_are_answered_as_stripe_answers_them() {
    let (_world, mut account, _) = start_as("small", None, 1).await;
    let product = account.all("/v1/products", NONE, "100").await.remove(0);
    let limited = [FULL, &[("applies_to[products][]", id(&product))]].concat();
    let coupon = account.right("POST", "/v1/coupons", &limited).await;
    assert_eq!(coupon["applies_to"]["products"], json!([id(&product)]));
    let percent = [("percent_off", "33.33"), ("duration", "forever")];
    account.right("POST", "/v1/coupons", &percent).await;
    let change = [
        ("name", ""),
        ("metadata", ""),
        ("currency_options[eur][amount_off]", "1"),
    ];
    account.right("POST", "/v1/coupons/SPRING", &change).await;
    account.right("GET", "/v1/coupons/SPRING", NONE).await;
    let whole = [
        ("expand[]", "data.applies_to"),
        ("expand[]", "data.currency_options"),
    ];
    assert_eq!(account.all("/v1/coupons", &whole, "1").await.len(), 2);

    let customer = account.all("/v1/customers", NONE, "100").await.remove(0);
    let theirs = [
        RESTRICTED,
        &[("customer", id(&customer)), ("expand[]", "customer")],
    ]
    .concat();
    let code = account.right("POST", "/v1/promotion_codes", &theirs).await;
    assert_eq!(code["customer"]["id"], customer["id"]);
    let open = [
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", "SPRING"),
        ("code", "X"),
    ];
    account.right("POST", "/v1/promotion_codes", &open).await;
    let path = format!("/v1/promotion_codes/{}", id(&code));
    account
        .right("POST", &path, &[("active", "false"), ("metadata[a]", "b")])
        .await;
    account.right("POST", &path, &[("active", "true")]).await;
    let whole = [
        ("expand[]", "data.promotion.coupon.applies_to"),
        ("expand[]", "data.restrictions.currency_options"),
        ("expand[]", "data.customer"),
    ];
    assert_eq!(account.all("/v1/promotion_codes", &whole, "1").await.len(), 2);
    account.right("GET", &path, NONE).await;
    redeem(&account, &format!("code=X&customer={}", id(&customer))).await;
    read_discounts(&mut account).await;
    account.right("DELETE", "/v1/coupons/SPRING", NONE).await;
    account
        .right("GET", &path, &[("expand[]", "promotion.coupon")])
        .await;
    account.all("/v1/events", NONE, "3").await;
    account.conforms();
}

async fn read_discounts(account: &mut Account) {
    let one = account.all("/v1/subscriptions", NONE, "100").await.remove(0);
    let percent = [("id", "OFF"), ("percent_off", "5"), ("duration", "forever")];
    account.right("POST", "/v1/coupons", &percent).await;
    let customer = one["customer"].as_str().expect("an id").to_owned();
    let who = format!("coupon=OFF&customer={customer}");
    for place in [
        format!("&subscription={}", id(&one)),
        format!("&subscription={}&item=0", id(&one)),
        "&place=customer".to_owned(),
    ] {
        redeem(account, &format!("{who}{place}")).await;
    }
    let whole = [
        ("expand[]", "data.discounts.source.coupon"),
        ("expand[]", "data.items.data.discounts"),
    ];
    account.all("/v1/subscriptions", &whole, "100").await;
    let path = format!("/v1/subscriptions/{}", id(&one));
    for field in [
        "discounts",
        "discounts.customer",
        "discounts.promotion_code",
        "items.data.discounts",
    ] {
        account.right("GET", &path, &[("expand[]", field)]).await;
    }
    account.right("GET", &path, NONE).await;
    let path = format!("/v1/customers/{customer}");
    account.right("GET", &path, NONE).await;
    account
        .right("GET", &path, &[("expand[]", "discount.source.coupon")])
        .await;
    account
        .all(
            "/v1/customers",
            &[("expand[]", "data.discount.source.coupon")],
            "100",
        )
        .await;
    let path = format!("{path}/discount");
    account
        .right("GET", &path, &[("expand[]", "source.coupon")])
        .await;
    account.right("DELETE", &path, NONE).await;
}

#[tokio::test]
async fn what_cannot_be_taken_off_is_refused_in_stripes_shape() {
    let (_world, mut account, _) = start(0).await;
    account.right("POST", "/v1/coupons", FULL).await;
    let code = account.right("POST", "/v1/promotion_codes", RESTRICTED).await;
    let code = format!("/v1/promotion_codes/{}", id(&code));
    let invalid = "invalid_request_error";
    let cases: &[(&str, &str, Pairs<'_>, Value)] = &[
        (
            "POST",
            "/v1/coupons",
            FULL,
            json!([400, invalid, "resource_already_exists", "id"]),
        ),
        (
            "POST",
            "/v1/coupons",
            &[("amount_off", "5")],
            json!([400, invalid, null, "currency"]),
        ),
        (
            "POST",
            "/v1/coupons/SPRING",
            &[("amount_off", "5")],
            json!([400, invalid, "parameter_unknown", "amount_off"]),
        ),
        (
            "POST",
            "/v1/promotion_codes",
            RESTRICTED,
            json!([400, invalid, null, null]),
        ),
        (
            "POST",
            "/v1/promotion_codes",
            &[("code", "X")],
            json!([400, invalid, "parameter_missing", "promotion"]),
        ),
        (
            "POST",
            "/v1/promotion_codes",
            &[("promotion[type]", "coupon"), ("promotion[coupon]", "no")],
            json!([400, invalid, "resource_missing", "promotion[coupon]"]),
        ),
        (
            "POST",
            &code,
            &[("code", "Y")],
            json!([400, invalid, "parameter_unknown", "code"]),
        ),
        ("DELETE", &code, NONE, json!([404, invalid, null, null])),
        (
            "GET",
            "/v1/coupons/no",
            NONE,
            json!([404, invalid, "resource_missing", "coupon"]),
        ),
        (
            "GET",
            "/v1/coupons",
            &[("expand[]", "applies_to")],
            json!([400, invalid, null, "expand"]),
        ),
        (
            "GET",
            "/v1/subscriptions",
            &[("expand[]", "data.discounts.source.coupon.applies_to")],
            json!([400, invalid, "property_expansion_max_depth", "expand"]),
        ),
    ];
    for (method, path, pairs, want) in cases {
        let got = account.wrong(method, path, pairs).await;
        if got != *want {
            account
                .problems
                .push(format!("{method} {path} {pairs:?}: {got}, expected {want}"));
        }
    }
    account.conforms();
}
