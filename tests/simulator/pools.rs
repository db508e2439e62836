//! Coupons and promotion codes: what is made, what is shown, what is refused.

use serde_json::{Value, json};

use crate::client::{Account, all, options, start, with_faults};

async fn empty() -> (cutover::rehearsal::Running, Account, Account) {
    let mut options = options("small");
    options.customers = Some(0);
    start(options).await
}

/// What was made, or the test fails with the refusal.
pub(crate) async fn make(account: &Account, path: &str, form: &str) -> Value {
    let made = account.post(path, form, None).await;
    assert_eq!(made.status, Some(200), "{path} {form}: {}", made.json());
    made.json()
}

/// A code's form without its text.
pub(crate) fn code_of(coupon: &str) -> String {
    format!("promotion[type]=coupon&promotion[coupon]={coupon}")
}

#[tokio::test]
async fn a_coupon_hides_what_it_is_limited_to_until_it_is_asked() {
    let (_running, old, _) = empty().await;
    make(&old, "/v1/products", "id=maths&name=Maths").await;
    let form = "id=SPRING&amount_off=500&currency=usd&currency_options[aud][amount_off]=700&duration=repeating&\
                duration_in_months=3&max_redemptions=10&applies_to[products][]=maths&name=Spring&metadata[a]=b";
    let coupon = make(&old, "/v1/coupons", form).await;
    let want = json!({
        "id": "SPRING", "object": "coupon", "amount_off": 500, "percent_off": null, "currency": "usd",
        "duration": "repeating", "duration_in_months": 3, "max_redemptions": 10, "redeem_by": null,
        "times_redeemed": 0, "valid": true, "name": "Spring", "metadata": { "a": "b" }, "livemode": false,
        "created": coupon["created"],
    });
    assert_eq!(coupon, want);
    let whole = "expand[]=data.applies_to&expand[]=data.currency_options";
    let listed = all(&old, "/v1/coupons", &format!("?{whole}")).await;
    assert_eq!(listed[0]["applies_to"], json!({ "products": ["maths"] }));
    let options = json!({ "aud": { "amount_off": 700 }, "usd": { "amount_off": 500 } });
    assert_eq!(listed[0]["currency_options"], options);
    let percent = make(&old, "/v1/coupons", "percent_off=12.5&expand[]=applies_to").await;
    assert_eq!(
        (&percent["percent_off"], &percent["duration"]),
        (&json!(12.5), &json!("once"))
    );
    assert!(
        percent.get("applies_to").is_none(),
        "it applies to everything: {percent}"
    );
    assert_eq!(percent["id"].as_str().unwrap().len(), 8);
}

#[tokio::test]
async fn only_the_name_the_metadata_and_further_currencies_of_a_coupon_change() {
    let (_running, old, _) = empty().await;
    let form = "id=C&amount_off=500&currency=usd&currency_options[aud][amount_off]=700";
    make(&old, "/v1/coupons", form).await;
    let change = "name=N&metadata[k]=v&currency_options[eur][amount_off]=400&expand[]=currency_options";
    let changed = make(&old, "/v1/coupons/C", change).await;
    assert_eq!(
        (&changed["name"], &changed["metadata"]["k"]),
        (&json!("N"), &json!("v"))
    );
    assert_eq!(changed["currency_options"].as_object().unwrap().len(), 3);
    let again = old
        .post("/v1/coupons/C", "currency_options[aud][amount_off]=1", None)
        .await;
    assert_eq!(again.status, Some(400), "{}", again.json());
    for form in ["amount_off=1", "max_redemptions=3", "redeem_by=1", "id=D"] {
        let refused = old.post("/v1/coupons/C", form, None).await;
        assert_eq!(refused.error("code"), "parameter_unknown", "{form}");
    }
}

