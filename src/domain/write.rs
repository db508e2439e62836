//! One request as data: what will be sent, before it is sent, so that it can be reviewed, hashed, journalled and re-sent.

use serde::{Deserialize, Serialize};

use super::ids::{Digest, EffectId, Role};
use super::money::Money;

/// Metadata keys on every object this program creates.
pub mod marker {
    /// The [`super::EffectId`]: recovery looks for this.
    pub const EFFECT: &str = "cutover_effect";
    /// The run that wrote it.
    pub const RUN: &str = "cutover_run";
    /// First twelve digits of the plan's digest.
    pub const PLAN: &str = "cutover_plan";
    /// The old object it stands for.
    pub const OF: &str = "cutover_of";
}

/// When a planned write is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// In its turn, unless the row has drifted.
    Always,
    /// Only if another actor changed the balance between the last look and the write before it (reliability 4.6):
    /// counted and approved separately, because usually none is sent.
    IfRaced,
}

/// One write of a row, as approved. What is unknown until it is sent (a reduced amount after a race) is bounded by
/// `money`: never more than this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWrite {
    /// What it does, in one word of the stage's: `debit_source`, `grant`.
    pub op: String,
    /// Which account it changes.
    pub role: Role,
    /// Identity of the effect, put into the object's metadata.
    pub effect: EffectId,
    /// Method; every write of this program is a POST unless said otherwise.
    pub method: Method,
    /// Path with ids filled in: `/v1/customers/cus_1/balance_transactions`.
    pub path: String,
    /// Form fields, in the order they are sent; the markers are added when it is sent.
    pub form: Vec<(String, String)>,
    /// How much it moves, in the program's sign.
    pub money: Option<Money>,
    /// Whether it is always sent.
    pub when: When,
    /// Whether nothing can take it back (as opposed to an opposite entry).
    pub irreversible: bool,
    /// Whether it creates an object that carries our markers in its metadata. An update does not (a later one would
    /// overwrite the marker), nor does an object without metadata; what these did is told by what they set.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub marked: bool,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde calls")]
const fn is_yes(marked: &bool) -> bool {
    *marked
}

/// Stands in a planned form for an id that does not exist yet: that of the object which will stand for `old`. Only a
/// field whose approved value is such a place may be filled in when it is sent.
#[must_use]
pub fn place_of(old: &str) -> String {
    format!("{{new id of {old}}}")
}

/// Whether an approved form value is a place to be filled in, see [`place_of`].
#[must_use]
pub fn is_place(value: &str) -> bool {
    value.starts_with("{new id of ") && value.ends_with('}')
}

/// Places in the forms of a choice that asks for a number ([`super::change::Number`]): what will stand there is known
/// when the number is.
pub mod number {
    /// The number itself.
    pub const GIVEN: &str = "{number}";

    /// The number, but no more than `most`.
    #[must_use]
    pub fn up_to(most: u64) -> String {
        format!("{{number, at most {most}}}")
    }

    /// What the number leaves of `whole`.
    #[must_use]
    pub fn rest_of(whole: u64) -> String {
        format!("{{{whole} - number}}")
    }

    /// The number and `more`.
    #[must_use]
    pub fn and(more: u64) -> String {
        format!("{{number + {more}}}")
    }

    /// The number and `more`, but no more than `most`.
    #[must_use]
    pub fn and_up_to(more: u64, most: u64) -> String {
        format!("{{number + {more}, at most {most}}}")
    }

    /// Whether `value` is such a place.
    #[must_use]
    pub fn is_place(value: &str) -> bool {
        value.starts_with('{') && value.ends_with('}') && value.contains("number")
    }

    /// What `value` is with that number; anything that is no such place stays as it is.
    #[must_use]
    pub fn fill(value: &str, given: u64) -> Option<String> {
        let inner = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))?;
        if inner == "number" {
            return Some(given.to_string());
        }
        if let Some(most) = inner.strip_prefix("number, at most ") {
            return Some(given.min(most.parse().ok()?).to_string());
        }
        if let Some(sum) = inner.strip_prefix("number + ") {
            let (more, most) = sum.split_once(", at most ").unwrap_or((sum, ""));
            let sum = given.checked_add(more.parse().ok()?)?;
            let most = if most.is_empty() { sum } else { most.parse().ok()? };
            return Some(sum.min(most).to_string());
        }
        let whole: u64 = inner.strip_suffix(" - number")?.parse().ok()?;
        Some(whole.checked_sub(given)?.to_string())
    }
}

/// A cap: it may be sent smaller than approved when uses were taken meanwhile, never larger, never zero.
pub const CAP: &str = "max_redemptions";

/// A row of the application's own database, as approved: compare and set. It is changed only where every cell still
/// holds what was read, in one transaction with the line of the effect ledger that says so (reliability I25).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowUpdate {
    /// Identity of the effect: the primary key of the effect ledger.
    pub effect: EffectId,
    /// The table, as configured.
    pub table: String,
    /// The value of the key column, as text.
    pub key: String,
    /// What changes.
    pub cells: Vec<Cell>,
}

/// One cell of a [`RowUpdate`]. `None` is SQL's null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The column.
    pub column: String,
    /// What was read.
    pub before: Option<String>,
    /// What it will be.
    pub after: Option<String>,
}

/// The methods a write may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Create or update.
    Post,
    /// Delete.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// The `Idempotency-Key` of one exact request: `cut1-<plan 12>-<effect 26>-g<generation>` (reliability 4.1).
#[must_use]
pub fn idempotency_key(plan: &Digest, effect: &EffectId, generation: u32) -> String {
    format!("cut1-{}-{effect}-g{generation}", plan.prefix12())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fills_its_places_and_nothing_else() {
        let fill = |value: &str| number::fill(value, 4);
        assert_eq!(fill(number::GIVEN).as_deref(), Some("4"));
        assert_eq!(fill(&number::up_to(3)).as_deref(), Some("3"));
        assert_eq!(fill(&number::up_to(9)).as_deref(), Some("4"));
        assert_eq!(fill(&number::rest_of(6)).as_deref(), Some("2"));
        assert_eq!(fill(&number::rest_of(3)), None);
        assert_eq!(fill(&number::and(3)).as_deref(), Some("7"));
        assert_eq!(fill(&number::and(u64::MAX)), None);
        assert_eq!(fill(&number::and_up_to(3, 9)).as_deref(), Some("7"));
        assert_eq!(fill(&number::and_up_to(3, 6)).as_deref(), Some("6"));
        for other in [
            "4",
            "{}",
            "{new id of price_1}",
            "number",
            "{number, at most x}",
            "{number + 1, at most }x",
        ] {
            assert_eq!(fill(other), None, "{other}");
        }
    }

    #[test]
    fn a_key_names_plan_effect_and_generation_in_under_64_characters() {
        let plan = Digest::of("p", [b"x".as_slice()]);
        let effect = EffectId("a".repeat(26));
        let key = idempotency_key(&plan, &effect, 4_000_000_000);
        assert!(key.len() < 64, "{key}");
        assert!(key.starts_with("cut1-") && key.ends_with("-g4000000000"));
        assert_ne!(key, idempotency_key(&plan, &effect, 1));
    }
}
