//! Payment methods, legacy sources, tax ids and the profile of a customer, over the wire.

use serde_json::{Value, json};

use crate::client::{Account, options, start};

async fn right(account: &Account, method: &str, path: &str, form: &str) -> Value {
    let answer = account.send(method, path, form, &[]).await;
    assert_eq!(answer.status, Some(200), "{method} {path} {form}: {answer:?}");
    answer.json()
}

async fn refused(account: &Account, path: &str, form: &str) -> (Option<u16>, String) {
    let answer = account.post(path, form, None).await;
    (answer.status, answer.error("message"))
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(id).collect()
}

async fn made(account: &Account, form: &str) -> String {
    id(&right(account, "POST", "/v1/customers", form).await).to_owned()
}

#[tokio::test]
async fn a_method_is_attached_once_detached_once_and_never_attached_again() {
    let (_running, account, _) = start(options("empty")).await;
    let (one, other) = (
        made(&account, "name=One").await,
        made(&account, "name=Other").await,
    );
    let new = right(
        &account,
        "POST",
        "/v1/payment_methods/pm_card_visa/attach",
        &format!("customer={one}"),
    )
    .await;
    let method = format!("/v1/payment_methods/{}", id(&new));
    let attach = format!("{method}/attach");
    assert_eq!(new["customer"], *one);
    let again = right(&account, "POST", &attach, &format!("customer={one}")).await;
    assert_eq!(again, new, "attaching to the same customer changes nothing");
    assert_eq!(
        refused(&account, &attach, "").await,
        (Some(400), "Must provide customer or customer_account.".to_owned())
    );
    let (status, message) = refused(&account, &attach, &format!("customer={other}")).await;
    assert!(
        status == Some(400) && message.contains("already been attached"),
        "{message}"
    );

    let customer = format!("/v1/customers/{one}");
    let default = format!("invoice_settings[default_payment_method]={}", id(&new));
    right(&account, "POST", &customer, &default).await;
    let gone = right(&account, "POST", &format!("{method}/detach"), "").await;
    assert_eq!(
        (&gone["customer"], &gone["billing_details"]["name"]),
        (&Value::Null, &json!("One"))
    );
    let owner = right(&account, "GET", &customer, "").await;
    assert_eq!(owner["invoice_settings"]["default_payment_method"], Value::Null);
    let list = right(&account, "GET", &format!("{customer}/payment_methods"), "").await;
    assert_eq!(ids(&list), [""; 0]);
    let (_, message) = refused(&account, &format!("{method}/detach"), "").await;
    assert_eq!(
        message,
        "The payment method you provided is not attached to a customer so detachment is impossible."
    );
    let (_, message) = refused(&account, &attach, &format!("customer={one}")).await;
    assert!(message.contains("may not be used again"), "{message}");
    let (status, _) = refused(&account, &customer, &default).await;
    assert_eq!(status, Some(400), "a detached method cannot be the default");
    let events = right(&account, "GET", "/v1/events?type=payment_method.*", "").await;
    let kinds: Vec<&Value> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["type"])
        .collect();
    assert_eq!(kinds, ["payment_method.detached", "payment_method.attached"]);
}

#[tokio::test]
async fn the_default_must_be_attached_to_that_very_customer() {
    let (_running, account, _) = start(options("empty")).await;
    let (one, other) = (
        made(&account, "").await,
        made(&account, "payment_method=pm_card_visa").await,
    );
    let list = right(
        &account,
        "GET",
        &format!("/v1/customers/{other}/payment_methods"),
        "",
    )
    .await;
    let form = format!("invoice_settings[default_payment_method]={}", ids(&list)[0]);
    let (status, message) = refused(&account, &format!("/v1/customers/{one}"), &form).await;
    assert!(
        status == Some(400) && message.contains("must be attached"),
        "{message}"
    );
    let nobody = "invoice_settings[default_payment_method]=pm_nobody";
    assert_eq!(
        refused(&account, &format!("/v1/customers/{one}"), nobody).await.0,
        Some(400)
    );
    right(&account, "POST", &format!("/v1/customers/{other}"), &form).await;
    let (status, message) = refused(
        &account,
        &format!("/v1/customers/{other}"),
        &form.replace("invoice_settings[default_payment_method]", "default_source"),
    )
    .await;
    assert!(
        status == Some(400) && message.starts_with("No such source"),
        "{message}"
    );
}

