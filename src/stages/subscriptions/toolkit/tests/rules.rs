//! Every rule, broken once, and kept once where the border lies.

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> String {
    (START + seconds).to_string()
}

const DAY: i64 = 86_400;

#[test]
fn a_good_row_has_nothing_to_be_said_of() {
    warns(&[], &[]);
    warns(
        &[("quantity", "3"), ("coupon", "50_off"), ("automatic_tax", "TRUE")],
        &[],
    );
    warns(
        &[("collection_method", "send_invoice"), ("days_until_due", "30")],
        &[],
    );
    warns(&[("default_tax_rate", "txr_1"), ("automatic_tax", "FALSE")], &[]);
    warns(&[("trial_end", &at(5 * DAY))], &[]);
    warns(
        &[
            ("billing_cycle_anchor", &at(5 * DAY)),
            ("proration_behavior", "create_prorations"),
        ],
        &[],
    );
    warns(
        &[
            ("backdate_start_date", "1600000000"),
            ("proration_behavior", "none"),
        ],
        &[],
    );
}

#[test]
fn what_every_row_needs_is_asked_for_by_name() {
    rejects(&[("customer", "")], &["customer missing_value"]);
    rejects(&[("start_date", "")], &["start_date missing_value"]);
    rejects(&[("price", "")], &["price missing_value"]);
}

#[test]
fn a_start_lies_a_day_after_the_upload_or_an_hour_in_a_sandbox() {
    for (mode, lead) in [(Mode::Live, 86_400), (Mode::Sandbox, 3_600)] {
        for (start, good) in [(NOW + lead, true), (NOW + lead - 1, false)] {
            let start = start.to_string();
            let file = format!("{HEADER}\n{}\n", row(&[("start_date", &start)]));
            let rules = Rules { mode, ..rules() };
            let report = lint_with(file.as_bytes(), &rules).unwrap().report;
            assert_eq!(report.accepted == 1, good, "{mode:?} {start}");
            assert_eq!(report.counts.contains_key(&Rule::StartTooSoon), !good);
        }
    }
    warns(
        &[("start_date", &at(3 * 366 * DAY))],
        &["start_date start_far_ahead"],
    );
}

#[test]
fn times_that_are_none_are_named_for_what_they_are() {
    let cases = [
        ("1704067200000", "time_in_milliseconds"),
        ("1704067200000000", "time_in_milliseconds"),
        ("1704067200000000000", "time_in_milliseconds"),
        ("2024-01-01", "time_as_date"),
        ("2024-01-01T00:00:00Z", "time_as_date"),
        ("1/1/2024", "time_as_date"),
        ("01.01.2024", "time_as_date"),
        ("1 January 2024", "time_as_date"),
        ("1.70E+09", "spreadsheet_damage"),
        ("1.7041E+12", "spreadsheet_damage"),
        ("45292", "spreadsheet_damage"),
        ("45123.5", "spreadsheet_damage"),
        ("1704067200.0", "spreadsheet_damage"),
        ("1.704.067.200", "spreadsheet_damage"),
        ("1 704 067 200", "spreadsheet_damage"),
        ("'1704067200", "spreadsheet_damage"),
        (" 1704067200", "surrounding_space"),
        ("1704067200\u{a0}", "surrounding_space"),
        ("soon", "not_a_time"),
        ("-1704067200", "not_a_time"),
        ("17040672", "not_a_time"),
        ("99999999999999999999999", "not_a_time"),
    ];
    for (value, rule) in cases {
        rejects(&[("start_date", value)], &[&format!("start_date {rule}")]);
    }
    rejects(
        &[("start_date", "\"1,704,067,200\"")],
        &["start_date spreadsheet_damage"],
    );
}

#[test]
fn where_nothing_was_lost_the_right_value_is_offered() {
    let cases = [
        ("1704067200000", "1704067200"),
        ("1704067200.0", "1704067200"),
        ("1.704.067.200", "1704067200"),
        ("2024-01-01T02:00:00+02:00", "1704067200"),
    ];
    for (value, right) in cases {
        let report = linted(format!("{HEADER}\n{}\n", row(&[("start_date", value)]))).report;
        assert!(
            report.errors[0].message.contains(right),
            "{}",
            report.errors[0].message
        );
    }
}

