//! Reading: order, pages, filters, keys of every form.

use cutover::appdb::Kind;
use cutover::appdb::RowResult::{Done, Gone};

use crate::on_each;
use crate::place::{Place, all, cell, committed, methods, moves, print, stamp, update};

on_each!(
    all_rows_come_once_in_key_order_over_many_pages,
    a_filter_decides_what_is_read,
    single_rows_are_read_by_their_exact_key,
    integer_keys_are_never_compared_as_floats,
    uuid_keys_work_as_they_are_written,
    words_of_sql_are_names_too,
    a_fingerprint_sees_every_column_of_every_row,
    a_missing_ledger_is_an_empty_one,
);

async fn all_rows_come_once_in_key_order_over_many_pages(place: &Place) {
    let database = place.shop(2500).await;
    let rows = all(&database).await;
    let keys: Vec<_> = rows.iter().map(|row| row.key.clone()).collect();
    let expected: Vec<_> = (0..2500).map(|n| format!("k{n:04}")).collect();
    assert_eq!(keys, expected);
    assert_eq!(rows[7].extra, [Some("eu".to_owned())]);
    // Exactly full pages, then an empty one.
    place
        .sql(&format!(
            "DELETE FROM {} WHERE id >= 'k2000'",
            place.table("subs")
        ))
        .await;
    assert_eq!(all(&database).await.len(), 2000);
}

async fn a_filter_decides_what_is_read(place: &Place) {
    let database = place.shop(2300).await;
    place
        .sql(&format!(
            "UPDATE {} SET region = 'us' WHERE id < 'k0100'",
            place.table("subs")
        ))
        .await;
    let with = |filter: &str| {
        let mut spec = place.spec();
        spec.filter = Some(filter.into());
        place.open(spec)
    };
    assert_eq!(all(&with("region = 'us'")).await.len(), 100);
    assert_eq!(
        all(&with("region = 'us' OR region = 'eu' -- all")).await.len(),
        2300
    );
    assert_eq!(all(&with("1 = 0")).await.len(), 0);
    // Rows outside the filter are still part of what must not change.
    assert_eq!(
        print(&with("region = 'us'"), &[]).await,
        print(&database, &[]).await
    );
    let mut ignored = 0;
    let broken = with("1 = 1) OR (1 = 1")
        .reader()
        .rows(&mut |_| ignored += 1)
        .await
        .unwrap_err();
    assert!(broken.to_string().contains("the same rows"), "{broken}");
    let wrong = with("no_such_column = 1")
        .reader()
        .rows(&mut |_| ())
        .await
        .unwrap_err();
    assert!(wrong.to_string().contains("no_such_column"), "{wrong}");
}

async fn single_rows_are_read_by_their_exact_key(place: &Place) {
    let database = place.shop(3).await;
    let keys = ["k0002", "K0001", "k0001 ", "nope", "k0000", "k0000"].map(str::to_owned);
    let found = database.reader().some_rows(&keys).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|row| row.key).collect();
    assert_eq!(found, ["k0000", "k0002"]);
    let mut batch = moves(&database, 1..2);
    batch[0].key = "K0001".into();
    assert_eq!(committed(database.writer().apply(&batch, &stamp()).await), [Gone]);
}

async fn integer_keys_are_never_compared_as_floats(place: &Place) {
    let table = place.table("subs");
    place
        .sql(&format!(
            "CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY, pm VARCHAR(50), cus INTEGER, region TEXT)"
        ))
        .await;
    // Both are the same number to a float.
    place.sql(&format!("INSERT INTO {table} VALUES (9007199254740992, 'a', 1, 'eu'), (9007199254740993, 'a', 2, 'eu'), (-5, 'a', 3, 'eu')")).await;
    let database = place.open(place.spec());
    assert!(database.check().await.unwrap().may_write());
    database.writer().prepare().await.unwrap();
    let go = |key: &str| {
        update(
            &database,
            key,
            vec![
                cell("pm", Some("a"), Some("b")),
                cell("cus", Some("2"), Some("7")),
            ],
        )
    };
    let mut batch = vec![go("9007199254740993")];
    for (n, odd) in [
        "09007199254740993",
        "9007199254740993.0",
        "1e3",
        "",
        "99999999999999999999",
        "x",
    ]
    .iter()
    .enumerate()
    {
        let mut row = go(odd);
        row.effect.0 = format!("odd{n}");
        batch.push(row);
    }
    let results = committed(database.writer().apply(&batch, &stamp()).await);
    assert_eq!(results, [Done, Gone, Gone, Gone, Gone, Gone, Gone]);
    let rows: Vec<_> = all(&database)
        .await
        .into_iter()
        .map(|row| (row.key, row.method, row.customer))
        .collect();
    let row = |key: &str, method: &str, customer: &str| {
        (key.to_owned(), Some(method.to_owned()), Some(customer.to_owned()))
    };
    let expected = [
        row("-5", "a", "3"),
        row("9007199254740992", "a", "1"),
        row("9007199254740993", "b", "7"),
    ];
    assert_eq!(rows, expected);
    committed(database.writer().undo(&batch[..1], &stamp()).await);
    assert_eq!(methods(&database).await, vec![Some("a".to_owned()); 3]);
}