#[tokio::test]
async fn an_update_of_a_method_changes_what_it_names_and_keeps_the_rest() {
    let (_running, account, _) = start(options("empty")).await;
    let one = made(
        &account,
        "name=One&email=one@example.com&payment_method=pm_card_visa",
    )
    .await;
    let list = right(
        &account,
        "GET",
        &format!("/v1/customers/{one}/payment_methods"),
        "",
    )
    .await;
    let path = format!("/v1/payment_methods/{}", ids(&list)[0]);
    let before = list["data"][0].clone();
    let form = "metadata[a]=b&card[exp_month]=3&card[exp_year]=2031&allow_redisplay=always\
                &billing_details[phone]=1&billing_details[address][city]=Perth";
    let after = right(&account, "POST", &path, form).await;
    let mut want = before;
    want["metadata"] = json!({ "a": "b" });
    (want["card"]["exp_month"], want["card"]["exp_year"]) = (json!(3), json!(2031));
    want["allow_redisplay"] = json!("always");
    want["billing_details"]["phone"] = json!("1");
    want["billing_details"]["address"]["city"] = json!("Perth");
    // What a card shows is what its fingerprint is made from here, the month among it.
    want["card"]["fingerprint"] = after["card"]["fingerprint"].clone();
    assert_eq!(after, want);
    assert_eq!(refused(&account, &path, "card[exp_month]=13").await.0, Some(400));
    assert_eq!(
        refused(&account, &path, "us_bank_account[account_type]=savings")
            .await
            .0,
        Some(400)
    );
    assert_eq!(
        right(&account, "GET", &path, "").await,
        want,
        "a refused update changes nothing"
    );
}

#[tokio::test]
async fn every_kind_of_method_is_listed_by_its_type_and_legacy_ones_as_sources() {
    let (_running, account, _) = start(options("two-sepa")).await;
    let path = "/v1/customers/cus_sepa_others/payment_methods";
    let list = right(&account, "GET", path, "").await;
    let mut types: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["type"].as_str().unwrap())
        .collect();
    types.sort_unstable();
    assert_eq!(types, ["au_becs_debit", "bacs_debit", "card", "card", "link"]);
    for one in list["data"].as_array().unwrap() {
        let kind = one["type"].as_str().unwrap();
        assert!(one[kind].is_object(), "{one}");
    }
    let link = right(&account, "GET", &format!("{path}?type=link"), "").await;
    assert_eq!(link["data"][0]["link"]["email"], "kofi@example.com");
    let cards = right(&account, "GET", &format!("{path}?type=card"), "").await;
    let wallets: Vec<&Value> = cards["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["card"]["wallet"]["type"])
        .collect();
    assert_eq!(wallets, [&json!("apple_pay"), &Value::Null]);

    let (_running, account, _) = start(options("second-card-default")).await;
    let path = "/v1/customers/cus_second_carla";
    let sources = right(&account, "GET", &format!("{path}/sources?object=card"), "").await;
    let card = &sources["data"][0];
    assert_eq!(
        (&card["object"], &card["brand"], &card["last4"]),
        (&json!("card"), &json!("Visa"), &json!("0341"))
    );
    let banks = right(
        &account,
        "GET",
        &format!("{path}/sources?object=bank_account"),
        "",
    )
    .await;
    assert_eq!(ids(&banks), [""; 0]);
    let methods = right(&account, "GET", &format!("{path}/payment_methods"), "").await;
    assert!(
        ids(&methods).contains(&id(card)),
        "a legacy card is a payment method too"
    );
    let list = right(
        &account,
        "GET",
        "/v1/customers?expand[]=data.sources&expand[]=data.default_source&email=carla@example.com",
        "",
    )
    .await;
    assert_eq!(list["data"][0]["sources"]["data"][0], *card);
    assert_eq!(list["data"][0]["default_source"], *card);
}

