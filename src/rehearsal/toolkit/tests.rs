use super::*;

const NOW: i64 = 1_703_900_000;
/// More than a day later.
const START: &str = "1704067200";

fn verdicts(header: &str, rows: &[&str]) -> Vec<String> {
    let file = format!("{header}\n{}\n", rows.join("\n"));
    let found = validate(file.as_bytes(), NOW, false).unwrap();
    let words = |verdict: &RowVerdict| {
        let words: Vec<String> = verdict.problems.iter().map(ToString::to_string).collect();
        words.join("; ")
    };
    found.iter().map(words).collect()
}

/// Of one row with those cells besides a customer, a start and a price, the columns that are wrong.
fn wrong(cells: &[(&str, &str)]) -> Vec<String> {
    let mut of = vec![("customer", "cus_1"), ("start_date", START), ("price", "price_1")];
    for (name, value) in cells {
        of.retain(|(known, _)| known != name);
        of.push((name, value));
    }
    let header: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
    let row: Vec<String> = of.iter().map(|(_, value)| format!("\"{value}\"")).collect();
    let file = format!("{}\n{}\n", header.join(","), row.join(","));
    let found = validate(file.as_bytes(), NOW, false).unwrap();
    found[0].problems.iter().map(|p| p.column.clone()).collect()
}

#[test]
fn a_row_with_nothing_but_what_is_required_is_accepted() {
    assert_eq!(wrong(&[]), Vec::<String>::new());
    assert_eq!(
        verdicts(
            " customer (required) ,start_date,price",
            &["cus_1,1704067200,price_1"]
        ),
        [""]
    );
}

/// Cells of a row, and the columns that are wrong then.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const CASES: &[Case] = &[
    (&[("customer", "")], &["customer"]),
    (&[("start_date", "")], &["start_date"]),
    (&[("price", "")], &["price"]),
    (&[("start_date", "1704067200000")], &["start_date"]),
    (&[("start_date", "2024-01-01")], &["start_date"]),
    (&[("start_date", "1.70407E+09")], &["start_date"]),
    (&[("start_date", "1703986399")], &["start_date"]),
    (&[("start_date", "1703986400")], &[]),
    (&[("customer", "cus_1 ")], &["customer"]),
    (&[("quantity", "2")], &[]),
    (&[("quantity", "0")], &[]),
    (&[("quantity", "1.5")], &["quantity"]),
    (&[("price", ""), ("quantity", "2")], &["price"]),
    (&[("automatic_tax", "TRUE")], &[]),
    (&[("automatic_tax", "yes")], &["automatic_tax"]),
    (
        &[("automatic_tax", "true"), ("default_tax_rate", "txr_1")],
        &["default_tax_rate"],
    ),
    (&[("automatic_tax", "FALSE"), ("default_tax_rate", "txr_1")], &[]),
    (&[("coupon", "A,B")], &["coupon"]),
    (
        &[("proration_behavior", "always_invoice")],
        &["proration_behavior"],
    ),
    (&[("collection_method", "send_invoice")], &["days_until_due"]),
    (&[("days_until_due", "30")], &["days_until_due"]),
    (
        &[("collection_method", "send_invoice"), ("days_until_due", "30")],
        &[],
    ),
    (
        &[("collection_method", "send_invoice"), ("days_until_due", "0")],
        &["days_until_due"],
    ),
    (
        &[("collection_method", "invoice"), ("days_until_due", "3")],
        &["collection_method"],
    ),
    (&[("backdate_start_date", "1703462400")], &["proration_behavior"]),
    (
        &[
            ("backdate_start_date", "1703462400"),
            ("proration_behavior", "none"),
        ],
        &[],
    ),
    (
        &[
            ("backdate_start_date", "1703900000"),
            ("proration_behavior", "none"),
        ],
        &["backdate_start_date"],
    ),
    (&[("billing_cycle_anchor", START)], &[]),
    (
        &[("billing_cycle_anchor", "1704067199")],
        &["billing_cycle_anchor"],
    ),
    (&[("trial_end", START)], &["trial_end"]),
    (&[("trial_end", "1704067201")], &[]),
    (
        &[
            ("trial_end", "1706140800"),
            ("billing_cycle_anchor", "1706140800"),
        ],
        &["trial_end"],
    ),
    (&[("currency", "USD")], &["currency"]),
    (&[("currency", "zzz")], &["currency"]),
    (&[("items.0.price", "price_2")], &["price"]),
    (
        &[
            ("price", ""),
            ("items.0.price", "price_1"),
            ("items.1.price", "price_2"),
        ],
        &[],
    ),
    (
        &[("price", ""), ("items.0.price", ""), ("items.1.price", "price_2")],
        &["items.0"],
    ),
    (
        &[
            ("price", ""),
            ("items.0.price", "price_1"),
            ("items.1.price", "price_1"),
        ],
        &["items"],
    ),
    (
        &[("price", ""), ("items.0.price", "p"), ("items.1.quantity", "2")],
        &["items.1.price"],
    ),
    (
        &[("add_invoice_items.0.amount", "50")],
        &["add_invoice_items.0.product", "add_invoice_items.0.currency"],
    ),
    (&[("metadata.k", " =1+1 "), ("metadata_l", "x")], &[]),
    (&[("cancel_at_period_end", "True")], &["cancel_at_period_end"]),
    (&[("something", "else"), ("processing_error", "x")], &[]),
];

