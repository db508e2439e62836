//! Batches: compare-and-set, drift, what was done before, and taking it back.

use cutover::appdb::Kind;
use cutover::appdb::RowResult::{self, AlreadyDone, Done, Gone};

use crate::on_each;
use crate::place::{
    Admin, Place, all, cell, committed, ledger_agrees, methods, moves, print, refused, stamp, update,
};

on_each!(
    a_batch_changes_its_cells_and_nothing_else,
    a_row_that_changed_since_is_left_and_reported,
    letters_that_a_collation_takes_for_the_same_are_not,
    what_the_ledger_has_is_not_done_again,
    an_effect_with_other_cells_is_not_done_under_the_same_identity,
    undo_restores_every_row_it_changed_and_only_those,
    what_was_undone_can_be_done_anew,
    text_of_any_kind_comes_through_unharmed,
    a_batch_beyond_the_limit_is_refused,
    a_batch_that_contradicts_itself_is_refused,
    a_trigger_that_changes_another_row_is_seen_in_the_fingerprint,
    a_trigger_that_changes_the_value_rolls_the_batch_back,
    two_writers_of_the_same_batch_do_it_once,
    a_batch_dropped_in_the_middle_is_whole_or_not_at_all,
    rows_of_different_columns_go_in_one_batch,
    a_value_that_does_not_fit_rolls_the_batch_back,
    a_time_the_database_would_set_by_itself_is_held,
    a_column_added_since_changes_the_fingerprint,
);

fn drifted(now: &[Option<&str>]) -> RowResult {
    let now = now.iter().map(|text| text.map(str::to_owned)).collect();
    RowResult::Drifted { now }
}

async fn a_batch_changes_its_cells_and_nothing_else(place: &Place) {
    let database = place.shop(7).await;
    place
        .sql(&format!(
            "UPDATE {} SET cus = NULL WHERE id = 'k0001'",
            place.table("subs")
        ))
        .await;
    let batch = [
        update(
            &database,
            "k0003",
            vec![
                cell("pm", Some("old0003"), Some("new0003")),
                cell("cus", Some("cus0003"), None),
            ],
        ),
        update(
            &database,
            "k0001",
            vec![
                cell("pm", Some("old0001"), Some("new0001")),
                cell("cus", None, Some("c")),
            ],
        ),
    ];
    let before = print(&database, &batch).await;
    assert_eq!(
        committed(database.writer().apply(&batch, &stamp()).await),
        [Done, Done]
    );
    assert_eq!(print(&database, &batch).await, before);
    assert_eq!(before.rows, 7);
    let rows = all(&database).await;
    assert_eq!(
        (rows[1].method.as_deref(), rows[1].customer.as_deref()),
        (Some("new0001"), Some("c"))
    );
    assert_eq!(
        (rows[3].method.as_deref(), rows[3].customer.as_deref()),
        (Some("new0003"), None)
    );
    assert_eq!(rows[2].method.as_deref(), Some("old0002"));
    let lines = database
        .reader()
        .ledger(&[batch[0].effect.clone()])
        .await
        .unwrap();
    let line = &lines[&batch[0].effect];
    assert!(line.is_of(&batch[0]) && line.undone.is_none());
    assert_eq!((line.run.as_str(), line.plan.as_str()), ("run-1", "plan-1"));
    assert!(
        line.at.starts_with("20") && line.at.ends_with('Z') && line.at.len() >= 24,
        "{}",
        line.at
    );
}

async fn a_row_that_changed_since_is_left_and_reported(place: &Place) {
    let database = place.shop(6).await;
    let table = place.table("subs");
    place
        .sql(&format!("UPDATE {table} SET pm = 'theirs' WHERE id = 'k0001'"))
        .await;
    place
        .sql(&format!("UPDATE {table} SET pm = NULL WHERE id = 'k0002'"))
        .await;
    place
        .sql(&format!("UPDATE {table} SET pm = 'OLD0004' WHERE id = 'k0004'"))
        .await;
    place
        .sql(&format!("DELETE FROM {table} WHERE id = 'k0003'"))
        .await;
    let mut batch = moves(&database, 0..6);
    batch.reverse();
    let results = committed(database.writer().apply(&batch, &stamp()).await);
    let expected = [
        Done,
        drifted(&[Some("OLD0004")]),
        Gone,
        drifted(&[None]),
        drifted(&[Some("theirs")]),
        Done,
    ];
    assert_eq!(results, expected);
    let left = ["new0000", "theirs", "", "OLD0004", "new0005"];
    let now: Vec<_> = methods(&database)
        .await
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    assert_eq!(now, left);
    ledger_agrees(&database, &batch).await;
}

