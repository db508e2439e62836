//! The writes of the stage, as data, and what a row keeps for its script, its audit and its drift check.

use serde::{Deserialize, Serialize};

use super::worklist::Work;
use crate::domain::ids::{Accounts, Digest, EffectId, Role, StageId};
use crate::domain::write::{Cell, Method, PlannedWrite, RowUpdate, When};
use crate::stripe::wire::CustomerProfile;

/// Sets the default method.
pub const SET_DEFAULT: &str = "set_default";
/// Completes the profile.
pub const PROFILE: &str = "update_profile";
/// Adds a tax id.
pub const TAX_ID: &str = "create_tax_id";
/// Changes a row of the application's table.
pub const REMAP: &str = "remap";

/// The field that holds the default method. Setting it charges nobody; `source` would (facts 3.1).
pub const DEFAULT: &str = "invoice_settings[default_payment_method]";

/// What a row keeps. The stage's own JSON, part of the plan's digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Payload {
    /// A write to the customer itself.
    Customer {
        /// On the new account.
        customer: String,
        /// What the fields to be written held there when planned; empty is nothing.
        held: Vec<(String, String)>,
        /// Old method and new one, for rows about the default.
        method: Option<(String, String)>,
        /// For the work list, where support has to do something.
        work: Option<Work>,
    },
    /// A tax id.
    TaxId {
        /// On the new account.
        customer: String,
        /// `eu_vat`, …
        kind: String,
        /// As given.
        value: String,
    },
    /// A method about which nothing is written: old id, new id where there is one.
    Method {
        /// On the old account.
        old: String,
        /// On the new account.
        new: Option<String>,
        /// For the work list, where support has to do something.
        work: Option<Work>,
    },
    /// A row of the application's table.
    AppRow {
        /// Its customer on the old account.
        customer: String,
    },
    /// Everything of the table that the plan does not change.
    AppTable {
        /// Its checksum.
        others: Digest,
        /// Rows it covers.
        rows: u64,
    },
    /// A customer who is not on the new account.
    Copy {
        /// For the work list.
        work: Option<Work>,
    },
}

impl Payload {
    /// As a row keeps it.
    #[must_use]
    pub fn text(&self) -> String {
        // Plain strings always serialise; an empty payload is refused by the script.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Sets `target` as the default method of `customer`.
#[must_use]
pub fn set_default(accounts: &Accounts, customer: &str, target: &str) -> PlannedWrite {
    let form = vec![(DEFAULT.to_owned(), target.to_owned())];
    update(accounts, SET_DEFAULT, customer, form)
}

/// Writes profile fields.
#[must_use]
pub fn profile(accounts: &Accounts, customer: &str, form: Vec<(String, String)>) -> PlannedWrite {
    update(accounts, PROFILE, customer, form)
}

fn update(accounts: &Accounts, op: &str, customer: &str, form: Vec<(String, String)>) -> PlannedWrite {
    // What is set is part of what the effect is: setting something else is another effect.
    let bytes: Vec<&[u8]> = form
        .iter()
        .flat_map(|(k, v)| [k.as_bytes(), b"\0", v.as_bytes(), b"\0"])
        .collect();
    let set = Digest::of("cutover-set-v1", bytes).prefix12();
    PlannedWrite {
        op: op.to_owned(),
        role: Role::Destination,
        effect: EffectId::new(accounts, StageId::Mapping, op, &format!("{customer}/{set}"), 0),
        method: Method::Post,
        path: format!("/v1/customers/{customer}"),
        form,
        money: None,
        when: When::Always,
        irreversible: false,
        marked: false,
    }
}

/// Adds a tax id.
#[must_use]
pub fn tax_id(accounts: &Accounts, customer: &str, kind: &str, value: &str) -> PlannedWrite {
    PlannedWrite {
        op: TAX_ID.to_owned(),
        role: Role::Destination,
        effect: EffectId::new(
            accounts,
            StageId::Mapping,
            TAX_ID,
            &format!("{customer}/{kind}/{value}"),
            0,
        ),
        method: Method::Post,
        path: format!("/v1/customers/{customer}/tax_ids"),
        form: vec![
            ("type".to_owned(), kind.to_owned()),
            ("value".to_owned(), value.to_owned()),
        ],
        money: None,
        when: When::Always,
        irreversible: false,
        marked: false,
    }
}

/// The effect of changing a row of the application's table; `ordinal` counts how often the same change was made before
/// and taken back by the application.
#[must_use]
pub fn row_effect(accounts: &Accounts, table: &str, key: &str, cells: &[Cell], ordinal: u32) -> EffectId {
    let after: Vec<&str> = cells
        .iter()
        .map(|cell| cell.after.as_deref().unwrap_or(""))
        .collect();
    let subject = format!("{table}/{key}/{}", after.join("/"));
    EffectId::new(accounts, StageId::Mapping, REMAP, &subject, ordinal)
}

/// A change of a row of the application's table.
#[must_use]
pub fn row(accounts: &Accounts, table: &str, key: &str, cells: Vec<Cell>, ordinal: u32) -> RowUpdate {
    RowUpdate {
        effect: row_effect(accounts, table, key, &cells, ordinal),
        table: table.to_owned(),
        key: key.to_owned(),
        cells,
    }
}

/// The customer's field of that name now; empty is nothing.
#[must_use]
pub fn field_now(customer: &CustomerProfile, name: &str) -> String {
    if name == DEFAULT {
        let default = customer.invoice_settings.default_payment_method.clone();
        return default.unwrap_or_default();
    }
    if let Some(key) = name
        .strip_prefix("metadata[")
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return customer.metadata.get(key).cloned().unwrap_or_default();
    }
    customer.fields().remove(name).unwrap_or_default()
}
