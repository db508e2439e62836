//! A filter that works in slices shows in the end what one look at everything shows.

use proptest::prelude::*;

use super::*;
use crate::domain::change::Verdict;
use crate::domain::record::RowEnd;
use crate::tui::sample;

const TEXTS: [&str; 14] = [
    "",
    "s",
    "sa",
    "sample000",
    "sample0001",
    "verdict:",
    "verdict:bl",
    "verdict:blocked",
    "verdict:blocked 1",
    "risk:h",
    "status:done",
    "status:done 7",
    "zoë",
    "currency:usd rule:",
];

/// What can happen to a list while somebody types.
#[derive(Clone, Debug)]
enum Step {
    Type(usize),
    Look(usize),
    /// More rows come in at the end.
    Grow(usize),
    /// Rows are decided, or written.
    Decide(usize),
    End(usize),
    /// Another plan.
    Other,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..TEXTS.len()).prop_map(Step::Type),
        4 => (1..120_usize).prop_map(Step::Look),
        2 => (1..30_usize).prop_map(Step::Grow),
        1 => (0..200_usize).prop_map(Step::Decide),
        2 => (0..200_usize).prop_map(Step::End),
        1 => Just(Step::Other),
    ]
}

struct List {
    all: Vec<Arc<Change>>,
    shown: usize,
    ends: Vec<RowState>,
    search: Search,
}

impl List {
    fn new() -> Self {
        let all = sample::changes(200, true).into_iter().map(Arc::new).collect();
        let ends = vec![RowState::default(); 200];
        Self {
            all,
            shown: 20,
            ends,
            search: Search::default(),
        }
    }

    fn changes(&self) -> &[Arc<Change>] {
        &self.all[..self.shown]
    }

    fn whole(&self) -> Vec<u32> {
        let mut hay = Haystack::default();
        let passes = |at: &usize| {
            hay.make_up_to(*at, self.changes());
            self.search
                .filter()
                .passes(&self.all[*at], self.ends.get(*at), hay.of(*at))
        };
        (0..self.shown)
            .filter(passes)
            .map(|at| u32::try_from(at).unwrap())
            .collect()
    }

    fn look(&mut self, steps: usize) {
        self.search.slice(&self.all[..self.shown], &self.ends, steps);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Type(at) => self.search.set(Filter::parse(TEXTS[*at])),
            Step::Look(steps) => self.look(*steps),
            Step::Grow(by) => self.shown = (self.shown + by).min(self.all.len()),
            Step::Decide(at) => {
                let mut decided = (*self.all[*at]).clone();
                decided.verdict = Verdict::LeftOut;
                self.all[*at] = Arc::new(decided);
                self.search.rows_changed(self.shown);
            }
            Step::End(at) => {
                self.ends[*at].end = Some(RowEnd::Done);
                if self.search.filter().watches_rows() {
                    self.search.rows_changed(self.shown);
                }
            }
            Step::Other => {
                self.all.reverse();
                self.search.other_rows();
            }
        }
    }

    /// Slices until nothing is left; more than this many would mean that it never ends.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            if !self.search.looking(self.shown) {
                return;
            }
            self.look(9);
        }
        panic!("the search does not end");
    }
}

proptest! {
    #[test]
    fn slices_find_what_one_look_finds(steps in prop::collection::vec(step(), 1..40)) {
        let mut list = List::new();
        for step in &steps {
            list.take(step);
            if let Some(shown) = list.search.shown() {
                prop_assert!(shown.is_sorted() && shown.iter().all(|at| (*at as usize) < list.shown));
            }
        }
        list.settle();
        let whole = list.whole();
        let shown = list.search.shown().map(<[u32]>::to_vec);
        let all = (0..u32::try_from(list.shown).unwrap()).collect();
        prop_assert_eq!(shown.unwrap_or(all), whole);
    }

    #[test]
    fn what_is_found_while_typing_only_grows_at_its_end(text in 1..TEXTS.len(), cuts in prop::collection::vec(1..90_usize, 1..30)) {
        let mut list = List::new();
        list.shown = 200;
        list.take(&Step::Type(text));
        let whole = list.whole();
        for cut in cuts {
            list.look(cut);
            let shown = list.search.shown().unwrap();
            prop_assert_eq!(shown, &whole[..shown.len()]);
        }
    }
}

#[test]
fn the_last_result_stays_until_the_changed_rows_have_been_looked_at() {
    let mut list = List::new();
    list.shown = 200;
    list.take(&Step::Type(
        TEXTS.iter().position(|text| *text == "status:done").unwrap(),
    ));
    list.take(&Step::End(150));
    list.settle();
    assert_eq!(list.search.shown(), Some(&[150][..]));
    list.take(&Step::End(20));
    list.look(10);
    assert_eq!(list.search.shown(), Some(&[150][..]), "not half a result");
    list.take(&Step::End(30));
    list.settle();
    assert_eq!(list.search.shown(), Some(&[20, 30, 150][..]));
}
