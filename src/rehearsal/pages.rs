//! Object stores in order of creation, and cursor pages over them (docs.stripe.com/api/pagination).
//!
//! Objects are appended as they are made, so creation order is slot order: a page is a walk from a slot, a `created`
//! filter is two binary searches, and nothing is ever sorted per request.

use serde_json::{Value, json};

use super::errors::Refusal;
use super::index::Index;
use super::params::Params;

/// What a list needs to know of a row.
pub(crate) trait Row {
    /// The object's id.
    fn id(&self) -> &str;
    /// When it was made, in seconds.
    fn created(&self) -> i64;
    /// Whether lists show it; a deleted object stays in its slot.
    fn listed(&self) -> bool {
        true
    }
}

impl<T: Row> Row for &T {
    fn id(&self) -> &str {
        (**self).id()
    }
    fn created(&self) -> i64 {
        (**self).created()
    }
    fn listed(&self) -> bool {
        (**self).listed()
    }
}

/// Rows in order of creation with an index by id.
#[derive(Clone)]
pub(crate) struct Store<T> {
    rows: Vec<T>,
    by_id: Index,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            by_id: Index::default(),
        }
    }
}

impl<T: Row> Store<T> {
    /// Appends a row and says its slot.
    pub(crate) fn push(&mut self, row: T) -> u32 {
        let slot = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.by_id.insert(row.id(), slot);
        self.rows.push(row);
        slot
    }

    /// The slot of an id.
    pub(crate) fn slot(&self, id: &str) -> Option<u32> {
        self.by_id
            .find(id, |slot| self.at(slot).is_some_and(|row| row.id() == id))
    }

    /// The row of an id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.slot(id).and_then(|slot| self.at(slot))
    }

    /// The row of an id, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let slot = self.slot(id)?;
        self.at_mut(slot)
    }

    /// The row in a slot.
    pub(crate) fn at(&self, slot: u32) -> Option<&T> {
        self.rows.get(slot as usize)
    }

    /// The row in a slot, to change it.
    pub(crate) fn at_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.rows.get_mut(slot as usize)
    }

    /// Frees the id of a row, which stays in its slot.
    pub(crate) fn forget(&mut self, slot: u32) {
        if let Some(id) = self.at(slot).map(|row| row.id().to_owned()) {
            self.by_id.remove(&id, slot);
        }
    }

    /// All rows, oldest first.
    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Gives back what growing by doubling took too much.
    pub(crate) fn shrink(&mut self) {
        self.rows.shrink_to_fit();
        self.by_id.shrink();
    }
}

/// What a list request asks for.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    limit: usize,
    after: Option<&'a str>,
    before: Option<&'a str>,
    created: Params<'a>,
}

impl<'a> Page<'a> {
    /// Reads paging parameters; `limit` is clamped to 1–100 as the live API does.
    pub(crate) fn from(params: Params<'a>) -> Result<Self, Refusal> {
        let after = params.text("starting_after");
        let before = params.text("ending_before");
        if after.is_some() && before.is_some() {
            let message =
                "Received both starting_after and ending_before parameters. Please pass in only one.";
            return Err(Refusal::invalid("starting_after", message.to_owned()));
        }
        let limit = params.int("limit").unwrap_or(10).clamp(1, 100);
        Ok(Self {
            limit: usize::try_from(limit).unwrap_or(10),
            after,
            before,
            created: params,
        })
    }

    /// The page of `rows` (oldest first) that `keep` lets through, newest first, and whether there is more.
    /// `what` names the object in the error for an unknown cursor; `slot` finds a cursor's place in `rows`.
    pub(crate) fn cut<'r, T: Row>(
        &self,
        rows: &'r [T],
        what: &str,
        slot: impl Fn(&str) -> Option<usize>,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(Vec<&'r T>, bool), Refusal> {
        let (mut low, mut high) = self.created_bounds(rows);
        if let Some(id) = self.after {
            high = high.min(cursor(rows, slot(id), what, id, "starting_after")?);
        }
        if let Some(id) = self.before {
            low = low.max(cursor(rows, slot(id), what, id, "ending_before")? + 1);
        }
        let range = rows.get(low..high.max(low)).unwrap_or_default();
        let kept = |row: &&'r T| row.listed() && keep(row);
        let mut page: Vec<&T> = if self.before.is_some() {
            range.iter().filter(kept).take(self.limit + 1).collect()
        } else {
            range.iter().rev().filter(kept).take(self.limit + 1).collect()
        };
        let has_more = page.len() > self.limit;
        page.truncate(self.limit);
        if self.before.is_some() {
            page.reverse();
        }
        Ok((page, has_more))
    }

