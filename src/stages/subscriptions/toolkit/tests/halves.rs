//! Accepted and errors together are the input.

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::stages::subscriptions::toolkit::split::{Shape, Spans, Splitter};

/// A record of the errors file as it stood in the input: without the cell that was added last.
fn without_cell(record: &[u8]) -> Vec<u8> {
    let content = super::super::split::without_end(record);
    let (text, ending) = record.split_at(content.len());
    let inner = text.strip_suffix(b"\"").unwrap();
    let open = inner.iter().rposition(|b| *b == b'"').unwrap();
    let rest = inner[..open].strip_suffix(b",").unwrap();
    [rest, ending].concat()
}

/// Checks the halves of `input` byte by byte: every record in the half its verdict names, in order.
fn check_halves(input: &[u8], linted: &Linted) {
    let report = &linted.report;
    assert_eq!(report.rows, report.accepted + report.rejected);
    let rejected: BTreeSet<u64> = report.errors.iter().map(|finding| finding.row).collect();
    assert_eq!(rejected.len() as u64, report.rejected);
    let mark = if input.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let (mut accepted, mut errors) = (linted.accepted.as_slice(), linted.errors.as_slice());
    let take = |from: &mut &[u8], bytes: &[u8]| {
        *from = from
            .strip_prefix(bytes)
            .unwrap_or_else(|| panic!("{bytes:?} in {from:?}"));
    };
    take(&mut accepted, &input[..mark]);
    take(&mut errors, &input[..mark]);
    let (mut spans, mut splitter, mut row) = (Spans::default(), Splitter::new(&input[mark..]), None);
    while let Some(found) = splitter.next(&mut spans) {
        let record = &input[mark..][found.start..found.next];
        if row.is_none() {
            take(&mut accepted, record);
            if found.shape == Shape::Blank {
                take(&mut errors, record);
                continue;
            }
            row = Some(0);
            let header = super::super::split::without_end(record);
            take(&mut errors, header);
            take(&mut errors, b",processing_error");
            take(&mut errors, &record[header.len()..]);
            continue;
        }
        if found.shape == Shape::Blank {
            take(&mut accepted, record);
            continue;
        }
        row = row.map(|row| row + 1);
        if !row.is_some_and(|row| rejected.contains(&row)) {
            take(&mut accepted, record);
        } else if found.shape == Shape::Unclosed {
            take(&mut errors, record);
        } else {
            let content = super::super::split::without_end(record);
            let with_cell = errors;
            take(&mut errors, content);
            take(&mut errors, b",\"");
            let text = errors.iter().position(|b| *b == b'"').unwrap();
            assert!(!errors[..text].iter().any(u8::is_ascii_control));
            errors = &errors[text..];
            take(&mut errors, b"\"");
            take(&mut errors, &record[content.len()..]);
            let length = with_cell.len() - errors.len();
            assert_eq!(without_cell(&with_cell[..length]), record);
        }
    }
    assert!(accepted.is_empty() && errors.is_empty());
    assert_eq!(row, Some(report.rows));
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("cus_A1".to_owned()),
        Just(START.to_string()),
        Just("price_A".to_owned()),
        Just("\"two\nlines\"".to_owned()),
        Just("\"say \"\"x\"\"\"".to_owned()),
        Just("a\"b".to_owned()),
        Just("none".to_owned()),
        Just("sub_1".to_owned()),
        Just("\"open".to_owned()),
        "[ -~]{0,6}",
        ".{0,4}",
    ]
}

