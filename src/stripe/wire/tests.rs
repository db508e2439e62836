//! Every shape against text as Stripe writes it, then with the surprises a later version may bring.

use super::*;

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_customer_is_read_with_and_without_what_must_be_expanded() {
    let plain: Customer = read(
        r#"{"id":"cus_1","object":"customer","created":1700000000,"livemode":true,"balance":-500,"currency":"aud",
        "name":null,"email":"a@b.c","metadata":{"region":"au"},"default_source":null,
        "invoice_settings":{"custom_fields":null,"default_payment_method":"pm_1","footer":null},"new":{"x":[1]}}"#,
    );
    assert_eq!((plain.balance, plain.currency.as_deref()), (-500, Some("aud")));
    assert_eq!(
        plain.invoice_settings.default_payment_method.as_deref(),
        Some("pm_1")
    );
    assert!(plain.invoice_credit_balance.is_none() && plain.cash_balance.is_none() && !plain.deleted);
    let expanded: Customer = read(
        r#"{"id":"cus_1","created":1,"livemode":true,"balance":0,"invoice_credit_balance":{"usd":12000,"aud":0},
        "cash_balance":{"object":"cash_balance","available":null,"customer":"cus_1","livemode":true,"settings":{}},
        "default_source":{"id":"card_1","object":"card"},"invoice_settings":null,"metadata":null}"#,
    );
    assert_eq!(expanded.invoice_credit_balance.unwrap()["usd"], 12_000);
    assert!(expanded.cash_balance.unwrap().available.is_empty());
    assert_eq!(expanded.default_source.as_deref(), Some("card_1"));
}

#[test]
fn a_deleted_customer_is_only_an_id() {
    let gone: Customer = read(r#"{"id":"cus_1","object":"customer","deleted":true}"#);
    assert!(gone.deleted && gone.livemode.is_none());
}

#[test]
fn a_ledger_row_keeps_its_sign_and_an_unknown_type_keeps_its_name() {
    let row: BalanceTransaction = read(
        r#"{"id":"cbtxn_1","object":"customer_balance_transaction","amount":-500,"created":1,"currency":"usd",
        "customer":{"id":"cus_1","object":"customer","metadata":{"id":"trap"}},"ending_balance":-500,"livemode":false,
        "metadata":{"cutover_effect":"x"},"type":"quantum","invoice":null,"description":null}"#,
    );
    assert_eq!((row.amount, row.customer.as_str()), (-500, "cus_1"));
    assert_eq!(row.kind, BalanceTransactionType::Other("quantum".to_owned()));
    assert_eq!(
        BalanceTransactionType::AppliedToInvoice.as_str(),
        "applied_to_invoice"
    );
}

#[test]
fn amounts_are_integers_and_nothing_else() {
    for amount in ["1.5", "\"1\"", "null", "1e3", "9223372036854775808"] {
        let text = format!(
            r#"{{"id":"c","amount":{amount},"created":1,"currency":"usd","customer":"c","ending_balance":0,"livemode":false,"type":"adjustment"}}"#
        );
        assert!(
            serde_json::from_str::<BalanceTransaction>(&text).is_err(),
            "{amount}"
        );
    }
}

#[test]
fn grants_methods_events_and_accounts_are_read() {
    let grant: CreditGrant = read(
        r#"{"id":"credgr_1","amount":{"monetary":{"currency":"usd","value":700},"type":"monetary"},"category":"paid",
        "created":1,"customer":"cus_1","livemode":false,"metadata":{},"expires_at":null,"priority":50}"#,
    );
    assert_eq!(grant.amount.monetary.unwrap().value, 700);
    let method: PaymentMethod = read(
        r#"{"id":"pm_1","created":1,"type":"card","customer":"cus_1","livemode":false,
        "card":{"brand":"visa","last4":"4242","exp_month":4,"exp_year":2030,"fingerprint":"f"}}"#,
    );
    assert_eq!(method.card.unwrap().last4.as_deref(), Some("4242"));
    let event: Event = read(
        r#"{"id":"evt_1","created":1,"type":"customer.updated","data":{"object":{"id":"cus_1"}},"livemode":false,
        "request":{"id":"req_1","idempotency_key":"cut1-x"}}"#,
    );
    assert_eq!(event.request.unwrap().idempotency_key.as_deref(), Some("cut1-x"));
    let account: Account = read(
        r#"{"id":"acct_1","country":"AU","default_currency":"aud","business_profile":{"name":"B"},
        "capabilities":{"card_payments":"active"},"settings":{"dashboard":{"display_name":"D","timezone":"Etc/UTC"}}}"#,
    );
    assert_eq!(account.display_name(), Some("D"));
}

