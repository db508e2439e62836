//! The person at the Dashboard: over HTTP for a test in another process, or in this one. What is done there is written
//! into the world log, like everything that changes a world.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::dashboard::{Deed, Migration};
use crate::domain::time::UtcMs;
use crate::rehearsal::billing;
use crate::rehearsal::pipeline::{Core, lock};
use crate::rehearsal::server::Served;
use crate::rehearsal::world::Side;
use crate::rehearsal::world_log::Line;

/// What of the path is this desk's.
pub(crate) const PATH: &str = "/_cutover/toolkit/migrations";

/// What the desk answers.
pub(crate) enum Said {
    Json(StatusCode, Value),
    /// The error file.
    File(Vec<u8>),
}

impl Core {
    /// Lets time pass: what falls due of subscriptions and of migrations, in order.
    pub(crate) fn play(&mut self, until: i64) {
        while let Some(at) = self.dashboard.due(until) {
            billing::advance(&mut self.account, at);
            self.dashboard.turn(&mut self.account, at);
        }
        billing::advance(&mut self.account, until);
    }

    /// Does what a person does at the Dashboard and writes it down.
    pub(crate) fn at_desk(&mut self, deed: Deed, at: UtcMs) -> Result<Migration, String> {
        self.pass_time(at.secs());
        let done = self.dashboard.act(&mut self.account, &deed, at.secs())?;
        self.write_line(&Line::Toolkit {
            at,
            account: self.account.side,
            deed,
        });
        Ok(done)
    }

    /// Does again what the world log says.
    pub(crate) fn again_at_desk(&mut self, deed: &Deed, at: UtcMs) {
        self.pass_time(at.secs());
        // What is written down was done.
        let _ = self.dashboard.act(&mut self.account, deed, at.secs());
    }

    /// All migrations, as they are at an instant.
    pub(crate) fn migrations(&mut self, at: UtcMs) -> Vec<Migration> {
        self.pass_time(at.secs());
        self.dashboard.all()
    }
}

/// Answers a request about migrations; only the new account has a Dashboard here.
pub(crate) fn answer(
    served: &Served,
    index: usize,
    (method, path, query): (&str, &str, &str),
    body: &[u8],
) -> Said {
    if index != Side::Destination.index() {
        return Said::Json(StatusCode::NOT_FOUND, json!({}));
    }
    let now = served.shared.clock.now();
    let mut core = lock(&served.cores[index]);
    let rest = path
        .strip_prefix(PATH)
        .unwrap_or_default()
        .trim_start_matches('/');
    let (id, verb) = rest.split_once('/').unwrap_or((rest, ""));
    let done = match (method, id, verb) {
        ("GET", "", "") => return Said::Json(StatusCode::OK, json!({ "data": core.migrations(now) })),
        ("POST", "", "") => core.at_desk(Deed::upload(&name(query), body), now),
        ("POST", id, "start") => core.at_desk(Deed::Start { id: id.to_owned() }, now),
        ("POST", id, "cancel") => core.at_desk(Deed::Cancel { id: id.to_owned() }, now),
        ("GET", id, "") => {
            let found = core.migrations(now).into_iter().find(|m| m.id == id);
            found.ok_or_else(|| format!("No such migration: '{id}'"))
        }
        ("GET", id, "errors") => {
            core.pass_time(now.secs());
            return match core.dashboard.errors(id) {
                Some(file) => Said::File(file.to_vec()),
                None => Said::Json(
                    StatusCode::NOT_FOUND,
                    json!({ "message": "There is no error file" }),
                ),
            };
        }
        _ => return Said::Json(StatusCode::NOT_FOUND, json!({})),
    };
    match done {
        Ok(migration) => Said::Json(StatusCode::OK, json!(migration)),
        Err(message) => Said::Json(StatusCode::BAD_REQUEST, json!({ "message": message })),
    }
}

/// The name of an uploaded file.
fn name(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut names = pairs
        .filter(|(key, _)| key == "name")
        .map(|(_, value)| value.into_owned());
    names.next().unwrap_or_else(|| "subscriptions.csv".to_owned())
}
