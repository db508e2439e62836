//! What the simulated accounts take: every parameter and enum value that Stripe takes, and no other.

use serde_json::Value;

use super::drive::{Account, start};
use super::facts::{Fact, facts};
use super::simulated::{NONE, id};
use super::written::GRANT;

/// Every operation the simulated accounts offer.
const OPERATIONS: &[&str] = &[
    "GET /v1/account",
    "GET /v1/billing/credit_balance_summary",
    "GET /v1/billing/credit_grants",
    "GET /v1/billing/credit_grants/{id}",
    "DELETE /v1/coupons/{coupon}",
    "DELETE /v1/customers/{customer}/discount",
    "GET /v1/coupons",
    "GET /v1/coupons/{coupon}",
    "GET /v1/customers",
    "GET /v1/customers/{customer}/discount",
    "GET /v1/customers/{customer}",
    "GET /v1/customers/{customer}/balance_transactions",
    "GET /v1/customers/{customer}/balance_transactions/{transaction}",
    "GET /v1/customers/{customer}/cash_balance",
    "GET /v1/customers/{customer}/cash_balance_transactions",
    "GET /v1/customers/{customer}/cash_balance_transactions/{transaction}",
    "GET /v1/customers/{customer}/payment_methods",
    "GET /v1/customers/{customer}/payment_methods/{payment_method}",
    "DELETE /v1/customers/{customer}/tax_ids/{id}",
    "GET /v1/customers/{customer}/sources",
    "GET /v1/customers/{customer}/sources/{id}",
    "GET /v1/customers/{customer}/tax_ids",
    "GET /v1/customers/{customer}/tax_ids/{id}",
    "GET /v1/events",
    "GET /v1/events/{id}",
    "GET /v1/payment_methods",
    "GET /v1/payment_methods/{payment_method}",
    "GET /v1/payment_links",
    "GET /v1/payment_links/{payment_link}",
    "GET /v1/payment_links/{payment_link}/line_items",
    "GET /v1/prices",
    "GET /v1/prices/{price}",
    "GET /v1/products",
    "GET /v1/products/{id}",
    "GET /v1/promotion_codes",
    "GET /v1/promotion_codes/{promotion_code}",
    "DELETE /v1/subscriptions/{subscription_exposed_id}",
    "GET /v1/invoices",
    "GET /v1/invoices/{invoice}",
    "GET /v1/invoices/{invoice}/lines",
    "GET /v1/subscription_items",
    "GET /v1/subscription_schedules",
    "GET /v1/subscription_schedules/{schedule}",
    "GET /v1/subscriptions",
    "GET /v1/subscriptions/{subscription_exposed_id}",
    "GET /v1/tax/registrations",
    "GET /v1/tax/registrations/{id}",
    "GET /v1/tax/settings",
    "GET /v1/tax_rates",
    "GET /v1/tax_rates/{tax_rate}",
    "POST /v1/billing/credit_grants",
    "POST /v1/billing/credit_grants/{id}",
    "POST /v1/coupons",
    "POST /v1/coupons/{coupon}",
    "POST /v1/customers",
    "POST /v1/customers/{customer}",
    "POST /v1/customers/{customer}/balance_transactions",
    "POST /v1/customers/{customer}/balance_transactions/{transaction}",
    "POST /v1/customers/{customer}/cash_balance",
    "POST /v1/customers/{customer}/tax_ids",
    "POST /v1/payment_methods/{payment_method}",
    "POST /v1/payment_methods/{payment_method}/attach",
    "POST /v1/payment_methods/{payment_method}/detach",
    "POST /v1/prices",
    "POST /v1/prices/{price}",
    "POST /v1/products",
    "POST /v1/products/{id}",
    "POST /v1/promotion_codes",
    "POST /v1/promotion_codes/{promotion_code}",
    "POST /v1/invoices/create_preview",
    "POST /v1/subscription_schedules",
    "POST /v1/subscription_schedules/{schedule}",
    "POST /v1/subscription_schedules/{schedule}/cancel",
    "POST /v1/subscription_schedules/{schedule}/release",
    "POST /v1/subscriptions",
    "POST /v1/subscriptions/{subscription_exposed_id}",
    "POST /v1/subscriptions/{subscription}/resume",
    "POST /v1/tax/settings",
    "POST /v1/tax_rates",
    "POST /v1/tax_rates/{tax_rate}",
    "POST /v1/test_helpers/customers/{customer}/fund_cash_balance",
];