async fn letters_that_a_collation_takes_for_the_same_are_not(place: &Place) {
    let database = place.shop(3).await;
    if place.kind == Kind::Postgres {
        // MySQL's own collation is of this kind; PostgreSQL has one only where it was built with ICU.
        let (collation, table) = (place.table("any_case"), place.table("subs"));
        let sql = format!(
            "CREATE COLLATION {collation} (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             ALTER TABLE {table} ALTER COLUMN pm TYPE text COLLATE {collation}"
        );
        if place.admin().await.sql(&sql).await.is_err() {
            return;
        }
    }
    place
        .sql(&format!(
            "UPDATE {} SET pm = 'OLD0001' WHERE id = 'k0001'",
            place.table("subs")
        ))
        .await;
    let results = committed(database.writer().apply(&moves(&database, 0..3), &stamp()).await);
    assert_eq!(results, [Done, drifted(&[Some("OLD0001")]), Done]);
}

async fn what_the_ledger_has_is_not_done_again(place: &Place) {
    let database = place.shop(4).await;
    let writer = database.writer();
    committed(writer.apply(&moves(&database, 0..2), &stamp()).await);
    // Somebody set a row back: that is theirs to do, and not repaired behind their back.
    place
        .sql(&format!(
            "UPDATE {} SET pm = 'old0000' WHERE id = 'k0000'",
            place.table("subs")
        ))
        .await;
    let results = committed(writer.apply(&moves(&database, 0..3), &stamp()).await);
    assert_eq!(results, [AlreadyDone, AlreadyDone, Done]);
    assert_eq!(methods(&database).await[0].as_deref(), Some("old0000"));
}

async fn an_effect_with_other_cells_is_not_done_under_the_same_identity(place: &Place) {
    let database = place.shop(1).await;
    committed(database.writer().apply(&moves(&database, 0..1), &stamp()).await);
    let other = update(
        &database,
        "k0000",
        vec![cell("pm", Some("new0000"), Some("newer"))],
    );
    let results = committed(database.writer().apply(&[other], &stamp()).await);
    assert_eq!(results, [drifted(&[Some("new0000")])]);
}

async fn undo_restores_every_row_it_changed_and_only_those(place: &Place) {
    let database = place.shop(8).await;
    let table = place.table("subs");
    let mut batch = moves(&database, 0..7);
    place
        .sql(&format!("UPDATE {table} SET pm = NULL WHERE id = 'k0000'"))
        .await;
    batch[0].cells[0].before = None;
    let before = all(&database).await;
    committed(database.writer().apply(&batch[..6], &stamp()).await);
    place
        .sql(&format!("UPDATE {table} SET pm = 'theirs' WHERE id = 'k0002'"))
        .await;
    place
        .sql(&format!("DELETE FROM {table} WHERE id = 'k0003'"))
        .await;
    // Set to what the plan wanted, but not by us.
    place
        .sql(&format!("UPDATE {table} SET pm = 'new0006' WHERE id = 'k0006'"))
        .await;
    let undo = stamp();
    let results = committed(database.writer().undo(&batch, &undo).await);
    let expected = [
        Done,
        Done,
        drifted(&[Some("theirs")]),
        Gone,
        Done,
        Done,
        drifted(&[Some("new0006")]),
    ];
    assert_eq!(results, expected);
    let after = all(&database).await;
    for (at, row) in before
        .iter()
        .enumerate()
        .filter(|(at, _)| ![2, 3, 6].contains(at))
    {
        assert!(after.contains(row), "row {at}");
    }
    let again = committed(database.writer().undo(&batch[..2], &undo).await);
    assert_eq!(again, [AlreadyDone, AlreadyDone]);
    let lines = database
        .reader()
        .ledger(&[batch[0].effect.clone()])
        .await
        .unwrap();
    assert_eq!(
        lines[&batch[0].effect].undone.as_ref().map(|(_, by)| by.as_str()),
        Some("run-1")
    );
}

async fn what_was_undone_can_be_done_anew(place: &Place) {
    let database = place.shop(3).await;
    let batch = moves(&database, 0..2);
    let writer = database.writer();
    for _ in 0..3 {
        assert_eq!(committed(writer.apply(&batch, &stamp()).await), [Done, Done]);
        ledger_agrees(&database, &batch).await;
        assert_eq!(committed(writer.undo(&batch, &stamp()).await), [Done, Done]);
        ledger_agrees(&database, &batch).await;
    }
}

