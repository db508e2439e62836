//! `cutover check`: configuration, keys, accounts, mode, clock, mapping and database, with reads only.

use serde::Serialize;

use super::failure::Failure;
use super::mapping;
use super::out;
use super::real;
use crate::appdb::Shape;
use crate::cli::{Check, Exit};
use crate::domain::ids::Role;
use crate::engine::pin::{self, PinError};
use crate::engine::server_time::{ServerTime, WARN_MS};

#[derive(Serialize)]
struct Line {
    check: String,
    result: &'static str,
    says: String,
}

/// Every line is said, also after one that stops.
pub(super) async fn check(args: Check) -> Result<Exit, Failure> {
    let real = real::accounts(&args.config)?;
    let mut lines = vec![Line {
        check: "configuration".to_owned(),
        result: "pass",
        says: format!(
            "{}: {}",
            args.config.config.display(),
            real.config.scope.in_words()
        ),
    }];
    let mut exit = Exit::Done;
    for role in Role::BOTH {
        let (line, failure) = account(&real, role).await?;
        lines.push(line);
        exit = Exit::worst([exit, failure.map_or(Exit::Done, |failure| failure.exit())]);
    }
    if real.parts.accounts.source == real.parts.accounts.destination {
        let same = Failure::from(PinError::SameAccount(real.parts.accounts.source.clone()));
        exit = Exit::worst([exit, same.exit()]);
        lines.push(Line {
            check: "accounts".to_owned(),
            result: "stop",
            says: same.to_string(),
        });
    }
    for (line, failure) in [copy(&real), database(&real).await] {
        lines.push(line);
        exit = Exit::worst([exit, failure.map_or(Exit::Done, |failure| failure.exit())]);
    }
    if args.json {
        out::say(&serde_json::json!({ "exit": exit.code(), "checks": lines }).to_string());
    } else {
        for line in lines {
            out::say(&format!("{:<5} {:<14} {}", line.result, line.check, line.says));
        }
    }
    Ok(exit)
}

async fn account(real: &real::Real, role: Role) -> Result<Checked, Failure> {
    let accounts = &real.parts.accounts;
    let server = ServerTime::default();
    let link = real
        .parts
        .links
        .get(&role)
        .ok_or_else(|| Failure::failed(format!("there is no {role} account")))?;
    let reader = link.reader().map_err(Failure::failed)?;
    let line = |result, says| Line {
        check: format!("{role} account"),
        result,
        says,
    };
    Ok(
        match pin::check(&reader, accounts.of(role), accounts.environment, &server).await {
            Ok(sure) => {
                let skew = server.skew_ms();
                let id = accounts.of(role);
                if skew.abs() > WARN_MS {
                    let says = format!(
                        "{id} answers; this machine's clock is {} s away from Stripe's: set it",
                        skew / 1000
                    );
                    (line("warn", says), None)
                } else if sure {
                    (
                        line(
                            "pass",
                            format!("the key leads to {id}, {}, clocks agree", accounts.environment),
                        ),
                        None,
                    )
                } else {
                    let says =
                        format!("the key may not read {id} itself; nothing it can read contradicts the id");
                    (line("warn", says), None)
                }
            }
            Err(error) => {
                let failure = Failure::from(error);
                (line("stop", failure.to_string()), Some(failure))
            }
        },
    )
}

/// One line of the report, and why it stops.
type Checked = (Line, Option<Failure>);

fn said(check: &str, result: &'static str, says: impl Into<String>) -> Checked {
    let line = Line {
        check: check.to_owned(),
        result,
        says: says.into(),
    };
    (line, None)
}

fn stops(check: &str, failure: Failure) -> Checked {
    (said(check, "stop", failure.to_string()).0, Some(failure))
}

/// The mapping files and the list that was asked for, read and linted.
fn copy(real: &real::Real) -> Checked {
    const CHECK: &str = "mapping";
    let settings = match mapping::settings(&real.config, real.parts.clock.now()) {
        Ok(settings) => settings,
        Err(failure) => return stops(CHECK, failure),
    };
    let Some(file) = settings.file else {
        let says =
            "no file is configured yet; `cutover copy-list` makes the list for the copy that gives one";
        return said(CHECK, "skip", says);
    };
    let asked = settings.asked.map_or(String::new(), |asked| {
        format!("; {} customers were asked for", asked.len())
    });
    let rejected = file.lint().rejected() > 0;
    let result = if rejected { "warn" } else { "pass" };
    let help = if rejected {
        "; `cutover mapping lint` says where"
    } else {
        ""
    };
    said(CHECK, result, format!("{}{asked}{help}", mapping::summary(&file)))
}

/// The application's database, looked at without writing.
async fn database(real: &real::Real) -> Checked {
    const CHECK: &str = "database";
    let database = match mapping::database(&real.config) {
        Ok(Some(database)) => database,
        Ok(None) => return said(CHECK, "skip", "none is configured, so none is touched"),
        Err(failure) => return stops(CHECK, failure),
    };
    match database.check().await {
        Ok(shape) => {
            let result = if shape.may_write() { "pass" } else { "warn" };
            said(CHECK, result, found(&database.in_words(), &shape))
        }
        // Not reached, not there or not fitting: what is configured cannot be used as it is.
        Err(error) => stops(CHECK, Failure::failed(error)),
    }
}

fn found(place: &str, shape: &Shape) -> String {
    let writes = match (&shape.no_write, shape.ledger) {
        (Some(why), _) => format!("cannot be written: {why}; `cutover sql` makes files to be run by hand"),
        (None, true) => "may be written, and has the table of effects".to_owned(),
        (None, false) => "may be written; the table of effects is made before the first change".to_owned(),
    };
    format!(
        "{place} ({}), {} columns, {writes}",
        shape.server,
        shape.columns.len()
    )
}