    fn created_bounds<T: Row>(&self, rows: &[T]) -> (usize, usize) {
        let first_at = |secs: i64| rows.partition_point(|row| row.created() < secs);
        if let Some(exact) = self.created.int("created") {
            return (first_at(exact), first_at(exact.saturating_add(1)));
        }
        let Some(range) = self.created.hash("created") else {
            return (0, rows.len());
        };
        let (mut low, mut high) = (0, rows.len());
        for (name, add) in [("gte", 0), ("gt", 1)] {
            if let Some(secs) = range.int(name) {
                low = low.max(first_at(secs.saturating_add(add)));
            }
        }
        for (name, add) in [("lt", 0), ("lte", 1)] {
            if let Some(secs) = range.int(name) {
                high = high.min(first_at(secs.saturating_add(add)));
            }
        }
        (low, high)
    }
}

fn cursor<T: Row>(
    rows: &[T],
    slot: Option<usize>,
    what: &str,
    id: &str,
    param: &str,
) -> Result<usize, Refusal> {
    slot.filter(|s| rows.get(*s).is_some_and(Row::listed))
        .ok_or_else(|| {
            let mut refused = Refusal::missing(what, id, param, false);
            refused.stored = false;
            refused
        })
}

/// A cursor's place in a small slice, by looking through it.
pub(crate) fn place<T: Row>(rows: &[T], id: &str) -> Option<usize> {
    rows.iter().position(|row| row.id() == id)
}

/// The list envelope.
pub(crate) fn envelope(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    let mut out = json!({ "object": "list", "url": url, "has_more": has_more });
    out["data"] = Value::Array(data);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::form::parse;

    struct Item(String, i64);
    impl Row for Item {
        fn id(&self) -> &str {
            &self.0
        }
        fn created(&self) -> i64 {
            self.1
        }
    }

    fn items(count: i64) -> Vec<Item> {
        (0..count).map(|n| Item(format!("i_{n}"), n / 2)).collect()
    }

    fn page(query: &str, rows: &[Item]) -> (Vec<String>, bool) {
        let tree = parse(query).unwrap();
        let page = Page::from(Params(&tree)).unwrap();
        let (data, more) = page.cut(rows, "item", |id| place(rows, id), |_| true).unwrap();
        (data.iter().map(|i| i.0.clone()).collect(), more)
    }

    #[test]
    fn pages_run_from_the_newest_and_cursors_are_exclusive() {
        let rows = items(5);
        assert_eq!(page("limit=2", &rows), (vec!["i_4".into(), "i_3".into()], true));
        assert_eq!(
            page("limit=2&starting_after=i_1", &rows),
            (vec!["i_0".into()], false)
        );
        assert_eq!(
            page("limit=2&ending_before=i_1", &rows),
            (vec!["i_3".into(), "i_2".into()], true)
        );
    }

    #[test]
    fn limits_are_clamped_and_created_bounds_are_exact() {
        let rows = items(300);
        assert_eq!(page("limit=0", &rows).0.len(), 1);
        assert_eq!(page("limit=101", &rows).0.len(), 100);
        assert_eq!(page("created[gte]=3&created[lt]=4&limit=100", &rows).0.len(), 2);
        assert_eq!(page("created[gt]=3&created[lte]=5&limit=100", &rows).0.len(), 4);
        assert_eq!(page("created=7", &rows).0, ["i_15", "i_14"]);
        assert_eq!(page("created[gt]=9&created[lt]=5", &rows).0.len(), 0);
    }

    #[test]
    fn an_unknown_cursor_is_refused_with_400() {
        let tree = parse("starting_after=i_9").unwrap();
        let rows = items(3);
        let page = Page::from(Params(&tree)).unwrap();
        let refused = page
            .cut(&rows, "item", |id| place(&rows, id), |_| true)
            .map(|_| ())
            .unwrap_err();
        assert_eq!((refused.status, refused.code), (400, Some("resource_missing")));
    }

    proptest::proptest! {
        #[test]
        fn walking_pages_sees_every_row_once_whatever_the_page_size(count in 0_i64..60, limit in 1_i64..20) {
            let rows = items(count);
            let mut seen = Vec::new();
            loop {
                let after = seen.last().map_or(String::new(), |id| format!("&starting_after={id}"));
                let (data, more) = page(&format!("limit={limit}{after}"), &rows);
                seen.extend(data);
                if !more {
                    break;
                }
            }
            let want: Vec<String> = (0..count).rev().map(|n| format!("i_{n}")).collect();
            proptest::prop_assert_eq!(seen, want);
        }
    }
}
