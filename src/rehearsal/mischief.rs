//! Answers that are not what they should be: lies about what was written, and bodies that try a reader's patience.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::faults::FaultKind;
use super::reply::Reply;

/// Bytes an oversized body is padded with: more than any answer of the API.
const OVERSIZE: usize = 9 << 20;
/// Levels of a deeply nested body.
const DEPTH: usize = 400;

/// What an answer says wrongly. Part of the world log, because a key keeps the lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lie {
    /// Another amount than was written.
    Amount,
    /// The other mode.
    Livemode,
    /// Another customer.
    Customer,
}

impl Lie {
    /// The lie a fault means.
    pub(crate) const fn of(fault: Option<FaultKind>) -> Option<Self> {
        match fault {
            Some(FaultKind::WrongAmount) => Some(Self::Amount),
            Some(FaultKind::WrongLivemode) => Some(Self::Livemode),
            Some(FaultKind::WrongCustomer) => Some(Self::Customer),
            _ => None,
        }
    }

    /// Tells it.
    pub(crate) fn tell(self, value: &mut Value) {
        match self {
            Self::Amount => {
                for name in ["amount", "unit_amount", "amount_off", "max_redemptions"] {
                    if let Some(amount) = value.get(name).and_then(Value::as_i64) {
                        value[name] = json!(amount.saturating_add(1));
                    }
                }
            }
            Self::Livemode => {
                if let Some(mode) = value.get("livemode").and_then(Value::as_bool) {
                    value["livemode"] = json!(!mode);
                }
            }
            Self::Customer => {
                if value.get("customer").is_some_and(Value::is_string) {
                    value["customer"] = json!("cus_SomebodyElse00");
                }
            }
        }
    }
}

/// Distorts the bytes of a good answer.
pub(crate) fn distort(fault: FaultKind, reply: &mut Reply) {
    match fault {
        FaultKind::OversizedBody => pad(&mut reply.body, &format!("\"{}\"", "x".repeat(OVERSIZE))),
        FaultKind::DeepBody => pad(
            &mut reply.body,
            &format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        ),
        FaultKind::RepeatedRow => repeat_row(&mut reply.body),
        FaultKind::Redirect => {
            reply.status = 302;
            reply.body.clear();
            reply.headers.push(("location", "/v1/account".to_owned()));
        }
        _ => {}
    }
}

/// Adds a field `padding` with this JSON to an object.
fn pad(body: &mut Vec<u8>, padding: &str) {
    if body.first() == Some(&b'{') {
        let field = format!("{{\"padding\":{padding},");
        body.splice(..1, field.into_bytes());
    }
}

/// A list's last row comes twice, as when pages shift.
fn repeat_row(body: &mut Vec<u8>) {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    if let Some(rows) = value.get_mut("data").and_then(Value::as_array_mut)
        && let Some(last) = rows.last().cloned()
    {
        rows.push(last);
        *body = serde_json::to_vec_pretty(&value).unwrap_or_default();
    }
}
