//! The tax set-up of one account. An account, or a key, that may not see it is a finding, not a failure.

use std::collections::BTreeSet;

use crate::domain::ids::Role;
use crate::domain::text::safe;
use crate::stages::catalogue::facts::{Tax, TaxAssumes};
use crate::stages::failed;
use crate::stages::{Reading, StageError};
use crate::stripe::error::Failure;
use crate::stripe::form::Form;
use crate::stripe::wire::{TaxRegistration, TaxSettings};

pub(super) async fn tax(reading: &Reading, role: Role) -> Result<Tax, StageError> {
    let mut tax = Tax::default();
    let settings = reading
        .reader(role)?
        .get_as::<TaxSettings>("/v1/tax/settings", &Form::new())
        .await;
    match settings {
        Ok(fetched) => {
            tax.settings = Some(TaxAssumes {
                active: fetched.value.status == "active",
                behavior: fetched.value.defaults.tax_behavior,
                code: fetched.value.defaults.tax_code,
            });
        }
        Err(failure) => tax.refused.push(refused(role, &failure)?),
    }
    match registrations(reading, role).await? {
        Ok(places) => tax.registrations = Some(places),
        Err(failure) => tax.refused.push(refused(role, &failure)?),
    }
    Ok(tax)
}

/// The refusal in words, where it is one that says "not for you" (403) or "no such thing" (404).
fn refused(role: Role, failure: &Failure) -> Result<String, StageError> {
    let status = failure.api().map(|api| api.meta.status);
    if matches!(status, Some(403 | 404)) {
        Ok(safe(&failure.to_string()).to_string())
    } else {
        Err(failed(role, failure))
    }
}

async fn registrations(
    reading: &Reading,
    role: Role,
) -> Result<Result<BTreeSet<String>, Failure>, StageError> {
    let mut pages = reading
        .reader(role)?
        .list::<TaxRegistration>("/v1/tax/registrations", &Form::new().with("status", "all"));
    let mut places = BTreeSet::new();
    loop {
        match pages.next_page().await {
            Ok(Some(page)) => places.extend(page.items.iter().filter_map(place)),
            Ok(None) => return Ok(Ok(places)),
            Err(failure) => return Ok(Err(failure)),
        }
    }
}

/// `us/CA state_sales_tax`, for a registration that counts now or will.
fn place(registration: &TaxRegistration) -> Option<String> {
    if registration.status == "expired" {
        return None;
    }
    let country = registration.country.to_lowercase();
    let option = registration
        .country_options
        .get(&country)
        .and_then(Option::as_ref);
    let state = option.and_then(|option| option.state.as_deref());
    let kind = option.and_then(|option| option.kind.as_deref());
    let state = state.map(|state| format!("/{state}")).unwrap_or_default();
    let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
    Some(safe(&format!("{country}{state}{kind}")).to_string())
}
