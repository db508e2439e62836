//! Files that are damaged, or something else altogether.

use super::*;

#[test]
fn what_is_no_csv_is_refused_with_what_it_is() {
    let cases: [(&[u8], &str); 13] = [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\r\n", "is empty"),
        (b"customer,start_date,price\n", "no rows"),
        (b"customer,start_date,price", "no rows"),
        (b"\x1f\x8b\x08\x00abc", "gzip"),
        (b"PK\x03\x04abc", "Excel"),
        (b"\xff\xfec\0u\0s\0", "UTF-16"),
        (b"c\0u\0s\0t\0o\0m\0", "UTF-16"),
        (b"{\"a\": 1}", "JSON"),
        (b"<html>", "HTML"),
        (b"customer;start_date;price\ncus_1;1;2\n", "semicolons"),
        (b"customer\tstart_date\tprice\ncus_1\t1\t2\n", "tabs"),
    ];
    for (bytes, why) in cases {
        let said = refused(bytes);
        assert!(said.contains(why) && said.contains(';'), "{said}");
    }
}

#[test]
fn a_header_that_cannot_be_used_is_refused() {
    let row = "\na,b,c,d\n";
    let cases = [
        (
            "customer,start_date,price,customer",
            "columns 1 and 4 are both `customer`",
        ),
        ("customer,start_date,coupon", "no column price"),
        ("Customer,start_date,price", "rename `Customer`"),
        (
            "customer (required),start_date,price",
            "rename `customer (required)`",
        ),
        ("cus_1,1704067200,price_1", "must name the columns"),
        ("customer,start_date,price,metadata.x[y]", "no brackets"),
        (
            "customer,start_date,price,metadata.a,metadata_a",
            "columns 4 and 5",
        ),
        ("\"customer,start_date,price", "quotation marks"),
    ];
    for (header, why) in cases {
        let said = refused(format!("{header}{row}"));
        assert!(said.contains(why), "{said}");
    }
    let long = format!("customer,start_date,price,metadata.{}{row}", "k".repeat(41));
    assert!(refused(long).contains("40 characters"));
}

#[test]
fn unknown_columns_are_a_warning_with_the_name_that_was_meant() {
    let report = linted("customer,start_date,price,Coupon,colour\ncus_a,1704067200,price_a,x,red\n").report;
    assert_eq!(report.accepted, 1);
    assert_eq!(
        said(&report).1,
        set(&["Coupon unknown_column", "colour unknown_column"])
    );
    assert!(report.warnings[0].message.contains("probably coupon"));
}

#[test]
fn processing_errors_of_earlier_rounds_are_ignored() {
    let text = "customer,start_date,price,processing_error,processing_error\n\
        cus_a,1704067200,price_a,\"start_date: =bad\",x\n";
    let report = linted(text).report;
    assert_eq!((report.accepted, report.counts.len()), (1, 0));
}

#[test]
fn every_family_of_errors_on_the_page_is_resolved_through_the_errors_file() {
    // Invalid dates, start too soon, missing data. The fourth, prices against tax rates, is known to the account only.
    let bad = [
        (row(&[("start_date", "2024-01-01")]), "2024-01-01", "1704067200"),
        (
            row(&[
                ("metadata.old_Stripe_sub_id", "sub_B"),
                ("start_date", "1703548801"),
            ]),
            "1703548801",
            "1704067201",
        ),
        (
            row(&[("metadata.old_Stripe_sub_id", "sub_C"), ("customer", "")]),
            "\n,1704067200",
            "\ncus_C,1704067200",
        ),
    ];
    let rows: Vec<&str> = bad.iter().map(|(row, ..)| row.as_str()).collect();
    let first = linted(format!("{HEADER}\n{}\n", rows.join("\n")));
    assert_eq!(first.report.rejected, 3);
    let mut errors = String::from_utf8(first.errors).unwrap();
    for rule in ["time_as_date", "start_too_soon", "missing_value"] {
        assert!(errors.contains(rule), "{errors}");
    }
    for (_, wrong, right) in &bad {
        errors = errors.replacen(wrong, right, 1);
    }
    let second = linted(&errors);
    assert_eq!((second.report.accepted, second.report.rejected), (3, 0));
    assert_eq!(String::from_utf8(second.accepted).unwrap(), errors);
}