#[tokio::test]
async fn the_simulated_accounts_know_the_parameters_that_stripe_knows_and_no_others() {
    let (_world, mut account, _) = start(0).await;
    let customer = account.right("POST", "/v1/customers", NONE).await;
    let entry = [("amount", "1"), ("currency", "usd")];
    let ledger = format!("/v1/customers/{}/balance_transactions", id(&customer));
    let entry = account.right("POST", &ledger, &entry).await;
    let grant = [GRANT, &[("customer", id(&customer))]].concat();
    let grant = account.right("POST", "/v1/billing/credit_grants", &grant).await;
    // Old ways of giving a card or bank account on update: no program that moves accounts sends them.
    let legacy = [
        "bank_account",
        "card",
        "default_alipay_account",
        "default_bank_account",
        "default_card",
    ];
    for operation in OPERATIONS {
        let (method, template) = operation.split_once(' ').expect("METHOD /path");
        let path = template.replace("{customer}", id(&customer));
        let path = path.replace(
            "balance_transactions/{transaction}",
            &format!("balance_transactions/{}", id(&entry)),
        );
        let path = path.replace("credit_grants/{id}", &format!("credit_grants/{}", id(&grant)));
        let path = path.replace(['{', '}'], "");
        let of_now = |name: &str| !legacy.contains(&name.split('[').next().unwrap_or_default());
        for (name, fact) in facts().parameters_of(operation).filter(|(name, _)| of_now(name)) {
            let hash = fact.kinds.iter().any(|kind| kind == "object");
            let (known, value) = (on_the_wire(name), a_value(fact));
            if !known_to(&mut account, method, &path, &known, value.as_deref()).await {
                account
                    .problems
                    .push(format!("{operation}: does not know {known}"));
            }
            for word in fact.values.iter().filter_map(Value::as_str) {
                let (status, answer) = account.send(method, &path, &[(&known, word)]).await;
                let said = answer["error"]["message"].as_str().unwrap_or_default();
                if status == 400 && said.contains("must be one of") {
                    account
                        .problems
                        .push(format!("{operation}: does not know {known}={word}"));
                }
            }
            if hash
                && known_to(
                    &mut account,
                    method,
                    &path,
                    &format!("{known}[surprise]"),
                    Some("1"),
                )
                .await
            {
                account
                    .problems
                    .push(format!("{operation}: takes {known}[surprise]"));
            }
        }
        if known_to(&mut account, method, &path, "surprise", Some("1")).await {
            account
                .problems
                .push(format!("{operation}: takes an unknown parameter"));
        }
    }
    account.conforms();
}

/// Whether the account does not call the parameter unknown. A hash has no value of its own and passes. What the simulator
/// says it does not simulate it knows, but nothing it may hold beyond what Stripe names.
async fn known_to(account: &mut Account, method: &str, path: &str, name: &str, value: Option<&str>) -> bool {
    let Some(value) = value else { return true };
    let (_, answer) = account.send(method, path, &[(name, value)]).await;
    let error = &answer["error"];
    let said = error["message"].as_str().unwrap_or_default();
    if name.ends_with("[surprise]") && said.contains("does not simulate") {
        return false;
    }
    !(error["code"] == "parameter_unknown" && error["param"] == name)
}

/// `items[][price]` as sent: `items[0][price]`; a free-form key is `key`.
fn on_the_wire(name: &str) -> String {
    name.replace("[]", "[0]").replace("[*]", "[key]")
}

/// A value the parameter could take; none for a hash or array.
fn a_value(fact: &Fact) -> Option<String> {
    let value = |kind: &String| match kind.as_str() {
        "enum" => fact.values.iter().find_map(|v| v.as_str().map(str::to_owned)),
        "boolean" => Some("true".to_owned()),
        "string:currency" => Some("usd".to_owned()),
        "integer:unix-time" => Some("1790000000".to_owned()),
        "integer" | "number" | "string:decimal" => Some("1".to_owned()),
        "string" => Some("x".to_owned()),
        _ => None,
    };
    fact.kinds.iter().find_map(value)
}