async fn text_of_any_kind_comes_through_unharmed(place: &Place) {
    let database = place.shop(0).await;
    let texts = [
        "",
        "'",
        "''; DROP TABLE subs; --",
        "\\",
        "\\'",
        "\"",
        "`",
        "$1",
        "?",
        "%s",
        "{}",
        "[\"a\"]",
        "null",
        "NULL",
        "\u{1b}[2J",
        "a\nb\r\n",
        "\u{202e}abc",
        "Zoë Müller",
        "佐藤",
        "🏦",
        " leading and trailing ",
        "e\u{301}",
        "\u{e9}",
        "a,b",
        "{a,b}",
        "true",
    ];
    let mut batch = Vec::new();
    for (n, text) in texts.iter().enumerate() {
        let key = format!("{n}{text}");
        let insert = format!("INSERT INTO {} (id, pm) VALUES", place.table("subs"));
        // The drivers' connections have no type in common.
        macro_rules! run {
            ($conn:ident, $values:literal) => {{
                let sql = sqlx::AssertSqlSafe(format!("{insert} {}", $values));
                sqlx::query(sql)
                    .bind(&key)
                    .bind(text)
                    .execute(&mut $conn)
                    .await
                    .map(drop)
            }};
        }
        let inserted = match place.admin().await {
            Admin::Postgres(mut conn) => run!(conn, "($1, $2)"),
            Admin::MySql(mut conn) => run!(conn, "(?, ?)"),
            Admin::Sqlite(mut conn) => run!(conn, "(?, ?)"),
        };
        inserted.unwrap();
        let mut row = update(
            &database,
            &key,
            vec![cell("pm", Some(text), Some(&format!("new{text}")))],
        );
        row.effect.0 = format!("effect-{n}");
        batch.push(row);
    }
    let before = all(&database).await;
    assert_eq!(before.len(), texts.len());
    let results = committed(database.writer().apply(&batch, &stamp()).await);
    assert!(results.iter().all(|result| *result == Done), "{results:?}");
    for row in all(&database).await {
        let n: usize = row
            .key
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .unwrap_or(0);
        let n = if n < texts.len() { n } else { n / 10 };
        assert_eq!(row.method, Some(format!("new{}", texts[n])), "{n}");
    }
    let lines = database
        .reader()
        .ledger(&[batch[3].effect.clone()])
        .await
        .unwrap();
    assert!(lines[&batch[3].effect].is_of(&batch[3]));
    let results = committed(database.writer().undo(&batch, &stamp()).await);
    assert!(results.iter().all(|result| *result == Done), "{results:?}");
    assert_eq!(all(&database).await, before);
}

async fn a_batch_beyond_the_limit_is_refused(place: &Place) {
    let database = place.shop(501).await;
    let said = refused(database.writer().apply(&moves(&database, 0..501), &stamp()).await);
    assert!(said.contains("501 rows, and 500 are allowed"), "{said}");
    let results = committed(database.writer().apply(&moves(&database, 0..500), &stamp()).await);
    assert_eq!(results, vec![Done; 500]);
    ledger_agrees(&database, &moves(&database, 0..501)).await;
}

async fn a_batch_that_contradicts_itself_is_refused(place: &Place) {
    let database = place.shop(3).await;
    let good = moves(&database, 0..2);
    let twice = [good[0].clone(), good[0].clone()];
    let mut elsewhere = good.clone();
    elsewhere[1].table = "other".into();
    let mut empty = good.clone();
    empty[1].cells.clear();
    let mut unknown = good.clone();
    unknown[1].cells[0].column = "price".into();
    let mut nothing = good.clone();
    nothing[1].cells[0].after = Some("old0001".into());
    for batch in [&twice[..], &elsewhere, &empty, &unknown, &nothing] {
        let said = refused(database.writer().apply(batch, &stamp()).await);
        assert!(said.starts_with("the batch is refused"), "{said}");
    }
    ledger_agrees(&database, &good).await;
}

