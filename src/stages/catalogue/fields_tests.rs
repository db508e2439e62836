use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::stages::Stage;
use crate::stages::catalogue::Catalogue;
use crate::stages::catalogue::effects::Effects;
use crate::stages::catalogue::samples::{accounts, created, item, price_json, product_json, rate_json};

#[test]
fn a_product_is_sent_with_every_field_it_has() {
    let product = item(&product_json(
        "gold",
        json!({
            "name": "Gold", "active": false, "description": "d", "images": ["https://a", "https://b"],
            "marketing_features": [{"name": "f0"}, {"name": "f1"}], "metadata": {"tier": "1", "cutover_run": "old"},
            "package_dimensions": {"height": 1.50, "length": 2, "weight": 0.1, "width": 4}, "shippable": true,
            "statement_descriptor": "GOLD", "tax_code": "txcd_1", "unit_label": "seat", "url": "https://c",
            "default_price": "price_1",
        }),
    ));
    let sent: Vec<(&str, &str)> = product.fields.iter().collect();
    assert_eq!(
        sent,
        [
            ("id", "gold"),
            ("name", "Gold"),
            ("active", "false"),
            ("description", "d"),
            ("images[0]", "https://a"),
            ("images[1]", "https://b"),
            ("marketing_features[0][name]", "f0"),
            ("marketing_features[1][name]", "f1"),
            ("package_dimensions[height]", "1.5"),
            ("package_dimensions[length]", "2"),
            ("package_dimensions[weight]", "0.1"),
            ("package_dimensions[width]", "4"),
            ("shippable", "true"),
            ("statement_descriptor", "GOLD"),
            ("tax_code", "txcd_1"),
            ("unit_label", "seat"),
            ("url", "https://c"),
            ("metadata[tier]", "1"),
        ]
    );
}

#[test]
fn a_tiered_price_in_two_currencies_is_sent_with_its_tiers_in_both() {
    let tiers = json!([
        {"up_to": 10, "flat_amount": null, "flat_amount_decimal": null, "unit_amount": null, "unit_amount_decimal": "0.000000000001"},
        {"up_to": null, "flat_amount": 500, "flat_amount_decimal": "500", "unit_amount": 3, "unit_amount_decimal": "3"},
    ]);
    let price = item(&price_json(
        "price_1",
        "gold",
        json!({
            "billing_scheme": "tiered", "tiers_mode": "graduated", "unit_amount": null, "unit_amount_decimal": null,
            "tiers": tiers, "lookup_key": "gold_monthly", "nickname": "Gold",
            "currency_options": {
                "usd": {"tiers": tiers, "tax_behavior": "exclusive"},
                "eur": {"tiers": tiers, "tax_behavior": "inclusive"},
            },
            "transform_quantity": {"divide_by": 5, "round": "up"},
        }),
    ));
    assert_eq!(price.trouble, None);
    let sent: Vec<(&str, &str)> = price.fields.iter().collect();
    assert_eq!(
        sent,
        [
            ("product", "gold"),
            ("currency", "usd"),
            ("active", "true"),
            ("billing_scheme", "tiered"),
            ("tiers[0][up_to]", "10"),
            ("tiers[0][unit_amount_decimal]", "0.000000000001"),
            ("tiers[1][up_to]", "inf"),
            ("tiers[1][flat_amount]", "500"),
            ("tiers[1][unit_amount]", "3"),
            ("tiers_mode", "graduated"),
            ("transform_quantity[divide_by]", "5"),
            ("transform_quantity[round]", "up"),
            ("recurring[interval]", "month"),
            ("recurring[interval_count]", "1"),
            ("recurring[usage_type]", "licensed"),
            ("tax_behavior", "exclusive"),
            ("nickname", "Gold"),
            ("lookup_key", "gold_monthly"),
            ("currency_options[eur][tiers][0][up_to]", "10"),
            (
                "currency_options[eur][tiers][0][unit_amount_decimal]",
                "0.000000000001"
            ),
            ("currency_options[eur][tiers][1][up_to]", "inf"),
            ("currency_options[eur][tiers][1][flat_amount]", "500"),
            ("currency_options[eur][tiers][1][unit_amount]", "3"),
            ("currency_options[eur][tax_behavior]", "inclusive"),
        ]
    );
}

#[test]
fn a_percentage_is_sent_digit_for_digit() {
    let mut text = rate_json("txr_1", json!({})).to_string();
    text = text.replace("8.25", "8.100000000000000088");
    let rate: TaxRate = serde_json::from_str(&text).unwrap();
    assert_eq!(of_tax_rate(&rate).get("percentage"), Some("8.100000000000000088"));
}

