//! `cutover check`: configuration, keys, accounts, mode and clock, with reads only.

use serde::Serialize;

use super::failure::Failure;
use super::out;
use super::real;
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
    let real = real::real(&args.config)?;
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
    if args.json {
        out::say(&serde_json::json!({ "exit": exit.code(), "checks": lines }).to_string());
    } else {
        for line in lines {
            out::say(&format!("{:<5} {:<14} {}", line.result, line.check, line.says));
        }
    }
    Ok(exit)
}

async fn account(real: &real::Real, role: Role) -> Result<(Line, Option<Failure>), Failure> {
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
