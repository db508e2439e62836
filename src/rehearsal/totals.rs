//! What both accounts bill together, month by month, beside what the old one would have billed without the run.

use std::collections::BTreeMap;

use chrono::DateTime;

use super::forecast::{Bills, Forecast, bills};
use super::pipeline::lock;
use super::server::Served;

const DAY: i64 = 86_400;
/// How far ahead is counted: a yearly bill is among what comes.
const FORWARD: i64 = 400 * DAY;

/// Money that can be collected, minor units, discounts taken off and taxes added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Billed {
    /// By the old account, had nobody written to it.
    pub without_us: i64,
    /// By the old account.
    pub old: i64,
    /// By the new account.
    pub new: i64,
}

impl Billed {
    /// What the run adds (positive) or loses.
    #[must_use]
    pub const fn difference(&self) -> i64 {
        self.old + self.new - self.without_us
    }
}

/// By currency, by month of the period that is billed (`2026-03`).
pub type Totals = BTreeMap<String, BTreeMap<String, Billed>>;

impl Served {
    /// Periods that begin in the night or up to 400 days from now.
    pub(crate) fn totals(&self) -> Totals {
        let now = self.shared.clock.now().secs();
        let began = self.shared.start.secs();
        let mut source = lock(&self.cores[0]);
        let mut destination = lock(&self.cores[1]);
        source.pass_time(now);
        destination.pass_time(now);
        let watch = lock(&self.shared.watch);
        let forecast = Forecast::to(
            now + FORWARD,
            &source.account,
            &destination.account,
            &watch.subscriptions,
        );
        let mut totals = Totals::new();
        let mut add = |bills: &Bills, into: fn(&mut Billed) -> &mut i64| {
            for bill in bills
                .values()
                .flatten()
                .filter(|b| b.collectable && b.from >= began)
            {
                let months = totals.entry(bill.currency.as_str().to_owned()).or_default();
                *into(months.entry(month(bill.from)).or_default()) += bill.amount;
            }
        };
        add(&bills(&forecast.without_us), |billed| &mut billed.without_us);
        add(&bills(&forecast.old), |billed| &mut billed.old);
        add(&bills(&forecast.new), |billed| &mut billed.new);
        totals
    }
}

fn month(at: i64) -> String {
    let at = DateTime::from_timestamp(at, 0).unwrap_or_default();
    at.format("%Y-%m").to_string()
}