async fn uuid_keys_work_as_they_are_written(place: &Place) {
    let table = place.table("subs");
    let uuid = if place.kind == Kind::MySql {
        "CHAR(36)"
    } else {
        "UUID"
    };
    place.sql(&format!("CREATE TABLE {table} (id {uuid} NOT NULL PRIMARY KEY, pm VARCHAR(50), cus {uuid}, region VARCHAR(9))")).await;
    let id = |n: u32| format!("0f3a91c2-0000-4000-8000-{n:012}");
    for n in 0..5 {
        place
            .sql(&format!(
                "INSERT INTO {table} VALUES ('{}', 'a', '{}', 'eu')",
                id(n),
                id(n)
            ))
            .await;
    }
    let database = place.open(place.spec());
    database.writer().prepare().await.unwrap();
    let go = |key: &str| {
        update(
            &database,
            key,
            vec![
                cell("pm", Some("a"), Some("b")),
                cell("cus", Some(key), Some(&id(77))),
            ],
        )
    };
    let batch = [go(&id(3)), go("not-a-uuid"), go(&id(99))];
    assert_eq!(
        committed(database.writer().apply(&batch, &stamp()).await),
        [Done, Gone, Gone]
    );
    let rows = all(&database).await;
    assert_eq!(
        (rows[3].method.as_deref(), rows[3].customer.as_deref()),
        (Some("b"), Some(id(77).as_str()))
    );
}

async fn words_of_sql_are_names_too(place: &Place) {
    let q = |name: &str| place.quote(name);
    let table = match place.kind {
        Kind::Sqlite => q("order"),
        _ => format!("{}.{}", place.schema(), q("order")),
    };
    place
        .sql(&format!(
            "CREATE TABLE {table} ({} VARCHAR(20) NOT NULL PRIMARY KEY, {} VARCHAR(20), {} VARCHAR(20))",
            q("select"),
            q("From"),
            q("v")
        ))
        .await;
    place
        .sql(&format!("INSERT INTO {table} VALUES ('k0000', 'old0000', 'x')"))
        .await;
    let mut spec = place.spec();
    spec.table = place.table("order");
    spec.key = "select".into();
    spec.method = "From".into();
    spec.customer = Some("v".into());
    spec.extra.clear();
    let database = place.open(spec);
    database.check().await.unwrap();
    database.writer().prepare().await.unwrap();
    let batch = [update(
        &database,
        "k0000",
        vec![
            cell("From", Some("old0000"), Some("new0000")),
            cell("v", Some("x"), Some("y")),
        ],
    )];
    assert_eq!(committed(database.writer().apply(&batch, &stamp()).await), [Done]);
    assert_eq!(committed(database.writer().undo(&batch, &stamp()).await), [Done]);
    assert_eq!(methods(&database).await, [Some("old0000".to_owned())]);
}

async fn a_fingerprint_sees_every_column_of_every_row(place: &Place) {
    let database = place.shop(30).await;
    let batch = moves(&database, 0..10);
    let table = place.table("subs");
    let start = print(&database, &batch).await;
    for (change, back) in [
        (
            "note = 'b' WHERE id = 'k0000'",
            "note = 'a note' WHERE id = 'k0000'",
        ),
        ("pm = 'x' WHERE id = 'k0020'", "pm = 'old0020' WHERE id = 'k0020'"),
        (
            "cus = NULL WHERE id = 'k0029'",
            "cus = 'cus0029' WHERE id = 'k0029'",
        ),
        (
            "cus = '' WHERE id = 'k0029'",
            "cus = 'cus0029' WHERE id = 'k0029'",
        ),
        (
            "price = 3.1000000000000005 WHERE id = 'k0003'",
            "price = 3.1 WHERE id = 'k0003'",
        ),
    ] {
        place.sql(&format!("UPDATE {table} SET {change}")).await;
        assert_ne!(print(&database, &batch).await, start, "{change}");
        place.sql(&format!("UPDATE {table} SET {back}")).await;
        assert_eq!(print(&database, &batch).await, start, "{back}");
    }
    place
        .sql(&format!("UPDATE {table} SET pm = 'whatever' WHERE id < 'k0010'"))
        .await;
    assert_eq!(
        print(&database, &batch).await,
        start,
        "planned cells are left out"
    );
    place
        .sql(&format!("DELETE FROM {table} WHERE id = 'k0015'"))
        .await;
    assert_ne!(print(&database, &batch).await, start);
}

async fn a_missing_ledger_is_an_empty_one(place: &Place) {
    let database = place.shop(1).await;
    let effects = [moves(&database, 0..1)[0].effect.clone()];
    assert!(database.reader().ledger(&effects).await.unwrap().is_empty());
    place
        .sql(&format!("DROP TABLE {}", place.table("cutover_effects")))
        .await;
    assert!(database.reader().ledger(&effects).await.unwrap().is_empty());
}
