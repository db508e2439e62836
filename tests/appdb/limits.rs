//! Locks of others, roles that may not.

use cutover::appdb::{Applied, Kind, Limits};

use crate::place::{Place, committed, ledger_agrees, moves, refused, stamp};
use crate::{on_each, on_servers};

mod everywhere {
    use super::*;
    on_each!(a_lock_of_another_session_is_a_clear_error_and_nothing_is_half_written);
    use super::a_lock_of_another_session_is_a_clear_error_and_nothing_is_half_written;
}

mod servers {
    use super::*;
    on_servers!(
        a_read_only_role_is_found_before_and_refused_at_the_write,
        a_role_without_the_right_to_make_the_ledger_is_told_the_sql
    );
    use super::{
        a_read_only_role_is_found_before_and_refused_at_the_write,
        a_role_without_the_right_to_make_the_ledger_is_told_the_sql,
    };
}

async fn a_lock_of_another_session_is_a_clear_error_and_nothing_is_half_written(place: &Place) {
    let database = place.shop(5).await;
    let limits = Limits {
        lock_ms: 200,
        attempts: 2,
        ..Limits::default()
    };
    let impatient = place.open_with(&place.url, place.spec(), limits);
    let batch = moves(&database, 0..4);
    let mut other = place.admin().await;
    let begin = match place.kind {
        Kind::Sqlite => "BEGIN IMMEDIATE",
        _ => "START TRANSACTION",
    };
    other.sql(begin).await.unwrap();
    other
        .sql(&format!(
            "UPDATE {} SET note = 'held' WHERE id = 'k0003'",
            place.table("subs")
        ))
        .await
        .unwrap();
    let said = refused(impatient.writer().apply(&batch, &stamp()).await);
    assert!(
        said.contains("another session holds a lock") && said.contains("nothing was changed"),
        "{said}"
    );
    other.sql("ROLLBACK").await.unwrap();
    ledger_agrees(&database, &batch).await;
    committed(impatient.writer().apply(&batch, &stamp()).await);
    ledger_agrees(&database, &batch).await;
}

/// A role with SELECT on everything, and what is in `more`; its address.
async fn role(place: &Place, more: &[&str]) -> String {
    let (name, schema) = (place.schema(), place.schema());
    let mut url = url::Url::parse(&place.url).unwrap();
    url.set_username(name).unwrap();
    url.set_password(Some("pw")).unwrap();
    if place.kind == Kind::Postgres {
        place
            .sql(&format!("CREATE ROLE {name} LOGIN PASSWORD 'pw'"))
            .await;
        place
            .sql(&format!("GRANT USAGE ON SCHEMA {schema} TO {name}"))
            .await;
        place
            .sql(&format!(
                "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}"
            ))
            .await;
    } else {
        place
            .sql(&format!("CREATE USER {name}@'%' IDENTIFIED BY 'pw'"))
            .await;
        place
            .sql(&format!("GRANT SELECT ON {schema}.* TO {name}@'%'"))
            .await;
        url.set_path(schema);
    }
    for grant in more {
        let to = if place.kind == Kind::Postgres {
            name.to_owned()
        } else {
            format!("{name}@'%'")
        };
        place.sql(&format!("GRANT {grant} TO {to}")).await;
    }
    url.to_string()
}

async fn drop_role(place: &Place) {
    let name = place.schema();
    let sql = match place.kind {
        Kind::Postgres => format!("DROP OWNED BY {name}; DROP ROLE {name}"),
        _ => format!("DROP USER {name}@'%'"),
    };
    place.sql(&sql).await;
}

async fn a_read_only_role_is_found_before_and_refused_at_the_write(place: &Place) {
    let database = place.shop(3).await;
    let url = role(place, &[]).await;
    let reader = place.open_with(&url, place.spec(), Limits::default());
    let shape = reader.check().await;
    let applied = reader.writer().apply(&moves(&database, 0..2), &stamp()).await;
    drop_role(place).await;
    let why = shape.unwrap().no_write.unwrap();
    assert!(why.contains("may not update the column `pm`"), "{why}");
    let Applied::NotApplied(error) = applied else {
        panic!("{applied:?}")
    };
    assert!(error.to_string().contains("does not allow"), "{error}");
    ledger_agrees(&database, &moves(&database, 0..3)).await;
}

async fn a_role_without_the_right_to_make_the_ledger_is_told_the_sql(place: &Place) {
    place.shop(3).await;
    let ledger = place.table("cutover_effects");
    place.sql(&format!("DROP TABLE {ledger}")).await;
    let url = role(place, &[&format!("UPDATE (pm, cus) ON {}", place.table("subs"))]).await;
    let database = place.open_with(&url, place.spec(), Limits::default());
    let prepared = database.writer().prepare().await;
    let shape = database.check().await;
    let told = prepared.unwrap_err().to_string();
    // Its owner runs what the sentence says, and grants what the role needs.
    place.sql(told.split_once("run: ").unwrap().1).await;
    let grant = match place.kind {
        Kind::Postgres => format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {ledger} TO {}",
            place.schema()
        ),
        _ => format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {ledger} TO {}@'%'",
            place.schema()
        ),
    };
    place.sql(&grant).await;
    let fresh = place.open_with(&url, place.spec(), Limits::default());
    let after = fresh.check().await;
    let prepared = fresh.writer().prepare().await;
    let applied = fresh.writer().apply(&moves(&database, 0..2), &stamp()).await;
    drop_role(place).await;
    if place.kind == Kind::Postgres {
        assert!(
            shape
                .unwrap()
                .no_write
                .unwrap()
                .contains("may not create the table of effects")
        );
    }
    assert!(after.unwrap().may_write());
    prepared.unwrap();
    committed(applied);
}