#[test]
fn a_backdate_is_past_and_without_proration() {
    let none = ("proration_behavior", "none");
    rejects(
        &[("backdate_start_date", &NOW.to_string()), none],
        &["backdate_start_date backdate_not_past"],
    );
    let old = ("backdate_start_date", "1600000000");
    rejects(&[old], &["proration_behavior backdate_needs_none"]);
    let create = ("proration_behavior", "create_prorations");
    rejects(&[old, create], &["proration_behavior backdate_needs_none"]);
    // The form of the page's past-due example.
    let anchor = at(24 * DAY);
    warns(
        &[old, create, ("billing_cycle_anchor", &anchor)],
        &["proration_behavior backdate_prorated"],
    );
}

#[test]
fn a_trial_ends_after_the_start_and_within_the_cycle() {
    rejects(&[("trial_end", &at(0))], &["trial_end trial_not_after_start"]);
    let anchor = at(10 * DAY);
    warns(&[("trial_end", &anchor), ("billing_cycle_anchor", &anchor)], &[]);
    rejects(
        &[("trial_end", &at(11 * DAY)), ("billing_cycle_anchor", &anchor)],
        &["trial_end trial_after_cycle"],
    );
}

#[test]
fn an_anchor_is_not_before_the_start_and_a_free_cycle_is_said() {
    rejects(
        &[("billing_cycle_anchor", &at(-1))],
        &["billing_cycle_anchor anchor_before_start"],
    );
    warns(
        &[("billing_cycle_anchor", &at(0)), ("proration_behavior", "none")],
        &[],
    );
    let free = [
        ("billing_cycle_anchor", at(9 * DAY)),
        ("proration_behavior", "none".to_owned()),
    ];
    let free: Vec<(&str, &str)> = free.iter().map(|(name, value)| (*name, value.as_str())).collect();
    warns(&free, &["billing_cycle_anchor anchor_without_proration"]);
    let old = ("backdate_start_date", "1600000000");
    warns(&[free[0], free[1], old], &["billing_cycle_anchor free_cycle"]);
}

#[test]
fn the_money_of_a_free_cycle_is_counted_where_the_row_tells_it() {
    let text = format!(
        "customer,start_date,adhoc_items.0.amount,adhoc_items.0.product,adhoc_items.0.interval,adhoc_items.0.currency,\
         adhoc_items.0.quantity,billing_cycle_anchor,backdate_start_date,proration_behavior\n\
         cus_A,{START},19.99,prod_A,month,usd,2,{},1600000000,none\n",
        at(9 * DAY)
    );
    let report = linted(text).report;
    assert_eq!(report.at_stake.in_words(), "-39.98 USD");
    assert!(
        report.warnings[0].message.contains("39.98 USD"),
        "{}",
        report.warnings[0].message
    );
}

#[test]
fn days_until_due_stand_with_send_invoice_and_nowhere_else() {
    rejects(
        &[("collection_method", "send_invoice")],
        &["days_until_due invoice_without_days"],
    );
    rejects(
        &[("days_until_due", "30")],
        &["days_until_due days_without_invoice"],
    );
    let automatic = ("collection_method", "charge_automatically");
    rejects(
        &[("days_until_due", "30"), automatic],
        &["days_until_due days_without_invoice"],
    );
    let invoice = ("collection_method", "send_invoice");
    rejects(
        &[("days_until_due", "thirty"), invoice],
        &["days_until_due not_a_whole_number"],
    );
}

#[test]
fn words_booleans_and_numbers_are_taken_exactly() {
    rejects(
        &[("proration_behavior", "None")],
        &["proration_behavior not_a_choice"],
    );
    rejects(
        &[("collection_method", "auto")],
        &["collection_method not_a_choice"],
    );
    rejects(&[("automatic_tax", "yes")], &["automatic_tax not_a_boolean"]);
    rejects(
        &[("cancel_at_period_end", "True")],
        &["cancel_at_period_end not_a_boolean"],
    );
    rejects(&[("quantity", "1.5")], &["quantity spreadsheet_damage"]);
    rejects(&[("quantity", "-1")], &["quantity not_a_whole_number"]);
    warns(&[("quantity", "0")], &["quantity zero_quantity"]);
}

#[test]
fn one_coupon_and_one_tax() {
    rejects(&[("coupon", "a;b")], &["coupon several_coupons"]);
    rejects(&[("coupon", "\"a,b\"")], &["coupon several_coupons"]);
    rejects(
        &[("default_tax_rate", "txr_1;txr_2")],
        &["default_tax_rate several_tax_rates"],
    );
    rejects(
        &[("default_tax_rate", "txr_1"), ("automatic_tax", "true")],
        &["default_tax_rate two_taxes"],
    );
    rejects(&[("coupon", "promo_1LPcLzAWeZvbCyjp")], &["coupon wrong_id"]);
    warns(&[("coupon", "Half price")], &["coupon coupon_name"]);
}

