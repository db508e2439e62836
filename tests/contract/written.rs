//! What the simulated accounts answer when written to.

use serde_json::{Value, json};

use super::drive::{start, start_as};
use super::simulated::{NONE, id, read_customer};

pub(crate) const GRANT: &[(&str, &str)] = &[
    ("amount[type]", "monetary"),
    ("amount[monetary][currency]", "usd"),
    ("amount[monetary][value]", "900"),
    ("applicability_config[scope][price_type]", "metered"),
    ("metadata[why]", "moved"),
];

#[tokio::test]
async fn everything_that_can_be_written_is_answered_as_stripe_answers_it() {
    let (_world, mut account, _) = start(0).await;
    let full = [
        ("name", "Ada"),
        ("business_name", "Ada Ltd"),
        ("email", "ada@example.com"),
        ("phone", "+61 8 1234"),
        ("description", "first"),
        ("address[city]", "Perth"),
        ("address[country]", "AU"),
        ("shipping[name]", "Ada"),
        ("shipping[address][line1]", "1 Quay St"),
        ("invoice_settings[custom_fields][0][name]", "PO"),
        ("invoice_settings[custom_fields][0][value]", "7"),
        ("invoice_settings[footer]", "Thanks"),
        ("preferred_locales[]", "en"),
        ("metadata[region]", "ap"),
        ("tax_exempt", "reverse"),
        ("invoice_prefix", "ADA1"),
        ("next_invoice_sequence", "7"),
        ("expand[]", "invoice_credit_balance"),
    ];
    let customer = account.right("POST", "/v1/customers", &full).await;
    let customer = id(&customer).to_owned();
    let path = format!("/v1/customers/{customer}");
    account
        .right(
            "POST",
            &path,
            &[("description", ""), ("metadata", ""), ("shipping", "")],
        )
        .await;
    let entry = [
        ("amount", "-500"),
        ("currency", "usd"),
        ("description", "moved"),
        ("metadata[cutover_of]", "cus_0"),
    ];
    let ledger = format!("{path}/balance_transactions");
    let posted = account.right("POST", &ledger, &entry).await;
    account
        .right(
            "POST",
            &format!("{ledger}/{}", id(&posted)),
            &[("description", ""), ("metadata[a]", "b")],
        )
        .await;
    account
        .right(
            "POST",
            &ledger,
            &[("amount", "20"), ("currency", "jpy"), ("expand[]", "customer")],
        )
        .await;
    let fund = format!("/v1/test_helpers/customers/{customer}/fund_cash_balance");
    account
        .right(
            "POST",
            &fund,
            &[("amount", "5000"), ("currency", "usd"), ("reference", "wire")],
        )
        .await;
    account
        .right(
            "POST",
            &format!("{path}/cash_balance"),
            &[("settings[reconciliation_mode]", "manual")],
        )
        .await;
    let grant = [GRANT, &[("customer", customer.as_str()), ("category", "paid")]].concat();
    let grant = account.right("POST", "/v1/billing/credit_grants", &grant).await;
    let grant = format!("/v1/billing/credit_grants/{}", id(&grant));
    account
        .right(
            "POST",
            &grant,
            &[("expires_at", "4000000000"), ("metadata[b]", "c")],
        )
        .await;
    account.right("POST", &grant, &[("expires_at", "")]).await;
    read_customer(&mut account, &customer).await;
    for (end, of) in [("void", "paid"), ("expire", "promotional")] {
        let grant = [GRANT, &[("customer", customer.as_str()), ("category", of)]].concat();
        let grant = account.right("POST", "/v1/billing/credit_grants", &grant).await;
        let path = format!("/v1/billing/credit_grants/{}/{end}", id(&grant));
        account.right("POST", &path, NONE).await;
        account.wrong("POST", &path, NONE).await;
    }
    account.all("/v1/events", NONE, "3").await;
    account.conforms();
}

