//! Customers and payment methods after the PAN copy: checked on both accounts, defaults set, profiles completed, and the
//! application's own database told.
//!
//! **What it promises.** For every customer in scope, the method that was the default on the old account (in Stripe's
//! order: `invoice_settings.default_payment_method`, then `default_source`) is the default on the new one, after it was
//! seen there, attached to the same customer and agreeing in type, brand, last four digits and expiry. Every row of the
//! application's database that names an old method of a customer in scope names the new one, in one transaction per
//! batch with the line of an effect ledger that says so. Nothing is guessed: not by e-mail, not by look-alike cards, never
//! by fingerprint, which differs per account (facts 3.2), and never "the first card".
//!
//! | row | what it is about | written |
//! |---|---|---|
//! | `cus_1/default` | the default method, one row for every customer in scope | `POST /v1/customers/cus_1` |
//! | `cus_1/method/pm_1` | a further method about which there is something to say | nothing |
//! | `cus_1/profile` | fields the copy did not bring, or that changed since | `POST /v1/customers/cus_1` |
//! | `cus_1/tax_id/eu_vat/…` | a tax id that is missing | `POST /v1/customers/cus_1/tax_ids` |
//! | `cus_1/copy` | the customer is not on the new account | nothing: a second copy |
//! | `app/<table>/<key>` | a row of the database | compare and set |
//! | `app/<table>` | all its other rows and columns, as one checksum | nothing |
//!
//! **What the copy leaves behind** (SEPA, Bacs, wallets, Link …) cannot be moved by anybody but the customer. It becomes
//! a work list for support (`worklist.csv` in the run directory): who, why, by which channel, until when; the status
//! turns when a usable method appears on the new account.
//!
//! **Order.** A customer's writes come one after another; the database is changed after all of them, so that the
//! application never points at a new account that is not ready.

pub mod copy_list;
pub mod effects;
pub mod facts;
pub mod file;
mod gather;
pub mod panel;
pub mod plan;
pub mod script;
mod slice;
pub mod verify;
pub mod worklist;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::file::Mapping as MappingFile;
use crate::domain::time::UtcMs;

/// The stage. Implements [`crate::stages::Stage`].
pub struct Mapping;

/// Settings of the stage.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The mapping of the copy. Without one the stage cannot plan.
    pub file: Option<Arc<MappingFile>>,
    /// The list that was given to the copy ([`copy_list`]), where it was kept.
    pub asked: Option<Arc<BTreeSet<String>>>,
    /// When the copy was made: what is younger on the old account cannot have been in it.
    pub copied_at: Option<UtcMs>,
    /// Whether `invoice_prefix` and `next_invoice_sequence` are carried over too: for accounts that number invoices per
    /// customer and want them to go on.
    pub invoice_numbering: bool,
    /// Days support has for each line of the work list.
    pub contact_days: u32,
    /// The application's table, in words and as it is read; `None` when the program may not touch any.
    pub table: Option<Table>,
}

/// How the application's table is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The column of method ids.
    pub method: String,
    /// The column of customer ids, where there is one.
    pub customer: Option<String>,
    /// Further columns, shown in the review.
    pub extra: Vec<String>,
    /// Nobody else writes to it tonight: any other change is then a difference, not a remark.
    pub quiet: bool,
}
