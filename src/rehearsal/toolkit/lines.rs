//! Records of a file separated by commas.

use std::borrow::Cow;

/// A quoted field that began in this line does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenQuote(pub(crate) usize);

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Line it begins in, from 1.
    pub(crate) line: usize,
    /// All of it, with its line ending.
    pub(crate) raw: &'a [u8],
    pub(crate) cells: Vec<Cow<'a, [u8]>>,
    /// Text stands behind a closing quote.
    pub(crate) torn: bool,
}

/// The records of a file, empty lines left out.
pub(crate) struct Records<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes),
            line: 1,
        }
    }

    /// The next record, an empty line too.
    fn record(&mut self) -> Result<Record<'a>, OpenQuote> {
        let (whole, line) = (self.rest, self.line);
        let mut record = Record {
            line,
            raw: whole,
            cells: Vec::new(),
            torn: false,
        };
        let mut at = 0;
        loop {
            let field = if whole.get(at) == Some(&b'"') {
                quoted(whole, at).ok_or(OpenQuote(line))?
            } else {
                plain(whole, at)
            };
            record.torn |= field.torn;
            record.cells.push(field.text);
            at = field.end;
            if whole.get(at) != Some(&b',') {
                break;
            }
            at += 1;
        }
        let end = at + ending(&whole[at..]);
        (record.raw, self.rest) = whole.split_at(end);
        self.line += memchr::memchr_iter(b'\n', record.raw).count();
        Ok(record)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, OpenQuote>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.record() {
                Ok(record) if record.raw.len() == ending(record.raw) => {}
                Ok(record) => return Some(Ok(record)),
                Err(open) => {
                    self.rest = &[];
                    return Some(Err(open));
                }
            }
        }
        None
    }
}

struct Field<'a> {
    text: Cow<'a, [u8]>,
    /// Where its comma or line ending is, or the end of the file.
    end: usize,
    torn: bool,
}

/// How long the line ending is that `rest` begins with.
fn ending(rest: &[u8]) -> usize {
    match rest {
        // A file may end with half a line ending.
        [b'\n', ..] | [b'\r'] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    }
}

fn plain(whole: &[u8], at: usize) -> Field<'_> {
    let rest = &whole[at..];
    let ends = |n: &usize| rest[*n] == b',' || ending(&rest[*n..]) > 0;
    let len = (0..rest.len()).find(ends).unwrap_or(rest.len());
    Field {
        text: Cow::Borrowed(&rest[..len]),
        end: at + len,
        torn: false,
    }
}

/// A field that begins with a quote; `None` when it never ends.
fn quoted(whole: &[u8], at: usize) -> Option<Field<'_>> {
    let mut text = Vec::new();
    let mut at = at + 1;
    loop {
        let len = whole.get(at..)?.iter().position(|b| *b == b'"')?;
        text.extend_from_slice(&whole[at..at + len]);
        at += len + 1;
        if whole.get(at) != Some(&b'"') {
            break;
        }
        text.push(b'"');
        at += 1;
    }
    let behind = plain(whole, at);
    text.extend_from_slice(&behind.text);
    Some(Field {
        text: Cow::Owned(text),
        end: behind.end,
        torn: !behind.text.is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(bytes: &[u8]) -> Vec<(usize, Vec<String>, bool)> {
        let text = |cell: &Cow<'_, [u8]>| String::from_utf8_lossy(cell).into_owned();
        Records::of(bytes)
            .map(|record| record.unwrap())
            .map(|r| (r.line, r.cells.iter().map(text).collect(), r.torn))
            .collect()
    }

    #[test]
    fn quotes_hold_commas_line_ends_and_quotes() {
        let file = b"\xEF\xBB\xBFa,b\r\n\"x,\"\"y\"\"\nz\",2\n\n3,a\"b\n\"q\"r,\n";
        let row = |line, cells: &[&str], torn| {
            let cells = cells.iter().map(ToString::to_string).collect::<Vec<_>>();
            (line, cells, torn)
        };
        let expected = [
            row(1, &["a", "b"], false),
            row(2, &["x,\"y\"\nz", "2"], false),
            row(5, &["3", "a\"b"], false),
            row(6, &["qr", ""], true),
        ];
        assert_eq!(cells(file), expected);
    }

    #[test]
    fn a_quote_that_never_closes_says_where_it_began() {
        let found: Vec<_> = Records::of(b"a\nb,\"c\nd\n").collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Err(OpenQuote(2)));
    }

    proptest! {
        #[test]
        fn records_are_the_file_empty_lines_apart(bytes in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60)) {
            let found: Vec<_> = Records::of(&bytes).collect();
            if found.iter().all(Result::is_ok) {
                let joined: Vec<u8> = found.iter().flatten().flat_map(|r| r.raw.to_vec()).collect();
                let content = |bytes: &[u8]| bytes.iter().filter(|b| !b"\r\n".contains(b)).copied().collect::<Vec<_>>();
                let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
                prop_assert_eq!(content(&joined), content(body));
            }
        }

        #[test]
        fn what_is_written_with_quotes_is_read_as_it_was(rows in proptest::collection::vec(
            proptest::collection::vec("[a-z\",\r\n ]{0,6}", 2), 1..5)) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quote).collect::<Vec<_>>().join(",") + "\r\n";
            let file: String = rows.iter().map(line).collect();
            let read: Vec<Vec<String>> = cells(file.as_bytes()).into_iter().map(|r| r.1).collect();
            prop_assert_eq!(read, rows);
        }
    }
}