#[tokio::test]
async fn a_coupon_is_refused_in_the_words_of_the_api() {
    let (_running, old, _) = empty().await;
    make(&old, "/v1/coupons", "id=TAKEN&percent_off=1").await;
    let now = old.get("/v1/coupons/TAKEN").await.json()["created"]
        .as_i64()
        .unwrap();
    let past = format!("percent_off=1&redeem_by={}", now - 5);
    let far = format!("percent_off=1&redeem_by={}", now + 5 * 367 * 86_400);
    let past_words = format!(
        "The parameter `redeem_by` expects a unix timestamp representing a date and time in the future. You specified \
         the value `{}` which is in the past.",
        now - 5
    );
    let cases = [
        (
            "id=TAKEN&percent_off=1",
            "Coupon already exists.",
            "resource_already_exists",
            "id",
        ),
        (
            "id=x",
            "Must provide percent_off or amount_off.",
            "",
            "percent_off",
        ),
        (
            "percent_off=1&amount_off=1&currency=usd",
            "Received both percent_off and amount_off parameters. Please pass in only one.",
            "",
            "percent_off",
        ),
        (
            "amount_off=1",
            "You must pass currency when passing amount_off",
            "",
            "currency",
        ),
        (
            "percent_off=1&duration=repeating",
            "The duration_in_months param must be set when creating a coupon with a repeating duration",
            "",
            "duration",
        ),
        (
            "percent_off=1&currency_options[aud][amount_off]=1",
            "You may only specify one of these parameters: currency_options, percent_off.",
            "parameters_exclusive",
            "currency_options",
        ),
        (
            "percent_off=100.01",
            "This value must be less than or equal to 100.",
            "",
            "percent_off",
        ),
        (
            "percent_off=0",
            "This value must be greater than 0.",
            "",
            "percent_off",
        ),
        (
            "percent_off=1&max_redemptions=0",
            "This value must be greater than or equal to 1.",
            "parameter_invalid_integer",
            "max_redemptions",
        ),
        (&past, &past_words, "", "redeem_by"),
        (
            &far,
            "Invalid timestamp: can be no more than five years in the future.",
            "",
            "redeem_by",
        ),
        (
            "percent_off=1&applies_to[products][]=no",
            "No such product: 'no'",
            "resource_missing",
            "applies_to[products][0]",
        ),
    ];
    for (form, message, code, param) in cases {
        let refused = old.post("/v1/coupons", form, None).await;
        let got = [
            refused.error("message"),
            refused.error("code"),
            refused.error("param"),
        ];
        assert_eq!(got, [message, code, param], "{form}");
        assert_eq!(refused.status, Some(400), "{form}");
    }
    let missing = old.get("/v1/coupons/none").await;
    assert_eq!(
        (missing.status, missing.error("message").as_str()),
        (Some(404), "No such coupon: 'none'")
    );
}

