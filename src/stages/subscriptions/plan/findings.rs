//! What has to be known beyond the rows. PURE.

use super::Case;
use super::decide::Made;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::StageId;
use crate::domain::money::count;
use crate::domain::text::safe;
use crate::stages::subscriptions::facts::World;

/// Of one row: what could bill somebody twice, or not at all.
pub(super) fn of_row(case: Case<'_>, made: &Made) -> Option<Finding> {
    let severity = match made.rule {
        "double" | "stopped_alone" | "two_twins" | "twin_differs" => Severity::Differs,
        _ => return None,
    };
    let mut found = finding(
        &made.row.customer,
        made.rule,
        format!("{}: {}", safe(case.id), made.why),
        severity,
    );
    found.money = made.row.next_new.and_then(|bill| bill.money);
    Some(found)
}

pub(super) fn of_world(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    let strays = world.strays.len();
    if strays > 0 {
        let some: Vec<String> = world
            .strays
            .iter()
            .take(3)
            .map(|id| safe(id).to_string())
            .collect();
        let why = format!(
            "{} on the new account say they go on with a subscription whose customer is out of scope or unknown: {}",
            count(strays),
            some.join(", ")
        );
        found.push(finding("destination", "stray_twins", why, Severity::Warn));
    }
    found
}

fn finding(customer: &str, rule: &str, reason: String, severity: Severity) -> Finding {
    Finding {
        stage: StageId::Subscriptions,
        customer: safe(customer).to_string(),
        rule: rule.to_owned(),
        reason,
        severity,
        money: None,
    }
}
