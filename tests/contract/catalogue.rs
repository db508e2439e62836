//! What the simulated accounts sell: read, written and refused, held against the table.

use serde_json::{Value, json};

use super::drive::{Account, Pairs, start, start_as};
use super::simulated::{NONE, id};

const TIERED: Pairs<'_> = &[
    ("currency", "usd"),
    ("billing_scheme", "tiered"),
    ("tiers_mode", "graduated"),
    ("recurring[interval]", "month"),
    ("tiers[0][up_to]", "5"),
    ("tiers[0][unit_amount_decimal]", "0.5"),
    ("tiers[1][up_to]", "inf"),
    ("tiers[1][flat_amount]", "900"),
    ("currency_options[aud][tiers][0][up_to]", "inf"),
    ("currency_options[aud][tiers][0][unit_amount]", "700"),
    ("expand[]", "tiers"),
    ("expand[]", "currency_options.aud.tiers"),
];

#[tokio::test]
async fn everything_that_is_sold_is_shaped_as_stripe_shapes_it() {
    let (_world, mut old, mut new) = start_as("midnight", Some(200), 1).await;
    for account in [&mut old, &mut new] {
        for product in account.all("/v1/products", NONE, "5").await {
            let path = format!("/v1/products/{}", id(&product));
            let whole = [("expand[]", "default_price.tiers"), ("expand[]", "tax_code")];
            account.right("GET", &path, &whole).await;
        }
        for active in ["true", "false"] {
            read_prices(account, active).await;
        }
        for rate in account.all("/v1/tax_rates", NONE, "3").await {
            account
                .right("GET", &format!("/v1/tax_rates/{}", id(&rate)), NONE)
                .await;
        }
        account.right("GET", "/v1/tax/settings", NONE).await;
        for one in account
            .all("/v1/tax/registrations", &[("status", "all")], "1")
            .await
        {
            let path = format!("/v1/tax/registrations/{}", id(&one));
            account.right("GET", &path, NONE).await;
        }
        for link in account
            .all("/v1/payment_links", &[("expand[]", "data.line_items")], "1")
            .await
        {
            let path = format!("/v1/payment_links/{}", id(&link));
            account.right("GET", &path, NONE).await;
            let whole = [("expand[]", "data.price.product")];
            account.all(&format!("{path}/line_items"), &whole, "1").await;
        }
        read_subscriptions(account).await;
    }
    old.conforms();
    new.conforms();
}

async fn read_prices(account: &mut Account, active: &str) {
    let whole = [
        ("active", active),
        ("expand[]", "data.tiers"),
        ("expand[]", "data.currency_options.aud.tiers"),
        ("expand[]", "data.product"),
    ];
    for price in account.all("/v1/prices", &whole, "7").await {
        let path = format!("/v1/prices/{}", id(&price));
        account.right("GET", &path, NONE).await;
        account
            .right("GET", &path, &[("expand[]", "product.default_price")])
            .await;
    }
}

async fn read_subscriptions(account: &mut Account) {
    let whole = [
        ("status", "all"),
        ("expand[]", "data.customer"),
        ("expand[]", "data.default_payment_method"),
        ("expand[]", "data.items.data.price"),
    ];
    let all = account.all("/v1/subscriptions", &whole[..3], "40").await;
    for one in all.iter().take(25) {
        let path = format!("/v1/subscriptions/{}", id(one));
        account.right("GET", &path, NONE).await;
        let inside = [
            ("expand[]", "items.data.price.product"),
            ("expand[]", "items.data.price.tiers"),
        ];
        account.right("GET", &path, &inside).await;
        let customer = format!("/v1/customers/{}", id(&one["customer"]));
        let inside = [("expand[]", "subscriptions.data.default_payment_method")];
        account.right("GET", &customer, &inside).await;
    }
}