#[tokio::test]
async fn a_promotion_code_is_made_found_closed_and_opened() {
    let (_running, old, _) = start(options("small")).await;
    let customer = old.get("/v1/customers").await.json()["data"][0]["id"].clone();
    let customer = customer.as_str().unwrap();
    make(&old, "/v1/coupons", "id=C&percent_off=10&max_redemptions=9").await;
    let form = format!(
        "{}&code=Spring-24&customer={customer}&max_redemptions=4&restrictions[first_time_transaction]=true&\
         restrictions[minimum_amount]=500&restrictions[minimum_amount_currency]=usd&\
         restrictions[currency_options][aud][minimum_amount]=700&metadata[a]=b",
        code_of("C")
    );
    let code = make(&old, "/v1/promotion_codes", &form).await;
    let want = json!({
        "id": code["id"], "object": "promotion_code", "active": true, "code": "Spring-24",
        "created": code["created"], "customer": customer, "customer_account": null, "expires_at": null,
        "livemode": false, "max_redemptions": 4, "metadata": { "a": "b" },
        "promotion": { "coupon": "C", "type": "coupon" }, "times_redeemed": 0,
        "restrictions": {
            "first_time_transaction": true, "minimum_amount": 500, "minimum_amount_currency": "usd",
        },
    });
    assert_eq!(code, want);
    let path = format!("/v1/promotion_codes/{}", code["id"].as_str().unwrap());
    let whole = "expand[]=promotion.coupon&expand[]=restrictions.currency_options&expand[]=customer";
    let shown = old.get(&format!("{path}?{whole}")).await.json();
    assert_eq!(shown["promotion"]["coupon"]["percent_off"], 10.0);
    assert_eq!(shown["customer"]["id"], customer);
    let options = &shown["restrictions"]["currency_options"];
    assert_eq!(options["aud"]["minimum_amount"], 700);
    let drawn = make(&old, "/v1/promotion_codes", &code_of("C")).await;
    let text = drawn["code"].as_str().unwrap();
    assert!(text.len() == 8 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    let closed = make(&old, &path, "active=false&metadata[why]=move").await;
    assert_eq!(
        (&closed["active"], &closed["metadata"]["a"]),
        (&json!(false), &json!("b"))
    );
    let count = async |query: &str| {
        let found = all(&old, "/v1/promotion_codes", query).await;
        found.len()
    };
    let of = format!("?customer={customer}");
    for (query, found) in [
        ("?", 2),
        ("?active=false", 1),
        ("?active=true", 1),
        ("?code=sPRING-24", 1),
        ("?coupon=C", 2),
        ("?coupon=D", 0),
        (&of, 1),
        ("?code=spring", 0),
    ] {
        assert_eq!(count(query).await, found, "{query}");
    }
    assert_eq!(make(&old, &path, "active=true").await["active"], true);
    let events = all(&old, "/v1/events", "?type=promotion_code.updated").await;
    assert_eq!(events[0]["data"]["previous_attributes"]["active"], false);
}

#[tokio::test]
async fn a_promotion_code_is_refused_in_the_words_of_the_api() {
    let (_running, old, _) = empty().await;
    let now = old.get("/v1/account").await.header("date").to_owned();
    let now = chrono::DateTime::parse_from_rfc2822(&now).unwrap().timestamp();
    let by = now + 40 * 86_400;
    make(
        &old,
        "/v1/coupons",
        &format!("id=C&percent_off=10&max_redemptions=9&redeem_by={by}"),
    )
    .await;
    make(
        &old,
        "/v1/promotion_codes",
        &format!("{}&code=TAKEN", code_of("C")),
    )
    .await;
    let late = format!("expires_at={}", by + 1);
    for (more, message, param) in [
        (
            "code=taken",
            "An active promotion code with `code: taken` already exists.",
            "",
        ),
        ("max_redemptions=10", "", "max_redemptions"),
        (&late, "", "expires_at"),
        ("customer=cus_no", "No such customer: 'cus_no'", "customer"),
        ("code=a%20b", "", "code"),
        (
            "restrictions[minimum_amount]=5",
            "",
            "restrictions[minimum_amount_currency]",
        ),
        ("code=b&active=maybe", "Invalid boolean: maybe", "active"),
    ] {
        let form = format!("{}&{more}", code_of("C"));
        let refused = old.post("/v1/promotion_codes", &form, None).await;
        assert_eq!(
            (refused.status, refused.error("param").as_str()),
            (Some(400), param),
            "{more}"
        );
        if !message.is_empty() {
            assert_eq!(refused.error("message"), message);
        }
    }
    for (form, message) in [
        (
            "promotion[type]=coupon",
            "You must pass promotion.coupon when passing promotion",
        ),
        (
            "promotion[type]=coupon&promotion[coupon]=no",
            "No such coupon: 'no'",
        ),
        ("promotion[coupon]=C", "Missing required param: promotion[type]."),
        ("coupon=C", "Received unknown parameter: coupon"),
    ] {
        let refused = old.post("/v1/promotion_codes", form, None).await;
        assert_eq!(refused.error("message"), message, "{form}");
    }
    let missing = old.get("/v1/promotion_codes/promo_no").await;
    assert_eq!(missing.error("message"), "No such promotion code: 'promo_no'");
}

#[tokio::test]
async fn the_same_key_makes_one_coupon_and_a_lie_about_it_is_only_told() {
    let fault = "[[fault]]\nkind = \"wrong_amount\"\nnth = 1\naccount = \"source\"\nmethod = \"POST\"\n";
    let (_running, old, _) = start(with_faults(fault)).await;
    let form = "id=L&amount_off=500&currency=usd&max_redemptions=3";
    let told = old.post("/v1/coupons", form, Some("k")).await.json();
    assert_eq!(
        (&told["amount_off"], &told["max_redemptions"]),
        (&json!(501), &json!(4))
    );
    let again = old.post("/v1/coupons", form, Some("k")).await;
    assert_eq!(
        (again.header("idempotent-replayed"), again.json()),
        ("true", told)
    );
    let truth = old.get("/v1/coupons/L").await.json();
    assert_eq!(
        (&truth["amount_off"], &truth["max_redemptions"]),
        (&json!(500), &json!(3))
    );
}
