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
