use proptest::prelude::*;

use super::*;
use crate::stages::subscriptions::Route;
use crate::stages::subscriptions::facts::{Collection, Status, World};
use crate::stages::subscriptions::samples::{item, left_out, old, sealed, world};

fn many(n: usize) -> World {
    let all = (0..n).map(|n| {
        let mut old = old(&format!("sub_{n:04}"), &format!("cus_m{n}"));
        match n % 20 {
            3 => old.status = Status::PastDue,
            7 => old.collection = Collection::Invoice(14),
            11 => {
                let more = item("si_2", old.items[0].price.clone(), 2, old.items[0].period);
                old.items.push(more);
            }
            _ => {}
        }
        old.metadata
            .insert("team".to_owned(), format!("\"{n}\",\r\n=cmd"));
        old
    });
    world(all.collect())
}

fn read(file: &File) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut reader = csv::Reader::from_reader(&file.bytes[..]);
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        header
            .iter()
            .cloned()
            .zip(row.iter().map(str::to_owned))
            .collect()
    });
    (header.clone(), rows.collect())
}

#[test]
fn the_first_file_is_small_and_has_some_of_each_kind() {
    let plan = sealed(&many(200), Route::Csv, 8);
    let files = files(&plan);
    assert_eq!(
        files.iter().map(|file| &*file.name).collect::<Vec<_>>(),
        ["subscriptions-1.csv", "subscriptions-2.csv"]
    );
    let (header, first) = read(&files[0]);
    assert_eq!(first.len(), 8);
    assert_eq!(
        header,
        [
            "customer",
            "start_date",
            "price",
            "quantity",
            "items.0.price",
            "items.0.quantity",
            "items.1.price",
            "items.1.quantity",
            "metadata_source",
            "metadata.old_Stripe_sub_id",
            "metadata.original_start_date",
            "metadata.team",
            "proration_behavior",
            "collection_method",
            "days_until_due",
        ]
    );
    let of = |column: &str| first.iter().filter(|row| !row[column].is_empty()).count();
    assert!(of("items.1.price") >= 2 && of("days_until_due") >= 2 && of("price") >= 2);
    let (_, second) = read(&files[1]);
    assert_eq!(second.len(), 192);
}

#[test]
fn each_row_stands_once_with_its_cells_byte_for_byte_and_where_it_says() {
    let plan = sealed(&many(60), Route::Csv, 5);
    let files = files(&plan);
    let mut seen = BTreeSet::new();
    for file in &files {
        for row in read(file).1 {
            let id = row["metadata.old_Stripe_sub_id"].clone();
            let n: usize = id.trim_start_matches("sub_").parse().unwrap();
            assert_eq!(row["metadata.team"], format!("\"{n}\",\r\n=cmd"));
            assert!(seen.insert(id));
        }
    }
    assert_eq!(seen.len(), 60);
    for change in plan.changes() {
        let row: Row = serde_json::from_str(&change.payload).unwrap();
        let place = change
            .working
            .iter()
            .find(|line| line.starts_with("stands in "))
            .unwrap();
        let (nth, line) = place
            .trim_start_matches("stands in file ")
            .split_once(" of this plan, line ")
            .unwrap();
        let line: usize = line.split(',').next().unwrap().parse().unwrap();
        let file = files
            .iter()
            .find(|file| file.name == super::name(nth.parse().unwrap()))
            .unwrap();
        let text = String::from_utf8(file.bytes.clone()).unwrap();
        assert!(
            text.split('\n').nth(line - 1).unwrap().contains(&row.old),
            "{place}"
        );
    }
}

#[test]
fn a_row_that_is_left_out_moves_no_other_into_another_file() {
    let plan = sealed(&many(60), Route::Csv, 5);
    let before = files(&plan);
    let gone = read(&before[0]).1[0]["metadata.old_Stripe_sub_id"].clone();
    let after = files(&left_out(&plan, &gone));
    assert_eq!(read(&after[0]).1, read(&before[0]).1[1..]);
    assert_eq!(after[1], before[1]);
}

#[test]
fn nothing_by_the_api_is_in_a_file() {
    assert!(files(&sealed(&many(20), Route::Api, 5)).is_empty());
}

#[test]
fn metadata_that_hardly_any_has_makes_no_columns() {
    let mut world = many(150);
    for (n, old) in world.old.values_mut().enumerate() {
        old.metadata.insert(format!("own_{n}"), "1".to_owned());
    }
    let plan = sealed(&world, Route::Csv, 5);
    let by_api = plan.changes().iter().filter(|change| change.rule == "schedule");
    assert!(by_api.clone().count() >= 50);
    assert!(
        by_api
            .into_iter()
            .all(|change| change.why.contains("columns of its own"))
    );
    let (header, _) = read(&files(&plan)[1]);
    assert!(header.len() < MOST_METADATA + 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_file_is_too_large_and_no_row_is_lost(n in 1_usize..120, first in 0_u32..130, most in 1_500_usize..20_000) {
        let plan = sealed(&many(n), Route::Csv, first);
        let files = files_of(&plan, most);
        let mut rows = 0;
        for file in &files {
            prop_assert!(file.bytes.len() <= most, "{} of {}", file.bytes.len(), most);
            rows += read(file).1.len();
        }
        prop_assert_eq!(rows, n);
        prop_assert_eq!(files_of(&plan, most), files);
    }
}
