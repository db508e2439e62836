//! Decisions given in a file: a CSV with the columns `key`, `choice`, `note` and `by`, and `number` where a choice asks
//! for one, read by name. Bytes in, decisions out; whether a row has that choice is for the plan to say.

use std::collections::BTreeMap;

use crate::domain::change::{ChangeKey, Decision};
use crate::domain::table::{Row, Table, TableError};
use crate::domain::text::safe;

const COLUMNS: [&str; 4] = ["key", "choice", "note", "by"];
/// Only where a choice asks for it.
const NUMBER: &str = "number";
/// What a policy's decisions are signed with; a file is a person's.
const POLICY: &str = "policy:";

/// Reads the decisions, in the order of the file. `file` is its name, for errors. A line that repeats another is taken
/// once; lines that contradict each other are refused.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<(ChangeKey, Decision)>, TableError> {
    let table = Table::read_with(file, bytes, &COLUMNS, &[NUMBER])?;
    let mut lines: BTreeMap<ChangeKey, usize> = BTreeMap::new();
    let mut decided: Vec<(ChangeKey, Decision)> = Vec::new();
    for row in &table.rows {
        let (key, decision) = decision(&table, row)?;
        let Some(line) = lines.get(&key) else {
            lines.insert(key.clone(), row.line);
            decided.push((key, decision));
            continue;
        };
        if !decided.contains(&(key.clone(), decision)) {
            let why = format!(
                "`{}` is decided otherwise on line {line}; keep one of the two",
                safe(&key.0)
            );
            return Err(table.error(row, "key", why));
        }
    }
    Ok(decided)
}

fn decision(table: &Table, row: &Row) -> Result<(ChangeKey, Decision), TableError> {
    let [key, choice, note, by, number] = row.cells.as_slice() else {
        return Err(table.error(row, "key", "is incomplete; give key, choice, note and by"));
    };
    if key.is_empty() {
        return Err(table.error(
            row,
            "key",
            "is empty; copy the row's key from the plan, such as cus_1/usd",
        ));
    }
    let word = !choice.is_empty()
        && choice
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !word {
        let why = format!(
            "`{}` is not a choice; the plan lists each row's choices, and leave_out",
            safe(choice)
        );
        return Err(table.error(row, "choice", why));
    }
    if by.is_empty() || by.starts_with(POLICY) {
        return Err(table.error(row, "by", "must name the person who decided"));
    }
    let number = match number.as_str() {
        "" => None,
        digits => Some(digits.parse().map_err(|_| {
            let why = format!(
                "`{}` is not a whole number; write it in digits, such as 3",
                safe(digits)
            );
            table.error(row, NUMBER, why)
        })?),
    };
    let decision = Decision {
        choice: choice.clone(),
        by: by.clone(),
        note: note.clone(),
        number,
    };
    Ok((ChangeKey(key.clone()), decision))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> Result<Vec<(ChangeKey, Decision)>, String> {
        parse("d.csv", format!("key,choice,note,by\n{rows}").as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn decisions_keep_their_order_their_note_and_their_name() {
        let decided =
            read("cus_2/usd,leave_out,,Ada\ncus_1/cash,let_it_pay,\"agreed, by phone\",Ada\n").unwrap();
        assert_eq!(decided.len(), 2);
        assert_eq!(decided[1].0, ChangeKey("cus_1/cash".into()));
        assert_eq!(decided[1].1.note, "agreed, by phone");
    }

    #[test]
    fn a_number_is_taken_from_its_column_and_must_be_whole() {
        let read = |cell: &str| {
            let file = format!("key,choice,number,note,by\ncoupon/VIP,split,{cell},,Ada\n");
            parse("d.csv", file.as_bytes())
        };
        assert_eq!(read("4").unwrap()[0].1.number, Some(4));
        assert_eq!(read("").unwrap()[0].1.number, None);
        for cell in ["four", "4.5", "-1", "99999999999999999999999"] {
            let said = read(cell).unwrap_err().to_string();
            assert!(said.starts_with("d.csv, line 2, column `number`: "), "{said}");
        }
    }

    #[test]
    fn a_repeated_decision_counts_once_and_a_contradiction_is_refused() {
        assert_eq!(read("k,leave_out,,Ada\nk,leave_out,,Ada\n").unwrap().len(), 1);
        let said = read("k,leave_out,,Ada\nk,as_planned,,Ada\n").unwrap_err();
        assert_eq!(
            said,
            "d.csv, line 3, column `key`: `k` is decided otherwise on line 2; keep one of the two"
        );
    }

    #[test]
    fn a_decision_without_key_choice_or_person_is_refused_by_line_and_column() {
        let cases = [
            (",leave_out,,Ada", "line 2, column `key`"),
            (
                "k,Leave out,,Ada",
                "line 2, column `choice`: `Leave out` is not a choice",
            ),
            ("k,,,Ada", "line 2, column `choice`"),
            ("k,leave_out,,", "line 2, column `by`"),
            ("k,leave_out,,policy:rehearsal", "line 2, column `by`"),
        ];
        for (row, why) in cases {
            let said = read(row).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
