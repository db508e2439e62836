//! The checker itself, on data that is right and on data that is wrong on purpose.

use serde_json::{Value, json};

use super::facts::{ONLY_ON_REQUEST, check_request, check_response, facts, takes};

const NO_PAIRS: &[(&str, &str)] = &[];

fn customer() -> Value {
    json!({
        "id": "cus_1", "object": "customer", "created": 1_790_000_000, "livemode": false, "balance": -500,
        "currency": "usd", "name": null, "metadata": {"team": "night"}, "preferred_locales": ["en"],
        "address": {"city": "Perth", "country": "AU", "line1": null, "line2": null, "postal_code": null, "state": null},
        "tax_exempt": "none", "test_clock": null,
    })
}

fn listed(object: &Value) -> Value {
    json!({"object": "list", "url": "/v1/customers", "has_more": false, "data": [object]})
}

/// The customer with one field replaced, as `GET /v1/customers/{customer}` answers it.
fn problems_with(field: &str, value: Value) -> Vec<String> {
    let mut object = customer();
    object[field] = value;
    check_response("GET", "/v1/customers/cus_1", 200, &object)
}

#[test]
fn the_table_says_where_it_comes_from_and_how_new_it_is() {
    assert!(facts().source.contains("MIT"));
    assert_eq!(facts().version, "2026-08-26.dahlia");
}

#[test]
fn every_field_shown_only_on_request_exists() {
    for (schema, field) in ONLY_ON_REQUEST {
        assert!(facts().schemas[*schema].contains_key(*field), "{schema}.{field}");
    }
}

#[test]
fn a_literal_path_goes_before_a_placeholder() {
    let name = |method, path| facts().operation(method, path);
    assert_eq!(
        name("post", "/v1/invoices/create_preview"),
        Some("POST /v1/invoices/create_preview")
    );
    assert_eq!(
        name("POST", "/v1/invoices/in_1"),
        Some("POST /v1/invoices/{invoice}")
    );
    assert_eq!(name("GET", "/v1/customers/"), None);
    assert_eq!(name("PUT", "/v1/customers"), None);
}

#[test]
fn a_request_stripe_would_take_has_no_problems() {
    let pairs = [
        ("name", "Ada"),
        ("metadata[cutover_of]", "cus_0"),
        ("address[city]", "Perth"),
        ("invoice_settings[custom_fields][0][name]", "PO"),
        ("invoice_settings[custom_fields][0][value]", "7"),
        ("preferred_locales[]", "en"),
        ("preferred_locales[]", "fr"),
        ("description", ""),
        ("expand[0]", "invoice_credit_balance"),
        ("expand[1]", "cash_balance"),
    ];
    assert_eq!(
        check_request("POST", "/v1/customers", &pairs),
        Vec::<String>::new()
    );
    let range = [
        ("created[gte]", "1790000000"),
        ("limit", "100"),
        ("expand[]", "data.invoice_credit_balance"),
    ];
    assert_eq!(
        check_request("get", "/v1/customers", &range),
        Vec::<String>::new()
    );
    assert_eq!(
        check_request("GET", "/v1/customers?created=1790000000&limit=3", NO_PAIRS),
        Vec::<String>::new()
    );
}

#[test]
fn every_wrong_request_is_named() {
    let entry = "POST /v1/customers/cus_1/balance_transactions";
    let cases = [
        ("GET /v1/customer", "not an operation"),
        ("DELETE /v1/events/evt_1", "not an operation"),
        ("POST /v1/customers?id=cus_1", "unknown parameter id"),
        (
            "POST /v1/customers?address[town]=x",
            "unknown parameter address[town]",
        ),
        ("POST /v1/customers?name[first]=x", "name takes string"),
        ("POST /v1/customers?address=Perth", "address: `Perth` is not"),
        (
            "POST /v1/customers?tax_exempt=maybe",
            "tax_exempt: `maybe` is not",
        ),
        ("POST /v1/customers?name=a&name=b", "`name` is given twice"),
        (
            "POST /v1/customers?metadata=a&metadata[b]=c",
            "both a value and a hash",
        ),
        ("POST /v1/customers?metadata[a=b", "open bracket"),
        (
            "POST /v1/customers?tax_id_data[0][value]=1",
            "missing required parameter tax_id_data[0][type]",
        ),
        (
            &format!("{entry}?amount=-5"),
            "missing required parameter currency",
        ),
        (
            &format!("{entry}?amount=5.5&currency=usd"),
            "amount: `5.5` is not integer",
        ),
        (
            &format!("{entry}?amount=5&currency=dollars"),
            "currency: `dollars` is not",
        ),
        ("GET /v1/customers?limit=ten", "limit: `ten` is not integer"),
        (
            "GET /v1/customers?created[after]=1",
            "unknown parameter created[after]",
        ),
        (
            "GET /v1/customers?expand[]=cash_balance",
            "`cash_balance` cannot be expanded",
        ),
        (
            "GET /v1/customers?expand[]=data.balance",
            "`data.balance` cannot be expanded",
        ),
        (
            "GET /v1/billing/credit_balance_summary?customer=cus_1",
            "missing required parameter filter",
        ),
    ];
    for (request, says) in cases {
        let (method, path) = request.split_once(' ').expect("METHOD path");
        let problems = check_request(method, path, NO_PAIRS);
        assert!(
            problems.iter().any(|p| p.contains(says)),
            "{request}: {problems:?}"
        );
    }
}