#[test]
fn a_catalogue_is_read_with_ids_and_objects_where_either_may_stand() {
    let product: Product = read(
        r#"{"id":"gold","object":"product","active":true,"created":1,"default_price":{"id":"price_1","object":"price"},
        "description":null,"images":["https://a"],"livemode":false,"marketing_features":[{"name":"f"}],"metadata":null,
        "name":"Gold","package_dimensions":{"height":1.50,"length":2,"weight":0.1,"width":4},"shippable":null,
        "statement_descriptor":null,"tax_code":{"id":"txcd_1","object":"tax_code"},"unit_label":null,"updated":1,"url":null}"#,
    );
    assert_eq!(product.default_price.as_deref(), Some("price_1"));
    assert_eq!(product.tax_code.as_deref(), Some("txcd_1"));
    assert_eq!(product.package_dimensions.unwrap().height.as_str(), "1.5");
    let gone: Product = read(r#"{"id":"gold","object":"product","deleted":true}"#);
    assert!(gone.deleted);
    let rate: TaxRate = read(
        r#"{"id":"txr_1","object":"tax_rate","active":true,"created":1,"display_name":"GST","inclusive":true,
        "livemode":false,"percentage":8.100000000000000088,"flat_amount":{"amount":5,"currency":"aud"},"rate_type":"new"}"#,
    );
    assert_eq!(rate.percentage.as_str(), "8.100000000000000088");
    assert!(rate.flat_amount.is_some() && rate.metadata.is_empty());
    let settings: TaxSettings = read(
        r#"{"object":"tax.settings","status":"pending","defaults":{"provider":"stripe","tax_behavior":null,"tax_code":null}}"#,
    );
    assert!(settings.defaults.tax_behavior.is_none());
}

const PRICE: &str = r#"{"id":"price_1","object":"price","active":true,"billing_scheme":"tiered","created":1,"currency":"usd",
    "livemode":false,"lookup_key":null,"metadata":{},"product":{"id":"gold","object":"product","deleted":true},
    "tiers":[{"up_to":null,"flat_amount":null,"flat_amount_decimal":"0.50","unit_amount":null,"unit_amount_decimal":null}],
    "unit_amount":null,"unit_amount_decimal":null,"custom_unit_amount":null}"#;

#[test]
fn a_price_is_read_with_tiers_and_decimals_and_never_with_a_fraction_of_a_minor_unit_as_a_number() {
    let price: Price = read(PRICE);
    assert_eq!((price.product.as_str(), price.recurring), ("gold", None));
    let tiers = price.tiers.unwrap();
    let flat = tiers[0].flat_amount_decimal.as_ref().unwrap();
    assert_eq!((flat.as_str(), tiers[0].up_to), ("0.5", None));
    let fraction = PRICE.replace(
        r#""unit_amount":null,"unit_amount_decimal":null,"custom"#,
        r#""unit_amount":0.5,"custom"#,
    );
    assert!(serde_json::from_str::<Price>(&fraction).is_err());
}

