//! What `check` says of tables that do not fit.

use cutover::appdb::{DbError, Kind, TableSpec};

use crate::on_each;
use crate::place::{Place, moves, refused, stamp};

on_each!(
    a_table_that_fits_is_described,
    a_table_or_column_that_is_not_there_is_named_beside_those_that_are,
    a_view_is_no_table,
    a_key_that_does_not_tell_rows_apart_is_refused,
    a_column_that_cannot_hold_an_id_is_refused,
    another_table_of_the_ledgers_name_is_left_alone,
    a_batch_without_a_ledger_is_refused,
);

async fn a_table_that_fits_is_described(place: &Place) {
    let database = place.shop(1).await;
    let shape = database.check().await.unwrap();
    assert_eq!(shape.kind, place.kind);
    assert_eq!(shape.columns, ["id", "pm", "cus", "region", "note", "price"]);
    assert!(shape.ledger && shape.may_write(), "{shape:?}");
    let name = match place.kind {
        Kind::Postgres => "PostgreSQL 1",
        Kind::MySql => "1",
        Kind::Sqlite => "SQLite 3.",
    };
    assert!(
        shape.server.starts_with(name) || shape.server.starts_with("MySQL"),
        "{}",
        shape.server
    );
}

async fn said(place: &Place, change: impl FnOnce(&mut TableSpec)) -> String {
    let mut spec = place.spec();
    change(&mut spec);
    place.open(spec).check().await.unwrap_err().to_string()
}

async fn a_table_or_column_that_is_not_there_is_named_beside_those_that_are(place: &Place) {
    place.shop(1).await;
    let table = place.table("suscriptions");
    let text = said(place, |spec| spec.table.clone_from(&table)).await;
    assert!(
        text.contains(&format!("no table `{table}`")) && text.contains("subs"),
        "{text}"
    );
    for change in [
        |spec: &mut TableSpec| spec.method = "payment_method".into(),
        |spec: &mut TableSpec| spec.customer = Some("payment_method".into()),
        |spec: &mut TableSpec| spec.extra = vec!["payment_method".into()],
        |spec: &mut TableSpec| spec.key = "payment_method".into(),
    ] {
        let text = said(place, change).await;
        assert!(
            text.contains("no column `payment_method`") && text.contains("id, pm, cus, region"),
            "{text}"
        );
    }
    let text = said(place, |spec| spec.table = "no_such_schema.subs".into()).await;
    assert!(text.contains("no table `no_such_schema.subs`"), "{text}");
}

async fn a_view_is_no_table(place: &Place) {
    place.shop(1).await;
    let view = place.table("seen");
    place
        .sql(&format!(
            "CREATE VIEW {view} AS SELECT * FROM {}",
            place.table("subs")
        ))
        .await;
    let text = said(place, |spec| spec.table = view).await;
    assert!(text.contains("a view"), "{text}");
}

async fn a_key_that_does_not_tell_rows_apart_is_refused(place: &Place) {
    place.shop(1).await;
    let table = place.table("subs");
    let text = said(place, |spec| {
        (spec.key, spec.extra) = ("region".into(), Vec::new());
    })
    .await;
    assert!(text.contains("no unique index"), "{text}");
    place
        .sql(&format!(
            "CREATE UNIQUE INDEX both_of_them ON {table} (region, note)"
        ))
        .await;
    let text = said(place, |spec| {
        (spec.key, spec.extra) = ("region".into(), Vec::new());
    })
    .await;
    assert!(text.contains("no unique index"), "{text}");
    // Unique, but one may be null, and one is.
    place
        .sql(&format!("CREATE UNIQUE INDEX notes ON {table} (note)"))
        .await;
    let mut spec = place.spec();
    spec.key = "note".into();
    place.open(spec.clone()).check().await.unwrap();
    place
        .sql(&format!("INSERT INTO {table} (id, note) VALUES ('k9', NULL)"))
        .await;
    let database = place.open(spec);
    let text = database.check().await.unwrap_err().to_string();
    assert!(text.contains("is null in some row"), "{text}");
    assert!(matches!(
        database.reader().rows(&mut |_| ()).await,
        Err(DbError::Key { .. })
    ));
    let text = said(place, |spec| spec.key = "price".into()).await;
    assert!(text.contains("not an integer, uuid or text"), "{text}");
}

async fn a_column_that_cannot_hold_an_id_is_refused(place: &Place) {
    place.shop(1).await;
    let text = said(place, |spec| spec.method = "price".into()).await;
    assert!(
        text.contains("`price`") && text.contains("only text, integers and uuids"),
        "{text}"
    );
    if place.kind == Kind::Sqlite {
        place
            .sql("INSERT INTO subs (id, pm) VALUES ('k9', X'00ff')")
            .await;
        let text = said(place, |_| ()).await;
        assert!(text.contains("values of type blob"), "{text}");
    }
}

async fn another_table_of_the_ledgers_name_is_left_alone(place: &Place) {
    let database = place.shop(1).await;
    let ledger = place.table("cutover_effects");
    place.sql(&format!("DROP TABLE {ledger}")).await;
    place
        .sql(&format!("CREATE TABLE {ledger} (effect VARCHAR(9))"))
        .await;
    let refused = database.writer().prepare().await.unwrap_err();
    assert!(matches!(refused, DbError::LedgerShape { .. }), "{refused}");
}

async fn a_batch_without_a_ledger_is_refused(place: &Place) {
    let database = place.shop(1).await;
    place
        .sql(&format!("DROP TABLE {}", place.table("cutover_effects")))
        .await;
    let text = refused(database.writer().apply(&moves(&database, 0..1), &stamp()).await);
    assert!(text.contains("reading the table of effects"), "{text}");
}