#[tokio::test]
async fn a_deleted_customer_leaves_a_stub_and_nothing_below_it() {
    let (_world, mut account, _) = start(0).await;
    let customer = account.right("POST", "/v1/customers", &[("name", "Ada")]).await;
    let path = format!("/v1/customers/{}", id(&customer));
    account.right("DELETE", &path, NONE).await;
    let stub = account.right("GET", &path, NONE).await;
    assert_eq!(
        stub,
        json!({"id": id(&customer), "object": "customer", "deleted": true})
    );
    assert_eq!(
        account.all("/v1/customers", NONE, "10").await,
        Vec::<Value>::new()
    );
    for below in [
        "balance_transactions",
        "cash_balance",
        "cash_balance_transactions",
        "payment_methods",
        "sources",
        "tax_ids",
    ] {
        let got = account.wrong("GET", &format!("{path}/{below}"), NONE).await;
        assert_eq!(got[0], 404, "{below}");
    }
    assert_eq!(account.wrong("POST", &path, &[("name", "Eve")]).await[0], 404);
    account
        .all("/v1/events", &[("type", "customer.deleted")], "10")
        .await;
    account.conforms();
}

#[tokio::test]
async fn methods_and_tax_ids_are_written_and_answered_as_stripe_answers_them() {
    let (_world, mut account, _) = start(0).await;
    let with_tax_id = [
        ("tax_id_data[0][type]", "eu_vat"),
        ("tax_id_data[0][value]", "DE123456789"),
    ];
    let customer = account.right("POST", "/v1/customers", &with_tax_id).await;
    let owner = [("customer", id(&customer))];
    let method = account
        .right("POST", "/v1/payment_methods/pm_card_visa/attach", &owner)
        .await;
    let path = format!("/v1/payment_methods/{}", id(&method));
    let change = [
        ("metadata[a]", "b"),
        ("card[exp_month]", "3"),
        ("card[exp_year]", "2031"),
        ("card[networks][preferred]", "visa"),
        ("billing_details[address][city]", "Perth"),
        ("billing_details[phone]", ""),
        ("allow_redisplay", "limited"),
        ("expand[]", "customer"),
    ];
    account.right("POST", &path, &change).await;
    account.right("POST", &format!("{path}/attach"), &owner).await;
    let tax_ids = format!("/v1/customers/{}/tax_ids", id(&customer));
    let made = [
        ("type", "au_abn"),
        ("value", "51824753556"),
        ("expand[]", "customer"),
        ("expand[]", "owner.customer"),
    ];
    let made = account.right("POST", &tax_ids, &made).await;
    read_customer(&mut account, id(&customer)).await;
    account
        .right("DELETE", &format!("{tax_ids}/{}", id(&made)), NONE)
        .await;
    account.right("POST", &format!("{path}/detach"), NONE).await;
    account.right("GET", &path, NONE).await;
    account.wrong("POST", &format!("{path}/detach"), NONE).await;
    account.wrong("POST", &format!("{path}/attach"), &owner).await;
    account.wrong("POST", &format!("{path}/attach"), NONE).await;
    account.wrong("POST", &path, &[("metadata[a]", "c")]).await;
    account
        .wrong("POST", &tax_ids, &[("type", "eu_vat"), ("value", "?")])
        .await;
    account.all("/v1/events", NONE, "3").await;
    account.conforms();
}

#[tokio::test]
async fn a_bank_account_of_the_older_interface_is_shaped_as_stripe_shapes_it() {
    let scenario = tempfile::NamedTempFile::new().unwrap();
    let text = "name = \"bank\"\nabout = \"\"\nstarts_at = 2026-02-14T05:00:00Z\n[[customer]]\nid = \"cus_bank\"\nmethods = [{ \
                type = \"legacy_bank_account\", last4 = \"6789\", default = \"source\" }, { type = \"us_bank_account\" }]\n";
    std::fs::write(scenario.path(), text).unwrap();
    let (_world, mut old, mut new) = start_as(&scenario.path().display().to_string(), None, 1).await;
    for account in [&mut old, &mut new] {
        read_customer(account, "cus_bank").await;
        let sources = account
            .all(
                "/v1/customers/cus_bank/sources",
                &[("object", "bank_account")],
                "9",
            )
            .await;
        assert_eq!(sources.len(), 1);
        assert!(id(&sources[0]).starts_with("ba_"));
        let methods = account
            .all("/v1/customers/cus_bank/payment_methods", NONE, "9")
            .await;
        assert_eq!(
            methods.len(),
            1,
            "the older interface's bank accounts are no payment methods"
        );
    }
    old.conforms();
    new.conforms();
}
