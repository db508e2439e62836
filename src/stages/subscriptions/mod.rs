//! Subscriptions: handed over at the end of a period, so that nobody is billed twice and nobody gets a cycle for free.
//!
//! **What it promises.** Every subscription has one instant, its **handover** h. The old account bills every period that
//! begins before h, the new account every period that begins at h or later (reliability I27). Price, quantity, currency,
//! discounts, taxes and the day of the bill stay what they were; where something cannot stay, a person decides it before
//! anything is written. Everything below follows from h.
//!
//! # The handover
//!
//! ```text
//!   e          earliest start: upload (or approval) + 24 h + margin               (I28; Stripe starts nothing sooner)
//!   p0 < p1 …  ends of the old periods from the current one on, on the grid of the old anchor
//!   h          the first p_i ≥ e that falls on the anchor's own day of the month
//!
//!   old:  ──bill──p0──bill──p1──stopped
//!   new:            e ┊      h=p1──bill──p2──bill──
//! ```
//!
//! * The period that runs now was sold by the old account and stays its own: paid, open or past due, it is collected
//!   there, and after the settlement window it is an invoice to be moved. The new side never bills it, never gives it away.
//! * A trial ends at p0 like any period, so no trial is moved: the new subscription begins with the first paid period.
//! * A schedule that begins on 28 February would bill on the 28th for ever. The old account therefore bills on until a
//!   month that has the anchor's day; where that would take more than 62 days it is a decision (`anchor_day`).
//! * i > 0: the old account bills i more times, and stopping it waits for the last of these bills.
//!
//! The original start is kept in the metadata and nowhere else: a backdated start together with a later anchor and no
//! proration gives a cycle away (the linter names the money), and without the anchor Stripe does not say what is billed.
//!
//! # What becomes of which
//!
//! Asked in this order; the first that holds is the row's rule. "Twins" are what the new account has for it: schedules
//! and subscriptions with its id in `metadata.old_Stripe_sub_id`, cancelled ones apart.
//!
//! | holds | rule | row |
//! |---|---|---|
//! | two twins or more | `two_twins` | blocked: choice `keep_first` withdraws the later ones that have not begun |
//! | a twin, but the old one is gone or ends by h, and not by our hand | `withdraw` | planned: the schedule is cancelled; begun already: blocked |
//! | a twin that is not what the old one is now | `change` | planned: the schedule is made what it should be; begun already: blocked `twin_differs` |
//! | a twin, equal; the old one can bill a period the twin bills | `stop` | planned: see stopping |
//! | … but has a bill to come before h | `waits_for_bill` | nothing to do now; planned anew after it |
//! | … and is paused by us, and the window is over | `cancel_old` | planned: cancelled, no invoice, no proration |
//! | … and is stopped | `handed_over` | nothing to do |
//! | no twin; stopped by us all the same | `stopped_alone` | blocked: somebody took the new one away, and nobody would bill; choice `move_anyway` creates it again |
//! | no twin; ends by itself at or before h | `ends_on_old` | nothing to do: the old account serves it to its end |
//! | no twin; incomplete | `incomplete` | blocked: the first payment is pending; paid or expired within 23 hours |
//! | no twin; unpaid | `unpaid` | blocked: choice `move_anyway`; its unpaid periods stay invoices of the old account |
//! | no twin; paused (a trial ended without a method) | `paused` | blocked |
//! | no twin; a status this program does not know | `status_unknown` | blocked |
//! | no twin; the customer is not on the new account | `customer_absent` | blocked |
//! | no twin; cannot be expressed, see routes | named there | blocked |
//! | no twin; expressible as a row of the file, route `csv` | `file` | planned: stands in the file for the toolkit |
//! | no twin; otherwise | `schedule` | planned: a schedule is created, then the old one stopped if it may be |
//!
//! An old one that is paused, incomplete or of an unknown status, whose collection somebody paused, or that cannot be
//! expressed any more, is blocked by that rule with a twin too: the new one would bill what the old one does not. Once the
//! new one has begun and the old one was stopped by us, the new account has the word, and nothing is compared: a customer
//! who changes plan there is no difference. Of an old one that was stopped, its own end and its released schedule say
//! nothing; what the new one has of these stands. A blocked row that a person lets move goes by the API: a choice writes.
//!
//! # Stopping the old one
//!
//! Only when the new one was read back and is equal. In the settlement window nothing is cancelled, because Stripe then
//! stops collecting every finalised invoice of that customer (facts 3.8).
//!
//! | the current period of the old one | what is written |
//! |---|---|
//! | ends at h, after the window | `cancel_at_period_end=true`: it ends by itself at h |
//! | ends at h, within the window | `pause_collection=keep_as_draft`; its drafts are the invoices stage's; cancelled after the window |
//! | ends before h | nothing yet: `waits_for_bill` |
//! | ended, and the old one has billed what the new one bills too | blocked `double`: red, a person |
//!
//! Each of them carries `metadata[cutover_became]` (the new schedule) and `metadata[cutover_handover]` (h), which is how
//! a later run, and a person, tell our stop from a customer's cancellation.
//!
//! # Routes
//!
//! | the subscription has | route |
//! |---|---|
//! | one phase, licensed prices, at most one coupon, at most one tax rate or automatic tax, the customer's own default method | `csv` or `api`, as configured |
//! | several coupons; several tax rates; item discounts or taxes; a method of its own that was copied; a coupon that must end on a date; an end later than the first period; a flexible billing mode; a price that includes tax with a rate that does not, or the other way round; a description; metadata of items, under a key of the toolkit's, or that hardly any other has | `api` |
//! | a schedule of its own, every phase of it expressible | `api`, phases from h on |
//! | metered prices (`metered`), Connect fields (`connect`), `pause_collection` (`collection_paused`), thresholds (`thresholds`), a pending update (`pending_update`), invoices for pending items (`pending_items`), a method or source that was not copied (`method_absent`), no default method where it is charged (`method_absent`), no e-mail address for invoices (`email_absent`) or address for automatic tax (`address_absent`), unmapped price, tax rate or coupon (`price_unmapped`, `tax_rate_unmapped`, `coupon_unmapped`), a price inactive there (`price_inactive`) or with another amount, rhythm or tax behaviour (`price_differs`), more metadata than fits (`too_many_metadata`), a phase of its schedule that is not expressible (`schedule_beyond`), another currency than the customer is locked to (`currency_locked`), items of different periods (`mixed_periods`), a period that does not end where the anchor says (`off_grid`), items that were not all read (`items_cut`) | blocked |
//!
//! # Amounts
//!
//! Each row says what both sides bill next: arithmetic (price × quantity, discount, no tax), and for every row of high
//! risk and a sample of the others what Stripe's `create_preview` says. Where the two differ the row is blocked
//! (`preview_differs`) until a person accepts Stripe's figure.
//!
//! # Passes
//!
//! The stage is planned more than once in a run, each time for what can be done then: create (or hand out the file);
//! after the upload, stop; after the last bills of the old account, stop the rest; after the window, cancel what was
//! paused; after going live, put the new ids into the application's database. Every pass reads everything anew and is a
//! plan of its own, reviewed and approved. A row that waits says for what and until when; the audit counts those that
//! wait, and nothing that waits is called done.

