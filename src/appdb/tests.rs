use super::*;

fn spec() -> TableSpec {
    TableSpec {
        table: "subscriptions".into(),
        key: "id".into(),
        method: "payment_method".into(),
        customer: Some("customer".into()),
        extra: vec!["region".into()],
        filter: None,
    }
}

fn open(url: &str, change: impl FnOnce(&mut TableSpec)) -> Result<Database, DbError> {
    let mut spec = spec();
    change(&mut spec);
    Database::new(&SecretString::from(url), spec, Limits::default())
}

#[test]
fn a_database_is_named_without_user_and_password() {
    for (url, words) in [
        (
            "postgres://anna:hunter2@db.example/shop?sslmode=require",
            "postgres shop on db.example:5432, table subscriptions",
        ),
        (
            "mysql://anna:hunter2@db.example:3307/shop",
            "mysql shop on db.example:3307, table subscriptions",
        ),
        (
            "mariadb://anna:hunter2@db.example/shop",
            "mysql shop on db.example:3306, table subscriptions",
        ),
        (
            "sqlite:data/shop.db",
            "sqlite file data/shop.db, table subscriptions",
        ),
    ] {
        let database = open(url, |_| ()).unwrap();
        assert_eq!(database.in_words(), words);
        assert_eq!(format!("{database:?}"), format!("Database({words})"));
    }
}

#[test]
fn an_address_that_is_not_understood_is_refused_without_repeating_it() {
    for url in [
        "hunter2",
        "oracle://anna:hunter2@db/shop",
        "postgres://anna:hunter2@db",
        "postgres://anna:hunter2@db/shop?sslmod=require",
        "postgres://anna:hunter2@db/shop?sslmode=hunter2",
        "postgres://anna@db/shop?password=hunter2",
        "postgres://anna:hunter2@db:port/shop",
        "mysql://anna:hunter2@db/shop?ssl=hunter2",
        "sqlite::memory:",
        "sqlite:hunter.db?mode=rwc",
        "sqlite:",
    ] {
        let refused = open(url, |_| ()).unwrap_err();
        assert!(matches!(refused, DbError::Address(_)), "{url}: {refused}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }
}

#[test]
fn names_that_are_not_plain_are_refused() {
    let url = "postgres://db/shop";
    for name in [
        "",
        "a b",
        "a\"b",
        "a;b",
        "1a",
        "a`b",
        "ä",
        "a.b.c",
        ".a",
        "a.",
        &"a".repeat(64),
    ] {
        assert!(
            matches!(open(url, |s| s.table = name.into()), Err(DbError::Name { .. })),
            "{name}"
        );
        assert!(
            matches!(
                open(url, |s| s.extra = vec![name.into()]),
                Err(DbError::Name { .. })
            ),
            "{name}"
        );
    }
    assert!(matches!(
        open(url, |s| s.key = "a.b".into()),
        Err(DbError::Name { .. })
    ));
    assert!(matches!(
        open(url, |s| s.method = "id".into()),
        Err(DbError::Twice(_))
    ));
    assert!(open(url, |s| s.table = "_Order.select".into()).is_ok());
}

#[test]
fn a_filter_is_one_condition() {
    let url = "postgres://db/shop";
    for filter in ["true; DROP TABLE x", " ", "a\0b"] {
        assert!(
            matches!(
                open(url, |s| s.filter = Some(filter.into())),
                Err(DbError::Filter(_))
            ),
            "{filter}"
        );
    }
    assert!(
        open(url, |s| s.filter =
            Some("region IN ('eu', 'uk') -- theirs".into()))
        .is_ok()
    );
}

#[test]
fn limits_of_zero_are_refused() {
    let limits = Limits {
        batch_rows: 0,
        ..Limits::default()
    };
    let url = SecretString::from("postgres://db/shop");
    assert_eq!(Database::new(&url, spec(), limits).unwrap_err(), DbError::Limits);
}

#[test]
fn futures_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let database = open("postgres://db/shop", |_| ()).unwrap();
    let stamp = Stamp {
        run: String::new(),
        plan: String::new(),
    };
    let (reader, writer) = (database.reader(), database.writer());
    is_send(&database.check());
    is_send(&writer.apply(&[], &stamp));
    is_send(&writer.prepare());
    is_send(&reader.some_rows(&[]));
    is_send(&reader.rows(&mut |_| ()));
    is_send(&reader.fingerprint(&BTreeMap::new()));
    is_send(&reader.ledger(&[]));
}