#[test]
fn an_answer_stripe_could_give_has_no_problems() {
    assert_eq!(
        check_response("GET", "/v1/customers/cus_1", 200, &customer()),
        Vec::<String>::new()
    );
    assert_eq!(
        check_response("GET", "/v1/customers?limit=1", 200, &listed(&customer())),
        Vec::<String>::new()
    );
    let gone = json!({"id": "cus_1", "object": "customer", "deleted": true});
    assert_eq!(
        check_response("GET", "/v1/customers/cus_1", 200, &gone),
        Vec::<String>::new()
    );
    let error =
        json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No"}});
    assert_eq!(
        check_response("GET", "/v1/nothing", 404, &error),
        Vec::<String>::new()
    );
}

#[test]
fn every_wrong_answer_is_named() {
    let cases = [
        ("balance", json!("-500"), "balance: is \"-500\", not integer"),
        ("balance", json!(-500.0), "balance: is -500.0, not integer"),
        ("balance", Value::Null, "balance: is null"),
        ("object", json!("custumer"), "object: is \"custumer\""),
        ("tax_exempt", json!("maybe"), "tax_exempt: is \"maybe\""),
        ("created", json!(-1), "created: `-1` is not a unix-time"),
        ("surprise", json!(1), "surprise: is not a field of customer"),
        (
            "address",
            json!({"town": "Perth"}),
            "address.town: is not a field of address",
        ),
        ("metadata", json!({"n": 1}), "metadata.n: is 1, not string"),
        (
            "preferred_locales",
            json!(["en", 7]),
            "preferred_locales[1]: is 7",
        ),
        ("test_clock", json!({"id": "clock_1"}), "test_clock: is expanded"),
        (
            "invoice_credit_balance",
            json!({}),
            "only shown when `expand` asks",
        ),
        ("cash_balance", Value::Null, "only shown when `expand` asks"),
        (
            "invoice_settings",
            json!({"footer": "x", "logo": 1}),
            "invoice_settings.logo",
        ),
    ];
    for (field, value, says) in cases {
        let problems = problems_with(field, value);
        assert!(
            problems.len() == 1 && problems[0].contains(says),
            "{field}: {says}: {problems:?}"
        );
    }
}

#[test]
fn wrong_envelopes_statuses_and_errors_are_named() {
    let list = |change: fn(&mut Value)| {
        let mut list = listed(&customer());
        change(&mut list);
        check_response("GET", "/v1/customers", 200, &list)
    };
    assert!(list(|l| l["has_more"] = json!("no"))[0].contains("has_more: is \"no\""));
    assert!(list(|l| l["object"] = json!("array"))[0].contains("object: is \"array\""));
    assert!(list(|l| l["data"][0]["livemode"] = Value::Null)[0].contains("data[0].livemode: is null"));
    assert!(list(|l| l["total"] = json!(1))[0].contains("total: is not a field"));
    assert!(check_response("GET", "/v1/customers/cus_1", 201, &customer())[0].contains("200 or an error"));
    assert!(check_response("GET", "/v1/customer/cus_1", 200, &customer())[0].contains("not an operation"));
    let error = json!({"error": {"type": "auth_error", "message": "No"}});
    assert!(check_response("GET", "/v1/customers", 401, &error)[0].contains("error.type"));
    assert!(check_response("GET", "/v1/customers", 404, &json!("gone"))[0].contains("body: is not a hash"));
}

#[test]
fn expansion_is_held_against_what_was_asked() {
    let path = "/v1/customers/cus_1?expand[]=invoice_credit_balance&expand%5B%5D=test_clock";
    let mut object = customer();
    object["invoice_credit_balance"] = json!({"usd": 500});
    assert_eq!(check_response("GET", path, 200, &object), Vec::<String>::new());
    object["invoice_credit_balance"] = json!({"usd": "500"});
    object["test_clock"] = json!("clock_1");
    let problems = check_response("GET", path, 200, &object);
    assert!(
        problems
            .iter()
            .any(|p| p.contains("invoice_credit_balance.usd: is \"500\"")),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|p| p.contains("test_clock: was asked to be expanded")),
        "{problems:?}"
    );
    let problems = check_response("GET", path, 200, &customer());
    assert!(
        problems
            .iter()
            .any(|p| p.contains("invoice_credit_balance: was asked for")),
        "{problems:?}"
    );
}

#[test]
fn what_lies_below_a_map_is_expanded_by_any_name() {
    let asks = |path: &str| check_request("GET", "/v1/prices", &[("expand[]", path)]);
    assert_eq!(asks("data.currency_options.aud.tiers"), Vec::<String>::new());
    assert_eq!(asks("data.tiers"), Vec::<String>::new());
    assert!(!asks("data.currency_options.aud.unit_amount").is_empty());
    assert!(!asks("data.currency_options.tiers").is_empty());
}

#[test]
fn the_object_inside_an_event_of_our_version_is_checked_too() {
    let event = |version: &str, object: Value| {
        let event = json!({
            "id": "evt_1", "object": "event", "type": "customer.updated", "created": 1, "livemode": false,
            "pending_webhooks": 0, "api_version": version, "data": {"object": object}, "request": null,
        });
        check_response("GET", "/v1/events/evt_1", 200, &event)
    };
    let version = facts().version.as_str();
    assert_eq!(event(version, customer()), Vec::<String>::new());
    assert!(event(version, json!({"object": "customer"}))[0].contains("data.object."));
    assert!(event(version, json!({"object": "tonic"}))[0].contains("kind `tonic`"));
    assert_eq!(
        event("2020-08-27", json!({"object": "customer"})),
        Vec::<String>::new()
    );
}

#[test]
fn the_table_holds_the_parameters_that_decide_who_gets_credit() {
    let entry = "POST /v1/customers/{customer}/balance_transactions";
    for parameter in ["amount", "currency", "description", "metadata[*]"] {
        assert!(takes(facts(), entry, parameter), "{parameter}");
    }
    for never in ["id", "coupon", "promotion_code", "currency"] {
        assert!(!takes(facts(), "POST /v1/customers", never), "{never}");
    }
}