#[tokio::test]
async fn the_newest_other_source_becomes_the_default_when_it_is_detached() {
    let (_running, account, _) = start(options("empty")).await;
    let one = made(&account, "source=tok_visa").await;
    let customer = format!("/v1/customers/{one}");
    let first = right(&account, "GET", &customer, "").await["default_source"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = right(&account, "POST", &customer, "source=tok_amex").await["default_source"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(first, second);
    right(
        &account,
        "POST",
        &format!("/v1/payment_methods/{second}/detach"),
        "",
    )
    .await;
    assert_eq!(
        right(&account, "GET", &customer, "").await["default_source"],
        *first
    );
    right(
        &account,
        "POST",
        &format!("/v1/payment_methods/{first}/detach"),
        "",
    )
    .await;
    assert_eq!(
        right(&account, "GET", &customer, "").await["default_source"],
        Value::Null
    );
}

#[tokio::test]
async fn tax_ids_come_and_go_and_a_list_of_customers_shows_them_when_asked() {
    let (_running, account, _) = start(options("empty")).await;
    let one = made(
        &account,
        "email=t@example.com&tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=DE123456789",
    )
    .await;
    let path = format!("/v1/customers/{one}/tax_ids");
    let second = right(&account, "POST", &path, "type=us_ein&value=12-3456789").await;
    assert_eq!(
        (&second["country"], &second["verification"]["status"]),
        (&json!("US"), &json!("unavailable"))
    );
    let list = right(&account, "GET", &path, "").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    let first = list["data"][1].clone();
    assert_eq!(
        (&first["country"], &first["verification"]["status"]),
        (&json!("DE"), &json!("pending"))
    );
    let shown = right(
        &account,
        "GET",
        "/v1/customers?email=t@example.com&expand[]=data.tax_ids",
        "",
    )
    .await;
    assert_eq!(shown["data"][0]["tax_ids"]["data"], list["data"]);
    let hidden = right(&account, "GET", &format!("/v1/customers/{one}"), "").await;
    assert_eq!(hidden.get("tax_ids"), None);
    let one_path = format!("{path}/{}", id(&first));
    assert_eq!(right(&account, "GET", &one_path, "").await, first);
    let gone = right(&account, "DELETE", &one_path, "").await;
    assert_eq!(
        gone,
        json!({ "id": id(&first), "object": "tax_id", "deleted": true })
    );
    assert_eq!(account.get(&one_path).await.status, Some(404));
    let wrong = account.post(&path, "type=eu_vat&value=1", None).await;
    assert_eq!(
        (wrong.status, wrong.error("code").as_str()),
        (Some(400), "tax_id_invalid")
    );
    let nobody = account
        .post(
            "/v1/customers",
            "tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=1",
            None,
        )
        .await;
    assert_eq!(nobody.status, Some(400));
    let all = right(&account, "GET", "/v1/customers", "").await;
    assert_eq!(ids(&all), [one.as_str()], "a refused create makes nobody");
}

#[tokio::test]
async fn profile_fields_merge_leaf_by_leaf_and_a_prefix_belongs_to_one_customer() {
    let (_running, account, _) = start(options("empty")).await;
    let one = made(&account, "invoice_prefix=ADA1").await;
    let path = format!("/v1/customers/{one}");
    let form = "shipping[name]=A&shipping[address][line1]=1+Quay&invoice_settings[rendering_options][amount_tax_display]=\
                exclude_tax&invoice_settings[footer]=F";
    right(&account, "POST", &path, form).await;
    let form = "shipping[name]=B&shipping[address][city]=Perth&invoice_settings[rendering_options][template]=t&tax_exempt=reverse\
                &next_invoice_sequence=7&preferred_locales[]=en";
    let after = right(&account, "POST", &path, form).await;
    assert_eq!(after["shipping"]["address"]["line1"], "1 Quay");
    assert_eq!(
        (&after["shipping"]["name"], &after["shipping"]["address"]["city"]),
        (&json!("B"), &json!("Perth"))
    );
    let settings = &after["invoice_settings"];
    assert_eq!(
        settings["rendering_options"],
        json!({ "amount_tax_display": "exclude_tax", "template": "t" })
    );
    assert_eq!(
        (&settings["footer"], &after["tax_exempt"]),
        (&json!("F"), &json!("reverse"))
    );
    assert_eq!(
        (&after["next_invoice_sequence"], &after["preferred_locales"]),
        (&json!(7), &json!(["en"]))
    );
    let cleared = right(
        &account,
        "POST",
        &path,
        "invoice_settings[rendering_options]=&tax_exempt=",
    )
    .await;
    assert_eq!(
        (
            &cleared["invoice_settings"]["rendering_options"],
            &cleared["tax_exempt"]
        ),
        (&Value::Null, &json!("none"))
    );

    let other = made(&account, "").await;
    let (status, message) = refused(&account, &format!("/v1/customers/{other}"), "invoice_prefix=ADA1").await;
    assert_eq!(status, Some(400));
    assert_eq!(
        message,
        format!("This invoice number prefix is taken by customer: {one}. Please enter a different prefix.")
    );
    right(&account, "POST", &path, "invoice_prefix=ADA1").await;
    for wrong in ["ab1", "A1", "A-1B"] {
        let (status, _) = refused(&account, &path, &format!("invoice_prefix={wrong}")).await;
        assert_eq!(status, Some(400), "{wrong}");
    }
    let field = |n: u32| {
        let name = format!("invoice_settings[custom_fields][{n}]");
        format!("{name}[name]=n&{name}[value]=v")
    };
    let five = (0..5).map(field).collect::<Vec<_>>().join("&");
    assert_eq!(refused(&account, &path, &five).await.0, Some(400));
}
