//! Records and cells are those of the csv crate, and no byte is lost between them.

use proptest::prelude::*;

use crate::stages::subscriptions::toolkit::split::{Fed, Flood, Shape, Spans, Splitter, whole};

type Records = Vec<Vec<Vec<u8>>>;

/// Cells of every record as the csv crate reads them.
fn by_csv(text: &[u8]) -> Records {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let records = reader.byte_records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(<[u8]>::to_vec).collect())
        .collect()
}

/// As we read them; asserts that the records are the text.
fn by_us(text: &[u8]) -> Records {
    let (mut spans, mut splitter, mut at) = (Spans::default(), Splitter::new(text), 0);
    let mut records = Vec::new();
    while let Some(found) = splitter.next(&mut spans) {
        assert!(found.start == at && found.end <= found.next && found.next > at);
        at = found.next;
        if found.shape != Shape::Blank {
            let cells = spans.cells(&text[found.start..found.end]);
            records.push(cells.iter().map(<[u8]>::to_vec).collect());
        }
    }
    assert_eq!(at, text.len());
    records
}

fn nasty() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b",,\"\"\n\n\r ab".to_vec()), 0..60)
}

/// Where records end, by the splitter.
fn ends(text: &[u8]) -> Vec<usize> {
    let (mut spans, mut splitter) = (Spans::default(), Splitter::new(text));
    std::iter::from_fn(|| splitter.next(&mut spans))
        .map(|found| found.next)
        .collect()
}

#[test]
fn a_long_line_of_short_cells_is_cut_at_every_comma() {
    let line = (0..100).map(|n| "x".repeat(n % 19)).collect::<Vec<_>>().join(",");
    assert_eq!(by_us(line.as_bytes()), by_csv(line.as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_cut_as_the_csv_crate_cuts_it(text in nasty()) {
        prop_assert_eq!(by_us(&text), by_csv(&text));
    }

    #[test]
    fn a_text_cut_short_is_whole_up_to_the_end_of_a_record(text in nasty(), cut in 0_usize..60) {
        let begun = &text[..cut.min(text.len())];
        let at = whole(begun);
        prop_assert!(at == 0 || ends(&text).contains(&at), "{} of {:?}", at, text);
        // And there is one wherever a record ends for sure, so that reading goes on.
        prop_assert!(at > 0 || ends(&text).iter().all(|end| *end >= begun.len()), "{:?}", text);
    }

    #[test]
    fn a_record_fed_in_two_pieces_ends_where_it_ends_in_one(text in nasty(), cut in 0_usize..60) {
        let cut = cut.min(text.len());
        let mut flood = Flood::new();
        let first = flood.feed(&text[..cut], cut == text.len());
        let end = match first {
            Fed::Ends(end) => Some(end),
            fed => {
                let from = cut - usize::from(fed == Fed::Undecided);
                match flood.feed(&text[from..], true) {
                    Fed::Ends(end) => Some(from + end),
                    _ => None,
                }
            }
        };
        let first = ends(&text).first().copied();
        prop_assert_eq!(end.unwrap_or(text.len()), first.unwrap_or(0));
    }
}