pub mod amount;
pub mod attest;
pub mod audit;
pub mod calendar;
pub mod classes;
pub mod drift;
pub mod effects;
pub mod facts;
pub mod file;
pub mod gather;
pub mod handover;
pub mod online;
pub mod panel;
pub mod plan;
pub mod preview;
pub mod read;
pub mod same;
#[cfg(test)]
mod samples;
pub mod script;
mod seen;
mod slice;
pub mod support;
pub mod terms;
pub mod toolkit;
pub mod undo;
mod uploads;

/// The stage. Implements [`crate::stages::Stage`].
pub struct Subscriptions;

/// How new subscriptions are made where both ways can express them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// A file for Stripe's Billing migration toolkit, uploaded by hand.
    #[default]
    Csv,
    /// Schedules created by this program.
    Api,
}

impl Route {
    /// The word in the configuration and in plans.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Api => "api",
        }
    }
}

/// Settings of the stage.
#[derive(Clone, Debug)]
pub struct Settings {
    /// See [`Route`].
    pub route: Route,
    /// When the file will have been uploaded, and schedules created, at the latest; `None`: four hours from the plan,
    /// as long as an approval holds.
    pub upload_by: Option<crate::domain::time::UtcMs>,
    /// Hours between the upload and the first start beyond Stripe's 24.
    pub margin_hours: u32,
    /// When the settlement window ends; `None`: 48 hours after the run began.
    pub window_ends: Option<crate::domain::time::UtcMs>,
    /// Rows of the first file, which is small on purpose.
    pub first_batch: u32,
    /// Rows of low risk whose amount Stripe is asked for.
    pub preview_sample: u32,
}

impl Settings {
    /// As they stand in the header of a plan.
    #[must_use]
    pub fn policy(&self) -> std::collections::BTreeMap<String, String> {
        let instant = |at: Option<crate::domain::time::UtcMs>| {
            at.map_or_else(|| "usual".to_owned(), |at| at.secs().to_string())
        };
        let all = [
            ("first_batch", self.first_batch.to_string()),
            ("margin_hours", self.margin_hours.to_string()),
            ("preview_sample", self.preview_sample.to_string()),
            ("route", self.route.word().to_owned()),
            ("upload_by", instant(self.upload_by)),
            ("window_ends", instant(self.window_ends)),
        ];
        all.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            route: Route::default(),
            upload_by: None,
            margin_hours: 1,
            window_ends: None,
            first_batch: 50,
            preview_sample: 20,
        }
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod model_undo_tests;
#[cfg(test)]
mod model_world_tests;
#[cfg(test)]
mod model_wrong_tests;
