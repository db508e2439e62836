use std::collections::BTreeMap;

use proptest::prelude::*;

use super::table::Table;
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

/// Everything a reading has to say.
fn said(read: Result<Mapping, FileError>) -> Result<(Lint, Vec<String>), FileError> {
    let mapping = read?;
    let rows = mapping.iter().map(|row| format!("{row:?}")).collect();
    Ok((mapping.lint().clone(), rows))
}

/// Old customer, old method, new customer, new method; blank where there is none.
type Cells = [String; 4];

/// What [`simply`] finds.
type Simple = (Vec<u64>, u64, BTreeMap<Problem, u64>);

/// What the reader does, said as simply as possible: the lines that are used, how many are said twice and how often each
/// problem occurs; or the line that refuses the file.
fn simply(rows: &[Cells]) -> Result<Simple, u64> {
    let (mut kept, mut identical, mut problems) = (Vec::<(u64, &Cells, bool)>::new(), 0, BTreeMap::new());
    for (line, row) in (2..).zip(rows) {
        let [customer, source, new_customer, new_source] = row;
        let problem = if customer.is_empty() || new_customer.is_empty() {
            Some(Problem::Blank)
        } else {
            (source.is_empty() != new_source.is_empty()).then_some(Problem::HalfBlank)
        };
        if let Some(problem) = problem {
            *problems.entry(problem).or_default() += 1;
            continue;
        }
        let earlier = |is: &dyn Fn(&Cells) -> bool| kept.iter().position(|(_, other, _)| is(other));
        if earlier(&|other| other[0] == *customer && other[2] != *new_customer).is_some() {
            return Err(line);
        }
        if earlier(&|other| other[1] == *source && (!source.is_empty() || other[0] == *customer)).is_some() {
            if earlier(&|other| other == row).is_none() {
                return Err(line);
            }
            identical += 1;
            continue;
        }
        let shared = earlier(&|other| !new_source.is_empty() && other[3] == *new_source);
        if let Some(other) = shared {
            let before = std::mem::replace(&mut kept[other].2, false);
            *problems.entry(Problem::ManyToOne).or_default() += 1 + u64::from(before);
        }
        kept.push((line, row, shared.is_none()));
    }
    let used = kept.iter().filter(|(_, _, used)| *used);
    Ok((used.map(|(line, ..)| *line).collect(), identical, problems))
}

/// Rows of which most are right: every old method has its own new one, but for some.
fn row_of(moved: bool) -> impl Strategy<Value = Cells> {
    let odd = prop_oneof![60 => Just(None), 1 => (0..6_u8, 0..90_u32).prop_map(Some)];
    (0..90_u32, 0..3_u32, odd).prop_map(move |(n, method, odd)| {
        let blank = method == 2;
        let name = |what: &str, n: u32| {
            if blank {
                String::new()
            } else {
                format!("{what}{n}_{method}")
            }
        };
        let new_customer = if moved {
            format!("cus_n{n}")
        } else {
            format!("cus_{n}")
        };
        let mut row = [format!("cus_{n}"), name("pm_o", n), new_customer, name("pm_n", n)];
        match odd {
            Some((at @ 0..4, _)) => row[usize::from(at)].clear(),
            Some((4, other)) => row[3] = format!("pm_n{other}_{method}"),
            Some((_, other)) => row[2] = format!("cus_{other}"),
            None => {}
        }
        row
    })
}

proptest! {
    #[test]
    fn the_reader_agrees_with_one_that_is_simple(
        rows in any::<bool>().prop_flat_map(|moved| proptest::collection::vec(row_of(moved), 0..200)),
    ) {
        let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        match (read(format!("{HEADER}{lines}")), simply(&rows)) {
            (Err(error), Err(line)) => prop_assert_eq!(error.place, Some(format!("line {line}"))),
            (Ok(mapping), Ok((used, identical, problems))) => {
                let found: Vec<u64> = mapping.iter().map(|row| row.line.into()).collect();
                prop_assert_eq!(found, used);
                prop_assert_eq!(mapping.lint().identical, identical);
                let counts = mapping.lint().problems.iter();
                let counts: BTreeMap<Problem, u64> = counts.map(|(problem, tally)| (*problem, tally.count)).collect();
                prop_assert_eq!(counts, problems);
            }
            (read, simple) => prop_assert!(false, "{read:?} {simple:?}"),
        }
    }

    /// A quotation mark in the header changes who reads the file, and nothing else.
    #[test]
    fn a_file_without_quotation_marks_is_read_as_the_csv_crate_reads_it(text in "[cuspm_,19 x\n\u{0}é]{0,400}") {
        let plain = said(read(format!("{HEADER}{text}")));
        let quoted = said(read(format!("{}{text}", HEADER.replacen("customer_id_old", "\"customer_id_old\"", 1))));
        prop_assert_eq!(plain, quoted);
    }

    #[test]
    fn a_table_finds_what_was_put_in_also_where_fingerprints_are_the_same(
        looks in proptest::collection::vec((any::<u8>(), 0..7_u64), 0..200),
    ) {
        let (mut table, mut model) = (Table::default(), BTreeMap::new());
        for (row, (key, print)) in (0..).zip(&looks) {
            // Far apart, side by side, and alike but for what a table does not hold.
            let print = [0, 1, 1 << 32, 1 << 63, u64::MAX, u64::MAX << 32, 1 << 33][usize::try_from(*print).unwrap()];
            let is = |row: u32| looks[row as usize].0 == *key;
            let there = model.get(&(print >> 32, *key)).copied();
            prop_assert_eq!(table.found(print, is), there);
            prop_assert_eq!(table.found_or(print, row, is), there);
            model.entry((print >> 32, *key)).or_insert(row);
        }
    }

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
