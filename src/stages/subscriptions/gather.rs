//! Reads subscriptions and schedules of both accounts, and what they refer to. GETs, and at the end the one reading POST.
//!
//! Calls, where nothing is said one per hundred objects:
//!
//! | account | list | for |
//! |---|---|---|
//! | old | coupons, customers, subscriptions that are not cancelled | always |
//! | old | prices | only if a subscription bills in another currency than its price's own |
//! | old | schedules | that manage a subscription in scope; up to fifty of them are read by id, one call each |
//! | old | subscriptions that ended | that a twin names; up to fifty of them are read by id, one call each |
//! | old | items of a subscription | only of one with more than its page shows |
//! | new | customers, subscriptions, schedules, recurring prices, tax rates, coupons | always |
//! | new | previews | one per row of high risk and for a sample of the others ([`super::preview`]) |

mod account;
mod assemble;
mod lists;
mod more;
pub mod online;
mod previews;

use std::collections::BTreeMap;

use super::effects::Row;
use super::facts::World;
use crate::domain::change::Risk;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::text::safe;
use crate::domain::time::UtcMs;
use crate::stages::{Gathered, Reading, StageError};

/// What is read one by one as long as there are no more of them.
pub(super) const FEW: usize = 50;
/// Requests of that kind at once.
const LANES: usize = 8;
/// How long an approval holds: the file is uploaded, or schedules are created, by then.
const APPROVAL_SECS: i64 = 4 * 3_600;
/// Stripe starts nothing sooner after the upload (toolkit page, `start_date`).
const NOTICE_SECS: i64 = 24 * 3_600;
/// The settlement window, unless said otherwise.
const WINDOW_MS: i64 = 48 * 3_600_000;

/// All that was read.
pub(super) struct Facts {
    /// What the plan rests on.
    pub(super) world: World,
    /// Subscriptions in scope that this program does not understand, or of which it does not understand a twin: they are
    /// in no row. By old id.
    pub(super) unread: BTreeMap<String, Unread>,
    /// Stripe could not be asked what bills will be, and why.
    pub(super) not_asked: Option<String>,
}

/// Part of [`Facts`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Unread {
    /// `cus_…`
    pub(super) customer: String,
    /// One clause.
    pub(super) why: String,
}

/// Reads everything for a plan. `rows` plans what was read, as far as previews are concerned.
pub(super) async fn gather(
    reading: &Reading,
    rows: impl Fn(&World) -> Vec<(Risk, Row)>,
) -> Result<Gathered, StageError> {
    let facts = whole(reading, None, rows).await?;
    remember(reading, &facts)?;
    let counts = counts(&facts);
    Ok(Gathered {
        facts: Box::new(facts),
        counts,
    })
}

/// Everything with what Stripe says of bills. A plan that is looked at again keeps its own `earliest`, because nothing
/// has to move only because time went on.
pub(super) async fn whole(
    reading: &Reading,
    earliest: Option<i64>,
    rows: impl Fn(&World) -> Vec<(Risk, Row)>,
) -> Result<Facts, StageError> {
    let mut facts = world(reading, earliest).await?;
    let wanted = super::preview::wanted(
        &rows(&facts.world),
        &facts.world.old,
        reading.settings.subscriptions.preview_sample,
    );
    let said = previews::ask(reading, wanted).await?;
    facts.world.previews = said.by_old;
    facts.not_asked = said.not_asked;
    Ok(facts)
}

/// Everything but what Stripe says of bills, as it is now.
pub(super) async fn world(reading: &Reading, earliest: Option<i64>) -> Result<Facts, StageError> {
    let (old, new) = account::both(reading).await?;
    let mut found = assemble::sort(old, new);
    more::items(reading, &mut found).await?;
    more::ended(reading, &mut found).await?;
    more::schedules(reading, &mut found).await?;
    more::currencies(reading, &mut found).await?;
    let now = reading.clock.now();
    let settings = &reading.settings.subscriptions;
    let times = assemble::Times {
        now: now.secs(),
        earliest: earliest.unwrap_or_else(|| earliest_start(now, settings)),
        window_ends: settings
            .window_ends
            .unwrap_or_else(|| reading.began.plus_ms(WINDOW_MS))
            .secs(),
    };
    Ok(found.finish(times))
}

/// e of the stage's page, seconds: on a full minute, so that two plans of the same hour are not two plans for nothing
/// but the second they were made in.
pub(super) fn earliest_start(now: UtcMs, settings: &super::Settings) -> i64 {
    let upload = settings
        .upload_by
        .map_or(now.secs().saturating_add(APPROVAL_SECS), UtcMs::secs);
    let margin = i64::from(settings.margin_hours).saturating_mul(3_600);
    let exact = upload.saturating_add(NOTICE_SECS).saturating_add(margin);
    let past = exact.rem_euclid(60);
    if past == 0 {
        exact
    } else {
        exact.saturating_add(60 - past)
    }
}

/// What a person has to know of the reading itself.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let unread = facts.unread.iter().map(|(id, unread)| Finding {
        stage: StageId::Subscriptions,
        customer: safe(&unread.customer).to_string(),
        rule: "not_understood".to_owned(),
        reason: format!("{} is in no row: {}", safe(id), unread.why),
        severity: Severity::Differs,
        money: None,
    });
    let asked = facts.not_asked.iter().map(|why| Finding {
        stage: StageId::Subscriptions,
        customer: String::new(),
        rule: "previews_refused".to_owned(),
        reason: format!("Stripe was not asked what the bills will be: {why}"),
        severity: Severity::Warn,
        money: None,
    });
    unread.chain(asked).collect()
}

fn counts(facts: &Facts) -> BTreeMap<String, u64> {
    let world = &facts.world;
    [
        ("subscriptions_source", world.old.len()),
        ("twins_destination", world.twins.values().map(Vec::len).sum()),
        ("customers", world.people.len()),
        ("previews", world.previews.len()),
        ("not_understood", facts.unread.len()),
    ]
    .into_iter()
    .map(|(name, size)| (name.to_owned(), size as u64))
    .collect()
}

fn remember(reading: &Reading, facts: &Facts) -> Result<(), StageError> {
    let world = &facts.world;
    world.old.values().try_for_each(|old| reading.remember(old))?;
    world
        .old_schedules
        .iter()
        .try_for_each(|one| reading.remember(&one))?;
    world
        .twins
        .values()
        .flatten()
        .try_for_each(|twin| reading.remember(twin))?;
    world.people.iter().try_for_each(|one| reading.remember(&one))?;
    world
        .prices
        .values()
        .try_for_each(|price| reading.remember(price))?;
    world
        .tax_rates
        .iter()
        .try_for_each(|one| reading.remember(&one))?;
    world.coupons.iter().try_for_each(|one| reading.remember(&one))?;
    world.previews.iter().try_for_each(|one| reading.remember(&one))?;
    facts.unread.iter().try_for_each(|one| reading.remember(&one))
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