#[test]
fn each_cell_is_refused_for_its_own_reason_and_no_other() {
    for (cells, columns) in CASES {
        assert_eq!(wrong(cells), *columns, "{cells:?}");
    }
}

#[test]
fn ad_hoc_items_agree_with_each_other() {
    let item = |n: usize, amount: &str, interval: &str, currency: &str| {
        let cell = |field: &str, value: &str| (format!("adhoc_items.{n}.{field}"), value.to_owned());
        vec![
            cell("amount", amount),
            cell("product", "prod_1"),
            cell("interval", interval),
            cell("currency", currency),
        ]
    };
    let wrong_of = |items: Vec<Vec<(String, String)>>, more: &[(&str, &str)]| {
        let items: Vec<(String, String)> = items.into_iter().flatten().collect();
        let mut cells = vec![("price", "")];
        cells.extend(items.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        cells.extend(more);
        wrong(&cells)
    };
    let month = || item(0, "19.99", "month", "usd");
    assert!(wrong_of(vec![month()], &[]).is_empty());
    assert!(wrong_of(vec![month(), item(1, "5", "month", "usd")], &[]).is_empty());
    assert_eq!(
        wrong_of(vec![month(), item(1, "5", "year", "usd")], &[]),
        ["adhoc_items.1.interval"]
    );
    assert_eq!(
        wrong_of(vec![month(), item(1, "5", "month", "aud")], &[]),
        ["adhoc_items.1.currency"]
    );
    assert_eq!(
        wrong_of(vec![item(0, "500.5", "month", "jpy")], &[]),
        ["adhoc_items.0.amount"]
    );
    assert_eq!(
        wrong_of(vec![month()], &[("billing_cycle_anchor", "1706745601")]),
        ["billing_cycle_anchor"]
    );
    assert!(wrong_of(vec![month()], &[("billing_cycle_anchor", "1706745600")]).is_empty());
    assert_eq!(
        wrong_of(vec![month()], &[("trial_end", "1706745600")]),
        ["trial_end"]
    );
}

#[test]
fn a_file_that_is_none_is_refused_as_a_whole() {
    let refused = |file: &[u8]| validate(file, NOW, false).unwrap_err();
    assert_eq!(refused(b""), FileRefused::NoRows);
    assert_eq!(refused(b"customer,start_date,price\n"), FileRefused::NoRows);
    assert_eq!(
        refused(b"customer,price\na,b\n"),
        FileRefused::Missing("start_date")
    );
    assert_eq!(
        refused(b"customer,start_date\na,1\n"),
        FileRefused::Missing("price")
    );
    assert_eq!(
        refused(b"customer;start_date;price\na;1;p\n"),
        FileRefused::Missing("customer")
    );
    assert_eq!(
        refused(b"customer,start_date,price,metadata.k,metadata_k\na,1,p,x,y\n"),
        FileRefused::Twice("metadata_k".into())
    );
    assert_eq!(
        refused(b"customer,start_date,items.x.price\na,1,p\n"),
        FileRefused::NoSuchItem("items.x.price".into())
    );
    assert_eq!(
        refused(b"customer,start_date,price\na,1,\"p\n"),
        FileRefused::OpenQuote(2)
    );
    assert_eq!(refused(&vec![b'x'; MOST_BYTES + 1]), FileRefused::TooLarge);
    assert_eq!(refused(b"\x1F\x8B\x08\x00"), FileRefused::NotText);
}

#[test]
fn a_sandbox_asks_for_an_hour_where_the_account_asks_for_a_day() {
    let file = format!(
        "customer,start_date,price\nc,{},p\nc,{},p\n",
        NOW + 3600,
        NOW + 3599
    );
    let accepted = |sandbox| {
        let found = validate(file.as_bytes(), NOW, sandbox).unwrap();
        found.iter().map(RowVerdict::is_accepted).collect::<Vec<_>>()
    };
    assert_eq!(accepted(true), [true, false]);
    assert_eq!(accepted(false), [false, false]);
}

#[test]
fn rows_of_another_width_and_torn_rows_fail_alone() {
    let header = "customer,start_date,price";
    let right = format!("c,{START},p");
    let rows = [
        right.as_str(),
        "c,1704067200",
        "c,1704067200,p,x",
        "\"c\"d,1704067200,p",
    ];
    let found = verdicts(header, &rows);
    let accepted: Vec<bool> = found.iter().map(String::is_empty).collect();
    assert_eq!(accepted, [true, false, false, false], "{found:?}");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_validated_without_a_panic(bytes in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::prelude::Just(b','), proptest::prelude::Just(b'\n'), proptest::prelude::Just(b'"'),
            proptest::prelude::any::<u8>()
        ], 0..200)) {
        let mut file = b"customer,start_date,price,items.0.price,adhoc_items.0.amount,metadata.k\n".to_vec();
        file.extend(bytes);
        let _ = validate(&file, NOW, false);
    }
}