#[test]
fn an_id_of_another_kind_is_wrong_and_an_unusual_one_is_looked_at() {
    rejects(&[("price", "prod_A1")], &["price wrong_id"]);
    rejects(&[("customer", "jo@example.com")], &["customer wrong_id"]);
    rejects(
        &[("metadata.old_Stripe_sub_id", "cus_1")],
        &["metadata.old_Stripe_sub_id wrong_id"],
    );
    warns(&[("price", "gold-monthly")], &["price unusual_id"]);
    warns(&[("price", "plan_1")], &[]);
    rejects(&[("price", "price_A1 ")], &["price surrounding_space"]);
}

#[test]
fn a_shift_is_said_once() {
    let shifted =
        format!("cus_A1,{START},1,price_A1,sub_A1,internal:Stripe,,,,,,,none,charge_automatically,,\n");
    let report = linted(format!("{HEADER}\n{shifted}")).report;
    assert_eq!(
        said(&report).0,
        set(&["price shifted"])
            .into_iter()
            .map(|_| report.errors[0].column.clone() + " shifted")
            .collect()
    );
    assert_eq!(report.errors.len(), 1);
    rejects(
        &[
            ("quantity", "price_A1"),
            ("automatic_tax", "x"),
            ("days_until_due", "1"),
        ],
        &["quantity shifted"],
    );
    rejects(
        &[
            ("customer", "1704067200"),
            ("start_date", "price_A1"),
            ("price", "3"),
        ],
        &["customer shifted"],
    );
    rejects(
        &[("proration_behavior", "send_invoice"), ("days_until_due", "30")],
        &["proration_behavior shifted"],
    );
}

#[test]
fn the_same_old_subscription_is_taken_once() {
    let text = format!("{HEADER}\n{0}\n{0}\n{1}\n", row(&[]), row(&[("start_date", "x")]));
    let report = linted(&text).report;
    assert_eq!((report.accepted, report.rejected), (1, 2));
    let twins: Vec<_> = report
        .errors
        .iter()
        .filter(|one| one.rule == Rule::DuplicateOldId)
        .collect();
    assert_eq!(twins.iter().map(|one| one.row).collect::<Vec<_>>(), [2, 3]);
    assert!(twins[0].message.contains("line 2") && twins[0].value == "sub_A1");
    // The other spelling, and a first row that is wrong itself.
    let text = "customer,start_date,price,metadata_old_Stripe_sub_id,metadata_source\n\
        cus_A,x,price_A,sub_A,internal:Stripe\ncus_A,1704067200,price_A,sub_A,internal:Stripe\n";
    assert_eq!(linted(text).report.counts[&Rule::DuplicateOldId], 1);
}

#[test]
fn the_same_terms_under_another_id_are_a_warning() {
    let other = row(&[("metadata.old_Stripe_sub_id", "sub_B")]);
    let later = row(&[
        ("metadata.old_Stripe_sub_id", "sub_C"),
        ("start_date", "1704067201"),
    ]);
    let report = linted(format!("{HEADER}\n{}\n{other}\n{later}\n", row(&[]))).report;
    assert_eq!(report.accepted, 3);
    assert_eq!(said(&report).1, set(&["same_terms"]));
    assert_eq!(report.counts[&Rule::SameTerms], 1);
}

#[test]
fn the_summary_is_what_the_dashboard_shows() {
    let rows = [
        row(&[]),
        row(&[
            ("metadata.old_Stripe_sub_id", "sub_B"),
            ("start_date", "1704067100"),
        ]),
        row(&[("metadata.old_Stripe_sub_id", "sub_C"), ("customer", "cus_B")]),
        row(&[
            ("metadata.old_Stripe_sub_id", "sub_D"),
            ("customer", "cus_C"),
            ("start_date", "1703635200"),
            ("quantity", "x"),
        ]),
    ];
    let summary = linted(format!("{HEADER}\n{}\n", rows.join("\n"))).report.summary;
    let expected = Summary {
        uploaded_at: NOW,
        subscriptions: 3,
        customers: 2,
        first_go_live: Some(1_704_067_100),
    };
    assert_eq!(summary, expected);
}

