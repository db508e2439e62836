//! Payment links: listed for the runbook, never made. PURE. A link is an address that is printed on paper and linked
//! from pages; the new account gives it another one, so a person has to replace it wherever it stands.

use super::assemble::{self, Made};
use super::decide::{NOT_USED, RUNBOOK};
use super::finding;
use crate::domain::change::Change;
use crate::domain::finding::{Finding, Severity};
use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::stages::catalogue::effects::Payload;
use crate::stages::catalogue::facts::{Kind, Link};
use crate::stages::catalogue::fields::Fields;

/// The row, and what has to be known.
pub(super) fn row(link: &Link) -> (Change, Option<Finding>) {
    let prices = safe(&link.prices.join(", "));
    let (made, finding) = if link.active {
        let more = if link.cut { " and more" } else { "" };
        let why = format!(
            "{} is live and sells {prices}{more}; a person makes it anew by the runbook",
            link.url
        );
        let finding = finding(&link.id, "payment_link", why.clone(), Severity::Warn);
        (Made::left_out(RUNBOOK, why), Some(finding))
    } else {
        (
            Made::noop(NOT_USED, "its address does not work any more".to_owned()),
            None,
        )
    };
    let payload = Payload {
        kind: Kind::PaymentLink,
        old: link.id.clone(),
        product: String::new(),
        fields: Fields::default(),
        existing: None,
        default_before: None,
        used: false,
        terms: link.url.to_string(),
    };
    let key = assemble::key(Kind::PaymentLink, "", &link.id);
    let mut change = assemble::bare(key, &payload, link.url.clone(), made);
    let evidence = assemble::evidence(
        Role::Source,
        Kind::PaymentLink,
        &link.id,
        &payload.terms,
        &link.read,
    );
    change.evidence.push(evidence);
    (change, finding)
}
