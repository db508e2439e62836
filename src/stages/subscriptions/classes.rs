//! What makes a subscription worth a second look. PURE.

use super::effects::Class;
use super::facts::{Collection, Old, Person, Status};
use crate::domain::change::Risk;

/// The classes of `old`, in the order of [`Class`]; `bills_before` is how often the old account bills before the
/// handover.
#[must_use]
pub fn of(old: &Old, person: Option<&Person>, bills_before: i64) -> Vec<Class> {
    let has = |class: Class, is: bool| is.then_some(class);
    let own_method =
        old.method.is_some() && old.method != person.and_then(|person| person.old_default.clone());
    let items = &old.items;
    let unusual = items.len() > 1 || own_method || items.iter().any(|item| item.price.by_steps);
    let all = [
        has(Class::NearRenewal, bills_before > 0),
        has(
            Class::PastDue,
            matches!(old.status, Status::PastDue | Status::Unpaid),
        ),
        has(Class::Trial, old.status == Status::Trialing),
        has(Class::Cancelling, ends_by_itself(old).is_some()),
        has(
            Class::Discount,
            !old.discounts.is_empty() || items.iter().any(|item| !item.discounts.is_empty()),
        ),
        has(
            Class::ManualTax,
            !old.tax_rates.is_empty() || items.iter().any(|item| !item.tax_rates.is_empty()),
        ),
        has(Class::Schedule, old.schedule.is_some()),
        has(Class::UnusualItems, unusual),
        has(
            Class::SendInvoice,
            matches!(old.collection, Collection::Invoice(_)),
        ),
    ];
    all.into_iter().flatten().collect()
}

/// When it ends by itself, seconds, where somebody else than this program said so.
#[must_use]
pub fn ends_by_itself(old: &Old) -> Option<i64> {
    if !old.ends_with_period {
        return old.cancel_at;
    }
    let ends = old.period_end()?;
    (old.stopped_for() != Some(ends)).then_some(ends)
}

/// How carefully a row of these classes wants to be looked at. What is high is shown to Stripe before anybody approves
/// it: arithmetic says the least about it.
#[must_use]
pub fn risk(classes: &[Class]) -> Risk {
    let of = |class: &Class| match class {
        Class::PastDue | Class::Cancelling | Class::Schedule | Class::UnusualItems => Risk::High,
        Class::NearRenewal | Class::Trial | Class::Discount | Class::ManualTax | Class::SendInvoice => {
            Risk::Medium
        }
    };
    classes.iter().map(of).max().unwrap_or_default()
}
