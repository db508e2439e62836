use proptest::prelude::*;

use super::{FileError, Lint, Mapping, Origin, Problem};

const HEADER: &str = "customer_id_old,source_id_old,customer_id_new,source_id_new\n";

fn read(text: impl AsRef<[u8]>) -> Result<Mapping, FileError> {
    Mapping::read([("mapping.csv", text.as_ref())])
}

fn rows(text: &str) -> Mapping {
    read(format!("{HEADER}{text}")).unwrap()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

fn counts(lint: &Lint) -> (u64, u64, u64, u64) {
    (lint.rows, lint.accepted, lint.rejected(), lint.identical)
}

fn count(mapping: &Mapping, problem: Problem) -> u64 {
    mapping
        .lint()
        .problems
        .get(&problem)
        .map_or(0, |tally| tally.count)
}

#[test]
fn both_layouts_of_the_self_serve_copy_say_the_same() {
    let four = rows("cus_1,card_1,cus_1,card_9\ncus_2,,cus_2,\n");
    let six = read(
        "customer_id_old,v2_account_id_old,source_id_old,customer_id_new,v2_account_id_new,source_id_new\n\
         cus_1,,card_1,cus_1,,card_9\ncus_2,,,cus_2,,\n",
    )
    .unwrap();
    assert_eq!(four.digest(), six.digest());
    assert_eq!(four.origin(), Origin::SelfServe);
    assert_eq!(four.method("card_1").unwrap().new_source, "card_9");
    assert_eq!(four.method("card_2"), None);
    assert_eq!(four.customer("cus_2"), Some("cus_2"));
    assert_eq!(four.customer("cus_3"), None);
    assert_eq!(six.lint().ignored, ["v2_account_id_old", "v2_account_id_new"]);
}

#[test]
fn marks_line_ends_quotes_and_order_of_columns_change_nothing() {
    let plain = rows("cus_1,pm_1,cus_1,pm_9\n");
    let dressed = read(
        "\u{feff}source_id_new,extra,customer_id_new,\"customer_id_old\",Source_ID_old\r\n\
         pm_9,\"two\r\nlines\",cus_1,cus_1,\" pm_1 \"\r\n\r\n",
    )
    .unwrap();
    assert_eq!(plain.digest(), dressed.digest());
    let unfinished = read(format!("{HEADER}cus_1,pm_1,cus_1,pm_9")).unwrap();
    assert_eq!(plain.digest(), unfinished.digest());
}

#[test]
fn the_json_of_a_processor_is_told_by_its_content_and_may_change_customers() {
    let mapping = Mapping::read([(
        "mapping.csv",
        br#"{ "42": {"id": "cus_1", "cards": {"c-1": {"id": "card_1", "last4": "4242"}, "c-2": {"id": "card_2"}}},
             "43": {"id": "cus_2", "email": {"x": [1]}} }"#
            .as_slice(),
    )])
    .unwrap();
    assert_eq!(mapping.origin(), Origin::Processor);
    assert_eq!(mapping.customer("42"), Some("cus_1"));
    assert_eq!(mapping.method("c-2").unwrap().new_source, "card_2");
    assert_eq!(mapping.customer("43"), Some("cus_2"));
    let csv = read(
        "old_customer_id,customer_id,old_card_id,card_id,card_last4\n42,cus_1,c-1,card_1,4242\n42,cus_1,c-2,card_2,1\n43,cus_2,,,\n",
    )
    .unwrap();
    assert_eq!(csv.digest(), mapping.digest());
}

#[test]
fn broken_json_is_named_by_line_and_column() {
    let said = refusal("{\"42\": {\"id\": \"cus_1\",\n \"cards\": [1]}}");
    assert!(said.starts_with("mapping.csv, line 2, column"), "{said}");
    let cut = refusal("{\"42\": {\"id\": \"cus_1\"");
    assert!(cut.contains("fetch the file again"), "{cut}");
}

#[test]
fn a_required_column_that_is_missing_or_there_twice_refuses_the_file() {
    let missing = refusal("customer_id_old,source_id_old,customer_id_new\n");
    assert!(
        missing.contains("line 1, column `source_id_new`: is missing"),
        "{missing}"
    );
    let twice = refusal("customer_id_old,source_id_old,source_id_old,customer_id_new,source_id_new\n");
    assert!(
        twice.contains("line 1, column `source_id_old`: stands there twice"),
        "{twice}"
    );
    let semicolons = refusal("customer_id_old;source_id_old;customer_id_new;source_id_new\n");
    assert!(semicolons.contains("comma"), "{semicolons}");
    assert!(refusal("").contains("is empty"));
    assert!(refusal(" \n ").contains("is empty"));
    assert!(refusal(b"\xff\xfec\0u\0").contains("UTF-16"));
}

#[test]
fn one_old_method_with_two_new_ones_refuses_the_file_and_names_both_lines() {
    let said = refusal(format!("{HEADER}cus_1,pm_1,cus_1,pm_8\ncus_1,pm_1,cus_1,pm_9\n"));
    assert!(said.contains("line 3"), "{said}");
    assert!(said.contains("line 2 of mapping.csv"), "{said}");
    assert!(said.contains("pm_1"), "{said}");
    let customer = refusal(format!("{HEADER}cus_1,pm_1,cus_1,pm_8\ncus_1,pm_2,cus_2,pm_9\n"));
    assert!(customer.contains("customer cus_1"), "{customer}");
    let two_files = Mapping::read([
        ("a.csv", format!("{HEADER}cus_1,pm_1,cus_1,pm_8\n").as_bytes()),
        ("b.csv", format!("{HEADER}cus_1,pm_1,cus_1,pm_9\n").as_bytes()),
    ]);
    assert!(two_files.unwrap_err().to_string().contains("line 2 of a.csv"));
}

