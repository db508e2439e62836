use proptest::prelude::*;

use super::*;

fn read(text: impl AsRef<[u8]>) -> Result<Table, String> {
    Table::read("f.csv", text.as_ref(), &["a", "b"]).map_err(|error| error.to_string())
}

fn rows(text: impl AsRef<[u8]>) -> Vec<(usize, String)> {
    let table = read(text).unwrap();
    table
        .rows
        .into_iter()
        .map(|row| (row.line, row.cells.join("|")))
        .collect()
}

#[test]
fn what_spreadsheets_do_is_taken_and_lines_are_those_an_editor_shows() {
    let plain = vec![(2, "1|2".to_owned()), (4, "3|x,\"y".to_owned())];
    assert_eq!(rows("a,b\n1,2\n\n3,\"x,\"\"y\"\n"), plain);
    assert_eq!(rows("\u{feff}a,b\r\n1,2\r\n\r\n3,\"x,\"\"y\""), plain);
    assert_eq!(rows("a,b\r1,2\r\r3,\"x,\"\"y\"\r"), plain);
    assert_eq!(rows(" B , A \n 2 ,1\n"), vec![(2, "1|2".to_owned())]);
    assert_eq!(
        rows("\n\na,b\n1,\"x\ny\"\n\n3,4\n"),
        vec![(4, "1|x\ny".into()), (7, "3|4".into())]
    );
}

#[test]
fn further_columns_are_named_and_left_out() {
    let table = read("name,b,a,\u{1b}x\nn,2,1,y\n").unwrap();
    assert_eq!(table.ignored, ["name", "<1b>x"]);
    assert_eq!(table.rows[0].cells, ["1", "2"]);
}

#[test]
fn what_could_lose_a_row_is_refused_with_line_and_remedy() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "f.csv: is empty; the first line must name the columns a,b"),
        (
            b"\n\n",
            "f.csv: is empty; the first line must name the columns a,b",
        ),
        (
            b"a,c\n1,2\n",
            "f.csv: has no column `b`; the first line must name the columns a,b",
        ),
        (
            b"a,b,a\n1,2,3\n",
            "f.csv, column `a`: stands in the header twice; rename or remove one",
        ),
        (
            b"a;b\n1;2\n",
            "f.csv, line 1: separates its columns by semicolons; save it with commas",
        ),
        (
            b"a,b\n1,2\n1,2,3\n",
            "f.csv, line 3: has 3 cells, the header has 2",
        ),
        (b"a,b\n1\n", "f.csv, line 2: has 1 cells, the header has 2"),
        (
            b"a,b\n1,\"2\n3,4\n",
            "f.csv, line 2: opens a quotation mark that is never closed",
        ),
        (
            b"a,b\n1,\"2\n3,\"4\n",
            "f.csv, line 2: goes on behind a closing quotation mark",
        ),
        (
            b"a,b\n1,2\"\n",
            "f.csv, line 2: has a quotation mark inside a cell",
        ),
        (b"a,b\n1,2\n3,\xff\n", "f.csv, line 3, column `b`: is not UTF-8"),
        (b"\xff\xfea\0,\0b\0", "f.csv: is in UTF-16"),
    ];
    for (bytes, said) in cases {
        let error = read(bytes).unwrap_err();
        assert!(error.starts_with(said), "{error}");
    }
    assert!(
        read("a,b\n1,\0\n")
            .unwrap_err()
            .starts_with("f.csv, line 2: contains a NUL byte")
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in prop::collection::vec(
        prop_oneof![4 => prop::sample::select(b"ab,\"\r\n".to_vec()), 1 => any::<u8>()], 0..60)) {
        let mut file = b"a,b\n".to_vec();
        file.extend(bytes);
        let _ = read(file);
    }

    #[test]
    fn what_is_written_as_csv_reads_back_whole(cells in prop::collection::vec(("[a-z,\"\n]{1,8}", "[a-z\"]{1,5}"), 1..8)) {
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let line = |(a, b): &(String, String)| format!("{},{}\r\n", quoted(a), quoted(b));
        let file: String = std::iter::once("a,b\r\n".to_owned()).chain(cells.iter().map(line)).collect();
        let back: Vec<_> = read(file).unwrap().rows.into_iter().map(|row| (row.cells[0].clone(), row.cells[1].clone())).collect();
        let trimmed: Vec<_> = cells.iter().map(|(a, b)| (a.trim().to_owned(), b.trim().to_owned())).collect();
        prop_assert_eq!(back, trimmed);
    }
}
