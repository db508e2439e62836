//! Rows that belong together: by verdict, by end, by Stripe's code, by rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::change::Change;
use crate::domain::money::Sums;
use crate::domain::record::RowEnd;
use crate::engine::state::RowState;

/// Rows that belong together, with their money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they share: `verdict`, `rule`, `code` or `status`.
    pub kind: &'static str,
    /// The value, as the filter language takes it.
    pub value: String,
    /// How many.
    pub rows: u64,
    /// Their money.
    pub money: Sums,
}

/// Groups by verdict, by rule, by end and by Stripe's code.
#[must_use]
pub fn groups(changes: &[Arc<Change>], rows: &[RowState]) -> Vec<Group> {
    let mut found: BTreeMap<(u8, &'static str, &str), (u64, Sums)> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate() {
        let row = rows.get(at);
        let code = row
            .and_then(|row| row.detail.as_deref())
            .map_or("", |detail| detail.code.as_str());
        let end = row
            .and_then(|row| row.end)
            .filter(|end| *end != RowEnd::Done)
            .map_or("", RowEnd::word);
        let belongs = [
            (0, "verdict", change.verdict.word()),
            (1, "status", end),
            (2, "code", code),
            (3, "rule", change.rule.as_str()),
        ];
        for group in belongs.into_iter().filter(|(_, _, value)| !value.is_empty()) {
            let (count, money) = found.entry(group).or_default();
            *count += 1;
            if let Some(amount) = change.money {
                // The plan's own totals refuse to overflow, so a group's sum, which is smaller, cannot.
                let _ = money.add(amount);
            }
        }
    }
    let mut groups: Vec<(u8, Group)> = found
        .into_iter()
        .map(|((order, kind, value), (rows, money))| {
            (
                order,
                Group {
                    kind,
                    value: value.to_owned(),
                    rows,
                    money,
                },
            )
        })
        .collect();
    groups.sort_by_key(|(order, group)| (*order, u64::MAX - group.rows));
    groups.into_iter().map(|(_, group)| group).collect()
}