#[test]
fn what_is_said_twice_counts_once_also_over_two_files() {
    let text = format!("{HEADER}cus_1,pm_1,cus_1,pm_8\ncus_2,,cus_2,\n");
    let mapping = Mapping::read([("a.csv", text.as_bytes()), ("b.csv", text.as_bytes())]).unwrap();
    assert_eq!(counts(mapping.lint()), (4, 2, 0, 2));
    assert_eq!(mapping.iter().count(), 2);
}

#[test]
fn two_old_methods_with_one_new_one_are_both_out_of_use_and_a_third_as_well() {
    let mapping =
        rows("cus_1,pm_1,cus_1,pm_9\ncus_1,pm_2,cus_1,pm_9\ncus_1,pm_3,cus_1,pm_9\ncus_1,pm_4,cus_1,pm_7\n");
    assert_eq!(count(&mapping, Problem::ManyToOne), 3);
    assert_eq!(counts(mapping.lint()), (4, 1, 3, 0));
    for gone in ["pm_1", "pm_2", "pm_3"] {
        assert_eq!(mapping.method(gone), None, "{gone}");
    }
    assert_eq!(mapping.method("pm_4").unwrap().new_source, "pm_7");
    assert_eq!(mapping.iter().count(), 1);
}

#[test]
fn rows_that_cannot_be_used_are_named_by_place_and_the_rest_is_used() {
    let mut text = HEADER.as_bytes().to_vec();
    for row in [
        b"cus_1,pm_1,cus_1,pm_9".as_slice(),
        b",pm_2,cus_1,pm_8",
        b"cus_3,pm_3,cus_3,",
        b"cus_4,pm_4,cus_4,tok_4",
        b"pm_5,cus_5,cus_5,pm_6",
        b"cus_6,pm_\0,cus_6,pm_66",
        b"cus_7,pm_\xff7,cus_7,pm_77",
        b"cus_8,pm_8",
        b"1.23E+12,pm_10,cus_9,pm_99",
        b"cus_11,pm_11,cus_11,pm_111",
    ] {
        text.extend_from_slice(row);
        text.push(b'\n');
    }
    let mapping = read(&text).unwrap();
    assert_eq!(counts(mapping.lint()), (10, 2, 8, 0));
    assert_eq!(count(&mapping, Problem::Blank), 1);
    assert_eq!(count(&mapping, Problem::HalfBlank), 1);
    assert_eq!(count(&mapping, Problem::Prefix), 2);
    assert_eq!(count(&mapping, Problem::NotAnId), 3);
    assert_eq!(count(&mapping, Problem::Cells), 1);
    let place = &mapping.lint().problems[&Problem::HalfBlank].first[0];
    assert_eq!(
        place.to_string(),
        "mapping.csv, line 4, column `source_id_new`: pm_3"
    );
    assert_eq!(mapping.method("pm_11").unwrap().line, 11);
}

#[test]
fn a_line_of_more_than_a_mebibyte_is_rejected_and_the_next_is_read() {
    let long = "x".repeat((1 << 20) + 1);
    let mapping = rows(&format!("cus_1,{long},cus_1,pm_1\ncus_2,pm_2,cus_2,pm_9\n"));
    assert_eq!(count(&mapping, Problem::Overlong), 1);
    assert_eq!(mapping.method("pm_2").unwrap().new_source, "pm_9");
}

#[test]
fn a_quotation_mark_that_is_never_closed_refuses_the_file() {
    let said = refusal(format!(
        "{HEADER}cus_1,\"pm_1,cus_1,pm_9\ncus_2,pm_2,cus_2,pm_8\n"
    ));
    assert!(said.contains("line 2"), "{said}");
    assert!(said.contains("quotation mark"), "{said}");
}

proptest! {
    #[test]
    fn every_row_is_accepted_rejected_or_said_twice(text in "[cuspm_,19 \"x\n\r\u{0}é]{0,300}") {
        let whole = format!("{HEADER}{text}");
        if let Ok(mapping) = read(&whole) {
            let (rows, accepted, rejected, identical) = counts(mapping.lint());
            prop_assert_eq!(rows, accepted + rejected + identical);
            prop_assert_eq!(accepted, mapping.iter().count() as u64);
        }
    }

    #[test]
    fn a_mapping_is_a_function_and_onto_distinct_targets(
        pairs in proptest::collection::vec((0..6_u8, 0..6_u8, 0..6_u8), 0..12),
    ) {
        let lines = pairs.iter().map(|(customer, old, new)| format!("cus_{customer},pm_o{old},cus_{customer},pm_n{new}\n"));
        let text = lines.collect::<Vec<_>>().concat();
        let whole = format!("{HEADER}{text}");
        let one_target = |old: u8| {
            let all: std::collections::BTreeSet<_> = pairs.iter().filter(|p| p.1 == old).collect();
            all.len() <= 1
        };
        match read(&whole) {
            Err(_) => prop_assert!(!(0..6).all(one_target)),
            Ok(mapping) => {
                prop_assert!((0..6).all(one_target));
                let mut seen = std::collections::BTreeSet::new();
                for target in mapping.iter() {
                    prop_assert!(seen.insert(target.new_source.to_owned()));
                    prop_assert_eq!(mapping.method(target.source), Some(target));
                }
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(seed in any::<u64>()) {
        let mut lines: Vec<String> = (0..20).map(|n| format!("cus_{n},pm_o{n},cus_{n},pm_n{n}\n")).collect();
        let first = rows(&lines.concat()).digest();
        let at = usize::try_from(seed % 20).unwrap();
        lines.rotate_left(at);
        prop_assert_eq!(first, rows(&lines.concat()).digest());
    }
}