#[tokio::test]
async fn everything_that_can_be_sold_is_answered_as_stripe_answers_it() {
    let (_world, mut account, _) = start(0).await;
    let full = [
        ("id", "course"),
        ("name", "Course"),
        ("description", "Long"),
        ("images[]", "https://example.com/a.png"),
        ("marketing_features[0][name]", "Good"),
        ("metadata[cutover_of]", "course"),
        ("package_dimensions[height]", "1.5"),
        ("package_dimensions[length]", "2"),
        ("package_dimensions[weight]", "3"),
        ("package_dimensions[width]", "4"),
        ("shippable", "true"),
        ("statement_descriptor", "COURSE"),
        ("tax_code", "txcd_20030000"),
        ("unit_label", "seat"),
        ("url", "https://example.com/course"),
        ("default_price_data[currency]", "usd"),
        ("default_price_data[unit_amount_decimal]", "12.345"),
        ("default_price_data[recurring][interval]", "month"),
        ("expand[]", "default_price"),
    ];
    let product = account.right("POST", "/v1/products", &full).await;
    assert_eq!(product["default_price"]["unit_amount"], Value::Null);
    assert_eq!(product["default_price"]["unit_amount_decimal"], "12.345");
    let change = [
        ("description", ""),
        ("images", ""),
        ("marketing_features", ""),
        ("package_dimensions", ""),
        ("tax_code", ""),
        ("url", ""),
        ("unit_label", ""),
        ("metadata", ""),
        ("active", "false"),
    ];
    let bare = account.right("POST", "/v1/products/course", &change).await;
    assert_eq!(bare["package_dimensions"], Value::Null);
    let of = [TIERED, &[("product", "course"), ("lookup_key", "k")]].concat();
    let tiered = account.right("POST", "/v1/prices", &of).await;
    assert_eq!(tiered["tiers"][1]["up_to"], Value::Null);
    assert_eq!(
        tiered["currency_options"]["aud"]["tiers"][0]["unit_amount_decimal"],
        "700"
    );
    let path = format!("/v1/prices/{}", id(&tiered));
    let change = [
        ("nickname", "T"),
        ("tax_behavior", "inclusive"),
        ("active", "false"),
    ];
    account.right("POST", &path, &change).await;
    let chosen = [
        ("currency", "usd"),
        ("product_data[name]", "Gift"),
        ("custom_unit_amount[enabled]", "true"),
        ("custom_unit_amount[preset]", "500"),
    ];
    account.right("POST", "/v1/prices", &chosen).await;
    let rate = [
        ("display_name", "GST"),
        ("percentage", "12.5"),
        ("inclusive", "true"),
        ("country", "NZ"),
        ("tax_type", "gst"),
    ];
    let rate = account.right("POST", "/v1/tax_rates", &rate).await;
    let path = format!("/v1/tax_rates/{}", id(&rate));
    account
        .right("POST", &path, &[("active", "false"), ("description", "old")])
        .await;
    let settings = [
        ("defaults[tax_behavior]", "inferred_by_currency"),
        ("defaults[tax_code]", "txcd_10000000"),
    ];
    let pending = account.right("POST", "/v1/tax/settings", &settings).await;
    assert_eq!(pending["status"], "pending");
    let office = [("head_office[address][country]", "AU")];
    let active = account.right("POST", "/v1/tax/settings", &office).await;
    assert_eq!(active["status"], "active");
    let gone = account
        .right("POST", "/v1/products", &[("id", "gone"), ("name", "Gone")])
        .await;
    account
        .right("DELETE", &format!("/v1/products/{}", id(&gone)), NONE)
        .await;
    account.all("/v1/events", NONE, "3").await;
    account.conforms();
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused_in_stripes_shape() {
    let (_world, mut account, _) = start(0).await;
    let product = [("id", "p"), ("name", "P")];
    account.right("POST", "/v1/products", &product).await;
    let invalid = "invalid_request_error";
    let one_time = [("currency", "usd"), ("unit_amount", "5"), ("product", "p")];
    let price = account.right("POST", "/v1/prices", &one_time).await;
    let price = format!("/v1/prices/{}", id(&price));
    let cases: &[(&str, &str, Pairs<'_>, Value)] = &[
        (
            "POST",
            "/v1/products",
            &product,
            json!([400, invalid, "resource_already_exists", "id"]),
        ),
        (
            "POST",
            "/v1/products",
            NONE,
            json!([400, invalid, "parameter_missing", "name"]),
        ),
        (
            "POST",
            "/v1/products",
            &[("name", "")],
            json!([400, invalid, "parameter_invalid_empty", "name"]),
        ),
        (
            "DELETE",
            "/v1/products/p",
            NONE,
            json!([400, invalid, null, null]),
        ),
        (
            "POST",
            &price,
            &[("unit_amount", "6")],
            json!([400, invalid, "parameter_unknown", "unit_amount"]),
        ),
        (
            "POST",
            &price,
            &[("recurring[interval]", "year")],
            json!([400, invalid, "parameter_unknown", "recurring"]),
        ),
        (
            "POST",
            "/v1/prices",
            &[("currency", "usd"), ("unit_amount", "5"), ("product", "q")],
            json!([400, invalid, "resource_missing", "product"]),
        ),
        (
            "POST",
            "/v1/tax_rates",
            &[
                ("display_name", "T"),
                ("percentage", "1.23456"),
                ("inclusive", "true"),
            ],
            json!([400, invalid, null, "percentage"]),
        ),
        (
            "POST",
            "/v1/tax_rates/txr_no",
            &[("percentage", "5")],
            json!([400, invalid, "parameter_unknown", "percentage"]),
        ),
        (
            "GET",
            "/v1/subscriptions",
            &[("status", "live")],
            json!([400, invalid, null, "status"]),
        ),
        (
            "GET",
            "/v1/subscriptions/sub_no",
            NONE,
            json!([404, invalid, "resource_missing", "id"]),
        ),
        (
            "GET",
            "/v1/subscriptions",
            &[("expand[]", "data.items.data.price.product")],
            json!([400, invalid, "property_expansion_max_depth", "expand"]),
        ),
        ("DELETE", &price, NONE, json!([404, invalid, null, null])),
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