/// SQL that runs `body` after each changed row.
fn trigger(place: &Place, table: &str, when: &str, body: &str) -> String {
    let schema = place.schema();
    match (place.kind, when) {
        (cutover::appdb::Kind::Postgres, _) => format!(
            "CREATE FUNCTION {schema}.f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN {body}; RETURN NEW; END $f$; \
             CREATE TRIGGER tr {when} UPDATE ON {table} FOR EACH ROW WHEN (pg_trigger_depth() = 0) \
             EXECUTE FUNCTION {schema}.f()"
        ),
        (cutover::appdb::Kind::MySql, _) => {
            format!("CREATE TRIGGER {schema}.tr {when} UPDATE ON {table} FOR EACH ROW {body}")
        }
        (cutover::appdb::Kind::Sqlite, _) => {
            format!("CREATE TRIGGER tr AFTER UPDATE ON {table} BEGIN {body}; END")
        }
    }
}

async fn a_trigger_that_changes_another_row_is_seen_in_the_fingerprint(place: &Place) {
    let database = place.shop(5).await;
    let (table, other) = (place.table("subs"), place.table("others"));
    // MySQL's triggers may not change the table they stand on, so there the second table is the one looked at.
    let body = match place.kind {
        cutover::appdb::Kind::MySql => format!("UPDATE {other} SET note = 'touched' WHERE id = 'k0004'"),
        _ => format!("UPDATE {table} SET note = 'touched' WHERE id = 'k0004'"),
    };
    place
        .sql(&format!(
            "CREATE TABLE {other} (id VARCHAR(50) NOT NULL PRIMARY KEY, pm VARCHAR(50), note VARCHAR(50))"
        ))
        .await;
    place
        .sql(&format!("INSERT INTO {other} VALUES ('k0004', 'x', 'y')"))
        .await;
    place.sql(&trigger(place, &table, "AFTER", &body)).await;
    let mut spec = place.spec();
    if place.kind == cutover::appdb::Kind::MySql {
        (spec.table, spec.customer, spec.extra) = (other, None, Vec::new());
    }
    let watched = place.open(spec);
    let batch = moves(&database, 0..2);
    let before = print(&watched, &batch).await;
    committed(database.writer().apply(&batch, &stamp()).await);
    let after = print(&watched, &batch).await;
    assert_ne!(after, before);
    assert_eq!(after.rows, before.rows);
}

async fn a_trigger_that_changes_the_value_rolls_the_batch_back(place: &Place) {
    let database = place.shop(3).await;
    let table = place.table("subs");
    let body = match place.kind {
        cutover::appdb::Kind::Postgres => "NEW.pm := upper(NEW.pm)".to_owned(),
        cutover::appdb::Kind::MySql => "SET NEW.pm = upper(NEW.pm)".to_owned(),
        cutover::appdb::Kind::Sqlite => format!("UPDATE {table} SET pm = upper(pm) WHERE id = NEW.id"),
    };
    place.sql(&trigger(place, &table, "BEFORE", &body)).await;
    let batch = moves(&database, 0..2);
    let said = refused(database.writer().apply(&batch, &stamp()).await);
    assert!(
        said.contains("of 2 rows") && said.contains("rolled back"),
        "{said}"
    );
    assert_eq!(methods(&database).await[0].as_deref(), Some("old0000"));
    ledger_agrees(&database, &batch).await;
}

async fn two_writers_of_the_same_batch_do_it_once(place: &Place) {
    let database = place.shop(60).await;
    let other = place.open(place.spec());
    let batch = moves(&database, 0..50);
    let mut reversed = batch.clone();
    reversed.reverse();
    let (one, two) = (database.writer(), other.writer());
    let at = stamp();
    let (a, b) = tokio::join!(one.apply(&batch, &at), two.apply(&reversed, &at));
    let (a, mut b) = (committed(a), committed(b));
    b.reverse();
    for (a, b) in a.iter().zip(&b) {
        assert!(
            matches!((a, b), (Done, AlreadyDone) | (AlreadyDone, Done)),
            "{a:?} {b:?}"
        );
    }
    ledger_agrees(&database, &batch).await;
}

