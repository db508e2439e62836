//! What rows sell: prices, numbered items, ad-hoc amounts.

use super::*;

const ADHOC: &str =
    "adhoc_items.0.amount,adhoc_items.0.product,adhoc_items.0.interval,adhoc_items.0.currency";

#[test]
fn items_are_numbered_without_a_gap_and_complete() {
    let columns = "items.0.price,items.0.quantity,items.1.price,items.1.quantity,items.2.price";
    let none = set(&[]);
    assert_eq!(wide(columns, "price_a,1,price_b,,").0, none);
    assert_eq!(
        wide(columns, "price_a,1,,,price_c").0,
        set(&["items.2.price items_gap"])
    );
    assert_eq!(
        wide(columns, "price_a,1,,4,").0,
        set(&["items.1.price incomplete_item"])
    );
    assert_eq!(wide(columns, ",,,,").0, set(&["items.0.price no_price"]));
    assert_eq!(
        wide(columns, "price_a,,price_a,,").1,
        set(&["items.1.price price_twice"])
    );
    assert_eq!(
        wide("price,items.0.price", "price_a,price_b").0,
        set(&["price price_and_items"])
    );
    let gap = wide("items.0.price,items.2.price", "price_a,");
    assert_eq!(gap, (none, set(&["items.2.price column_gap"])));
}

#[test]
fn twenty_items_are_the_most() {
    for n in [20, 21] {
        let columns: Vec<String> = (0..n).map(|n| format!("items.{n}.price")).collect();
        let cells: Vec<String> = (0..n).map(|n| format!("price_{n}")).collect();
        let errors = wide(&columns.join(","), &cells.join(",")).0;
        assert_eq!(
            errors,
            if n == 20 {
                set(&[])
            } else {
                set(&["items.0.price too_many_items"])
            }
        );
    }
}

#[test]
fn amounts_are_in_full_units_with_the_decimals_of_their_currency() {
    let judged = |amount: &str, currency: &str| {
        let (errors, warnings) = wide(ADHOC, &format!("{amount},prod_a,month,{currency}"));
        errors.into_iter().chain(warnings).collect::<Vec<_>>().join(" ")
    };
    for (amount, currency) in [
        ("21.50", "usd"),
        ("500", "jpy"),
        ("500.00", "jpy"),
        ("1.230", "kwd"),
        ("7.00", "isk"),
    ] {
        assert_eq!(judged(amount, currency), "", "{amount} {currency}");
    }
    let cases = [
        ("21.505", "usd", "adhoc_items.0.amount amount_decimals"),
        ("500.50", "jpy", "adhoc_items.0.amount amount_decimals"),
        ("7.50", "isk", "adhoc_items.0.amount amount_decimals"),
        ("1.234", "kwd", "adhoc_items.0.amount amount_third_decimal"),
        ("0", "usd", "adhoc_items.0.amount amount_not_positive"),
        ("-5", "usd", "adhoc_items.0.amount amount_not_positive"),
        ("$5", "usd", "adhoc_items.0.amount amount_format"),
        ("\"21,50\"", "usd", "adhoc_items.0.amount spreadsheet_damage"),
        ("\"1,234.50\"", "usd", "adhoc_items.0.amount spreadsheet_damage"),
        ("1E+3", "usd", "adhoc_items.0.amount spreadsheet_damage"),
        ("2000000", "usd", "adhoc_items.0.amount amount_large"),
        ("5", "USD", "adhoc_items.0.currency currency_case"),
        ("5", "dollar", "adhoc_items.0.currency unknown_currency"),
        ("5", "xxx", "adhoc_items.0.currency unknown_currency"),
    ];
    for (amount, currency, said) in cases {
        assert_eq!(judged(amount, currency), said, "{amount} {currency}");
    }
}

#[test]
fn an_ad_hoc_item_is_complete_and_of_one_currency() {
    for (cells, missing) in [
        (",prod_a,month,usd", "amount"),
        ("5,,month,usd", "product"),
        ("5,prod_a,,usd", "interval"),
        ("5,prod_a,month,", "currency"),
    ] {
        assert_eq!(
            wide(ADHOC, cells).0,
            set(&[&format!("adhoc_items.0.{missing} incomplete_item")])
        );
    }
    assert_eq!(
        wide(ADHOC, "5,prod_a,fortnight,usd").0,
        set(&["adhoc_items.0.interval not_a_choice"])
    );
    let currency = wide(&format!("{ADHOC},currency"), "5,prod_a,month,usd,eur").0;
    assert_eq!(currency, set(&["adhoc_items.0.currency mixed_currencies"]));
    let mixed = wide(&format!("{ADHOC},price"), "5,prod_a,month,usd,price_a");
    assert_eq!(mixed, (set(&[]), set(&["adhoc_items.0.amount mixed_pricing"])));
    let extra = "price,add_invoice_items.0.amount,add_invoice_items.0.product,add_invoice_items.0.currency";
    assert_eq!(wide(extra, "price_a,5,prod_a,usd").0, set(&[]));
    assert_eq!(
        wide(extra, "price_a,5,prod_a,").0,
        set(&["add_invoice_items.0.currency incomplete_item"])
    );
    assert_eq!(wide(extra, "price_a,,,").0, set(&[]));
}

#[test]
fn the_ad_hoc_template_without_a_second_product_is_a_contradiction_of_the_page() {
    let columns = format!("{ADHOC},adhoc_items.1.amount,adhoc_items.1.interval,adhoc_items.1.currency");
    let (errors, warnings) = wide(&columns, "5,prod_a,month,usd,6,month,usd");
    assert_eq!(
        (errors, warnings),
        (set(&[]), set(&["adhoc_items.1.amount adhoc_product_template"]))
    );
    let columns = format!("{columns},adhoc_items.1.product");
    assert_eq!(
        wide(&columns, "5,prod_a,month,usd,6,month,usd,").0,
        set(&["adhoc_items.1.product incomplete_item"])
    );
}