#[test]
fn a_difference_in_one_field_is_named_and_one_in_our_own_marks_is_none() {
    let price = |more: Value| item(&price_json("price_1", "gold", more)).fields;
    let old = price(json!({"metadata": {"a": "1"}}));
    assert!(
        old.differences(&price(
            json!({"metadata": {"a": "1", "cutover_of": "price_0", "cutover_run": "r"}})
        ))
        .is_empty()
    );
    assert_eq!(
        old.differences(&price(json!({"metadata": {"a": "2"}}))),
        ["metadata[a]"]
    );
    let more = price(
        json!({"metadata": {"a": "1"}, "nickname": "n", "unit_amount": 1001, "unit_amount_decimal": "1001"}),
    );
    assert_eq!(old.differences(&more), ["unit_amount", "nickname"]);
}

fn amount() -> impl Strategy<Value = (Value, Value)> {
    prop_oneof![
        Just((Value::Null, Value::Null)),
        (0_i64..=99_999_999).prop_map(|n| (json!(n), json!(n.to_string()))),
        (0_u64..=99_999, "[0-9]{0,11}[1-9]")
            .prop_map(|(whole, part)| (Value::Null, json!(format!("{whole}.{part}")))),
    ]
}

fn tier(up_to: Value) -> impl Strategy<Value = Value> {
    (amount(), amount()).prop_map(move |(flat, unit)| {
        json!({
            "up_to": up_to, "flat_amount": flat.0, "flat_amount_decimal": flat.1,
            "unit_amount": unit.0, "unit_amount_decimal": unit.1,
        })
    })
}

fn tiers() -> impl Strategy<Value = Value> {
    (0_usize..14).prop_flat_map(|n| {
        let mut all: Vec<_> = (1..=n).map(|at| tier(json!(at * 10)).boxed()).collect();
        all.push(tier(Value::Null).boxed());
        all.prop_map(Value::Array)
    })
}

fn priced() -> impl Strategy<Value = Value> {
    let one = amount()
        .prop_filter("an amount", |(_, decimal)| !decimal.is_null())
        .prop_map(|(whole, decimal)| json!({"unit_amount": whole, "unit_amount_decimal": decimal}));
    let tiered = (tiers(), prop_oneof![Just("graduated"), Just("volume")]).prop_map(|(tiers, mode)| {
        json!({
            "billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers, "unit_amount": null,
            "unit_amount_decimal": null,
        })
    });
    prop_oneof![one.boxed(), tiered.boxed()]
}

/// Any price that can be copied, as a list shows it.
pub(in crate::stages::catalogue) fn any_price() -> impl Strategy<Value = Value> {
    let words = proptest::option::of("[a-z][ -Z^-~é]{0,12}[a-z]");
    let metadata = proptest::collection::btree_map("[a-z]{1,5}", "[a-zé ]{0,8}[a-z&=]", 0..5);
    let behavior = prop_oneof![Just("exclusive"), Just("inclusive"), Just("unspecified")];
    (
        priced(),
        proptest::option::of(priced()),
        words,
        metadata,
        behavior,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(own, other, nickname, metadata, behavior, active, once)| {
            let mut price = price_json("price_1", "gold", own);
            let tiered = price["billing_scheme"] == "tiered";
            let fits = |option: &Value| (option["billing_scheme"] == "tiered") == tiered;
            if let Some(option) = other.filter(fits) {
                price["currency_options"] = json!({"usd": {}, "eur": option});
            }
            price["nickname"] = json!(nickname);
            price["metadata"] = json!(metadata);
            price["tax_behavior"] = json!(behavior);
            price["active"] = json!(active);
            if once {
                price["recurring"] = Value::Null;
            }
            price
        })
}

proptest! {
    #[test]
    fn any_price_comes_back_from_its_form_field_by_field_and_is_attested(price in any_price()) {
        let old = item(&price);
        prop_assert_eq!(&old.trouble, &None);
        let accounts = accounts();
        let effects = Effects { accounts: &accounts };
        let write = effects.create(&old, &old.fields).unwrap();
        let made = created(&write, "price_new");
        let new = item(&made);
        prop_assert_eq!(old.fields.differences(&new.fields), Vec::<String>::new());
        prop_assert_eq!(new.of.as_deref(), Some("price_1"));
        let attested = Catalogue.attest(&write, made.to_string().as_bytes(), false);
        prop_assert_eq!(attested.map(|attested| attested.object), Ok("price_new".to_owned()));
    }

    #[test]
    fn a_changed_amount_anywhere_is_never_attested(price in any_price(), at in any::<proptest::sample::Index>()) {
        let old = item(&price);
        let accounts = accounts();
        let write = Effects { accounts: &accounts }.create(&old, &old.fields).unwrap();
        let amounts: Vec<usize> = (0..write.form.len()).filter(|n| write.form[*n].0.contains("amount")).collect();
        prop_assume!(!amounts.is_empty());
        let mut other = write.clone();
        let field = &mut other.form[amounts[at.index(amounts.len())]];
        field.1 = if field.0.contains("decimal") { format!("1{}", field.1) } else { format!("{}1", field.1) };
        let made = created(&other, "price_new");
        prop_assert!(Catalogue.attest(&write, made.to_string().as_bytes(), false).is_err());
    }
}
