//! Where to cut a list that is read over several cursors. PURE.
//!
//! The bound: a call either has more behind it (and then brought a full page) or ends its range. Only calls of the first
//! kind split, into two, so with `f` of them there are at most `f + 1` of the second: `2f + 1` calls. `n` items give
//! `f` full pages with something behind them only if `n ≥ 100·f + 1`, that is `⌈n/100⌉ ≥ f + 1`. So calls
//! `≤ 2·⌈n/100⌉ − 1`, whatever the distribution, and one call for an empty list.

/// A range of `created`, whole seconds, both ends included; `None` is unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
}

/// Before any Stripe account: only a guess at where to cut, the oldest range has no lower end.
const OLDEST: i64 = 1_293_840_000;

impl Range {
    pub(super) const ALL: Self = Self { from: None, to: None };

    pub(super) fn contains(self, created: i64) -> bool {
        self.from.is_none_or(|from| created >= from) && self.to.is_none_or(|to| created <= to)
    }
}

/// Newest and oldest of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    newest: i64,
    oldest: i64,
}

impl Seen {
    /// `None` for an empty page, and for one that is not newest first: a cursor behind it proves nothing about time.
    pub(super) fn of(created: impl Iterator<Item = i64>) -> Option<Self> {
        let mut seen: Option<Self> = None;
        for at in created {
            match &mut seen {
                None => {
                    seen = Some(Self {
                        newest: at,
                        oldest: at,
                    });
                }
                Some(page) if at <= page.oldest => page.oldest = at,
                Some(_) => return None,
            }
        }
        seen
    }
}

/// What is behind a full page of `range`: the half that goes on from the page's cursor, and the older half, if
/// cutting is worth a call. At the page's own density the rest must fill at least another page.
pub(super) fn after_page(range: Range, seen: Seen) -> (Range, Option<Range>) {
    let floor = range.from.unwrap_or(OLDEST);
    let left = seen.oldest.saturating_sub(floor);
    if left <= 0 || left < seen.newest.saturating_sub(seen.oldest) {
        return (range, None);
    }
    let cut = floor + left / 2 + 1;
    let newer = Range {
        from: Some(cut),
        to: range.to,
    };
    let older = Range {
        from: range.from,
        to: Some(cut - 1),
    };
    (newer, Some(older))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads all of `created` (any order) with cuts allowed while `most` ranges are open; returns (calls, items read).
    fn read(mut created: Vec<i64>, most: usize) -> (usize, Vec<usize>) {
        created.sort_unstable_by(|a, b| b.cmp(a));
        let (mut calls, mut read) = (0, Vec::new());
        let mut open = vec![(Range::ALL, None::<usize>)];
        while let Some((range, cursor)) = open.pop() {
            calls += 1;
            let behind = |i: &usize| range.contains(created[*i]) && cursor.is_none_or(|at| *i > at);
            let rest: Vec<usize> = (0..created.len()).filter(behind).collect();
            let page = &rest[..rest.len().min(100)];
            read.extend_from_slice(page);
            if rest.len() <= 100 {
                continue;
            }
            let seen = Seen::of(page.iter().map(|i| created[*i])).unwrap();
            let last = page.last().copied();
            match after_page(range, seen) {
                (newer, Some(older)) if open.len() + 1 < most => open.extend([(older, None), (newer, last)]),
                _ => open.push((range, last)),
            }
        }
        read.sort_unstable();
        (calls, read)
    }

    fn holds(created: Vec<i64>, most: usize) {
        let (n, pages) = (created.len(), created.len().div_ceil(100).max(1));
        let (calls, read) = read(created, most);
        assert_eq!(read, (0..n).collect::<Vec<_>>(), "each item once");
        assert!(calls < 2 * pages, "{calls} calls for {pages} pages");
    }

    #[test]
    fn edge_sizes_keep_the_bound() {
        for n in [0, 1, 99, 100, 101, 199, 200, 201, 2500] {
            holds((0..n).map(|i| 1_700_000_000 + i * 977).collect(), 16);
            holds(vec![1_700_000_000; usize::try_from(n).unwrap()], 16);
        }
    }

    #[test]
    fn two_clusters_far_apart_and_times_before_any_account_keep_the_bound() {
        let far = (0..900).map(|i| {
            if i % 2 == 0 {
                1_300_000_000 + i
            } else {
                1_760_000_000 + i
            }
        });
        holds(far.collect(), 16);
        holds((0..900).map(|i| i - 450).collect(), 16);
    }

    #[test]
    fn an_even_spread_is_read_by_many_cursors_for_few_extra_calls() {
        let (calls, _) = read((0..25_000).map(|i| 1_600_000_000 + i * 4_000).collect(), 16);
        assert!(calls <= 250 + 40, "{calls}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_distribution_is_read_whole_in_fewer_than_two_calls_per_page(
            base in proptest::collection::vec((0_i64..2_000_000_000, 0_i64..5_000_000, 0_i64..700), 0..5),
            most in 1_usize..40,
            salt: u32,
        ) {
            let spread = |(at, span, n): (i64, i64, i64)| {
                (0..n).map(move |i| at + (i * i64::from(salt)).rem_euclid(span + 1))
            };
            holds(base.into_iter().flat_map(spread).collect(), most);
        }
    }

    #[test]
    fn a_page_that_is_not_newest_first_is_not_cut() {
        assert_eq!(Seen::of([3, 5].into_iter()), None);
        assert_eq!(Seen::of([].into_iter()), None);
        assert_eq!(
            Seen::of([5, 5, 3].into_iter()),
            Some(Seen { newest: 5, oldest: 3 })
        );
    }
}
