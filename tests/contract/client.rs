//! The client's side: what it may ask, what it does ask, and what its types need of an answer.

use cutover::clock::Clock;
use cutover::stripe::{
    Account, ApiKey, CURSORS, Form, Link, Listed, PaceConfig, Role, Settings, allow, wire,
};
use serde::de::DeserializeOwned;

use super::drive::start;
use super::facts::facts;
use super::recorder::Recorder;
use super::sweep::smallest;

const ROLES: [Role; 2] = [Role::Source, Role::Destination];

#[test]
fn every_endpoint_on_the_allow_list_is_one_of_stripes() {
    for role in ROLES {
        for endpoint in allow::endpoints(role) {
            let path = endpoint.template.replace("{}", "x_1");
            let found = facts().operation(&endpoint.method.to_string(), &path);
            assert!(found.is_some(), "{role}: {endpoint} is not in the table");
        }
    }
}

/// Reads the least that Stripe promises of `schema`: a type that needs more would fail on a true answer.
fn reads_the_least<T: DeserializeOwned>(schema: &str) {
    let least = smallest(schema, "");
    if let Err(why) = serde_json::from_value::<T>(least.clone()) {
        panic!("{schema}: {why} in {least}");
    }
}

#[test]
fn the_clients_types_need_nothing_that_stripe_does_not_promise() {
    reads_the_least::<wire::Account>("account");
    reads_the_least::<wire::BalanceTransaction>("customer_balance_transaction");
    reads_the_least::<wire::CashBalance>("cash_balance");
    reads_the_least::<wire::CreditGrant>("billing.credit_grant");
    reads_the_least::<wire::Customer>("customer");
    reads_the_least::<wire::Customer>("deleted_customer");
    reads_the_least::<wire::Event>("event");
    reads_the_least::<wire::PaymentMethod>("payment_method");
    reads_the_least::<wire::List<wire::Customer>>("GET /v1/customers");
    reads_the_least::<wire::Subscription>("subscription");
    reads_the_least::<wire::SubscriptionItem>("subscription_item");
    reads_the_least::<wire::Schedule>("subscription_schedule");
    reads_the_least::<wire::SchedulePhase>("subscription_schedule_phase_configuration");
    reads_the_least::<wire::ScheduleItem>("subscription_schedule_configuration_item");
    reads_the_least::<wire::ScheduleDefaults>("subscription_schedules_resource_default_settings");
    reads_the_least::<wire::InvoicePreview>("invoice");
}

#[test]
fn the_clients_enums_know_every_value_of_stripes() {
    let values = |schema: &str, field: &str| facts().schemas[schema][field].values.clone();
    for value in values("customer_balance_transaction", "type") {
        let known: wire::BalanceTransactionType = serde_json::from_value(value).expect("a string");
        assert!(
            !matches!(known, wire::BalanceTransactionType::Other(_)),
            "{known:?}"
        );
    }
    for value in values("subscription_schedule", "status") {
        let known: wire::ScheduleStatus = serde_json::from_value(value).expect("a string");
        assert!(!matches!(known, wire::ScheduleStatus::Other(_)), "{known:?}");
    }
    for value in values("subscription", "status") {
        let known: wire::SubscriptionStatus = serde_json::from_value(value).expect("a string");
        assert!(!matches!(known, wire::SubscriptionStatus::Other(_)), "{known:?}");
    }
    for value in values("subscription", "collection_method") {
        let known: wire::CollectionMethod = serde_json::from_value(value).expect("a string");
        assert!(!matches!(known, wire::CollectionMethod::Other(_)), "{known:?}");
    }
    for value in values("billing.credit_grant", "category") {
        let known: wire::GrantCategory = serde_json::from_value(value).expect("a string");
        assert!(!matches!(known, wire::GrantCategory::Other(_)), "{known:?}");
    }
}

/// Every page of a list read to its end.
async fn read<T: Listed>(reader: &cutover::stripe::Reader, path: &str, query: Form) -> usize {
    let pages = reader
        .list::<T>(path, &query)
        .collect_pages()
        .await
        .expect("a whole list");
    pages.iter().map(|page| page.items.len()).sum()
}

#[tokio::test]
async fn everything_the_client_sends_is_what_stripe_takes() {
    let (_world, old, _) = start(30).await;
    let recorder = Recorder::before(&old.url, old.http.clone()).await;
    let key = ApiKey::parse(&old.key).expect("a key");
    let account = Account::new(Role::Source, &recorder.url, key).expect("loopback");
    let link = Link::new(
        account,
        Clock::real(),
        Settings::with_pace(PaceConfig::unlimited()),
    );
    let (reader, writer) = (link.reader().expect("a reader"), link.writer().expect("a writer"));

    reader
        .get_as::<wire::Account>("/v1/account", &Form::new())
        .await
        .expect("an account");
    let shown = Form::new()
        .expand("data.invoice_credit_balance")
        .expand("data.cash_balance");
    let mut scan = reader.scan::<wire::Customer>("/v1/customers", &shown, CURSORS);
    let mut customers = Vec::new();
    while let Some(page) = scan.next().await {
        customers.extend(page.expect("a page").items);
    }
    assert_eq!(customers.len(), 30);
    for customer in &customers {
        let path = |template: &str| allow::path(template, &[&customer.id]);
        read::<wire::BalanceTransaction>(
            &reader,
            &path("/v1/customers/{}/balance_transactions"),
            Form::new(),
        )
        .await;
        read::<wire::PaymentMethod>(&reader, &path("/v1/customers/{}/payment_methods"), Form::new()).await;
        let of = Form::new().with("customer", &customer.id);
        read::<wire::CreditGrant>(&reader, "/v1/billing/credit_grants", of).await;
        let cash = path("/v1/customers/{}/cash_balance");
        reader
            .get_as::<wire::CashBalance>(&cash, &Form::new())
            .await
            .expect("a cash balance");
    }
    read::<wire::Event>(&reader, "/v1/events", Form::new().with("type", "customer.*")).await;
    let entry = Form::new()
        .with("amount", -500)
        .with("currency", "usd")
        .with("description", "Credit moved");
    let entry = entry
        .metadata("cutover_effect", "e_1")
        .metadata("cutover_of", &customers[0].id);
    let ledger = allow::path("/v1/customers/{}/balance_transactions", &[&customers[0].id]);
    let reply = writer
        .post_once(&ledger, &entry.encode(), "cutover/test/1")
        .await
        .expect("an entry");
    serde_json::from_slice::<wire::BalanceTransaction>(&reply.body).expect("a balance transaction");

    let sent = recorder.take();
    let problems: Vec<_> = sent
        .iter()
        .flat_map(super::recorder::Recorded::problems)
        .collect();
    assert!(sent.len() > 100, "{} requests", sent.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