#[test]
fn a_subscription_of_an_unknown_status_counts_as_live() {
    let of = |status: &str| {
        let text = format!(
            r#"{{"id":"sub_1","created":1,"livemode":false,"customer":{{"id":"cus_1","object":"customer"}},"status":"{status}",
            "default_tax_rates":null,"items":{{"object":"list","has_more":false,"data":[
            {{"id":"si_1","price":{PRICE},"tax_rates":[{{"id":"txr_1","object":"tax_rate"}}]}}]}}}}"#
        );
        read::<Subscription>(&text)
    };
    let subscription = of("active");
    assert_eq!(
        (
            subscription.customer.as_str(),
            subscription.items.data[0].tax_rates[0].id.as_str()
        ),
        ("cus_1", "txr_1")
    );
    for (status, live) in [
        ("past_due", true),
        ("paused", true),
        ("quantum", true),
        ("canceled", false),
        ("incomplete_expired", false),
    ] {
        assert_eq!(of(status).status.is_live(), live, "{status}");
    }
}

#[test]
fn a_coupon_is_read_with_and_without_what_is_hidden() {
    let text = r#"{"id":"SPRING","object":"coupon","amount_off":null,"created":1,"currency":null,"duration":"eternal",
        "duration_in_months":null,"livemode":false,"max_redemptions":10,"metadata":null,"name":null,"percent_off":12.50,
        "redeem_by":null,"times_redeemed":7,"valid":true}"#;
    let plain: Coupon = read(text);
    assert_eq!(plain.percent_off.as_ref().map(Decimal::as_str), Some("12.5"));
    assert_eq!(plain.duration, CouponDuration::Other("eternal".to_owned()));
    assert!(plain.applies_to.is_none() && plain.currency_options.is_none() && plain.metadata.is_empty());
    let expanded: Coupon = read(&text.replace(
        "\"valid\":true",
        r#""valid":true,"applies_to":{"products":["prod_1"]},"currency_options":{"aud":{"amount_off":1500}}"#,
    ));
    assert_eq!(expanded.applies_to.unwrap().products, ["prod_1"]);
    assert_eq!(expanded.currency_options.unwrap()["aud"].amount_off, 1500);
}

#[test]
fn a_promotion_code_names_coupon_and_customer_expanded_or_not() {
    let code = |coupon: &str, customer: &str| -> PromotionCode {
        read(&format!(
            r#"{{"id":"promo_1","object":"promotion_code","active":true,"code":"SPRING","created":1,"customer":{customer},
            "customer_account":null,"expires_at":null,"livemode":false,"max_redemptions":null,"metadata":{{}},
            "promotion":{{"coupon":{coupon},"type":"coupon"}},"restrictions":{{"first_time_transaction":false,
            "minimum_amount":null,"minimum_amount_currency":null}},"times_redeemed":0}}"#
        ))
    };
    let plain = code("\"c\"", "null");
    assert_eq!(
        (plain.promotion.coupon.as_deref(), plain.customer_id()),
        (Some("c"), None)
    );
    let whole = code(
        r#"{"id":"c","object":"coupon","percent_off":25.5}"#,
        r#"{"id":"cus_1","object":"customer","deleted":true}"#,
    );
    assert_eq!(
        (whole.promotion.coupon.as_deref(), whole.customer_id()),
        (Some("c"), Some("cus_1"))
    );
    assert!(whole.customer.unwrap().object().unwrap().deleted);
}

#[test]
fn a_discount_shows_its_coupon_where_it_was_expanded() {
    let discounts: Vec<Expandable<Discount>> = read(
        r#"["di_0",{"id":"di_1","object":"discount","customer":"cus_1","end":9,"promotion_code":"promo_1","start":1,
        "source":{"type":"coupon","coupon":{"id":"c","object":"coupon","created":1,"duration":"forever","livemode":false,
        "percent_off":33.30,"times_redeemed":1,"valid":true}}},
        {"id":"di_2","source":{"type":"coupon","coupon":"c"},"start":1}]"#,
    );
    assert!(discounts[0].object().is_none());
    let whole = discounts[1].object().unwrap();
    assert_eq!((whole.coupon_id(), whole.end), (Some("c"), Some(9)));
    assert_eq!(
        whole.coupon().unwrap().percent_off.as_ref().map(Decimal::as_str),
        Some("33.3")
    );
    let bare = discounts[2].object().unwrap();
    assert_eq!(
        (bare.coupon_id(), bare.coupon().is_none(), bare.end),
        (Some("c"), true, None)
    );
}