#[test]
fn metadata_names_the_source_and_the_old_id() {
    warns(
        &[("metadata_source", "external:zuora")],
        &["metadata_source metadata_source"],
    );
    warns(
        &[("metadata.old_Stripe_sub_id", "")],
        &["metadata.old_Stripe_sub_id no_old_id"],
    );
    let report =
        linted("customer,start_date,price,metadata.old_Stripe_sub_id\ncus_A,1704067200,price_A,sub_A\n")
            .report;
    assert_eq!(said(&report).1, set(&["source_not_named"]));
    let long = "x".repeat(501);
    let file = format!("customer,start_date,price,metadata.note\ncus_A,1704067200,price_A,{long}\n");
    assert_eq!(
        said(&linted(file).report).0,
        set(&["metadata.note metadata_too_long"])
    );
}

#[test]
fn a_start_that_misses_the_period_end_by_a_time_zone_is_said() {
    let off = |end: &str| wide("price,current_period_end", &format!("price_a,{end}")).1;
    assert_eq!(off(&START.to_string()), set(&[]));
    assert_eq!(off("2024-01-01 00:00"), set(&[]));
    assert_eq!(off("2023-12-31 16:00"), set(&["start_date whole_hour_offset"]));
    assert_eq!(
        off(&(START + 5 * 3_600 + 1_800).to_string()),
        set(&["start_date whole_hour_offset"])
    );
    assert_eq!(off(&(START + 100).to_string()), set(&[]));
    assert_eq!(off(&(START + 20 * 3_600).to_string()), set(&[]));
}

#[test]
fn a_file_made_in_another_time_zone_is_said_once() {
    let file = |off: i64| {
        let rows = (0..30).map(|n: i64| {
            let (origin, start) = (1_600_000_000 + n * 7_777, START + n * 7_777 % 50_000);
            let next = origin + (start - origin).div_euclid(DAY) * DAY + DAY + off;
            format!("cus_{n},{next},price_a,{origin},none\n")
        });
        let rows: String = rows.collect();
        said(
            &linted(format!(
                "customer,start_date,price,backdate_start_date,proration_behavior\n{rows}"
            ))
            .report,
        )
        .1
    };
    assert_eq!(file(0), set(&[]));
    assert_eq!(file(5 * 3_600), set(&["backdate_start_date whole_hour_offset"]));
    let starts = (0..30).fold(String::new(), |lines, n| {
        let start = START + n * DAY + 5 * 3_600;
        format!("{lines}cus_{n},{start},price_a\n")
    });
    let report = linted(format!("customer,start_date,price\n{starts}")).report;
    assert_eq!(said(&report).1, set(&["start_date whole_hour_offset"]));
}

#[test]
fn accepted_rows_are_handed_over_as_they_were_understood() {
    let text = format!(
        "{HEADER}\n{}\n{}\n",
        row(&[("quantity", "x")]),
        row(&[
            ("quantity", "3"),
            ("metadata.old_Stripe_sub_id", "sub_B"),
            ("collection_method", "send_invoice"),
            ("days_until_due", "14"),
            ("coupon", "c"),
        ])
    );
    let mut seen = Vec::new();
    let mut take = |row: &Row<'_>| {
        seen.push((
            row.number,
            row.line,
            row.customer.to_owned(),
            row.prices[0].1,
            row.old_id.map(str::to_owned),
        ));
        assert_eq!(
            row.collection,
            crate::stages::subscriptions::facts::Collection::Invoice(14)
        );
        assert_eq!((row.start, row.coupon, row.prorates), (START, Some("c"), true));
        assert_eq!(
            row.metadata,
            [("old_Stripe_sub_id", "sub_B"), ("source", "internal:Stripe")]
        );
    };
    let out = Output {
        rows: Some(&mut take),
        ..Output::default()
    };
    lint(text.as_bytes(), &rules(), out, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(seen, [(2, 3, "cus_A1".to_owned(), 3, Some("sub_B".to_owned()))]);
}

#[test]
fn one_record_is_judged_like_a_row_of_a_file() {
    let findings = check(HEADER, &row(&[("quantity", "x")]), &rules()).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].rule, findings[0].value.as_str()),
        (Rule::NotAWholeNumber, "x")
    );
}

proptest! {
    #[test]
    fn the_order_of_the_columns_does_not_matter(seed in any::<u64>(), start in prop::sample::select(vec!["1704067200", "x", ""])) {
        let cells = row(&[("start_date", start)]);
        let mut pairs: Vec<(&str, &str)> = HEADER.split(',').zip(cells.split(',')).collect();
        let mut state = seed;
        for at in (1..pairs.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            pairs.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let (names, values): (Vec<&str>, Vec<&str>) = pairs.into_iter().unzip();
        let report = linted(format!("{}\n{}\n", names.join(","), values.join(","))).report;
        prop_assert_eq!(said(&report), verdict(&[("start_date", start)]));
    }
}
