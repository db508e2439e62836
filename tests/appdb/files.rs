//! The SQL files, run against a real database and compared with what the writer does.

use cutover::appdb::RowResult::AlreadyDone;
use cutover::appdb::{Kind, sqlfile};
use cutover::domain::write::RowUpdate;

use crate::on_each;
use crate::place::{Place, all, cell, committed, ledger_agrees, methods, moves, print, stamp, update};

on_each!(
    the_forward_file_does_what_the_writer_does_and_the_inverse_restores,
    a_batch_with_a_row_that_changed_is_rolled_back_whole_by_the_file,
    the_inverse_takes_back_what_the_writer_did_and_only_that,
    integer_keys_of_a_file_are_exact,
    a_client_that_goes_on_after_errors_keeps_batches_whole,
);

/// Rows of every kind: two columns, nulls, hostile text.
async fn rows(place: &Place) -> Vec<RowUpdate> {
    let database = place.shop(12).await;
    let table = place.table("subs");
    place
        .sql(&format!("UPDATE {table} SET pm = NULL WHERE id = 'k0001'"))
        .await;
    place
        .sql(&format!("UPDATE {table} SET pm = 'it''s' WHERE id = 'k0002'"))
        .await;
    let mut rows = moves(&database, 0..11);
    rows[1].cells[0].before = None;
    rows[2].cells[0].before = Some("it's".into());
    rows[2].cells[0].after = Some("new\u{1b}[2J\\' $cutover$ -- ; \n 佐藤 🏦".into());
    rows[3].cells.push(cell("cus", Some("cus0003"), None));
    rows[4].cells = vec![
        cell("cus", Some("cus0004"), Some("")),
        cell("pm", Some("old0004"), Some("new0004")),
    ];
    rows
}

async fn the_forward_file_does_what_the_writer_does_and_the_inverse_restores(place: &Place) {
    let rows = rows(place).await;
    let (spec, at) = (place.spec(), stamp());
    let database = place.open(spec.clone());
    let before = all(&database).await;
    let print_before = print(&database, &rows).await;
    committed(database.writer().apply(&rows, &at).await);
    let wanted = all(&database).await;
    let effects: Vec<_> = rows.iter().map(|row| row.effect.clone()).collect();
    let mut lines = database.reader().ledger(&effects).await.unwrap();
    committed(database.writer().undo(&rows, &at).await);

    let forward = sqlfile::forward(place.kind, &spec, &rows, &at, 4)
        .unwrap()
        .to_string();
    // The second run changes nothing more.
    for _ in 0..2 {
        place.sql(&forward).await;
        assert_eq!(all(&database).await, wanted);
        assert_eq!(print(&database, &rows).await, print_before);
    }
    let mut written = database.reader().ledger(&effects).await.unwrap();
    lines
        .values_mut()
        .chain(written.values_mut())
        .for_each(|line| line.at.clear());
    assert_eq!(written, lines);
    let again = committed(database.writer().apply(&rows, &at).await);
    assert_eq!(again, vec![AlreadyDone; rows.len()]);

    let inverse = sqlfile::inverse(place.kind, &spec, &rows, &at, 4)
        .unwrap()
        .to_string();
    for _ in 0..2 {
        place.sql(&inverse).await;
        assert_eq!(all(&database).await, before);
    }
    let again = committed(database.writer().undo(&rows, &at).await);
    assert_eq!(again, vec![AlreadyDone; rows.len()]);
}

async fn a_batch_with_a_row_that_changed_is_rolled_back_whole_by_the_file(place: &Place) {
    let database = place.shop(8).await;
    let rows = moves(&database, 0..8);
    // Equal to a collation that ignores case, and to a comparison that ignores spaces at the end.
    place
        .sql(&format!(
            "UPDATE {} SET pm = 'OLD0005' WHERE id = 'k0005'",
            place.table("subs")
        ))
        .await;
    let (spec, at) = (place.spec(), stamp());
    let file = sqlfile::forward(place.kind, &spec, &rows, &at, 4)
        .unwrap()
        .to_string();
    let refused = place.admin().await.sql(&file).await;
    assert!(refused.is_err());
    let now: Vec<_> = methods(&database).await.into_iter().flatten().collect();
    assert_eq!(
        now,
        [
            "new0000", "new0001", "new0002", "new0003", "old0004", "OLD0005", "old0006", "old0007"
        ]
    );
    ledger_agrees(&database, &rows).await;
}

async fn the_inverse_takes_back_what_the_writer_did_and_only_that(place: &Place) {
    let database = place.shop(4).await;
    let rows = moves(&database, 0..4);
    committed(database.writer().apply(&rows[..3], &stamp()).await);
    // Not ours, though it looks like it.
    place
        .sql(&format!(
            "UPDATE {} SET pm = 'new0003' WHERE id = 'k0003'",
            place.table("subs")
        ))
        .await;
    let (spec, at) = (place.spec(), stamp());
    place
        .sql(
            &sqlfile::inverse(place.kind, &spec, &rows, &at, 2)
                .unwrap()
                .to_string(),
        )
        .await;
    let now: Vec<_> = methods(&database).await.into_iter().flatten().collect();
    assert_eq!(now, ["old0000", "old0001", "old0002", "new0003"]);
}

async fn integer_keys_of_a_file_are_exact(place: &Place) {
    let table = place.table("subs");
    place.sql(&format!("CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, pm VARCHAR(50), cus VARCHAR(9), region VARCHAR(9))")).await;
    place
        .sql(&format!(
            "INSERT INTO {table} (id, pm) VALUES (9007199254740992, 'a'), (9007199254740993, 'a')"
        ))
        .await;
    let (spec, at) = (place.spec(), stamp());
    let database = place.open(spec.clone());
    let rows = [update(
        &database,
        "9007199254740993",
        vec![cell("pm", Some("a"), Some("b"))],
    )];
    place
        .sql(
            &sqlfile::forward(place.kind, &spec, &rows, &at, 500)
                .unwrap()
                .to_string(),
        )
        .await;
    assert_eq!(
        methods(&database).await,
        [Some("a".to_owned()), Some("b".to_owned())]
    );
}

/// Statement by statement, errors ignored, as `mysql --force` and a plain `sqlite3` do.
async fn a_client_that_goes_on_after_errors_keeps_batches_whole(place: &Place) {
    let database = place.shop(6).await;
    let rows = moves(&database, 0..6);
    place
        .sql(&format!(
            "UPDATE {} SET pm = 'theirs' WHERE id = 'k0001'",
            place.table("subs")
        ))
        .await;
    let (spec, at) = (place.spec(), stamp());
    let file = sqlfile::forward(place.kind, &spec, &rows, &at, 3)
        .unwrap()
        .to_string();
    let mut conn = place.admin().await;
    let mut errors = 0;
    let mut statement = String::new();
    for line in file.lines() {
        statement += line;
        statement.push('\n');
        // The body of PostgreSQL's DO block has semicolons of its own.
        let ends = line.ends_with(';') && statement.matches("$cutover$").count() != 1;
        if ends {
            errors += u32::from(conn.sql(&statement).await.is_err());
            statement.clear();
        }
    }
    assert!(errors >= 1);
    assert!(place.kind != Kind::MySql || errors == 1);
    let now: Vec<_> = methods(&database).await.into_iter().flatten().collect();
    assert_eq!(
        now,
        ["old0000", "theirs", "old0002", "new0003", "new0004", "new0005"]
    );
    ledger_agrees(&database, &rows).await;
}
