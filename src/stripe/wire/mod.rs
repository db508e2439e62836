//! Stripe's objects, as far as they are read, at API version [`super::STRIPE_VERSION`]. Tolerant: unknown fields are
//! ignored, unknown enum strings become `Other`, ids are opaque. Amounts are integers in minor units of `currency`
//! (lowercase ISO), times whole seconds since the epoch.

mod account;
mod balance;
mod common;
mod customer;
mod event;
mod grant;
mod list;
mod payment_method;

pub use account::{Account, BusinessProfile, Dashboard, Settings};
pub use balance::{BalanceTransaction, BalanceTransactionType, CashBalance};
pub use customer::{Customer, InvoiceSettings};
pub use event::{Event, EventRequest};
pub use grant::{CreditGrant, GrantAmount, GrantCategory, Monetary};
pub use list::List;
pub use payment_method::{Card, PaymentMethod};

#[cfg(test)]
mod tests;
