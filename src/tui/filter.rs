//! The filter language: free words, and `key:value` terms. All terms must hold.
//!
//! Free words are looked for in id, name, item, rule and amount. Terms: `verdict:blocked`, `risk:high`, `rule:`,
//! `status:failed`, `code:`, `currency:usd`. A value may be cut short: `verdict:bl`.
//!
//! Large stages are looked through in slices: [`search`].

pub mod search;

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

    /// Whether everything for which `self` holds, `wider` holds for: the same kind, with more of the value.
    fn narrows(&self, wider: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(wider)
            && self.value().starts_with(wider.value())
    }

    fn value(&self) -> &str {
        match self {
            Self::Word(value)
            | Self::Verdict(value)
            | Self::Risk(value)
            | Self::Rule(value)
            | Self::Status(value)
            | Self::Code(value)
            | Self::Currency(value) => value,
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

    /// Whether everything that passes `self` passes `wider`: typing one more letter only narrows. Compares what was
    /// parsed, because a letter more can change how those before it are lower-cased.
    #[must_use]
    pub fn narrows(&self, wider: &Self) -> bool {
        !wider.is_empty()
            && self.terms.len() >= wider.terms.len()
            && self
                .terms
                .iter()
                .zip(&wider.terms)
                .all(|(mine, theirs)| mine.narrows(theirs))
    }

    /// Whether a row passes.
    #[must_use]
    pub fn passes(&self, change: &Change, row: Option<&RowState>, hay: &str) -> bool {
        self.terms.iter().all(|term| term.holds(change, row, hay))
    }
}

impl Filter {
    /// Whether a single row passes, without a [`Haystack`].
    #[must_use]
    pub fn passes_alone(&self, change: &Change, row: Option<&RowState>) -> bool {
        let mut hay = String::new();
        push_hay(&mut hay, change);
        self.passes(change, row, &hay)
    }
}

/// The texts that free words are looked for in, one per row, one after another, each made once: what they hold never
/// changes with a decision.
#[derive(Clone, Debug, Default)]
pub struct Haystack {
    text: String,
    /// Where each row's text ends.
    ends: Vec<usize>,
}

impl Haystack {
    /// Makes the texts up to and with that of `row`; how many had to be made.
    pub fn make_up_to(&mut self, row: usize, changes: &[Arc<Change>]) -> usize {
        let known = self.ends.len();
        let Some(missing) = changes.get(known..changes.len().min(row + 1)) else {
            return 0;
        };
        for change in missing {
            push_hay(&mut self.text, change);
            self.ends.push(self.text.len());
        }
        missing.len()
    }

    /// Forgets everything: other rows.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// The text of a row; empty where it has not been made.
    #[must_use]
    pub fn of(&self, row: usize) -> &str {
        let from = match row.checked_sub(1) {
            None => Some(0),
            Some(before) => self.ends.get(before).copied(),
        };
        let to = self.ends.get(row).copied();
        from.zip(to)
            .and_then(|(from, to)| self.text.get(from..to))
            .unwrap_or("")
    }
}

fn push_hay(text: &mut String, change: &Change) {
    let money = change.money.map(|money| money.digits()).unwrap_or_default();
    let from = text.len();
    let parts = [
        &change.key.0,
        &change.subject,
        change.label.as_str(),
        &change.item,
        &change.rule,
        &money,
    ];
    for part in parts {
        text.push_str(part);
        text.push('\n');
    }
    match text.get_mut(from..) {
        Some(row) if row.is_ascii() => row.make_ascii_lowercase(),
        Some(row) => {
            let lower = row.to_lowercase();
            text.truncate(from);
            text.push_str(&lower);
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn shown(text: &str) -> Vec<String> {
        let state = sample::review();
        let changes = state.stages[0].changes().to_vec();
        let mut hay = Haystack::default();
        hay.make_up_to(changes.len() - 1, &changes);
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
        assert!(narrows("verdict:blocked", "verdict:"));
        assert!(!narrows("risk:h", "risk"));
        assert!(
            !narrows("ΑΣΑ", "ΑΣ"),
            "the last letter of a word is lower-cased otherwise"
        );
        assert!(!narrows("ab", "abc"));
        assert!(!narrows("a", ""));
    }
}