fn record() -> impl Strategy<Value = String> {
    let cells = prop::collection::vec(cell(), 0..7).prop_map(|cells| cells.join(","));
    let good = (1_u8..5, "[a-c]").prop_map(|(n, id)| format!("cus_{id},{START},price_A,,sub_{n}"));
    prop_oneof![cells, good, Just(String::new())]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let ending = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let records = prop::collection::vec((record(), ending), 1..12);
    (any::<bool>(), any::<bool>(), records).prop_map(|(mark, cut, records)| {
        let mut text = if mark {
            "\u{feff}".to_owned()
        } else {
            String::new()
        };
        text.push_str("customer,start_date,price,coupon,metadata.old_Stripe_sub_id\n");
        for (record, ending) in records {
            text.push_str(&record);
            text.push_str(ending);
        }
        let mut bytes = text.into_bytes();
        if cut {
            bytes.pop();
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn accepted_and_errors_together_are_the_input(input in file()) {
        if let Ok(linted) = lint_with(&input, &rules()) {
            check_halves(&input, &linted);
        }
    }

    #[test]
    fn arbitrary_bytes_below_a_header_are_parted_and_nothing_is_lost(rest in prop::collection::vec(any::<u8>(), 1..300)) {
        let input = [b"customer,start_date,price\n".as_slice(), &rest].concat();
        if let Ok(linted) = lint_with(&input, &rules()) {
            check_halves(&input, &linted);
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_parted(input in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(linted) = lint_with(&input, &rules()) {
            check_halves(&input, &linted);
        }
    }

    #[test]
    fn an_errors_file_linted_again_rejects_the_same_rows(input in file()) {
        let Ok(first) = lint_with(&input, &rules()) else { return Ok(()) };
        // Twins are rejected for rows that are in the other half now.
        let twin = first.report.counts.contains_key(&Rule::DuplicateOldId);
        if first.report.rejected > 0 && !twin {
            let again = lint_with(&first.errors, &rules()).unwrap();
            prop_assert_eq!(again.report.rejected, again.report.rows);
            prop_assert_eq!(again.report.rows, first.report.rejected);
            check_halves(&first.errors, &again);
        }
    }

    #[test]
    fn the_verdicts_do_not_depend_on_the_number_of_threads(input in file()) {
        let alone = lint_with(&input, &rules());
        let together = lint_with(&input, &Rules { threads: 3, ..rules() });
        match (alone, together) {
            (Ok(alone), Ok(together)) => {
                prop_assert_eq!(alone.report, together.report);
                prop_assert_eq!(alone.errors, together.errors);
                prop_assert_eq!(alone.accepted, together.accepted);
            }
            (alone, together) => prop_assert!(alone.is_err() && together.is_err()),
        }
    }
}

/// Many pieces, with rows that cross them and rows longer than one.
fn long(ending: &str) -> Vec<u8> {
    let mut text = format!("{HEADER}{ending}");
    for n in 0..9_000 {
        let customer = format!("cus_{n}");
        let old = format!("sub_{}", n - n % 500 / 499);
        let cells = [
            ("customer", customer.as_str()),
            ("metadata.old_Stripe_sub_id", old.as_str()),
        ];
        text.push_str(&row(&cells));
        text.push_str(ending);
        if n == 4_000 {
            let big = "x".repeat(1 << 20);
            text.push_str(&row(&[("metadata.old_Stripe_sub_id", big.as_str())]));
            text.push_str(ending);
            let quoted = format!("\"{}\"", "y,\n".repeat(200_000));
            text.push_str(&row(&[("coupon", quoted.as_str())]));
            text.push_str(ending);
        }
    }
    text.into_bytes()
}

#[test]
fn a_file_of_many_pieces_is_the_same_with_one_thread_and_with_three() {
    for ending in ["\n", "\r\n", "\r"] {
        let input = long(ending);
        let alone = linted(&input);
        check_halves(&input, &alone);
        let counts = (alone.report.rows, alone.report.rejected);
        assert_eq!(counts, (9_002, 20));
        let rules = Rules {
            threads: 3,
            ..rules()
        };
        let together = lint_with(&input, &rules).unwrap();
        assert!(alone.report == together.report && alone.errors == together.errors);
        assert_eq!(alone.accepted, together.accepted);
        let overlong: Vec<u64> = together
            .report
            .errors
            .iter()
            .filter(|finding| finding.rule == Rule::OverlongRow)
            .map(|finding| finding.row)
            .collect();
        assert_eq!(overlong, [4_002, 4_003]);
        let last = alone.report.errors.last().unwrap();
        assert_eq!((last.row, last.line), (9_002, 209_003));
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_takes_the_rest_and_leaves_the_rows_before_it() {
    let mut input = format!("{HEADER}\n{}\n", row(&[]));
    input.push_str("cus_B,\"1704067200,price_1\n");
    for _ in 0..2 {
        let linted = linted(&input);
        check_halves(input.as_bytes(), &linted);
        let report = &linted.report;
        assert_eq!((report.accepted, report.rejected), (1, 1));
        assert_eq!(
            (report.errors[0].rule, report.errors[0].line),
            (Rule::UnclosedQuote, 3)
        );
        // Once more with more behind it than is held.
        input.push_str(&"x,\n".repeat(300_000));
    }
}

#[test]
fn a_half_that_cannot_be_written_is_an_error_that_names_it() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut full = Full;
    let out = Output {
        errors: Some(&mut full),
        ..Output::default()
    };
    let input = format!("{HEADER}\n{}\n", row(&[]));
    let said = lint(
        input.as_bytes(),
        &rules(),
        out,
        &mut |_| ControlFlow::Continue(()),
    );
    assert_eq!(
        said.unwrap_err().to_string(),
        "the file of rejected rows cannot be written (full)"
    );
}

#[test]
fn whoever_watches_may_end_it() {
    for threads in [1, 2] {
        let input = long("\n");
        let mut heard = Vec::new();
        let mut watch = |progress: Progress| {
            heard.push(progress);
            if heard.len() == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let said = lint(
            input.as_slice(),
            &Rules { threads, ..rules() },
            Output::default(),
            &mut watch,
        );
        assert!(matches!(said, Err(LintError::Cancelled)));
        assert!(heard[0].bytes > 0 && heard[1].rows > heard[0].rows);
    }
}

#[test]
fn parts_stay_below_the_limit_and_hold_everything() {
    let mut parts = Parts::new(10, 100);
    let begins: Vec<bool> = [40, 50, 1, 89, 1, 500, 1]
        .into_iter()
        .map(|n| parts.next(n))
        .collect();
    assert_eq!(begins, [false, false, true, false, true, true, true]);
}