#[test]
fn ragged_rows_are_rejected_once_and_are_still_ragged_in_the_errors_file() {
    let short = "cus_a,1704067200\n";
    let long = "cus_a,1704067200,price_a,,\n";
    let linted = linted(format!("customer,start_date,price\n{short}{long},,\n"));
    let rules: Vec<&str> = linted.report.errors.iter().map(|one| one.rule.name()).collect();
    assert_eq!(rules, ["wrong_cell_count", "wrong_cell_count", "empty_row"]);
    assert!(linted.report.errors[0].message.contains("2, not 3"));
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let text = |cell: &[u8]| {
        let head = b"customer,start_date,price,metadata.n\ncus_a,1704067200,price_a,".to_vec();
        said(&linted([head, cell.to_vec(), b"\n".to_vec()].concat()).report)
    };
    assert_eq!(text(b"a\0b").0, set(&["metadata.n nul"]));
    assert_eq!(text(b"a\xffb").0, set(&["metadata.n not_utf8"]));
    assert_eq!(text(b"a\x1bb").1, set(&["metadata.n control_character"]));
    assert_eq!(text("Zoë".as_bytes()), (set(&[]), set(&[])));
    assert_eq!(text(b"\"two\nlines\""), (set(&[]), set(&[])));
    assert_eq!(text(b"=1+1").1, set(&["metadata.n formula_cell"]));
    assert_eq!(text(b"a\"b").0, set(&["bad_quotes"]));
}

#[test]
fn values_in_messages_are_cut_and_safe_to_draw() {
    let value = format!("\u{1b}[2J{}", "x".repeat(5_000));
    let report = linted(format!("{HEADER}\n{}\n", row(&[("quantity", &value)]))).report;
    for finding in report.errors.iter().chain(&report.warnings) {
        assert!(
            finding.value.len() < 100 && !finding.value.contains('\u{1b}'),
            "{finding:?}"
        );
    }
}

#[test]
fn a_byte_order_mark_and_blank_lines_are_kept_and_said() {
    let text = format!("\u{feff}{HEADER}\n\n{}\n\n", row(&[]));
    let linted = linted(&text);
    assert_eq!((linted.report.rows, linted.report.accepted), (1, 1));
    assert_eq!(linted.report.counts[&Rule::BlankLine], 2);
    assert_eq!(linted.report.counts[&Rule::ByteOrderMark], 1);
    assert_eq!(linted.accepted, text.as_bytes());
}

#[test]
fn a_file_over_the_limit_is_refused_by_its_size_and_while_it_is_read() {
    use std::io::Read as _;
    assert!(too_large(120_000_000).is_none());
    assert!(too_large(120_000_001).unwrap().to_string().contains("split it"));
    let head = b"customer,start_date,price\n".as_slice();
    // A record without an end is passed on without being held.
    let endless = head.chain(std::io::repeat(b'x'));
    let said = lint(endless, &rules(), Output::default(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(said.unwrap_err().to_string().contains("120 MB"));
}

#[test]
fn lists_are_bounded_and_counts_are_exact() {
    let rows: String = (0..50)
        .map(|n| {
            row(&[
                ("customer", ""),
                ("metadata.old_Stripe_sub_id", &format!("sub_{n}")),
            ]) + "\n"
        })
        .collect();
    let few = Rules { keep: 3, ..rules() };
    let report = lint_with(format!("{HEADER}\n{rows}").as_bytes(), &few)
        .unwrap()
        .report;
    assert_eq!((report.errors.len(), report.counts[&Rule::MissingValue]), (3, 50));
    assert_eq!(
        (
            report.not_listed(Severity::Error),
            report.not_listed(Severity::Warning)
        ),
        (47, 0)
    );
}