/// Polls `work` so often, and then drops it.
async fn polled<W: Future>(work: W, times: usize) -> Option<W::Output> {
    let mut work = std::pin::pin!(work);
    let mut polls = 0;
    std::future::poll_fn(|context| {
        polls += 1;
        if polls > times {
            return std::task::Poll::Ready(None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// The drop stands for the end of the process: the connection goes with the future. Every point at which the future
/// waits is one to be dropped at.
async fn a_batch_dropped_in_the_middle_is_whole_or_not_at_all(place: &Place) {
    let database = place.shop(40).await;
    let batch = moves(&database, 0..30);
    let (mut done, mut dropped) = (false, 0);
    while !done {
        let fresh = place.open(place.spec());
        let writer = fresh.writer();
        let at = stamp();
        if let Some(applied) = polled(writer.apply(&batch, &at), dropped + 1).await {
            committed(applied);
            done = true;
        }
        dropped += 1;
        assert!(dropped < 1000, "never done");
        // Waits for the locks of what was dropped: the server may still be ending it.
        place
            .sql(&format!("UPDATE {} SET note = note", place.table("subs")))
            .await;
        ledger_agrees(&database, &batch).await;
        let now = methods(&database).await;
        let changed = now
            .iter()
            .filter(|method| method.as_deref().is_some_and(|m| m.starts_with("new")))
            .count();
        assert!(
            changed == 0 || changed == 30,
            "{changed} rows after {dropped} polls"
        );
    }
    assert!(dropped > 3, "dropped at {dropped} points only");
    let results = committed(database.writer().apply(&batch, &stamp()).await);
    assert_eq!(results, vec![AlreadyDone; 30]);
}

async fn rows_of_different_columns_go_in_one_batch(place: &Place) {
    let database = place.shop(3).await;
    let batch = [
        update(
            &database,
            "k0000",
            vec![cell("pm", Some("old0000"), Some("new0000"))],
        ),
        update(&database, "k0001", vec![cell("cus", Some("cus0001"), Some("c"))]),
        update(
            &database,
            "k0002",
            vec![
                cell("cus", Some("cus0002"), Some("c")),
                cell("pm", Some("old0002"), None),
            ],
        ),
    ];
    let before = print(&database, &batch).await;
    assert_eq!(
        committed(database.writer().apply(&batch, &stamp()).await),
        [Done, Done, Done]
    );
    assert_eq!(print(&database, &batch).await, before);
    let rows = all(&database).await;
    assert_eq!(
        (rows[1].method.as_deref(), rows[1].customer.as_deref()),
        (Some("old0001"), Some("c"))
    );
    assert_eq!(
        (rows[2].method.as_deref(), rows[2].customer.as_deref()),
        (None, Some("c"))
    );
}

async fn a_value_that_does_not_fit_rolls_the_batch_back(place: &Place) {
    if place.kind == cutover::appdb::Kind::Sqlite {
        // Lengths mean nothing to SQLite, so a constraint stands for them.
        place.sql("CREATE TABLE subs (id TEXT NOT NULL PRIMARY KEY, pm TEXT CHECK (length(pm) <= 200), cus TEXT, region TEXT)").await;
        place
            .sql("INSERT INTO subs VALUES ('k0000', 'old0000', 'c', 'eu'), ('k0001', 'old0001', 'c', 'eu')")
            .await;
        place.open(place.spec()).writer().prepare().await.unwrap();
    } else {
        place.shop(3).await;
    }
    let database = place.open(place.spec());
    let mut batch = moves(&database, 0..2);
    batch[1].cells[0].after = Some("x".repeat(201));
    let said = refused(database.writer().apply(&batch, &stamp()).await);
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(methods(&database).await[0].as_deref(), Some("old0000"));
    ledger_agrees(&database, &batch).await;
}

async fn a_time_the_database_would_set_by_itself_is_held(place: &Place) {
    let database = place.shop(3).await;
    let on_update = match place.kind {
        cutover::appdb::Kind::MySql => "ON UPDATE CURRENT_TIMESTAMP",
        _ => "",
    };
    let add = format!("ADD COLUMN seen TIMESTAMP DEFAULT '2020-01-01 00:00:00' {on_update}");
    place
        .sql(&format!("ALTER TABLE {} {add}", place.table("subs")))
        .await;
    let batch = moves(&database, 0..2);
    let before = print(&database, &batch).await;
    let fresh = place.open(place.spec());
    committed(fresh.writer().apply(&batch, &stamp()).await);
    assert_eq!(print(&fresh, &batch).await, before);
    committed(fresh.writer().undo(&batch, &stamp()).await);
    assert_eq!(print(&fresh, &batch).await, before);
}

async fn a_column_added_since_changes_the_fingerprint(place: &Place) {
    let database = place.shop(3).await;
    let before = print(&database, &[]).await;
    place
        .sql(&format!(
            "ALTER TABLE {} ADD COLUMN more VARCHAR(9)",
            place.table("subs")
        ))
        .await;
    assert_ne!(print(&database, &[]).await, before);
}
