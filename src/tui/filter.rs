//! The filter language: free words, and `key:value` terms. All terms must hold.
//!
//! Free words are looked for in id, name, item, rule and amount. Terms: `verdict:blocked`, `risk:high`, `rule:`,
//! `status:failed`, `code:`, `currency:usd`. A value may be cut short: `verdict:bl`.

use std::sync::Arc;

use crate::domain::change::Change;
use crate::domain::record::RowEnd;
use crate::engine::state::RowState;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Word(String),
    Verdict(String),
    Risk(String),
    Rule(String),
    Status(String),
    Code(String),
    Currency(String),
}

impl Term {
    fn parse(word: &str) -> Self {
        let word = word.to_lowercase();
        let Some((key, value)) = word.split_once(':') else {
            return Self::Word(word);
        };
        let value = value.to_owned();
        match key {
            "verdict" => Self::Verdict(value),
            "risk" => Self::Risk(value),
            "rule" => Self::Rule(value),
            "status" => Self::Status(value),
            "code" => Self::Code(value),
            "currency" => Self::Currency(value),
            _ => Self::Word(word),
        }
    }

    fn holds(&self, change: &Change, row: Option<&RowState>, hay: &str) -> bool {
        match self {
            Self::Word(word) => hay.contains(word.as_str()),
            Self::Verdict(value) => change.verdict.word().starts_with(value.as_str()),
            Self::Risk(value) => change.risk.word().starts_with(value.as_str()),
            Self::Rule(value) => starts_with_any_case(&change.rule, value),
            Self::Status(value) => status_word(row).starts_with(value.as_str()),
            Self::Code(value) => code_of(row).is_some_and(|code| starts_with_any_case(code, value)),
            Self::Currency(value) => change
                .money
                .is_some_and(|money| money.currency.code().starts_with(value.as_str())),
        }
    }
}

fn starts_with_any_case(text: &str, lower: &str) -> bool {
    text.get(..lower.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(lower))
}

/// The word of a row's progress: its end, `writing`, or `pending`; empty before writing.
#[must_use]
pub fn status_word(row: Option<&RowState>) -> &'static str {
    match row {
        None => "",
        Some(RowState { end: Some(end), .. }) => RowEnd::word(*end),
        Some(RowState { working: true, .. }) => "writing",
        Some(_) => "pending",
    }
}

fn code_of(row: Option<&RowState>) -> Option<&str> {
    row?.detail
        .as_deref()
        .map(|detail| detail.code.as_str())
        .filter(|code| !code.is_empty())
}

/// A parsed filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

impl Filter {
    /// Reads `text`; anything is a filter.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let terms = text.split_whitespace().map(Term::parse).collect();
        Self {
            text: text.to_owned(),
            terms,
        }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether every row passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the result changes while rows are written.
    #[must_use]
    pub fn watches_rows(&self) -> bool {
        self.terms
            .iter()
            .any(|term| matches!(term, Term::Status(_) | Term::Code(_)))
    }

    /// Whether everything that passes `self` passes `wider`: typing one more letter only narrows.
    #[must_use]
    pub fn narrows(&self, wider: &Self) -> bool {
        !wider.is_empty()
            && self.text.starts_with(&wider.text)
            && self.terms.len() >= wider.terms.len()
            && !wider.text.ends_with(':')
            && std::mem::discriminant(&self.terms[wider.terms.len() - 1])
                == std::mem::discriminant(&wider.terms[wider.terms.len() - 1])
    }

    /// Whether a row passes.
    #[must_use]
    pub fn passes(&self, change: &Change, row: Option<&RowState>, hay: &str) -> bool {
        self.terms.iter().all(|term| term.holds(change, row, hay))
    }
}

/// The text that free words are looked for in, one per row, made once per plan: what it holds never changes with a
/// decision.
#[derive(Clone, Debug, Default)]
pub struct Haystack(Vec<Box<str>>);

impl Haystack {
    /// Makes what is missing for `changes`, whose first rows are those already known.
    pub fn extend(&mut self, changes: &[Arc<Change>]) {
        self.0.truncate(changes.len());
        let known = self.0.len();
        self.0
            .extend(changes[known..].iter().map(|change| hay_of(change)));
    }

    /// Forgets everything: other rows.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The text of a row.
    #[must_use]
    pub fn of(&self, row: usize) -> &str {
        self.0.get(row).map_or("", |hay| hay)
    }
}

fn hay_of(change: &Change) -> Box<str> {
    let money = change.money.map(|money| money.digits()).unwrap_or_default();
    let parts = [
        &change.key.0,
        &change.subject,
        change.label.as_str(),
        &change.item,
        &change.rule,
        &money,
    ];
    let mut hay = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for part in parts {
        hay.push_str(part);
        hay.push('\n');
    }
    if hay.is_ascii() {
        hay.make_ascii_lowercase();
        return hay.into_boxed_str();
    }
    hay.to_lowercase().into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn shown(text: &str) -> Vec<String> {
        let state = sample::review();
        let changes = state.stages[0].changes().to_vec();
        let mut hay = Haystack::default();
        hay.extend(&changes);
        let filter = Filter::parse(text);
        (0..changes.len())
            .filter(|at| filter.passes(&changes[*at], state.stages[0].rows.get(*at), hay.of(*at)))
            .map(|at| changes[at].key.0.clone())
            .collect()
    }

    #[test]
    fn every_term_narrows_and_all_must_hold() {
        let all = shown("");
        let blocked = shown("verdict:blocked");
        assert!(!blocked.is_empty() && blocked.len() < all.len());
        let both = shown("verdict:bl currency:usd");
        assert!(both.len() <= blocked.len() && both.iter().all(|key| blocked.contains(key)));
        assert!(shown("verdict:blocked risk:low").len() < blocked.len());
    }

    #[test]
    fn free_words_find_ids_names_and_amounts_in_any_case() {
        let all = shown("");
        assert_eq!(shown(&all[3].to_uppercase()), [all[3].clone()]);
        assert!(shown("no such words anywhere").is_empty());
    }

    #[test]
    fn one_more_letter_narrows_and_another_term_kind_does_not() {
        let narrows = |now: &str, before: &str| Filter::parse(now).narrows(&Filter::parse(before));
        assert!(narrows("verdict:blo", "verdict:bl"));
        assert!(narrows("abc d", "abc"));
        assert!(!narrows("risk:h", "risk"));
        assert!(!narrows("ab", "abc"));
        assert!(!narrows("a", ""));
    }
}
