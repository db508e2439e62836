//! That a key leads to the account it is said to lead to, in the mode it is said to have, with clocks that agree. Asked
//! before reading, and again with the write keys before the first write of a plan (I13).

use serde::Deserialize;
use thiserror::Error;

use super::server_time::{REFUSE_MS, ServerTime};
use crate::domain::ids::{AccountId, Environment, Role};
use crate::domain::text::safe;
use crate::stripe::form::Form;
use crate::stripe::wire::Account;
use crate::stripe::{Failure, Mode, Reader};

/// Characters at the end of an account id that Stripe puts into the ids of its objects (facts 2.8).
const FRAGMENT_CHARS: usize = 10;

/// Why nothing may be sent to an account. Each is one sentence with what to mend.
#[derive(Debug, Error)]
pub enum PinError {
    /// Another account.
    #[error(
        "the {role} key leads to {found}, the configuration says {wanted}: swap or correct the keys or the account ids"
    )]
    OtherAccount {
        /// Which.
        role: Role,
        /// What Stripe says.
        found: String,
        /// What is configured.
        wanted: AccountId,
    },
    /// Both keys lead to the same account.
    #[error("both keys lead to {0}: the old and the new account must be two")]
    SameAccount(AccountId),
    /// A key of the other mode.
    #[error("the {role} key is a {found} key, the run is {wanted}: use a key of the right mode")]
    Mode {
        /// Which.
        role: Role,
        /// The key's.
        found: &'static str,
        /// The run's.
        wanted: &'static str,
    },
    /// The key does not work.
    #[error("the {role} key was refused: {why}; check that it is whole, not expired, and of this account")]
    Refused {
        /// Which.
        role: Role,
        /// Stripe's words.
        why: String,
    },
    /// No answer.
    #[error("the {role} account could not be asked who it is: {why}")]
    Unreachable {
        /// Which.
        role: Role,
        /// What happened.
        why: String,
    },
    /// The key may not read the account, and its objects carry another account's fragment.
    #[error(
        "the {role} key may not read its own account, and its objects ({found}) are not of {wanted}: check the key and the account id"
    )]
    OtherFragment {
        /// Which.
        role: Role,
        /// An id.
        found: String,
        /// What is configured.
        wanted: AccountId,
    },
    /// The local clock is off.
    #[error(
        "this machine's clock is {seconds} s away from Stripe's; set the clock before writing (300 s are tolerated)"
    )]
    Skew {
        /// How far.
        seconds: i64,
    },
}

#[derive(Deserialize)]
struct Ids {
    data: Vec<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// Asks one account who it is. `Ok(true)`: it said so itself; `Ok(false)`: it may not be asked, and nothing contradicts.
pub async fn check(
    reader: &Reader,
    wanted: &AccountId,
    environment: Environment,
    server: &ServerTime,
) -> Result<bool, PinError> {
    let role = reader.role();
    check_mode(role, reader.mode(), environment)?;
    let sure = match reader.get_as::<Account>("/v1/account", &Form::new()).await {
        Ok(fetched) => {
            server.learn(&fetched.reply.meta);
            if fetched.value.id != wanted.0 {
                let found = safe(&fetched.value.id).as_str().to_owned();
                return Err(PinError::OtherAccount {
                    role,
                    found,
                    wanted: wanted.clone(),
                });
            }
            true
        }
        Err(failure) => match failure.api().map(|api| api.meta.status) {
            Some(403) => by_fragment(reader, wanted, server).await?,
            Some(401) => {
                return Err(PinError::Refused {
                    role,
                    why: words(&failure),
                });
            }
            _ => {
                return Err(PinError::Unreachable {
                    role,
                    why: words(&failure),
                });
            }
        },
    };
    let skew = server.skew_ms();
    if skew.abs() > REFUSE_MS {
        return Err(PinError::Skew { seconds: skew / 1000 });
    }
    Ok(sure)
}

fn check_mode(role: Role, mode: Mode, environment: Environment) -> Result<(), PinError> {
    let word = |live| if live { "live" } else { "test" };
    if mode.livemode() == environment.livemode() {
        return Ok(());
    }
    Err(PinError::Mode {
        role,
        found: word(mode.livemode()),
        wanted: word(environment.livemode()),
    })
}

/// A restricted key may be refused its own account (facts 2.1): the ids of its objects carry the account's last
/// characters.
async fn by_fragment(reader: &Reader, wanted: &AccountId, server: &ServerTime) -> Result<bool, PinError> {
    let role = reader.role();
    let query = Form::new().with("limit", 1);
    let events = reader.get_as::<Ids>("/v1/events", &query).await;
    let events = events.map_err(|failure| PinError::Unreachable {
        role,
        why: words(&failure),
    })?;
    server.learn(&events.reply.meta);
    let Some(event) = events.value.data.first() else {
        return Ok(false);
    };
    let chars = wanted.0.chars().count();
    let fragment: String = wanted
        .0
        .chars()
        .skip(chars.saturating_sub(FRAGMENT_CHARS))
        .collect();
    if event.id.contains(&fragment) {
        return Ok(false);
    }
    Err(PinError::OtherFragment {
        role,
        found: safe(&event.id).as_str().to_owned(),
        wanted: wanted.clone(),
    })
}

fn words(failure: &Failure) -> String {
    safe(&failure.to_string()).as_str().to_owned()
}
