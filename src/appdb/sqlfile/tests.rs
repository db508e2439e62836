use proptest::prelude::*;

use super::*;
use crate::domain::ids::EffectId;

fn spec() -> TableSpec {
    TableSpec {
        table: "shop.subs".into(),
        key: "id".into(),
        method: "pm".into(),
        customer: None,
        extra: Vec::new(),
        filter: None,
    }
}

fn stamp() -> Stamp {
    Stamp {
        run: "r\n; DROP TABLE x".into(),
        plan: "p".into(),
    }
}

fn row(key: &str, before: Option<&str>, after: Option<&str>) -> RowUpdate {
    RowUpdate {
        effect: EffectId(format!("e{key}").replace(|c: char| !c.is_ascii_alphanumeric(), "x")),
        table: "shop.subs".into(),
        key: key.into(),
        cells: vec![Cell {
            column: "pm".into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }],
    }
}

#[test]
fn a_batch_is_one_transaction_and_ends_by_what_was_counted() {
    let rows = [
        row("1", Some("a"), Some("b")),
        row("2", None, Some("c")),
        row("3", Some("d"), None),
    ];
    for (kind, begins) in [
        (Kind::Postgres, "BEGIN;"),
        (Kind::MySql, "START TRANSACTION;"),
        (Kind::Sqlite, "BEGIN IMMEDIATE;"),
    ] {
        let spec = spec();
        let stamp = stamp();
        let script = forward(kind, &spec, &rows, &stamp, 2).unwrap();
        let parts: Vec<_> = script.parts().collect();
        assert_eq!(parts.len(), 3, "{kind:?}");
        assert!(parts[1].contains("rows 1 to 2 of 3") && parts[2].contains("rows 3 to 3 of 3"));
        assert!(
            parts[1..].iter().all(|part| part.matches(begins).count() == 1),
            "{kind:?}"
        );
        assert_eq!(script.to_string(), parts.concat());
    }
}

#[test]
fn a_row_that_does_not_fit_is_refused_before_a_line_is_written() {
    let (spec, stamp) = (spec(), stamp());
    let mut other = row("1", None, Some("b"));
    other.cells[0].column = "price".into();
    for (bad, word) in [
        (row("1", Some("a"), Some("a")), "changes nothing"),
        (row("1\0", Some("a"), Some("b")), "NUL"),
        (other, "not configured"),
    ] {
        let refused = forward(Kind::Postgres, &spec, std::slice::from_ref(&bad), &stamp, 2).unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
    }
}

proptest! {
    /// Outside of quotes there is nothing of the value, and inside nothing ends them.
    #[test]
    fn no_text_gets_out_of_its_quotes(text in any::<String>()) {
        for kind in [Kind::Postgres, Kind::MySql, Kind::Sqlite] {
            let literal = literal(kind, &text);
            prop_assert!(!literal.chars().any(is_hostile_or_backslash));
            let outside: String = literal.split('\'').step_by(2).collect();
            prop_assert!(
                outside.is_empty()
                    || ["convert_from(decode(, hex), UTF8)", "convert_from(decode(, , ), UTF8)"].contains(&outside.as_str())
                    || outside == "_utf8mb4 X"
                    || outside == "CAST(X AS TEXT)"
                    || outside.starts_with("convert_from(decode("),
                "{}", outside
            );
        }
    }
}

fn is_hostile_or_backslash(c: char) -> bool {
    c == '\\' || c == '$' || crate::domain::text::is_hostile(c)
}
