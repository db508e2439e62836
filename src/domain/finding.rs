//! Something a person has to know: named customer, rule, reason. Findings never change what is written.

use serde::{Deserialize, Serialize};

use super::ids::StageId;
use super::money::Money;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing differs.
    Note,
    /// Unusual; look at it.
    Warn,
    /// A difference that an audit must not pass over (exit code 4).
    Differs,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// The stage that found it.
    pub stage: StageId,
    /// The customer it is about.
    pub customer: String,
    /// A stable name, `balance_in_other_currency`.
    pub rule: String,
    /// One sentence with the numbers.
    pub reason: String,
    /// How much it matters.
    pub severity: Severity,
    /// The money in question, where there is one amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
}
